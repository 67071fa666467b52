#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 55-ldap-failures.t - LDAP servers that hang, lie about who they are, or do not
# know us: each ends in time, is told, and leaves what serves as it was.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Postern qw(build is_sanitized slurp spew temp_dir wait_until);
use PosternDirectory qw(is_ours is_suspended policyd_with_state soon);
use PosternLdif qw(tenant);
use PosternSlapd qw($BASE $READER certificates);
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(time);

# How long it takes to stop, and what was wrong with that
sub
stop_time
{
	my ($policyd) = @_;
	my $began = time();
	my $problem = $policyd->stop();

	return (time() - $began, $problem);
}

subtest 'a server that hangs at the start' => sub {
	my $tls = certificates();
	my $slapd = PosternSlapd->start(tls => $tls);
	my %ways = (
		bind => { },
		StartTLS => { uri => $slapd->ldap(), ca_file => "$tls/ca.pem" },
		handshake => { uri => $slapd->ldaps(),
		    ca_file => "$tls/ca.pem" },
	);

	$slapd->add(tenant('a.example'));
	for (sort(keys(%ways))) {
		my $policyd = policyd_with_state($slapd, %{$ways{$_}});

		$policyd->launch();
		is($policyd->stop(), '', "$_: policyd stops cleanly");
		kill('STOP', $slapd->{pid});
		$policyd->launch();
		ok(is_ours($policyd, 'a.example'),
		    "$_: the state file serves");
		my ($secs, $problem) = stop_time($policyd);
		is($problem, '', "$_: policyd stops cleanly");
		ok($secs < 5, "$_: and soon") or diag("$secs s");
		kill('CONT', $slapd->{pid});
	}
};

# A server that says this to whatever it is asked first, and no more; it keeps
# the connection, or resets it
sub
fake
{
	my ($bytes, $is_reset) = @_;
	my $listener = IO::Socket::INET->new(Listen => 5,
	    LocalAddr => '127.0.0.1');
	my $pid = fork() // die "fork: $!\n";
	my (@clients, $input);

	return ($listener->sockport(), $pid) if $pid != 0;
	while (my $client = $listener->accept()) {
		sysread($client, $input, 1000);
		syswrite($client, $bytes);
		if ($is_reset) {
			shutdown($client, 1);
			setsockopt($client, SOL_SOCKET, SO_LINGER,
			    pack('ii', 1, 0));
			close($client);
		} else {
			push(@clients, $client);
		}
	}
	POSIX::_exit(0);
}

subtest 'servers that say half of it' => sub {
	my %rows = (
		'half a bind' => [ "\x30\x0c\x02\x01", tls => 'off' ],
		'StartTLS, and no handshake' => [ pack('H*',
		    '300c02010178070a010004000400') ],
		'half a handshake' => [ "\x16\x03\x03\x00" ],
		'not LDAP' => [ "220 mail.example ESMTP\r\n", tls => 'off' ],
	);

	for my $name (sort(keys(%rows))) {
		my ($bytes, %tls) = @{$rows{$name}};
		my ($port, $pid) = fake($bytes);
		my $scheme = $name =~ /half a hand/ ? 'ldaps' : 'ldap';
		my $slapd = PosternSlapd->start();

		$slapd->add(tenant('a.example'));
		my $policyd = policyd_with_state($slapd, %tls, uri =>
		    "$scheme://127.0.0.1:$port " . $slapd->ldapi());
		$policyd->launch();
		soon { is_ours($policyd, 'a.example') }
		    "$name: the next server is read";
		is($policyd->stop(), '', 'policyd stops cleanly');
		kill('KILL', $pid);
		waitpid($pid, 0);
	}
};

for my $syncprov (0, 1) {
subtest "a server hangs while it serves, syncprov $syncprov" => sub {
	my @slapds = map { PosternSlapd->start(syncprov => $syncprov) } 1 .. 2;

	$_->add(tenant('a.example')) for @slapds;
	my $policyd = policyd_with_state($slapds[0],
	    uri => join(' ', map { $_->ldapi() } @slapds));
	$policyd->launch();
	soon { is_ours($policyd, 'a.example') } 'the first server is read';
	kill('STOP', $slapds[0]->{pid});
	$slapds[1]->replace('dc=a.example', 'posternStatus', 'suspended');
	ok(is_ours($policyd, 'a.example'), 'the last snapshot serves');
	soon { is_suspended($policyd, 'a.example') }
	    'then the second server is read';
	is($policyd->stop(), '', 'policyd stops cleanly');
	kill('CONT', $slapds[0]->{pid});
};
}

# What libldap loses of certificates that it has read, see ldap_tls.c. By the
# library's name: that of a function needs llvm-symbolizer.
my $suppressions = temp_dir();
spew("$suppressions/list", "leak:libldap\n");
$ENV{LSAN_OPTIONS} = "suppressions=$suppressions/list:" .
    'print_suppressions=0:fast_unwind_on_malloc=0';

