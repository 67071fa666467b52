#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 53-ldap-changes.t - entries of an LDAP server that move, are renamed, inherit,
# become bad: what a server tells of that, and what it does not tell.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(wait_until);
use PosternDirectory qw(is_ours is_suspended soon);
use PosternLdif qw(mailbox template tenant);
use PosternSlapd qw($BASE $READER);
use Test::More;

# A new name, or below another entry; each RDN without its base
sub
move
{
	my ($slapd, $from, $rdn, $superior) = @_;

	$slapd->modify("dn: $from,$BASE\nchangetype: modrdn\n" .
	    "newrdn: $rdn\ndeleteoldrdn: 1\n" .
	    (defined($superior) ? "newsuperior: $superior,$BASE\n" : ''));
}

sub
below
{
	my ($rdn, $ldif) = @_;

	return $ldif =~ s/,\Q$BASE\E/,$rdn,$BASE/gr;
}

sub
unit
{
	return join('', map { my ($name) = /^ou=([^,]*)/;
	    "dn: $_,$BASE\nobjectClass: organizationalUnit\nou: $name\n\n" }
	    @_);
}

# Whatever happens is told, not found at a poll
sub
policyd_on
{
	my ($slapd, %settings) = @_;

	return Postern->start(conf => { directory =>
	    $slapd->settings(poll => '1h', %settings) });
}

# The value of one attribute in force, and where from
sub
shown
{
	my ($policyd, $name) = @_;

	return ($policyd->policyctl('show', $name))[1];
}

sub
searches
{
	my ($slapd) = @_;

	return scalar(() = $slapd->log() =~ /SRCH base="[^"]*\Q$BASE\E"/g);
}

