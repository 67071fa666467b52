# SPDX-License-Identifier: ISC
# PosternRedis.pm - a Redis of one's own on a unix socket, or several of them
# with sentinels or as a cluster. Core modules only.
# They are stopped when the program ends, also when it dies.
package PosternRedis;

use strict;
use warnings;

use IO::Socket::UNIX;
use Postern qw(free_port slurp spew temp_dir wait_until);

my %running;		# pid => what was started, ours alone

# PosternRedis->start('--option', 'value', ...)
sub
start
{
	my ($class, @options) = @_;
	my $dir = temp_dir();
	my $self = bless({ dir => $dir, owner => $$,
	    socket => "$dir/redis.sock", options => \@options }, $class);

	$self->launch();
	return $self;
}

sub
launch
{
	my ($self) = @_;
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0) {
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>>', "$self->{dir}/log");
		open(STDERR, '>&', \*STDOUT);
		exec('redis-server', @{$self->{first} // []}, '--port', 0, '--unixsocket',
		    $self->{socket}, '--unixsocketperm', 777, '--dir',
		    "$self->{dir}", '--save', '', @{$self->{options}})
		    or POSIX::_exit(127);
	}
	$self->{pid} = $pid;
	$running{$pid} = $self;
	wait_until { $self->ask('PING') =~ /PONG|NOAUTH|LOADING/ }
	    or die "redis-server does not answer:\n" .
	    slurp("$self->{dir}/log");
}

# The same on a port of 127.0.0.1, too; the options may be for several
sub
start_tcp
{
	my ($class, $password, @options) = @_;
	my $port = free_port();
	my $self = $class->start('--port', $port, '--bind', '127.0.0.1',
	    ($password ? ('--requirepass', $password, '--masterauth',
	    $password) : ()), @options);

	$self->{port} = $port;
	$self->{password} = $password;
	return $self;
}

# What redis-cli prints
sub
cli
{
	my ($self, @words) = @_;

	open(my $pipe, '-|', 'redis-cli', '-s', $self->{socket},
	    ($self->{password} ? ('--no-auth-warning', '-a',
	    $self->{password}) : ()), @words) or die "redis-cli: $!\n";
	local $/;
	return scalar(<$pipe>) // '';
}

# All that this master wrote has come to one replica
sub
is_replicated
{
	my ($self) = @_;

	return wait_until {
		my $said = $self->cli('INFO', 'replication');
		my ($here) = $said =~ /^master_repl_offset:(\d+)/m;
		my ($there) = $said =~ /^slave0:.*state=online,offset=(\d+)/m;

		defined($there) && $here == $there;
	};
}

sub
sentinel
{
	my ($class, $master) = @_;
	my $dir = temp_dir();
	my $self = bless({ dir => $dir, owner => $$, port => free_port(),
	    socket => "$dir/redis.sock", password => $master->{password},
	    first => ["$dir/conf", '--sentinel'] }, $class);

	spew("$dir/conf", "sentinel monitor m 127.0.0.1 $master->{port} 2\n" .
	    "sentinel down-after-milliseconds m 500\n" .
	    "sentinel failover-timeout m 3000\n" .
	    ($master->{password} ?
		"sentinel auth-pass m $master->{password}\n" .
		"requirepass $master->{password}\n" : ''));
	$self->{options} = ['--port', $self->{port}];
	$self->launch();
	return $self;
}

# (master, replica, three sentinels), which may not know each other yet
sub
trio
{
	my ($class, $password) = @_;
	my $master = $class->start_tcp($password);
	my $replica = $class->start_tcp($password, '--replicaof', '127.0.0.1',
	    $master->{port});

	$master->is_replicated() or die "no replication\n";
	return ($master, $replica, map { $class->sentinel($master) } 1 .. 3);
}

sub
sentinels_are_ready
{
	my (@sentinels) = @_;

	for my $one (@sentinels) {
		wait_until {
			my %is = split(/\n/, $one->cli('SENTINEL', 'MASTER',
			    'm'));

			$is{'num-slaves'} == 1 &&
			    $is{'num-other-sentinels'} == $#sentinels;
		} or return 0;
	}
	return 1;
}

# Three masters and their replicas, in this order, which may need a moment more:
# cluster_is_ready()
sub
cluster
{
	my ($class) = @_;
	my @nodes = map { $class->start_tcp('', '--cluster-enabled', 'yes',
	    '--cluster-port', free_port(), '--cluster-node-timeout', 2000,
	    '--cluster-require-full-coverage', 'no',
	    '--repl-diskless-sync-delay', 0) } 1 .. 6;

	for my $i (0 .. 2) {
		$nodes[$i]->cli('CLUSTER', 'ADDSLOTSRANGE',
		    int(16384 * $i / 3 + 0.99), int(16384 * ($i + 1) / 3 - 0.01));
		$nodes[$i]->cli('CLUSTER', 'SET-CONFIG-EPOCH', $i + 1);
	}
	for my $node (@nodes[1 .. 5]) {
		my ($bus) = grep { $node->{options}[$_] eq '--cluster-port' }
		    0 .. $#{$node->{options}};

		$nodes[0]->cli('CLUSTER', 'MEET', '127.0.0.1', $node->{port},
		    $node->{options}[$bus + 1]);
	}
	wait_until {
		!grep { $_->cli('CLUSTER', 'INFO') !~ /known_nodes:6\b/ } @nodes;
	} or die "the nodes did not meet\n";
	for my $i (0 .. 2) {
		my ($id) = $nodes[$i]->cli('CLUSTER', 'MYID') =~ /(\w+)/;

		$nodes[$i]{id} = $id;
		$nodes[$i + 3]->cli('CLUSTER', 'REPLICATE', $id);
	}
	return @nodes;
}

sub
cluster_is_ready
{
	my (@nodes) = @_;

	return wait_until {
		!grep { $_->cli('CLUSTER', 'INFO') !~ /state:ok/ ||
		    $_->cli('CLUSTER', 'SLOTS') eq '' ||
		    $_->cli('INFO', 'replication') !~
		    /role:master|master_link_status:up/ } @nodes;
	} && !grep { !$_->is_replicated() } @nodes[0 .. 2];
}

sub
uri
{
	my ($self, $user) = @_;

	return 'redis+unix://' . ($user // '') . $self->{socket};
}

# One inline command. The connection, which has its answer, or nothing.
sub
tell
{
	my ($self, @words) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $self->{socket}) or return;

	print $socket join(' ', @words) . "\r\n";
	$socket->flush();
	return $socket;
}

# The same: the first bytes of its answer, '' where there is none
sub
ask
{
	my ($self, @words) = @_;
	my $socket = $self->tell(@words) or return '';

	sysread($socket, my $answer, 65536) or return '';
	return $answer;
}

sub
signal
{
	my ($self, $name) = @_;

	kill($name, $self->{pid});
}

sub
stop
{
	my ($self) = @_;

	return if !$self->{pid};
	kill('CONT', $self->{pid});
	kill('KILL', $self->{pid});
	waitpid($self->{pid}, 0);
	delete($running{$self->{pid}});
	$self->{pid} = 0;
}

END {
	my $status = $?;

	$_->stop() for grep { $_->{owner} == $$ } values(%running);
	$? = $status;
}

1;
