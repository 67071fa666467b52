#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 41-policyctl.t - every command, asked of a real policyd over its socket: what
# people see, what scripts see, and how it ends.
use strict;
use warnings;

use Encode qw(decode);
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Postern qw(inbound outbound slurp spew srcdir build temp_dir wait_until);
use PosternLdif qw(mailbox template tenant);
use Test::More;

my $BASE = 'dc=postern,dc=example';
my $NOTE = encode_base64("sender \@evil.example note=\e[2J\x{c3}\x{bc}", '');
my $GOOD = template('global',
    RateLimit => ['hourly outbound mailbox recipients 10/1h',
	'fanout outbound mailbox recipients 100/message reject'],
    Greylist => 'on') .
    template('gold',
    RateLimit => 'daily outbound domain messages 6000/1d reject') .
    tenant('client1.example', associatedDomain => 'shop.example',
    Template => 'gold',
    Allow => 'client 198.51.100.0/24 inbound expires=2090-12-31 ' .
	'owner=anna note=newsletter service of the shop',
    'Block:' => $NOTE) .
    mailbox('anna@client1.example', mail => 'info@client1.example',
    RateLimit => 'hourly outbound mailbox recipients 20/1h') .
    tenant('client2.example', Status => 'suspended') .
    tenant('xn--mnchen-3ya.example');
my $BAD = $GOOD . tenant('client3.example', Status => 'asleep',
    associatedDomain => 'client2.example',
    Block => 'sender @old.example expires=2001-12-31');

my $policyd = Postern->start(ldif => $GOOD);
my @at = ('-c', $policyd->path('policyd.conf'));
my $out = temp_dir();

# Exactly these words: (exit code, standard output, standard error)
sub
run
{
	my ($input, @words) = @_;

	spew("$out/in", $input);
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0) {
		open(STDIN, '<', "$out/in");
		open(STDOUT, '>', "$out/out");
		open(STDERR, '>', "$out/err");
		exec(build() . '/policyd/policyctl', @words)
		    or POSIX::_exit(127);
	}
	waitpid($pid, 0);
	return ($? >> 8, slurp("$out/out"), slurp("$out/err"));
}

sub
ctl
{
	return run('', @at, @_);
}

# What it prints when it must end with 0
sub
fine
{
	my ($code, $text, $error) = ctl(@_);

	is("$code $error", '0 ', "policyctl @_: exit 0");
	return $text;
}

sub
json
{
	return decode_json(fine(@_, '--json'));
}

# The exit code, where somebody else answers, and only once
sub
answered_once
{
	my ($listener, $answer, @words) = @_;
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0) {
		my $client = $listener->accept();

		sysread($client, my $request, 4096);
		syswrite($client, "HTTP/1.0 200 OK\r\n\r\n$answer");
		POSIX::_exit(0);
	}
	my ($code) = run('', @words);
	kill('KILL', $pid);
	waitpid($pid, 0);
	return $code;
}

sub
used
{
	my ($name, $limit) = @_;
	my (undef, $text) = ctl('--json', 'usage', $name);

	return (map { $_->{used} } grep { $_->{name} eq $limit }
	    @{decode_json($text)->{limits}})[0];
}

sub
send_mails
{
	my ($login, $count) = @_;

	$policyd->ask(outbound($login, "x$_\@elsewhere.example"))
	    for 1 .. $count;
}

subtest 'check, all well' => sub {
	my $text = fine('check');

	like($text, qr/^All is well/, 'it says so');
	like($text, qr/^ldif:.*, read 2\d{3}-\S+Z; counters: 0; connections: 0$/m,
	    'and one line of status');
	is_deeply(json('check')->{findings}, [], 'JSON: no findings');
};

