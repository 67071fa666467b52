#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 78-memory.t - dkimsign's memory: flat over many messages, and with large ones
# in all sessions at once no more than 1 MiB for each. By hand, as DESIGN has
# it: POSTERN_MESSAGES=100000 POSTERN_SESSIONS=100 POSTERN_MEGABYTES=50.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(is_sanitized slurp temp_dir wait_until);
use PosternLdif qw(dkim_key new_pem tenant);
use PosternSign;
use Test::More;

# smtp-sink takes mail and forgets it, but not as root
plan(skip_all => 'smtp-sink has to be started by root') if $> != 0;

my $MESSAGES = $ENV{POSTERN_MESSAGES} // 2000;
my $SESSIONS = $ENV{POSTERN_SESSIONS} // 20;
my $MEGABYTES = $ENV{POSTERN_MEGABYTES} // 10;
my ($ANNA, $B) = ('anna@client1.example', 'b@x.example');
my $HEAD = "From: $ANNA\r\nSubject: test\r\n\r\n";
my $MIB = 1 << 20;
my $ROOM = is_sanitized() ? 1.5 : 1.25;	# with what malloc takes for itself

# A sanitizer keeps what was freed, to see it used
$ENV{ASAN_OPTIONS} = join(':', $ENV{ASAN_OPTIONS} // (),
    'quarantine_size_mb=1', 'thread_local_quarantine_size_kb=64');

my $dir = temp_dir();
chmod(0777, "$dir");
my $sink = fork() // die "fork: $!\n";
if ($sink == 0) {
	open(STDERR, '>', '/dev/null');	# it tells each connection's end
	exec('smtp-sink', '-u', 'nobody', "unix:$dir/sink", 1000)
	    or POSIX::_exit(127);
}
my $self = $$;
END {
	my $status = $?;

	if ($sink && $self == $$) {
		kill('TERM', $sink);
		waitpid($sink, 0);
	}
	$? = $status;
}
wait_until { -S "$dir/sink" } or die "smtp-sink did not start\n";

my $dkimsign = PosternSign->start(ldif => tenant('client1.example') .
    dkim_key('client1.example', 'r', new_pem('rsa')) .
    dkim_key('client1.example', 'e', new_pem('ed25519')),
    conf => { next_hop => "smtp+unix:$dir/sink", sessions => $SESSIONS,
    log_level => 'info', 'sign' => { verify => 'all' } });

sub
resident
{
	return slurp("/proc/$dkimsign->{pid}/status") =~ /^VmRSS:\s+(\d+)/m
	    ? $1 * 1024 : die "dkimsign is not there\n";
}

sub
mib
{
	return sprintf('%.1f MiB', $_[0] / $MIB);
}

# So many, a large one among them now and then; how many were taken
sub
send_many
{
	my ($count) = @_;
	my $line = 'x' x 70 . "\r\n";
	my $taken = 0;
	my $lmtp;

	for my $number (1 .. $count) {
		my $lines = $number % 250 == 1 ? 20000 : $number % 60;

		$lmtp = $dkimsign->lmtp()->lhlo() if $number % 100 == 1;
		$lmtp->send("MAIL FROM:<$ANNA>\r\nRCPT TO:<$B>\r\nDATA\r\n");
		$lmtp->reply() for 1 .. 3;
		$lmtp->text($HEAD . $line x $lines);
		$taken += $lmtp->reply() =~ /^250 /;
	}
	return $taken;
}

is(send_many(500), 500, 'some messages, that all is there that stays');
my $before = resident();
is(send_many($MESSAGES), $MESSAGES, "$MESSAGES more");
my $after = resident();
diag("$MESSAGES messages: from " . mib($before) . ' to ' . mib($after));
cmp_ok($after - $before, '<', 2 * $MIB, 'memory is flat');

# All that is to be signed is there, and no message is at its end
my @sessions = map { $dkimsign->lmtp()->lhlo() } 1 .. $SESSIONS;
my $piece = ('y' x 510 . "\r\n") x 128;
for (@sessions) {
	$_->envelope($ANNA, [$B]);
	$_->say('DATA');
	$_->send($HEAD);
}
for (1 .. $MEGABYTES * 16) {
	$_->send($piece) for @sessions;
}
my $open = resident();
diag("$SESSIONS sessions with $MEGABYTES MB each: " . mib($open));
cmp_ok($open - $after, '<', ($SESSIONS + 4) * $ROOM * $MIB,
    'what is over 1 MiB is not in memory');
$_->send(".\r\n") for @sessions;
$_->more(240) for @sessions;
my @replies = map { $_->reply() } @sessions;
is(scalar(grep { /^250 / } @replies), $SESSIONS, 'all of them are sent')
    or diag($replies[0]);
my $high = slurp("/proc/$dkimsign->{pid}/status") =~ /^VmHWM:\s+(\d+)/m
    ? $1 * 1024 : 0;
diag('at most ' . mib($high));
cmp_ok($high - $after, '<', ($SESSIONS + 4) * 1.5 * $MIB,
    'nor when they are signed, verified and sent');
undef(@sessions);
SKIP: {
	skip('the sanitizer keeps what is freed', 1) if is_sanitized();
	ok(wait_until { resident() - $after < $SESSIONS * 0.5 * $MIB },
	    'it goes back when they go') or diag(mib(resident()));
}
is($dkimsign->stop(), '', 'dkimsign stops cleanly');

done_testing();
