#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 45-greylist.t - who has to come back, when, under which name a stranger is
# remembered, and who never is greylisted.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(inbound outbound);
use PosternLdif qw(adopt mailbox template tenant);
use Test::More;

my @ON = (Greylist => 'on');
my $ldif = join('',
    template('wary', @ON),
    template('global', Allow => 'sender @blessed.example'),
    tenant('grey.example', @ON), tenant('twin.example', @ON),
    tenant('plain.example'), tenant('off.example', Greylist => 'off'),
    tenant('score.example', Greylist => 'score'),
    tenant('wary.example', Template => 'wary'),
    tenant('delay.example', @ON, GreylistDelay => '1h'),
    tenant('window.example', @ON, GreylistWindow => '1h'),
    tenant('pass.example', @ON, GreylistPass => '1d'),
    tenant('two.example', @ON, GreylistPromote => '2'),
    tenant('never.example', @ON, GreylistPromote => '0'),
    tenant('long.example', @ON, GreylistDelay => '3d'),
    tenant('short.example', @ON, GreylistWindow => '1m'),
    tenant('zero.example', @ON, GreylistWindow => '0'),
    tenant('box.example', @ON),
    mailbox('eager@box.example', Greylist => 'off'),
    mailbox('wary@plain.example', @ON, GreylistDelay => '10m'),
    tenant('lists.example', @ON,
	Block => 'sender bad@stranger.example', Allow => [
	    'sender friend@stranger.example',
	    'sender @.friends.example',
	    'recipient postmaster@lists.example',
	    'client 198.51.100.0/24',
	    'client 2001:db8:1::/48',
	    'client *.known.example',
	    'helo mail.partner.example',
	    'sender old@stranger.example expires=2020-01-01' ]),
    tenant('limited.example', @ON,
	RateLimit => 'few inbound client messages 1/1h'));
my $policyd = Postern->start(ldif => $ldif,
    conf => { trusted_networks => ['10.0.0.0/8'],
    trusted_ccerts => ['AA:BB:CC'] });

# A stranger's attempt: 'greylisted', 'passed', or whatever else was said
sub
attempt
{
	my $action = $policyd->ask(inbound(@_));

	return 'greylisted' if $action =~ /^DEFER_IF_PERMIT 4\.2\.0 /;
	return $action eq 'DUNNO' ? 'passed' : $action;
}

sub
records
{
	return $1 if $policyd->control('/check') =~ /"records":\s*(\d+)/;
	return 'unknown';
}

my $STRANGER = 'someone@stranger.example';

subtest 'a stranger comes too early, in time, too late' => sub {
	my @mail = ($STRANGER, 'time@grey.example');

	is($policyd->ask(inbound(@mail)), 'DEFER_IF_PERMIT 4.2.0 grey.example: '
	    . 'greylisted, try again in 5m',
	    'at first it is told when to come back');
	$policyd->advance('150s');
	like($policyd->ask(inbound(@mail)), qr/try again in (2m|3m|1\d\ds)/,
	    'too early: told how much of the delay is left');
	$policyd->advance('148s');
	is(attempt(@mail), 'greylisted', 'two seconds too early');
	$policyd->advance('2s');
	is(attempt(@mail), 'passed',
	    'after 5m: attempts before have not prolonged the delay');
	is(attempt(@mail), 'passed', 'and from then on');

	attempt($STRANGER, 'late@grey.example');
	attempt($STRANGER, 'last@grey.example');
	$policyd->advance('1d');
	$policyd->advance('1439m');
	is(attempt($STRANGER, 'last@grey.example'), 'passed',
	    'a minute before the window of 2d ends');
	$policyd->advance('61s');
	is(attempt($STRANGER, 'late@grey.example'), 'greylisted',
	    'after it the stranger is new');
	$policyd->advance('4m');
	is(attempt($STRANGER, 'late@grey.example'), 'greylisted',
	    'and its delay begins anew');
	$policyd->advance('1m');
	is(attempt($STRANGER, 'late@grey.example'), 'passed',
	    'until that is over');
};

