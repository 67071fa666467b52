#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 61-failures-redis.t - Redis breaks under a steady load, on three policyd that
# are to do three things about it: DESIGN section 8. Each request has its one
# answer, in time, of the kind that is configured; then the limits hold again.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(free_port inbound outbound temp_dir wait_until);
use PosternLdif qw(mailbox tenant);
use PosternLoad;
use PosternRedis;
use Test::More;
use Time::HiRes qw(sleep time);

# counters.timeout, and what only a fault takes on a busy machine
my $IN_TIME = 0.2 + 1.8;
my $LIMIT = 10;
my @MODES = qw(local permit defer);
my @RIGHTS = qw(~postern:* +@all);
my $LDIF = tenant('ours.example', Greylist => 'on',
    RateLimit => "few outbound mailbox recipients $LIMIT/1h") .
    mailbox('free@ours.example',
    RateLimit => 'few outbound mailbox recipients 1M/1h');

# What each of the load's three kinds of request gets while all is well
my %WELL = ('full limit' => 1, 'free permit' => 1, 'stranger greylist' => 1);
my %BROKEN = (
	local => { 'full permit' => 1, %WELL, 'stranger permit' => 1 },
	permit => { map { ("$_ permit" => 1) } qw(full free stranger) },
	defer => { 'full counters' => 1, 'free counters' => 1,
	    'stranger permit' => 1 },
);
delete($BROKEN{local}{'stranger greylist'});

sub
redis
{
	my (@options) = @_;

	return PosternRedis->start('--user', 'postern', 'on', '>s3cret',
	    @RIGHTS, @options);
}

# One policyd for each mode, all on that Redis
sub
three
{
	my ($uri) = @_;

	return map { Postern->start(ldif => $LDIF, conf => {
		on_counter_failure => $_, log_level => 'info',
		metrics => 'inet:127.0.0.1:' . free_port(),
		counters => { uri => $uri },
	}) } @MODES;
}

sub
sends
{
	my ($user, $number) = @_;

	return outbound("$user\@ours.example", "x$number\@far.example");
}

# Full, free and strangers, on each policyd
sub
load
{
	my (@three) = @_;

	$three[0]->ask(sends('full', "first$_")) for 1 .. $LIMIT;
	return PosternLoad->start(\@three, sub {
		my ($number) = @_;
		my $turn = int(rand(3));

		return ('full', sends('full', $number)) if $turn == 0;
		return ('free', sends('free', $number)) if $turn == 1;
		return ('stranger', inbound("a\@s$number.example",
		    "b\@ours.example", client_address => join('.', 198, 51,
		    int($number / 250) % 250, $number % 250)));
	}, 3);
}

# So many more requests on each host, and only what may be said to them
sub
says
{
	my ($load, $name, @expected) = @_;
	my $from = $load->more(100);
	my $to = time();

	for my $host (0 .. $#MODES) {
		my %said = map { $_ => 1 }
		    keys(%{$load->verdicts($from, $to, $host)});
		my %may = %{$expected[$host]};

		# what local may let pass may be over already
		$said{'full permit'} = 1 if $may{'full permit'} &&
		    $may{'full limit'};
		is_deeply(\%said, \%may, "$name: $MODES[$host]");
	}
}

sub
well
{
	my ($load, $name) = @_;

	says($load, $name, map { \%WELL } @MODES);
}

# Whom nobody has counted before, on all three
sub
holds
{
	my (@three) = @_;

	return grep { $three[$_ % 3]->ask(sends('fresh', $_)) eq 'DUNNO' }
	    1 .. $LIMIT + 20;
}

sub
ends_well
{
	my ($load, @three) = @_;

	is_deeply($load->stop(), { }, 'each request had its one answer');
	cmp_ok($load->longest(), '<', $IN_TIME, 'in time');
	is(holds(@three), $LIMIT, 'a limit holds again, exactly');
	cmp_ok($_->told(qr/./), '<', 50, 'the log is not filled') for @three;
	is($_->stop(), '', 'policyd stops cleanly') for @three;
}

# What was counted is on disk, and Redis gone by the kernel's hand
sub
save_and_kill
{
	my ($redis) = @_;

	$redis->ask('SAVE');
	$redis->stop();
}

my $CUT = qr/Server closed|reset by peer|Broken pipe/;

