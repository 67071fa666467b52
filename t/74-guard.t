#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 74-guard.t - nobody gets another tenant's signature: every envelope sender
# with every From:, with and without XFORWARD. What each sender and each From:
# is stands in its row, so what must come out is known for each pair.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern;
use PosternHop;
use PosternLdif qw(dkim_key new_pem tenant);
use PosternSign;
use Test::More;

my $RCPT = 'b@elsewhere.example';
my $UMLAUT = "b\xc3\xbccher.example";
my $WIDE = "client\xef\xbc\x91.example";	# a full-width 1

# The tenants by their keys' selectors. "below" lives below "one"; "bare" does
# so too, and has no key.
my %tenants = (
	one => 'client1.example', two => 'client2.example',
	below => 'sub.client1.example', bare => 'bare.client1.example',
	umlaut => 'xn--bcher-kva.example',
);
my $ldif = join('', map { tenant($tenants{$_}, $_ eq 'one'
    ? (associatedDomain => 'alias.example') : ()) } sort(keys(%tenants))) .
    join('', map { dkim_key($tenants{$_}, $_, new_pem('ed25519')) }
    grep { $_ ne 'bare' } sort(keys(%tenants)));

# Envelope sender, and whose it is
my @senders = (
	['', 'null'],
	['x@client1.example', 'one'],
	['X@CLIENT1.Example', 'one'],
	['x@alias.example', 'one'],
	['x@bounces.client1.example', 'one'],
	['x@a.b.Client1.example', 'one'],
	['x@client1.example.', 'one'],
	['x%client2.example@client1.example', 'one'],
	['x=client2.example@client1.example', 'one'],
	['"x@client2.example"@client1.example', 'one'],
	['"x>@client2.example"@client1.example', 'one'],
	['@client2.example:x@client1.example', 'one'],
	['x@client2.example', 'two'],
	['x@client1.example.client2.example', 'two'],
	['"x@client1.example"@client2.example', 'two'],
	['@client1.example,@client1.example:x@client2.example', 'two'],
	['x@sub.client1.example', 'below'],
	['x@deep.SUB.client1.example', 'below'],
	['x@bare.client1.example', 'bare'],
	['x@xn--bcher-kva.example', 'umlaut'],
	['x@XN--Bcher-KVA.example', 'umlaut'],
	["x\@$UMLAUT", 'umlaut'],
	['x@bcher-kva.example', 'nobody'],
	['x@xclient1.example', 'nobody'],
	['x@client1.example.evil.example', 'nobody'],
	['x@example', 'nobody'],
	['x@[192.0.2.1]', 'nobody'],
	['x@[client1.example]', 'nobody'],
	['x@client1..example', 'nobody'],
	['x@.client1.example', 'nobody'],
	['x@client1.example..', 'nobody'],
	["x\@client1.example\xc2\xad", 'one'],	# policyd takes it so, too
	["x\@$WIDE", 'one'],
	['x', 'nobody'],
	['x@', 'nobody'],
	['client1.example', 'nobody'],
	['MAILER-DAEMON', 'nobody'],
	['postmaster', 'nobody'],
);

