#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 70-lmtp.t - dkimsign as Postfix meets it: the protocol, what is carried
# through, the bounds, and how it starts, reloads and stops.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Postern qw(build slurp wait_until);
use PosternHop;
use PosternLdif qw(tenant);
use PosternPostfix;
use PosternSign;
use Test::More;

my ($ANNA, $B, $C) = ('a@client1.example', 'b@x.example', 'c@x.example');
my $TEXT = "From: a\@client1.example\r\nSubject: test\r\n\r\nHello\r\n";
my $LDIF = tenant('client1.example');

sub
started
{
	my ($hop, %conf) = @_;

	return PosternSign->start(ldif => $LDIF,
	    conf => { next_hop => $hop->uri(), %conf });
}

sub
stopped
{
	my ($dkimsign, $name) = @_;

	is($dkimsign->stop(), '', "$name: stops cleanly");
}

# -- the protocol

my $hop = PosternHop->start();
my $dkimsign = started($hop);

# Each in a session of its own: what is said before, the line, the reply
my @LHLO = ('LHLO me');
my @MAIL = (@LHLO, "MAIL FROM:<$ANNA>");
my @RCPT = (@MAIL, "RCPT TO:<$B>");
my @rows = (
	[[], 'LHLO me', qr/^250-dkimsign\n(250-.*\n)*250 \w+$/],
	[[], 'lhlo me', qr/^250-/],
	[[], 'LHLO', qr/^501 5\.5\.4 /],
	[[], 'HELO me', qr/^500 5\.5\.1 /],
	[[], 'EHLO me', qr/^500 5\.5\.1 /],
	[\@LHLO, 'EHLO me', qr/^500 5\.5\.1 /],
	[[], "MAIL FROM:<$ANNA>", qr/^503 5\.5\.1 LHLO first/],
	[[], 'DATA', qr/^503 5\.5\.1 LHLO first/],
	[[], 'NOOP', qr/^250 2\.0\.0 /],
	[[], 'NOOP with words', qr/^250 2\.0\.0 /],
	[[], 'VRFY someone', qr/^252 2\.0\.0 /],
	[[], 'RSET', qr/^250 2\.0\.0 /],
	[[], 'RSET now', qr/^501 5\.5\.4 /],
	[[], 'QUIT', qr/^221 2\.0\.0 /],
	[[], 'STARTTLS', qr/^500 5\.5\.2 /],
	[[], 'BDAT 5 LAST', qr/^500 5\.5\.2 /],
	[[], '', qr/^500 5\.5\.2 /],
	[[], "NOOP\nQUIT", qr/^500 5\.5\.2 not a line/],
	[[], "NOOP \0", qr/^500 5\.5\.2 not a line/],
	[[], 'NOOP ' . 'x' x 9000, qr/^500 5\.5\.2 line too long/],
	[[], 'NOOP ' . 'x' x 100000, qr/^500 5\.5\.2 line too long/],
	[\@LHLO, "RCPT TO:<$B>", qr/^503 5\.5\.1 MAIL first/],
	[\@LHLO, 'MAIL FROM:<>', qr/^250 2\.1\.0 /],
	[\@LHLO, "MAIL FROM:<$ANNA> SIZE=60000000", qr/^552 5\.3\.4 /],
	[\@LHLO, "MAIL FROM:<$ANNA> AUTH=<>", qr/^555 5\.5\.4 /],
	[\@MAIL, "MAIL FROM:<$ANNA>", qr/^503 5\.5\.1 /],
	[\@MAIL, 'DATA', qr/^503 5\.5\.1 no valid recipients/],
	[\@MAIL, 'RCPT TO:<>', qr/^501 5\.5\.4 /],
	[[@MAIL, 'RCPT TO:<>'], 'DATA', qr/^503 5\.5\.1 /],
	[\@RCPT, 'DATA', qr/^354 /],
	[\@RCPT, 'DATA now', qr/^501 5\.5\.4 /],
	[[@RCPT, 'RSET'], 'DATA', qr/^503 5\.5\.1 /],
	[[@RCPT, 'LHLO me'], 'DATA', qr/^503 5\.5\.1 /],
	[\@LHLO, 'XFORWARD NAME=x IDENT=4F', qr/^250 2\.0\.0 /],
	[\@LHLO, 'XFORWARD COLOUR=red', qr/^501 5\.5\.4 /],
	[\@LHLO, 'XFORWARD HELO=' . '+2B' x 2048 . ' IDENT=4F',
	    qr/^250 2\.0\.0 /],
	[\@MAIL, 'XFORWARD NAME=x', qr/^503 5\.5\.1 /],
);
for (@rows) {
	my ($before, $line, $want) = @$_;
	my $lmtp = $dkimsign->lmtp();
	my $name = length($line) > 40 ? substr($line, 0, 40) . '...' : $line;

	$lmtp->say($_) for @$before;
	like($lmtp->say($line), $want, (@$before ? "$before->[-1], " : '') .
	    $name =~ s/[\0\n]/?/gr);
}
my $lmtp = $dkimsign->lmtp();
is($lmtp->{greeting}, '220 dkimsign LMTP', 'the greeting');
for (1 .. 60) {
	last if $lmtp->say('WHAT?') =~ /^421 4\.7\.0/;
}
ok($lmtp->is_closed(), 'who makes too many errors is told, and gone');

