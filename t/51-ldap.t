#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 51-ldap.t - the directory on a real slapd: how it is asked, what a change of
# it does, and that nothing is lost when it is.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(build outbound slurp spew);
use PosternDirectory qw(is_ours is_suspended soon);
use PosternLdif qw(mailbox template tenant);
use PosternSlapd qw($BASE $READER certificates);
use Test::More;
use Time::HiRes qw(time);

sub
policyd_on
{
	my ($slapd, %settings) = @_;

	return Postern->start(conf => { directory =>
	    $slapd->settings(poll => '1s', %settings) });
}

# What policyd -n says of these settings: (status, output)
sub
checked
{
	my ($slapd, %settings) = @_;
	my $policyd = Postern->new(conf => { directory =>
	    $slapd->settings(%settings) });

	open(my $pipe, '-|', 'sh', '-c', 'exec "$0" "$@" 2>&1',
	    build() . '/policyd/policyd', '-c', $policyd->path('policyd.conf'),
	    '-n') or die "policyd: $!\n";
	my $output = do { local $/; <$pipe> } // '';
	close($pipe);
	return ($? >> 8, $output);
}

subtest 'without syncprov the server is polled' => sub {
	my $slapd = PosternSlapd->start();
	my ($ou, $key) = ("ou=x,$BASE", "cn=k,dc=a.example,$BASE");

	$slapd->add(tenant('a.example') . tenant('b.example') .
	    mailbox('m@a.example', Status => 'suspended') . <<END);
dn: $key
objectClass: posternDkimKey
cn: k
posternDkimSelector: s
posternDkimPrivateKey: secret

dn: ou=else,$BASE
objectClass: organizationalUnit
ou: else

dn: cn=ref,$BASE
objectClass: referral
objectClass: extensibleObject
cn: ref
ref: ldap://elsewhere.example/$BASE
END
	my $policyd = policyd_on($slapd);

	ok(is_ours($policyd, 'a.example'), 'the tenants are there');
	ok($policyd->ask(outbound('m@a.example', 'b@far.example')) =~ /^4/,
	    'and a mailbox');
	my ($rc, $said) = $policyd->policyctl('check');
	is($rc, 0, 'policyctl check finds no fault') or diag($said);
	like($said, qr/referral is not followed/, 'a referral is told');
	$slapd->replace('dc=a.example', 'posternStatus', 'suspended');
	soon { is_suspended($policyd, 'a.example') } 'a change comes';
	$slapd->stop('KILL');
	soon { ($policyd->policyctl('check'))[1] =~ /contact LDAP server/ }
	    'policyctl check tells that the server is lost';
	ok(is_ours($policyd, 'b.example'), 'the last snapshot serves');
	$slapd->launch();
	$slapd->replace('dc=a.example', 'posternStatus', 'active');
	soon { !is_suspended($policyd, 'a.example') } 'it is back by itself';
	unlike($slapd->log(), qr/attr=.*(DkimPrivateKey|\*)/i,
	    'no private key was ever asked for');
	unlike($slapd->log(), qr/filter=.*posternDkimKey/i, 'nor a key');
	like($slapd->log(), qr/attr=.*posternRateLimit/, 'but policy was');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

# Every change of what is told comes within a second
my $TOLD_SECS = 1;

subtest 'with syncprov every change comes by itself' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);

	$slapd->add("dn: ou=old,$BASE\nobjectClass: organizationalUnit\n" .
	    "ou: old\n\ndn: ou=new,$BASE\n" .
	    "objectClass: organizationalUnit\nou: new\n\n" .
	    template('strict', Status => 'suspended') .
	    tenant('a.example') . tenant('b.example', Template => 'strict') .
	    tenant('m.example') =~ s/,$BASE/,ou=old,$BASE/r);
	my $policyd = policyd_on($slapd, poll => '1h');
	my $seen = length($slapd->log());

	ok(is_suspended($policyd, 'b.example'), 'the first reading is there');
	$slapd->replace('dc=a.example', 'posternStatus', 'suspended');
	soon { is_suspended($policyd, 'a.example') } 'a change', $TOLD_SECS;
	$slapd->add(tenant('c.example'));
	soon { is_ours($policyd, 'c.example') } 'a new tenant', $TOLD_SECS;
	$slapd->modify("dn: dc=c.example,$BASE\nchangetype: modrdn\n" .
	    "newrdn: dc=renamed.example\ndeleteoldrdn: 1\n");
	soon { ($policyd->policyctl('domains'))[1] =~ /renamed\.example/ }
	    'a new name', $TOLD_SECS;
	ok(is_ours($policyd, 'c.example'), 'which keeps its domain');
	$slapd->modify("dn: dc=m.example,ou=old,$BASE\nchangetype: modrdn\n" .
	    "newrdn: dc=m.example\ndeleteoldrdn: 0\n" .
	    "newsuperior: ou=new,$BASE\n");
	$slapd->replace('dc=m.example,ou=new', 'posternStatus', 'suspended');
	soon { is_suspended($policyd, 'm.example') }
	    'a tenant that has moved', $TOLD_SECS;
	$slapd->replace('dc=a.example', 'posternStatus', 'sleepy');
	soon { ($policyd->policyctl('check'))[1] =~ /sleepy/ }
	    'a bad value is told', $TOLD_SECS;
	ok(is_suspended($policyd, 'a.example'), 'the last good form serves');
	$slapd->replace('dc=a.example', 'posternStatus', 'active');
	soon { !is_suspended($policyd, 'a.example') } 'good again', $TOLD_SECS;
	is(($policyd->policyctl('check'))[0], 0, 'and nothing is told');
	$slapd->replace('cn=strict', 'posternStatus', 'active');
	soon { !is_suspended($policyd, 'b.example') }
	    'a change of the template', $TOLD_SECS;
	$slapd->modify("dn: cn=strict,$BASE\nchangetype: delete\n");
	soon { ($policyd->policyctl('check'))[0] == 1 }
	    'a deleted template is told', $TOLD_SECS;
	$slapd->modify("dn: dc=renamed.example,$BASE\nchangetype: delete\n");
	soon { !is_ours($policyd, 'c.example') } 'a deleted tenant',
	    $TOLD_SECS;
	$slapd->add(join('', map { tenant("n$_.example") } 1 .. 300));
	soon { is_ours($policyd, 'n300.example') } 'a burst', $TOLD_SECS;
	ok(is_ours($policyd, "n$_.example"), "tenant $_ of it")
	    for 1, 150, 299;
	is(() = substr($slapd->log(), $seen) =~ /SRCH base="\Q$BASE\E"/g, 0,
	    'and nobody has searched');
	$slapd->modify("dn: ou=new,$BASE\nchangetype: modrdn\n" .
	    "newrdn: ou=moved\ndeleteoldrdn: 1\n");
	soon { ($policyd->policyctl('show', 'm.example'))[1] =~ /ou=moved/ }
	    'a subtree that has moved', $TOLD_SECS;
	$slapd->add(tenant('late.example', Status => 'suspended') =~
	    s/,$BASE/,ou=old,$BASE/r);
	soon { is_ours($policyd, 'late.example') } 'one below a container ' .
	    'that had none', $TOLD_SECS;
	$slapd->modify("dn: ou=old,$BASE\nchangetype: modrdn\n" .
	    "newrdn: ou=older\ndeleteoldrdn: 1\n");
	soon { ($policyd->policyctl('show', 'late.example'))[1] =~ /ou=older/ }
	    'moves with it', $TOLD_SECS;
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'a told server is lost, comes back, is an older one' => sub {
	my $slapd = PosternSlapd->start(syncprov => 1);

	$slapd->add(join('', map { tenant("t$_.example") } 1 .. 20));
	my $policyd = policyd_on($slapd, poll => '1h');

	ok(is_ours($policyd, 't1.example'), 'the first reading is there');
	kill('STOP', $policyd->{pid});
	$slapd->stop('KILL');
	$slapd->launch();
	$slapd->modify("dn: dc=t1.example,$BASE\nchangetype: delete\n");
	$slapd->replace('dc=t2.example', 'posternStatus', 'suspended');
	$slapd->add(tenant('new.example'));
	kill('CONT', $policyd->{pid});
	soon { is_ours($policyd, 'new.example') }
	    'what was added meanwhile is there';
	ok(!is_ours($policyd, 't1.example'), 'what was deleted has gone');
	ok(is_suspended($policyd, 't2.example'), 'what was changed is so');
	ok(is_ours($policyd, 't20.example'), 'what was not, stays');
	$slapd->stop();
	system('cp -r ' . $slapd->path('db') . ' ' . $slapd->path('old'));
	$slapd->launch();
	$slapd->replace('dc=t3.example', 'posternStatus', 'suspended');
	soon { is_suspended($policyd, 't3.example') } 'it is read again';
	$slapd->stop();
	system('rm -r ' . $slapd->path('db') . '; mv ' . $slapd->path('old') .
	    ' ' . $slapd->path('db'));
	$slapd->launch();
	soon { !is_suspended($policyd, 't3.example') }
	    'a server from an old backup is read from nothing';
	$slapd->replace('dc=t4.example', 'posternStatus', 'suspended');
	soon { is_suspended($policyd, 't4.example') } 'and tells again',
	    $TOLD_SECS;
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'a directory of several pages, and one that is cut' => sub {
	my $slapd = PosternSlapd->start(sizelimit => 'size.prtotal=600');

	$slapd->add(join('', map { tenant("t$_.example") } 1 .. 1101));
	my ($rc, $said) = checked($slapd);
	is($rc, 1, 'a result that a size limit cuts is no directory');
	like($said, qr/[Ss]ize limit exceeded/, 'and that is told');
	$slapd->stop();
	spew($slapd->path('slapd.conf'), slurp($slapd->path('slapd.conf'))
	    =~ s/^sizelimit.*$/sizelimit 5000/mr);
	$slapd->launch();
	my $policyd = policyd_on($slapd);
	ok(is_ours($policyd, "t$_.example"), "tenant $_ of 1101 is there")
	    for 1, 500, 501, 1001, 1101;
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'who we are, and to whom we talk' => sub {
	my $tls = certificates();
	my $slapd = PosternSlapd->start(tls => $tls);
	my %starttls = (uri => $slapd->ldap(), ca_file => "$tls/ca.pem");

	$slapd->add(tenant('a.example'));
	my ($rc, $said) = checked($slapd, %starttls);
	is($rc, 0, 'StartTLS with the right CA') or diag($said);
	like($slapd->log(), qr/STARTTLS.*TLS established/s, 'and it was used');
	my $binds = () = $slapd->log() =~ /BIND dn="\Q$READER\E"/g;
	($rc, $said) = checked($slapd, %starttls,
	    ca_file => "$tls/other.pem");
	is($rc, 1, 'a certificate by another CA is refused');
	($rc, $said) = checked($slapd, uri => "ldap://localhost:$slapd->{port}",
	    ca_file => "$tls/ca.pem");
	is($rc, 1, 'and one for another name');
	is(scalar(() = $slapd->log() =~ /BIND dn="\Q$READER\E"/g), $binds,
	    'and they get no password');
	($rc, $said) = checked($slapd, bind_dn => '',
	    bind_password_file => '', sasl => 'EXTERNAL');
	is($rc, 0, 'SASL EXTERNAL over ldapi') or diag($said);
	($rc, $said) = checked($slapd, uri => $slapd->ldap(), tls => 'off');
	is($rc, 0, 'plain, where that is asked for') or diag($said);
	spew($slapd->path('wrong'), "wrong\n");
	my $policyd = policyd_on($slapd,
	    bind_password_file => $slapd->path('wrong'));
	like(($policyd->policyctl('check'))[1], qr/Invalid credentials/,
	    'policyctl check tells of a wrong password');
	($rc, $said) = checked($slapd, bind_password_file => '/nonexistent');
	like($said, qr{/nonexistent: No such file}, 'and of a missing one');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'settings that do not go together' => sub {
	my $slapd = { };
	my %rows = (
		'needs directory.base' => { base => '' },
		'both or neither' => { bind_dn => '' },
		'without bind_dn' => { sasl => 'EXTERNAL' },
		'each URI is' => { uri => 'ldap://a http://b' },
		'no DN in the URI' => { uri => 'ldap://a/dc=x' },
	);
	my %good = (uri => 'ldap://a', base => $BASE, bind_dn => $READER,
	    bind_password_file => '/x');

	for (sort(keys(%rows))) {
		my $policyd = Postern->new(conf => { directory =>
		    { %good, %{$rows{$_}} } });
		my $said = `@{[build()]}/policyd/policyd -n -c @{[
		    $policyd->path('policyd.conf')]} 2>&1`;

		is($? >> 8, 1, "$_: refused");
		like($said, qr/\Q$_\E/, "$_: and told");
	}
};

for my $syncprov (0, 1) {
subtest "the second server takes over, syncprov $syncprov" => sub {
	my @slapds = map { PosternSlapd->start(syncprov => $syncprov) } 1 .. 2;

	$_->add(tenant('a.example')) for @slapds;
	my $policyd = policyd_on($slapds[0], uri => join(' ',
	    map { $_->ldapi() } @slapds));

	ok(is_ours($policyd, 'a.example'), 'the first serves');
	unlike($slapds[1]->log(), qr/\Q$READER\E" mech/, 'alone');
	$slapds[0]->stop('KILL');
	$slapds[1]->replace('dc=a.example', 'posternStatus', 'suspended');
	soon { is_suspended($policyd, 'a.example') } 'then the second';
	is($policyd->stop(), '', 'policyd stops cleanly');
};
}

done_testing();
