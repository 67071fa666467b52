#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 77-postfix-sign.t - what Postfix has signed, verifies where it arrives: each
# message goes in by submission, through dkimsign, and out to a mailbox and to a
# server that takes no 8-bit; there Mail::DKIM, dkimpy and opendkim look at it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(wait_until);
use PosternHop;
use PosternLdif qw(dkim_key dkim_record new_pem tenant);
use PosternSigned;
use PosternVerify qw(signatures verify);
use Test::More;

plan(skip_all => 'Postfix has to be started by root') if $> != 0;

my $ANNA = 'anna@client1.example';
my $BOB = 'bob@client2.example';
my $FAR = 'far@elsewhere.example';
my $UMLAUT = "j\xc3\xb6rg\@b\xc3\xbccher.example";
my $ALABEL = 'xn--bcher-kva.example';
my $HOST = 'mx.postern.example';
my $HELLO = "Hello\r\n";
my $HEAD = "From: Anna <$ANNA>\r\nTo: $BOB\r\nSubject: test\r\n" .
    "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n" .
    "Message-ID: <1\@client1.example>\r\n";
my $MIME = "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n" .
    "Content-Type: text/plain; charset=utf-8\r\n";

# Name, message, and what is special about it: sender, parameter of MAIL, to
# (whom), d, fields that must be signed
my @messages = (
	['plain', "$HEAD\r\n$HELLO"],
	['8-bit', "$HEAD$MIME\r\nGr\xc3\xbc\xc3\x9fe\r\n"],
	['8-bit without MIME', "$HEAD\r\nGr\xc3\xbc\xc3\x9fe\r\n"],
	['8-bit in Latin-1', $HEAD . $MIME =~ s/utf-8/iso-8859-1/r .
	    "\r\nGr\xfc\xdfe\r\n"],
	['8-bit in the header', $HEAD =~ s/test/Gr\xc3\xbc\xc3\x9fe/r .
	    "\r\n$HELLO"],
	['SMTPUTF8', "From: J\xc3\xb6rg <$UMLAUT>\r\nTo: $BOB\r\n" .
	    "Subject: Gr\xc3\xbc\xc3\x9fe\r\n$MIME\r\n\xc3\xb6\r\n",
	    sender => $UMLAUT, parameter => 'SMTPUTF8', d => $ALABEL,
	    to => [$BOB]],
	['an A-label', $HEAD =~ s/$ANNA/x\@$ALABEL/r . "\r\n$HELLO",
	    sender => "x\@$ALABEL", d => $ALABEL],
	['very long lines', "$HEAD\r\n" . 'x' x 50000 . "\r\n" .
	    'word ' x 5000 . "\r\n$HELLO"],
	['very long fields', $HEAD =~ s/test/'word ' x 900/er .
	    'X-Long: ' . 'x' x 5000 . "\r\nReferences:" .
	    " <1\@client1.example>" x 300 . "\r\n\r\n$HELLO"],
	['no body', "$HEAD\r\n"],
	['not even an empty line', $HEAD],
	['empty lines alone', "$HEAD\r\n\r\n\r\n\r\n"],
	['empty lines at the end', "$HEAD\r\n$HELLO\r\n\r\n\r\n"],
	['blanks at the ends of lines', "$HEAD\r\n  a  \t b \t \r\n \r\n\t\r\n"],
	['dots', "$HEAD\r\n.\r\n..\r\n.a\r\n...\r\n$HELLO.\r\n\r\n.\r\n"],
	['From at the start of a line', "$HEAD\r\nFrom here on\r\n>From\r\n"],
	['500 fields', $HEAD . join('', map { "X-Field-$_: $_\r\n" } 1 .. 500) .
	    "\r\n$HELLO"],
	['folded fields', $HEAD =~ s/test/a\r\n b\r\n\tc\r\n   d/r .
	    "References: <1\@a.example>\r\n\t<2\@a.example>\r\n" .
	    "X-Empty:\r\nCc:\r\n \r\n a\@x.example\r\n\r\n$HELLO"],
	['duplicate fields', "Subject: first\r\n${HEAD}To: c\@x.example\r\n" .
	    "Subject: last\r\nX: 1\r\nX: 2\r\nReferences: <1\@a.example>\r\n" .
	    "References: <2\@a.example>\r\n\r\n$HELLO"],
	['odd fields', "SUBJECT : a\r\n${HEAD}X-;: b\r\nx-\$%: c\r\n\r\n$HELLO"],
	['a mailing list', "List-Id: <l.client1.example>\r\n" .
	    "List-Unsubscribe: <https://client1.example/u?x=1>,\r\n" .
	    " <mailto:u\@client1.example>\r\nPrecedence: list\r\n" .
	    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" .
	    "Sender: l-bounces\@client1.example\r\n$HEAD\r\n$HELLO",
	    sender => 'l-bounces+bob=client2.example@client1.example',
	    signed => [qw(List-Id List-Unsubscribe List-Unsubscribe-Post
	    Sender)]],
	['another signature', "DKIM-Signature: v=1; a=rsa-sha256; d=x.example;" .
	    "\r\n\ts=x; h=From; bh=AAAA; b=AAAA\r\n$HEAD\r\n$HELLO",
	    others => 1],
	['20 MB', $HEAD . "MIME-Version: 1.0\r\nContent-Transfer-Encoding: " .
	    "base64\r\nContent-Type: application/octet-stream\r\n\r\n" .
	    ('QUJD' x 19 . "\r\n") x 270000, to => [$BOB]],
);

