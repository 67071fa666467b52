#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 56-acl.t - a slapd set up by the very blocks of schema/README.md and by
# schema/acl.ldif: what each role may read and write, and must not; and that
# the log answers who changed what.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use Postern qw(outbound slurp spew srcdir temp_dir wait_until);
use PosternLdif qw(template);
use PosternSlapd qw($BASE $READER);
use Test::More;

my $TENANTS = "ou=tenants,$BASE";
my $A = "dc=a.example,$TENANTS";
my $B = "dc=b.example,$TENANTS";
my $MAILBOX = "uid=m,$A";
my $KEY = "cn=k1,$A";
my $dir = temp_dir();
my $readme = slurp(srcdir() . '/schema/README.md');

# -- the server, as the manual has it

my $slapd = PosternSlapd->start(config => 1);
mkdir("$dir/accesslog") or die $!;
$slapd->modify_as('cn=config', 'secret',
    slurp(srcdir() . '/schema/postern.ldif'), '-a');
my @blocks = $readme =~ /^```ldif\n(.*?)^```$/msg;
is(scalar(@blocks), 4, 'schema/README.md has the blocks of a server');
for my $block (@blocks) {
	$block =~ s{/var/lib/ldap/accesslog}{$dir/accesslog};
	$block =~ s{/usr/lib/ldap}{/usr/lib/openldap} if !-d '/usr/lib/ldap';
	my ($what) = $block =~ /^dn: ([^,]*)/;
	is($slapd->modify_as('cn=config', 'secret', $block), '',
	    "slapd takes the block $what");
}
is($slapd->modify_as('cn=config', 'secret',
    slurp(srcdir() . '/schema/acl.ldif')), '', 'slapd takes acl.ldif');

# -- who is there

sub
person
{
	my ($dn) = @_;
	my ($name) = $dn =~ /^cn=([^,]*)/;

	return "dn: $dn\nobjectClass: applicationProcess\n" .
	    "objectClass: simpleSecurityObject\ncn: $name\n" .
	    "userPassword: $name-secret\n\n";
}

sub
tenant
{
	my ($domain, $admin) = @_;

	return <<END;
dn: dc=$domain,$TENANTS
objectClass: domain
objectClass: posternDomain
dc: $domain
associatedDomain: $domain
description: not policy
posternRateLimit: hourly outbound mailbox recipients 50/1h

dn: cn=admins,dc=$domain,$TENANTS
objectClass: groupOfNames
cn: admins
member: $admin

END
}

my %who = (policyd => $READER, map { $_ => "cn=$_,$BASE" }
    qw(dkimsign script bob chief other stranger));
$slapd->add(join('', map({ person($who{$_}) }
    grep { $_ ne 'policyd' } sort(keys(%who)))) . <<END .
dn: cn=operators,$BASE
objectClass: groupOfNames
cn: operators
member: $who{bob}

dn: $TENANTS
objectClass: organizationalUnit
ou: tenants

END
    template('global', Greylist => 'on') . tenant('a.example', $who{chief}) .
    tenant('b.example', $who{other}) . <<END);
dn: $MAILBOX
objectClass: account
objectClass: posternMailbox
uid: m
mail: m\@a.example
posternStatus: suspended

dn: $KEY
objectClass: posternDkimKey
cn: k1
posternDkimSelector: s1
posternDkimPrivateKey: the secret
posternDkimPublicKey: public
END

# -- reading

# What somebody reads of an entry: names of attributes, '' where there is none
sub
reads
{
	my ($who, $dn) = @_;
	my $said = $who eq 'anonymous' ?
	    $slapd->search_as('', '', '-b', $dn, '-s', 'base') :
	    $slapd->search_as($who{$who}, "$who-secret", '-b', $dn, '-s',
		'base', '*', 'entryUUID') // '';
	my %names = map { $_ => 1 } $said =~ /^(\w+)::? /mg;

	return join(' ', sort(grep { $_ ne 'dn' } keys(%names)));
}

