# SPDX-License-Identifier: ISC
# PosternLdif.pm - directory entries for a test's policyd, and how to change
# them while it runs. Core modules only.
package PosternLdif;

use strict;
use warnings;

use Exporter 'import';
use Postern qw(wait_until);

our @EXPORT_OK = qw(adopt mailbox template tenant);

my $BASE = 'dc=postern,dc=example';

# One entry; an attribute's values are a text or a list of texts. Policy
# attributes are written without their prefix: Greylist => 'on'; and
# Template => NAME is the template of that name.
sub
entry
{
	my ($dn, @attributes) = @_;
	my $text = "dn: $dn\n";

	while (my ($name, $values) = splice(@attributes, 0, 2)) {
		$values = "cn=$values,$BASE" if $name eq 'Template';
		$name = "postern$name" if $name =~ /^[A-Z]/;
		$text .= "$name: $_\n" for ref($values) ? @$values : $values;
	}
	return "$text\n";
}

# The tenant of this domain, and of those that associatedDomain adds
sub
tenant
{
	my ($domain, @policy) = @_;

	return entry("dc=$domain,$BASE",
	    objectClass => ['domain', 'posternDomain'], dc => $domain,
	    associatedDomain => $domain, @policy);
}

# The mailbox with this address, and those that mail adds
sub
mailbox
{
	my ($address, @policy) = @_;
	my ($user, $domain) = $address =~ /^(.*)@(.*)$/;

	return entry("uid=$user,dc=$domain,$BASE",
	    objectClass => ['account', 'posternMailbox'], uid => $user,
	    mail => $address, @policy);
}

sub
template
{
	my ($name, @policy) = @_;

	return entry("cn=$name,$BASE",
	    objectClass => ['posternTemplate', 'posternPolicy'], cn => $name,
	    @policy);
}

sub
directory_reads
{
	my ($policyd) = @_;

	return $policyd->control('/check') =~ /"reads": *(\d+)/ ? $1 : -1;
}

# These entries instead of those before, in force on return
sub
adopt
{
	my ($policyd, $ldif) = @_;
	my $before = directory_reads($policyd);

	$policyd->write_ldif($ldif);
	$policyd->reload();
	wait_until { directory_reads($policyd) > $before }
	    or die "the directory was not read\n";
	# asked once more, the loop has taken it over
	directory_reads($policyd);
}

1;
