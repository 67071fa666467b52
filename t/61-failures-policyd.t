#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 61-failures-policyd.t - policyd itself is killed, stopped, or short of
# descriptors, and others misuse it, under a steady load: DESIGN section 8.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(free_port inbound is_sanitized outbound wait_until);
use PosternLdif qw(mailbox tenant);
use PosternLoad;
use PosternRedis;
use PosternSlapd;
use Test::More;
use Time::HiRes qw(sleep time);

my $IN_TIME = 2;	# only a fault takes longer on a busy machine
my $LIMIT = 10;
my $LDIF = tenant('ours.example',
    RateLimit => "few outbound mailbox recipients $LIMIT/1h") .
    mailbox('free@ours.example',
    RateLimit => 'few outbound mailbox recipients 1M/1h') .
    mailbox('tight@ours.example',
    RateLimit => 'few outbound mailbox recipients 150/1h');
my %WELL = ('full limit' => 1, 'free permit' => 1);

sub
sends
{
	my ($user, $number) = @_;

	return outbound("$user\@ours.example", "x$number\@far.example");
}

# On the same Redis, in whose stead each counts by itself
sub
hosts
{
	my ($redis, $count, %conf) = @_;

	return map { Postern->start(ldif => $LDIF, conf => {
		log_level => 'info', counters => { uri => $redis->uri() },
		metrics => 'inet:127.0.0.1:' . free_port(), %conf })
	} 1 .. $count;
}

# Mailboxes in turn, one of which may send no more
sub
load
{
	my ($policyds, $connections, @users) = @_;

	$policyds->[0]->ask(sends('full', "first$_")) for 1 .. $LIMIT;
	return PosternLoad->start($policyds, sub {
		my ($number) = @_;
		my $user = $users[rand(@users)];

		return ($user, sends($user, $number));
	}, $connections);
}

