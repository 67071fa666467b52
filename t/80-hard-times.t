#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 80-hard-times.t - dkimsign without room on the disk, without descriptors, and
# with clients that talk nonsense: who can be served is, the others come later,
# and no message is lost.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use Postern qw(slurp temp_dir);
use PosternHop;
use PosternLdif qw(dkim_key new_pem tenant);
use PosternSign;
use Test::More;

my ($ANNA, $B) = ('anna@client1.example', 'b@x.example');
my $TEXT = "From: $ANNA\r\nSubject: test\r\n\r\nHello\r\n";
my $LINE = 'x' x 510 . "\r\n";
my $MIB = 1 << 20;
my $OK = qr/^250 2\.0\.0 /;
my $hop = PosternHop->start(unix => 1);
my $spool = temp_dir();

# A disk that is soon full
my $is_small = $> == 0 && system("mount -t tmpfs -o size=3m postern $spool " .
    '2>/dev/null') == 0;
END {
	my $status = $?;

	system("umount -l $spool") if $is_small;
	$? = $status;
}
my $dkimsign = PosternSign->start(ldif => tenant('client1.example') .
    dkim_key('client1.example', 'e', new_pem('ed25519')),
    conf => { next_hop => $hop->uri(), spool_dir => "$spool" });

# The reply to one message, in a session of its own or in this one
sub
reply_to
{
	my ($text, $lmtp) = @_;

	$lmtp //= $dkimsign->lmtp()->lhlo();
	return ($lmtp->send_mail($ANNA, [$B], $text))[1] // 'no answer';
}

SKIP: {
	skip('no file system can be mounted', 8) if !$is_small;
	my $lmtp = $dkimsign->lmtp()->lhlo();
	my $other = $dkimsign->lmtp()->lhlo();
	my $mails = $hop->delivered();

	like(reply_to($TEXT . $LINE x 6000, $lmtp), $OK, 'what fits is sent');
	$other->envelope($ANNA, [$B]);
	$other->say('DATA');
	$other->send($TEXT . $LINE x 5000);
	like(reply_to($TEXT . $LINE x 6000, $lmtp), qr/^452 4\.3\.1 /,
	    'what does not fit any more is deferred');
	like(reply_to($TEXT, $lmtp), $OK, 'small ones go on');
	$other->send(".\r\n");
	like($other->reply(), $OK, 'so do large ones that had their room');
	like(reply_to($TEXT . $LINE x 6000, $lmtp), $OK,
	    'and there is room again');
	like(reply_to($TEXT . $LINE x 20000, $lmtp), qr/^452 4\.3\.1 /,
	    'what can never fit is deferred');
	is($hop->delivered() - $mails, 4, 'what was answered so is delivered');
	is(scalar(grep { length($_->{text}) < 500 } $hop->delivered()), 1,
	    'nothing is half');
}

# -- descriptors

sub
limit_files
{
	my ($count) = @_;

	system('prlimit', '--pid', $dkimsign->{pid}, "--nofile=$count:") == 0
	    or die "prlimit\n";
}

sub
open_files
{
	my @files = glob("/proc/$dkimsign->{pid}/fd/*");

	return scalar(@files);
}

my @kept = map { $dkimsign->lmtp()->lhlo() } 1 .. 3;
my ($soft) = slurp("/proc/$dkimsign->{pid}/limits") =~
    /^Max open files\s+(\d+)/m;
like(reply_to($TEXT, $kept[0]), $OK, 'before: a message is sent');
limit_files(open_files() + 1);
my @clients = map { IO::Socket::UNIX->new(
    Peer => $dkimsign->{listen} =~ s/^unix://r) } 1 .. 5;
ok($dkimsign->wait_log(qr/warning: .*Too many open files/),
    'without descriptors it says so');
like(reply_to($TEXT, $kept[1]), $OK, 'sessions that there are go on');
like(reply_to($TEXT . $LINE x 4000, $kept[2]), qr/^4\d\d 4\./,
    'what would need one more is deferred');
limit_files($soft);
is(scalar(grep { readline($_) eq "220 dkimsign LMTP\r\n" } @clients), 5,
    'who waited is served when there are some again');
like(reply_to($TEXT . $LINE x 4000), $OK, 'and large mail goes');
undef(@clients);
undef(@kept);

# -- nonsense

sub
resident
{
	return slurp("/proc/$dkimsign->{pid}/status") =~ /^VmRSS:\s+(\d+)/m
	    ? $1 * 1024 : die "dkimsign is not there\n";
}

srand(4);
my $bytes = join('', map { chr(rand(256)) } 1 .. 200000);
my @lines = map { substr($bytes, rand(100000), rand(300)) =~
    s/[\r\n]//gr . "\r\n" } 1 .. 200;
my @verbs = ("LHLO x\r\n", "MAIL FROM:<$ANNA>\r\n", "RCPT TO:<$B>\r\n",
    "DATA\r\n", "RSET\r\n", "XFORWARD NAME=x\r\n", "\r\n.\r\n", "\r\n");
my $mails = $hop->delivered();
my $before = resident();

# Sends it and reads what comes; gone when the other end does not listen
sub
talk
{
	my ($text) = @_;
	my $lmtp = $dkimsign->lmtp();

	$lmtp->{socket}->timeout(5);
	$lmtp->send($text);
	shutdown($lmtp->{socket}, 1);
	$lmtp->is_closed();
}

talk($bytes);
talk("LHLO x\r\nMAIL FROM:<$ANNA>\r\nRCPT TO:<$B>\r\nDATA\r\n$bytes");
talk(join('', map { $verbs[rand(@verbs)] } 1 .. 300)) for 1 .. 10;
talk(join('', map { rand() < 0.5 ? $verbs[rand(@verbs)] :
    $lines[rand(@lines)] } 1 .. 60)) for 1 .. 20;
talk(join('', @verbs[0 .. 3], @lines, "\r\n.\r\n"));
my @new = $hop->delivered();
is(scalar(grep { $_->{mail} !~ /^<\Q$ANNA\E>/ } splice(@new, $mails)), 0,
    'nobody else\'s mail comes of it');
my $endless = $dkimsign->lmtp();
for (1 .. 400) {
	$endless->send('x' x 65536) or last;
}
cmp_ok(resident() - $before, '<', 8 * $MIB, 'an endless line fills nothing');
like(reply_to($TEXT), $OK, 'mail goes on');
undef($endless);
is($dkimsign->stop(), '', 'dkimsign stops cleanly');

done_testing();