# What breaks Redis; what mends it; what is told
my @rows = (
	[ 'gone', \&save_and_kill, sub { $_[0]->launch() },
	    $CUT ],
	[ 'loading', sub {
		my ($redis) = @_;

		$redis->ask('EVAL "for i = 1, 3000 do ' .
		    'redis.call(\'SET\', i, i) end" 0');
		save_and_kill($redis);
		local $redis->{options} = [ @{$redis->{options}},
		    '--key-load-delay', 700,
		    '--loading-process-events-interval-bytes', 1024 ];
		$redis->launch();
		like($redis->ask('PING'), qr/LOADING/, 'it is loading');
	    }, sub { }, $CUT ],
	[ 'silent', sub { $_[0]->signal('STOP') },
	    sub { $_[0]->signal('CONT') }, qr/within counters\.timeout/ ],
	[ 'paused', sub { $_[0]->ask('CLIENT PAUSE 60000 WRITE') },
	    sub { $_[0]->ask('CLIENT UNPAUSE') },
	    qr/within counters\.timeout/ ],
	[ 'out of memory', sub { $_[0]->ask('CONFIG SET maxmemory 1') },
	    sub { $_[0]->ask('CONFIG SET maxmemory 0') }, qr/OOM/ ],
	[ 'a replica', sub { $_[0]->ask('REPLICAOF 127.0.0.1 1') },
	    sub { $_[0]->ask('REPLICAOF NO ONE') }, qr/READONLY|MASTERDOWN/ ],
	[ 'changing the password', sub {
		$_[0]->ask('ACL SETUSER postern resetpass >other');
		$_[0]->ask('CLIENT KILL USER postern');
	    }, sub { $_[0]->ask('ACL SETUSER postern resetpass >s3cret') },
	    $CUT ],
	[ 'taking our rights', sub { $_[0]->ask('ACL SETUSER postern -@all') },
	    sub { $_[0]->ask("ACL SETUSER postern @RIGHTS") }, qr/NOPERM/ ],
	[ 'taking our right to scripts',
	    sub { $_[0]->ask('ACL SETUSER postern -eval -evalsha') },
	    sub { $_[0]->ask("ACL SETUSER postern @RIGHTS") }, qr/NOPERM/ ],
	[ 'without the replicas that it wants',
	    sub { $_[0]->ask('CONFIG SET min-replicas-to-write 1') },
	    sub { $_[0]->ask('CONFIG SET min-replicas-to-write 0') },
	    qr/NOREPLICAS/ ],
	[ 'busy with another script', sub {
		$_[0]->ask('CONFIG SET lua-time-limit 50');
		$_[0]->tell('EVAL "while true do end" 0');
	    }, sub { $_[0]->ask('SCRIPT KILL') },
	    qr/within counters\.timeout|BUSY/ ],
);

for my $row (@rows) {
	my ($name, $break, $mend, $why) = @$row;

	subtest "Redis is $name" => sub {
		my $redis = redis();
		my @three = three($redis->uri('postern:s3cret@'));
		my $load = load(@three);

		well($load, 'before');
		$break->($redis);
		ok($_->wait_log(qr/redis\S* cannot be asked: .*$why/),
		    'it is told') for @three;
		says($load, 'while it is broken', @BROKEN{@MODES});
		is($_->metric('postern_policyd_redis_up'), 0,
		    'a metric tells it') for @three;
		$mend->($redis);
		ok($_->wait_log(qr/redis\S* can be asked/, 2),
		    'it is back by itself') for @three;
		well($load, 'after');
		for my $policyd (@three) {
			is($policyd->told('redis\S* cannot be asked'), 1,
			    'that it was lost is told once');
			is($policyd->told('redis\S* can be asked'), 2,
			    'and that it is back');
			is($policyd->told('gave no answer'), 0,
			    'neither twice');
			is($policyd->metric('postern_policyd_redis_up'), 1,
			    'a metric tells it');
			is($policyd->metric('postern_policyd_redis_lost_total'),
			    1, 'and how often');
		}
		ends_well($load, @three);
		is($load->verdicts(0, time(), 0)->{'full permit'}, $LIMIT,
		    'what was counted here is a limit, too');
	};
}

subtest 'Redis forgets the script' => sub {
	my $redis = redis();
	my @three = three($redis->uri('postern:s3cret@'));
	my $load = load(@three);
	my $from = $load->more(10);

	for (1 .. 20) {
		$redis->ask('SCRIPT FLUSH');
		$load->more(10);
	}
	my $said = $load->verdicts($from, time());
	is_deeply({ map { $_ => 1 } keys(%$said) }, \%WELL, 'nobody sees it');
	is($_->told('cannot be asked'), 0, 'nor is anything told') for @three;
	ends_well($load, @three);
};

subtest 'Redis stutters' => sub {
	my $redis = redis();
	my @three = three($redis->uri('postern:s3cret@'));
	my $load = load(@three);

	for (1 .. 8) {
		$redis->signal('STOP');
		sleep(0.05 + rand(0.3));
		$redis->signal('CONT');
		$load->more(5);
	}
	for my $policyd (@three) {
		ok(wait_until { $policyd->metric('postern_policyd_redis_up')
		    eq '1' }, 'it is back by itself');
		is($policyd->metric('postern_policyd_redis_lost_total'),
		    $policyd->told('redis\S* cannot be asked'),
		    'each loss is told');
	}
	well($load, 'after');
	ends_well($load, @three);
};

subtest 'Redis fails over' => sub {
	my $redis = redis('--port', free_port());
	my $replica = redis('--replicaof', '127.0.0.1', $redis->{options}[-1]);
	my $dir = temp_dir();
	my $moves = sub {	# as an address does
		symlink($_[0]{socket}, "$dir/new") or die $!;
		rename("$dir/new", "$dir/redis") or die $!;
	};

	ok(wait_until { $replica->ask('INFO replication') =~
	    /master_link_status:up/ }, 'there is a replica');
	$moves->($redis);
	my @three = three("redis+unix://postern:s3cret\@$dir/redis");
	my $load = load(@three);
	well($load, 'before');
	like($redis->ask('WAIT 1 5000'), qr/:1/, 'it has what was counted');
	$moves->($replica);
	$redis->stop();
	ok($_->wait_log(qr/redis\S* cannot be asked/), 'it is told') for @three;
	says($load, 'nobody is promoted yet', @BROKEN{@MODES});
	$replica->ask('REPLICAOF NO ONE');
	ok($_->wait_log(qr/redis\S* can be asked/, 2), 'the new one serves')
	    for @three;
	well($load, 'after');
	is($_->told('redis\S* cannot be asked'), 1, 'one loss') for @three;
	ends_well($load, @three);
};

done_testing();
