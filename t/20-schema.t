#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 20-schema.t - a real slapd takes the schema in both forms and the examples
# with it, refuses what is wrong; and schema, README and man page agree.
use strict;
use warnings;

use File::Basename qw(basename dirname);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use POSIX qw(_exit WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);

my $top = $ENV{srcdir} || dirname(__FILE__) . '/..';
$top = `cd "$top" && pwd`;
chomp $top;
my $schema = "$top/schema";
my @examples = sort glob "$schema/examples/*.ldif";
my $ARC = '2.25.102783719499531808842477989227593664358';
my $SUFFIX = 'dc=postern,dc=example';
my $WAIT_SECS = 20;

# The numbers that were given: place in the list, from 1. New ones go to the
# end; nothing else ever changes here.
my @ATTRIBUTES = qw(
    posternTemplate posternStatus posternRateLimit posternDirectionRule
    posternGreylist posternGreylistDelay posternGreylistWindow
    posternGreylistPass posternGreylistPromote posternGreylistThreshold
    posternQuarantineThreshold posternRejectThreshold posternScoreIgnore
    posternAllow posternBlock posternAlert posternAnomalyAction
    posternDigestFrom posternDmarcRua posternDnsBaseline posternTransport
    posternOutboundTransport posternTlsPolicy posternDkimSigning
    posternDkimRotate posternDkimLead posternDkimOverlap posternDkimSelector
    posternDkimPrivateKey posternDkimPublicKey posternDkimNotBefore
    posternDkimNotAfter posternDkimPublishedSince);
my @CLASSES = qw(
    posternPolicy posternTemplate posternDomain posternMailbox
    posternDkimKey);

# -- small tools

my %started;	# pid of each slapd that runs
END {
	my $rc = $?;
	stop_slapd($_) for keys %started;
	$? = $rc;
}
$SIG{INT} = $SIG{TERM} = $SIG{HUP} = sub { exit 1 };

sub
slurp
{
	my ($path) = @_;
	open my $fh, '<', $path or die "$path: $!\n";
	local $/;
	return scalar <$fh>;
}

sub
spew
{
	my ($path, $text) = @_;
	open my $fh, '>', $path or die "$path: $!\n";
	print $fh $text;
	close $fh or die "$path: $!\n";
	return $path;
}

# Exit code and what it said, on either stream
sub
run
{
	my @command = @_;
	my $pid = open(my $fh, '-|') // die "fork: $!\n";
	if ($pid == 0) {
		open STDERR, '>&', \*STDOUT or _exit(127);
		exec { $command[0] } @command or _exit(127);
	}
	local $/;
	my $said = <$fh> // '';
	close $fh;
	return ($? >> 8, $said);
}

sub
program
{
	my ($name) = @_;
	for my $dir (split(/:/, $ENV{PATH}), qw(/usr/sbin /usr/local/sbin
	    /usr/libexec /usr/local/libexec /usr/lib/openldap)) {
		return "$dir/$name" if -x "$dir/$name";
	}
	return undef;
}

# -- definitions: name => text with single blanks and whole numbers