my $hop = PosternHop->start(without => '8BITMIME|SMTPUTF8', plan => [{
	rcpt => { 'no@elsewhere.example' => '550 5.1.1 nobody' }
}]);
my $postfix = PosternSigned->new(mailboxes => [$ANNA, $BOB],
    logins => { $ANNA => 'secret' }, main => <<END);
default_transport = smtp:[127.0.0.1]:$hop->{port}
message_size_limit = 40000000
END

# Both kinds of key for each, and what DNS would say
my %algorithm = (e => 'ed25519', r => 'rsa');
my %pem = map { $_ => new_pem($algorithm{$_}) } keys(%algorithm);
my %records;
for my $domain ('client1.example', $ALABEL, $HOST) {
	$records{"$_._domainkey.$domain"} = dkim_record($pem{$_})
	    for keys(%pem);
}
# Whose signature is none
$records{'x._domainkey.x.example'} = $records{"r._domainkey.$HOST"};
my $dkimsign = PosternSign->start(ldif =>
    tenant('client1.example', associatedDomain => $ALABEL) . tenant($HOST) .
    join('', map { my $domain = $_; map {
	dkim_key($domain, $_, $pem{$_}) } sort(keys(%pem))
    } 'client1.example', $HOST),
    conf => $postfix->conf());
$postfix->start();