subtest 'domains' => sub {
	my $text = fine('domains');

	like($text, qr/^TENANT +DOMAINS +STATUS +MAILBOXES +TEMPLATE$/m,
	    'a head line');
	like($text, qr/^client1\.example +client1\.example, shop\.example +active +1  cn=gold$/m,
	    'a tenant');
	like($text, qr/^client2\.example +client2\.example +suspended +0$/m,
	    'one that is suspended');
	like($text, qr/^Entries are below $BASE\.$/m, 'where the entries are');
	is_deeply([ map { $_->{tenant} } @{json('domains')->{tenants}} ],
	    [ 'client1.example', 'client2.example',
	    'xn--mnchen-3ya.example' ], 'JSON: the tenants');
};

subtest 'show' => sub {
	my $text = fine('show', 'anna@client1.example');

	like($text, qr/^Mailbox anna\@client1\.example of tenant client1\.example$/m,
	    'whose values these are');
	like($text, qr/^posternRateLimit +hourly .* 20\/1h.* uid=anna,dc=client1\.example$/m,
	    'the mailbox\'s own value');
	like($text, qr/^posternRateLimit +daily .* cn=gold$/m,
	    'its template\'s');
	like($text, qr/^posternGreylist +on +cn=global$/m, 'global\'s');
	like($text, qr/^posternStatus +active +\(built in\)$/m,
	    'what is built in');
	like(fine('show', 'client2.example'),
	    qr/\ATenant client2\.example\n.*^posternStatus +suspended +dc=client2\.example$/ms,
	    'a tenant\'s');
	like(fine('show', 'shop.example'), qr/^Tenant client1\.example$/m,
	    'any domain of a tenant names it');
	like(fine('show', 'info@client1.example'),
	    qr/^Mailbox anna\@client1\.example/m, 'an alias is the mailbox');
	like(fine('show', 'anna+lists@client1.example'),
	    qr/^Mailbox anna\@client1\.example/m, 'so is an extension');
	like(fine('show', "m\x{c3}\x{bc}nchen.example"),
	    qr/^Tenant xn--mnchen-3ya\.example$/m, 'a domain as U-label');
	is(json('show', 'anna@client1.example')->{tenant}, 'client1.example',
	    'JSON: the tenant');
};

subtest 'usage and reset' => sub {
	send_mails('anna@client1.example', 10);
	send_mails('bob@client1.example', 3);

	my $text = fine('usage', 'anna@client1.example');
	like($text, qr/^hourly +outbound +mailbox +20 recipients per 1h +defer +10  #####\.\.\.\.\.  50%$/m,
	    'a mailbox limit with its bar');
	like($text, qr/^daily +outbound +domain +6000 messages per 1d +reject +13  #\.{9}   0%$/m,
	    'with an address, the tenant\'s too');
	$text = fine('usage', 'client1.example');
	like($text, qr/^daily .* 13 /m, 'of the tenant, its own');
	unlike($text, qr/hourly/, 'and no mailbox\'s');
	like(fine('usage', 'client2.example'), qr/no limit/,
	    'where there is none it says so');

	is(fine('reset', 'info@client1.example'),
	    "info\@client1.example: 1 counter forgotten.\n",
	    'a mailbox is reset');
	is(used('anna@client1.example', 'hourly'), 0, 'it begins anew');
	is(used('bob@client1.example', 'hourly'), 3, 'another does not');
	is(used('client1.example', 'daily'), 13, 'nor does the tenant');

	send_mails('anna@client1.example', 1);
	is(fine('reset', 'client1.example', 'hourly'),
	    "client1.example: 2 counters forgotten.\n",
	    'one limit of a tenant is reset, in all its mailboxes');
	is(used('bob@client1.example', 'hourly'), 0, 'it begins anew');
	is(used('client1.example', 'daily'), 14, 'another limit does not');
	is(json('reset', 'client1.example')->{forgotten}, 1,
	    'JSON: all limits of a tenant are reset');
	is(used('client1.example', 'daily'), 0, 'also this one');
};