subtest 'who passed is known for 35d from its last use' => sub {
	my @mail = ($STRANGER, 'known@never.example');

	attempt(@mail);
	$policyd->advance('6m');
	is(attempt(@mail), 'passed', 'passes');
	for (1 .. 3) {
		$policyd->advance('34d');
		is(attempt(@mail), 'passed', 'passes 34d after its last use');
	}
	$policyd->advance('35d');
	is(attempt(@mail), 'greylisted', '35d after its last use it is new');
};

subtest 'posternGreylistDelay, -Window and -Pass hold' => sub {
	attempt($STRANGER, "a\@$_.example") for qw(delay window pass);
	$policyd->advance('59m');
	is(attempt($STRANGER, 'a@delay.example'), 'greylisted',
	    'a delay of 1h: too early after 59m');
	is(attempt($STRANGER, 'a@pass.example'), 'passed', 'the usual delay');
	$policyd->advance('1m');
	is(attempt($STRANGER, 'a@delay.example'), 'passed',
	    'a delay of 1h: in time after 1h');
	is(attempt($STRANGER, 'a@window.example'), 'greylisted',
	    'a window of 1h: too late after 1h');
	$policyd->advance('23h');
	is(attempt($STRANGER, 'a@pass.example'), 'passed',
	    'a pass of 1d: still known after 23h');
	$policyd->advance('1d');
	is(attempt($STRANGER, 'a@pass.example'), 'greylisted',
	    'a pass of 1d: new after 1d');
};

subtest 'a delay beyond an inherited window shuts nobody out for ever' => sub {
	attempt($STRANGER, "a\@$_.example") for qw(long short zero);
	$policyd->advance('5m');
	is(attempt($STRANGER, 'a@zero.example'), 'passed',
	    'a window of 0 is a bad value, and the usual one holds');
	like($policyd->log(), qr/error: directory: dc=zero\.example,.*: posternGreylistWindow: .*nobody could pass/,
	    'and it is told');
	is(attempt($STRANGER, 'a@short.example'), 'passed',
	    'a window of 1m and the usual delay');
	$policyd->advance('3d');
	is(attempt($STRANGER, 'a@long.example'), 'passed',
	    'a delay of 3d and the usual window');
};

# The stranger's first mails to TENANT, each let in after its delay
sub
pass_times
{
	my ($tenant, $count) = @_;

	for my $round (1, 2) {
		attempt("sender$_\@many.example", "first$_\@$tenant",
		    client_name => 'unknown') for 1 .. $count;
		$policyd->advance('6m');
	}
}

subtest 'posternGreylistPromote lets a proven network and domain through' =>
    sub {
	my @network = (client_name => 'unknown');

	pass_times('grey.example', 2);
	is(attempt('z@many.example', 'b@grey.example', @network), 'greylisted',
	    'not after two passes');
	pass_times('grey.example', 3);
	is(attempt('z@many.example', 'c@grey.example', @network), 'passed',
	    'after three');
	is(attempt('z@many.example', 'c@grey.example', @network,
	    client_address => '192.0.2.200'), 'passed',
	    'from all of its network');
	is(attempt('z@many.example', 'd@grey.example', @network,
	    client_address => '192.0.3.7'), 'greylisted',
	    'but not from another network');
	is(attempt('z@mail.many.example', 'd@grey.example', @network),
	    'greylisted', 'and not with another sender domain');
	is(attempt('z@many.example', 'c@twin.example', @network),
	    'greylisted', 'and not to another tenant');
	$policyd->advance('34d');
	is(attempt('z@many.example', 'e@grey.example', @network), 'passed',
	    'for 35d ...');
	$policyd->advance('34d');
	is(attempt('z@many.example', 'f@grey.example', @network), 'passed',
	    '... from its last use');
	$policyd->advance('35d');
	is(attempt('z@many.example', 'g@grey.example', @network),
	    'greylisted', 'and no longer');

	pass_times('two.example', 1);
	is(attempt('z@many.example', 'a@two.example', @network), 'greylisted',
	    '2: not after one pass');
	pass_times('two.example', 2);
	is(attempt('z@many.example', 'b@two.example', @network), 'passed',
	    '2: after two');
	adopt($policyd, $ldif =~ s/(Promote:) 2/$1 0/r);
	is(attempt('z@many.example', 'd@two.example', @network), 'greylisted',
	    '2 made 0: what was promoted is no longer');
	adopt($policyd, $ldif);
	pass_times('never.example', 10);
	is(attempt('z@many.example', 'a@never.example', @network),
	    'greylisted', '0: never');
};

