#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 53-cluster.t - counters in a real Redis cluster: limits hold exactly while
# slots move and after a node is lost, and a node's loss is its tenants' alone.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX qw(WNOHANG);
use Postern qw(build free_port outbound wait_until);
use PosternLdif qw(tenant);
use PosternRedis;
use Test::More;

my $LIMIT = 200;
my $MOVED = 120;	# slots at the beginning of each third

my @nodes = PosternRedis->cluster();
my @masters = @nodes[0 .. 2];

sub
uri_of
{
	return 'redis-cluster://' . join(',', map { "127.0.0.1:$_->{port}" } @_);
}

# CRC16/XMODEM, as Redis counts slots
sub
slot
{
	my $crc = 0;

	for my $byte (unpack('C*', $_[0])) {
		$crc ^= $byte << 8;
		$crc = ($crc & 0x8000 ? $crc << 1 ^ 0x1021 : $crc << 1) & 0xffff
		    for 1 .. 8;
	}
	return $crc % 16384;
}

# In each third three tenants whose slots will move, and two others:
# name => [third, whether it moves]
sub
choose_tenants
{
	my (%tenants, %have);

	for (my $n = 0; keys(%tenants) < 15; $n++) {
		my $slot = slot("t$n.example");
		my $third = int(3 * $slot / 16384);
		my $moves = $slot - 16384 * $third / 3 < $MOVED - 1 ? 1 : 0;

		next if $have{$third}[$moves]++ >= ($moves ? 3 : 2);
		$tenants{"t$n.example"} = [$third, $moves];
	}
	return %tenants;
}

my %tenants = choose_tenants();
my @names = sort(keys(%tenants));

sub
policyd
{
	my ($uri, %counters) = @_;

	return Postern->start(ldif => join('', map { tenant($_,
	    RateLimit => "few outbound domain recipients $LIMIT/1h") } @names),
	    conf => { on_counter_failure => 'defer',
	    metrics => 'inet:127.0.0.1:' . free_port(),
	    counters => { uri => $uri, timeout => '5s', %counters } });
}

# '2 of 3': those that can be asked
sub
servers
{
	my ($policyd) = @_;

	return join(' of ', map { $policyd->metric("postern_policyd_redis_$_") }
	    qw(up servers));
}

# pass, limit, failure, or what else it was
sub
kind
{
	my ($reply) = @_;

	return !defined($reply) ? 'no answer' :
	    $reply =~ /\Aaction=DUNNO\n\n\z/ ? 'pass' :
	    $reply =~ /\Aaction=451 4\.7\.1 \S+: limit few/ ? 'limit' :
	    $reply =~ /\Aaction=451 4\.7\.1 counters cannot/ ? 'failure' :
	    $reply;
}

# Each of these policyd is asked for each tenant, all at the same time, and
# what it says is counted in said: { tenant => { kind => count } }
sub
ask_all
{
	my ($said, @policyds) = @_;

	for my $policyd (@policyds) {
		for my $name (@names) {
			my $client = $policyd->{clients}{$name} //=
			    $policyd->connect();

			$client->send(Postern::Client::request(outbound(
			    "a\@$name", 'x' . int(rand(1e9)) . '@far.example')));
		}
	}
	for my $policyd (@policyds) {
		$said->{$_}{kind($policyd->{clients}{$_}->receive())}++
		    for @names;
	}
}

# Until the limit of each tenant is reached
sub
ask_to_the_end
{
	my ($said, @policyds) = @_;

	for (1 .. $LIMIT) {
		last if !grep { !$said->{$_}{limit} } @names;
		ask_all($said, @policyds);
	}
}