# Header, whose signature it may get ('' is nobody's), and d=
my @froms = (
	['From: x@client1.example', 'one', 'client1.example'],
	['from: X <X@CLIENT1.EXAMPLE>', 'one', 'client1.example'],
	['From:x@alias.example', 'one', 'alias.example'],
	['From: x@deep.client1.example', 'one', 'client1.example'],
	['From: S: x@client1.example, y@client1.example;', 'one',
	    'client1.example'],
	["From: x\@client1.example\r\nSender: x\@client2.example\r\n" .
	    "Resent-From: x\@client2.example\r\nReply-To: x\@client2.example",
	    'one', 'client1.example'],
	["Sender: x\@client2.example\r\nFrom: MAILER-DAEMON\@client1.example",
	    'one', 'client1.example', 'postfix'],
	['From: x@client2.example', 'two', 'client2.example'],
	['From: <Postmaster@client2.example> (Mail)', 'two', 'client2.example',
	    'postfix'],
	["From: =?utf-8?q?x?=\r\n <x\@client2.example>", 'two',
	    'client2.example'],
	['From: x@sub.client1.example', 'below', 'sub.client1.example'],
	['From: x@deep.sub.client1.example', 'below', 'sub.client1.example'],
	['From: x@bare.client1.example', ''],
	['From: x@xn--bcher-kva.example', 'umlaut', 'xn--bcher-kva.example'],
	["From: x\@$UMLAUT", 'umlaut', 'xn--bcher-kva.example'],
	["From: x\@b\xc3\x9ccher.example", ''],
	["From: x\@$WIDE", ''],
	['From: x@client1.example, x@client2.example', ''],
	['From: x@client2.example, x@client1.example', ''],
	['From: x@client1.example, x@alias.example', ''],
	['From: x@client1.example, x@sub.client1.example', ''],
	['From: A: x@client1.example;, B: x@client2.example;', ''],
	["From: x\@client1.example\r\nFrom: x\@client2.example", ''],
	["From: x\@client2.example\r\nFrom: x\@client1.example", ''],
	["From: x\@client1.example\r\nFrom: x\@client1.example", ''],
	["From: x\@client1.example\r\nFrom : x\@client2.example", ''],
	["X: y\r\n From: x\@client1.example\r\nfrom: x\@client2.example",
	    'two', 'client2.example'],
	['From: "x <x@client2.example>" <x@client1.example>', ''],
	['From: x@client2.example <x@client1.example>', ''],
	['From: <x@client2.example> <x@client1.example>', ''],
	['From: x@client1.example (x@client2.example)', ''],
	['From: =?utf-8?q?=3Cx=40client2.example=3E?= <x@client1.example>',
	    ''],
	['From: =?utf-8?b?PHhAY2xpZW50Mi5leGFtcGxlPg==?= <x@client1.example>',
	    ''],
	['From: <=?utf-8?q?x=40client2.example?=@client1.example>', ''],
	['From: "x@client2.example"@client1.example', ''],
	['From: <@client2.example:x@client1.example>', ''],
	['From: x@client1.example@client2.example', ''],
	["From: x\@client1.example\r\n .client2.example", ''],
	['From: x@client1.example(.evil).client2.example', ''],
	['From: x@client1.example.', ''],
	['From: x@client1.example..', ''],
	['From: x@.client1.example', ''],
	['From: x@xclient1.example', ''],
	['From: x@client1.example.evil.example', ''],
	['From: x@example', ''],
	['From: x@[192.0.2.1]', ''],
	['From: undisclosed:;', ''],
	['From: postmaster', ''],
	['From: <>', ''],
	['From:', ''],
	['To: x@client1.example', ''],
	["To: x\@client1.example\r\nSender: x\@client1.example", ''],
);

# What Postfix says of the client, and may a null sender be its own?
my @origins = (
	['without XFORWARD', [], 'if its name says so'],
	['from a client', [ADDR => '192.0.2.7', NAME => 'laptop'], 'no'],
	['made by Postfix', [IDENT => '4FQ', SOURCE => 'LOCAL'], 'yes'],
	['in other words', [ADDR => '[UNAVAILABLE]', NAME => '[UNAVAILABLE]'],
	    'yes'],
);

sub
may_sign
{
	my ($owner, $from, $origin) = @_;

	return $from->[1] eq $owner && $from->[1] ne '' if $owner ne 'null';
	return $from->[1] ne '' && ($origin->[2] eq 'yes' ||
	    ($origin->[2] ne 'no' && $from->[3]));
}

