#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 61-failures-ldap.t - slapd breaks, or is told nonsense, under a steady load:
# DESIGN section 8. No request waits for it, each has its one answer, by the
# last snapshot; without one, as on_no_directory says.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(free_port outbound slurp spew wait_until);
use PosternLdif qw(mailbox tenant);
use PosternLoad;
use PosternSlapd qw($BASE $READER);
use Test::More;
use Time::HiRes qw(time);

my $IN_TIME = 2;	# only a fault takes longer on a busy machine
my $LIMIT = 10;

sub
limit
{
	my ($count) = @_;

	return "few outbound mailbox recipients $count/1h";
}

my $TENANTS = tenant('ours.example', RateLimit => limit($LIMIT)) .
    mailbox('free@ours.example', RateLimit => limit('1M')) .
    join('', map { tenant("t$_.example") } 1 .. 20);
my %WELL = ('full limit' => 1, 'free permit' => 1);

sub
policyd_on
{
	my ($slapd, %conf) = @_;

	return Postern->start(conf => { log_level => 'info',
	    metrics => 'inet:127.0.0.1:' . free_port(),
	    directory => $slapd->settings(poll => '1s'), %conf });
}

sub
sends
{
	my ($user, $number) = @_;

	return outbound("$user\@ours.example", "x$number\@far.example");
}

sub
load
{
	my (@policyds) = @_;

	for my $policyd (@policyds) {
		$policyd->ask(sends('full', "first$_")) for 1 .. $LIMIT;
	}
	return PosternLoad->start(\@policyds, sub {
		my ($number) = @_;
		my $user = rand() < 0.5 ? 'full' : 'free';

		return ($user, sends($user, $number));
	});
}

# Whatever is asked in that time, or now, has these answers
sub
says
{
	my ($load, $expected, $name, $from, $host) = @_;
	my $begin = $load->more(100);
	my $said = $load->verdicts($from // $begin, time(), $host);

	is_deeply({ map { $_ => 1 } keys(%$said) }, $expected, $name);
}

sub
ends_well
{
	my ($load, @policyds) = @_;

	is_deeply($load->stop(), { }, 'each request had its one answer');
	cmp_ok($load->longest(), '<', $IN_TIME, 'in time');
	cmp_ok($_->told(qr/./), '<', 40, 'the log is not filled')
	    for @policyds;
	is($_->stop(), '', 'policyd stops cleanly') for @policyds;
}

# A new limit, which the load does not feel, is in force
sub
follows
{
	my ($slapd, $policyd, $count) = @_;

	$slapd->replace('dc=ours.example', 'posternRateLimit', limit($count));
	ok(wait_until { ($policyd->policyctl('show', 'ours.example'))[1] =~
	    m{ $count/1h} }, 'and follows what is changed');
}

sub
is_up
{
	my ($policyd, $expected, $name) = @_;

	is($policyd->metric('postern_policyd_directory_up'), $expected, $name);
}

for my $syncprov (0, 1) {
subtest "slapd is gone, syncprov $syncprov" => sub {
	my $slapd = PosternSlapd->start(syncprov => $syncprov);

	$slapd->add($TENANTS);
	my $policyd = policyd_on($slapd);
	my $load = load($policyd);
	my $from = $load->more(20);

	is_up($policyd, 1, 'a metric tells that it is there');
	$slapd->stop('KILL');
	ok($policyd->wait_log(qr/error: directory: .*last snapshot serves/),
	    'it is told');
	is_up($policyd, 0, 'a metric tells it');
	$load->more(200);
	$slapd->launch();
	ok($policyd->wait_log(qr/directory: .* can be read again/),
	    'that it is back, too');
	is_up($policyd, 1, 'and the metric');
	says($load, \%WELL, 'nobody felt it', $from);
	follows($slapd, $policyd, $LIMIT - 1);
	is($policyd->told(qr/last snapshot serves/), 1, 'one line told it');
	is($policyd->told(qr/can be read again/), 1, 'and one the end of it');
	ends_well($load, $policyd);
};
}

subtest 'slapd does not let us in any more' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);
	my $password = sub {
		$slapd->modify("dn: $READER\nchangetype: modify\n" .
		    "replace: userPassword\nuserPassword: $_[0]\n");
	};

	$slapd->add($TENANTS);
	my $policyd = policyd_on($slapd);
	my $load = load($policyd);
	my $from = $load->more(20);

	$password->('another');
	$slapd->stop();
	$slapd->launch();
	ok($policyd->wait_log(qr/Invalid credentials/), 'it is told');
	is_up($policyd, 0, 'a metric tells it');
	$password->(slurp($slapd->path('password')) =~ s/\n//r);
	ok($policyd->wait_log(qr/can be read again/), 'that it does, too');
	is_up($policyd, 1, 'and the metric');
	says($load, \%WELL, 'nobody felt it', $from);
	follows($slapd, $policyd, $LIMIT - 1);
	ends_well($load, $policyd);
};

