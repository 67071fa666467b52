#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 60-many-hosts.t - one slapd, one Redis, two policyd: to a tenant they are one.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(inbound outbound wait_until);
use PosternLdif qw(tenant);
use PosternLoad;
use PosternRedis;
use PosternSlapd qw($ADMIN);
use Test::More;
use Time::HiRes qw(time);

my $slapd = PosternSlapd->start(syncprov => 1, accesslog => 1);
my $redis = PosternRedis->start();

sub
limit
{
	my ($count) = @_;

	return "few outbound domain recipients $count/1h";
}

$slapd->add(tenant('ours.example', RateLimit => limit(100)) .
    tenant('busy.example', RateLimit => limit(500)) .
    tenant('grey.example', Greylist => 'on'));

my @both = map { Postern->start(conf => {
	directory => $slapd->settings(),
	counters => { uri => $redis->uri() }, log_level => 'info',
}) } 1 .. 2;

my $sent = 0;

sub
sends
{
	my ($domain) = @_;

	return outbound("a\@$domain", 'x' . ++$sent . '@far.example');
}

# How many of so many pass, asked of the one and of the other in turn
sub
passes
{
	my ($count) = @_;

	return scalar(grep { $both[$_ % 2]->ask(sends('ours.example')) eq
	    'DUNNO' } 1 .. $count);
}

sub
usage
{
	my ($policyd, $domain) = @_;

	return ($policyd->policyctl('usage', $domain))[1] =~
	    /few.*\s(\d+)\s/ ? $1 : '';
}

is(passes(150), 100, 'in turn: exactly the limit passes');
is(usage($_, 'ours.example'), 100, 'and each tells it') for @both;

subtest 'both at once' => sub {
	my $load = PosternLoad->start(\@both, sub {
		return ('busy', outbound('a@busy.example',
		    "x$_[0]\@far.example"));
	}, 8);
	$load->more(600);
	is_deeply($load->stop(), { }, 'each request has its answer');
	my $said = $load->verdicts(0, time());

	is($said->{'busy permit'}, 500, 'exactly the limit passes');
	ok($load->verdicts(0, time(), $_)->{'busy permit'}, "some by $_")
	    for 0, 1;
	is(usage($_, 'busy.example'), 500, 'and each tells it') for @both;
};

subtest 'the limit is edited' => sub {
	for my $count (130, 40, 150) {
		my $start = time();

		$slapd->replace('dc=ours.example', 'posternRateLimit',
		    limit($count));
		for my $policyd (@both) {
			ok(wait_until { ($policyd->policyctl('show',
			    'ours.example'))[1] =~ m{ $count/1h} },
			    "$count is in force");
			diag(sprintf('%d ms after ldapmodify was started',
			    1000 * (time() - $start)));
		}
	}
	is(passes(80), 50, 'what had passed counts, what is new passes');
	my $said = $slapd->search('-b', 'cn=accesslog',
	    '(reqMod=posternRateLimit:= * 40/1h)', 'reqAuthzID', 'reqDN');

	like($said, qr/^reqAuthzID: \Q$ADMIN\E$/m, 'accesslog tells by whom');
	like($said, qr/^reqDN: dc=ours\.example,/m, 'and which');
};

for my $host (0, 1) {
	subtest "policyd $host is started again" => sub {
		for my $end ('stop', 'kill_hard') {
			$both[$host]->$end();
			like($both[1 - $host]->ask_anew(sends('ours.example')),
			    qr/^451 .*limit few/, 'the other goes on');
			$both[$host]->launch();
			$both[$host]{client} = undef;
			is(passes(4), 0, "$end: both still know what passed");
			is(usage($_, 'ours.example'), 150, 'and tell it')
			    for @both;
		}
	};
}

subtest 'a reset by one' => sub {
	my ($rc, $said) = $both[1]->policyctl('reset', 'ours.example');

	is($rc, 0, 'works') or diag($said);
	is(usage($_, 'ours.example'), 0, 'is one for both') for @both;
	is(passes(160), 150, 'the limit holds again, exactly');
};

subtest 'a stranger' => sub {
	my @mail = inbound('a@stranger.example', 'b@grey.example');

	like($both[0]->ask(@mail), qr/^DEFER_IF_PERMIT/, 'waits at one');
	like($both[1]->ask(@mail), qr/^DEFER_IF_PERMIT .*\b[1-5]m/,
	    'and at the other');
	$_->advance('6m') for @both;
	is($both[1]->ask(@mail), 'DUNNO', 'passes at the other');
	is($both[0]->ask(@mail), 'DUNNO', 'and then at the one');
};

is($_->stop(), '', 'policyd stops cleanly') for @both;
done_testing();
