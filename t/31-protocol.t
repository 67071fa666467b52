#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 31-protocol.t - the policy protocol, byte for byte: whatever comes gets one
# reply or a close, in order, and nothing unasked.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX qw(sysconf _SC_OPEN_MAX);
use Postern qw(inbound outbound);
use Test::More;
use Time::HiRes qw(sleep);

my $CONNECTIONS = 1500;

# Room for that many descriptors here and in the daemon
if (sysconf(_SC_OPEN_MAX) < $CONNECTIONS + 100 && !$ENV{POSTERN_HAS_ROOM}) {
	$ENV{POSTERN_HAS_ROOM} = 1;
	exec('sh', '-c', 'ulimit -n 4096; exec "$@"', 'sh', $^X, $0);
}

my $policyd = Postern->start(ldif => <<'END');
dn: dc=ours.example,dc=postern,dc=example
objectClass: domain
objectClass: posternDomain
dc: ours.example
associatedDomain: ours.example
END

my @passes = inbound('a@stranger.example', 'b@ours.example');
my @refused = inbound('a@stranger.example', 'b@foreign.example');
my $PASS = "action=DUNNO\n\n";
my $REFUSED = qr/\Aaction=550 5\.7\.1 [ -~]+\n\n\z/;

sub
bytes
{
	return Postern::Client::request(@_);
}

# What comes back for these bytes on a connection of their own, as a list
sub
replies_to
{
	my ($bytes) = @_;
	my $client = $policyd->connect();
	my @replies;

	$client->send($bytes);
	$client->end();
	while (my $reply = $client->receive()) {
		push(@replies, $reply);
	}
	return @replies;
}

subtest 'one request, one reply' => sub {
	my $client = $policyd->connect();

	ok($client->is_silent(), 'no greeting');
	$client->send(bytes(@passes));
	is($client->receive(), $PASS, 'a reply');
	ok($client->is_silent(), 'and no byte after it');
	$client->send(bytes(@refused));
	like($client->receive(), $REFUSED, 'the next on the same connection');
	ok($client->is_silent(), 'and no byte after it');
};

