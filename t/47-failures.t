#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 47-failures.t - what fails around policyd, and what it does then: DESIGN
# section 8, as far as no other file has it. And what an operator sees of it.
use strict;
use warnings;

use Fcntl qw(S_IMODE);
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use POSIX qw(sysconf _SC_CLK_TCK _SC_OPEN_MAX);
use Postern qw(build free_port inbound is_sanitized outbound slurp wait_until);
use PosternDirectory qw(soon);
use PosternLdif qw(tenant);
use Test::More;
use Time::HiRes qw(sleep time);

my $IDLE = 2000;

# Room for that many descriptors here and in the daemon
if (sysconf(_SC_OPEN_MAX) < $IDLE + 100 && !$ENV{POSTERN_HAS_ROOM}) {
	$ENV{POSTERN_HAS_ROOM} = 1;
	exec('sh', '-c', 'ulimit -n 4096; exec "$@"', 'sh', $^X, $0);
}

my $IS_SANITIZED = is_sanitized();
my @LIMIT = (RateLimit => 'few outbound mailbox recipients 3/1h');
my $LDIF = tenant('ours.example', @LIMIT);
my @PASSES = inbound('a@stranger.example', 'b@ours.example');

sub
cpu_secs
{
	my ($policyd) = @_;
	my @fields = split(/ /, slurp("/proc/$policyd->{pid}/stat")
	    =~ s/.*\) //r);

	return ($fields[11] + $fields[12]) / sysconf(_SC_CLK_TCK);
}

# What a port of HTTP answers: (status, body)
sub
http
{
	my ($port, $method, $path) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
	    PeerPort => $port) or return (0, '');

	print $socket "$method $path HTTP/1.0\r\nContent-Length: 0\r\n\r\n";
	local $/;
	my $answer = <$socket> // '';

	return $answer =~ m{\AHTTP/1\.\d (\d+) .*?\r\n\r\n(.*)\z}s;
}

subtest 'SIGKILL at any moment' => sub {
	my $policyd = Postern->start(ldif => $LDIF);
	my $client = $policyd->connect();

	is($client->ask(@PASSES), 'DUNNO', 'it served');
	$client->send(substr(Postern::Client::request(@PASSES), 0, 99));
	$policyd->kill_hard();
	is($client->receive(), '', 'Postfix sees a close, and no answer');
	ok(-e $policyd->path('policy'), 'its socket is left behind');
	$policyd->launch();
	is($policyd->ask_anew(@PASSES), 'DUNNO',
	    'a new one takes the socket over and serves');
	is($policyd->stop(), '', 'and stops cleanly');
	ok(!-e $policyd->path('policy'), 'and leaves no socket behind');
};

subtest 'two at once' => sub {
	my $policyd = Postern->start(ldif => $LDIF);
	my $pid = $policyd->{pid};
	my $second = fork() // die "fork: $!\n";

	if ($second == 0) {
		open(STDERR, '>', $policyd->path('second'));
		exec(build() . '/policyd/policyd', '-c',
		    $policyd->path('policyd.conf')) or POSIX::_exit(127);
	}
	waitpid($second, 0);
	is($? >> 8, 1, 'the second does not start');
	like(slurp($policyd->path('second')),
	    qr/fatal: .*another server answers there/, 'and says why');
	is($policyd->ask(@PASSES), 'DUNNO', 'the first serves on');
};

subtest 'SIGTERM' => sub {
	my $policyd = Postern->start(ldif => $LDIF);
	my @clients = map { $policyd->connect() } 1 .. 100;
	my $start = time();

	$_->ask(@PASSES) for @clients;
	is($policyd->stop(), '', 'ends it cleanly');
	cmp_ok(time() - $start, '<', 5, 'and soon, whoever is connected');
	is(scalar(grep { $_->receive() eq '' } @clients), 100,
	    'its clients see a close');
};

