# SPDX-License-Identifier: ISC
# Dkim.pm - what t/bench/measure measures of dkimsign, section by section.
package Dkim;

use strict;
use warnings;

use BenchPostfix;
use Postern qw(slurp);
use Sample qw(interleave output_of row);
use Servers;
use Signers;
use Time::HiRes qw(time);

# Size in bytes, its name, messages in a sample
my @SIZES = ([ 4096, '4 KB', 400 ], [ 102400, '100 KB', 200 ],
    [ 1048576, '1 MB', 30 ]);

# Gives a server so many messages, in 8 sessions at a time
sub
give
{
	my ($to, $domain, $bytes, $count, @words) = @_;

	system('/usr/sbin/smtp-source', @words, '-d', '-s', 8, '-m', $count,
	    '-f', "anna\@$domain", '-t', 'bob@elsewhere.example', '-F',
	    Signers::message($domain, $bytes), $to) == 0
	    or die "smtp-source failed\n";
}

# A cell: so many messages, and what they cost the signer
sub
mail_cell
{
	my ($signer, $count, $give) = @_;

	return { run => sub {
		my $before = $signer ? Servers::cpu_ns($signer) : 0;
		my $begin = time();

		$give->();
		return { per_second => $count / (time() - $begin),
		    $signer ? (cpu_us => (Servers::cpu_ns($signer) - $before) /
			1000 / $count,
			rss_mib => Servers::rss_mib($signer)) : () };
	} };
}

# -- dkimsign alone: LMTP in, a server that takes everything behind it

sub
section_dkimsign
{
	my $sink = Signers::sink();
	my $dkimsign = Signers::dkimsign("smtp+unix:$sink->{socket}");
	my %bars = ('4 KB rsa' => '<= 1.25', '100 KB rsa' => '<= 1.50');
	my (%bare, %cell, @rows);

	for my $keys (map { $Signers::KEYS{$_} } sort(keys(%Signers::KEYS))) {
		$bare{"@$keys"} = { run => sub { output_of('sign', $_[0],
		    map { Signers::key($_) } @$keys) } };
	}
	for my $size (@SIZES) {
		my ($bytes, $name, $count) = @$size;

		for my $domain (sort(keys(%Signers::KEYS))) {
			my $keys = join(' ', @{$Signers::KEYS{$domain}});

			$cell{"$name $keys"} = mail_cell($dkimsign, $count,
			    sub { give("unix:$dkimsign->{socket}", $domain,
				$bytes, $count, '-L') });
			push(@rows, { what => "$name, " .
			    ($keys =~ s/ / and /r),
			    cell => $cell{"$name $keys"},
			    against => $bare{$keys}, of => 'EVP_DigestSign',
			    bar => $bars{"$name $keys"},
			    $name eq '4 KB' ? (picture => "$name, " .
				($keys =~ s/ / and /r)) : () });
		}
	}
	push(@rows, { what => '4 KB, rsa and ed25519', of => 'RSA alone',
	    cell => $cell{'4 KB rsa ed25519'}, against => $cell{'4 KB rsa'},
	    bar => '<= 1.25' });
	interleave(map { @$_{sort(keys(%$_))} } \%bare, \%cell);
	row(delete($_->{cell}), section => 'dkimsign, CPU time by message',
	    picture_title => 'dkimsign: messages per second', is_ours => 1,
	    by => 'cpu_us', %$_) for @rows;
}

# -- the same messages through the same Postfix: unsigned, and by each signer

sub
section_milters
{
	my $sink = Signers::sink('-L', '-D', "$Signers::DIR/mail");
	my $postfix = BenchPostfix->new(sink => $sink->{socket});
	my %signer = (
		opendkim => scalar(Signers::opendkim()),
		rspamd => scalar(Signers::rspamd()),
		dkimsign => Signers::dkimsign(
		    "smtp://127.0.0.1:$postfix->{back}"),
	);
	my @names = ('unsigned', sort(grep { $signer{$_} } keys(%signer)));
	my ($count, @rows) = 200;

	$postfix->start_with(map { $_ => $signer{$_}{socket} }
	    @names[1 .. $#names]);
	for my $name (@names) {
		push(@rows, { what => "$name, 4 KB, rsa",
		    picture => $name, is_ours => $name eq 'dkimsign',
		    cell => mail_cell($signer{$name}, $count, sub {
			truncate("$Signers::DIR/mail", 0);
			give("inet:127.0.0.1:$postfix->{port}{$name}",
			    'rsa.example', 4096, $count);
			$postfix->wait_empty();
			# as many as there are messages, or none
			die "$name: not all mail is signed\n"
			    if $count * ($name ne 'unsigned') !=
			    (() = slurp("$Signers::DIR/mail") =~
				/^DKIM-Signature:/mg);
		    }) });
	}
	interleave(map { $_->{cell} } @rows);
	my $unsigned = $rows[0]{cell};

	row(delete($_->{cell}), section => 'through the same Postfix',
	    picture_title => 'Messages per second through Postfix, 4 KB, RSA',
	    $_ == $rows[0] ? () : (against => $unsigned, of => 'unsigned'), %$_)
	    for @rows;
}

1;