my $POLICY = 'associatedDomain entryUUID objectClass posternRateLimit';
my @readings = (
	[policyd => $A, $POLICY],
	[policyd => $MAILBOX, 'entryUUID mail objectClass posternStatus'],
	[policyd => $KEY, 'entryUUID objectClass'],
	[policyd => $who{bob}, 'entryUUID objectClass'],
	[dkimsign => $A, $POLICY],
	[dkimsign => $KEY, 'cn entryUUID objectClass posternDkimPrivateKey ' .
	    'posternDkimPublicKey posternDkimSelector'],
	[script => $MAILBOX, 'entryUUID mail objectClass posternStatus'],
	[script => $KEY, 'entryUUID objectClass'],
	[bob => $KEY, 'cn entryUUID objectClass posternDkimPublicKey ' .
	    'posternDkimSelector'],
	[bob => $READER, 'cn entryUUID objectClass'],
	[chief => $A, "associatedDomain dc description entryUUID " .
	    'objectClass posternRateLimit'],
	[chief => $MAILBOX, 'entryUUID mail objectClass posternStatus uid'],
	[chief => $KEY, 'cn entryUUID objectClass posternDkimPublicKey ' .
	    'posternDkimSelector'],
	[chief => $B, ''],
	[chief => "cn=global,$BASE", ''],
	[stranger => $A, ''],
	[stranger => $KEY, ''],
	[anonymous => $A, '']
);