# Under which name a stranger is remembered: whoever comes first, is whoever
# comes second, after the delay, known? A sender, and what differs from
# 192.0.2.7 without a name.
my $NONE = 'unknown';
my @pairs = (
	[ 'passed', 'the same client', [], [] ],
	[ 'passed', 'another client of the same /24', [],
	    [ client_address => '192.0.2.250' ] ],
	[ 'greylisted', 'a client of another /24', [],
	    [ client_address => '192.0.3.7' ] ],
	[ 'passed', 'another client of the same /64',
	    [ client_address => '2001:db8::1' ],
	    [ client_address => '2001:db8::ffff:0:0:2' ] ],
	[ 'greylisted', 'a client of another /64',
	    [ client_address => '2001:db8::1' ],
	    [ client_address => '2001:db8:0:1::1' ] ],
	[ 'passed', 'another HELO', [ helo_name => 'a.example' ],
	    [ helo_name => 'b.example' ] ],
	[ 'passed', 'a provider\'s pool: names below one domain',
	    [ client_name => 'mx1.out.provider.example' ],
	    [ client_name => 'mx27.out.provider.example',
		client_address => '198.51.100.9' ] ],
	[ 'passed', 'a provider\'s pool, from IPv6 as well',
	    [ client_name => 'MX1.Provider.example' ],
	    [ client_name => 'mx6.provider.example',
		client_address => '2001:db8::25' ] ],
	[ 'greylisted', 'names below two domains',
	    [ client_name => 'mx.one.example' ],
	    [ client_name => 'mx.two.example',
		client_address => '198.51.100.9' ] ],
	[ 'greylisted', 'a name that is only in the reverse DNS',
	    [ reverse_client_name => 'mx1.provider.example' ],
	    [ reverse_client_name => 'mx2.provider.example',
		client_address => '198.51.100.9' ] ],
	[ 'greylisted', 'names below a public suffix',
	    [ client_name => 'one.co.uk' ],
	    [ client_name => 'two.co.uk',
		client_address => '198.51.100.9' ] ],
	[ 'passed', 'names below a public suffix, the same /24',
	    [ client_name => 'one.co.uk' ],
	    [ client_name => 'two.co.uk', client_address => '192.0.2.8' ] ],
	[ 'greylisted', 'names below a top-level domain',
	    [ client_name => 'one.example' ],
	    [ client_name => 'two.example',
		client_address => '198.51.100.9' ] ],
	(map { [ 'greylisted', "a dial-up name such as $_->[0]",
	    [ client_name => $_->[0] ],
	    [ client_name => $_->[1], client_address => '198.51.100.9' ] ] }
	    [ 'host-192-0-2-7.isp.example', 'host-198-51-100-9.isp.example' ],
	    [ '7-2-0-192.isp.example', '9-100-51-198.isp.example' ],
	    [ 'c0000207.isp.example', 'c6336409.isp.example' ],
	    [ 'p192000002007.isp.example', 'p198051100009.isp.example' ]),
	[ 'greylisted', 'a dial-up name with an IPv6 address',
	    [ client_name => '20010db8000000000000000000000001.isp.example',
		client_address => '2001:db8::1' ],
	    [ client_name => '20010db8000100000000000000000001.isp.example',
		client_address => '2001:db8:1::1' ] ],
	[ 'passed', 'a sender in other letters',
	    [ sender => 'Joe@Stranger.Example' ],
	    [ sender => 'joe@stranger.example' ] ],
	[ 'passed', 'a sender with another plus-extension',
	    [ sender => 'joe+a@stranger.example' ],
	    [ sender => 'joe+b@stranger.example' ] ],
	[ 'passed', 'a sender with another VERP number',
	    [ sender => 'bounce-1234-56@list.example' ],
	    [ sender => 'bounce-9-100000@list.example' ] ],
	[ 'passed', 'a mailing list with the recipient in its sender',
	    [ sender => 'list-return-17-a=id.example@list.example' ],
	    [ sender => 'list-return-18-a=id.example@list.example' ] ],
	[ 'passed', 'a sender with another BATV tag',
	    [ sender => 'prvs=0123abcdef=joe@stranger.example' ],
	    [ sender => 'prvs=4567fedcba=joe@stranger.example' ] ],
	[ 'passed', 'a sender with a BATV tag behind its name',
	    [ sender => 'prvs=joe=0123abcdef@stranger.example' ],
	    [ sender => 'prvs=joe=4567fedcba@stranger.example' ] ],
	[ 'passed', 'a sender without its BATV tag',
	    [ sender => 'btv1==0123abcdef==joe@stranger.example' ],
	    [ sender => 'joe@stranger.example' ] ],
	[ 'greylisted', 'another sender with the same BATV tag',
	    [ sender => 'prvs=0123abcdef=joe@stranger.example' ],
	    [ sender => 'prvs=0123abcdef=jim@stranger.example' ] ],
	[ 'greylisted', 'another sender', [ sender => 'a@stranger.example' ],
	    [ sender => 'b@stranger.example' ] ],
	[ 'greylisted', 'another sender domain',
	    [ sender => 'a@stranger.example' ],
	    [ sender => 'a@other.example' ] ],
	[ 'passed', 'the null sender', [ sender => '' ], [ sender => '' ] ],
	[ 'greylisted', 'the null sender, and one with a name',
	    [ sender => '' ], [ sender => 'a@stranger.example' ] ],
	[ 'passed', 'a client whose address is not known',
	    [ client_address => $NONE ], [ client_address => $NONE ] ],
);

