#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 54-state-file.t - the copy of the directory on disk: what it is good for when
# no server answers at start, what it must not hold, and which one is refused.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(build free_port inbound slurp spew temp_dir wait_until);
use PosternDirectory qw(is_ours is_suspended policyd_with_state soon);
use PosternLdif qw(mailbox template tenant);
use PosternSlapd qw($BASE $READER);
use Test::More;
use Time::HiRes qw(sleep time);

sub
tenants
{
	my ($policyd) = @_;

	return scalar(() = ($policyd->policyctl('domains', '--json'))[1] =~
	    /"tenant"/g);
}

# As after a stop of the machine: no connection is left of the last time
sub
launch
{
	my ($policyd) = @_;

	delete($policyd->{client});
	spew($policyd->path('log'), '');
	$policyd->launch();
}

sub
state
{
	my ($policyd) = @_;

	return slurp("$policyd->{state_dir}/state");
}

# Started once, and stopped: its state file is there
sub
with_state
{
	my ($slapd, %settings) = @_;
	my $policyd = policyd_with_state($slapd, %settings);

	launch($policyd);
	wait_until { is_ours($policyd, 'a.example') };
	is($policyd->stop(), '', 'policyd stops cleanly');
	return $policyd;
}

for my $syncprov (0, 1) {
subtest "no server at the start, then one, syncprov $syncprov" => sub {
	my $slapd = PosternSlapd->start(syncprov => $syncprov);
	my $key = "cn=k,dc=a.example,$BASE";

	$slapd->add(template('strict', Status => 'suspended') .
	    tenant('a.example') . tenant('b.example', Template => 'strict') .
	    mailbox('m@a.example', Status => 'suspended') . <<END);
dn: $key
objectClass: posternDkimKey
objectClass: posternPolicy
cn: k
posternDkimSelector: s
posternDkimPrivateKey: a-secret

dn: dc=c.example,$BASE
objectClass: domain
objectClass: posternDomain
dc: c.example
associatedDomain: c.example
posternBlock:: c2VuZGVyIHhAeS5leGFtcGxlIG5vdGU9w6TDtsO8
END
	my $policyd = policyd_with_state($slapd);

	launch($policyd);
	soon { state($policyd) =~ /SHA-256/ } 'the state file is written';
	is((stat("$policyd->{state_dir}/state"))[2] & 07777, 0600,
	    'its mode is 0600');
	my $before = state($policyd);
	sleep(2.5);	# two polls
	is(state($policyd), $before, 'it is not written without a change');
	$slapd->replace('dc=a.example', 'posternStatus', 'suspended');
	soon { state($policyd) ne $before && state($policyd) =~ /SHA-256/ }
	    'a change is written by itself';
	is($policyd->stop(), '', 'policyd stops cleanly');
	my $state = state($policyd);
	like($state, qr/^# directory\.base \Q$BASE\E$/m, 'it tells its base');
	like($state, qr/^createTimestamp: \d/m, 'it has createTimestamp');
	like($state, qr/^posternBlock:: /m, 'it has what is not ASCII');
	unlike($state, qr/a-secret|PrivateKey/, 'it has no private key');
	$slapd->stop('KILL');

	launch($policyd);
	ok(is_suspended($policyd, 'a.example'), 'a tenant is there');
	ok(is_suspended($policyd, 'b.example'), 'a template is in force');
	ok(is_ours($policyd, 'c.example'), 'and nobody else is touched');
	like(($policyd->policyctl('show', 'c.example'))[1],
	    qr/note=\xc3\xa4\xc3\xb6\xc3\xbc/, 'what is not ASCII is there');
	my ($rc, $said) = $policyd->policyctl('check');
	is($rc, 1, 'policyctl check tells that no server answers');
	like($policyd->log(), qr/the state file serves/, 'the log, too');
	$said =~ s/\s+/ /g;
	like($said, qr/server; what serves is the state file, as it was written 20/,
	    'and what serves, from when');
	is(state($policyd), $state, 'the file stays as it is');
	$slapd->launch();
	$slapd->replace('dc=c.example', 'posternStatus', 'suspended');
	soon { is_suspended($policyd, 'c.example') }
	    'the server is read when it is there';
	soon { ($policyd->policyctl('check'))[0] == 0 }
	    'and policyctl check has nothing to tell'
	    or diag(($policyd->policyctl('check'))[1]);
	is($policyd->stop(), '', 'policyd stops cleanly');
	isnt(state($policyd), $state, 'what it said is written at the stop');
};
}

subtest 'a server that has lost its tenants, and a restart' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);

	$slapd->add(join('', map { tenant("$_.example") } 'a' .. 'z'));
	my $policyd = with_state($slapd);

	$slapd->modify(join("\n", map
	    { "dn: dc=$_.example,$BASE\nchangetype: delete\n" } 'b' .. 'z'));
	launch($policyd);
	soon { ($policyd->policyctl('check'))[1] =~ /held\s+back/ }
	    'what would remove 25 of 26 tenants is held back';
	ok(is_ours($policyd, 'z.example'), 'the state file serves');
	is($policyd->stop(), '', 'policyd stops cleanly');
	like(state($policyd), qr/z\.example/, 'and is not replaced');
	launch($policyd);
	soon { ($policyd->policyctl('check'))[1] =~ /held\s+back/ }
	    'it is held back again';
	is(($policyd->policyctl('accept-snapshot'))[0], 0,
	    'it can be accepted');
	soon { !is_ours($policyd, 'z.example') } 'and is in force then';
	is($policyd->stop(), '', 'policyd stops cleanly');
	unlike(state($policyd), qr/z\.example/, 'and in the state file');
};