subtest "$IDLE idle connections" => sub {
	my $policyd = Postern->start(ldif => $LDIF);
	my $before = $policyd->rss_kib();
	my @clients = map { $policyd->connect() } 1 .. $IDLE;

	is(scalar(grep { $_->ask(@PASSES) eq 'DUNNO' } @clients), $IDLE,
	    'each was served');
	like($policyd->control('/check'), qr/"connections":\s*$IDLE\b/,
	    'each is open');
	SKIP: {
		skip('the sanitizer needs memory', 2) if $IS_SANITIZED;
		cmp_ok(($policyd->rss_kib() - $before) / $IDLE, '<', 4,
		    'each takes less than 4 KiB');
		cmp_ok($policyd->rss_kib(), '<', 30 * 1024,
		    'policyd has less than 30 MiB');
	}
	my $cpu = cpu_secs($policyd);
	sleep(0.5);
	cmp_ok(cpu_secs($policyd) - $cpu, '<', 0.1, 'and no work');
	undef(@clients);
	soon { $policyd->control('/check') =~ /"connections":\s*0\b/ }
	    'and none is left when they are gone';
};

subtest 'clients that begin and never end' => sub {
	my $policyd = Postern->start(ldif => $LDIF);
	my $half = substr(Postern::Client::request(@PASSES,
	    tls_sni => 'x' x 60_000), 0, -2);
	my @clients = map { $policyd->connect() } 1 .. 1300;

	$_->send($half) for @clients;
	soon { $policyd->log() =~ /too many begun requests/ }
	    'what they hold is bounded, and it is told';
	is($policyd->ask(@PASSES), 'DUNNO', 'others are served');
	SKIP: {
		skip('the sanitizer needs memory', 1) if $IS_SANITIZED;
		cmp_ok($policyd->rss_kib(), '<', 96 * 1024,
		    'policyd has less than 96 MiB');
	}
	$clients[0]->send("\n\n");
	is($clients[0]->receive(), "action=DUNNO\n\n",
	    'who was there first may still end');
	undef(@clients);
	soon { $policyd->control('/check') =~ /"connections":\s*1\b/ }
	    'and all is as before when they are gone';
};

subtest 'a storm of garbage' => sub {
	my $policyd = Postern->start(ldif => $LDIF);
	my $closed = 0;

	for (1 .. 500) {
		my $client = $policyd->connect();

		$client->send("EHLO policyd\n\n");
		$closed++ if $client->receive() eq '';
	}
	is($closed, 500, 'each is closed without an answer');
	my $lines = () = $policyd->log() =~ /malformed request/g;
	cmp_ok($lines, '>=', 1, 'it is told');
	cmp_ok($lines, '<=', 20, 'and does not fill the log');
	is($policyd->ask(@PASSES), 'DUNNO', 'others are served');
};