# One message with a name of its own; the last reply
sub
submit
{
	my ($name, $text, %more) = @_;
	my $smtp = $postfix->submission($ANNA, 'secret');
	my $sender = $more{sender} // $ANNA;
	my $parameter = $more{parameter} // '';

	$text =~ s/^\./../mg;
	$smtp->say("MAIL FROM:<$sender> $parameter");
	$smtp->say("RCPT TO:<$_> " . ($more{dsn} // ''))
	    for @{ $more{to} // [$BOB, $FAR] };
	$smtp->say('DATA');
	return $smtp->say("X-Name: $name\r\n$text.");
}

# With CRLF
sub
in_mailbox
{
	my ($address, $pattern) = @_;
	my $mail = wait_until(sub {
		(grep { $_ =~ $pattern } $postfix->mails($address))[0]
	}, 60);

	return ($mail // die "no mail like $pattern\n", $postfix->log(),
	    $dkimsign->log()) =~ s/\n/\r\n/gr;
}

sub
at_hop
{
	my ($name) = @_;
	my $mail = wait_until {
		(grep { $_->{text} =~ /^X-Name: \Q$name\E\r$/m }
		    $hop->delivered())[0]
	};

	return $mail->{text};
}

# What is from our signatures on, which came last
sub
signed_part
{
	my ($text) = @_;

	return $text =~ /^(DKIM-Signature:.*)/ms ? $1 : 'not signed';
}

# An Ed25519 signature above an RSA one, both ours and good. others: signatures
# below that are none of ours.
sub
is_signed
{
	my ($name, $text, %more) = @_;
	my $d = $more{d} // 'client1.example';
	# Postfix ends a header without a body as it came
	my ($fields) = signatures($text .= $text =~ /\r\n\r\n/ ? '' :
	    "\r\n");
	my @algorithms = map { /\ba=(\S+)-sha256;/ } @$fields;
	my $said = verify($text, \%records);
	my @others = ('fail') x ($more{others} // 0);

	is("@algorithms[0, 1]", 'ed25519 rsa', "$name: two signatures");
	is(@algorithms, 2 + @others, "$name: and no other");
	is(scalar(grep { /\bd=\Q$d\E;/ } @$fields), 2, "$name: of $d");
	for my $verifier (sort(keys(%$said))) {
		my ($e, $r, @rest) = @{ $said->{$verifier} };
		my $knows = $verifier ne 'Mail::DKIM' || $e ne 'unknown';

		is($r, 'pass', "$name: RSA: $verifier");
		is($e, 'pass', "$name: Ed25519: $verifier") if $knows;
		is_deeply(\@rest, \@others, "$name: others: $verifier");
	}
	for (@{ $more{signed} // [] }) {
		like($fields->[1] =~ s/\s//gr, qr/[:=]\Q$_\E[:;]/i,
		    "$name: $_ is signed");
	}
}

for (@messages) {
	my ($name, $text, %more) = @$_;

	like(submit($name, $text, %more), qr/^250 /, "$name: submitted");
	my $near = in_mailbox($BOB, qr/^X-Name: \Q$name\E$/m);

	is_signed("$name, in the mailbox", $near, %more);
	next if $more{to};
	is(signed_part(at_hop($name)), signed_part($near),
	    "$name: far away it is the same");
}

# -- null senders, and what Postfix writes itself

$postfix->sendmail('', $BOB, "From: $ANNA\nX-Name: local\n\nHello\n");
is_signed('a null sender on this host', in_mailbox($BOB, qr/^X-Name: local$/m));
submit('null', "$HEAD\r\n$HELLO", sender => '');
is_deeply((signatures(in_mailbox($BOB, qr/^X-Name: null$/m)))[0], [],
    'a null sender by a login is not signed');
like($dkimsign->log(), qr/ sign=null-sender /, 'and the log says why');
submit('refused', "$HEAD\r\n$HELLO", to => ['no@elsewhere.example']);
my $notice = in_mailbox($ANNA, qr/^Subject: Undelivered Mail/m);
is_signed('a bounce', $notice, d => $HOST);
like($notice, qr/^Return-Path: <>\r$/m, 'a bounce: has no sender');
submit('told', "$HEAD\r\n$HELLO",
    to => [$BOB], dsn => 'NOTIFY=SUCCESS ORCPT=rfc822;x@x.example');
$notice = in_mailbox($ANNA, qr/^Subject: Successful Mail Delivery/m);
is_signed('a notice of success', $notice, d => $HOST);
like($notice, qr/^Original-Recipient: rfc822;x\@x\.example\r$/m,
    'a notice of success: DSN went through');
is(scalar($postfix->mails($ANNA)), 2, 'there is one notice of each');

# -- mail from strangers is not signed

$postfix->mx()->send_mail($ANNA, [$BOB], "X-Name: forged\r\n$HEAD\r\nHello");
is_deeply((signatures(in_mailbox($BOB, qr/^X-Name: forged$/m)))[0], [],
    'what a stranger forges is not signed');

is($dkimsign->stop(), '', 'dkimsign stops cleanly');
done_testing();
