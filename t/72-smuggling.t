#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 72-smuggling.t - one message stays one, whatever is written for its end: every
# sequence that some server takes for CRLF.CRLF (CVE-2023-51764, -51765, -51766
# and their kin), handed on by DATA and by BDAT.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern;
use PosternHop;
use PosternLdif qw(tenant);
use PosternSign;
use Test::More;

my ($ANNA, $B) = ('a@client1.example', 'b@x.example');
my $HEAD = "From: a\@client1.example\r\nSubject: outer\r\n\r\nouter\r\n";
my $SECOND = "MAIL FROM:<evil\@client1.example>\r\nRCPT TO:<$B>\r\nDATA\r\n" .
    "From: evil\@client1.example\r\n\r\ninner";

# Everything that may stand before, at and behind a dot, but for the real end
my @breaks = ("\r\n", "\n", "\r", "\r\r\n", "\n\r", "\0\n", "\r\0\n", "\n\n");
my @sequences = map { my $before = $_; map { "$before.$_" } @breaks } @breaks;
push(@sequences, "\r\n.\r\0\n", "\r\n\0.\r\n", "\r\n.\0\r\n", "\r\n. \r\n",
    "\r\n.\t\r\n", "\r\n..\r\n", "\n..\n", "\r\n.\r\r\n", "\n.\r\n.\n");

# The sequence ends with CRLF.CRLF or begins a line with it: that is an end
sub
is_end
{
	return $_[0] =~ /\r\n\.\r\n/;
}

# No byte that is not part of a line: may go on, as part of the message
sub
is_clean
{
	return ($_[0] =~ s/\r\n//gr) !~ /[\r\n\0]/;
}

sub
shown
{
	return $_[0] =~ s/\r/<CR>/gr =~ s/\n/<LF>/gr =~ s/\0/<NUL>/gr;
}

for (['BDAT', []], ['DATA', [without => 'CHUNKING']]) {
	my ($kind, $args) = @$_;
	my $hop = PosternHop->start(@$args);
	my $dkimsign = PosternSign->start(ldif => tenant('client1.example'),
	    conf => { next_hop => $hop->uri() });

	for my $sequence (grep { !is_end($_) } @sequences) {
		my $name = "$kind: " . shown($sequence);
		my $before = $hop->delivered();
		my $lmtp = $dkimsign->lmtp()->lhlo();
		my $text = $HEAD . $sequence . $SECOND;

		$lmtp->envelope($ANNA, [$B]);
		$lmtp->say('DATA');
		$lmtp->send("$text\r\n.\r\nQUIT\r\n");
		my $reply = $lmtp->reply();
		my $rest = $lmtp->reply();
		my @mails = $hop->delivered();

		if (is_clean($sequence)) {
			like($reply, qr/^250 /, "$name: is text");
			is(@mails - $before, 1, "$name: of one message");
			is($mails[-1]{text}, $text =~ s/^\.//mgr . "\r\n",
			    "$name: as it was");
		} else {
			like($reply, qr/^550 5\.6\.0 /, "$name: is refused");
			is(@mails - $before, 0, "$name: nothing is sent");
		}
		like($rest, qr/^221 /, "$name: its end is where it is");
	}
	is(scalar(grep { $_->{mail} =~ /evil/ } $hop->delivered()), 0,
	    "$kind: nobody else's message came out");

	# A line that is a dot for the next hop only
	my @replies = $dkimsign->send_mail($ANNA, [$B],
	    "$HEAD.\r\n$SECOND\r\n.\r\n..\r\n");
	like($replies[1], qr/^250 /, "$kind: a stuffed dot is a line");
	is(($hop->delivered())[-1]{text}, "$HEAD.\r\n$SECOND\r\n.\r\n..\r\n",
	    "$kind: and stays one");
	is($dkimsign->stop(), '', "$kind: stops cleanly");
}

done_testing();
