#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 79-keys.t - dkimsign's keys on a real slapd, while it runs: a new one signs
# the next message, a bad one replaces nothing, and what is done without one, or
# without slapd.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use POSIX qw(strftime);
use Postern qw(wait_until);
use PosternHop;
use PosternLdif qw(dkim_key dkim_record new_pem tenant);
use PosternSign;
use PosternSlapd qw($BASE $READER);
use PosternVerify qw(signatures verify);
use Test::More;

my ($ANNA, $B) = ('anna@client1.example', 'b@x.example');
my $DOMAIN = 'client1.example';
my $TENANT = "dc=$DOMAIN,$BASE";
my %pem = map { $_ => new_pem('ed25519') } qw(old new wrong later);
my %records = map { ("$_._domainkey.$DOMAIN" => dkim_record($pem{$_})) }
    keys(%pem);

my $slapd = PosternSlapd->start(syncprov => 1, access => <<END);
access to attrs=posternDkimPrivateKey by dn.exact="$READER" read by * none
END
$slapd->add(tenant($DOMAIN) . dkim_key($DOMAIN, 'old', $pem{old}));
$slapd->stop();

my $hop = PosternHop->start(unix => 1);
my $directory = $slapd->settings();
delete($directory->{state_file});	# policyd's alone
my $dkimsign = PosternSign->start(conf => { next_hop => $hop->uri(),
    directory => $directory });

# One message: its reply, and the selectors of its signatures
sub
sign
{
	my (@replies) = $dkimsign->send_mail($ANNA, [$B],
	    "From: $ANNA\r\nSubject: test\r\n\r\nHello\r\n");

	return ($replies[1], '') if $replies[1] !~ /^250 /;
	my ($fields) = signatures(($hop->delivered())[-1]{text});

	return ($replies[1], join(' ', map { /\bs=([^;]+);/ } @$fields));
}

# Soon a message is signed by these, by a key that fits its record
sub
is_signed_by
{
	my ($selectors, $name) = @_;
	my $got;

	wait_until { $got = (sign())[1]; $got eq $selectors };
	is($got, $selectors, $name) or diag($dkimsign->log());
	return if $selectors eq '';
	is(verify(($hop->delivered())[-1]{text}, \%records)->{dkimpy}[0],
	    'pass', "$name: it verifies");
}

sub
change
{
	my ($dn, @lines) = @_;

	$slapd->modify(join("\n", "dn: $dn", 'changetype: modify', @lines,
	    ''));
}

sub
when
{
	my ($secs) = @_;

	return strftime('%Y%m%d%H%M%SZ', gmtime(time() + $secs));
}

# -- no slapd at start

my ($reply) = sign();
like($reply, qr/^451 4\.7\.5 .*no-directory/, 'without a directory mail waits');
is(scalar($hop->delivered()), 0, 'and is not sent without a signature');
$slapd->launch();
is_signed_by('old', 'once slapd is there, it is signed');

# -- rotation

$slapd->add(dkim_key($DOMAIN, 'new', $pem{new}, DkimNotBefore => when(-60)));
is_signed_by('new', 'a new key takes over');
$slapd->add(dkim_key($DOMAIN, 'later', $pem{later},
    DkimNotBefore => when(3600)));
ok($dkimsign->log() !~ /later/ && (sign())[1] eq 'new',
    'one whose time has not come does not');

# -- bad keys

my $garbage = encode_base64("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n" .
    "-----END PRIVATE KEY-----\n", '');
change("cn=new,$TENANT", 'replace: posternDkimPrivateKey',
    "posternDkimPrivateKey:: $garbage");
ok(wait_until { sign(); $dkimsign->log() =~
    /error: key refused: dn=cn=new,\S* reason=".*" serves=last-good$/m },
    'a bad PEM is reported');
is_signed_by('new', 'and the good one that it replaced goes on');
$slapd->add(dkim_key($DOMAIN, 'wrong', $pem{wrong}, DkimNotBefore => when(-1),
    DkimPublicKey => $records{"old._domainkey.$DOMAIN"} =~ s/.*p=//r));
ok(wait_until { sign(); $dkimsign->log() =~ /key refused: dn=cn=wrong,/ },
    'a key that does not fit its public half is reported');
is_signed_by('new', 'and does not sign');
is(() = $dkimsign->log() =~ /key refused: dn=cn=wrong,/g, 1, 'it is told once');

# -- ends

change("cn=new,$TENANT", 'add: posternDkimNotAfter',
    'posternDkimNotAfter: ' . when(-1));
is_signed_by('old', 'what has ended signs no more');
$dkimsign->advance('2h');
is_signed_by('later', 'what was to come takes over by itself');

# -- with and without

for ([ 'off', 'off', qr/^250 /, '' ], [ 'on', 'signed', qr/^250 /, 'later' ],
    [ 'required', 'signed', qr/^250 /, 'later' ]) {
	my ($signing, $reason, $want, $selectors) = @$_;

	change($TENANT, 'replace: posternDkimSigning',
	    "posternDkimSigning: $signing");
	is_signed_by($selectors, "posternDkimSigning $signing");
	like($dkimsign->log(), qr/ sign=$reason [^\n]*\n\z/,
	    "posternDkimSigning $signing: the log says why");
}
change("cn=$_,$TENANT", 'replace: posternDkimNotAfter',
    'posternDkimNotAfter: ' . when(-1)) for qw(old later wrong);
ok(wait_until { ($reply) = sign(); $reply =~ /^451 4\.7\.5 .*no-key/ },
    'required without a key is deferred') or diag($reply);
change($TENANT, 'replace: posternDkimSigning', 'posternDkimSigning: on');
is_signed_by('', 'on without a key passes unsigned');
like($dkimsign->log(), qr/ sign=no-key [^\n]*\n\z/, 'and the log says why');
change("cn=later,$TENANT", 'delete: posternDkimNotAfter');

# -- slapd goes, and comes

is_signed_by('later', 'a key that is back signs');
$slapd->stop('KILL');
ok($dkimsign->wait_log(qr/ldapi:.* the last snapshot serves/),
    'that slapd is gone is told');
is_signed_by('later', 'without slapd the last keys serve');
$slapd->launch();
change("cn=later,$TENANT", 'add: posternDkimNotAfter',
    'posternDkimNotAfter: ' . when(-1));
is_signed_by('', 'and what changes when it is back is in force');

# -- keys are secret

my @secrets = map { (split(/\n/, $_))[1] } values(%pem);
is_deeply([grep { index($dkimsign->log(), $_) >= 0 } @secrets,
    map { encode_base64($_, '') } values(%pem)], [], 'no key is in the log');
is($dkimsign->stop(), '', 'dkimsign stops cleanly');

done_testing();
