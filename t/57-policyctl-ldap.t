#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 57-policyctl-ldap.t - what policyctl does at a real slapd: suspend and resume
# as the caller, and what a change would bring before it is sent.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use POSIX ();
use Postern qw(build outbound slurp spew temp_dir wait_until);
use PosternLdif qw(mailbox template tenant);
use PosternSlapd qw($BASE $READER);
use Test::More;

my $SCRIPT = "cn=script,$BASE";
my $ACCESS = <<END;
access to attrs=posternStatus
  by dn.exact="$SCRIPT" write
  by dn.exact="$READER" read
access to attrs=entry,objectClass
  by dn.exact="$SCRIPT" read
  by * break
END
my $dir = temp_dir();
my @script = ('-D', $SCRIPT, '-y', "$dir/script");

spew("$dir/script", "script-secret\nand no more\n");
spew("$dir/wrong", "guessed\n");

# Without a terminal: (exit code, standard output, standard error)
sub
run
{
	my ($input, @words) = @_;

	spew("$dir/in", $input);
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0) {
		POSIX::setsid();
		open(STDIN, '<', "$dir/in");
		open(STDOUT, '>', "$dir/out");
		open(STDERR, '>', "$dir/err");
		exec(build() . '/policyd/policyctl', @words)
		    or POSIX::_exit(127);
	}
	waitpid($pid, 0);
	return ($? >> 8, slurp("$dir/out"), slurp("$dir/err"));
}

sub
ctl
{
	my ($policyd, @words) = @_;

	return run('', '-c', $policyd->path('policyd.conf'), @words);
}

# A refusal: how it ends, what it says, and nothing on standard output
sub
refuses
{
	my ($policyd, $words, $code, $pattern, $name) = @_;
	my ($got, $out, $error) = ctl($policyd, @$words);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("$got $out", "$code ", "$name: exit $code");
	like($error, qr/^policyctl: .*$pattern/m, "$name: and why");
}

# What slapd has, as its administrator sees it; '' for none
sub
stored
{
	my ($slapd, $rdn) = @_;
	my $said = $slapd->search('-b', "$rdn,$BASE", '-s', 'base',
	    'posternStatus');

	return $said =~ /^posternStatus: (.*)$/m ? $1 : '';
}

sub
reply
{
	my ($policyd, $sender) = @_;

	return substr($policyd->ask(outbound($sender, 'b@far.example')), 0, 3);
}

sub
slapd
{
	my (%args) = @_;
	my $slapd = PosternSlapd->start(access => $ACCESS, %args);

	$slapd->add(<<END . template('held', Status => 'suspended') .
dn: $SCRIPT
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: script
userPassword: script-secret

END
	    tenant('a.example') . mailbox('m@a.example') .
	    tenant('active.example', Status => 'active') .
	    tenant('off.example', Status => 'disabled') .
	    tenant('held.example', Template => 'held') .
	    tenant('open.example', Template => 'held', Status => 'active'));
	return $slapd;
}

sub
policyd_on
{
	my ($slapd, %settings) = @_;

	return Postern->start(conf => { directory =>
	    $slapd->settings(%settings) });
}