subtest 'a file that is not to be believed' => sub {
	my $slapd = PosternSlapd->start();

	$slapd->add(tenant('a.example'));
	my $policyd = with_state($slapd);
	my $good = state($policyd);
	my %bad = (
		empty => '',
		'cut in the middle' => substr($good, 0, length($good) / 2),
		'cut by a byte' => substr($good, 0, -1),
		'cut by its last line' => $good =~ s/[^\n]*\n\z//r,
		'edited' => $good =~ s/a\.example/b.example/gr,
		'longer' => "${good}x\n",
		'LDIF of somebody else' => tenant('a.example'),
	);

	$slapd->stop('KILL');
	for (sort(keys(%bad))) {
		spew("$policyd->{state_dir}/state", $bad{$_});
		launch($policyd);
		like($policyd->ask(inbound('x@y.example', 'a@a.example')),
		    qr/^4/, "$_: there is no directory");
		like($policyd->log(), qr/warning: state file: .*: not whole,/,
		    'and that is told');
		$policyd->stop();
	}
	spew("$policyd->{state_dir}/state", $good);
	for ([base => "dc=other,$BASE"], [uri => 'ldap://127.0.0.1:1']) {
		my $other = policyd_with_state($slapd, @$_,
		    state_file => "$policyd->{state_dir}/state");

		launch($other);
		like($other->ask(inbound('x@y.example', 'a@a.example')),
		    qr/^4/, "another $_->[0]: there is no directory");
		like($other->log(), qr/of another directory\.base or/,
		    'and that is told');
		is($other->stop(), '', 'policyd stops cleanly');
		is(state($policyd), $good, 'and the file stays');
	}
	launch($policyd);
	ok(is_ours($policyd, 'a.example'), 'the good one is good still');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'a file that cannot be written' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);

	$slapd->add(tenant('a.example'));
	my $policyd = policyd_with_state($slapd);
	my $dir = "$policyd->{state_dir}/none";

	$policyd->write_conf({ metrics => 'inet:127.0.0.1:' . free_port(),
	    directory => $slapd->settings(state_file => "$dir/state") });
	launch($policyd);
	soon { ($policyd->policyctl('check'))[1] =~ /No such file/ }
	    'policyctl check tells it';
	is(($policyd->policyctl('check'))[0], 1, 'as an error');
	is($policyd->metric('postern_policyd_state_file_failed'), 1,
	    'and a metric does');
	ok(is_ours($policyd, 'a.example'), 'policyd runs on');
	$slapd->replace('dc=a.example', 'posternStatus', 'suspended');
	soon { is_suspended($policyd, 'a.example') } 'changes come';
	mkdir($dir);
	is($policyd->stop(), '', 'policyd stops cleanly');
	is(() = $policyd->log() =~ /warning: state file/g, 1,
	    'one warning tells it');
	like(slurp("$dir/state"), qr/SHA-256/, 'at the stop it can be');
};

