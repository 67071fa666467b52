#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 75-dkimctl.t - dkimctl's keys, records and signatures, judged by others:
# openssl, slapd, named, nsupdate, and three verifiers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use JSON::PP qw(decode_json);
use MIME::Base64 qw(decode_base64);
use POSIX qw(setsid strftime _exit WNOHANG);
use Postern qw(build slurp spew temp_dir wait_until);
use PosternLdif qw(tenant);
use PosternSlapd qw($BASE $READER);
use PosternVerify qw(records signatures verify);
use Test::More;

my $NOW = 1795239000;		# 2026-11-21T05:30:00Z
my $dir = temp_dir();
my $conf = "$dir/dkimsign.conf";
my $ldif = "$dir/directory.ldif";
my $tenants = tenant('a.example', associatedDomain => 'b.example') .
    tenant('c.example');

# The clock that dkimctl goes by, in seconds since the epoch
sub
set_clock
{
	my ($now) = @_;

	spew("$dir/clock", pack('q', ($now - time()) * 1000));
	$ENV{POSTERN_CLOCK} = "$dir/clock";
}

# That of the machine, which verifiers go by
sub
real_clock
{
	delete($ENV{POSTERN_CLOCK});
}

# Without a terminal: (exit code, standard output, standard error)
sub
run
{
	my ($input, @words) = @_;

	spew("$dir/in", $input);
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0) {
		setsid();
		open(STDIN, '<', "$dir/in");
		open(STDOUT, '>', "$dir/out");
		open(STDERR, '>', "$dir/err");
		exec(@words) or _exit(127);
	}
	waitpid($pid, 0);
	my $error = slurp("$dir/err");
	$error =~ s/^dkimctl: warning: the clock is shifted.*\n//m;
	return ($? >> 8, slurp("$dir/out"), $error);
}

sub
dkimctl
{
	my ($input, @words) = @_;

	return run($input, build() . '/dkimsign/dkimctl', '-c', $conf, @words);
}

# What goes well, and what it prints
sub
prints
{
	my ($input, @words) = @_;
	my ($code, $said, $error) = dkimctl($input, @words);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("$code $error", '0 ', "dkimctl @words ends well");
	return $said;
}

sub
refuses
{
	my ($code, $pattern, $name, $input, @words) = @_;
	my ($got, $said, $error) = dkimctl($input, @words);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("$got $said", "$code ", "$name: exit $code");
	like($error, qr/$pattern/, "$name: and why");
	unlike($error, qr/PRIVATE|LS0t/, "$name: no secret in it");
}