subtest 'into the base, and out of it' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);

	$slapd->add(unit('ou=in', 'ou=out', 'ou=sub,ou=out') .
	    below('ou=in', tenant('here.example')) .
	    below('ou=out', tenant('a.example') .
		mailbox('m@a.example', Status => 'suspended') .
		tenant('leaf.example')) .
	    below('ou=sub,ou=out', tenant('b.example') .
		mailbox('m@b.example', Status => 'suspended')));
	my $policyd = policyd_on($slapd, base => "ou=in,$BASE");
	my $second = time();

	# or else what comes could be new: LDAP counts in seconds
	wait_until { time() > $second };
	ok(is_ours($policyd, 'here.example'), 'who is below the base is ours');
	ok(!is_ours($policyd, 'a.example'), 'who is not is not');
	move($slapd, 'dc=a.example,ou=out', 'dc=a.example', 'ou=in');
	soon { is_ours($policyd, 'a.example') } 'a tenant comes';
	soon { is_suspended($policyd, 'a.example', 'm') } 'with its mailbox';
	ok(!is_suspended($policyd, 'a.example'), 'which alone is suspended');
	move($slapd, 'ou=sub,ou=out', 'ou=sub', 'ou=in');
	soon { is_ours($policyd, 'b.example') } 'a tenant comes in a container';
	soon { is_suspended($policyd, 'b.example', 'm') } 'with its mailbox';
	my $seen = searches($slapd);
	move($slapd, 'dc=leaf.example,ou=out', 'dc=leaf.example', 'ou=in');
	soon { is_ours($policyd, 'leaf.example') } 'a tenant without mailboxes';
	$slapd->add(below('ou=in', tenant('new.example') .
	    mailbox('m@new.example', Status => 'suspended')));
	$slapd->replace('dc=new.example,ou=in', 'posternGreylist', 'on');
	soon { is_suspended($policyd, 'new.example', 'm') }
	    'one that is new, with its mailbox';
	is(searches($slapd), $seen, 'for these nobody searches');
	move($slapd, 'dc=a.example,ou=in', 'dc=a.example', 'ou=out');
	soon { !is_ours($policyd, 'a.example') } 'a tenant goes';
	move($slapd, 'ou=sub,ou=in', 'ou=sub', 'ou=out');
	soon { !is_ours($policyd, 'b.example') } 'one goes in a container';
	soon { ($policyd->policyctl('check'))[0] == 0 }
	    'and nothing is wrong with those left behind'
	    or diag(($policyd->policyctl('check'))[1]);
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'a template is changed, renamed, moved, deleted' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);
	my $count = 200;

	$slapd->add(unit('ou=t') . template('strict', Status => 'suspended') .
	    join('', map { tenant("t$_.example", Template => 'strict') }
		1 .. $count));
	my $policyd = policyd_on($slapd);
	my $all = sub {
		my ($is_suspended) = @_;

		return !grep { is_suspended($policyd, "t$_.example") !=
		    $is_suspended } 1 .. $count;
	};

	ok($all->(1), 'all inherit from it');
	$slapd->replace('cn=strict', 'posternStatus', 'active');
	soon { $all->(0) } 'a change of it is one of all';
	$slapd->replace('cn=strict', 'posternStatus', 'suspended');
	soon { $all->(1) } 'and back';
	move($slapd, 'cn=strict', 'cn=harsh');
	soon { ($policyd->policyctl('check'))[0] == 1 }
	    'a new name is told: its tenants do not know it';
	ok($all->(1), 'what they had of it holds');
	$slapd->replace('dc=t1.example', 'posternTemplate',
	    "cn=harsh,$BASE");
	soon { shown($policyd, 't1.example') =~ /cn=harsh/ }
	    'a tenant takes the new name';
	$slapd->replace('cn=harsh', 'posternStatus', 'active');
	soon { !is_suspended($policyd, 't1.example') }
	    'and has what is changed there';
	ok(is_suspended($policyd, 't2.example'), 'the others have not');
	$slapd->replace("dc=t$_.example", 'posternTemplate', "cn=harsh,$BASE")
	    for 2 .. $count;
	soon { $all->(0) } 'until they take it';
	soon { ($policyd->policyctl('check'))[0] == 0 } 'then all is well';
	move($slapd, 'cn=harsh', 'cn=harsh', 'ou=t');
	soon { ($policyd->policyctl('check'))[0] == 1 } 'a move is told';
	ok($all->(0), 'and takes nothing away');
	$slapd->modify("dn: cn=harsh,ou=t,$BASE\nchangetype: delete\n");
	$slapd->add(template('harsh', Status => 'suspended'));
	soon { $all->(1) } 'deleted, and one of that name added';
	soon { ($policyd->policyctl('check'))[0] == 0 } 'all is well again';
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'bad, and good again' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);

	$slapd->add(template('strict', Status => 'suspended') .
	    tenant('a.example', Template => 'strict') .
	    tenant('b.example') . mailbox('m@b.example',
		Status => 'suspended'));
	my $policyd = policyd_on($slapd);
	my %rows = (
		template => [ 'cn=strict', 'a.example', 'a' ],
		mailbox => [ 'uid=m,dc=b.example', 'b.example', 'm' ],
	);

	for (sort(keys(%rows))) {
		my ($rdn, $domain, $user) = @{$rows{$_}};

		ok(is_suspended($policyd, $domain, $user), "a $_");
		$slapd->replace($rdn, 'posternStatus', 'sleepy');
		soon { ($policyd->policyctl('check'))[0] == 1 }
		    'that is bad is told';
		ok(is_suspended($policyd, $domain, $user),
		    'and its last good form serves');
		$slapd->replace($rdn, 'posternStatus', 'active');
		soon { !is_suspended($policyd, $domain, $user) }
		    'good again, it is in force';
		is(($policyd->policyctl('check'))[0], 0, 'and all is well');
	}
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'a referral is one line of log, and not followed' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);

	$slapd->add(tenant('a.example') . <<END);
dn: cn=ref,$BASE
objectClass: referral
objectClass: extensibleObject
cn: ref
ref: ldap://elsewhere.example/$BASE
END
	my $policyd = policyd_on($slapd);

	$slapd->replace('dc=a.example', 'posternStatus', 'suspended');
	soon { is_suspended($policyd, 'a.example') } 'a change comes';
	$policyd->reload();
	$slapd->replace('dc=a.example', 'posternStatus', 'active');
	soon { !is_suspended($policyd, 'a.example') } 'after a reload, too';
	is(() = $policyd->log() =~ /elsewhere\.example.*is not followed/g, 1,
	    'and one line tells of the referral');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

done_testing();
