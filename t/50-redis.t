#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 50-redis.t - counters in a real Redis: the same answers as in memory, one
# limit for two policyd, and what is answered while Redis is broken.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(build free_port inbound outbound wait_until);
use PosternLdif qw(tenant);
use PosternRedis;
use Test::More;
use Time::HiRes qw(sleep time);

my $TIMEOUT = 0.2;
my $SLACK = 0.8;	# for a machine that has other things to do

# On that Redis, and serving
sub
policyd
{
	my ($redis, $ldif, %conf) = @_;
	my $counters = delete($conf{counters}) // {};

	return Postern->start(ldif => $ldif, conf => { %conf,
	    counters => { uri => $redis->uri(), %$counters } });
}

sub
few
{
	my ($count) = @_;

	return tenant('ours.example',
	    RateLimit => "few outbound mailbox recipients $count/1h");
}

sub
sends
{
	return outbound('a@ours.example', 'x' . int(rand(1e9)) .
	    '@far.example');
}

# Asks so often: { beginning of the answer => how many }, and the longest time
sub
steadily
{
	my ($policyd, $count) = @_;
	my ($longest, %answers) = (0);

	for (1 .. $count) {
		my $start = time();
		my $answer = $policyd->ask(sends());

		$answers{$answer =~ /^(\S+)/ ? $1 : ''}++;
		$longest = time() - $start if time() - $start > $longest;
		sleep(0.01);
	}
	return (\%answers, $longest);
}