# The same pair has a recipient of its own
sub
member
{
	my ($at, $attributes) = @_;

	return attempt($STRANGER, "pair$at\@never.example",
	    client_name => $NONE, reverse_client_name => $NONE, @$attributes);
}

is(member($_, $pairs[$_][2]), 'greylisted', "first: $pairs[$_][1]")
    for 0 .. $#pairs;
$policyd->advance('6m');
is(member($_, $pairs[$_][3]), $pairs[$_][0],
    "$pairs[$_][1]: " . ($pairs[$_][0] eq 'passed' ? 'the same stranger'
    : 'another stranger')) for 0 .. $#pairs;

subtest 'each recipient has its own record' => sub {
	my ($a, $b) = ('one@never.example', 'two@never.example');
	my @message = (instance => 'both');

	is(attempt($STRANGER, $a, @message), 'greylisted', 'the one');
	$policyd->advance('6m');
	is(attempt($STRANGER, $a), 'passed', 'the one, again');
	is(attempt($STRANGER, $b), 'greylisted',
	    'the other is not freed by it');
	is(attempt($STRANGER, 'ONE+list@NEVER.example'), 'passed',
	    'in other letters and with an extension it is still the one');
};

subtest 'a tenant, a template or a mailbox switches it' => sub {
	is(attempt($STRANGER, 'a@plain.example'), 'passed', 'built in: off');
	is(attempt($STRANGER, 'a@off.example'), 'passed', 'off');
	is(attempt($STRANGER, 'a@score.example'), 'passed',
	    'score: without a score nobody');
	is(attempt($STRANGER, 'a@wary.example'), 'greylisted',
	    'on in its template');
	is(attempt($STRANGER, 'eager@box.example'), 'passed',
	    'off for a mailbox');
	is(attempt($STRANGER, 'other@box.example'), 'greylisted',
	    'on for its neighbour');
	is(attempt($STRANGER, 'wary@plain.example'), 'greylisted',
	    'on for a mailbox');
	$policyd->advance('6m');
	is(attempt($STRANGER, 'wary@plain.example'), 'greylisted',
	    'with a delay of its own');
	$policyd->advance('4m');
	is(attempt($STRANGER, 'wary@plain.example'), 'passed',
	    'and not longer');
};