sub
says
{
	my ($load, $expected, $name, $from, $host) = @_;
	my $begin = $load->more(100);
	my $said = $load->verdicts($from // $begin, time(), $host);

	is_deeply({ map { $_ => 1 } keys(%$said) }, $expected, $name);
}

sub
used
{
	my ($policyd, $user) = @_;

	return ($policyd->policyctl('usage', "$user\@ours.example"))[1] =~
	    /few.*\s(\d+)\s/ ? $1 : '';
}

sub
ends_well
{
	my ($load, @policyds) = @_;

	is_deeply($load->stop(), { }, 'each request had its one answer');
	cmp_ok($load->longest(), '<', $IN_TIME, 'in time');
	is($_->stop(), '', 'policyd stops cleanly') for @policyds;
}

my %ends = (SIGKILL => 'kill_hard', SIGTERM => 'stop');

for my $signal (sort(keys(%ends))) {
	subtest "$signal at any moment" => sub {
		my @both = hosts(PosternRedis->start(), 2);
		my $load = load(\@both, 4, qw(full free tight));
		my $end = $ends{$signal};

		for (1 .. 6) {
			$load->more(1 + int(rand(30)));
			$both[0]->$end();
			$both[0]->launch();
		}
		$load->more(300);	# enough for what is tight
		my $odd = $load->stop();
		my $passed = $load->verdicts(0, time());

		is_deeply([ grep { !/ closed$/ } keys(%$odd) ], [],
		    'each had its answer, some of the next one');
		is_deeply([ grep { / closed$/ } keys(%{
		    $load->verdicts(0, time(), 1)}) ], [],
		    'the other host closed nothing');
		is($passed->{'full permit'}, undef, 'nothing slips through');
		for my $user (qw(free tight)) {
			my $charged = used($both[1], $user);
			my $said = $passed->{"$user permit"};

			cmp_ok($charged, '>=', $said, "$user: all is charged");
			cmp_ok($charged - $said, '<=', $passed->{
			    "$user closed"} // 0,
			    'and twice at most what was in flight');
		}
		is(used($both[0], 'tight'), 150, 'a limit is used up');
		cmp_ok($load->longest(), '<', $IN_TIME, 'in time');
		is($_->stop(), '', 'policyd stops cleanly') for @both;
	};
}

subtest 'SIGTERM while Redis is silent' => sub {
	my $redis = PosternRedis->start();
	my @both = hosts($redis, 2);
	my $load = load(\@both, 4, qw(full free));

	$load->more(20);
	$redis->signal('STOP');
	sleep(0.05);	# so that some wait for it
	my $start = time();
	is($both[0]->stop(), '', 'policyd stops cleanly');
	cmp_ok(time() - $start, '<', $IN_TIME, 'and soon');
	$redis->signal('CONT');
	$both[0]->launch();
	ok(wait_until { $_->metric('postern_policyd_redis_up') eq '1' },
	    'Redis is back') for @both;
	says($load, \%WELL, 'all is well again');
	my @odd = keys(%{$load->stop()});
	is(scalar(grep { !/ closed$/ } @odd), 0,
	    'each request had its one answer, some of the next one');
	is($_->stop(), '', 'policyd stops cleanly') for @both;
};

subtest 'SIGSTOP for a while' => sub {
	my @both = hosts(PosternRedis->start(), 2);
	my $load = load(\@both, 4, qw(full free));

	$load->more(20);
	kill('STOP', $both[0]{pid});
	sleep(0.5);	# longer than counters.timeout
	kill('CONT', $both[0]{pid});
	says($load, \%WELL, 'nobody loses by it', 0);
	is($both[0]->metric('postern_policyd_redis_lost_total'), 0,
	    'what had been answered meanwhile counts');
	ends_well($load, @both);
};

# Each misuses its connection in its own way, and goes on
my %misuses = (
	garbage => sub { $_[0]->send(pack('C*', map { int(rand(256)) }
	    1 .. 500) . "\n\n") },
	oversized => sub { $_[0]->send('helo_name=' . 'x' x 70_000) },
	half => sub { $_[0]->send("request=smtpd_access_policy\nsender=" .
	    'x' x 30_000) },
	slow => sub { $_[0]->send(substr(Postern::Client::request(), $_, 1))
	    for 0 .. 20 },
	silent => sub { },
	# asks and asks, and never reads an answer
	deaf => sub {
		my ($client) = @_;

		$client->{socket}->blocking(0);
		syswrite($client->{socket}, Postern::Client::request(
		    inbound('a@stranger.example', 'b@foreign.example')))
		    or last for 1 .. 500;
	},
);

subtest 'others misuse it' => sub {
	my ($policyd) = hosts(PosternRedis->start(), 1);
	my $load = load([ $policyd ], 4, qw(full free));
	my $from = $load->more(100);
	my $before = $policyd->rss_kib();
	my $connections = 'postern_policyd_connections';
	my $ours = $policyd->metric($connections);

	for (1 .. 3) {
		my @clients;

		for my $misuse (values(%misuses)) {
			for (1 .. 25) {
				push(@clients, $policyd->connect());
				$misuse->($clients[-1]);
			}
		}
		$load->more(50);
		ok(wait_until { $policyd->metric($connections) <=
		    $ours + 25 * 4 }, 'who talks nonsense is closed');
	}
	ok(wait_until { $policyd->metric($connections) == $ours },
	    'who goes has gone');
	says($load, \%WELL, 'the load feels nothing', $from);
	SKIP: {
		skip('the sanitizer needs memory', 1) if is_sanitized();
		cmp_ok($policyd->rss_kib() - $before, '<', 8192,
		    'and memory is bounded');
	}
	cmp_ok($policyd->told(qr/malformed/), '>', 0, 'it is told');
	cmp_ok($policyd->told(qr/malformed/), '<', 40, 'and not too often');
	ends_well($load, $policyd);
};

subtest 'descriptors are short, and Redis and slapd are lost' => sub {
	my $redis = PosternRedis->start();
	my $slapd = PosternSlapd->start(syncprov => 1);
	$slapd->add($LDIF);
	my ($policyd) = hosts($redis, 1, on_counter_failure => 'defer',
	    directory => $slapd->settings());
	my $load = load([ $policyd ], 4, qw(full free));
	my $few = sub { system('prlimit', '--pid', $policyd->{pid},
	    "--nofile=$_[0]:") == 0 };

	says($load, \%WELL, 'before');
	ok($few->(4), 'no new descriptor from now on');
	$redis->ask('CLIENT KILL TYPE normal');
	$slapd->stop('KILL');
	$slapd->launch();
	ok($policyd->wait_log(qr/redis\S* cannot be asked/),
	    'that Redis is lost is told');
	ok($policyd->wait_log(qr/last snapshot serves/), 'and slapd');
	my $waiting = $policyd->connect();
	$waiting->send(Postern::Client::request(sends('fresh', 1)));
	ok($policyd->wait_log(qr/cannot accept/), 'nor is anyone accepted');
	says($load, { 'full counters' => 1, 'free counters' => 1 },
	    'who is connected has an answer');
	ok($few->(1024), 'there are some again');
	ok($policyd->wait_log(qr/redis\S* can be asked/, 2), 'Redis is back');
	ok($policyd->wait_log(qr/can be read again/), 'and slapd');
	is($waiting->receive(), "action=DUNNO\n\n", 'who waited is answered')
	    or diag($policyd->log() =~ s/^.*verdict=.*\n//mgr);
	says($load, \%WELL, 'after');
	is($policyd->told(qr/redis\S* cannot be asked/), 1,
	    'one line told of it');
	ends_well($load, $policyd);
};

subtest 'the disk is full that the log is on' => sub {
	my ($policyd) = hosts(PosternRedis->start(), 1);

	is($policyd->stop(), '', 'policyd stops cleanly');
	unlink($policyd->path('log'));
	symlink('/dev/full', $policyd->path('log')) or die $!;
	$policyd->launch();
	my $load = load([ $policyd ], 4, qw(full free));

	says($load, \%WELL, 'it answers as ever');
	unlink($policyd->path('log'));
	ends_well($load, $policyd);
};

done_testing();
