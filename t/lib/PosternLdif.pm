# SPDX-License-Identifier: ISC
# PosternLdif.pm - directory entries for a test's policyd, and how to change
# them while it runs. Core modules only.
package PosternLdif;

use strict;
use warnings;

use Exporter 'import';
use MIME::Base64 qw(encode_base64);
use Postern qw(spew temp_dir wait_until);

our @EXPORT_OK = qw(adopt dkim_key dkim_record mailbox new_pem template
    tenant);

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

# A private key: 'ed25519', or 'rsa' of 2048 bits
sub
new_pem
{
	my ($algorithm) = @_;

	open(my $pipe, '-|', 'openssl', 'genpkey', '-algorithm', $algorithm,
	    $algorithm eq 'rsa' ? ('-pkeyopt', 'rsa_keygen_bits:2048') : (),
	    '-quiet') or die "openssl: $!\n";
	local $/;
	return scalar(<$pipe>);
}

# What DNS has for it; of an Ed25519 key the 32 bytes alone (RFC 8463)
sub
dkim_record
{
	my ($pem) = @_;
	my $dir = temp_dir();

	spew("$dir/key", $pem);
	open(my $pipe, '-|', 'openssl', 'pkey', '-in', "$dir/key", '-pubout',
	    '-outform', 'DER') or die "openssl: $!\n";
	my $der = do { local $/; <$pipe> };

	return length($der) == 44
	    ? 'v=DKIM1; k=ed25519; p=' . encode_base64(substr($der, 12), '')
	    : 'v=DKIM1; k=rsa; p=' . encode_base64($der, '');
}

# A key of that tenant; policy attributes as above: DkimNotAfter => '...'
sub
dkim_key
{
	my ($domain, $selector, $pem, @more) = @_;

	return entry("cn=$selector,dc=$domain,$BASE",
	    objectClass => 'posternDkimKey', cn => $selector,
	    DkimSelector => $selector,
	    'posternDkimPrivateKey:' => encode_base64($pem, ''), @more);
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
