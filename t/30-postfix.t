#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 30-postfix.t - a real Postfix, joined by the lines of etc/postfix/, asks a
# real policyd about real SMTP sessions.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(slurp srcdir wait_until);
use PosternLdif qw(tenant);
use PosternPostfix;
use Test::More;

plan(skip_all => 'Postfix has to be started by root') if $> != 0;

my $TEXT = "Subject: test\r\n\r\nHello\r\n";
my $ANNA = 'anna@client1.example';
my $BOB = 'bob@client2.example';
my $OUTSIDE = 'friend@elsewhere.example';
my $STRANGER = 'someone@stranger.example';

# What each action does to a message, as Postfix's log tells it
my @actions = (
	[ 'hold', 'inbound any hold', qr/hold: DATA from/ ],
	[ 'filter', 'inbound any filter discard:filtered',
	    qr/\@filter\.example>, relay=none.*\(filtered\)/ ],
	[ 'redirect', "inbound any redirect $BOB",
	    qr/to=<\Q$BOB\E>, orig_to=<box\@redirect\.example>/ ],
	[ 'prepend', 'inbound any prepend X-Seen-By: Postern',
	    qr/to=<box\@prepend\.example>,.* status=sent/ ],
	[ 'warn', 'inbound any warn', qr/warn: RCPT from/ ],
	[ 'reject', 'inbound any reject', qr/reject: RCPT from.* 550 5\.7\.1/ ],
	[ 'defer', 'inbound any defer', qr/reject: RCPT from.* 451 4\.7\.1/ ],
);

my @policy = (RateLimit => 'hourly outbound mailbox recipients 3/1h',
    Greylist => 'on', GreylistDelay => '5m');
my $ldif = tenant('client1.example', @policy) .
    tenant('client2.example', @policy) .
    tenant('open.example') . tenant('sized.example',
    RateLimit => 'size outbound mailbox bytes 1k/message reject') .
    join('', map { tenant("$_->[0].example", DirectionRule => $_->[1]) }
    @actions);

my $postfix = PosternPostfix->new(
    mailboxes => [$ANNA, $BOB, 'box@open.example', 'box@sized.example',
    map { "box\@$_->[0].example" } @actions],
    logins => { map { $_ => 'secret' } $ANNA, $BOB, 'box@sized.example' });
my $policyd = Postern->start(ldif => $ldif, conf => {
	listen => [$postfix->policy_socket()],
	listen_mode => '0660',
	listen_group => 'postfix'
});
$postfix->start();

# How many records the counters hold, greylist and limits together
sub
records
{
	return $1 if $policyd->control('/check') =~ /"records": *(\d+)/;
	return 'unknown';
}

subtest 'a stranger is greylisted' => sub {
	my $smtp = $postfix->mx();
	my ($reply) = $smtp->send_mail($STRANGER, [$ANNA], $TEXT);

	like($reply, qr/^450 4\.2\.0 .*client1\.example: greylisted, try again in 5m/,
	    'deferred at first');
	$policyd->advance('4m');
	like(($smtp->send_mail($STRANGER, [$ANNA], $TEXT))[0],
	    qr/^450 4\.2\.0 .*greylisted/, 'and when it comes too early');
	$policyd->advance('61s');
	like(($smtp->send_mail($STRANGER, [$ANNA], $TEXT))[-1], qr/^250 /,
	    'accepted after the delay');
	ok($postfix->wait_mails($ANNA, 1), 'and delivered');
	like(($smtp->send_mail($STRANGER, [$BOB], $TEXT))[0], qr/^450 4\.2\.0 /,
	    'another tenant makes up its own mind');
};

subtest 'a recipient that does not exist' => sub {
	my $before = records();
	my $smtp = $postfix->mx(address => '192.0.2.99', name => 'guesser.example');

	like(($smtp->send_mail($STRANGER, ['nobody@client1.example'], $TEXT))[0],
	    qr/^550 5\.1\.1 /, 'is refused by Postfix');
	like($before, qr/^\d+$/, 'the number of records is known');
	is(records(), $before, 'and leaves no greylist record');
	$smtp->send_mail($STRANGER, [$ANNA], $TEXT);
	is(records(), $before + 1, 'while one that exists leaves one');
};

subtest 'our own sender from outside' => sub {
	my $smtp = $postfix->mx();

	like(($smtp->send_mail($BOB, [$ANNA], $TEXT))[0],
	    qr/^550 5\.7\.1 .*client\d\.example: /, 'is refused');
	like(($smtp->send_mail($ANNA, [$ANNA], $TEXT))[0],
	    qr/^550 5\.7\.1 .*client1\.example: /, 'also to itself');
};