subtest 'a disk that is full' => sub {
	plan(skip_all => 'needs root and mount(8)') if $> != 0;
	my $slapd = PosternSlapd->start(syncprov => 1);
	my $policyd = policyd_with_state($slapd);
	my $dir = "$policyd->{state_dir}";

	plan(skip_all => 'cannot mount') if system('mount', '-t', 'tmpfs',
	    '-o', 'size=64k,mode=0777', 'none', $dir) != 0;
	$slapd->add(tenant('a.example'));
	launch($policyd);
	soon { state($policyd) =~ /SHA-256/ } 'a small one is written';
	$slapd->add(join('', map { tenant("t$_.example") } 1 .. 500));
	soon { ($policyd->policyctl('check'))[1] =~ /No space left/ }
	    'a full disk is told';
	ok(is_ours($policyd, 't500.example'), 'policyd runs on');
	is($policyd->stop(), '', 'policyd stops cleanly');
	like(state($policyd), qr/SHA-256/, 'a small one is there still');
	$slapd->stop('KILL');
	launch($policyd);
	ok(is_ours($policyd, 'a.example'), 'it serves after a restart');
	is($policyd->stop(), '', 'policyd stops cleanly');
	system('umount', $dir);
};

# Killed at any moment, at best while it writes: every start from what is there
# has all tenants of some moment, never some of them
subtest 'SIGKILL while it is written' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);

	$slapd->add(join('', map { tenant("t$_.example",
	    Block => [map { "sender \@x$_.example" } 1 .. 40]) } 1 .. 400));
	my $policyd = policyd_with_state($slapd);
	my $torn = 0;

	launch($policyd);
	wait_until { state($policyd) ne '' };
	for my $round (1 .. 6) {
		my $new = "$policyd->{state_dir}/state.new";

		$slapd->add(tenant("more$round.example"));
		my $end = time() + 20;
		1 until -e $new || time() > $end;	# not a sleep too long
		sleep(0.001 * ($round - 1));
		$policyd->kill_hard();
		$torn++ if -e $new;
		$slapd->stop('KILL');
		launch($policyd);
		my $tenants = tenants($policyd);
		ok($tenants >= 400 && $tenants <= 400 + $round,
		    "round $round: all $tenants tenants are there");
		unlike($policyd->log(), qr/state file: .*not whole/,
		    'from a whole file');
		$slapd->launch();
		wait_until { is_ours($policyd, "more$round.example") };
	}
	ok($torn > 0, "it was killed in the middle $torn times");
	is($policyd->stop(), '', 'policyd stops cleanly');
	ok(!-e "$policyd->{state_dir}/state.new", 'nothing is left over');
};

subtest 'policyd -n, a file as the directory, and no state file' => sub {
	my $slapd = PosternSlapd->start();

	$slapd->add(tenant('a.example'));
	my $policyd = with_state($slapd);
	my $state = state($policyd);

	$slapd->stop('KILL');
	my $said = `@{[build()]}/policyd/policyd -n -c @{[
	    $policyd->path('policyd.conf')]} 2>&1`;
	is($? >> 8, 1, 'policyd -n asks the servers alone');
	like($said, qr/contact LDAP server/, 'and tells that none answers');
	my $dir = temp_dir();
	chmod(0777, "$dir");
	my $other = Postern->start(ldif => tenant('b.example'),
	    conf => { directory => { state_file => "$dir/state" } });
	$other->stop();
	$other->write_conf({ directory => {
	    uri => 'ldif://' . $other->path('directory.ldif'),
	    state_file => "$dir/state" } });
	launch($other);
	ok(is_ours($other, 'b.example'), 'a file is read');
	is($other->stop(), '', 'policyd stops cleanly');
	ok(!-e "$dir/state", 'and has no state file');
};

done_testing();