subtest 'a slow client' => sub {
	my $policyd = Postern->start(ldif => $LDIF);
	my ($slow, $other) = map { $policyd->connect() } 1 .. 2;
	my @bytes = split(//, Postern::Client::request(@PASSES));
	my $served = 0;

	for my $byte (@bytes) {
		$slow->send($byte);
		$served++ if $other->ask(@PASSES) eq 'DUNNO';
	}
	is($served, scalar(@bytes), 'does not hold up another one');
	is($slow->receive(), "action=DUNNO\n\n", 'and has its answer');
};

subtest 'descriptors are short' => sub {
	my $policyd = Postern->start(ldif => $LDIF);
	my $kept = $policyd->connect();
	my $cpu = cpu_secs($policyd);

	is($kept->ask(@PASSES), 'DUNNO', 'a connection');
	is(system('prlimit', '--pid', $policyd->{pid}, '--nofile=40:40'), 0,
	    'no more than 40 from now on');
	my @clients = map { $policyd->connect() } 1 .. 60;
	$_->send(Postern::Client::request(@PASSES)) for @clients;
	ok($policyd->wait_log(qr/warning: cannot accept: Too many open files/),
	    'it is told');
	my @served = grep { !$_->is_silent(0) } @clients;
	my @waiting = grep { $_->is_silent(0) } @clients;

	cmp_ok(scalar(@served), '>', 10, 'some are served');
	cmp_ok(scalar(@waiting), '>', 10, 'others wait, and are not closed');
	is($kept->ask(@PASSES), 'DUNNO', 'who was there is served on');
	$policyd->write_ldif($LDIF . tenant('more.example'));
	sleep(1);
	is($kept->ask(@PASSES), 'DUNNO', 'the last snapshot serves on');
	cmp_ok(cpu_secs($policyd) - $cpu, '<', 0.5, 'it does not spin');
	undef(@served);
	@clients = ();
	my ($answered, $waited) = (0, scalar(@waiting));
	while (my $client = shift(@waiting)) {
		$answered++ if ($client->receive() // '') eq
		    "action=DUNNO\n\n";
	}
	is($answered, $waited, 'who waited is served later');
	soon { $kept->ask(inbound('a@stranger.example', 'b@more.example'))
	    eq 'DUNNO' } 'and the directory is read later';
};

subtest 'started by root' => sub {
	plan(skip_all => 'only root can become someone else') if $> != 0;

	my ($uid, $gid) = (getpwnam('nobody'))[2, 3];
	my $mail = getgrnam('mail');
	my $groups = $);
	my $group = getgrgid($gid);
	my %conf = (user => 'nobody', group => $group, listen_mode => '0620',
	    listen_group => 'mail');
	$) = "0 0 $mail";	# as root's may be
	my $policyd = Postern->start(ldif => $LDIF, conf => \%conf);
	$) = $groups;
	my @socket = stat($policyd->path('policy'));
	my @control = stat($policyd->path('control'));

	is($policyd->proc_status('Uid'), join("\t", ($uid) x 4),
	    'it runs as its user');
	is($policyd->proc_status('Gid'), join("\t", ($gid) x 4),
	    'and its group');
	unlike($policyd->proc_status('Groups'), qr/\b(0|$mail)\b/,
	    'without root\'s groups');
	is(hex($policyd->proc_status($_)), 0, "and without rights: $_")
	    for qw(CapEff CapPrm CapAmb);
	is(sprintf('%04o', S_IMODE($socket[2])), '0620',
	    'its socket has listen_mode');
	is($socket[5], $mail, 'and listen_group');
	is(sprintf('%04o', S_IMODE($control[2])), '0660',
	    'the control socket is not for all');
	is($control[5], $gid, 'but for its group');
	is($policyd->ask(@PASSES), 'DUNNO', 'it serves');
	$policyd->write_ldif($LDIF . tenant('more.example'));
	soon { $policyd->ask(inbound('a@stranger.example', 'b@more.example'))
	    eq 'DUNNO' } 'and reads the directory';
	$policyd->reload();
	ok($policyd->wait_log(qr/reloaded conf=/), 'and its configuration');
	is($policyd->stop(), '', 'and stops cleanly');
	$policyd->launch();
	is($policyd->ask_anew(@PASSES), 'DUNNO',
	    'and starts again where it was');
	is($policyd->stop(), '', 'and stops again');

	my @refused = (
		[ 'a user that is not there', qr/no such user/,
		    user => 'no-such-user' ],
		[ 'a group that is not there', qr/no such group|find group/,
		    group => 'no-such-group' ],
		[ 'root', qr/must not be root/, user => 'root' ],
		[ 'a listen_group that is not there', qr/no-such-group/,
		    listen_group => 'no-such-group' ],
	);
	for my $row (@refused) {
		my ($name, $reason, %wrong) = @$row;
		my $refused = Postern->new(ldif => $LDIF,
		    conf => { %conf, %wrong });

		$refused->spawn();
		wait_until { !$refused->is_running() };
		is($refused->{status} >> 8, 1, "it does not start as $name");
		like($refused->log(), qr/fatal: .*$reason/,
		    "$name: and says why");
	}
};

