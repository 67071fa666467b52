#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 71-faults.t - a next hop that fails at each step in each way: what Postfix is
# told, and how many copies were delivered. Nothing is lost, and nothing comes
# twice but where the protocol cannot know.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern;
use PosternHop;
use PosternLdif qw(tenant);
use PosternSign;
use Test::More;

my $TEXT = "From: a\@client1.example\r\nSubject: test\r\n\r\n" .
    ("Hello\r\n" x 20);
# More than the buffers of two sockets hold
my $LARGE = $TEXT . (('x' x 900) . "\r\n") x 12000;
my ($ANNA, $B, $C) = ('a@client1.example', 'b@x.example', 'c@x.example');
my $OK = qr/^250 2\.0\.0 /;
my $LOST = qr/^451 4\.4\.2 .*(?:closed the connection|reset by peer)/;
my $SILENT = qr/^451 4\.4\.2 .*timed out/;

# name, plan of the first connection, reply to each of two recipients, copies,
# connections. The second connection and all others do as they should.
my @once = (
	# connect: refused is told below
	['4xx at connect', { connect => '450 4.3.2 busy' },
	    [(qr/^451 4\.4\.1 .*refused a connection: 450 /) x 2], 0, 1],
	['421 at connect', { connect => '421 4.3.2 busy' },
	    [(qr/^451 4\.4\.1 .*refused a connection: 421 /) x 2], 0, 1],
	['5xx at connect', { connect => '554 5.7.1 go away' },
	    [(qr/^451 4\.4\.1 .*refused a connection: 554 /) x 2], 0, 1],
	['cut at connect', { connect => 'cut' }, [$LOST, $LOST], 0, 1],
	['slow at connect', { connect => 'slow' }, [$OK, $OK], 1, 1],
	['no SMTP at connect', { connect => 'hello world' },
	    [(qr/^451 4\.4\.2 .*no reply/) x 2], 0, 1],

	['4xx at EHLO', { ehlo => '451 4.3.0 later' },
	    [(qr/^451 4\.4\.1 .*refused EHLO: 451 /) x 2], 0, 1],
	['5xx at EHLO', { ehlo => '550 5.7.1 no' },
	    [(qr/^451 4\.4\.1 .*refused EHLO: 550 /) x 2], 0, 1],
	['cut at EHLO', { ehlo => 'cut' }, [$LOST, $LOST], 0, 1],
	['slow at EHLO', { ehlo => 'slow' }, [$OK, $OK], 1, 1],

	['refusal of XFORWARD', { xforward => '550 5.7.0 no' },
	    [$OK, $OK], 1, 1],
	['cut at XFORWARD', { xforward => 'cut' }, [$OK, $OK], 1, 2],

	['4xx at MAIL', { mail => '450 4.7.1 later' },
	    [(qr/^450 4\.7\.1 later/) x 2], 0, 1],
	['421 at MAIL', { mail => '421 4.3.2 bye' }, [$OK, $OK], 1, 2],
	['5xx at MAIL', { mail => '550 5.7.1 no' },
	    [(qr/^451 4\.7\.1 next hop said: 550 5\.7\.1 no/) x 2], 0, 1],
	['552 at MAIL', { mail => '552 5.3.4 too large' },
	    [(qr/^552 5\.3\.4 too large/) x 2], 0, 1],
	['cut at MAIL', { mail => 'cut' }, [$OK, $OK], 1, 2],
	['slow at MAIL', { mail => 'slow' }, [$OK, $OK], 1, 1],
	['nonsense at MAIL', { mail => 'what?' }, [$OK, $OK], 1, 2],

	['4xx at one RCPT', { rcpt => { $C => '450 4.2.1 later' } },
	    [$OK, qr/^450 4\.2\.1 later/], 1, 1],
	['5xx at one RCPT', { rcpt => { $B => '550 5.1.1 who?' } },
	    [qr/^451 4\.1\.1 next hop said: 550 5\.1\.1/, $OK], 1, 1],
	['4xx and 5xx at RCPT', { rcpt =>
	    { $B => '450 4.2.1 later', $C => '550 5.1.1 who?' } },
	    [qr/^450 4\.2\.1/, qr/^451 4\.1\.1 /], 0, 1],
	['421 at one RCPT', { rcpt => { $C => '421 4.3.2 bye' } },
	    [$OK, $OK], 1, 2],
	['cut at one RCPT', { rcpt => { $C => 'cut' } }, [$OK, $OK], 1, 2],
	['slow at RCPT', { rcpt => 'slow' }, [$OK, $OK], 1, 1],

	['cut in the message', { body => 'cut' }, [$OK, $OK], 1, 2],
	['421 in the message', { body => '421 4.3.2 bye' }, [$OK, $OK], 1, 2],

	['4xx after data', { end => '451 4.3.0 later' },
	    [(qr/^451 4\.3\.0 later/) x 2], 0, 1],
	['421 after data', { end => '421 4.3.2 bye' },
	    [(qr/^451 4\.3\.2 bye|^451 4\.4\.2 bye/) x 2], 0, 1],
	['5xx after data', { end => '554 5.6.0 spam' },
	    [(qr/^451 4\.6\.0 next hop said: 554 5\.6\.0 spam/) x 2], 0, 1],
	['552 after data', { end => '552 5.3.4 too large' },
	    [(qr/^552 5\.3\.4 too large/) x 2], 0, 1],
	['3xx after data', { end => '354 more' },
	    [(qr/^451 4\.0\.0 next hop said: 354/) x 2], 0, 1],
	# The two that the protocol cannot know: it is delivered, and Postfix
	# comes again
	['cut after data', { end => 'cut' },
	    [(qr/^451 4\.4\.2 .*may have the message/) x 2], 1, 1],
	['slow after data', { end => 'slow' }, [$OK, $OK], 1, 1],
);
my @by_data = (
	['4xx at DATA', { data => '451 4.3.0 later' },
	    [(qr/^451 4\.3\.0 later/) x 2], 0, 1],
	['421 at DATA', { data => '421 4.3.2 bye' }, [$OK, $OK], 1, 2],
	['5xx at DATA', { data => '554 5.5.1 no' },
	    [(qr/^451 4\.5\.1 next hop said: 554/) x 2], 0, 1],
	['250 at DATA', { data => '250 2.0.0 well' },
	    [(qr/^451 4\.5\.0 .*250 2\.0\.0 well/) x 2], 0, 1],
	['cut at DATA', { data => 'cut' }, [$OK, $OK], 1, 2],
	['slow at DATA', { data => 'slow' }, [$OK, $OK], 1, 1],
);
# step, copies, connections that are silent one after the other, seconds that
# each of them has
my @silent = (
	['connect', 0, 1, 30], ['ehlo', 0, 1, 30], ['xforward', 0, 2, 60],
	['mail', 0, 2, 60], ['rcpt', 0, 2, 60], ['body', 0, 2, 60],
	['end', 1, 1, 230],
);