sub
definitions
{
	my ($text) = @_;
	my %found;
	$text =~ s/\bposternAttribute:/$ARC.1./g;
	$text =~ s/\bposternClass:/$ARC.2./g;
	while ($text =~ /^\w+:?\s+(\( .*? \))\n(?![ \t])/msg) {
		my $one = $1 =~ s/\s+/ /gr;
		my ($oid, $name) = $one =~ /^\( (\S+) NAME '(\w+)'/;
		my $kind = $oid =~ /^\Q$ARC\E\.1\./ ? 'attribute' : 'class';
		$found{"$kind $name"} = $one;
	}
	return \%found;
}

sub
unfold
{
	my ($text) = @_;
	$text =~ s/^#.*\n//mg;
	$text =~ s/\n //g;
	return $text;
}

my %SYNTAX = (12 => 'DN', 15 => 'DirectoryString', 24 => 'GeneralizedTime',
    26 => 'IA5String', 27 => 'INTEGER', 40 => 'OctetString');

# The row that README.md must have for an attribute
sub
readme_row
{
	my ($n, $name, $def) = @_;
	my ($syntax) = $def =~ /SYNTAX [\d.]+\.115\.121\.1\.(\d+)/;
	my ($equality) = $def =~ /EQUALITY (\w+)/;
	my ($third) = $def =~ /(?:SUBSTR|ORDERING) (\w+)/;
	return join ' | ', "| .1.$n", $name,
	    $def =~ /SINGLE-VALUE/ ? 'one' : 'many', $SYNTAX{$syntax // 0},
	    $equality, defined $third ? "$third |" : '|';
}

# -- slapd

my %bin = map { $_ => program($_) }
    qw(slapd slapadd slaptest ldapadd ldapmodify ldapsearch ldapdelete);
my ($core) = grep { -e "$_/core.schema" }
    qw(/etc/ldap/schema /etc/openldap/schema /usr/local/etc/openldap/schema);
my @missing = grep { !defined $bin{$_} } sort keys %bin;
push @missing, 'core.schema' if !defined $core;
if (@missing) {
	fail("slapd and ldap-utils are installed (missing: @missing; " .
	    'apt-get install slapd ldap-utils)');
	done_testing();
	exit 1;
}

my $work = tempdir('postern-schema-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my @BASE = qw(core cosine inetorgperson);

sub
ldapi
{
	my ($dir) = @_;
	return 'ldapi://' . "$dir/s" =~ s|/|%2F|gr;
}

sub
start_slapd
{
	my ($dir, @config) = @_;
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0) {
		open STDOUT, '>', "$dir/log" or _exit(127);
		open STDERR, '>&', \*STDOUT or _exit(127);
		# "none": in the foreground, what is said at any level
		exec $bin{slapd}, @config, '-h', ldapi($dir), '-d', 'none'
		    or _exit(127);
	}
	$started{$pid} = 1;
	my $end = time + $WAIT_SECS;
	while (time < $end && waitpid($pid, WNOHANG) == 0) {
		return $pid if IO::Socket::UNIX->new(Peer => "$dir/s");
		sleep 0.02;
	}
	diag(slurp("$dir/log"));
	return undef;
}

sub
stop_slapd
{
	my ($pid) = @_;
	kill 'TERM', $pid;
	waitpid $pid, 0;
	delete $started{$pid};
}

my @ADMIN = ('-x', '-D', "cn=admin,$SUFFIX", '-w', 'secret');

# An LDAP program on LDIF text: exit code (the result code) and words
sub
ldap
{
	my ($program, $dir, $ldif, @args) = @_;
	push @args, '-f', spew("$dir/in.ldif", $ldif) if defined $ldif;
	return run($bin{$program}, '-H', ldapi($dir), @ADMIN, @args);
}

sub
slapd_conf
{
	my ($dir) = @_;
	return join '', map({ "include $core/$_.schema\n" } @BASE),
	    "include $schema/postern.schema\n", "pidfile $dir/pid\n",
	    "database ldif\nsuffix $SUFFIX\ndirectory $dir/db\n",
	    "rootdn cn=admin,$SUFFIX\nrootpw secret\n";
}

sub
config_ldif
{
	my ($dir, @schemas) = @_;
	my $includes = join '', map { "include: file://$_\n" } @schemas;
	return <<"END";
dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: $dir/pid

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

$includes
dn: olcDatabase={0}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {0}config
olcRootDN: cn=admin,$SUFFIX

dn: olcDatabase={1}ldif,cn=config
objectClass: olcDatabaseConfig
objectClass: olcLdifConfig
olcDatabase: {1}ldif
olcSuffix: $SUFFIX
olcDbDirectory: $dir/db
olcRootDN: cn=admin,$SUFFIX
olcRootPW: secret
END
}

# -- what each server is asked

sub
fresh
{
	my ($dir, $example) = @_;
	ldap('ldapdelete', $dir, undef, '-r', $SUFFIX);
	return ldap('ldapadd', $dir, slurp($example));
}

sub
check_subschema
{
	my ($form, $dir, $expected) = @_;
	my ($rc, $said) = ldap('ldapsearch', $dir, undef, '-LLL', '-o',
	    'ldif-wrap=no', '-s', 'base', '-b', 'cn=Subschema',
	    'attributeTypes', 'objectClasses');
	my $seen = definitions(join '', grep { /\b\Q$ARC\E\./ }
	    split /^/m, $said);
	is_deeply($seen, $expected,
	    "$form: slapd understood what postern.schema says");
}

sub
check_examples
{
	my ($form, $dir) = @_;
	for my $example (@examples) {
		my $name = basename($example);
		my ($rc, $said) = fresh($dir, $example);
		is($rc, 0, "$form: $name loads with ldapadd") or diag($said);
		my $want = () = slurp($example) =~ /^dn:/mg;
		($rc, $said) = ldap('ldapsearch', $dir, undef, '-LLL', '-b',
		    $SUFFIX, '1.1');
		my $got = () = $said =~ /^dn:/mg;
		is($got, $want, "$form: all entries of $name are found");
	}
}

my $TENANT = "dc=t.example,ou=tenants,$SUFFIX";
my $DOMAIN = "dn: $TENANT\nobjectClass: domain\n" .
    "objectClass: posternDomain\ndc: t.example\n";
my $GOOD = "${DOMAIN}associatedDomain: t.example\n";
my $MAILBOX = "dn: uid=m,ou=tenants,$SUFFIX\nobjectClass: account\n" .
    "objectClass: posternMailbox\nuid: m\n";
my $KEY = "dn: cn=k,dc=client1.example,ou=tenants,$SUFFIX\n" .
    "objectClass: posternDkimKey\ncn: k\n";
my $TEMPLATE = "dn: cn=x,ou=tenants,$SUFFIX\nobjectClass: posternTemplate\n";

# LDAP result codes: 0 success, 17 undefined type, 19 constraint, 20 value
# exists, 21 syntax, 65 object class
my @entries = (
	[ 'a good tenant is taken', 0, $GOOD ],
	[ 'posternStatus twice is refused', 19,
	    "${GOOD}posternStatus: active\nposternStatus: suspended\n" ],
	[ 'a tenant without associatedDomain is refused', 65, $DOMAIN ],
	[ 'a mailbox without mail is refused', 65, $MAILBOX ],
	[ 'a mailbox on an account is taken', 0,
	    "${MAILBOX}mail: m\@t.example\nmail: n\@t.example\n" ],
	[ 'a template without cn is refused', 65,
	    "dn: ou=x,$SUFFIX\nobjectClass: posternTemplate\nou: x\n" ],
	[ 'a template with a value but not posternPolicy is refused', 65,
	    "${TEMPLATE}cn: x\nposternGreylist: on\n" ],
	[ 'a template with posternPolicy has values', 0,
	    "${TEMPLATE}objectClass: posternPolicy\ncn: x\n" .
	    "posternGreylist: on\nposternTemplate: cn=y,$SUFFIX\n" ],
	[ 'a policy alone is no entry', 65,
	    "dn: cn=x,$SUFFIX\nobjectClass: posternPolicy\ncn: x\n" ],
	[ 'a key without selector is refused', 65, $KEY ],
	[ 'a private key of several lines is taken', 0,
	    "${KEY}posternDkimSelector: k\nposternDkimPrivateKey:: " .
	    "LS0tLS1CRUdJTgpBQkMKLS0tLS1FTkQK\n" ],
	[ 'a tenant has no posternDkimSelector', 65,
	    "${GOOD}posternDkimSelector: k\n" ],
	[ 'a time that is none is refused', 21,
	    "${KEY}posternDkimSelector: k\nposternDkimNotBefore: soon\n" ],
	[ 'posternTemplate wants a DN', 21,
	    "${GOOD}posternTemplate: reseller\n" ],
	[ 'posternGreylistPromote wants an integer', 21,
	    "${GOOD}posternGreylistPromote: often\n" ],
	[ 'a name that is not in the schema is refused', 17,
	    "${GOOD}posternRateLimits: hourly off\n" ],
	[ 'header texts that differ in case are two values', 0,
	    "${GOOD}posternDirectionRule: inbound any prepend X-A: b\n" .
	    "posternDirectionRule: inbound any prepend X-A: B\n" ],
	[ 'list lines that differ in case alone are one value', 20,
	    "${GOOD}posternAllow: sender \@b.example\n" .
	    "posternAllow: sender \@B.example\n" ],
	[ 'a note may be in any language', 0,
	    "${GOOD}posternAllow:: " .
	    "c2VuZGVyIEBiLmV4YW1wbGUgbm90ZT1Cw7xybw==\n" ],
);

sub
check_entries
{
	my ($form, $dir) = @_;
	fresh($dir, "$schema/examples/one-tenant.ldif");
	for my $row (@entries) {
		my ($name, $code, $ldif) = @$row;
		my ($rc, $said) = ldap('ldapadd', $dir, $ldif);
		is($rc, $code, "$form: $name") or diag($said);
		my ($dn) = $ldif =~ /^dn: (.*)/;
		ldap('ldapdelete', $dir, undef, $dn) if $rc == 0;
	}
}

my @filters = (
	[ 'list lines by owner, in any case', '(posternAllow=*OWNER=Anna*)',
	    'dc=client2.example' ],
	[ 'limits by name', '(posternRateLimit=fanout *)',
	    'dc=client1.example' ],
	[ 'tenants that are off', '(posternStatus=Disabled)',
	    'dc=client6.example' ],
	[ 'rules by what they do', '(posternDirectionRule=*filter*)',
	    'dc=client3.example' ],
	[ 'keys by the time they begin',
	    '(posternDkimNotBefore>=20261101000000Z)', 'cn=e20261120' ],
	[ 'what inherits from a template',
	    "(posternTemplate=CN=yearly-keys, ou=templates, $SUFFIX)",
	    'cn=quarterly-keys' ],
);

sub
check_searches
{
	my ($form, $dir) = @_;
	fresh($dir, "$schema/examples/design.ldif");
	for my $row (@filters) {
		my ($name, $filter, $rdn) = @$row;
		my ($rc, $said) = ldap('ldapsearch', $dir, undef, '-LLL',
		    '-o', 'ldif-wrap=no', '-b', $SUFFIX, $filter, '1.1');
		is(join(' ', $said =~ /^dn: ([^,]*)/mg), $rdn,
		    "$form: an admin finds $name");
	}
}

sub
check_server
{
	my ($form, $dir, $expected) = @_;
	check_subschema($form, $dir, $expected);
	check_examples($form, $dir);
	check_entries($form, $dir);
	check_searches($form, $dir);
}

# Starting, slapd says who it is and who built it; all else is a warning
sub
check_log
{
	my ($form, $dir) = @_;
	my $said = slurp("$dir/log");
	$said =~ s/^.*\@\(#\) \$OpenLDAP: slapd .*\n(\t.*\n)*//m;
	$said =~ s/^.* slapd starting\n//m;
	$said =~ s/^.* connection_.*\n//mg;	# the knock of start_slapd()
	is($said, '', "$form: slapd starts without a warning");
}

sub
workplace
{
	my ($name) = @_;
	my $dir = "$work/$name";
	mkdir $_ or die "$_: $!\n" for $dir, "$dir/db", "$dir/cfg";
	return $dir;
}

sub
check_tested
{
	my ($form, @config) = @_;
	my ($rc, $said) = run($bin{slaptest}, '-u', @config);
	is("$rc $said", "0 config file testing succeeded\n",
	    "$form: slaptest is content and says nothing else");
}

# slapadd, but for its progress meter
sub
check_slapadd
{
	my ($form, @args) = @_;
	my ($rc, $said) = run($bin{slapadd}, @args);
	my @odd = grep { !/^[._#\s]*[\d.]+% eta|^Closing DB|^\s*$/ }
	    split /[\r\n]+/, $said;
	is("$rc @odd", '0 ', "$form: slapadd takes it without a word");
}

# -- the files agree

my $defined = definitions(slurp("$schema/postern.schema"));
is_deeply(definitions(unfold(slurp("$schema/postern.ldif"))), $defined,
    'postern.ldif says what postern.schema says');
for my $file (qw(postern.schema postern.ldif)) {
	my ($oid) = slurp("$schema/$file") =~
	    /^(?:objectidentifier|olcObjectIdentifier:) postern (\S+)$/m;
	is($oid, $ARC, "$file has the arc");
}
is_deeply([ sort map { s/ NAME.*//r =~ s/^\( //r } values %$defined ],
    [ sort map({ "$ARC.1.$_" } 1 .. @ATTRIBUTES),
	map({ "$ARC.2.$_" } 1 .. @CLASSES) ],
    'the schema has these numbers and no other');

my %number;
$number{"attribute $ATTRIBUTES[$_]"} = "$ARC.1." . ($_ + 1)
    for 0 .. $#ATTRIBUTES;
$number{"class $CLASSES[$_]"} = "$ARC.2." . ($_ + 1) for 0 .. $#CLASSES;
is_deeply({ map { $_ => ($defined->{$_} =~ /^\( (\S+)/)[0] }
    keys %$defined }, \%number, 'no number was given anew');

my $readme = slurp("$schema/README.md");
is_deeply([ $readme =~ /^(\| \.1\.\d.*)$/mg ],
    [ map { readme_row($_ + 1, $ATTRIBUTES[$_],
	$defined->{"attribute $ATTRIBUTES[$_]"} // '') } 0 .. $#ATTRIBUTES ],
    'README.md: number, name, values, syntax and matching as in the schema');
is_deeply([ sort map { "$_" } $readme =~
    /^\| (postern\w+)(?: \| [^|\s][^|]*){4} \|$/mg ], [ sort @ATTRIBUTES ],
    'README.md: form, default, example and meaning of each attribute');
is_deeply([ $readme =~ /^\| (\.2\.\d+ \| \w+ \| \w+)/mg ],
    [ map { my $def = $defined->{"class $CLASSES[$_]"};
	'.2.' . ($_ + 1) . " | $CLASSES[$_] | " .
	lc(($def =~ /(STRUCTURAL|AUXILIARY)/)[0]) } 0 .. $#CLASSES ],
    'README.md: number, name and kind of each class');
for my $class (@CLASSES) {
	my $def = $defined->{"class $class"};
	my ($must) = $def =~ /MUST (?:\( )?(\w+(?: \$ \w+)*)/;
	my ($told) = $readme =~
	    /^\| \.2\.\d+ \| $class \| [^|]* \|([^|]*)\|/m;
	is($told =~ s/^ +| +$//gr, ($must // '') =~ s/ \$/,/gr,
	    "README.md: what $class must have");
}

my $man = slurp("$top/policyd/postern-directory.5");
my %told = map { $_ => 1 } map { split / , / } $man =~ /^\.It Ic (.*)$/mg;
is_deeply([ grep { !$told{$_} } @ATTRIBUTES, grep { $_ ne 'posternPolicy' }
    @CLASSES ], [], 'postern-directory.5 has an item for each');
is_deeply([ grep { $man !~ /^\.Dl \Q$_\E::? |^\Q$_\E::? /m } @ATTRIBUTES ],
    [], 'postern-directory.5 has an example of each attribute');

my %known = map { $_ => 1 } @ATTRIBUTES, @CLASSES;
for my $path ("$schema/README.md", "$top/policyd/postern-directory.5",
    @examples) {
	my $text = slurp($path) =~ s/\bpostern(?:Attribute|Class)\b//gr;
	my %unknown = map { $_ => 1 } grep { !$known{$_} }
	    $text =~ /\b(postern[A-Z]\w+)/g;
	is(join(' ', sort keys %unknown), '',
	    basename($path) . ' has no name that the schema lacks');
}
my $design = slurp("$schema/examples/design.ldif");
is(join(' ', grep { $design !~ /^$_:/m } @ATTRIBUTES),
    'posternDkimPrivateKey', 'design.ldif has each attribute but the secret');
for my $path (@examples) {
	unlike(slurp($path), qr/^changetype:/mi,
	    basename($path) . ' holds entries, not changes');
}

# -- slapd.conf

my $dir = workplace('conf');
my $form = 'slapd.conf';
my @config = ('-f', spew("$dir/slapd.conf", slapd_conf($dir)));
check_tested($form, @config);
for my $example (@examples) {
	my $name = basename($example);
	check_slapadd("$form, $name", @config, '-l', $example);
	remove_tree("$dir/db", { keep_root => 1 });
}
if (my $pid = start_slapd($dir, @config)) {
	check_log($form, $dir);
	check_server($form, $dir, $defined);
	stop_slapd($pid);
} else {
	fail("$form: slapd starts");
}

# -- cn=config, in it from the start

$dir = workplace('cn');
$form = 'cn=config';
@config = ('-F', "$dir/cfg");
check_slapadd($form, '-n', 0, @config, '-l', spew("$dir/config.ldif",
    config_ldif($dir, map({ "$core/$_.ldif" } @BASE),
	"$schema/postern.ldif")));
check_tested($form, @config);
if (my $pid = start_slapd($dir, @config)) {
	check_log($form, $dir);
	check_server($form, $dir, $defined);
	stop_slapd($pid);
} else {
	fail("$form: slapd starts");
}

# -- cn=config, added while slapd runs

$dir = workplace('add');
$form = 'ldapadd to cn=config';
@config = ('-F', "$dir/cfg");
check_slapadd($form, '-n', 0, @config, '-l', spew("$dir/config.ldif",
    config_ldif($dir, map { "$core/$_.ldif" } @BASE)));
if (my $pid = start_slapd($dir, @config)) {
	my ($rc, $said) = ldap('ldapadd', $dir,
	    slurp("$schema/postern.ldif"));
	is("$rc $said", "0 adding new entry " .
	    "\"cn=postern,cn=schema,cn=config\"\n\n",
	    "$form: postern.ldif is taken");
	check_subschema($form, $dir, $defined);
	check_examples($form, $dir);
	stop_slapd($pid);
	check_tested("$form, afterwards", @config);
} else {
	fail("$form: slapd starts");
}

done_testing();
