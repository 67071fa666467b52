# SPDX-License-Identifier: ISC
# Servers.pm - the policy servers that t/bench/measure compares, each set up for
# the same job: one function starts one and returns { name, socket, pids }.
# Packages that are not installed have none. All are stopped at the end.
package Servers;

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use POSIX ();
use Postern qw(build slurp spew temp_dir wait_until);
use PosternLdif qw(tenant);
use Time::HiRes qw(clock_gettime);

my $owner = $$;
my %stranger;		# pid => 1: started here, and not by Postern.pm
our $NOBODY = 'nobody';

# The limits of a tenant, in the order in which they are added
my @LIMITS = ('hourly outbound mailbox recipients 900M/1h',
    'daily outbound domain messages 900M/1d',
    'weekly outbound mailbox messages 900M/1w');

sub
tenants
{
	my ($count, @policy) = @_;

	return join('', map { tenant(sprintf('t%06d.example', $_), @policy) }
	    0 .. $count - 1);
}

sub
limits
{
	my ($count) = @_;

	return $count == 0 ? () : (RateLimit => [@LIMITS[0 .. $count - 1]]);
}

# Our own: policyd(NAME, tenants => NUMBER, policy => [...], conf => {...})
sub
policyd
{
	my ($name, %args) = @_;
	my $policyd = Postern->new(is_on_time => 1,
	    ldif => tenants($args{tenants}, @{$args{policy} // []}),
	    conf => { log_level => 'info', %{$args{conf} // {}} });

	$policyd->launch() if !$args{is_later};
	return { name => $name, policyd => $policyd,
	    socket => $policyd->path('policy'),
	    pids => sub { $policyd->{pid} } };
}

# Anybody else's, as nobody in a directory of its own: COMMAND is given that
# directory. One that forks and goes leaves its pid in DIR/pid.
sub
command
{
	my ($name, $command) = @_;
	my $dir = temp_dir();
	my ($uid, $gid) = (getpwnam($NOBODY))[2, 3];

	chown($uid, $gid, "$dir") if $> == 0;
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0) {
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', "$dir/log");
		open(STDERR, '>&', \*STDOUT);
		($), $() = ("$gid $gid", $gid) if $> == 0;
		POSIX::setuid($uid) if $> == 0;
		exec($command->("$dir")) or POSIX::_exit(127);
	}
	$stranger{$pid} = 1;
	wait_until { -S "$dir/socket" }
	    or die "$name does not serve: " . slurp("$dir/log");
	my ($left) = slurp("$dir/pid") =~ /(\d+)/;

	$stranger{$pid = $left} = 1 if $left;
	return { name => $name, dir => $dir, socket => "$dir/socket",
	    pids => sub { $pid } };
}

sub
dunno
{
	return command('DUNNO', sub {
		(build() . '/t/bench/dunno', "$_[0]/socket") });
}

# Three limits of a login, as ours. postfwd1 is one process, which here is
# faster than the several of postfwd2.
sub
postfwd
{
	return if !-x '/usr/sbin/postfwd1';
	return command('postfwd', sub {
		my ($dir) = @_;

		return ('/usr/sbin/postfwd1', '--daemon', '--nodns',
		    '--norulelog', '--proto=unix', "--port=$dir/socket",
		    '--umask=0111', "--pidfile=$dir/pid", "--user=$NOBODY",
		    '--group=nogroup', map {
			"--rule=id=R$_; action=rate(sasl_username/900000000/" .
			"$_/DEFER)" } 3600, 86400, 604800);
	});
}

sub
policyd_rate_limit
{
	return if !-x '/usr/bin/policyd-rate-limit';
	return command('policyd-rate-limit', sub {
		my ($dir) = @_;

		spew("$dir/conf.yaml", <<END);
debug: False
user: $NOBODY
group: nogroup
pidfile: $dir/pid
backend: 0
sqlite_config: { database: $dir/database }
SOCKET: $dir/socket
socket_permission: 0666
limit_by_sasl: True
limits: [[900000000, 3600], [900000000, 86400], [900000000, 604800]]
END
		return ('/usr/bin/policyd-rate-limit', '-f', "$dir/conf.yaml");
	});
}

sub
postgrey
{
	return if !-x '/usr/sbin/postgrey';
	return command('postgrey', sub {
		my ($dir) = @_;

		return ('/usr/sbin/postgrey', "--unix=$dir/socket",
		    "--dbdir=$dir", "--user=$NOBODY", '--group=nogroup',
		    "--pidfile=$dir/pid");
	});
}

# Nanoseconds of CPU that all threads of a server have had, also those that are
# gone: its processes' clocks, whose numbers clock_getcpuclockid(3) makes so
sub
cpu_ns
{
	my ($server) = @_;
	my $secs = 0;

	$secs += clock_gettime(-8 * ($_ + 1) + 2) for $server->{pids}->();
	return $secs * 1e9;
}

sub
rss_mib
{
	my ($server) = @_;
	my $kib = 0;

	$kib += slurp("/proc/$_/status") =~ /^VmRSS:\s*(\d+)/m ? $1 : 0
	    for $server->{pids}->();
	return $kib / 1024;
}

END {
	my $status = $?;

	if ($owner == $$) {
		kill('TERM', $_) for keys(%stranger);
		waitpid($_, 0) for keys(%stranger);
	}
	$? = $status;
}

1;
