#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 54-burst.t - 5,000 tenants on a real slapd, changed one by one, in a burst,
# all at once by their template, and taken away: in force, while requests go
# on, at a price that knows nothing of how many others there are.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use POSIX ();
use Postern qw(inbound outbound slurp wait_until);
use PosternLdif qw(template tenant);
use PosternSlapd qw($BASE);
use Test::More;
use Time::HiRes qw(time);

my $MANY = 5000;
my $MAX = 1;		# seconds without an answer: work of all tenants at
			# once in the loop takes longer
my $SECS = 20;

sub
policyd_with
{
	my ($tenants) = @_;
	my $slapd = PosternSlapd->start(syncprov => 1,
	    sizelimit => 'unlimited');

	$slapd->load(template('gold') . join('',
	    map { tenant("t$_.example", Template => 'gold') } 1 .. $tenants));
	my $policyd = Postern->start(conf => {
	    directory => $slapd->settings() });
	return ($slapd, $policyd);
}

# All changes by one ldapmodify: [DN, attribute, value] ...
sub
change
{
	my ($slapd, @changes) = @_;

	$slapd->modify(join('', map { "dn: $_->[0],$BASE\n" .
	    "changetype: modify\nreplace: $_->[1]\n$_->[1]: $_->[2]\n\n" }
	    @changes));
}

# What the directory's thread has used of a processor, in seconds
sub
used
{
	my ($policyd) = @_;
	my $all = "/proc/$policyd->{pid}/task";
	my $ns = 0;

	for my $stat (glob("$all/*/schedstat")) {
		$ns += (split(' ', slurp($stat)))[0]
		    if $stat !~ m|task/$policyd->{pid}/|;
	}
	return $ns / 1e9;
}

sub
is_suspended
{
	my ($policyd, $number) = @_;

	return $policyd->ask(outbound("a\@t$number.example",
	    'b@far.example')) =~ /^4/;
}

# The tenants that there are, by their status
sub
statuses
{
	my ($policyd) = @_;
	my ($body) = $policyd->control('/domains') =~ /\r\n\r\n(.*)/s;
	my %count;

	$count{$_->{status}}++ for @{decode_json($body)->{tenants}};
	return \%count;
}

sub
reads
{
	my ($policyd) = @_;

	return $policyd->control('/check') =~ /"reads": *(\d+)/ ? $1 : -1;
}

# What one change costs the thread, each alone
sub
price
{
	my ($slapd, $policyd) = @_;
	my $began = used($policyd);

	for my $i (1 .. 20) {
		change($slapd, ["dc=t$i.example", 'posternStatus',
		    'suspended']);
		wait_until { is_suspended($policyd, $i) };
	}
	return (used($policyd) - $began) / 20;
}

# Asks until it is told to end; then says what the longest wait was
sub
ask_meanwhile
{
	my ($policyd) = @_;
	my $pid = open(my $pipe, '-|') // die "fork: $!\n";

	return ($pid, $pipe) if $pid;
	my ($end, $longest, $client) = (0, 0, $policyd->connect());
	local $SIG{TERM} = sub { $end = 1 };
	while (!$end) {
		my $began = time();
		my $answer = $client->ask(inbound('a@stranger.example',
		    'a@t1.example'));
		$longest = 1000 if $answer !~ /^\S/;
		$longest = time() - $began if time() - $began > $longest;
	}
	print "$longest\n";
	close(STDOUT);
	POSIX::_exit(0);
}

my ($few_slapd, $few) = policyd_with(50);
my ($slapd, $policyd) = policyd_with($MANY);

is_deeply(statuses($policyd), { active => $MANY }, 'all tenants are there');

subtest 'one change' => sub {
	my $cheap = price($few_slapd, $few);
	my $dear = price($slapd, $policyd);

	# looking at every tenant would cost a hundred times as much
	cmp_ok($dear, '<', 5 * $cheap + 0.002, 'costs what is changed, ' .
	    "not what there is: $dear s, $cheap s");
	is($few->stop(), '', 'policyd stops cleanly');
};

subtest 'a burst of changes' => sub {
	my ($pid, $pipe) = ask_meanwhile($policyd);
	my $began = used($policyd);

	change($slapd, map({ ["dc=t$_.example", 'posternStatus',
	    'suspended'] } 1 .. $MANY));
	my $sent = time();
	ok(wait_until(sub { is_suspended($policyd, $MANY) }, $SECS),
	    'the last is in force');
	diag(sprintf("in force after %.3f s", time() - $sent))
	    if time() - $sent > 2;
	is_deeply(statuses($policyd), { suspended => $MANY },
	    'and all the others');
	cmp_ok(used($policyd) - $began, '<', $MANY * 0.002,
	    'at less than two milliseconds each');
	kill('TERM', $pid);
	my $longest = <$pipe>;
	close($pipe);
	cmp_ok($longest, '<', $MAX, 'no request waits for that: ' .
	    ($longest * 1000) . ' ms');
};

subtest 'a template of all of them' => sub {
	$slapd->modify(join('', map { "dn: dc=t$_.example,$BASE\n" .
	    "changetype: modify\ndelete: posternStatus\n\n" } 1 .. $MANY));
	ok(wait_until(sub { !is_suspended($policyd, $MANY) }, $SECS),
	    'they say nothing themselves');
	change($slapd, ['dc=t2.example', 'posternStatus', 'suspended']);
	wait_until { is_suspended($policyd, 2) };
	my $began = used($policyd);
	change($slapd, ['cn=gold', 'posternStatus', 'suspended']);
	ok(wait_until(sub { is_suspended($policyd, 1) }, $SECS),
	    'what it says holds');
	cmp_ok(used($policyd) - $began, '<', 0.02,
	    'and costs no more than one entry');
	is_deeply(statuses($policyd), { suspended => $MANY }, 'for each');
};

subtest 'many are taken away, one by one' => sub {
	my $held = qr/not adopted, as it would remove 600 of $MANY tenants/;

	kill('STOP', $policyd->{pid});
	$slapd->modify(join('', map { "dn: dc=t$_.example,$BASE\n" .
	    "changetype: delete\n\n" } 1 .. 600));
	kill('CONT', $policyd->{pid});
	ok($policyd->wait_log($held), 'what comes as one is held back');
	is(statuses($policyd)->{suspended}, $MANY, 'all still serve');
	my $before = reads($policyd);
	$slapd->add(tenant('new.example'));
	wait_until { reads($policyd) > $before };
	is(statuses($policyd)->{active}, undef,
	    'a change on top of it is, too');
	$slapd->add(join('', map { tenant("t$_.example",
	    Status => 'disabled') } 1 .. 200));
	ok(wait_until(sub { (statuses($policyd)->{disabled} // 0) == 200 },
	    $SECS), 'when most are back, it comes into force');
	is(statuses($policyd)->{suspended}, $MANY - 600,
	    'without those that are gone');
};

is($policyd->stop(), '', 'policyd stops cleanly');
done_testing();
