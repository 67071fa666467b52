#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 52-sentinel.t - counters in the Redis that real sentinels call the master:
# limits hold over each kind of failover, up to what Redis itself loses.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(outbound wait_until);
use PosternLdif qw(tenant);
use PosternRedis;
use Test::More;

my $LIMIT = 60;

sub
uri_of
{
	my ($name, @sentinels) = @_;
	my $password = $sentinels[0]{password};

	return 'redis-sentinel://' . ($password ? ":$password@" : '') .
	    join(',', map { "127.0.0.1:$_->{port}" } @sentinels) . "/$name";
}

sub
policyd
{
	my ($uri, %conf) = @_;

	return Postern->start(ldif => tenant('ours.example',
	    RateLimit => "few outbound mailbox recipients $LIMIT/1h"),
	    conf => { on_counter_failure => 'defer', %conf,
	    counters => { uri => $uri, timeout => '5s' } });
}

# pass, limit, failure, or what else it was
sub
ask
{
	my ($policyd) = @_;
	my $answer = $policyd->ask(outbound('a@ours.example', 'x' .
	    int(rand(1e9)) . '@far.example'));

	return $answer eq 'DUNNO' ? 'pass' :
	    $answer =~ /^451 4\.7\.1 ours\.example: limit few/ ? 'limit' :
	    $answer =~ /^451 4\.7\.1 counters cannot be asked/ ? 'failure' :
	    $answer;
}

sub
used
{
	my ($policyd) = @_;

	return $policyd->control('/usage?name=a@ours.example') =~
	    /"used":(\d+)/ ? $1 : -1;
}

# Asks steadily, at most 20 seconds, until the log says so: { answer => count }
sub
ask_until
{
	my ($policyd, $pattern) = @_;
	my %said;

	wait_until {
		$said{ask($policyd)}++;
		$policyd->log() =~ $pattern;
	};
	return %said;
}

sub
ask_often
{
	my ($policyd, $count) = @_;
	my %said;

	$said{ask($policyd)}++ for 1 .. $count;
	return %said;
}

my @guarded = PosternRedis->trio('secret');
my @plain = PosternRedis->trio();

sub
is_asked
{
	my ($redis) = @_;

	return qr/redis:\/\/127\.0\.0\.1:$redis->{port} can be asked/;
}

subtest 'the master is killed' => sub {
	my ($master, $replica, @sentinels) = @guarded;

	ok(PosternRedis::sentinels_are_ready(@sentinels), 'three sentinels');
	my $policyd = policyd(uri_of('m', @sentinels));
	my %before = ask_often($policyd, 10);

	is_deeply(\%before, { pass => 10 }, 'it counts, with a password');
	like($policyd->log(), is_asked($master), 'the log says where');
	unlike($policyd->log(), qr/secret/, 'and no password');
	ok($master->is_replicated(), 'the replica knows all of it');
	$master->stop();
	my %during = ask_until($policyd, is_asked($replica));
	my %after = ask_often($policyd, $LIMIT);

	ok($during{failure}, 'meanwhile every request is answered');
	is($during{failure} + ($during{pass} // 0), eval {
		my $sum = 0; $sum += $_ for values(%during); $sum },
	    'as the configuration says');
	is(10 + ($during{pass} // 0) + $after{pass}, $LIMIT,
	    'the limit holds exactly');
	is($after{limit}, $LIMIT - $after{pass}, 'nothing fails afterwards');
	is(used($policyd), $LIMIT, 'usage is told by the new master');
	my ($exit, $said) = $policyd->policyctl('reset', 'a@ours.example');
	like($said, qr/1 counter forgotten/, 'and reset works there');
	is(used($policyd), 0, 'at once');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'a failover is ordered' => sub {
	my ($master, $replica, @sentinels) = @plain;

	ok(PosternRedis::sentinels_are_ready(@sentinels), 'three sentinels');
	my $policyd = policyd(uri_of('m', @sentinels));
	my %before = ask_often($policyd, 10);

	like($sentinels[1]->cli('SENTINEL', 'FAILOVER', 'm'), qr/^OK/,
	    'it begins');
	my %during = ask_until($policyd, is_asked($replica));
	like($policyd->log(), qr/another is the master now/,
	    'it is followed because a sentinel says so');
	my $known = used($policyd);

	cmp_ok($known, '>=', 10, 'what was counted before is known');
	my %after = ask_often($policyd, $LIMIT);
	is($known + $after{pass}, $LIMIT, 'the limit holds from there');
	cmp_ok($before{pass} + $during{pass} + $after{pass}, '<=',
	    $LIMIT + $during{pass},
	    'no more passes than what the old master alone heard of');
	is_deeply([grep { !/^(pass|failure|limit)$/ } keys(%during),
	    keys(%after)], [], 'every request is answered');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'sentinels come and go' => sub {
	my ($old, $master, @sentinels) = @plain;

	$sentinels[0]->stop();
	my $policyd = policyd(uri_of('m', @sentinels));

	is(ask($policyd), 'limit', 'the first of the list may be away');
	$_->stop() for @sentinels;
	is(ask($policyd), 'limit', 'and then all');
	ok($policyd->wait_log(
	    qr/redis-sentinel:\S*\/m cannot be asked: /), 'which is told');
	my $lines = () = $policyd->log() =~ /redis-sentinel\S* cannot be asked/g;
	is($lines, 1, 'once');
	$_->launch() for @sentinels;
	ok($policyd->wait_log(qr/redis-sentinel:\S*\/m\ can\ be\ asked.*\n.*
	    redis-sentinel:\S*\/m\ can\ be\ asked/sx),
	    'they are found when they come back');
	$_->stop() for $master, $old;
	is(ask($policyd), 'failure', 'without a master nothing is counted');
	is($policyd->stop(), '', 'policyd stops cleanly');

	$policyd = policyd(uri_of('other', @sentinels));
	is(ask($policyd), 'failure', 'a master that no sentinel knows');
	like($policyd->log(), qr/cannot be asked: it knows no such master/,
	    'is told');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

done_testing();