# -- pipelining, and one reply for each recipient

$lmtp = $dkimsign->lmtp()->lhlo();
$lmtp->send("MAIL FROM:<$ANNA>\r\nRCPT TO:<$B>\r\nRCPT TO:<>\r\n" .
    "RCPT TO:<$B>\r\nRCPT TO:<$C>\r\nDATA\r\n");
is(join(' ', map { substr($lmtp->reply(), 0, 3) } 1 .. 6),
    '250 250 501 250 250 354', 'pipelined commands are answered in order');
$lmtp->text($TEXT);
$lmtp->more();
is($lmtp->{input}, "250 2.0.0 Ok: queued as Q1\r\n" x 3,
    'one reply for each that was accepted, the same one twice, in one write');
$lmtp->{input} = '';
$lmtp->send("MAIL FROM:<>\r\nRCPT TO:<$B>\r\nDATA\r\n");
$lmtp->reply() for 1 .. 3;
$lmtp->send("$TEXT.\r\nNOOP\r\nQUIT\r\n");
is(join(' ', map { substr($lmtp->reply(), 0, 3) } 1 .. 3), '250 250 221',
    'commands behind the end of a message are commands');
ok($lmtp->is_closed(), 'QUIT ends the session');
my @mails = $hop->delivered();
is(scalar(@mails), 2, 'the next hop has both');
is_deeply($mails[0]{rcpt}, ["<$B>", "<$B>", "<$C>"], 'for all its recipients');
is($mails[0]{text}, $TEXT, 'as it was, since there is no key');
is(scalar(grep { /EHLO/ } $hop->said()), 1, 'over one connection');

# -- what is carried through

$lmtp = $dkimsign->lmtp()->lhlo();
$lmtp->say('XFORWARD NAME=laptop.example ADDR=192.0.2.7 PORT=4711');
$lmtp->say('XFORWARD PROTO=ESMTP HELO=my+20laptop IDENT=4FQwxy SOURCE=REMOTE');
$lmtp->say("MAIL FROM:<\xc3\xa4\@client1.example> SIZE=5 BODY=8BITMIME " .
    'SMTPUTF8 RET=HDRS ENVID=x+2By');
$lmtp->say("RCPT TO:<\xc3\xb6\@x.example> NOTIFY=SUCCESS,DELAY " .
    'ORCPT=rfc822;o@x.example');
$lmtp->say('DATA');
my $utf8 = "From: \xc3\xa4\@client1.example\r\n\r\n.\xc3\xb6\r\n..\r\n\r\n";
$lmtp->text($utf8);
like($lmtp->reply(), qr/^250 /, 'a message with all there is');
my $mail = ($hop->delivered())[-1];
is($mail->{mail}, "<\xc3\xa4\@client1.example> SIZE=" . length($utf8) .
    ' BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x+2By',
    'MAIL keeps its parameters, with the real size');
is($mail->{rcpt}[0], "<\xc3\xb6\@x.example> NOTIFY=SUCCESS,DELAY " .
    'ORCPT=rfc822;o@x.example', 'RCPT keeps its parameters');
is(join(' ', sort(map { split(/ / ) } @{ $mail->{xforward} })),
    'ADDR=192.0.2.7 HELO=my+20laptop IDENT=4FQwxy NAME=laptop.example ' .
    'PORT=4711 PROTO=ESMTP SOURCE=REMOTE', 'XFORWARD comes through');
