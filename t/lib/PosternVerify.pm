# SPDX-License-Identifier: ISC
# PosternVerify.pm - what others make of a signature: dkimpy, Mail::DKIM and
# opendkim, who have the keys from us and ask no DNS.
package PosternVerify;

use strict;
use warnings;

use Exporter 'import';
use Postern qw(spew srcdir temp_dir);

our @EXPORT_OK = qw(records signatures verify);

# { name => value } of what dkimctl dns --format line prints
sub
records
{
	my ($lines) = @_;

	return { map { split(/ /, $_, 2) } split(/\n/, $lines) };
}

# A message as (its DKIM-Signature fields, the rest), CRLF at line ends
sub
signatures
{
	my ($message) = @_;
	my ($header, $body) = $message =~ /^(.*?\r\n)(\r\n.*)\z/s
	    or die "a message without a body\n";
	my @signatures;

	while ($header =~
	    s/^(DKIM-Signature:.*?\r\n)(?![ \t])//msi) {
		push(@signatures, $1);
	}
	return (\@signatures, $header . $body);
}

# Each of these: 'pass', 'fail', or 'unknown' for an algorithm that it does
# not know

sub
by_dkimpy
{
	my ($message, $dir) = @_;

	spew("$dir/message", $message);
	# Debian's own, which has Debian's modules
	my $program = srcdir() . '/t/lib/dkimpy.py';
	my $said = qx(/usr/bin/python3 '$program' '$dir/records' \\
	    <'$dir/message');

	chomp($said);
	return $said;
}

sub
by_mail_dkim
{
	my ($message, $dir, $records) = @_;

	# Only here, for who asks another verifier may not have these
	require Mail::DKIM::DNS;
	require Mail::DKIM::Verifier;
	require Net::DNS::RR;
	my $dkim = Mail::DKIM::Verifier->new();

	no warnings qw(once redefine);
	local *Mail::DKIM::DNS::query = sub {
		my ($name) = @_;
		my $value = $records->{$name} // return;

		return Net::DNS::RR->new(owner => $name, type => 'TXT',
		    txtdata => [$value =~ /(.{1,255})/gs]);
	};
	$dkim->PRINT($message);
	$dkim->CLOSE();
	return 'pass' if $dkim->result() eq 'pass';
	return 'unknown' if $dkim->result_detail() =~
	    /unsupported|unknown|unrecognized|unrecognised/;
	return 'fail';
}

sub
by_opendkim
{
	my ($message, $dir) = @_;

	spew("$dir/message", $message);
	spew("$dir/opendkim.conf", "Mode v\nSyslog no\n" .
	    "TestPublicKeys $dir/records\n");
	my $said = qx(opendkim -x '$dir/opendkim.conf' -t '$dir/message' 2>&1);

	return 'pass' if $said =~ /verification .* succeeded$/m;
	return 'fail' if $said =~ /verification .* failed/m;
	return "unknown: $said";
}

# { verifier => [what it makes of each signature, from the top] } of these
# verifiers, or of all; the records are { name => value }
sub
verify
{
	my ($message, $records, @names) = @_;
	my ($signatures, $rest) = signatures($message);
	my $dir = temp_dir();
	my %verifiers = (dkimpy => \&by_dkimpy, opendkim => \&by_opendkim,
	    'Mail::DKIM' => \&by_mail_dkim);
	my %result;

	spew("$dir/records", join('', map { "$_ $records->{$_}\n" }
	    sort(keys(%$records))));
	for my $name (@names ? @names : keys(%verifiers)) {
		$result{$name} = [map {
			$verifiers{$name}->($_ . $rest, $dir, $records)
		    } @$signatures];
	}
	return \%result;
}

1;