subtest 'however the bytes are cut' => sub {
	my $client = $policyd->connect();
	my $request = bytes(@passes);
	my @replies;

	$client->send(join('', map { bytes(@passes) . bytes(@refused) }
	    1 .. 200));
	push(@replies, $client->receive()) for 1 .. 400;
	is(scalar(grep { $_ eq $PASS } @replies[map { 2 * $_ } 0 .. 199]), 200,
	    'pipelined: each has its reply ...');
	is(scalar(grep { $_ =~ $REFUSED } @replies[map { 2 * $_ + 1 }
	    0 .. 199]), 200, '... in its order');
	ok($client->is_silent(), 'and none has two');

	for my $byte (split(//, substr($request, 0, -1))) {
		$client->send($byte);
	}
	ok($client->is_silent(), 'byte by byte: silence before the last');
	$client->send("\n");
	is($client->receive(), $PASS, 'byte by byte: a reply after it');

	$client->send($request . substr($request, 0, 100));
	is($client->receive(), $PASS, 'one and a half: a reply to the one');
	ok($client->is_silent(), 'one and a half: none to the half');
	$client->send(substr($request, 100));
	is($client->receive(), $PASS, 'one and a half: a reply to the rest');
	ok($client->is_silent(), 'and nothing more');
};

my @answered = (
	[ 'an 8-bit local part', sender => "m\xfcller\@stranger.example" ],
	[ 'bytes that are no UTF-8', sender => "\xff\xfe\x80\@\xc3.example" ],
	[ '"=" in a value', sender => 'bounce=a=b.example@stranger.example' ],
	[ 'a value of "="', helo_name => '=' ],
	[ 'a value of 50,000 bytes', helo_name => 'x' x 50_000 ],
	[ 'attributes nobody knows', tls_sni => 'mx.ours.example',
	    attribute_of_2031 => 'yes' ],
	[ 'an attribute without a name', '' => 'value' ],
	[ 'empty values', client_name => '', helo_name => '', size => '',
	    instance => '', server_address => '', queue_id => '' ],
	[ 'numbers that are none', size => '-1', recipient_count => 'many' ],
	[ 'numbers too large', size => '9' x 40, recipient_count => '9' x 40 ],
	[ 'a client that has no address', client_address => 'unknown' ],
);
is_deeply([ replies_to(bytes(@passes, @$_[1 .. $#$_])) ], [ $PASS ],
    "$_->[0]: one reply") for @answered;

for my $name (qw(protocol_name client_address client_name
    reverse_client_name helo_name server_address sender recipient_count size
    queue_id instance)) {
	is_deeply([ replies_to(bytes(@passes, $name => undef)) ], [ $PASS ],
	    "no $name: one reply");
}
is(scalar(replies_to(bytes(@passes, recipient => undef))), 1,
    'no recipient: one reply');
is(scalar(replies_to("request=smtpd_access_policy\n\n")), 1,
    'nothing but the request: one reply');
is(scalar(replies_to("request=smtpd_access_policy\n" . bytes(@passes))), 1,
    'the same attribute twice: one reply');
like((replies_to(bytes(inbound('prvs=1=me@ours.example', 'b@ours.example'))))
    [0], $REFUSED, 'a value is cut at the first "=" only');

my @closed = (
	[ 'a NUL byte', bytes(@passes, helo_name => "a\0b") ],
	[ 'a line without "="', "request=smtpd_access_policy\nsender\n\n" ],
	[ 'an empty request', "\n" ],
	[ 'no request=', bytes(@passes, request => undef) ],
	[ 'another request=', bytes(@passes, request => 'junk') ],
	[ 'another protocol', "GET / HTTP/1.1\nHost: x\n\n" ],
	[ 'more than 64 KiB', bytes(@passes, helo_name => 'x' x 70_000) ],
	[ '64 KiB without an end', 'x' x 65_536 ],
);
for my $row (@closed) {
	my ($name, $bytes) = @$row;
	my $client = $policyd->connect();

	$client->send($bytes);
	is($client->receive(), '', "$name: closed without a reply");
	is_deeply([ replies_to(bytes(@passes) . $bytes) ], [ $PASS ],
	    "$name: what came before has its reply");
}
is_deeply([ replies_to(substr(bytes(@passes), 0, -1)) ], [],
    'a request that was cut off: no reply');

for my $state (qw(CONNECT EHLO HELO MAIL VRFY ETRN), '', 'FUTURE') {
	is($policyd->ask(@refused, protocol_state => $state), 'DUNNO',
	    "protocol_state=$state: no opinion");
}
for my $state (qw(DATA END-OF-MESSAGE)) {
	is_deeply([ replies_to(bytes(protocol_state => $state,
	    recipient => '', recipient_count => 3)) ], [ $PASS ],
	    "$state without a recipient: one reply");
}

subtest 'a connection is kept' => sub {
	my $client = $policyd->connect();

	is($client->ask(@passes), 'DUNNO', 'a request');
	$policyd->advance('1000s');
	ok($client->is_silent(1), 'not closed after smtpd\'s max_ttl');
	is($client->ask(@passes), 'DUNNO', 'the next request on it');
};

subtest 'a client that does not read' => sub {
	my $client = $policyd->connect();
	my $other = $policyd->connect();
	my $requests = 5000;
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0) {
		$client->send(bytes(@passes)) for 1 .. $requests;
		POSIX::_exit(0);
	}
	sleep(0.3);
	is($other->ask(@passes), 'DUNNO', 'does not hold up another one');
	is(scalar(grep { ($client->receive() // '') eq $PASS }
	    1 .. $requests), $requests, 'has every reply when it reads');
	waitpid($pid, 0);
	ok($client->is_silent(), 'and not one more');
};

subtest "$CONNECTIONS connections at once" => sub {
	my @clients = map { $policyd->connect() } 1 .. $CONNECTIONS;

	is(scalar(grep { $_->ask(@passes) eq 'DUNNO' } @clients),
	    $CONNECTIONS, 'each is served');
	$_->send(bytes(@passes)) for @clients;
	is(scalar(grep { $_->receive() eq $PASS } reverse(@clients)),
	    $CONNECTIONS, 'each again, all asking before one is heard');
	is(scalar(grep { !$_->is_silent(0) } @clients), 0,
	    'and not a byte more');
};

is($policyd->ask(@passes), 'DUNNO', 'after all this it still answers');
is($policyd->stop(), '', 'policyd stops cleanly');
done_testing();