sub
directory
{
	my ($text, $more) = @_;

	spew($ldif, $text);
	spew($conf, "directory = { uri = \"ldif://$ldif\"; };\n" .
	    ($more // ''));
}

# { attribute => value } of each entry of an LDIF text
sub
entries
{
	my ($text) = @_;

	$text =~ s/\n //g;
	return map {
		my %entry;

		for (split(/\n/)) {
			my ($name, $colon, $value) = /^(\w+)(::?) (.*)$/;

			$entry{$name} = $colon eq '::' ?
			    decode_base64($value) : $value;
		}
		\%entry;
	} split(/\n\n/, $text);
}

# What openssl makes of a private key: its first lines, and its public half
sub
openssl
{
	my ($pem, @words) = @_;

	return run($pem, 'openssl', 'pkey', '-noout', '-text', @words);
}

sub
states
{
	my ($json) = @_;

	return { map { $_->{selector} => $_->{state} }
	    @{decode_json($json)->{keys}} };
}

set_clock($NOW);

subtest 'genkey makes two keys that openssl reads' => sub {
	directory($tenants);
	my $said = prints('', 'genkey', 'B.example');
	my ($rsa, $ed) = entries($said);

	is($rsa->{dn}, "cn=r20261121,dc=a.example,$BASE",
	    'RSA, below the tenant, by the day');
	is($ed->{dn}, "cn=e20261121,dc=a.example,$BASE", 'and Ed25519');
	is("$_->{cn} $_->{objectClass} $_->{posternDkimNotBefore}",
	    "$_->{posternDkimSelector} posternDkimKey 99991231235959Z",
	    'an entry which signs nothing yet') for $rsa, $ed;
	like((openssl($rsa->{posternDkimPrivateKey}))[1], qr/2048 bit/,
	    'openssl: RSA with 2048 bits');
	like((openssl($ed->{posternDkimPrivateKey}))[1], qr/ED25519/,
	    'openssl: Ed25519');
	my ($code, $der) = run($rsa->{posternDkimPrivateKey}, 'openssl',
	    'pkey', '-pubout', '-outform', 'DER');
	is($rsa->{posternDkimPublicKey}, MIME::Base64::encode_base64($der, ''),
	    'its public half, as openssl has it');
	($code, $der) = run($ed->{posternDkimPrivateKey}, 'openssl', 'pkey',
	    '-pubout', '-outform', 'DER');
	is($ed->{posternDkimPublicKey},
	    MIME::Base64::encode_base64(substr($der, -32), ''),
	    'and that of Ed25519, the 32 bytes alone');
	isnt(prints('', 'genkey', 'a.example'), $said,
	    'the next ones are others');
};

subtest 'genkey does what it is told' => sub {
	directory($tenants);
	my ($key) = entries(prints('', 'genkey', 'c.example', '--algorithm',
	    'rsa3072', '--selector', 'Autumn.2026', '--not-before',
	    '202611211200+0100'));

	is($key->{dn}, "cn=autumn.2026,dc=c.example,$BASE", 'the selector');
	is($key->{posternDkimNotBefore}, '20261121110000Z', 'the time');
	like((openssl($key->{posternDkimPrivateKey}))[1], qr/3072 bit/,
	    'the algorithm');
	unlink($ldif);
	($key) = entries(prints('', 'genkey', 'd.example', '--algorithm',
	    'ed25519', '--base', 'dc=d,dc=example'));
	is($key->{dn}, 'cn=e20261121,dc=d,dc=example',
	    'below --base, without a directory');
};

subtest 'genkey encrypts' => sub {
	spew("$dir/secret", "open sesame\n");
	spew("$dir/other", "shut\n");
	directory($tenants, "passphrase_file = \"$dir/secret\";\n");
	for my $file ('secret', 'other') {
		my $phrase = slurp("$dir/$file") =~ s/\n//r;
		my ($key) = entries(prints('', 'genkey', 'a.example',
		    '--algorithm', 'ed25519', $file eq 'other' ?
		    ('--passphrase-file', "$dir/other") : ()));
		my $pem = $key->{posternDkimPrivateKey};

		like($pem, qr/^-----BEGIN ENCRYPTED PRIVATE KEY-----$/m,
		    "by the passphrase in $file");
		like((openssl($pem, '-passin', "pass:$phrase"))[1],
		    qr/ED25519/, 'which openssl opens it with');
		isnt((openssl($pem, '-passin', 'pass:guessed'))[0], 0,
		    'and with no other');
	}
	my $key = prints('', 'genkey', 'a.example', '--algorithm', 'ed25519',
	    '--not-before', '20200101000000Z');
	directory($tenants . $key, "passphrase_file = \"$dir/secret\";\n");
	is_deeply(states(prints('', 'keys', '--json')),
	    { e20261121 => 'signs' }, 'a key of ours is read again');
	directory($tenants . $key);
	my ($code, $said) = dkimctl('', 'keys');
	like("$code $said", qr/^1 .*bad: encrypted/s,
	    'without its passphrase it is bad');
	directory($tenants, "passphrase_file = \"$dir/none\";\n");
	refuses(3, 'none', 'a passphrase that cannot be read', '', 'genkey',
	    'a.example');
};

subtest 'what genkey refuses' => sub {
	directory($tenants);
	my $key = prints('', 'genkey', 'a.example', '--algorithm', 'ed25519');

	refuses(1, 'no tenant has this domain', 'a domain that is not ours',
	    '', 'genkey', 'z.example');
	refuses(1, 'signed as a\.example', 'a subdomain', '', 'genkey',
	    'x.a.example');
	refuses(2, 'rsa2048, rsa3072', 'an algorithm that we do not know', '',
	    'genkey', 'a.example', '--algorithm', 'rsa1024');
	refuses(2, '--algorithm', 'one selector for two keys', '', 'genkey',
	    'a.example', '--selector', 's');
	refuses(2, 'not DNS labels', 'a selector that is none', '', 'genkey',
	    'a.example', '--algorithm', 'ed25519', '--selector', 'a b');
	refuses(2, 'no such time', 'a day that is not', '', 'genkey',
	    'a.example', '--not-before', '20260230000000Z');
	refuses(2, 'usage', 'who we are where nothing is written', '',
	    'genkey', 'a.example', '-D', 'cn=x');
	refuses(1, 'append', 'writing to a file', '', 'genkey', 'a.example',
	    '--write', '-Y', 'EXTERNAL');
	directory($tenants . $key);
	refuses(1, 'none is used twice', 'a selector that is there', '',
	    'genkey', 'a.example');
	prints('', 'genkey', 'c.example');
	set_clock($NOW + 86400);
	like(prints('', 'genkey', 'a.example'), qr/^cn: e20261122$/m,
	    'but not a day later');
	set_clock($NOW);
};

subtest 'keys tells what each key does' => sub {
	my $text = $tenants . tenant('off.example', DkimSigning => 'off');
	my @keys = (
	    ['a.example', 'old', 'rsa2048', '20200101000000Z'],
	    ['a.example', 'new', 'rsa2048', '20260101000000Z'],
	    ['a.example', 'next', 'rsa2048', '20261122000000Z'],
	    ['a.example', 'ed', 'ed25519', '20260101000000Z'],
	    ['a.example', 'gone', 'ed25519', '20190101000000Z'],
	    ['c.example', 'wrong', 'ed25519', '20190101000000Z'],
	    ['off.example', 'idle', 'ed25519', '20190101000000Z'],
	);

	directory($text);
	for (@keys) {
		my ($domain, $selector, $algorithm, $from) = @$_;
		my $key = prints('', 'genkey', $domain, '--algorithm',
		    $algorithm, '--selector', $selector, '--not-before',
		    $from);

		$key =~ s/\n\z/posternDkimNotAfter: 20200101000000Z\n\n/
		    if $selector eq 'gone';
		$key =~ s/^(posternDkimPublicKey: )./$1+/m
		    if $selector eq 'wrong';
		# A DN is the same however it is written
		$key =~ s/^dn: cn=new,dc=/dn: CN=New, DC=/ if $selector eq 'new';
		$text .= $key;
	}
	directory($text);
	my ($code, $said, $error) = dkimctl('', 'keys', '--json');
	is($code, 1, 'a bad key is something wrong');
	is_deeply(states($said), { old => 'older', new => 'signs',
	    next => 'not-yet', ed => 'signs', gone => 'retired',
	    wrong => 'bad', idle => 'off' }, 'the state of each');
	($code, $said) = dkimctl('', 'keys', 'b.example');
	is($code, 0, 'the tenant of a domain has none');
	like($said, qr/^a\.example +new +rsa +2048 +signs +2026-01-01/m,
	    'in a line each');
	unlike($said, qr/idle|wrong/, 'and no others');
	($code, $said, $error) = dkimctl('', 'keys', 'c.example', '--json');
	is("$error" . decode_json($said)->{keys}[0]{reason},
	    'not the private half of posternDkimPublicKey',
	    'and why one is bad');
	($code, $said, $error) = dkimctl('', 'dns', '--format', 'line');
	is($code, 1, 'dns: a bad key is something wrong, too');
	like($error, qr/\Adkimctl: cn=wrong.*private half.*\n\z/,
	    'which is said');
	is(join(' ', sort($said =~ /^(\w+)\._domainkey\.[abc]/mg)),
	    'ed ed gone gone new new next next old old wrong',
	    'but none is left out, for each domain');
	refuses(3, 'could not read', 'a directory that is not there', '',
	    'keys') if unlink($ldif);
};

subtest 'two keys with one selector have one record' => sub {
	my @keys;

	directory($tenants);
	for my $from ('20200101000000Z', '20210101000000Z') {
		push(@keys, prints('', 'genkey', 'a.example', '--algorithm',
		    'rsa2048', '--selector', 's', '--not-before', $from));
	}
	$keys[0] =~ s/^dn: cn=s/dn: cn=other/;
	$keys[0] =~ s/^cn: s/cn: other/m;
	directory(join('', $tenants, @keys));
	my ($code, $said, $error) = dkimctl('', 'dns', 'a.example',
	    '--format', 'line');
	my ($signs) = entries($keys[1]);
	is("$code $said", "1 s._domainkey.a.example v=DKIM1; k=rsa; " .
	    "p=$signs->{posternDkimPublicKey}\n", 'that of the one that signs');
	like($error, qr/cn=other,.* has the selector of cn=s,/,
	    'and it is said');
};

# A directory with one key of each kind for a.example, and its records; from
# here on by the real clock
sub
signing_directory
{
	my ($more) = @_;

	set_clock($NOW);
	directory($tenants);
	directory($tenants . prints('', 'genkey', 'a.example', '--not-before',
	    '20200101000000Z'), $more);
	real_clock();
	return prints('', 'dns', '--format', 'line');
}

my %messages = (
	plain => "From: Ann <ann\@a.example>\nTo: bob\@z.example\n" .
	    "Subject: plain\nDate: Sat, 21 Nov 2026 05:30:00 +0000\n" .
	    "Message-ID: <1\@a.example>\n\nHello,\n\n.\nBob  \n\n\n",
	folded => "Received: by x\nFrom:\n" .
	    " ann\@b.example\nTO:bob\@z.example\nSubject: a\n\tb  c\n" .
	    "List-Id: <l.a.example>\nList-Unsubscribe: <m:x>\n\nx\n",
	'no body' => "From: ann\@a.example\nTo: bob\@z.example\n\n",
	'no end of its last line' => "From: ann\@a.example\n" .
	    "Date: Sat, 21 Nov 2026 05:30:00 +0000\n\nhello",
	'8 bits' => "From: ann\@a.example\nSubject: \xc3\xa4\n" .
	    "MIME-Version: 1.0\nContent-Type: text/plain\n\n\xe4\xf6\n",
);

for my $profile ('relaxed/relaxed', 'simple/simple') {
	subtest "three verifiers take what is signed, $profile" => sub {
		my $records = records(signing_directory(
		    "sign = { canonicalization = \"$profile\"; };\n"));

		for my $name (sort(keys(%messages))) {
			# opendkim sees fields as a milter does, who
			# does not learn what is between colon and text
			next if $name eq 'folded' && $profile =~ /simple/;
			my $crlf = $messages{$name} =~ s/\n/\r\n/gr;
			my $signed = prints($crlf, 'sign');
			my $result = verify($signed =~ /\r\n\z/ ? $signed :
			    "$signed\r\n", $records);

			is(substr($signed, -length($crlf)), $crlf,
			    "$name: the message stays as it was");
			is_deeply($result, { dkimpy => ['pass', 'pass'],
			    opendkim => ['pass', 'pass'],
			    'Mail::DKIM' => [$result->{'Mail::DKIM'}[0] eq
			    'unknown' ? 'unknown' : 'pass', 'pass'] },
			    "$name: all verify") or diag(explain($result));
			like((dkimctl($signed, 'verify', '--directory'))[1],
			    qr/^pass.* ed25519.*\npass.* rsa-sha256 +2048/m,
			    "$name: and dkimctl does");
		}
		my $changed = prints($messages{plain} =~ s/\n/\r\n/gr, 'sign')
		    =~ s/Hello/Hallo/r;
		my $result = verify($changed, $records);
		is(join(' ', map { @{$result->{$_}} } 'dkimpy', 'opendkim'),
		    'fail fail fail fail', 'what was changed fails');
		is($result->{'Mail::DKIM'}[1], 'fail', 'by Mail::DKIM, too');
	};
}

subtest 'sign: line ends, and what it does not sign' => sub {
	my $lines = signing_directory();
	my $plain = $messages{plain};
	my $signed = prints($plain, 'sign');

	unlike($signed, qr/\r/, 'a file of LF stays one');
	spew("$dir/records", $lines);
	like(prints($signed, 'verify', '--records', "$dir/records"),
	    qr/^pass.*\npass/m, 'and verifies as it is');
	like(prints($signed =~ s/\n/\r\n/gr, 'verify', '--records',
	    "$dir/records"), qr/^pass.*\npass/m, 'as it does with CRLF');
	prints($plain, 'sign', '-d', 'b.example');
	refuses(1, 'foreign-sender', "another tenant's domain", $plain, 'sign',
	    '-d', 'c.example');
	refuses(1, 'no tenant', 'a domain of nobody', $plain, 'sign', '-d',
	    'z.example');
	refuses(1, 'not-ours', 'an author who is not ours',
	    $plain =~ s/ann\@a/ann\@z/r, 'sign');
	refuses(1, 'no-key', 'a tenant without a key',
	    $plain =~ s/ann\@a/ann\@c/r, 'sign');
	refuses(1, 'line 3 ', 'a line that ends otherwise',
	    $plain =~ s/(plain)\n/$1\r\n/r, 'sign');
	refuses(1, 'line 4 ', 'a bare CR', $plain =~ s/Nov /Nov\r/r, 'sign');
	refuses(3, 'no message', 'nothing', '', 'sign');
	refuses(2, 'usage', 'a word too many', $plain, 'sign', 'x');
};

subtest 'verify: what it makes of it' => sub {
	my $lines = signing_directory();
	my $signed = prints($messages{plain}, 'sign');
	my @records = ('verify', '--records', "$dir/records");
	my ($code, $said) = dkimctl($messages{plain}, 'verify');

	is("$code $said", "1 There is no signature.\n", 'no signature: 1');
	spew("$dir/records", $lines);
	($code, $said) = dkimctl($signed =~ s/Hello/Hallo/r, @records,
	    '--json');
	is($code, 1, 'a changed body: 1');
	is_deeply([map { "$_->{result} $_->{selector} $_->{reason}" }
	    @{decode_json($said)->{signatures}}],
	    ['fail e20261121 body hash mismatch',
	    'fail r20261121 body hash mismatch'], 'and which, and why');
	spew("$dir/records", $lines =~ s/^e.*\n//mgr);
	($code, $said) = dkimctl($signed, @records);
	like("$code $said", qr/^1 .*^fail.*no such record.*\npass/ms,
	    'a record is missing: 1');
	($code, $said) = dkimctl($signed, 'verify', '--records', "$dir/none");
	like("$code $said", qr/^3 .*^unknown.*No such file/ms,
	    'records that cannot be read: 3');
	spew("$dir/records", $lines);
	($code, $said) = dkimctl("DKIM-Signature: nonsense\n$signed",
	    @records);
	like("$code $said", qr/^1 .*^fail.*malformed.*\npass.*\npass/ms,
	    'a malformed one is told, the others are looked at');
	refuses(2, 'one of them', 'two sources', $signed, @records,
	    '--directory');
};

# A name server with these zones, which takes updates: where it is asked. Run
# from a copy: AppArmor keeps the one in /usr/sbin out of our directories.
my %named;
sub
start_named
{
	my (@zones) = @_;
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
	    Listen => 1);
	my $port = $socket->sockport();
	my $text = "options { directory \"$dir\"; pid-file none; " .
	    "session-keyfile none; recursion no; dnssec-validation no;\n" .
	    "listen-on port $port { 127.0.0.1; }; listen-on-v6 { none; }; };\n" .
	    "controls { };\n";

	close($socket);
	for (@zones) {
		spew("$dir/$_.zone", "\$TTL 60\n\@ IN SOA ns h 1 60 60 60 60\n" .
		    "\@ IN NS ns\nns IN A 127.0.0.1\n");
		$text .= "zone \"$_\" { type master; file \"$_.zone\"; " .
		    "allow-update { 127.0.0.1; }; };\n";
	}
	spew("$dir/named.conf", $text);
	system('cp', '/usr/sbin/named', "$dir/named") == 0
	    or die "apt-get install bind9\n";
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0) {
		open(STDOUT, '>', "$dir/named.log");
		open(STDERR, '>&', \*STDOUT);
		exec("$dir/named", '-g', '-n', '1', '-c', "$dir/named.conf")
		    or _exit(127);
	}
	$named{$pid} = $$;
	wait_until { slurp("$dir/named.log") =~ / running$/m }
	    or die slurp("$dir/named.log");
	return ('127.0.0.1', $port);
}

END {
	my $status = $?;

	for (grep { $named{$_} == $$ } keys(%named)) {
		kill('TERM', $_);
		waitpid($_, 0);
	}
	$? = $status;
}

subtest 'dns: what named takes' => sub {
	signing_directory();
	spew("$dir/zone", "\$TTL 60\n\@ IN SOA ns h 1 60 60 60 60\n" .
	    "\@ IN NS ns\nns IN A 127.0.0.1\n" . prints('', 'dns',
	    'b.example'));
	my ($code, $said) = run('', 'named-checkzone', '-D', 'b.example',
	    "$dir/zone");
	is($code, 0, 'named-checkzone takes the zone form') or diag($said);
	is(() = $said =~ /^\w+\._domainkey\.b\.example\..*TXT/mg, 2,
	    'with both records');
	my $records = decode_json(prints('', 'dns', '--format', 'json'))
	    ->{records};
	is(scalar(@$records), 4, 'json: for each of its domains');
	is_deeply({ map { $_->{name} => $_->{value} } @$records },
	    records(prints('', 'dns', '--format', 'line')),
	    'line and json agree');
	refuses(2, 'nsupdate or json', 'a form that we do not know', '', 'dns',
	    '--format', 'yaml');

	my ($host, $port) = start_named('a.example', 'b.example');
	my $update = prints('', 'dns', '--format', 'nsupdate');
	my $signed = prints($messages{plain}, 'sign');
	my @server = ('verify', '--server', "$host:$port");
	($code, $said) = dkimctl($signed, @server);
	like("$code $said", qr/^1 .*^fail.*not found/ms,
	    'before the update there is no record');
	for ('the first', 'the second') {
		my ($rc, undef, $error) = run("server $host $port\n$update",
		    'nsupdate');

		is("$rc$error", '0', "nsupdate: $_ time");
	}
	($code, $said) = dkimctl($signed, @server);
	like("$code $said", qr/^0 .*^pass.*\npass/ms,
	    'then the signatures verify by the DNS');
	like((dkimctl($messages{folded},
	    'sign'))[1], qr/d=b\.example/, 'in the other domain');
	($code, $said) = dkimctl($signed =~ s/a\.example; *\n/z.example;\n/r,
	    @server);
	like("$code $said", qr/^3 .*^unknown .*\npass /ms,
	    'a server that does not answer for a zone tells nothing');
	($code, $said) = dkimctl($signed, 'verify', '--server', 'nowhere');
	like("$code $said", qr/^3 .*^unknown.*name server/ms,
	    'nor does one that is none');
};

subtest 'a real slapd' => sub {
	my $writer = "cn=writer,$BASE";

	set_clock($NOW);
	my $slapd = PosternSlapd->start(access => <<END);
access to attrs=posternDkimPrivateKey
  by dn.exact="$READER" read
  by dn.exact="$writer" write
access to *
  by dn.exact="$READER" read
  by dn.exact="$writer" write
  by * break
END
	$slapd->add(<<END . $tenants);
dn: $writer
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: writer
userPassword: writer-secret

END
	my $settings = $slapd->settings();

	delete($settings->{state_file});	# which is policyd's
	spew("$dir/writer", "writer-secret\n");
	spew($conf, 'directory = { ' . join(' ', map {
	    "$_ = \"$settings->{$_}\";" } sort(keys(%$settings))) . " };\n");
	my @as = ('--write', '-D', $writer, '-y', "$dir/writer");

	is(prints('', 'genkey', 'a.example', @as, '--not-before',
	    '20200101000000Z'),
	    "added cn=r20261121,dc=a.example,$BASE\n" .
	    "added cn=e20261121,dc=a.example,$BASE\n", 'genkey --write');
	is_deeply(states(prints('', 'keys', '--json')),
	    { r20261121 => 'signs', e20261121 => 'signs' },
	    'what it wrote signs');
	real_clock();
	like(prints(prints($messages{plain}, 'sign'), 'verify',
	    '--directory'), qr/^pass.*\npass/m, 'and verifies');
	set_clock($NOW);
	is($slapd->modify_as($writer, 'writer-secret', prints('', 'genkey',
	    'c.example'), '-a'), '', 'ldapadd takes the LDIF');
	is_deeply(states(prints('', 'keys', 'c.example', '--json')),
	    { r20261121 => 'not-yet', e20261121 => 'not-yet' },
	    'where it waits for its time');
	refuses(1, 'none is used twice', 'a selector that is there', '',
	    'genkey', 'a.example', @as);
	refuses(1, 'lready exists', 'where slapd alone knows', '', 'genkey',
	    'a.example', '--base', "dc=a.example,$BASE", @as);
	my @next = ('genkey', 'a.example', '--algorithm', 'ed25519',
	    '--selector', 'next', '--write');
	refuses(3, 'nvalid credentials', 'a wrong password', '', @next, '-D',
	    $writer, '-y', "$dir/secret");
	refuses(2, 'who are you', 'nobody', '', @next);
};

done_testing();