subtest 'explain' => sub {
	my @mail = outbound('eve@client1.example', 'bob@elsewhere.example');
	my %mail = @mail;
	my @words = map { "$_=$mail{$_}" } sort(keys(%mail));

	my $text = fine('explain', @words);
	like($text, qr/^direction +outbound$/m, 'the direction');
	like($text, qr/^tenant +client1\.example$/m, 'the tenant');
	like($text, qr/^status +permit$/m, 'what a rule says');
	like($text, qr/^hourly +mailbox +10 recipients per 1h +0 +1 +permit +cn=global$/m,
	    'a limit, what is used of it, and whose it is');
	like($text, qr/^Decision: permit$/m, 'the decision');
	like($text, qr/^Postfix would get: DUNNO$/m, 'the reply');
	is(used('eve@client1.example', 'hourly'), 0, 'nothing was charged');

	send_mails('eve@client1.example', 10);
	$text = fine('explain', @words);
	like($text, qr/^hourly .* 10 +1 +defer +cn=global$/m,
	    'a limit that is reached');
	like($text, qr/^Decision: defer, by limit:hourly$/m,
	    'a refusal is no reason for exit 1');
	like($text, qr/^Postfix would get: 451 4\.7\.1 client1\.example: limit hourly \(10 recipients per 1h\) reached, try again in /m,
	    'the whole reply');
	is(json('explain', @words)->{decision}{verdict}, 'defer',
	    'JSON: the decision');

	my @stranger = inbound('a@stranger.example', 'anna@client1.example',
	    client_address => '192.0.2.7',
	    client_name => 'mail.stranger.example',
	    reverse_client_name => 'mail.stranger.example',
	    helo_name => 'mail.stranger.example');
	my %stranger = @stranger;
	my $request = join('', map { "$_=$stranger{$_}\n" } keys(%stranger));
	for my $end ('', "\n") {
		my ($code, $read) = run("$request$end", @at, 'explain');

		is($code, 0, 'a request on standard input');
		like($read, qr/^greylist +greylist +never seen; let in after 5m$/m,
		    'a stranger is greylisted');
	}
	like($policyd->ask(@stranger), qr/^DEFER_IF_PERMIT /,
	    'it was still unknown when it came');
	like((run($request, @at, 'explain'))[1],
	    qr/^greylist +greylist +back too early; let in after [45]m$/m,
	    'and is known afterwards');

	like(fine('explain', 'client_address=192.0.2.7',
	    'sender=boss@client1.example', 'recipient=anna@client1.example'),
	    qr/^direction:own-sender +reject .*^Postfix would get: 550 5\.7\.1 /ms,
	    'a rule that refuses');
	is((ctl('explain', 'sender'))[0], 2, 'not attr=value: usage');
	is((run("no request\n", @at, 'explain'))[0], 3,
	    'no request on standard input: could not ask');
	is((run('x=' . 'y' x 70_000, @at, 'explain'))[0], 3,
	    'nor more than 64 KiB');
};

