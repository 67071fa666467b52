# SPDX-License-Identifier: ISC
# Policy.pm - what t/bench/measure measures of policyd, section by section.
package Policy;

use strict;
use warnings;

use FindBin;
use IO::Socket::UNIX;
use Postern qw(outbound spew temp_dir wait_until);
use PosternCallgrind;
use PosternLdif;
use PosternRedis;
use PosternSlapd qw($BASE);
use Report;
use Sample qw(cell interleave median output_of row);
use Servers;
use Time::HiRes qw(sleep time);

my @CONNECTIONS = (1, 8, 64, 256);

# -- policyd, counters in memory: beside a server that does not read

sub
section_policyd
{
	my $dunno = Servers::dunno();
	my @kinds = ((map { {
		what => "$_ limit" . ($_ == 1 ? '' : 's'),
		server => Servers::policyd("memory, $_", tenants => 10,
		    policy => [Servers::limits($_)]),
		$_ == 3 ? (bar => '>= 0.70', picture =>
		    'policyd, memory, 3 limits') : ()
	} } 0, 1, 3), {
		what => 'greylisting strangers',
		server => Servers::policyd('greylisting', tenants => 10,
		    policy => [Greylist => 'on']),
		load => { kind => 'inbound' },
		picture => 'policyd, memory, greylisting',
	});
	my (@rows, %reference);

	for my $connections (@CONNECTIONS) {
		push(@rows, { what => "DUNNO unread, $connections connections",
		    $connections == 64 ? (picture => 'DUNNO, unread') : (),
		    cell => $reference{$connections} = cell($dunno,
			connections => $connections) });
	}
	for my $kind (@kinds) {
		push(@rows, map { {
			what => "$kind->{what}, $_ connections",
			is_ours => 1,
			against => $reference{$_}, of => 'DUNNO',
			$_ == 64 ? (bar => $kind->{bar},
			    picture => $kind->{picture}) : (),
			cell => cell($kind->{server}, connections => $_,
			    %{$kind->{load} // {}}) } } @CONNECTIONS);
	}
	interleave(map { $_->{cell} } @rows);
	row(delete($_->{cell}), section => 'policyd, counters in memory',
	    picture_title => 'Requests per second, 64 connections', %$_)
	    for @rows;
}

# -- policyd, counters in Redis: beside that Redis with nothing but the script

# What a policyd asks this Redis under load, as bytes to replay
sub
record
{
	my ($redis, $server, $load) = @_;
	my $monitor = IO::Socket::UNIX->new(Peer => $redis->{socket}) or die $!;
	my $bytes = '';
	my %escape = (a => "\a", b => "\b", n => "\n", r => "\r", t => "\t");

	syswrite($monitor, "MONITOR\r\n");
	cell($server, %$load)->{run}->(0.2);
	$redis->ask('ECHO', 'the-end');
	while (<$monitor>) {
		last if /"the-end"/;
		/^\+[\d.]+ \[\d+ (?!lua)\S+\] ("evalsha".*)/i or next;
		my @words = map { s{\\(?:x(..)|(.))}{defined($1) ?
		    chr(hex($1)) : $escape{$2} // $2}ger }
		    $1 =~ /"((?:[^"\\]|\\.)*)"/g;

		$bytes .= '*' . @words . "\r\n" . join('', map {
		    '$' . length($_) . "\r\n$_\r\n" } @words);
	}
	return $bytes;
}

sub
section_redis
{
	my $dir = temp_dir();
	my @rows;

	for my $limits (0, 1, 3, 'greylisting') {
		my $is_grey = $limits eq 'greylisting';
		my $what = $is_grey ? 'greylisting strangers' :
		    "$limits limit" . ($limits == 1 ? '' : 's');
		my $load = { $is_grey ? (kind => 'inbound') : () };
		my $redis = PosternRedis->start();
		my $server = Servers::policyd("Redis, $what", tenants => 10,
		    policy => [$is_grey ? (Greylist => 'on') :
			Servers::limits($limits)],
		    conf => { counters => { uri => $redis->uri() } });
		my $alone;

		if ($limits ne '0') {
			my $file = "$dir/$limits";

			spew($file, record($redis, $server, $load));
			$alone = { run => sub { output_of('replay', $_[0],
			    $redis->{socket}, $file) } };
			push(@rows, { what => "Redis alone, $what",
			    $limits eq '3' ? (picture =>
				'Redis alone, the same commands') : (),
			    cell => $alone });
		}
		push(@rows, map { {
			what => "$what, $_ connections", is_ours => 1,
			$alone ? (against => $alone, of => 'Redis') : (),
			$_ == 64 && $limits eq '3' ? (bar => '>= 0.80',
			    picture => 'policyd, Redis, 3 limits') : (),
			cell => cell($server, %$load, connections => $_) }
		    } @CONNECTIONS);
	}
	interleave(map { $_->{cell} } @rows);
	row(delete($_->{cell}), section => 'policyd, counters in Redis',
	    picture_title => 'Requests per second with Redis, 64 connections',
	    %$_) for @rows;

	open(my $pipe, '-|', $^X, "$FindBin::Bin/redis-script", 10) or die $!;
	for (<$pipe>) {
		my ($what, $us, $percent) =
		    /^(policyd, in.*?|GCRA.*?)\s+([\d.]+)\s+(\d+)%/ or next;

		Report::add(section => 'Redis, by INFO commandstats',
		    what => "3 limits: $what", value => $us, unit => 'us',
		    $what =~ /^policyd/ ? (ratio => $percent / 100,
			of => 'GCRA', bar => '<= 1.2', is_ours => 1) : ());
	}
	close($pipe);
}

# -- what Debian's packages do for the same job

sub
section_others
{
	my $limits = Servers::policyd('policyd, 3 limits', tenants => 10,
	    policy => [Servers::limits(3)]);
	my $grey = Servers::policyd('policyd, greylisting', tenants => 10,
	    policy => [Greylist => 'on']);
	my @pairs = ([ $limits, {}, '3 limits', Servers::postfwd(),
	    Servers::policyd_rate_limit() ],
	    [ $grey, { kind => 'inbound' }, 'greylisting',
	    Servers::postgrey() ]);
	my @rows;

	for (@pairs) {
		my ($ours, $load, $what, @others) = @$_;
		my $cell = cell($ours, %$load, connections => 8);

		push(@rows, { what => "$ours->{name}, 8 connections",
		    picture => $ours->{name}, is_ours => 1, cell => $cell });
		push(@rows, map { { what => "$_->{name}, $what",
		    picture => "$_->{name}, $what",
		    against => $cell, of => 'policyd',
		    cell => cell($_, %$load, connections => 8) } } @others);
	}
	interleave(map { $_->{cell} } @rows);
	row(delete($_->{cell}), section => 'others, for the same job',
	    picture_title => 'Requests per second, 8 connections', %$_)
	    for @rows;
}

# -- many tenants

# Seconds until it has read its directory
sub
start_secs
{
	my ($server) = @_;
	my $begin = time();

	$server->{policyd}->launch();
	wait_until { PosternLdif::directory_reads($server->{policyd}) > 0 }
	    or die 'the directory was not read';
	return time() - $begin;
}

sub
section_tenants
{
	my %cells;

	for my $tenants (10, 1000, 100_000) {
		my $server = Servers::policyd("$tenants tenants", is_later => 1,
		    tenants => $tenants, policy => [Servers::limits(3)]);
		my @secs;

		for (1 .. $Sample::ROUNDS) {
			$server->{policyd}->stop() if @secs;
			push(@secs, start_secs($server));
		}
		my %bars = ($tenants == 1000 ? (rss => '<= 30') :
		    $tenants == 100_000 ? (secs => '<= 5', rss => '<= 200') :
		    ());
		my @common = (section => 'policyd, by number of tenants',
		    is_ours => 1);

		Report::add(@common, what => "start, $tenants tenants",
		    value => median(@secs), unit => 's', bar => $bars{secs});
		Report::add(@common, what => "memory, $tenants tenants",
		    value => Servers::rss_mib($server), unit => 'MiB',
		    bar => $bars{rss});
		# as many mailboxes each time: what differs is the directory
		$cells{$tenants} = cell($server, tenants => $tenants,
		    users => 100_000 / $tenants);
	}
	local $Sample::SECS = 1;
	interleave(map { $cells{$_} } sort(keys(%cells)));
	row($cells{$_}, section => 'policyd, by number of tenants',
	    is_ours => 1, what => "3 limits, $_ tenants, CPU",
	    $_ == 10 ? () : (against => $cells{10}, by => 'cpu_us',
	    of => '10 tenants (CPU)', bar => $_ == 100_000 ? '<= 1.10' : undef))
	    for sort { $a <=> $b } keys(%cells);
}

# -- changes of the directory

sub
change
{
	my ($tenant, $attribute, $value) = @_;

	return sprintf("dn: dc=t%06d.example,$BASE\nchangetype: modify\n" .
	    "replace: $attribute\n$attribute: $value\n\n", $tenant);
}

# Seconds from before ldapmodify until a request feels it
sub
effect_secs
{
	my ($slapd, $policyd, $status) = @_;
	my $begin = time();

	$slapd->modify(change(7, 'posternStatus', $status));
	until ($policyd->ask(outbound('user1@t000007.example',
	    'a@elsewhere.example')) =~ ($status eq 'active' ? qr/^DUNNO/ :
	    qr/^550/)) {
		sleep(0.001);
		die "not in force\n" if time() > $begin + 20;
	}
	return time() - $begin;
}

# What directory-burst finds, by number of tenants: { name => [a value of each
# round] }
sub
bursts
{
	my %found;

	for (1 .. $Sample::ROUNDS) {
		open(my $pipe, '-|', $^X, "$FindBin::Bin/directory-burst",
		    10, 1000, 100_000) or die $!;
		for (<$pipe>) {
			my %value = /(\w+)=([\d.]+)/g or next;

			push(@{$found{$value{tenants}}{$_}}, $value{$_})
			    for keys(%value);
		}
		close($pipe) or die "directory-burst failed\n";
	}
	return \%found;
}

sub
section_changes
{
	my $slapd = PosternSlapd->start(syncprov => 1,
	    sizelimit => 'unlimited');
	my @common = (section => 'policyd, changes in LDAP', is_ours => 1);
	# name in directory-burst, as shown, unit, bars
	my @burst = (
		[ 'start', 'start', 's', { 100_000 => '<= 5' } ],
		[ 'rss', 'memory', 'MiB', { 100_000 => '<= 200' } ],
		[ 'burst', 'CPU of a change', 'us', {} ],
		[ 'in_force_after', 'burst to effect', 's',
		    { map { $_ => '<= 1' } 10, 1000, 100_000 } ],
		[ 'p99', 'p99 in a burst', 'ms',
		    { map { $_ => '<= 5' } 10, 1000, 100_000 } ],
	);

	$slapd->add(Servers::tenants(1000, Servers::limits(3)));
	my $server = Servers::policyd('LDAP', tenants => 0,
	    conf => { directory => $slapd->settings() });
	my @secs = map { effect_secs($slapd, $server->{policyd},
	    $_ % 2 ? 'disabled' : 'active') } 1 .. 2 * $Sample::ROUNDS;
	my ($longest) = sort { $b <=> $a } @secs;

	Report::add(@common, what => 'one change to effect, median',
	    value => median(@secs), unit => 's');
	Report::add(@common, what => 'one change to effect, longest',
	    value => $longest, unit => 's', bar => '<= 1');
	my $found = bursts();

	for my $tenants (sort { $a <=> $b } keys(%$found)) {
		Report::add(@common, what => "$_->[1], $tenants tenants",
		    value => median(@{$found->{$tenants}{$_->[0]}}),
		    unit => $_->[2], bar => $_->[3]{$tenants}) for @burst;
	}
}

# -- what one request costs, and one message

sub
section_instructions
{
	my @common = (section => 'one request or message, by valgrind');

	for (@PosternCallgrind::KINDS) {
		my $sum = PosternCallgrind::per_request($_);

		Report::add(@common, what => "instructions, $_->{name}",
		    value => $sum->{own}, unit => '',
		    ratio => $sum->{own} / $sum->{all},
		    of => 'all with libraries');
		Report::add(@common, what => "allocations, $_->{name}",
		    value => $sum->{calls}, unit => '');
	}
}

1;