my @kinds = (
	['SMTP with BDAT', [], 0],
	['SMTP with DATA', [without => 'CHUNKING'], 1],
	['SMTP without pipelining', [offer => ['XFORWARD NAME IDENT']], 1],
	['LMTP with BDAT', [kind => 'lmtp', unix => 1], 0],
	['LMTP with DATA', [kind => 'lmtp', without => 'CHUNKING'], 1],
);

# A dkimsign that knows what the next hop offers, without a connection to it:
# the first one was for LHLO, and was closed
sub
started
{
	my ($hop) = @_;
	my $dkimsign = PosternSign->start(ldif => tenant('client1.example'),
	    conf => { next_hop => $hop->uri() });
	my $lmtp = $dkimsign->lmtp()->lhlo();

	$lmtp->{offer} =~ /^250 /m or die "no offer: $lmtp->{offer}\n";
	return ($dkimsign, $lmtp);
}

sub
connections
{
	my ($hop) = @_;
	my %seen = map { /^(\d+)/ ? ($1 => 1) : () } $hop->said();

	return scalar(keys(%seen));
}

# One message into a session: the replies to its two recipients
sub
send_one
{
	my ($lmtp, $text) = @_;
	my @replies = $lmtp->send_mail($ANNA, [$B, $C], $text // $TEXT,
	    NAME => 'laptop', IDENT => '4FQ');

	return @replies[2, 3];
}