for my $row (@readings) {
	my ($who, $dn, $expected) = @$row;

	is(reads($who, $dn), $expected, "what $who reads of " .
	    $dn =~ s/,\Q$BASE\E//r);
}
for my $who (qw(bob policyd chief script)) {
	unlike($slapd->search_as($who{$who}, "$who-secret", '-b', $BASE,
	    '(posternDkimPrivateKey=the secret)', '1.1'), qr/^dn:/m,
	    "$who cannot guess at a private key");
}

# -- writing

sub
replace
{
	my ($dn, $name, $value) = @_;

	return "dn: $dn\nchangetype: modify\nreplace: $name\n" .
	    (defined($value) ? "$name:" . ($value =~ /^: / ? '' : ' ') .
		"$value\n" : '');
}

my @changes = (
	# who, may he, what, how
	['bob', 1, 'a limit', replace($A, 'posternRateLimit',
	    'hourly outbound mailbox recipients 70/1h')],
	['bob', 1, 'a private key', replace($KEY, 'posternDkimPrivateKey',
	    ': ' . encode_base64("-----BEGIN\nanother secret\n", ''))],
	['bob', 0, 'the password of him who signs', replace($who{dkimsign},
	    'userPassword', 'x')],
	['bob', 0, 'him away', "dn: $who{dkimsign}\nchangetype: delete\n"],
	['bob', 1, "somebody's password", replace($who{other},
	    'userPassword', 'other-secret')],
	['bob', 1, 'a new tenant', "dn: dc=c.example,$TENANTS\n" .
	    "changetype: add\nobjectClass: domain\n" .
	    "objectClass: posternDomain\ndc: c.example\n" .
	    "associatedDomain: c.example\n"],
	['bob', 1, 'the end of it',
	    "dn: dc=c.example,$TENANTS\nchangetype: delete\n"],
	['script', 1, 'a status', replace($A, 'posternStatus', 'suspended')],
	['script', 1, 'no status', replace($A, 'posternStatus')],
	['script', 0, 'a limit', replace($A, 'posternRateLimit')],
	['script', 0, 'a mailbox away',
	    "dn: $MAILBOX\nchangetype: delete\n"],
	['chief', 1, 'an allow line', replace($A, 'posternAllow',
	    'sender @partner.example inbound')],
	['chief', 1, 'a block line of a mailbox', replace($MAILBOX,
	    'posternBlock', 'sender @spam.example')],
	['chief', 1, 'greylisting', replace($MAILBOX, 'posternGreylist',
	    'off')],
	['chief', 1, 'whom to alert', replace($A, 'posternAlert',
	    'postmaster@a.example')],
	['chief', 0, 'another domain', replace($A, 'associatedDomain',
	    'b.example')],
	['chief', 0, 'a limit', replace($A, 'posternRateLimit')],
	['chief', 0, 'a limit of a mailbox', replace($MAILBOX,
	    'posternRateLimit', 'hourly off')],
	['chief', 0, 'a status', replace($MAILBOX, 'posternStatus')],
	['chief', 0, 'a template', replace($A, 'posternTemplate',
	    "cn=global,$BASE")],
	['chief', 0, 'a rule', replace($A, 'posternDirectionRule',
	    'outbound foreign-sender permit')],
	['chief', 0, 'a transport', replace($A, 'posternTransport', 'smtp:x')],
	['chief', 0, 'an address', replace($MAILBOX, 'mail',
	    'boss@a.example')],
	['chief', 0, 'a mailbox that is none', replace($MAILBOX,
	    'objectClass', 'account')],
	['chief', 0, 'a mailbox away', "dn: $MAILBOX\nchangetype: delete\n"],
	['chief', 0, 'a new mailbox', "dn: uid=n,$A\nchangetype: add\n" .
	    "objectClass: account\nobjectClass: posternMailbox\nuid: n\n" .
	    "mail: n\@a.example\nposternRateLimit: hourly off\n"],
	['chief', 0, 'a name', "dn: $MAILBOX\nchangetype: modrdn\n" .
	    "newrdn: uid=x\ndeleteoldrdn: 1\n"],
	['chief', 0, 'a private key', replace($KEY, 'posternDkimPrivateKey',
	    'x')],
	['chief', 0, 'the admins', replace("cn=admins,$A", 'member',
	    $who{stranger})],
	['chief', 0, "another tenant's list", replace($B, 'posternAllow',
	    'sender @partner.example')],
	['chief', 1, 'his password', replace($who{chief}, 'userPassword',
	    'chief-secret')],
	['chief', 0, "another's password", replace($who{bob}, 'userPassword',
	    'x')],
	map({ [$_, 0, 'an allow line', replace($A, 'posternAllow',
	    'sender @partner.example')],
	    [$_, 0, 'a status', replace($A, 'posternStatus', 'active')] }
	    qw(policyd dkimsign stranger))
);

for my $row (@changes) {
	my ($who, $may, $what, $ldif) = @$row;
	my $fault = $slapd->modify_as($who{$who}, "$who-secret", $ldif);

	if ($may) {
		is($fault, '', "$who may write $what");
	} else {
		like($fault, qr/Insufficient access|No such object/,
		    "$who may not write $what");
	}
}

# -- the programs

subtest 'policyd and policyctl' => sub {
	# More than slapd gives without a limit of one's own
	$slapd->add(join('', map { "dn: dc=t$_.example,$TENANTS\n" .
	    "objectClass: domain\nobjectClass: posternDomain\n" .
	    "dc: t$_.example\nassociatedDomain: t$_.example\n\n" } 1 .. 600));
	$slapd->add("dn: ou=box,$TENANTS\nobjectClass: organizationalUnit\n" .
	    "ou: box\n\n" . tenant('boxed.example', $who{chief}) =~
	    s/,ou=tenants/,ou=box,ou=tenants/gr);
	my $policyd = Postern->start(conf => { directory =>
	    $slapd->settings() });

	spew("$dir/secret", "script-secret\n");
	my @script = ('-D', $who{script}, '-y', "$dir/secret");
	$slapd->modify("dn: ou=box,$TENANTS\nchangetype: modrdn\n" .
	    "newrdn: ou=crate\ndeleteoldrdn: 1\n");
	ok(wait_until { ($policyd->policyctl('show', 'boxed.example'))[1] =~
	    /ou=crate/ }, 'policyd is told of a move');
	my ($code, $said) = $policyd->policyctl('domains');
	like($said, qr/^t600\.example /m, 'policyd reads all tenants');
	($code, $said) = $policyd->policyctl(@script, 'suspend', 'a.example');
	is($code, 0, 'policyctl suspends as the script') or diag($said);
	like($policyd->ask(outbound('x@a.example', 'b@far.example')), qr/^4/,
	    'policyd is told of the change');
	($code, $said) = $policyd->policyctl(@script, 'resume', 'a.example');
	is($code, 0, 'and it resumes') or diag($said);
	spew("$dir/change.ldif", "dn: $A\nchangetype: modify\n" .
	    "replace: description\ndescription: x\n\n" .
	    "dn: $MAILBOX\nchangetype: delete\n\n" .
	    "dn: cn=admins,$A\nchangetype: delete\n\n" .
	    "dn: $A\nchangetype: delete\n");
	($code, $said) = $policyd->policyctl('check', '--ldif',
	    "$dir/change.ldif");
	like("$code $said", qr/^1 .*change.ldif:12: others stand below it/s,
	    'check sees what is not policy, such as a key, stand there');
	$slapd->modify("dn: dc=t600.example,$TENANTS\nchangetype: delete\n");
	ok(wait_until { ($policyd->policyctl('domains'))[1] !~
	    /^t600\.example /m }, 'policyd is told of a deletion');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'who changed what' => sub {
	my ($command) = $readme =~ /^```sh\n(ldapsearch .*?)^```$/ms;

	$command =~ s/client1\.example/a.example/;
	$command =~ s/cn=bob,ou=people,\S+ -W/$who{bob} -w bob-secret/;
	$command =~ s/ldapsearch/'ldapsearch -x -H ' . $slapd->ldapi()/e;
	my $said = `$command 2>&1`;

	like($said, qr/^reqStart: \d{14}/m, 'when');
	like($said, qr/^reqAuthzID: \Q$who{bob}\E$/m, 'who');
	like($said, qr{^reqMod: posternRateLimit:=? ?.*70/1h$}m, 'to what');
	like($said, qr{^reqOld: posternRateLimit: .*50/1h$}m, 'from what');
	unlike($said, qr/posternAllow|posternStatus/, 'and nothing else');
	$slapd->modify("dn: $KEY\nchangetype: delete\n");
	my $log = $slapd->search_as($who{bob}, 'bob-secret', '-b',
	    'cn=accesslog', "(reqDN=$KEY)", 'reqType', 'reqMod', 'reqOld');
	is(join(' ', $log =~ /^reqType: (.*)$/mg), 'add modify delete',
	    'that a key was written and deleted is there');
	unlike($log, qr/secret|posternDkimPrivateKey/i, 'but not the key');
	like($log, qr/^reqOld: posternDkimSelector: s1$/m, 'but the rest');
	unlike($slapd->search_as($who{bob}, 'bob-secret', '-b',
	    'cn=accesslog', '(reqMod=posternDkimPrivateKey:*)', '1.1'),
	    qr/^dn:/m, 'nor can it be guessed at');
	unlike($log, qr/^req(Mod|Old)::/m, 'and nothing in base64');
	for my $who (qw(policyd dkimsign script chief stranger)) {
		is($slapd->search_as($who{$who}, "$who-secret", '-b',
		    'cn=accesslog') =~ /^dn:/m ? 1 : 0, 0,
		    "the log is not for $who");
	}
};

subtest 'slapd.conf' => sub {
	my ($convert) = $readme =~ /^```sh\n(sed -n .*?)^```$/ms;
	my ($global, $mine) = ('', '');

	($mine) = $readme =~ /^```\n(moduleload syncprov.*?)^```$/ms;
	$mine =~ s/^(moduleload .*\n)//mg and $global =
	    "moduleload syncprov\nmoduleload accesslog\n";
	my $rules = do {
		my $top = srcdir();

		`cd $top && $convert`;
	};
	is(scalar(() = $rules =~ /^access to/mg), 10, 'all rules are there');
	is(scalar(() = $rules =~ /^limits /mg), 2, 'and the limits');
	my $other = PosternSlapd->start();
	my $conf = slurp($other->path('slapd.conf'));

	$conf =~ s/^(moduleload back_mdb\n)/$1$global/m;
	$conf =~ s/^(?:access|index) .*\n//mg;
	spew("$dir/slapd.conf", "$conf$mine$rules");
	my $slaptest = PosternSlapd::program('slaptest');
	my $said = `$slaptest -u -f $dir/slapd.conf 2>&1`;
	like($said, qr/config file testing succeeded/, 'slapd takes them')
	    or diag($said);
};

done_testing();