is($mail->{text}, $utf8, 'so do dots, 8-bit bytes, empty lines');
like($dkimsign->log(), qr/^dkimsign:\ 4FQwxy:\ result=sent\ stage=inject
    \ sign=no-key\ d=\ s=\ from=client1\.example
    \ sender=<\\xC3\\xA4\@client1\.example>\ recipients=1\/1\ size=\d+
    \ client=laptop\.example\[192\.0\.2\.7\]\ hop=-
    \ reply="250\ 2\.0\.0\ Ok:\ queued\ as\ Q\d+"$/mx,
    'one line tells it, with both queue ids');
$lmtp->send_mail($ANNA, [$B], $TEXT);
is_deeply(($hop->delivered())[-1]{xforward}, [],
    'XFORWARD holds for one message');
$dkimsign->send_mail($ANNA, [$B], $TEXT, HELO => '+2B' x 2000,
    IDENT => '4Flong');
like($dkimsign->log(), qr/4Flong: result=sent/,
    'a client with a long HELO cannot hide its queue id');
stopped($dkimsign, 'a session open');

# -- offers

$hop = PosternHop->start(offer => ['SIZE 1000', 'XFORWARD NAME IDENT']);
$dkimsign = started($hop);
$lmtp = $dkimsign->lmtp()->lhlo();
is($lmtp->{offer}, "250-dkimsign\n250-PIPELINING\n250-SIZE 1000\n" .
    "250-XFORWARD NAME IDENT\n250 ENHANCEDSTATUSCODES",
    'nothing is offered that the next hop does not offer');
like($lmtp->say("MAIL FROM:<$ANNA> BODY=8BITMIME"), qr/^555 5\.5\.4/,
    'nor taken');
like($lmtp->say('XFORWARD ADDR=192.0.2.7'), qr/^501 /,
    'nor an attribute of XFORWARD');
like(($lmtp->send_mail($ANNA, [$B], $TEXT . 'x' x 950 . "\r\n"))[1],
    qr/^552 5\.3\.4/, 'the size of the next hop holds');
stopped($dkimsign, 'few offers');
$hop = PosternHop->start(offer => ['DSN', 'SMTPUTF8'], plan => [{}]);
$dkimsign = started($hop);
$lmtp = $dkimsign->lmtp()->lhlo();
$hop->stop();
my $less = PosternHop->start(offer => ['DSN'], port => $hop->{port});
$lmtp->say("MAIL FROM:<$ANNA> SMTPUTF8");
$lmtp->say("RCPT TO:<$B>");
$lmtp->say('DATA');
$lmtp->text($TEXT);
like($lmtp->reply(), qr/^451 4\.3\.0 .*does not offer/,
    'what is not offered any more is not handed on without it');
is(scalar($less->delivered()), 0, 'nor at all');
stopped($dkimsign, 'fewer offers');

# -- the next hop is not there, and then is

my $port = PosternPostfix::free_port();
$dkimsign = PosternSign->start(ldif => $LDIF,
    conf => { next_hop => "smtp://127.0.0.1:$port" });
$lmtp = $dkimsign->lmtp()->lhlo();
like($lmtp->{offer}, qr/^421 4\.3\.2 .*refused/,
    'without a next hop nobody knows what to offer');
ok($lmtp->is_closed(), 'so there is no session');
ok($dkimsign->wait_log(qr/warning: no session yet: .*refused/),
    'and the log says why');
$hop = PosternHop->start(port => $port);
like(($dkimsign->send_mail($ANNA, [$B], $TEXT))[1], qr/^250 /,
    'once it is there, mail goes');
$hop->stop();
like(($dkimsign->send_mail($ANNA, [$B], $TEXT))[1],
    qr/^451 4\.4\.1 .*refused/, 'once it has gone, mail waits');
stopped($dkimsign, 'no next hop');

# -- bounds