sub
of_kind
{
	my ($said, $kind, $want) = @_;

	return { map { ($_ => $said->{$_}{$kind} // 0) } grep { !defined($want)
	    || $want->($_) } @names };
}

sub
each_of
{
	my ($value, $want) = @_;

	return { map { ($_ => $value) }
	    grep { !defined($want) || $want->($_) } @names };
}

# A process that moves slots from the one to the other, each when all nodes have
# heard of the one before
sub
reshard
{
	my (@moves) = @_;
	my $pid = fork() // die "fork: $!\n";

	return $pid if $pid != 0;
	open(STDOUT, '>', '/dev/null');
	for my $move (@moves) {
		wait_until { system('redis-cli', '--cluster', 'check',
		    "127.0.0.1:$nodes[0]{port}") == 0 };
		system('redis-cli', '--cluster', 'reshard',
		    "127.0.0.1:$nodes[0]{port}", '--cluster-from',
		    $move->[0]{id}, '--cluster-to', $move->[1]{id},
		    '--cluster-slots', $MOVED, '--cluster-yes') == 0
		    or POSIX::_exit(1);
	}
	POSIX::_exit(0);
}

ok(PosternRedis::cluster_is_ready(@nodes), 'six nodes are a cluster');

subtest 'the same answers as memory: and an exact log' => sub {
	open(my $pipe, '-|', build() . '/t/unit/limits_property', 3, 60,
	    'memory:', uri_of($nodes[4])) or die $!;
	my @lines = <$pipe>;
	close($pipe);
	is($?, 0, 'limits_property finds nothing') or diag(@lines);
};

subtest 'slots move under load' => sub {
	my @both = map { policyd(uri_of(@masters)) } 1 .. 2;
	my $said = {};

	ask_all($said, @both);
	is_deeply(of_kind($said, 'pass'), each_of(2), 'each tenant is counted');
	# the lowest slots of each: what came to it would be the lowest, too
	my $pid = reshard([@masters[2, 0]], [@masters[1, 2]], [@masters[0, 1]]);
	my $rounds = 0;

	while (waitpid($pid, WNOHANG) == 0) {
		ask_all($said, @both);
		$rounds++;
	}
	is($?, 0, "they have moved, in $rounds rounds");
	is_deeply([grep { $said->{$_}{pass} > $LIMIT } @names], [],
	    'meanwhile not one unit too many passes');
	ask_to_the_end($said, @both);
	is_deeply(of_kind($said, 'pass'), each_of($LIMIT),
	    'nor afterwards, and not one too few');
	is_deeply([grep { $_->[1] !~ /^(pass|limit|failure)$/ } map {
	    my $name = $_; map { [$name, $_] } keys(%{$said->{$name}}) }
	    @names], [], 'every request is answered');
	is_deeply(of_kind($said, 'failure'), each_of(0), 'by its counters');
	my ($exit, $usage) = $both[0]->policyctl('usage', $names[0]);
	like($usage, qr/few.*\b$LIMIT\b/s, 'policyctl usage finds them');
	for my $name (@names) {
		($exit, $usage) = $both[0]->policyctl('reset', $name);
		like($usage, qr/counters forgotten/, "and so does reset, $name");
	}
	$said = {};
	ask_all($said, @both);
	is_deeply(of_kind($said, 'pass'), each_of(2), 'each counts anew');
	is($_->stop(), '', 'policyd stops cleanly') for @both;
};

subtest 'a slot between two nodes' => sub {
	my $policyd = policyd(uri_of(@masters), timeout => '200ms');
	my ($name) = grep { $tenants{$_}[0] == 0 && !$tenants{$_}[1] } @names;
	my ($slot, $from, $to) = (slot($name), @masters[0, 1]);
	my $ask = sub {
		$policyd->{clients}{$name} //= $policyd->connect();
		$policyd->{clients}{$name}->send(Postern::Client::request(
		    outbound("a\@$name", 'x' . int(rand(1e9)) . '@far.example')));
		return kind($policyd->{clients}{$name}->receive());
	};

	# a reset leaves a record: all keys that are asked for exist
	$policyd->policyctl('reset', $name);
	is($ask->(), 'pass', 'before');
	$to->cli('CLUSTER', 'SETSLOT', $slot, 'IMPORTING', $from->{id});
	$from->cli('CLUSTER', 'SETSLOT', $slot, 'MIGRATING', $to->{id});
	my @keys = split(/\n/, $from->cli('CLUSTER', 'GETKEYSINSLOT', $slot,
	    100));
	my $move = sub { $from->cli('MIGRATE', '127.0.0.1', $to->{port}, '', 0,
	    5000, 'KEYS', @_) };

	is($ask->(), 'pass', 'all are asked where they still are');
	like($move->(shift(@keys)), qr/^OK/, 'one moves');
	is($ask->(), 'failure',
	    'while they are on both nodes no answer is given, in time');
	like($move->(@keys), qr/^OK/, 'the others move');
	is($ask->(), 'pass', 'all are asked where they are already');
	$_->cli('CLUSTER', 'SETSLOT', $slot, 'NODE', $to->{id}) for $to, $from;
	is($ask->(), 'pass', 'after');
	unlike($policyd->log(), qr/redis\S+ cannot be asked/,
	    'and neither node is blamed');
	my ($exit, $said) = $policyd->policyctl('reset', $name);
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'a master is killed' => sub {
	my $policyd = policyd(uri_of(@masters));
	my %is_hit = map { ($_ => $masters[0]->cli('GET', "{$_}") !~ /MOVED/) }
	    @names;
	my $is_other = sub { !$is_hit{$_[0]} };
	my $said = {};

	$policyd->policyctl('reset', $_) for @names;
	ask_all($said, $policyd) for 1 .. 10;
	is_deeply(of_kind($said, 'pass'), each_of(10), 'it counts');
	is(servers($policyd), '3 of 3', 'a metric tells three servers');
	ok($_->is_replicated(), 'a replica knows it') for @masters;
	$masters[0]->stop();
	ask_all($said, $policyd);
	is(servers($policyd), '2 of 3', 'and when one of them is lost');
	ok(wait_until {
		ask_all($said, $policyd);
		$policyd->log() =~ /:$nodes[3]{port} can be asked/;
	}, 'its replica is found when it is promoted');
	cmp_ok($said->{$_}{failure}, '>', 0, "$_ is not counted meanwhile")
	    for grep { $is_hit{$_} } @names;
	ask_to_the_end($said, $policyd);
	is_deeply(of_kind($said, 'pass'), each_of($LIMIT),
	    'all limits hold exactly');
	is_deeply(of_kind($said, 'failure', $is_other), each_of(0, $is_other),
	    'tenants of others felt nothing');
	is(servers($policyd), '3 of 3', 'the metric tells three again');
	my $lines = () = $policyd->log() =~ /redis\S+ cannot be asked/g;
	is($lines, 1, 'one line says that it is lost');
	like($policyd->log(), qr/:$masters[0]{port} has no slots any more/,
	    'and one that it is forgotten');
	is($policyd->stop(), '', 'policyd stops cleanly');

	$policyd = policyd(uri_of(@masters));
	$said = {};
	ask_all($said, $policyd);
	is_deeply(of_kind($said, 'limit'), each_of(1),
	    'the first of the list may be lost at start');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'a master is silent' => sub {
	my $policyd = policyd(uri_of(@masters), timeout => '2s');
	my %is_hit = map { ($_ => $masters[1]->cli('GET', "{$_}") !~ /MOVED/) }
	    @names;
	my $is_other = sub { !$is_hit{$_[0]} };
	my $said = {};

	$policyd->policyctl('reset', $_) for @names;
	ask_all($said, $policyd) for 1 .. 10;
	ok($masters[1]->is_replicated(), 'its replica knows what is counted');
	$masters[1]->signal('STOP');
	ok(wait_until {
		ask_all($said, $policyd);
		$policyd->log() =~ /:$nodes[4]{port} can be asked/;
	}, 'its replica is found when it is promoted');
	$masters[1]->signal('CONT');
	cmp_ok($said->{$_}{failure}, '>', 0, "$_ is not counted meanwhile")
	    for grep { $is_hit{$_} } @names;
	ask_to_the_end($said, $policyd);
	is_deeply(of_kind($said, 'pass'), each_of($LIMIT),
	    'all limits hold exactly');
	is_deeply(of_kind($said, 'failure', $is_other), each_of(0, $is_other),
	    'tenants of others felt nothing');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'what should be set otherwise' => sub {
	$masters[2]->cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
	my $policyd = policyd(uri_of(@masters));
	my ($exit, $said) = $policyd->policyctl('check');

	like($said, qr/maxmemory-policy\s+is\s+not\s+noeviction/,
	    'policyctl check warns of a node that forgets');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

done_testing();