subtest 'whom we trust is never greylisted' => sub {
	my $before = records();

	is($policyd->ask(outbound('me@grey.example', 'login@grey.example')),
	    'DUNNO', 'a login');
	is($policyd->ask(outbound('me@elsewhere.example',
	    'login@grey.example')), 'DUNNO', 'also one of no tenant');
	is(attempt($STRANGER, 'net@grey.example', client_address => '10.1.2.3'),
	    'passed', 'a trusted network');
	is(attempt('', 'net@grey.example', client_address => '10.1.2.3'),
	    'passed', 'its bounces');
	is(attempt($STRANGER, 'cert@grey.example',
	    ccert_fingerprint => 'aa:bb:cc'), 'passed',
	    'a listed certificate');
	is(records(), $before, 'and leaves no record');
	is(attempt($STRANGER, 'cert@grey.example',
	    ccert_fingerprint => 'aa:bb:dd'), 'greylisted',
	    'any other certificate is a stranger\'s');
	is($policyd->ask(outbound('me@grey.example', 'a@far.example')),
	    'DUNNO', 'what goes out is not asked about');
};

subtest 'posternAllow lifts it' => sub {
	my @rows = (
		[ 'a sender', sender => 'friend@stranger.example' ],
		[ 'a sender with an extension',
		    sender => 'friend+x@stranger.example' ],
		[ 'a sender\'s subdomain', sender => 'a@mail.friends.example' ],
		[ 'a network', client_address => '198.51.100.77' ],
		[ 'an IPv6 network', client_address => '2001:db8:1:2::3' ],
		[ 'a client\'s name', client_name => 'mx.known.example' ],
		[ 'a HELO', helo_name => 'mail.partner.example' ],
		[ 'a recipient', recipient => 'postmaster@lists.example' ],
		[ 'for all tenants', sender => 'a@blessed.example' ],
	);

	for my $row (@rows) {
		my ($name, @attributes) = @$row;

		is(attempt($STRANGER, 'a@lists.example', @attributes),
		    'passed', $name);
	}
	is(attempt($STRANGER, 'a@lists.example'), 'greylisted',
	    'nobody else');
	is(attempt('a@friends.example', 'a@lists.example'), 'greylisted',
	    '@.friends.example is not friends.example');
	is(attempt('old@stranger.example', 'a@lists.example'), 'greylisted',
	    'nor is what has expired');
	is(attempt($STRANGER, 'a@lists.example',
	    reverse_client_name => 'mx.known.example'), 'greylisted',
	    'nor a name that is not confirmed');
};

subtest 'what is refused anyway leaves no record' => sub {
	my $before = records();

	like(attempt('bad@stranger.example', 'a@lists.example'),
	    qr/^550 5\.7\.1 /, 'a blocked sender');
	like(attempt('a@grey.example', 'a@lists.example'), qr/^550 5\.7\.1 /,
	    'our own sender from outside');
	like(attempt($STRANGER, 'a@foreign.example'), qr/^550 5\.7\.1 /,
	    'mail that is not for us');
	is($policyd->ask(inbound($STRANGER, 'a@lists.example',
	    protocol_state => 'VRFY')), 'DUNNO', 'another state');
	is(records(), $before, 'none of them');
};

subtest 'who is greylisted is not charged' => sub {
	is(attempt($STRANGER, 'a@limited.example'), 'greylisted',
	    'greylisted') for 1 .. 3;
	$policyd->advance('6m');
	is(attempt($STRANGER, 'a@limited.example'), 'passed',
	    'the limit of one message is still whole');
	like($policyd->ask(inbound($STRANGER, 'a@limited.example')),
	    qr/^451 4\.7\.1 limited\.example: limit few /, 'and now is not');
};

like($policyd->log(), qr/: verdict=greylist rule=greylist:new dir=inbound tenant=grey\.example /,
    'the log tells of a stranger') or diag($policyd->log());
like($policyd->log(), qr/: verdict=greylist rule=greylist:early dir=inbound tenant=grey\.example /,
    'and of one that came too early');
is($policyd->stop(), '', 'policyd stops cleanly');
done_testing();