subtest 'slapd is silent' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);

	$slapd->add($TENANTS);
	my $policyd = policyd_on($slapd);
	my $load = load($policyd);

	kill('STOP', $slapd->{pid});
	my $from = $load->more(20);
	# until policyd asks it whether it lives
	$load->more(20) while time() < $from + 1.5;
	says($load, \%WELL, 'nobody felt it', $from);
	kill('CONT', $slapd->{pid});
	follows($slapd, $policyd, $LIMIT - 1);
	kill('STOP', $slapd->{pid});
	ends_well($load, $policyd);
	kill('CONT', $slapd->{pid});
};

subtest 'slapd is gone at start' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);

	$slapd->add($TENANTS);
	$slapd->stop();
	my @both = map { policyd_on($slapd, on_no_directory => $_) }
	    qw(permit defer);
	my $load = load(@both);

	says($load, { map { ("$_ permit" => 1) } qw(full free) },
	    'on_no_directory = "permit"', undef, 0);
	says($load, { map { ("$_ directory" => 1) } qw(full free) },
	    'on_no_directory = "defer"', undef, 1);
	for my $policyd (@both) {
		is($policyd->told(qr/there is no snapshot yet/), 1,
		    'it is told once');
		is_up($policyd, 0, 'and by a metric');
	}
	$slapd->launch();
	ok($_->wait_log(qr/directory: .* can be read again/),
	    'it is found when it comes') for @both;
	is(grep({ $both[$_ % 2]->ask(sends('fresh', $_)) eq 'DUNNO' }
	    1 .. 6 * $LIMIT), 2 * $LIMIT, 'and then the limit holds');
	for my $host (0, 1) {
		ok(wait_until { !$load->verdicts($load->more(20), time(),
		    $host)->{'full permit'} }, 'for the load, too');
		says($load, \%WELL, 'always', undef, $host);
		is_up($both[$host], 1, 'the metric tells it');
	}
	follows($slapd, $both[1], $LIMIT - 1);
	ends_well($load, @both);
};

subtest 'bad values, and a domain that is taken' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);

	$slapd->add($TENANTS);
	my $policyd = policyd_on($slapd);
	my $load = load($policyd);
	my $from = $load->more(20);
	my $errors = sub {
		$policyd->metric('postern_policyd_directory_errors') };

	is($errors->(), 0, 'nothing is wrong');
	$slapd->replace('dc=ours.example', 'posternRateLimit',
	    'few outbound mailbox recipients many/1h');
	ok(wait_until { $errors->() == 1 }, 'a bad limit is counted');
	$slapd->add(tenant('thief.example',
	    associatedDomain => 'ours.example'));
	ok(wait_until { $errors->() == 2 }, 'and a domain taken twice');
	$load->more(100);
	is($policyd->told(qr/error: .*many/), 1, 'one line tells the one');
	is($policyd->told(qr/error: .*dc=thief.example/), 1,
	    'and one the other');
	$slapd->modify("dn: dc=thief.example,$BASE\nchangetype: delete\n");
	$slapd->replace('dc=ours.example', 'posternRateLimit', limit($LIMIT));
	ok(wait_until { $errors->() == 0 }, 'all is well again');
	says($load, \%WELL, 'nobody felt it', $from);
	follows($slapd, $policyd, $LIMIT - 1);
	ends_well($load, $policyd);
};

subtest 'slapd shows us nothing any more' => sub {
	my $slapd = PosternSlapd->start();

	$slapd->add($TENANTS);
	my $policyd = policyd_on($slapd);
	my $load = load($policyd);
	my $from = $load->more(20);
	my $conf = slurp($slapd->path('slapd.conf'));
	my $again = sub {
		$slapd->stop();
		spew($slapd->path('slapd.conf'), $_[0]);
		$slapd->launch();
	};

	$again->($conf =~ s/^(access to )\*(.*) by /$1dn.base=$BASE$2 by /mr);
	ok($policyd->wait_log(qr/directory: not adopted/), 'it is told');
	is($policyd->metric('postern_policyd_directory_held'), 1,
	    'and by a metric');
	$load->more(200);
	$again->($conf);
	ok(wait_until { $policyd->metric('postern_policyd_directory_held') ==
	    0 }, 'until it shows them again');
	is($policyd->told(qr/not adopted/), 1, 'one line told it');
	says($load, \%WELL, 'nobody felt it', $from);
	follows($slapd, $policyd, $LIMIT - 1);
	ends_well($load, $policyd);
};

done_testing();