subtest 'suspend and resume' => sub {
	my $slapd = slapd(syncprov => 1);
	my $policyd = policyd_on($slapd);
	my ($code, $said, $error) = ctl($policyd, @script, 'suspend',
	    'a.example');

	is("$code$error", '0', 'suspend ends well');
	is($said, <<END, 'it shows the entry, the change, and that it holds');
dc=a.example,$BASE
posternStatus: none -> suspended
In force: a.example is suspended, by dc=a.example,$BASE.
END
	is(stored($slapd, 'dc=a.example'), 'suspended', 'LDAP has it');
	is(reply($policyd, 'x@a.example'), '451', 'mail is deferred');
	is(reply($policyd, 'x@active.example'), 'DUN', 'but not the others');
	($code, $said) = ctl($policyd, @script, 'suspend', 'a.example');
	is($code, 0, 'to suspend what is suspended is well');
	like($said, qr/^posternStatus: suspended, as it was$/m,
	    'and changes nothing');

	($code, $said) = ctl($policyd, @script, '--json', 'suspend',
	    'm+list@a.example');
	is($code, 0, 'a mailbox is suspended, too');
	is_deeply(decode_json($said), { name => 'm+list@a.example',
	    tenant => 'a.example', mailbox => 'm@a.example',
	    dn => "uid=m,dc=a.example,$BASE",
	    tenant_dn => "dc=a.example,$BASE", before => undef,
	    after => 'suspended', says => 'suspended', in_force => JSON::PP::true,
	    status => 'suspended', from => "uid=m,dc=a.example,$BASE" },
	    'as JSON');
	($code, $said) = ctl($policyd, @script, 'resume', 'm@a.example');
	is($code, 1, 'resume tells when it is not enough');
	is($said, <<END, 'and who suspends');
uid=m,dc=a.example,$BASE
posternStatus: suspended -> none
In force: m\@a.example is suspended, by dc=a.example,$BASE.
END
	($code, $said) = ctl($policyd, @script, 'resume', 'A.example');
	is($code, 0, 'resume ends well');
	is($said, <<END, 'it tells what it has done');
dc=a.example,$BASE
posternStatus: suspended -> none
In force: A.example is active.
END
	is(stored($slapd, 'dc=a.example'), '', 'it takes away what was set');
	is(reply($policyd, 'm@a.example'), 'DUN', 'mail goes out again');
	($code) = ctl($policyd, @script, 'resume', 'a.example');
	is($code, 0, 'to resume what is active is well');

	($code, $said) = ctl($policyd, @script, 'suspend', 'active.example');
	like("$code $said", qr/^0 .*^posternStatus: active -> suspended$/ms,
	    'an active one says what it said before');
	ctl($policyd, @script, 'suspend', 'open.example');
	($code, $said) = ctl($policyd, @script, 'resume', 'open.example');
	like("$code $said", qr/^1 .*-> none\n.*suspended, by cn=held,/ms,
	    'what a template suspends is told after a resume');
	($code, $said) = ctl($policyd, @script, 'resume', 'held.example');
	like("$code $said", qr/^1 .*: none, as it was\n.*by cn=held,/ms,
	    'and is not lifted');
	is(stored($slapd, 'dc=held.example'), '', 'nothing was written');
	for my $verb (qw(suspend resume)) {
		refuses($policyd, [@script, $verb, 'off.example'], 1,
		    "dc=off.example,.*disabled, which $verb does not change",
		    "$verb of what is disabled");
	}
	is(stored($slapd, 'dc=off.example'), 'disabled', 'it stays so');
	refuses($policyd, [@script, 'suspend', 'nobody@a.example'], 1,
	    "no entry.*below dc=a.example,.*posternMailbox.*nobody\@a.example",
	    'a mailbox without an entry');
	refuses($policyd, [@script, 'suspend', 'other.example'], 1,
	    'other.example: no tenant has that domain', 'a stranger');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'who the caller is' => sub {
	my $slapd = slapd(syncprov => 1);
	my $policyd = policyd_on($slapd);
	my @a = ('suspend', 'a.example');
	my ($code, $said, $error) = run("script-secret\n", '-c',
	    $policyd->path('policyd.conf'), '-D', $SCRIPT, '-W', @a);

	is($code, 0, '-W asks for the password') or diag($error);
	like($error, qr/^LDAP password: $/, 'with a prompt, and no word more');
	refuses($policyd, [@a], 2, 'who are you', 'neither -D nor -Y');
	refuses($policyd, [@script, '-Y', 'EXTERNAL', @a], 2, 'who are you',
	    'both');
	refuses($policyd, [@script, '-W', @a], 2, 'not both', '-W and -y');
	refuses($policyd, ['-Y', 'GSSAPI', @a], 2, 'EXTERNAL',
	    'another mechanism');
	refuses($policyd, ['-D', $SCRIPT, '-y', "$dir/wrong", @a], 3,
	    'Invalid credentials', 'a wrong password');
	refuses($policyd, ['-D', $SCRIPT, '-y', "$dir/none", @a], 3,
	    'none: No such file', 'no password file');
	refuses($policyd, ['-Y', 'EXTERNAL', 'resume', 'a.example'], 1,
	    'Insufficient access', 'whom the server does not let');
	is(stored($slapd, 'dc=a.example'), 'suspended', 'it changed nothing');
	refuses($policyd, [@script, '-H', 'ldapi://%2Fnowhere', @a], 3,
	    "Can't contact LDAP server", 'a server that is down');
	is((ctl($policyd, '--ldif', '/dev/null', @script, 'check'))[0], 2,
	    'other commands take no bind');
	($code) = run('', '-s', $policyd->path('control'), '-c',
	    '/nonexistent', '-H', $slapd->ldapi(), @script, @a);
	is($code, 3, 'a configuration that is named must be there');

	my $other = PosternSlapd->start(access => $ACCESS);
	$other->add(<<END);
dn: $SCRIPT
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: script
userPassword: script-secret

dn: dc=a.example,$BASE
objectClass: referral
objectClass: extensibleObject
dc: a.example
ref: ldap://master.example/dc=a.example,$BASE
END
	refuses($policyd, [@script, '-H', $other->ldapi(), @a], 1,
	    'Referral: .*ldap://master.example.* -H', 'a read-only replica');
	$slapd->modify("dn: dc=a.example,$BASE\nchangetype: modify\n" .
	    "replace: posternStatus\n");
	($code, $said, $error) = ctl($policyd, @script, '-H',
	    'ldapi://%2Fnowhere ' . $slapd->ldapi(), 'suspend', 'm@a.example');
	is($code, 0, 'of several servers the first that answers is asked');
	like($error, qr/nowhere: Can't contact/, 'and those before are told');
	is($policyd->stop(), '', 'policyd stops cleanly');
	refuses($policyd, [@script, @a], 3, 'could not ask', 'no policyd');
};

subtest 'by the socket, and by the network' => sub {
	my $slapd = slapd(syncprov => 1, access => "access to " .
	    "attrs=posternStatus by dn.exact=\"$READER\" write\n$ACCESS");
	my $policyd = policyd_on($slapd);
	my @tcp = ('-H', $slapd->ldap(), @script);
	my ($code, $said, $error) = ctl($policyd, '-Y', 'external', 'suspend',
	    'a.example');

	is($code, 0, '-Y EXTERNAL is whom the socket says') or diag($error);
	is(stored($slapd, 'dc=a.example'), 'suspended', 'LDAP has it');
	refuses($policyd, [@tcp, 'suspend', 'a.example'], 3, 'LDAP: ldap://',
	    'a server without TLS');
	unlike($slapd->log(), qr/BIND dn="$SCRIPT"/i, 'it gets no password');
	is($policyd->stop(), '', 'policyd stops cleanly');
	$policyd = policyd_on($slapd, tls => 'off');
	refuses($policyd, [@tcp, 'suspend', 'a.example'], 1,
	    'Insufficient access|No such object|no right',
	    'with TLS off it is asked, and may say no');
	like($slapd->log(), qr/BIND dn="$SCRIPT"/i, 'as the caller');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'what the caller did not see' => sub {
	# He may write, not read: as if somebody had written in between
	my $slapd = slapd(syncprov => 1, access => "access to " .
	    "attrs=posternStatus by dn.exact=\"$SCRIPT\" =w by * break\n" .
	    $ACCESS);
	my $policyd = policyd_on($slapd);

	refuses($policyd, [@script, 'suspend', 'off.example'], 1,
	    'dc=off.example,.*(?:exists|Constraint|multiple)',
	    'what is disabled meanwhile');
	is(stored($slapd, 'dc=off.example'), 'disabled', 'it stays so');
	is((ctl($policyd, @script, 'suspend', 'a.example'))[0], 0,
	    'where nothing was written it is suspended');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'what policyd does not know yet' => sub {
	my $slapd = slapd();
	my $policyd = policyd_on($slapd, poll => '1h');
	my ($code, $said) = ctl($policyd, @script, 'suspend', 'a.example');

	is($code, 1, 'a change that is not in force is told');
	like($said, qr/^posternStatus: none -> suspended
Not in force: policyd still has a.example as active;/m, 'in words');
	is(stored($slapd, 'dc=a.example'), 'suspended', 'LDAP has it');
	$policyd->reload();
	($code, $said) = ctl($policyd, @script, 'suspend', 'a.example');
	like("$code $said", qr/^0 .*as it was\nIn force/ms,
	    'asked again later it is well');
	$slapd->modify("dn: dc=active.example,$BASE\nchangetype: delete\n");
	refuses($policyd, [@script, 'suspend', 'active.example'], 1,
	    'dc=active.example,.*No such object', 'an entry that has gone');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'a directory that is a file' => sub {
	my $policyd = Postern->start(ldif => tenant('b.example') .
	    tenant('a.example'));
	my $file = $policyd->path('directory.ldif');

	refuses($policyd, ['suspend', 'a.example'], 1,
	    "edit \Q$file\E:7, at dc=a.example,.*say posternStatus: suspended",
	    'suspend');
	refuses($policyd, ['resume', 'b.example'], 1, "edit \Q$file\E:1, at " .
	    'dc=b.example,.*take away posternStatus', 'resume');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

# -- changes tried out

# What check says of these changes: (exit code, JSON); a refusal's words
# instead, where there is none
sub
trial
{
	my ($policyd, $ldif, @words) = @_;

	spew("$dir/change.ldif", $ldif);
	my ($code, $out, $error) = ctl($policyd, '--json', @words, 'check',
	    '--ldif', "$dir/change.ldif");
	return ($code, $out eq '' ? $error : decode_json($out));
}

# One finding of a list as a line
sub
lines
{
	my ($list) = @_;

	return join('; ', map { "$_->{level} " . join(': ', grep { $_ ne '' }
	    map { s/,?\Q$BASE\E//gr } @$_{qw(dn attribute value reason)}) }
	    @$list);
}

sub
brings
{
	my ($policyd, $ldif, $expected, $name, @words) = @_;
	my ($code, $json) = trial($policyd, $ldif, @words);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return fail("$name: $json") if !ref($json);
	my $found = lines($json->{findings}) =~ s/\Q$dir\E\///gr;

	is($found, $expected, $name);
	is($code, $expected =~ /error/ ? 1 : 0, "$name: so it ends");
	return $json;
}

sub
modify
{
	my ($rdn, @lines) = @_;

	return "dn: $rdn,$BASE\nchangetype: modify\n" .
	    join("\n-\n", @lines) . "\n\n";
}

# What holds on a server and in a file
sub
check_trials
{
	my ($policyd) = @_;
	my @trial = ($policyd);

	my $json = brings(@trial, modify('dc=a.example',
	    "add: posternRateLimit\nposternRateLimit: hourly outbound " .
	    'mailbox recipients 50/1h'), '', 'a good change brings nothing');
	is($json->{changes}, 1, 'it was applied');
	is(lines($json->{before}), 'error dc=bad.example: posternStatus: ' .
	    'asleep: active, suspended or disabled expected',
	    'what was wrong already is told apart');
	brings(@trial, modify('dc=a.example', "replace: posternStatus\n" .
	    'posternStatus: asleep'), 'error dc=a.example: posternStatus: ' .
	    'asleep: active, suspended or disabled expected; note ' .
	    'dc=a.example: the last good form of this entry serves',
	    'a bad value');
	$json = brings(@trial, modify('dc=bad.example',
	    'delete: posternStatus'), '', 'a bad value mended');
	like(lines($json->{fixed}), qr/^error dc=bad.example:/,
	    'it is told as fixed');
	brings(@trial, modify('dc=open.example', "add: associatedDomain\n" .
	    'associatedDomain: a.example'), 'error dc=open.example: ' .
	    'associatedDomain: a.example: dc=a.example has it already',
	    'a second claim to a domain');
	brings(@trial, tenant('new.example', Template => 'none') =~
	    s/\n/\nchangetype: add\n/r, 'error dc=new.example: ' .
	    'posternTemplate: cn=none: no such entry; inherited from global',
	    'a new tenant whose template is not there');
	brings(@trial, tenant('new.example', Template => 'held') .
	    modify('dc=new.example', "replace: posternStatus\n" .
	    'posternStatus: active', "add: posternGreylist\n" .
	    'posternGreylist: on'), '',
	    'an entry without changetype is added, and changed then');
	brings(@trial, tenant('new.example', Status => 'asleep'), 'error ' .
	    'dc=new.example: posternStatus: asleep: active, suspended or ' .
	    'disabled expected', '-a takes entries alone', '-a');
	brings(@trial, tenant('a.example'), "error dc=a.example: " .
	    'change.ldif:1: this entry is there already',
	    'what is there is not added', '-a');
	brings(@trial, modify('dc=a.example', "add: description\n" .
	    'description: x') . modify('dc=none.example',
	    'delete: posternStatus') . modify('dc=a.example',
	    'delete: posternStatus'), 'error dc=none.example: ' .
	    'change.ldif:6: there is no such entry; what comes behind it ' .
	    'was not tried', 'a change of what is not there');
	brings(@trial, modify('dc=a.example', 'delete: posternStatus'),
	    'error dc=a.example: change.ldif:1: delete: posternStatus: it ' .
	    'has none', 'a value that is not there');
	brings(@trial, "dn: dc=a.example,$BASE\nchangetype: delete\n",
	    'error dc=a.example: change.ldif:1: others stand below it',
	    'a tenant with mailboxes is not deleted');
	brings(@trial, "dn: uid=m,dc=a.example,$BASE\nchangetype: delete\n\n" .
	    "dn: dc=a.example,$BASE\nchangetype: delete\n", '',
	    'after them it is');
	brings(@trial, "dn: dc=a.example,$BASE\nchangetype: modrdn\n" .
	    "newrdn: dc=active.example\ndeleteoldrdn: 1\n", 'error ' .
	    'dc=a.example: change.ldif:1: an entry with the new DN is there ' .
	    'already', 'a name that is taken');
	brings(@trial, "dn: dc=a.example,$BASE\nchangetype: modrdn\n" .
	    "newrdn: dc=b.example\ndeleteoldrdn: 1\n\n" .
	    modify('uid=m,dc=b.example', "replace: posternStatus\n" .
	    'posternStatus: asleep'), 'error uid=m,dc=b.example: ' .
	    'posternStatus: asleep: active, suspended or disabled expected',
	    'what stands below goes along');
	brings(@trial, "dn: dc=a.example,$BASE\nchangetype: modfy\n", 'error ' .
	    'dc=a.example: changetype: change.ldif:1: add, delete, modify ' .
	    'or modrdn expected', 'a mistake in the file');
	brings(@trial, join('', map { ("dn: $_,$BASE\nchangetype: delete\n\n") }
	    'uid=m,dc=a.example', map { "dc=$_.example" } qw(a active off held
	    open bad)), 'error policyd would hold the directory back, as ' .
	    'this removes 6 of 6 tenants, until policyctl accept-snapshot',
	    'the end of all tenants');
}

subtest 'changes tried out on a server' => sub {
	my $slapd = slapd(access => "access to * by dn.exact=\"$READER\" read " .
	    "by * break\n");
	my $policyd = Postern->new(conf => { directory =>
	    $slapd->settings() });

	$slapd->add(tenant('bad.example', Status => 'asleep') . <<END);
dn: ou=people,$BASE
objectClass: organizationalUnit
ou: people

dn: uid=p,ou=people,$BASE
objectClass: account
objectClass: domainRelatedObject
uid: p
associatedDomain: a.example
END
	my $before = $slapd->search('-b', $BASE);

	check_trials($policyd);
	brings($policyd, modify('uid=p,ou=people', "replace: objectClass\n" .
	    "objectClass: account\nobjectClass: posternDomain"),
	    'error uid=p,ou=people: associatedDomain: a.example: ' .
	    'dc=a.example has it already',
	    'an entry that becomes ours by the change');
	brings($policyd, "dn: ou=people,$BASE\nchangetype: delete\n",
	    'error ou=people: change.ldif:1: others stand below it',
	    'what policyd does not read stands there, too');
	brings($policyd, tenant('x.example') =~ s/,dc=p/,ou=none,dc=p/r,
	    'error dc=x.example,ou=none: change.ldif:1: the entry above it ' .
	    'is not there', 'nothing is added where nothing is', '-a');
	brings($policyd, modify('uid=p,ou=people', 'delete: description'), '',
	    'what is not read cannot be missed');
	is($slapd->search('-b', $BASE), $before, 'nothing was written');
	my ($code, $said) = ctl($policyd, 'check', '--ldif',
	    "$dir/change.ldif");
	like($said, qr/^before +dc=bad.example,.*\n\n\S+change.ldif on top/ms,
	    'in words');
	like($said, qr/ on top of ldapi:\S+; changes: 1, tenants: 6\n\z/,
	    'with one line of status');
	$slapd->stop('KILL');
	($code, $said) = trial($policyd, modify('dc=a.example',
	    'delete: posternStatus'));
	like("$code $said", qr/^3 .*Can't contact LDAP server/,
	    'no server: it could not ask');
};

subtest 'changes tried out on a file' => sub {
	my $ldif = template('held', Status => 'suspended') .
	    tenant('a.example') . mailbox('m@a.example') .
	    tenant('active.example', Status => 'active') .
	    tenant('off.example', Status => 'disabled') .
	    tenant('held.example', Template => 'held') .
	    tenant('open.example', Template => 'held', Status => 'active') .
	    tenant('bad.example', Status => 'asleep');
	my $policyd = Postern->new(ldif => $ldif);

	check_trials($policyd);
	is(slurp($policyd->path('directory.ldif')), $ldif,
	    'nothing was written');
	spew("$dir/whole.ldif", tenant('only.example'));
	my ($code, $said) = ctl($policyd, 'check', '--ldif',
	    "$dir/whole.ldif");
	like("$code $said", qr/^0 All is well.*whole.ldif; tenants: 1$/s,
	    'entries alone are a whole directory, as ever');
	is((ctl($policyd, '-a', 'check'))[0], 2, '-a goes with --ldif');
};

done_testing();