# "d=... s=..." of all its signatures, '' without any
sub
signatures
{
	my ($text) = @_;
	my ($header) = split(/\r\n\r\n/, $text, 2);

	$header =~ s/\r\n\s+/ /g;
	return join(' and ', map { join(' ', /\b([ds]=[^;]+)/g) }
	    grep { /^DKIM-Signature:/i } split(/\r\n/, $header));
}

my $hop = PosternHop->start(unix => 1);
my $dkimsign = PosternSign->start(ldif => $ldif,
    conf => { next_hop => $hop->uri() });
my $lmtp = $dkimsign->lmtp()->lhlo();

# All in one session, so that what was said of one message is not believed of
# the next
sub
send_one
{
	my ($number, $sender, $from, @xforward) = @_;
	my $utf8 = $sender =~ /[^ -~]/ ? ' SMTPUTF8' : '';
	my (@words, @replies);

	push(@words, shift(@xforward) . '=' . shift(@xforward))
	    while @xforward;
	$lmtp->send((@words ? "XFORWARD @words\r\n" : "NOOP\r\n") .
	    "MAIL FROM:<$sender>$utf8\r\nRCPT TO:<$RCPT>\r\nDATA\r\n");
	push(@replies, $lmtp->reply()) for 1 .. 4;
	$lmtp->text("X-Number: $number\r\n$from\r\n\r\nHello\r\n");
	push(@replies, $lmtp->reply());
	return join(' ', map { substr($_, 0, 3) } @replies);
}

my @rows;
for my $sender (@senders) {
	for my $from (@froms) {
		push(@rows, map { [$sender, $from, $_] } @origins);
	}
}
for my $number (0 .. $#rows) {
	my ($sender, $from, $origin) = @{ $rows[$number] };
	my $codes = send_one($number, $sender->[0], $from->[0],
	    @{ $origin->[1] });

	$codes eq '250 250 250 354 250' or
	    BAIL_OUT("<$sender->[0]>, $from->[0]: $codes");
}
for my $mail ($hop->delivered()) {
	my ($number) = $mail->{text} =~ /^X-Number: (\d+)\r\n/m;

	push(@{ $rows[$number] }, signatures($mail->{text}));
}
is_deeply([grep { @{ $rows[$_] } != 4 } 0 .. $#rows], [],
    'each of ' . @rows . ' messages is delivered, once');

# A line for each sender: what is not as it must be
for my $sender (@senders) {
	my (@wrong, $count);

	for my $row (grep { $_->[0] == $sender } @rows) {
		my (undef, $from, $origin, $got) = @$row;
		my $want = may_sign($sender->[1], $from, $origin)
		    ? "d=$from->[2] s=$from->[1]" : '';

		$count += $want ne '';
		push(@wrong, $from->[0] =~ s/\r\n/ | /gr .
		    ", $origin->[0]: '$got', not '$want'") if $got ne $want;
	}
	is(join("\n", @wrong), '', "<$sender->[0]> is $sender->[1]: " .
	    ($count // 0) . ' signed');
}

# What was said of a message that was not sent
$lmtp = $dkimsign->lmtp()->lhlo();
$lmtp->say('XFORWARD SOURCE=LOCAL');
$lmtp->say('MAIL FROM:<>');
$lmtp->say('RSET');
send_one(0, '', 'From: x@client1.example');
is(signatures(($hop->delivered())[-1]{text}), '',
    'RSET forgets that Postfix made it');

# Where the next hop does not take ADDR, Postfix cannot tell us
$hop = PosternHop->start(unix => 1, offer => ['XFORWARD NAME IDENT']);
$dkimsign = PosternSign->start(ldif => $ldif,
    conf => { next_hop => $hop->uri() });
$lmtp = $dkimsign->lmtp()->lhlo();
send_one(0, '', 'From: x@client1.example', NAME => 'laptop');
is(signatures(($hop->delivered())[-1]{text}), '',
    'without ADDR nobody knows who made it');
is($dkimsign->stop(), '', 'dkimsign stops cleanly');

done_testing();