subtest 'metrics and healthz' => sub {
	my $port = free_port();
	my $policyd = Postern->new(conf => { metrics => "inet:127.0.0.1:$port",
	    counters => { max_records => 1000 } });
	my $verdicts = 'postern_policyd_requests_total{verdict=';

	unlink($policyd->path('directory.ldif'));
	$policyd->launch();
	is_deeply([ http($port, 'GET', '/healthz') ],
	    [ 503, "no directory yet\n" ], 'without a directory not healthy');
	$policyd->write_ldif($LDIF . tenant('bad.example',
	    Status => 'asleep', Greylist => 'on'));
	soon { (http($port, 'GET', '/healthz'))[0] == 200 }
	    'with a directory healthy';
	is($policyd->metric('postern_policyd_tenants'), 2, 'tenants');
	is($policyd->metric('postern_policyd_directory_errors'), 1, 'bad values');
	$policyd->ask(@PASSES) for 1 .. 5;
	$policyd->ask(inbound('a@stranger.example', 'b@bad.example'));
	$policyd->ask(inbound('a@stranger.example', 'b@foreign.example'));
	$policyd->ask(outbound('a@ours.example', "$_\@far.example"))
	    for 1 .. 4;
	$policyd->connect()->ask(request => 'junk');
	is($policyd->metric("$verdicts\"permit\"}"), 8, 'permitted');
	is($policyd->metric("$verdicts\"greylist\"}"), 1, 'greylisted');
	is($policyd->metric("$verdicts\"reject\"}"), 1, 'rejected');
	is($policyd->metric("$verdicts\"defer\"}"), 1, 'deferred');
	is($policyd->metric('postern_policyd_malformed_total'), 1, 'malformed');
	is($policyd->metric('postern_policyd_connections'), 1, 'connections');
	is($policyd->metric('postern_policyd_records'), 2,
	    'records: a limit, and a stranger');

	my ($status, $text) = http($port, 'GET', '/metrics');
	my @odd = grep { !/^# (HELP|TYPE) postern_policyd_\w+ \S.*$/ &&
	    !/^postern_policyd_\w+(\{\w+="\w+"\})? \d+$/ } split(/\n/, $text);
	my %count;

	is_deeply(\@odd, [], 'every line is what Prometheus reads');
	$count{$_}++ for $text =~ /^# (?:HELP|TYPE) \w+/mg;
	is(scalar(grep { $_ > 1 } values(%count)), 0,
	    'and told of once only');
	is((http($port, 'POST', '/metrics'))[0], 405, 'it is read-only');
	is((http($port, 'POST', '/reset?name=ours.example'))[0], 404,
	    'what changes something is not there');
	is((http($port, 'GET', '/show?name=ours.example'))[0], 404,
	    'nor what tells of a tenant');
	print {IO::Socket::INET->new(PeerAddr => '127.0.0.1',
	    PeerPort => $port)} "\xff\0garbage\r\n\r\n";
	is($policyd->ask(@PASSES), 'DUNNO', 'garbage there does no harm');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

# The fields of a line that tells of a verdict, in their order
my @FIELDS = qw(verdict rule dir tenant state queue_id client login sender
    recipient count dn);

subtest 'nobody forges a line of the log' => sub {
	my $policyd = Postern->start(ldif => $LDIF);
	my %foreign = (
		'a blank' => 'a verdict=permit@x.example',
		'a carriage return' => "a\rpolicyd: i1: verdict=permit\@x.example",
		'a tab' => "a\tverdict=permit\@x.example",
		'a vertical tab and a form feed' => "a\x0b\x0cb\@x.example",
		'a terminal\'s escape' => "a\e[2J\e[1;1H\@x.example",
		'DEL' => "a\x7f\@x.example",
		'8-bit bytes' => "m\xfcller\@x.example",
		'UTF-8' => "m\xc3\xbcller\@x.example",
		'C1 and a UTF-8 line separator' =>
		    "a\x85b\x9bc\xe2\x80\xa8d\@x.example",
		'a quote and a backslash' => '"a\\" b"@x.example',
		'a format' => '%s%n%1000d@x.example',
		'20,000 bytes' => 'a ' x 10_000 . '@x.example',
		'what looks escaped' => '\\x20@x.example',
	);

	for my $name (sort(keys(%foreign))) {
		my $text = $foreign{$name};
		my $from = length($policyd->log());

		$policyd->ask(inbound($text, "$text"));
		my $log = substr($policyd->log(), $from);
		my $lines = () = $log =~ /\n/g;
		my @names = $log =~ /(?:^| )(\w+)=/g;

		is($lines, 1, "$name: one line");
		unlike($log, qr/[^ -~\n]/, "$name: printable");
		is_deeply(\@names, \@FIELDS, "$name: the fields that we wrote")
		    or diag($log);
		my $said = substr($text, 0, 256) =~
		    s/([^!-~]|["\\])/sprintf('\\x%02X', ord($1))/ger;

		like($log, qr/ sender=<\Q$said\E/, "$name: what was said");
	}
	for my $attribute (qw(sasl_username client_name client_address
	    queue_id instance)) {
		my $from = length($policyd->log());

		$policyd->ask(inbound('a@x.example', 'b@x.example',
		    $attribute => "x verdict=permit\r\xff\"]>"));
		my $log = substr($policyd->log(), $from);
		my @names = $log =~ /(?:^| )(\w+)=/g;

		is_deeply(\@names, \@FIELDS, "$attribute: nor there")
		    or diag($log);
		like($log, qr/x\\x20verdict=permit\\x0D\\xFF\\x22\]>/,
		    "$attribute: and it can be read what was said");
	}
};

done_testing();
