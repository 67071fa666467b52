#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 76-kill.t - SIGKILL of dkimsign at 200 random moments, while Postfix hands it
# mail as fast as it can: every message arrives whole and signed, and twice only
# where the answer to its last byte was lost.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(slurp spew temp_dir wait_until);
use PosternLdif qw(dkim_key new_pem tenant);
use PosternSigned;
use Test::More;
use Time::HiRes qw(sleep);

plan(skip_all => 'Postfix has to be started by root') if $> != 0;

my $KILLS = $ENV{POSTERN_KILLS} // 200;
my $SENDERS = 3;
my ($ANNA, $BOB) = ('anna@client1.example', 'bob@client2.example');
my $spool = temp_dir();
my $sent = temp_dir();

# What was deferred comes again at once
my $postfix = PosternSigned->new(mailboxes => [$BOB],
    logins => { $ANNA => 'secret' }, main => <<END);
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
END
my $dkimsign = PosternSign->start(ldif => tenant('client1.example') .
    dkim_key('client1.example', 'e', new_pem('ed25519')),
    conf => $postfix->conf(spool_dir => "$spool"));
$postfix->start();

# So that one that is cut, or twice in one, is seen
sub
body
{
	my ($number) = @_;
	my $lines = $number % 25 == 0 ? 17000 : 1 + $number % 40;

	return join('', map { "$number.$_ " . 'x' x 60 . "\r\n" } 1 .. $lines);
}

# Sends until it is told to stop, and writes down what Postfix has taken
sub
send_all
{
	my ($first) = @_;
	my $smtp = $postfix->submission($ANNA, 'secret');
	my $is_over = 0;

	local $SIG{TERM} = sub { $is_over = 1 };
	open(my $taken, '>', "$sent/$first") or die $!;
	for (my $number = $first; !$is_over; $number += $SENDERS) {
		my $reply = ($smtp->send_mail($ANNA, [$BOB], "From: $ANNA\r\n" .
		    "X-Number: $number\r\n\r\n" . body($number) =~
		    s/\r\n\z//r))[-1];

		print $taken "$number $1\n" if $reply =~ /^250.* as (\w+)/;
		sleep(0.03);
	}
	close($taken);
}

my @senders;
for my $first (1 .. $SENDERS) {
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0) {
		eval { send_all($first) };
		print STDERR $@ if $@;
		POSIX::_exit($@ ? 1 : 0);
	}
	push(@senders, $pid);
}

# From right at its start to long enough for a queue run
for my $number (1 .. $KILLS) {
	sleep(rand() ** 2 * 0.5);
	$dkimsign->kill_hard();
	$dkimsign->spawn();
	$postfix->flush() if $number % 4 == 0;
}
kill('TERM', @senders);
for (@senders) {
	waitpid($_, 0);
	is($?, 0, 'a sender has sent all it could');
}
my %queue_id = map { split(/ /) } map { split(/\n/, slurp($_)) }
    glob("$sent/*");

# { number => how many copies } of whole, signed ones; the others are told
my %seen;
sub
look
{
	my ($path) = @_;
	my $mail = slurp($path);
	my ($header, $body) = split(/\n\n/, $mail, 2);
	my ($number) = $header =~ /^X-Number: (\d+)$/m or return;

	return if $seen{$number}{$path}++;
	push(@{ $seen{wrong} }, "$number is not signed")
	    if $header !~ /^DKIM-Signature: .*\bd=client1\.example;/m;
	push(@{ $seen{wrong} }, "$number is not whole")
	    if $body ne body($number) =~ s/\r//gr;
}

my %looked;
sub
arrived
{
	for (glob("$postfix->{dir}/mail/$BOB/new/*")) {
		look($_) if !$looked{$_}++;
	}
	return grep { !$seen{$_} } keys(%queue_id);
}

my @missing;
wait_until(sub {
	$postfix->flush();
	sleep(0.5);
	@missing = arrived();
	return !@missing;
}, 120);
# A second copy may be under way
ok(wait_until { `postqueue -c $postfix->{dir}/conf -p` =~ /queue is empty/ },
    'nothing waits any more');
arrived();
cmp_ok(scalar(keys(%queue_id)), '>', $KILLS, 'there was mail all the time');
is(join(' ', @missing), '', 'all of ' . keys(%queue_id) . ' arrived');
is_deeply($seen{wrong} // [], [], 'whole and signed');

# Postfix says of a message whose answer did not come that it may come twice
my %doubtful = map { $_ => 1 } $postfix->log() =~
    /: (\w+): .*while sending end of data/g;
my @twice = grep { keys(%{ $seen{$_} }) > 1 } keys(%queue_id);

is(join(' ', grep { !$doubtful{$queue_id{$_}} } @twice), '',
    'twice only where the answer was lost');
my $lost = () = $postfix->log() =~ /lost connection with .*dkimsign/g;
cmp_ok($lost, '>', 0, 'dkimsign was killed at work');
diag("$KILLS kills, " . keys(%queue_id) . ' messages, ' . $lost .
    ' sessions cut, ' . keys(%doubtful) . ' answers lost, ' . @twice .
    ' messages twice');
is_deeply([glob("$spool/*")], [], 'nothing is left in spool_dir');
is($dkimsign->stop(), '', 'dkimsign stops cleanly');

done_testing();