subtest 'an authenticated sender reaches its limit' => sub {
	my $anna = $postfix->submission($ANNA, 'secret');
	my $bob = $postfix->submission($BOB, 'secret');
	my @replies = $anna->send_mail($ANNA,
	    [map { "friend$_\@elsewhere.example" } 1 .. 4], $TEXT);

	is(scalar(grep { /^250 / } @replies[0 .. 2]), 3, 'three pass');
	like($replies[3], qr/^451\ 4\.7\.1\ .*:\ client1\.example:\ limit\ hourly
	    \ \(3\ recipients\ per\ 1h\)\ reached,\ try\ again\ in\ \d+/x,
	    'the fourth is deferred, and told by whose limit and until when');
	like($replies[-1], qr/^250 /, 'the message goes to the three');
	like(($bob->send_mail($BOB, [$OUTSIDE], $TEXT))[-1], qr/^250 /,
	    'another tenant is not affected');
	like(($anna->send_mail($ANNA, [$OUTSIDE], $TEXT))[0],
	    qr/^451 4\.7\.1 /, 'the limit stays');
	$policyd->advance('64m');
	like(($anna->send_mail($ANNA, [$OUTSIDE], $TEXT))[-1], qr/^250 /,
	    'and is over after its window');
	like(($anna->send_mail($BOB, [$OUTSIDE], $TEXT))[0],
	    qr/^550 5\.7\.1 .*client1\.example: /,
	    'nobody sends in another tenant\'s name');
};

subtest 'a limit on bytes' => sub {
	my $smtp = $postfix->submission('box@sized.example', 'secret');

	like(($smtp->send_mail('box@sized.example', [$OUTSIDE], $TEXT))[-1],
	    qr/^250 /, 'a small message passes');
	like(($smtp->send_mail('box@sized.example', [$OUTSIDE],
	    $TEXT . ('x' x 70 . "\r\n") x 20))[-1],
	    qr/^550 5\.7\.1 .*End-of-data rejected: sized\.example: limit size /,
	    'a large one is refused at its end');
};

subtest 'a message to two tenants' => sub {
	my $smtp = $postfix->mx();
	my ($anna, $open) = map { scalar($postfix->mails($_)) }
	    $ANNA, 'box@open.example';
	my @replies = $smtp->send_mail($STRANGER,
	    [$ANNA, 'box@open.example'], $TEXT);

	is(scalar(grep { /^(250|354) / } @replies), 4, 'is accepted');
	ok($postfix->wait_mails($ANNA, $anna + 1), 'delivered to the one');
	ok($postfix->wait_mails('box@open.example', $open + 1),
	    'delivered to the other');

	for my $action (qw(hold redirect filter prepend)) {
		my $box = "box\@$action.example";

		@replies = $smtp->send_mail($STRANGER,
		    [$box, 'box@open.example'], $TEXT);
		like($replies[1], qr/^452 4\.5\.3 /,
		    "one of them has $action: the other comes separately");
		@replies = $smtp->send_mail($STRANGER,
		    ['box@open.example', $box], $TEXT);
		like($replies[0], qr/^250 /, "$action, the other way round");
		like($replies[1], qr/^452 4\.5\.3 /,
		    "$action, the other way round: it comes separately");
	}
};

for my $row (@actions) {
	my ($action, $rule, $trace) = @$row;
	my $before = length($postfix->log());

	$postfix->mx()->send_mail($STRANGER, ["box\@$action.example"], $TEXT);
	ok(wait_until {
	    substr($postfix->log(), $before) =~ $trace },
	    "$action: Postfix does what policyd says")
	    or diag(substr($postfix->log(), $before));
}
my ($prepended) = $postfix->mails('box@prepend.example');
is(scalar(() = $prepended =~ /^X-Seen-By: Postern$/mg), 1,
    'prepend: the message has the header once') or diag($prepended);

subtest 'policyd is killed in the middle of a message' => sub {
	my $smtp = $postfix->submission($BOB, 'secret');

	$smtp->say("MAIL FROM:<$BOB>");
	like($smtp->say("RCPT TO:<$OUTSIDE>"), qr/^250 /, 'a recipient');
	$policyd->kill_hard();
	like($smtp->say("RCPT TO:<other\@elsewhere.example>"), qr/^250 /,
	    'Postfix does as its default_action says');
	like($smtp->say('DATA'), qr/^354 /, 'at DATA too');
	like($smtp->say("$TEXT."), qr/^250 /, 'and at the end');
	like($postfix->log(), qr/warning: .*private\/policyd/,
	    'and says in the log what is missing');
	$policyd->launch();
	like(($smtp->send_mail($ANNA, [$OUTSIDE], $TEXT))[0],
	    qr/^550 5\.7\.1 /, 'after a restart policy is back by itself');
};

is($policyd->stop(), '', 'policyd stops cleanly');
unlike($postfix->log(), qr/fatal|panic|unknown smtpd restriction|bad command/,
    'Postfix has nothing to complain of');
$postfix->stop();

subtest 'the other default_action of main.cf.example' => sub {
	my $fussy = PosternPostfix->new(mailboxes => [$ANNA],
	    default_action => '451 4.3.5 Policy service down, try again later');

	$fussy->start();
	like(($fussy->mx()->send_mail($STRANGER, [$ANNA], $TEXT))[0],
	    qr/^451 4\.3\.5 .*Policy service down, try again later/,
	    'without policyd mail comes back later');
	$fussy->stop();
	like(slurp(srcdir() . '/etc/postfix/main.cf.example'),
	    qr/\{ default_action=451 4\.3\.5 Policy service down, try again later \}/,
	    'and it is what main.cf.example offers');
};

done_testing();