subtest 'exceptions' => sub {
	my $text = decode('UTF-8', fine('exceptions'));

	like($text, qr/^allow +client 198\.51\.100\.0\/24 +2090-12-31 +anna +newsletter service of the +dc=client1\.example$/m,
	    'an allow line: what, until when, who, why, where');
	like($text, qr/^ +inbound +shop$/m,
	    'what is too wide is wrapped inside its column');
	like($text, qr/^block +sender \@evil\.example +\\x1B\[2J\x{fc} +dc=client1\.example$/m,
	    'a control character cannot reach the terminal, UTF-8 can');
	is(json('exceptions')->{lines}[0]{owner}, 'anna', 'JSON: the owner');
};

subtest 'check, with something wrong' => sub {
	$policyd->write_ldif($BAD);
	ok(wait_until { (ctl('check'))[0] == 1 }, 'exit 1');

	my (undef, $text) = ctl('check');
	like($text, qr/^error +dc=client3\.example,$BASE\n +posternStatus: asleep\n +\S/m,
	    'an error: entry, value, reason');
	like($text, qr/^error .*\n +associatedDomain: client2\.example\n/m,
	    'a domain that two want');
	like($text, qr/^advice +dc=client3\.example,$BASE: posternBlock: sender \@old\.example/m,
	    'what is expired is advice');
	unlike($text, qr/All is well/, 'all is not well');

	my ($code, $json) = ctl('check', '--json');
	is($code, 1, 'JSON: exit 1, too');

	my ($file_code, $file_text) = run('', 'check', '--ldif',
	    $policyd->path('directory.ldif'));
	is($file_code, 1, '--ldif: exit 1, too');
	is($file_text =~ s/^\S+directory\.ldif.*\n\z//mr,
	    $text =~ s/^ldif:.*\n\z//mr, '--ldif says what the daemon says');
	my (undef, $file_json) = run('', 'check', '--json', '--ldif',
	    $policyd->path('directory.ldif'));
	is_deeply(decode_json($file_json)->{findings},
	    decode_json($json)->{findings}, '--ldif: JSON, too');
	spew("$out/good.ldif", $GOOD);
	my ($good_code, $good_text) = run('', 'check', '--ldif',
	    "$out/good.ldif");
	is($good_code, 0, '--ldif of a good file');
	like($good_text, qr/^All is well.*; tenants: 3$/ms, 'all is well');
	is((run('', 'check', '--ldif', "$out/none"))[0], 3,
	    '--ldif: no such file');
	is((run('', 'check', '--ldif', "$out"))[0], 3, '--ldif: a directory');
	like((run('', 'check', '--ldif', "$out/none"))[2], qr/none: No such/,
	    'and why');
};

subtest 'accept-snapshot' => sub {
	like(fine('accept-snapshot'), qr/nothing to accept/,
	    'nothing is held back');
	$policyd->write_ldif(tenant('other.example'));
	ok(wait_until { (ctl('check'))[1] =~
	    /^error +the directory is held back, as it would\s+remove 4 of 4 tenants/m },
	    'check says when something is');
	is((ctl('check'))[0], 1, 'and exits 1');
	like(fine('domains'), qr/client1/, 'the old tenants are in force');
	like(fine('accept-snapshot'), qr/^Accepted/, 'it is accepted');
	ok(wait_until { (ctl('domains'))[1] =~ /^other\.example/m },
	    'the new one is in force');
	unlike(fine('domains'), qr/client1/, 'the old ones are gone');
	is(fine('exceptions'), "There are no allow and no block lines.\n",
	    'an empty answer says so');
};

subtest 'who is not known' => sub {
	for my $verb (qw(show usage reset)) {
		my ($code, $text, $error) = ctl($verb, 'nobody.example');

		is("$code $text", '1 ', "$verb: exit 1");
		is($error, "policyctl: nobody.example: no tenant has that " .
		    "domain\n", "$verb: and why");
	}
	my ($code, undef, $error) = ctl('show', "\e[2J\@&name=other.example#");

	is($code, 1, 'whatever characters a NAME has');
	like($error, qr/^policyctl: \\x1B\[2J\@&name=/, 'it is escaped');
};

subtest 'where to ask' => sub {
	my $socket = $policyd->path('control');
	my @ways = ([ '-s', $socket, 'domains' ], [ 'domains', '-s', $socket ],
	    [ '-s', "unix:$socket", 'domains' ], [ 'domains', @at ],
	    [ '-c', '/nonexistent', '-s', $socket, 'domains' ]);

	for my $words (@ways) {
		is((run('', @$words))[0], 0, "policyctl @$words");
	}
	my ($code, $text, $error) = run('', '-s', "$out/none", 'domains');
	is("$code $text", '3 ', 'no socket: exit 3');
	is($error, "policyctl: could not ask: $out/none: No such file or " .
	    "directory\n", 'and why');
	is((run('', '-c', "$out/none", 'domains'))[0], 3, 'no such file');
	spew("$out/bad.conf", "control = 5;\n");
	($code, undef, $error) = run('', '-c', "$out/bad.conf", 'domains');
	is($code, 3, 'a bad configuration');
	like($error, qr/^policyctl: $out\/bad\.conf:1: control: /, 'and where');

	my $odd = IO::Socket::UNIX->new(Local => "$out/odd", Listen => 1)
	    or die "$out/odd: $!\n";
	is(answered_once($odd, '[1, 2]', '-s', "$out/odd", 'domains'), 3,
	    'another program\'s socket');

	my $inet = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
	    Listen => 1) or die "127.0.0.1: $!\n";
	local $ENV{http_proxy} = 'http://127.0.0.1:1/';
	is(answered_once($inet, '{"tenants": []}', '-s',
	    'inet:127.0.0.1:' . $inet->sockport(), 'domains'), 0,
	    'over TCP, and a proxy is no business of ours');
};

subtest 'usage' => sub {
	my @wrong = ([], ['frob'], ['show'], ['show', 'a.example', 'b.example'],
	    ['domains', 'x'], ['reset'], ['reset', 'a', 'b', 'c'], ['-x'],
	    ['domains', '--ldif', 'x'], ['check', '--ldif'], ['-s']);

	for my $words (@wrong) {
		my ($code, $text, $error) = run('', @$words);

		is("$code $text", '2 ', "policyctl @$words: exit 2");
		like($error, qr/^usage: policyctl /m, 'and how to use it');
	}
	my ($code, $help) = run('', '-h');
	is($code, 0, '-h');
	like((run('', '-V'))[1], qr/^postern-policyctl \d+\.\S+$/, '-V');

	my $man = slurp(srcdir() . '/policyd/policyctl.8');
	my @verbs = $help =~ /^  ([a-z][a-z-]+) /mg;
	is(scalar(@verbs), 10, 'help has every command');
	like($man, qr/^\.It Cm $_\b/m, "so has the manual: $_") for @verbs;
	unlike($help, qr/^.{81}/m, 'it fits into 80 columns');
};

subtest 'a daemon without a directory' => sub {
	my $blind = Postern->new(ldif => '');

	unlink($blind->path('directory.ldif'));
	$blind->spawn();
	ok(wait_until { $blind->control('/healthz') }, 'it serves');
	my @blind = ('-c', $blind->path('policyd.conf'));
	my ($code, undef, $error) = run('', @blind, 'show', 'a.example');
	is($code, 3, 'show: could not ask');
	like($error, qr/not read yet/, 'and why');
	($code, my $text) = run('', @blind, 'check');
	is($code, 1, 'check finds it wrong');
	like($text, qr/^error +.*No such file/m, 'and says why');
	is($blind->stop(), '', 'it stops cleanly');
};

subtest 'tables' => sub {
	$policyd->write_ldif(tenant('other.example') . tenant('long.example',
	    associatedDomain => [map { "rather-long-name-$_.of.long.example" }
	    1 .. 30]));
	ok(wait_until { (ctl('domains'))[1] =~ /^long/m }, 'a long row');
	my $text = fine('domains');
	unlike($text, qr/^.{101}/m, 'fits into 100 columns');
	is(scalar(() = $text =~ /rather-long-name-\d+\.of\.long\.example/g),
	    30, 'and nothing is lost');
	unlike($text, qr/\e/, 'no colours where there is no terminal');
	unlike($text, qr/ $/m, 'no line ends with a blank');
	SKIP: {
		skip('no /dev/full', 1) if !-c '/dev/full';
		my $program = build() . '/policyd/policyctl';
		system("$program @at domains >/dev/full 2>/dev/null");
		is($? >> 8, 3, 'what cannot be written is not fine');
	}
};

is($policyd->stop(), '', 'policyd stops cleanly');
done_testing();