# What policyd -n says of these settings: (status or "signal N", output)
sub
checked
{
	my ($slapd, %settings) = @_;
	my $policyd = policyd_with_state($slapd, bind_dn => '',
	    bind_password_file => '', sasl => 'EXTERNAL', %settings);
	my $said = `@{[build()]}/policyd/policyd -n -c @{[
	    $policyd->path('policyd.conf')]} 2>&1`;

	return ($? & 127 ? 'signal ' . ($? & 127) : $? >> 8, $said);
}

subtest 'a server that hangs up before the handshake' => sub {
	my $tls = certificates();
	my $slapd = PosternSlapd->start();
	my ($port, $pid) = fake(pack('H*', '300c02010178070a010004000400'), 1);
	my $uri = "ldap://127.0.0.1:$port";

	my ($rc, $said) = checked($slapd, uri => $uri,
	    ca_file => "$tls/ca.pem");
	is($rc, 1, 'policyd -n finds a fault');
	like($said, qr/^directory\.uri: \Q$uri\E: ./, 'and tells it');
	my $policyd = policyd_with_state($slapd, ca_file => "$tls/ca.pem");
	$slapd->add(tenant('a.example'));
	$policyd->launch();
	soon { is_ours($policyd, 'a.example') } 'policyd has another server';
	my $suspend = '-Y EXTERNAL suspend a.example 2>&1';
	$said = `@{[build()]}/policyd/policyctl -c @{[
	    $policyd->path('policyd.conf')]} -H $uri $suspend`;
	is($?, 3 << 8, 'policyctl suspend could not ask');
	like($said, qr/\Q$uri\E: ./, 'and tells it');
	is($policyd->stop(), '', 'policyd stops cleanly');
	kill('KILL', $pid);
	waitpid($pid, 0);
};

subtest 'TLS from the first byte, and certificates for both' => sub {
	my $tls = certificates();
	my $slapd = PosternSlapd->start(tls => $tls);
	my %good = (uri => $slapd->ldaps(), ca_file => "$tls/ca.pem",
	    cert_file => "$tls/client.pem", key_file => "$tls/client.key");
	my $refused = qr{not by a CA of ca_file|verify failed|not match};

	$slapd->add(tenant('a.example'));
	my ($rc, $said) = checked($slapd, %good);
	is($rc, 0, 'ldaps, EXTERNAL by our certificate') or diag($said);
	like($slapd->log(), qr/BIND dn="\Q$READER\E" mech=EXTERNAL/,
	    'and the server knows who we are');
	($rc, $said) = checked($slapd, %good, uri => $slapd->ldap());
	is($rc, 0, 'the same by StartTLS') or diag($said);
	($rc, $said) = checked($slapd, %good, ca_file => "$tls/other.pem");
	is($rc, 1, 'a certificate of another CA is refused');
	like($said, $refused, 'and that is told');
	($rc, $said) = checked($slapd, %good,
	    uri => $slapd->ldaps() =~ s/127\.0\.0\.1/localhost/r);
	is($rc, 1, 'one for another name is refused');
	like($said, $refused, 'and that is told');
	($rc, $said) = checked($slapd, %good, cert_file => '', key_file => '');
	is($rc, 1, 'EXTERNAL without a certificate is refused');
	like($said, qr/Authentication method not supported/,
	    'and that is told');
	($rc, $said) = checked($slapd, %good, key_file => "$tls/other.key");
	is($rc, 1, 'a key that is not that of the certificate is refused');
	like($said, qr/ca_file, cert_file or key_file cannot be used/,
	    'and that is told');
	($rc, $said) = checked($slapd, %good, cert_file => "$tls/other.pem",
	    key_file => "$tls/other.key");
	is($rc, 1, 'the server refuses one of ours by another CA');
};

subtest 'certificates that are renewed' => sub {
	my $tls = certificates();
	my $slapd = PosternSlapd->start(tls => $tls);
	my $memory = sub { slurp("/proc/$_[0]{pid}/status") =~
	    /^VmRSS:\s*(\d+)/m; return $1 };

	$slapd->add(tenant('a.example'));
	spew("$tls/now.pem", slurp("$tls/other.pem"));
	my $policyd = policyd_with_state($slapd, uri => $slapd->ldaps(),
	    state_file => '', ca_file => "$tls/now.pem", cert_file => "$tls/client.pem",
	    key_file => "$tls/client.key");
	$policyd->launch();
	ok(!is_ours($policyd, 'a.example'), 'the CA is another one');
	spew("$tls/now.pem", slurp("$tls/ca.pem"));
	soon { is_ours($policyd, 'a.example') } 'now it is the right one';
	my $before;
	for my $count (1 .. 150) {
		$before = $memory->($policyd) if $count == 50;
		my $binds = () = $slapd->log() =~ /BIND dn=/g;

		$policyd->reload();
		wait_until { $binds < (() = $slapd->log() =~ /BIND dn=/g) };
	}
	cmp_ok($memory->($policyd) - $before, '<', 800,
	    '100 connections take no memory') if !is_sanitized();
	is($policyd->stop(), '', 'policyd stops cleanly');
};

done_testing();