sub
judge
{
	my ($name, $hop, $want, $copies, @replies) = @_;
	my @mails = $hop->delivered();

	like($replies[$_] // '', $want->[$_],
	    "$name: reply to recipient " . ($_ + 1)) for 0, 1;
	is(scalar(@mails), $copies, "$name: copies delivered");
	for (@mails) {
		(my $text = $_->{text}) =~
		    s/\A(?:DKIM-Signature:.*\r\n(?:\s.*\r\n)*)*//;
		ok($text eq $TEXT || $text eq $LARGE,
		    "$name: the message is whole");
	}
}

# The first connection is made for LHLO and kept. A 421 and a cut on it are not
# even seen by Postfix; so that each row meets the connection it is written for,
# that one is closed.
sub
test_row
{
	my ($kind, $args, $row) = @_;
	my ($name, $plan, $want, $copies, $connections) = @$row;
	my $hop = PosternHop->start(@$args, plan => [{}]);
	my ($dkimsign, $lmtp) = started($hop);

	$hop->plan($plan, {});
	judge("$kind: $name", $hop, $want, $copies,
	    send_one($lmtp, $plan->{body} ? $LARGE : $TEXT));
	is(connections($hop), $connections, "$kind: $name: connections");
	# Postfix comes again, and the message is there
	if ($want->[0] ne $OK) {
		my @again = send_one($lmtp);

		like($again[0], $OK, "$kind: $name: the next time it is sent");
		is(scalar($hop->delivered()), $copies + 1,
		    "$kind: $name: once more");
	}
	is($dkimsign->stop(), '', "$kind: $name: stops cleanly");
	$hop->stop();
}

sub
test_silence
{
	my ($kind, $args, $step, $copies, $tries, $secs) = @_;
	my $hop = PosternHop->start(@$args, plan => [{}]);
	my ($dkimsign, $lmtp) = started($hop);
	my $saw = { connect => qr/connect$/, ehlo => qr/(EHLO|LHLO)/,
	    body => qr/body$/, end => qr/end$/ }->{$step} // qr/\Q\U$step\E/;

	$hop->plan({ $step => 'silence' });
	$lmtp->envelope($ANNA, [$B, $C], NAME => 'laptop', IDENT => '4FQ');
	$lmtp->say('DATA');
	$lmtp->text($step eq 'body' ? $LARGE : $TEXT);
	for my $number (1 .. $tries) {
		ok($hop->wait_said(qr/^$number .*$saw/),
		    "$kind: silence at $step: connection $number");
		ok($lmtp->is_silent(), "$kind: silence at $step: so are we");
		$dkimsign->advance("${secs}s");
	}
	judge("$kind: silence at $step", $hop, [$SILENT, $SILENT], $copies,
	    $lmtp->reply(), $lmtp->reply());
	is($dkimsign->stop(), '', "$kind: silence at $step: stops cleanly");
	$hop->stop();
}

for (@kinds) {
	my ($kind, $args, $has_data) = @$_;

	test_row($kind, $args, $_) for @once, $has_data ? @by_data : ();
	test_silence($kind, $args, @$_) for @silent,
	    $has_data ? ['data', 0, 2, 60] : ();
}

# Lost in every try, as by Postfix's smtpd_hard_error_limit
my $errors = { rcpt => { $B => '552 5.2.2 full', $C => '421 4.7.0 errors' } };
for (['BDAT', []], ['DATA', [without => 'CHUNKING']]) {
	my ($kind, $args) = @$_;
	my $hop = PosternHop->start(@$args, plan => [{}]);
	my ($dkimsign, $lmtp) = started($hop);

	$hop->plan($errors);
	judge("$kind: refused, then lost, twice", $hop,
	    [qr/^552 5\.2\.2 full/, qr/^451 4\.7\.0 errors/], 0,
	    send_one($lmtp));
	is(connections($hop), 2, "$kind: connections");
	$hop->stop();
}

# One reply per recipient, where the next hop is LMTP
test_row('LMTP', [kind => 'lmtp'], ['two answers',
    { end => ['250 2.0.0 Ok: queued', '452 4.2.2 full'] },
    [$OK, qr/^452 4\.2\.2 full/], 1, 1]);
test_row('LMTP', [kind => 'lmtp'], ['cut behind the first answer',
    { end => ['250 2.0.0 Ok: queued', 'cut'] },
    [$OK, qr/^451 4\.4\.2 .*may have/], 1, 1]);

done_testing();