sub
is_up
{
	my ($policyd) = @_;

	return wait_until {
		my ($up) = $policyd->log() =~ /.*(can be asked|cannot be asked)/s;
		($up // '') eq 'can be asked';
	};
}

subtest 'the same answers as memory: and an exact log' => sub {
	my $redis = PosternRedis->start();

	for my $row (['limits_property', 60, 12],
	    ['greylist_property', 40, 7]) {
		my ($name, $schedules, $properties) = @$row;

		open(my $pipe, '-|', build() . "/t/unit/$name", 3, $schedules,
		    'memory:', $redis->uri()) or die $!;
		my @lines = <$pipe>;
		close($pipe);
		is($?, 0, "$name finds nothing") or diag(@lines);
		is(scalar(grep { /^ok/ } @lines), $properties,
		    'and looked at everything');
	}
	unlike($redis->ask('INFO', 'keyspace'), qr/keys=(\d+),expires=(?!\1,)/,
	    'every key has its time to live');
};

subtest 'two policyd, one limit' => sub {
	my $redis = PosternRedis->start();
	my @both = map { policyd($redis, few(20),
	    counters => { timeout => '5s' }) } 1 .. 2;
	my $passed = grep { $both[$_ % 2]->ask(sends()) eq 'DUNNO' } 1 .. 60;

	is($passed, 20, 'holds exactly');
	is($both[0]->stop(), '', 'one of them stops');
	$both[0]->launch();
	like($both[0]->ask_anew(sends()), qr/^451 4.7.1 ours.example: limit few/,
	    'and knows it when it starts again');
	$redis->ask('SCRIPT', 'FLUSH');
	like($both[1]->ask(sends()), qr/^451/, 'and after SCRIPT FLUSH');
	my ($exit, $said) = $both[0]->policyctl('usage', 'a@ours.example');
	like($said, qr/few.*\b20\b/s, 'policyctl usage tells it');
	($exit, $said) = $both[0]->policyctl('explain',
	    map { "$_->[0]=$_->[1]" } [sender => 'a@ours.example'],
	    [sasl_username => 'a@ours.example'],
	    [recipient => 'x@far.example']);
	like($said, qr/limit few/, 'and so does explain');
	($exit, $said) = $both[0]->policyctl('reset', 'a@ours.example');
	like($said, qr/1 counter forgotten/, 'policyctl reset of a mailbox');
	is($both[1]->ask(sends()), 'DUNNO', 'is one for both');
	$both[1]->ask(sends()) for 1 .. 19;
	like($both[1]->ask(sends()), qr/^451/, 'until it is used again');
	($exit, $said) = $both[0]->policyctl('reset', 'ours.example', 'other');
	like($both[1]->ask(sends()), qr/^451/, 'another limit is another');
	($exit, $said) = $both[0]->policyctl('reset', 'ours.example', 'few');
	like($said, qr/counters forgotten/, 'policyctl reset of a limit');
	is($both[1]->ask(sends()), 'DUNNO', 'is one for both, too');
	($exit, $said) = $both[0]->policyctl('reset', 'ours.example');
	is($both[1]->ask(sends()), 'DUNNO', 'and of a tenant');
	like($both[0]->control('/usage?name=a@ours.example'), qr/"used":1\b/,
	    'and each counts anew');
	is($_->stop(), '', 'stops cleanly') for @both;
};

subtest 'greylisting' => sub {
	my $redis = PosternRedis->start();
	my $policyd = policyd($redis, tenant('ours.example', Greylist => 'on'));
	my @mail = inbound('a@stranger.example', 'b@ours.example');

	like($policyd->ask(@mail), qr/^DEFER_IF_PERMIT/, 'a stranger waits');
	$policyd->advance('4m');
	like($policyd->ask(@mail), qr/^DEFER_IF_PERMIT/, 'and too early, again');
	$policyd->advance('2m');
	is($policyd->ask(@mail), 'DUNNO', 'then passes');
	$policyd->advance('34d');
	is($policyd->ask(@mail), 'DUNNO', 'and is known');
	$policyd->advance('36d');
	like($policyd->ask(@mail), qr/^DEFER_IF_PERMIT/, 'and forgotten');
	for my $n (1 .. 3) {
		my @one = inbound('p@friend.example', "$n\@ours.example");

		$policyd->ask(@one);
		$policyd->advance('6m');
		$policyd->ask(@one);
	}
	is($policyd->ask(inbound('q@friend.example', 'new@ours.example')),
	    'DUNNO', 'who passed three times is promoted');
	$redis->signal('STOP');
	is($policyd->ask(inbound('a@other.example', 'b@ours.example')),
	    'DUNNO', 'when Redis does not answer all pass');
	is($policyd->stop(), '', 'it stops cleanly meanwhile');
};

# What breaks Redis, what mends it, what the log says, what is left of 40 then
my @breaks = (
	[ 'gone', sub { $_[0]->stop() }, sub { $_[0]->launch() },
	    qr/./, 40 ],
	[ 'silent', sub { $_[0]->signal('STOP') },
	    sub { $_[0]->signal('CONT') }, qr/within counters\.timeout/,
	    29 ],	# it charges what it had been asked when it wakes
	[ 'out of memory', sub { $_[0]->ask('CONFIG SET maxmemory 1') },
	    sub { $_[0]->ask('CONFIG SET maxmemory 0') }, qr/OOM/ ],
	[ 'a replica', sub { $_[0]->ask('REPLICAOF 127.0.0.1 1') },
	    sub { $_[0]->ask('REPLICAOF NO ONE') }, qr/READONLY|MASTERDOWN/ ],
	[ 'changing its password',
	    sub { $_[0]->ask("CONFIG SET requirepass other\r\n" .
		'CLIENT KILL TYPE normal') },
	    undef, qr/NOAUTH|closed|reset|lost/ ],
);
my %kinds = (local => 'DUNNO', permit => 'DUNNO', defer => '451');

for my $row (@breaks) {
	my ($name, $break, $mend, $why, $left) = @$row;

	for my $kind ('defer', 'permit', 'local') {
		next if $kind ne 'defer' && $name !~ /gone|silent/;
		subtest "Redis is $name: $kind" => sub {
			my $redis = PosternRedis->start();
			my $policyd = policyd($redis, few(40),
			    on_counter_failure => $kind);
			my ($said, $longest) = steadily($policyd, 10);

			is_deeply($said, { DUNNO => 10 }, 'it counts');
			$break->($redis);
			($said, $longest) = steadily($policyd, 45);
			is_deeply($said, $kind eq 'local' ?
			    { DUNNO => 40, 451 => 5 } : { $kinds{$kind} => 45 },
			    'each request has its answer');
			cmp_ok($longest, '<', $TIMEOUT + $SLACK, 'in time');
			like($policyd->log(), qr/redis\S* cannot be asked: .*$why/,
			    'it is told');
			my $lines = () = $policyd->log() =~
			    /redis\S* cannot be asked/g;
			is($lines, 1, 'once');
			if ($mend) {
				$mend->($redis);
				ok(is_up($policyd), 'it comes back by itself');
				($said) = steadily($policyd, 50);
				is($said->{DUNNO}, $left // 30,
				    'and the limit holds again');
			}
			is($policyd->stop(), '', 'policyd stops cleanly');
		};
	}
}

subtest 'nobody pays for a dead Redis' => sub {
	my $redis = PosternRedis->start();
	my $policyd = policyd($redis, few(10_000));

	$redis->signal('STOP');
	$policyd->ask(sends());
	my $start = time();
	$policyd->ask(sends()) for 1 .. 100;
	cmp_ok(time() - $start, '<', 100 * $TIMEOUT / 4,
	    'one request waits, others do not');
};

subtest 'repeated while Redis has not answered' => sub {
	my $redis = PosternRedis->start();
	my $policyd = policyd($redis, few(20),
	    counters => { timeout => '10s' });
	my @mail = sends();
	my @connections = map { $policyd->connect() } 1 .. 3;

	$redis->signal('STOP');
	$_->send(Postern::Client::request(@mail, instance => 'same')) for @connections;
	$policyd->control('/healthz');	# what was sent is read
	$redis->signal('CONT');
	is($_->receive(), "action=DUNNO\n\n", 'each has its answer')
	    for @connections;
	like($policyd->control('/usage?name=a@ours.example'), qr/"used":1\b/,
	    'and it was charged once');
};

subtest 'by TCP, and not there at start' => sub {
	my $port = free_port();
	my $policyd = Postern->start(ldif => few(3), conf => {
	    metrics => 'inet:127.0.0.1:' . free_port(),
	    counters => { uri => "redis://localhost:$port/2" } });
	my ($said) = steadily($policyd, 5);

	is_deeply($said, { DUNNO => 3, 451 => 2 }, 'counted here meanwhile');
	is($policyd->metric('postern_policyd_redis_up'), 0, 'a metric says so');
	like($policyd->control('/usage?name=a@ours.example'),
	    qr{^HTTP/1\.\d 503 }, 'usage does not guess');
	my $redis = PosternRedis->start('--port', $port);
	ok(is_up($policyd), 'it is found when it comes');
	is($policyd->metric('postern_policyd_redis_up'), 1, 'and the metric says so');
	($said) = steadily($policyd, 5);
	is_deeply($said, { DUNNO => 3, 451 => 2 }, 'and counted there');
	like($redis->ask('INFO keyspace'), qr/db2:keys=/,
	    'in the database that was named');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'passwords' => sub {
	my $redis = PosternRedis->start('--requirepass', 'secret');
	my $dir = Postern::temp_dir();

	Postern::spew("$dir/password", "secret\n");
	Postern::spew("$dir/wrong", "wrong\n");
	my $policyd = policyd($redis, few(1),
	    counters => { password_file => "$dir/password" });
	is($policyd->ask(sends()), 'DUNNO', 'from a file');
	like($policyd->ask(sends()), qr/^451/, 'it counts');
	$policyd = policyd($redis, few(1), on_counter_failure => 'defer',
	    counters => { password_file => "$dir/wrong" });
	like($policyd->ask(sends()), qr/^451 4.7.1 counters cannot be asked/,
	    'a wrong one is no Redis');
	like($policyd->log(), qr/cannot be asked: WRONGPASS/, 'it is told');
	unlike($policyd->log(), qr/"wrong"|=wrong/, 'and not which');
	my $other = PosternRedis->start('--user', qw(postern on >s3cret
	    ~postern:* +set +setrange +get +mget +del +time +select
	    +info +eval +evalsha));
	$policyd = policyd($other, few(1), counters => {
	    uri => $other->uri('postern:s3cret@') });
	is($policyd->ask(sends()), 'DUNNO', 'an ACL user');
	like($policyd->ask(sends()), qr/^451/, 'may do what we need');
	unlike($policyd->control('/check') . $policyd->log(), qr/s3cret/,
	    'and its password is told to nobody');
};

# A CA, a server's certificate by it for 127.0.0.1, and another CA
sub
certificates
{
	my $dir = Postern::temp_dir();
	my $make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2";

	system("cd $dir && exec >/dev/null 2>&1 && " .
	    "$make -subj /CN=ca -keyout ca.key -out ca.pem && " .
	    "$make -subj /CN=other -keyout other.key -out other.pem && " .
	    "openssl req -newkey rsa:2048 -nodes -subj /CN=redis " .
		"-keyout key.pem -out cert.req && " .
	    "echo subjectAltName=IP:127.0.0.1 >names && " .
	    "openssl x509 -req -in cert.req -CA ca.pem -CAkey ca.key " .
		"-days 2 -extfile names -out cert.pem && chmod 644 *.key") == 0
	    or die "openssl does not make certificates\n";
	return $dir;
}

subtest 'TLS' => sub {
	my $port = free_port();
	my $policyd = Postern->new(ldif => few(3),
	    conf => { counters => { uri => "rediss://127.0.0.1:$port" } });
	my $said = `@{[build()]}/policyd/policyd -n -c @{[
	    $policyd->path('policyd.conf')]}`;

	if ($? != 0) {
		is($? >> 8, 1, 'is refused where hiredis has none');
		like($said, qr/counters\.uri.*needs a hiredis with TLS/,
		    'with the reason');
		return;
	}
	my $dir = certificates();
	my $redis = PosternRedis->start('--tls-port', $port,
	    '--tls-auth-clients', 'no', '--tls-cert-file', "$dir/cert.pem",
	    '--tls-key-file', "$dir/key.pem", '--tls-ca-cert-file',
	    "$dir/ca.pem");
	for my $row (
	    ['127.0.0.1', 'ca', qr/^DUNNO/, 'a server that is who it says'],
	    ['127.0.0.1', 'other', qr/^451/, 'a CA that is not ours'],
	    ['localhost', 'ca', qr/^451/, 'a certificate for another host'],
	    ['127.0.0.1', '', qr/^451/, "a CA that is not the system's"]) {
		my ($host, $ca, $want, $name) = @$row;

		$policyd = Postern->start(ldif => few(3), conf => {
		    on_counter_failure => 'defer', counters => {
		    uri => "rediss://$host:$port", timeout => '5s',
		    $ca ? (ca_file => "$dir/$ca.pem") : () } });
		like($policyd->ask(sends()), $want, $name);
		like($policyd->log(), $ca eq 'ca' && $host =~ /^1/ ?
		    qr/rediss:\S+ can be asked/ :
		    qr/rediss:\S+ cannot be asked: .*(certificate|mismatch)/i,
		    'and the log says so');
		is($policyd->stop(), '', 'policyd stops cleanly');
	}
};

subtest 'what should be set otherwise' => sub {
	my $redis = PosternRedis->start('--maxmemory-policy', 'allkeys-lru');
	my $policyd = policyd($redis, few(1));
	my ($exit, $said) = $policyd->policyctl('check');

	like($said, qr/maxmemory-policy\s+is\s+not\s+noeviction/,
	    'policyctl check warns of a Redis that forgets');
	$policyd = policyd(PosternRedis->start(), few(1));
	($exit, $said) = $policyd->policyctl('check');
	unlike($said, qr/maxmemory/, 'and of no other');
};

done_testing();
