#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 46-directory.t - what is read from an LDIF file and from policyd.conf, when,
# and that what is wrong in them is told and takes nothing away that worked.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use MIME::Base64 qw(encode_base64);
use Postern qw(build inbound outbound slurp spew wait_until);
use PosternDirectory qw(is_ours soon);
use PosternLdif qw(adopt mailbox template tenant);
use Test::More;

my $BASE = 'dc=postern,dc=example';

# What policyd says when it is called with these words: (status, output)
sub
policyd
{
	my (@words) = @_;

	open(my $pipe, '-|', 'sh', '-c', 'exec "$0" "$@" 2>&1',
	    build() . '/policyd/policyd', @words) or die "policyd: $!\n";
	my $output = do { local $/; <$pipe> } // '';
	close($pipe);
	return ($? >> 8, $output);
}

sub
asked
{
	my ($policyd, $path) = @_;
	my ($body) = $policyd->control($path) =~ /\r\n\r\n(.*)/s;

	return decode_json($body // '{}');
}

# The value in force and the entry that it comes from
sub
shown
{
	my ($policyd, $name, $attribute) = @_;
	my ($found) = grep { $_->{attribute} eq $attribute }
	    @{asked($policyd, "/show?name=$name")->{values}};

	return $found ? "$found->{value} $found->{dn}" : '';
}

# What the log says since the last call
my %read;
sub
news
{
	my ($policyd) = @_;
	my $log = $policyd->log();
	my $from = $read{$policyd->path('log')} // 0;

	$read{$policyd->path('log')} = length($log);
	return substr($log, $from);
}

# Another file, in force, and the log from there on
sub
change
{
	my ($policyd, $ldif) = @_;

	news($policyd);
	adopt($policyd, $ldif);
	return 1;
}

subtest 'LDIF as people and programs write it' => sub {
	my $coded = encode_base64('coded.example', '');
	my $dn = encode_base64("dc=dncoded.example,$BASE", '');
	my $policyd = Postern->start(ldif => <<END =~ s/CRLF$/\r/gmr);
version: 1
# a comment
dn: dc=plain.example,$BASE
objectClass: domain
objectClass: posternDomain
dc: plain.example
associatedDomain: plain.example
associatedDomain:: $coded
associatedDomain: con
 tinued.exa
 mple
ASSOCIATEDdomain: Letters.EXAMPLE
associatedDomain;lang-de: option.example
associatedDomain: m\xc3\xbcller.example
# a comment that
 goes on


dn: dc=crlf.example,${BASE}CRLF
objectClass: domainCRLF
objectClass: posternDomainCRLF
dc: crlf.exampleCRLF
associatedDomain: crlf.exampleCRLF
CRLF
dn:: $dn
objectClass: domain
objectClass: posternDomain
dc: dncoded.example
associatedDomain: dncoded.example

dn: ou=people,$BASE
objectClass: organizationalUnit
ou: people
associatedDomain: nobody.example
END
	my %names = (
		'plain.example' => 'a plain value',
		'coded.example' => 'a value in base64',
		'continued.example' => 'a value over three lines',
		'letters.example' => 'names in other letters',
		'option.example' => 'an attribute with an option',
		'xn--mller-kva.example' => 'a domain in UTF-8',
		"M\xc3\x9cLLER.example" => 'and asked for in UTF-8',
		'dncoded.example' => 'a DN in base64',
		'crlf.example' => 'lines that end as on Windows',
	);

	ok(is_ours($policyd, $_), $names{$_}) for sort(keys(%names));
	ok(!is_ours($policyd, 'nobody.example'),
	    'an entry of another class says nothing');
	is_deeply(asked($policyd, '/check')->{findings}, [],
	    'nothing in it is wrong');
};

subtest 'an LDIF of changes is refused' => sub {
	my $other = tenant('other.example');
	my $good = $other . tenant('kept.example', Status => 'disabled');
	my $changes = $other . <<END;
dn: dc=kept.example,$BASE
changetype: modify
replace: posternStatus
posternStatus: active

dn: dc=added.example,$BASE
changetype: add
objectClass: domain
objectClass: posternDomain
dc: added.example
associatedDomain: added.example
END
	my $policyd = Postern->new(ldif => $changes);
	my ($status, $output) = policyd('-n', '-c',
	    $policyd->path('policyd.conf'));

	is($status, 1, '-n says that something is wrong');
	is(scalar(() = $output =~
	    /^dc=\w+\.example,.*changetype: line \d+: LDIF of changes: this file wants whole entries$/mg),
	    2, 'and for each entry what') or diag($output);

	$policyd->write_ldif($good);
	$policyd->launch();
	ok(change($policyd, $changes), 'a running policyd reads it');
	like(shown($policyd, 'kept.example', 'posternStatus'), qr/^disabled /,
	    'and keeps the entry that it had');
	ok(!is_ours($policyd, 'added.example'), 'and adds none');
};

subtest 'a changed file is in force' => sub {
	my $policyd = Postern->start(ldif => tenant('one.example'));
	my $path = $policyd->path('directory.ldif');
	my $now = time();

	$policyd->write_ldif(tenant('one.example') . tenant('two.example'));
	soon { is_ours($policyd, 'two.example') } 'within a second', 1;

	# A change that cannot be seen from outside: same size, same time
	utime($now, $now, $path);
	wait_until { asked($policyd, '/check')->{directory}{reads} == 3 };
	open(my $file, '+<', $path) or die "$path: $!\n";
	print $file slurp($path) =~ s/two/six/gr;
	close($file);
	utime($now, $now, $path);
	ok(!defined(wait_until { is_ours($policyd, 'six.example') } 1),
	    'a change that cannot be seen waits ...');
	$policyd->reload();
	soon { is_ours($policyd, 'six.example') } '... for a SIGHUP', 1;
	ok($policyd->wait_log(qr/reloaded conf=/), 'which is told');
};

subtest 'a bad value takes nothing away' => sub {
	my $template = template('global', GreylistDelay => '7m');
	my @good = ('one.example', GreylistDelay => '10m',
	    Status => 'active');
	my @bad = ('one.example', GreylistDelay => 'soon',
	    Status => 'disabled');
	my $policyd = Postern->start(ldif => $template . tenant(@good) .
	    tenant('new.example', GreylistDelay => 'later',
	    GreylistPass => '1d', Status => 'frozen'));
	my $check = asked($policyd, '/check')->{findings};

	like(shown($policyd, 'new.example', 'posternGreylistDelay'),
	    qr/^7m cn=global,/, 'at the first reading it is inherited');
	like(shown($policyd, 'new.example', 'posternStatus'), qr/^active $/,
	    'or built in');
	like(shown($policyd, 'new.example', 'posternGreylistPass'),
	    qr/^1d dc=new\.example,/, 'the good ones beside it hold');
	like(news($policyd), qr/error: directory: dc=new\.example,$BASE: posternGreylistDelay: later: not a duration/,
	    'DN, attribute, value and reason are in the log');
	is_deeply([ map { "$_->{level} $_->{dn} $_->{attribute} $_->{value}" }
	    @$check ], [ "error dc=new.example,$BASE posternStatus frozen",
	    "error dc=new.example,$BASE posternGreylistDelay later" ],
	    'and in what policyctl check asks for');

	ok(change($policyd, $template . tenant(@bad)), 'later');
	my $log = news($policyd);
	is(scalar(() = $log =~ /error: /g), 1, 'one line tells of it');
	like($log, qr/error: directory: dc=one\.example,$BASE: posternGreylistDelay: soon: not a duration/,
	    'with DN, attribute, value and reason');
	like(shown($policyd, 'one.example', 'posternGreylistDelay'),
	    qr/^10m dc=one\.example,/, 'the last good value serves');
	like(shown($policyd, 'one.example', 'posternStatus'), qr/^active /,
	    'the last good form of the whole entry');
	ok(change($policyd, $template . tenant(@bad, description => 'x')),
	    'read again');
	unlike(news($policyd), qr/error: /, 'it is not told again');
	ok(change($policyd, $template . tenant('one.example',
	    GreylistDelay => '20m', Status => 'disabled')),
	    'mended');
	like(shown($policyd, 'one.example', 'posternGreylistDelay'),
	    qr/^20m /, 'the new value holds');
	like(shown($policyd, 'one.example', 'posternStatus'), qr/^disabled /,
	    'and the others of its entry');
	is_deeply(asked($policyd, '/check')->{findings}, [],
	    'and nothing is wrong');
};

subtest 'two entries want the same' => sub {
	my $policyd = Postern->start(ldif => tenant('first.example',
	    associatedDomain => 'both.example', Status => 'active') .
	    tenant('second.example', associatedDomain => 'both.example',
	    Status => 'disabled') . <<END . <<END);
dn: dc=twin,ou=a,$BASE
objectClass: domain
objectClass: posternDomain
dc: twin
associatedDomain: twin-a.example

dn: dc=Twin,ou=b,$BASE
objectClass: domain
objectClass: posternDomain
dc: Twin
associatedDomain: twin-b.example

END
dn: dc=young,$BASE
objectClass: domain
objectClass: posternDomain
dc: young
associatedDomain: aged.example
createTimestamp: 20260102000000Z

dn: dc=old,$BASE
objectClass: domain
objectClass: posternDomain
dc: old
associatedDomain: aged.example
createTimestamp: 20250102000000Z
END
	my $log = $policyd->log();

	ok(is_ours($policyd, 'both.example'),
	    'one domain: the first tenant in the file has it');
	like($policyd->ask(inbound('a@stranger.example', 'a@second.example')),
	    qr/^550 5\.7\.1 second\.example: /,
	    'the second tenant keeps its others');
	like($log, qr/error: directory: dc=second\.example,$BASE: associatedDomain: both\.example: dc=first\.example,$BASE has it/,
	    'and it is told');
	ok(is_ours($policyd, 'twin-a.example'), 'one tenant id: the first');
	ok(!is_ours($policyd, 'twin-b.example'), 'the second is refused');
	like($log, qr/error: directory: dc=Twin,ou=b,$BASE: refused: the tenant id twin is taken by dc=twin,ou=a,$BASE/,
	    'and it is told');
	is(asked($policyd, '/show?name=aged.example')->{tenant}, 'old',
	    'of two with createTimestamp the older one has it');
};

subtest 'templates' => sub {
	my $near = template('near', Template => 'far',
	    GreylistDelay => '1m');
	my $far = template('far', GreylistDelay => '2m',
	    GreylistWindow => '2h');
	my $global = template('global', GreylistDelay => '3m',
	    GreylistWindow => '3h', GreylistPass => '3d');
	my $tenant = tenant('one.example', posternTemplate => "CN=Near, $BASE");
	my $policyd = Postern->start(ldif => $tenant . $near . $far . $global);
	my $in_force = sub {
		return join(', ', map { shown($policyd, 'one.example',
		    "posternGreylist$_") =~ s/,$BASE//r }
		    qw(Delay Window Pass Promote));
	};

	is($in_force->(), '1m cn=near, 2h cn=far, 3d cn=global, 3 ',
	    'a value comes from the nearest of the chain');
	ok(change($policyd, $tenant . $near . $global), 'one vanishes');
	is($in_force->(), '1m cn=near, 2h cn=far, 3d cn=global, 3 ',
	    'its last form serves');
	like(news($policyd), qr/error: directory: cn=near,$BASE: posternTemplate: cn=far,$BASE: no such entry; its last form serves/,
	    'and it is told');
	ok(change($policyd, $tenant . $near . $global .
	    tenant('two.example')), 'another change');
	is($in_force->(), '1m cn=near, 2h cn=far, 3d cn=global, 3 ',
	    'and serves on');
	ok(change($policyd, $tenant . template('near',
	    GreylistDelay => '1m') . $global), 'nobody refers to it');
	is($in_force->(), '1m cn=near, 3h cn=global, 3d cn=global, 3 ',
	    'until nobody refers to it');

	ok(change($policyd, $tenant . $near . $global . template('far',
	    Template => 'near', GreylistWindow => '2h')),
	    'a loop');
	is($in_force->(), '1m cn=near, 2h cn=far, 3d cn=global, 3 ',
	    'each of a loop is used once, then global');
	like(news($policyd), qr/error: directory: .*posternTemplate: .*a loop: (near -> far -> near|far -> near -> far)/,
	    'and it is told');

	my $fresh = Postern->start(ldif => $global . tenant('one.example',
	    Template => 'nowhere'));

	like(shown($fresh, 'one.example', 'posternGreylistDelay'),
	    qr/^3m cn=global,/, 'one that never was: global holds');
	like($fresh->log(), qr/error: directory: dc=one\.example,$BASE: posternTemplate: cn=nowhere,$BASE: no such entry/,
	    'and it is told');
};

subtest 'a mailbox below a tenant speaks for its domains only' => sub {
	my $policyd = Postern->start(ldif => tenant('one.example') .
	    tenant('two.example') . mailbox('boss@one.example',
	    mail => 'boss@two.example', Status => 'disabled') .
	    PosternLdif::entry("uid=someone,ou=people,$BASE",
	    objectClass => [ 'account', 'posternMailbox' ], uid => 'someone',
	    mail => 'someone@two.example', Status => 'disabled'));

	like($policyd->ask(inbound('a@stranger.example', 'boss@one.example')),
	    qr/^550 /, 'for its own');
	is($policyd->ask(inbound('a@stranger.example', 'boss@two.example')),
	    'DUNNO', 'not for another tenant\'s');
	like($policyd->log(), qr/error: directory: uid=boss,dc=one\.example,$BASE: mail: boss\@two\.example: no effect/,
	    'and it is told');
	like($policyd->ask(inbound('a@stranger.example',
	    'someone@two.example')), qr/^550 /,
	    'elsewhere in the tree a mailbox is its domain\'s');
};

subtest 'a file that would remove many tenants' => sub {
	my @tenants = map { "t$_.example" } 1 .. 70;
	my $all = join('', map { tenant($_) } @tenants);
	my $some = sub { join('', map { tenant($_) } @tenants[0 .. $_[0] - 1]) };
	my $policyd = Postern->start(ldif => $all);
	my $held = sub { asked($policyd, '/check')->{directory}{held} };

	ok(change($policyd, $some->(62)), '8 of 70 are missing');
	ok($held->(), 'more than 5 and more than 10 %: it is held');
	ok(is_ours($policyd, 't70.example'), 'nothing is removed');
	like(news($policyd), qr/error: directory: not adopted, as it would remove 8 of 70 tenants; policyctl accept-snapshot takes it/,
	    'and it is told');
	$policyd->reload();
	sleep(1);
	ok($held->() && is_ours($policyd, 't70.example'),
	    'a SIGHUP does not change that');
	ok(change($policyd, $all . "\n"), 'all are back');
	ok(!$held->(), 'nothing is held any more');
	is(scalar(() = $policyd->control('/accept-snapshot', '') =~
	    /"accepted":\s*false/g), 1, 'and there is nothing to accept');
	ok(change($policyd, $some->(62)), '8 are missing again');
	like($policyd->control('/accept-snapshot', ''),
	    qr/"accepted":\s*true/, 'accept-snapshot takes it');
	soon { !is_ours($policyd, 't63.example') } 'they are removed', 2;
	ok(is_ours($policyd, 't62.example') && !$held->(), 'the others not');

	ok(change($policyd, $some->(57)), '5 of 62 are missing');
	ok(!is_ours($policyd, 't58.example'), 'not more than 5: adopted');
	ok(change($policyd, $some->(51)), '6 of 57 are missing');
	ok(is_ours($policyd, 't57.example'), '10.5 %: held');
	ok(change($policyd, $some->(45)), 'more are missing');
	$policyd->control('/accept-snapshot', '');
	soon { !is_ours($policyd, 't46.example') } 'and accepted';
	ok(change($policyd, $some->(40)), '5 of 45 are missing');
	ok(!is_ours($policyd, 't41.example'), '11 %, not more than 5: adopted');
	ok(change($policyd, $all), 'many more come');
	ok(change($policyd, $some->(63)), '7 of 70 are missing');
	ok(!is_ours($policyd, 't64.example'), 'not more than 10 %: adopted');
	ok(change($policyd, ''), 'an empty file');
	ok($held->() && is_ours($policyd, 't1.example'), 'held');

	my $single = Postern->start(ldif => tenant('only.example'));

	ok(change($single, tenant('other.example')), 'the only one is missing');
	ok(is_ours($single, 'only.example') && !is_ours($single,
	    'other.example'), 'held');
};

subtest 'a file that cannot be read' => sub {
	my $policyd = Postern->start(ldif => tenant('one.example'));
	my $path = $policyd->path('directory.ldif');
	my $problem = sub { asked($policyd, '/check')->{directory}{problem} };

	unlink($path);
	soon { $problem->() } 'it has vanished';
	like($problem->(), qr/directory\.ldif: No such file/, 'and why');
	ok(is_ours($policyd, 'one.example'), 'the last snapshot serves');
	like(news($policyd), qr/error: directory: .*No such file or directory; the last snapshot serves/,
	    'and it is told');
	$policyd->reload();
	sleep(1);
	unlike(news($policyd), qr/No such file/, 'once');
	mkdir($path);
	soon { $problem->() =~ /not a file/ } 'it is a directory';
	rmdir($path);
	spew($path, tenant('one.example') . "\0");
	soon { $problem->() =~ /NUL/ } 'it is not LDIF';
	ok(is_ours($policyd, 'one.example'), 'the last snapshot serves');
	$policyd->write_ldif(tenant('one.example') . tenant('two.example'));
	soon { is_ours($policyd, 'two.example') } 'back by itself when it can be read';
	like(news($policyd), qr/can be read again/, 'and it is told');
	is($problem->(), '', 'and there is no problem any more');
};

subtest 'no directory at start' => sub {
	my %verdicts = (permit => qr/^DUNNO$/,
	    defer => qr/^451 4\.7\.1 the directory was not read yet/);

	for my $word (sort(keys(%verdicts))) {
		my $policyd = Postern->new(conf => { on_no_directory => $word });

		unlink($policyd->path('directory.ldif'));
		$policyd->launch();
		like($policyd->ask(inbound('a@stranger.example',
		    'a@far.example')), $verdicts{$word}, "$word: a recipient");
		like($policyd->ask(outbound('a@one.example', 'a@far.example',
		    protocol_state => 'END-OF-MESSAGE')), $verdicts{$word},
		    "$word: the end of a message");
		like(news($policyd), qr/error: directory: .*No such file or directory; there is no snapshot yet/,
		    "$word: the reason is told");
		like($policyd->log(), qr/warning: no directory yet: ${word}\w*ing /,
		    "$word: and what follows");
		$policyd->write_ldif(tenant('one.example'));
		soon { $policyd->ask(inbound('a@stranger.example',
		    'a@far.example')) =~ /^550 / } "$word: a file that comes is in force", 3;
		ok(is_ours($policyd, 'one.example'), "$word: with its tenant");
	}
};

# What -n says to a configuration: rows of status and lines
my $scratch = Postern->new(ldif => tenant('one.example'));
my $CONF = $scratch->path('scratch.conf');
my $LDIF = 'directory = { uri = "ldif://' .
    $scratch->path('directory.ldif') . '"; };';

sub
check
{
	my ($text) = @_;

	spew($CONF, $text);
	return policyd('-n', '-c', $CONF);
}

my @faults = (
	[ 'an unknown key', "\n$LDIF\nlissten = 1;", 3,
	    'lissten: no such option' ],
	[ 'an unknown key in a group', "counters = {\n uri = \"memory:\";\n" .
	    " size = 1;\n};\n$LDIF", 3, 'counters\.size: no such option' ],
	[ 'an unknown group', "$LDIF\nscores = { a = 1; };", 2,
	    'scores: no such option' ],
	[ 'a number for a text', "$LDIF\nuser = 5;", 2,
	    'user: wants a text in quotes' ],
	[ 'a text for a list', "$LDIF\nlisten = \"unix:/x\";", 2,
	    'listen: unix:/x: wants a list of texts.*' ],
	[ 'a value for a group', "$LDIF\ncounters = \"memory:\";", 2,
	    'counters: is a group: wants \{ \.\.\. \}' ],
	[ 'a count below its bounds',
	    "$LDIF\n\ncounters = { max_records = 5; };", 3,
	    'counters\.max_records: 5: out of bounds: at least .*' ],
	[ 'a count above its bounds',
	    "$LDIF\ncounters = { max_records = \"1G\"; };", 2,
	    'counters\.max_records: 1G: out of bounds: .*at most 100M' ],
	[ 'a mode above its bounds', "$LDIF\nlisten_mode = \"1777\";", 2,
	    'listen_mode: 1777: .*at most 0777' ],
	[ 'a word that is none', "$LDIF\ncharge_at = \"data\";", 2,
	    'charge_at: data: not one of: rcpt, end-of-message' ],
	[ 'a network that is none',
	    "$LDIF\ntrusted_networks = [\n \"10.0.0.0/8\",\n \"10.0.0.0/40\"\n];",
	    4, 'trusted_networks: 10\.0\.0\.0/40: .+' ],
	[ 'an endpoint that is none', "$LDIF\nlisten = [ \"inet:25\" ];", 2,
	    'listen: inet:25: .+' ],
	[ 'counters that are not known',
	    "$LDIF\ncounters = { uri = \"mongodb://x\"; };", 2,
	    'counters\.uri: mongodb://x: .+' ],
	[ 'no libconfig', "$LDIF\nlisten = = 3;", 2, 'syntax error' ],
);
for my $fault (@faults) {
	my ($name, $text, $line, $says) = @$fault;
	my ($status, $output) = check($text);

	is($status, 1, "$name: -n exits with 1");
	like($output, qr/\A\Q$CONF\E:$line: $says\n\z/,
	    "$name: one line says where and what");
}

subtest '-n' => sub {
	my ($status, $output) = check($LDIF);

	is($status, 0, 'exits with 0 where all is well');
	like($output, qr/\Apolicyd: all is well.*\n\z/, 'and says so');

	($status, $output) = check("\nuser = 5;\nlissten = 1;\n$LDIF");
	is($status, 1, 'exits with 1 for two faults');
	like($output, qr/\A\Q$CONF\E:2: user: .*\n\Q$CONF\E:3: lissten: .*\n\z/,
	    'and has a line for each');

	$scratch->write_ldif(tenant('one.example', Status => 'asleep',
	    RateLimit => 'hourly outbound mailbox recipients 5/1hour',
	    Allow => 'sender @old.example expires=2020-01-01'));
	($status, $output) = check($LDIF);
	is($status, 1, 'exits with 1 for faults in the directory');
	like($output, qr/^dc=one\.example,$BASE: posternStatus: asleep: active, suspended or disabled expected$/m,
	    'and has a line for the one');
	like($output, qr/^dc=one\.example,$BASE: posternRateLimit: hourly .*: /m,
	    'and one for the other');
	$scratch->write_ldif(tenant('one.example',
	    Allow => 'sender @old.example expires=2020-01-01'));
	($status, $output) = check($LDIF);
	is($status, 0, 'exits with 0 for what is only worth a note');
	like($output, qr/^dc=one\.example,$BASE: posternAllow: .*: expired/m,
	    'and tells it');

	($status, $output) = check('directory = { uri = "ldif:///nowhere"; };');
	is($status, 1, 'exits with 1 where there is no directory');
	like($output, qr{\Adirectory\.uri: ldif:///nowhere: .*No such file.*\n\z},
	    'and says so');
	($status, $output) = policyd('-n', '-c', '/nowhere');
	is($status, 1, 'exits with 1 where there is no configuration');
	like($output, qr{\A/nowhere: cannot read: No such file.*\n\z},
	    'and says so');
};

subtest 'other ways to call it' => sub {
	is((policyd('-x'))[0], 2, 'an unknown option: 2');
	is((policyd('serve'))[0], 2, 'a word: 2');
	like((policyd('-x'))[1], qr/^usage: policyd /m, 'and how to call it');
	my ($status, $output) = policyd('-V');
	is($status, 0, '-V: 0');
	like($output, qr/\Apostern-policyd \d\S*\n\z/, 'and the version');
	spew($CONF, "$LDIF\nlissten = 1;");
	($status, $output) = policyd('-c', $CONF);
	is($status, 1, 'it does not start with a bad configuration');
	like($output, qr/error: \Q$CONF\E:2: lissten: no such option/,
	    'and says where it is bad');
};

subtest '-T' => sub {
	my $copy = $scratch->path('copy.conf');

	$scratch->write_ldif(tenant('one.example'));
	for my $text ($LDIF, <<END) {
$LDIF
listen = [ "unix:/tmp/a b", "inet:127.0.0.1:10", "inet:[::1]:10" ];
listen_mode = "0600";
listen_group = "";
sendmail = "/opt/\\"odd\\" \\\\ path";
trusted_networks = [ "10.0.0.0/8", "2001:db8::/32" ];
trusted_ccerts = [];
recipient_delimiter = "+-";
counters = { max_records = "2M"; };
charge_at = "end-of-message";
log = "stderr";
END
		spew($CONF, $text);
		my ($status, $output) = policyd('-T', '-c', $CONF);

		is($status, 0, 'exits with 0');
		spew($copy, $output);
		is((policyd('-n', '-c', $copy))[0], 0, 'what it prints is good');
		is((policyd('-T', '-c', $copy))[1], $output,
		    'and read back says the same');
		like($output, qr/^listen = \[ "unix:/m, 'options are in it');
		like($output, qr/^\s*max_records = "[12]M";/m,
		    'also those of groups');
	}
	spew($CONF, 'lissten = 1;');
	is((policyd('-T', '-c', $CONF))[0], 1, 'a bad file: exits with 1');
};

subtest 'SIGHUP and policyd.conf' => sub {
	my @limit = (RateLimit => 'few outbound mailbox messages 2/1h');
	my $policyd = Postern->start(ldif => tenant('one.example', @limit) .
	    tenant('two.example', @limit), conf =>
	    { login_domain => 'one.example' });
	my @mail = outbound('joe', 'a@far.example', sender => 'joe@one.example');

	is($policyd->ask(@mail), 'DUNNO', 'a login of login_domain');
	$policyd->write_conf({ login_domain => 'two.example', lissten => 1 });
	$policyd->reload();
	ok($policyd->wait_log(qr/error: not reloaded, all stays as it was/),
	    'a bad file is refused');
	like($policyd->log(), qr/error: \S+policyd\.conf:\d+: lissten: no such option/,
	    'and the reason told');
	is($policyd->ask(@mail), 'DUNNO', 'the old one holds');
	$policyd->write_conf({ login_domain => 'two.example',
	    listen => ['unix:/nowhere/x'] });
	$policyd->reload();
	ok($policyd->wait_log(qr/reloaded conf=/), 'a good one is taken');
	like($policyd->ask(@mail), qr/^550 5\.7\.1 two\.example: /, 'and holds');
	like($policyd->log(), qr/warning: listen, .*change at the next start only/,
	    'what needs a new start is told');
	$policyd->write_conf({ login_domain => 'one.example' });
	$policyd->reload();
	soon { $policyd->ask(@mail) =~
	    /^451 4\.7\.1 one\.example: limit few / } 'what was counted before is still counted';
	is($policyd->stop(), '', 'policyd stops cleanly');
};

done_testing();