$hop = PosternHop->start();
$dkimsign = started($hop, max_message_bytes => 3000000);
$lmtp = $dkimsign->lmtp()->lhlo();
like($lmtp->{offer}, qr/SIZE 3000000$/m, 'max_message_bytes is offered');
my $line = 'x' x 70 . "\r\n";
my $received = "Received: from a by b; Sat, 21 Nov 2026 10:00:00 +0000\r\n";
for ([ 'as large as may be', "A: b\r\n\r\n" . $line x 40000, qr/^250 / ],
    [ 'too large', "A: b\r\n\r\n" . $line x 42000, qr/^552 5\.3\.4 / ],
    [ 'a header of 1 MiB', "A: $line" x 15000 . "\r\n", qr/^552 5\.3\.4 / ],
    [ 'a line of 998 bytes', "A: b\r\n\r\n" . 'x' x 998 . "\r\n", qr/^250 / ],
    [ 'a line of 999', "A: b\r\n\r\n" . 'x' x 999 . "\r\n", qr/^550 5\.6\.0 / ],
    [ '50 hops', $received x 50 . $TEXT, qr/^250 / ],
    [ '51 hops', $received x 51 . $TEXT, qr/^554 5\.4\.6 mail loop/ ],
    [ 'nothing', '', qr/^250 / ]) {
	my ($name, $text, $want) = @$_;
	my $before = $hop->delivered();
	my @replies = $lmtp->send_mail($ANNA, [$B, $C], $text);

	like($replies[2], $want, "$name: " . $want =~ s/.*\^|[\\)]//gr);
	is($replies[3], $replies[2], "$name: the same for the second one");
	is($hop->delivered() - $before, $replies[2] =~ /^250/ ? 1 : 0,
	    "$name: delivered or not");
}
$mail = ($hop->delivered())[0];
is(length($mail->{text}), 8 + 72 * 40000, 'what was in a file is whole');
$lmtp->say("MAIL FROM:<$ANNA>");
$lmtp->send("RCPT TO:<$B>\r\n" x 1001);
my @codes = map { substr($lmtp->reply(), 0, 9) } 1 .. 1001;
is("$codes[999] $codes[1000]", '250 2.1.5 452 4.5.3',
    'there is an end to recipients');
my $long = 'RCPT TO:<' . 'x' x 4000 . "\@x.example>\r\n";
my $memory = $dkimsign->rss_kib();
for (1 .. 20) {
	$lmtp->send($long x 500);
	$lmtp->reply() for 1 .. 500;
}
SKIP: {
	skip('the sanitizer keeps what was freed', 1)
	    if Postern::is_sanitized();
	cmp_ok($dkimsign->rss_kib() - $memory, '<', 20000,
	    'who comes behind it takes no memory');
}
system('prlimit', '--pid', $dkimsign->{pid}, '--fsize=500000:unlimited');
like(($dkimsign->send_mail($ANNA, [$B], "A: b\r\n\r\n" . $line x 40000))[1],
    qr/^452 4\.3\.1 /, 'a full disk is a delay');
system('prlimit', '--pid', $dkimsign->{pid}, '--fsize=unlimited:unlimited');
like(($dkimsign->send_mail($ANNA, [$B], "A: b\r\n\r\n" . $line x 40000))[1],
    qr/^250 /, 'and is over when there is room');

# -- connections that go

my $before = $hop->delivered();
$lmtp = $dkimsign->lmtp()->lhlo();
$lmtp->envelope($ANNA, [$B], IDENT => '4Flost');
$lmtp->say('DATA');
$lmtp->send("From: x\r\n\r\nhalf a mess");
undef($lmtp);
ok($dkimsign->wait_log(qr/4Flost: message not finished: connection lost/),
    'half a message is told');
is($hop->delivered() - $before, 0, 'and not delivered');
my $mute = PosternHop->start(plan => [{ end => 'silence' }]);
my $other = started($mute);
$lmtp = $other->lmtp()->lhlo();
$lmtp->envelope($ANNA, [$B], IDENT => '4Fgone');
$lmtp->say('DATA');
$lmtp->text($TEXT);
$mute->wait_said(qr/end$/);
undef($lmtp);
$other->advance('231s');
ok($other->wait_log(qr/warning: 4Fgone: replies not taken: connection lost/),
    'who does not wait for the replies is told, for the message comes again');
stopped($other, 'replies not taken');
$lmtp = $dkimsign->lmtp()->lhlo();
my $late = $dkimsign->lmtp()->lhlo();
$late->envelope($ANNA, [$B]);
$late->say('DATA');
$dkimsign->advance('181s');
ok($late->is_closed(), 'who is silent in a message is closed');
ok($lmtp->is_silent(), 'who is between messages is not');
$dkimsign->advance('120s');
like($lmtp->reply(), qr/^421 4\.4\.2 /, 'until after 5 minutes');
ok($lmtp->is_closed(), 'too');
stopped($dkimsign, 'bounds');

