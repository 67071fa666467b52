#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 73-second-pass.t - a real Postfix hands mail to a real dkimsign, and takes it
# back, by the lines of etc/postfix/: one message in two passes, with the client
# and the queue ids of both.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(wait_until);
use PosternLdif qw(dkim_key new_pem tenant);
use PosternSigned;
use Test::More;

plan(skip_all => 'Postfix has to be started by root') if $> != 0;

my ($ANNA, $BOB) = ('anna@client1.example', 'bob@client2.example');
my $postfix = PosternSigned->new(mailboxes => [$ANNA, $BOB],
    logins => { $ANNA => 'secret' }, main => "message_size_limit = 3000000\n");
my $dkimsign = PosternSign->start(ldif => tenant('client1.example') .
    tenant('client2.example') .
    dkim_key('client1.example', 'e1', new_pem('ed25519')),
    conf => $postfix->conf());
$postfix->start();

my $smtp = $postfix->submission($ANNA, 'secret');
my $text = "From: $ANNA\r\nTo: $BOB\r\nSubject: both passes\r\n\r\n" .
    "Gr\xc3\xbc\xc3\x9fe\r\n..\r\n";
my @replies = $smtp->send_mail($ANNA, [$BOB], $text);
my ($first) = $replies[-1] =~ /queued as (\w+)/;
ok($first, 'submission takes it');
ok($postfix->wait_mails($BOB, 1), 'it is delivered') or diag($postfix->log());
my ($mail) = $postfix->mails($BOB);
like($mail, qr/^DKIM-Signature: .*\bd=client1\.example;.*\bs=e1;/ms,
    'with a signature');
is(() = $mail =~ /^DKIM-Signature:/mg, 1, 'with one');
my ($second) = $dkimsign->log() =~
    /^dkimsign:\ $first:\ result=sent\ .*\ sign=signed\ .*
    \ client=\S*\[127\.0\.0\.1\]\ .*queued\ as\ (\w+)"$/mx;
ok($second, 'dkimsign tells it under the first queue id, with the second one')
    or diag($dkimsign->log());
like($postfix->log(), qr/signed\/smtpd.*: $second: client=.*orig_queue_id=$first/,
    'and so does the second pass');
like($postfix->log(), qr/signer\/lmtp.*: $first: .*queued as $second/,
    'and the first');

# As large as the first pass takes: the signature does not break the limit
my $body = ('x' x 70 . "\r\n") x 41600;
@replies = $smtp->send_mail($ANNA, [$BOB],
    "From: $ANNA\r\nSubject: large\r\n\r\n$body");
like($replies[-1], qr/^250 /, 'submission takes what is nearly too large');
ok($postfix->wait_mails($BOB, 2), 'and it is delivered')
    or diag($postfix->log());

# 60 recipients are one message, signed once
@replies = $smtp->send_mail($ANNA, [$BOB,
    map { "u$_\@elsewhere.example" } 1 .. 60], $text);
ok($postfix->wait_mails($BOB, 3), 'many recipients');
ok($dkimsign->wait_log(qr/recipients=61\/61/), 'are one message');

# Nobody is there for a while, and nothing is lost
is($dkimsign->stop(), '', 'dkimsign stops cleanly');
@replies = $smtp->send_mail($ANNA, [$BOB], $text);
like($replies[-1], qr/^250 /, 'mail is taken while dkimsign is not there');
$dkimsign->launch();
ok(wait_until { $postfix->flush(); $postfix->mails($BOB) >= 4 },
    'and is delivered when it is back') or diag($postfix->log());
$postfix->stop();
is($dkimsign->stop(), '', 'dkimsign stops cleanly');

done_testing();
