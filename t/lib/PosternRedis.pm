# SPDX-License-Identifier: ISC
# PosternRedis.pm - a Redis of one's own on a unix socket. Core modules only.
# It is stopped when the program ends, also when it dies.
package PosternRedis;

use strict;
use warnings;

use IO::Socket::UNIX;
use Postern qw(slurp temp_dir wait_until);

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
		exec('redis-server', '--port', 0, '--unixsocket',
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