# -- sessions

$dkimsign = started($hop, sessions => 2, listen => ['inet:127.0.0.1:' .
    ($port = PosternPostfix::free_port())]);
my @two = map { $dkimsign->lmtp() } 1, 2;
my $third = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port");
ok(!IO::Select->new($third)->can_read(0.3), 'the third one of two waits');
$two[0]->say('QUIT');
is(readline($third), "220 dkimsign LMTP\r\n", 'and comes in when one goes');
print $third "QUIT\r\n";

# -- SIGTERM

$lmtp = $two[1]->lhlo();
$lmtp->envelope($ANNA, [$B]);
$lmtp->say('DATA');
$lmtp->send("From: x\r\n\r\n");
my $idle = $dkimsign->lmtp();
kill('TERM', $dkimsign->{pid});
like($idle->reply(), qr/^421 4\.3\.2 /, 'SIGTERM: who has nothing to do goes');
# The listener closes behind the sessions' back
ok(wait_until { !IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") },
    'SIGTERM: nobody comes');
ok($dkimsign->is_running(), 'SIGTERM: a message is under way');
$lmtp->text("Hello\r\n");
like($lmtp->reply(), qr/^250 /, 'SIGTERM: and is finished');
like($lmtp->reply(), qr/^421 4\.3\.2 /, 'SIGTERM: then that one goes too');
wait_until { !$dkimsign->is_running() };
is($dkimsign->{status}, 0, 'SIGTERM: exit status');

# -- SIGHUP

my $metrics = PosternPostfix::free_port();
$hop = PosternHop->start(plan => [{ end => '550 5.7.1 no' }]);
$dkimsign = started($hop, metrics => "inet:127.0.0.1:$metrics");
like(($dkimsign->send_mail($ANNA, [$B], $TEXT))[1], qr/^451 4\.7\.1 /,
    'a refusal is a delay by default');
$dkimsign->write_conf({ next_hop => $hop->uri(), next_hop_5xx => 'pass',
    max_message_bytes => 5000, metrics => "inet:127.0.0.1:$metrics" });
$dkimsign->reload();
ok($dkimsign->wait_log(qr/reloaded/), 'SIGHUP');
$lmtp = $dkimsign->lmtp()->lhlo();
like(($lmtp->send_mail($ANNA, [$B], $TEXT))[1], qr/^550 5\.7\.1 no/,
    'next_hop_5xx is in force');
like($lmtp->{offer}, qr/SIZE 5000$/m, 'so is max_message_bytes');
unlike($dkimsign->log(), qr/at the next start/, 'nothing else was changed');
$dkimsign->write_conf({ next_hop => 'smtp://127.0.0.1:1',
    metrics => "inet:127.0.0.1:$metrics" });
$dkimsign->reload();
ok($dkimsign->wait_log(qr/warning: only .* all else at the next start/),
    'what needs a restart is told');
$dkimsign->write_conf({ next_hop => 'nowhere' });
$dkimsign->reload();
ok($dkimsign->wait_log(qr/not reloaded/), 'a bad file changes nothing');

# -- metrics

sub
get
{
	my ($path) = @_;
	my $http = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$metrics")
	    or return '';

	print $http "GET $path HTTP/1.0\r\n\r\n";
	local $/;
	return scalar(<$http>) // '';
}

my $numbers = get('/metrics');
for ('messages_total{result="deferred"} 1', 'messages_total{result="refused"} 1',
    'sessions 1', 'signing_total{reason="no-key"} 2', 'tenants 1',
    'next_hop_failures_total{at="connect"} 0') {
	like($numbers, qr/^postern_dkimsign_\Q$_\E$/m, "metrics: $_");
}
like(get('/healthz'), qr/ 200 /, '/healthz says yes');
stopped($dkimsign, 'metrics');

# -- no directory

$hop = PosternHop->start();
$dkimsign = PosternSign->new(conf => { next_hop => $hop->uri(),
    directory => { uri => 'ldif:///nonexistent/directory.ldif' } });
$dkimsign->launch();
like(($dkimsign->send_mail($ANNA, [$B], $TEXT))[1], qr/^451 4\.7\.5 /,
    'without a directory mail waits');
is(scalar($hop->delivered()), 0, 'and is not sent without a signature');
stopped($dkimsign, 'no directory');

done_testing();
