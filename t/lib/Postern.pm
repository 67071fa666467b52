# SPDX-License-Identifier: ISC
# Postern.pm - a policyd of one's own: start it on an LDIF text, move its
# clock, ask it, read its log, stop it. Core modules only. Whatever was
# started is stopped when the program ends, also when it dies.
package Postern;

use strict;
use warnings;

use Exporter 'import';
use Fcntl qw(O_CREAT O_RDWR SEEK_SET);
use File::Basename qw(dirname);
use File::Temp;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(free_port inbound is_sanitized outbound slurp spew srcdir
    build temp_dir wait_until);

my %running;		# pid => what was started, ours alone
my $instances = 0;
my %given;		# ports

# Other accounts read what we write, whatever the caller's umask
umask(022);

# So that END comes also when a time limit, or a reader gone, ends us
$SIG{$_} = sub { exit(1) } for qw(HUP INT PIPE TERM);

sub
srcdir
{
	return dirname(__FILE__) . '/../..';
}

# Where the programs were built
sub
build
{
	return $ENV{POSTERN_BUILD} || srcdir() . '/build';
}

# Was it built with a sanitizer, which takes memory and time of its own?
sub
is_sanitized
{
	return slurp(build() . '/policyd/policyd') =~ /__asan_init/;
}

sub
slurp
{
	my ($path) = @_;

	open(my $file, '<', $path) or return '';
	local $/;
	return scalar(<$file>) // '';
}

sub
spew
{
	my ($path, $text) = @_;

	open(my $file, '>', $path) or die "$path: $!\n";
	print $file $text;
	close($file) or die "$path: $!\n";
}

# A directory that other accounts may pass through, gone at the end
sub
temp_dir
{
	my $dir = File::Temp->newdir('postern-XXXXXX', TMPDIR => 1);

	chmod(0755, "$dir");
	return $dir;
}

# Calls until it answers true, for at most 20 seconds
sub
wait_until(&;$)
{
	my ($is_done, $secs) = @_;
	my $end = time() + ($secs // 20);

	while (time() < $end) {
		my $answer = $is_done->();

		return $answer if $answer;
		sleep(0.02);
	}
	return;
}

# A port that nobody has, below those the kernel hands out by itself
sub
free_port
{
	for (1 .. 100) {
		my $port = 20000 + int(rand(12000));

		return $port if !$given{$port}++ && IO::Socket::INET->new(
		    Listen => 1, LocalAddr => '127.0.0.1',
		    LocalPort => $port);
	}
	die "no free port\n";
}

# One value in libconfig's syntax
sub
conf_value
{
	my ($value) = @_;

	if (ref($value) eq 'HASH') {
		return '{ ' . conf_text($value) . '}';
	}
	if (ref($value) eq 'ARRAY') {
		return '[ ' . join(', ', map { conf_value($_) } @$value) . ' ]';
	}
	return $value if $value =~ /^(0|[1-9]\d*|true|false)$/;
	$value =~ s/(["\\])/\\$1/g;
	return "\"$value\"";
}

sub
conf_text
{
	my ($options) = @_;

	return join('', map { "$_ = " . conf_value($options->{$_}) . ";\n" }
	    sort(keys(%$options)));
}

# Postern->new(ldif => TEXT, conf => { option => value }), not started. With
# under => [COMMAND] that command runs it; is_on_time => 1: its clock is the
# machine's, and cannot be set.
sub
new
{
	my ($class, %args) = @_;
	my $dir = temp_dir();
	my $self = bless({ dir => $dir, owner => $$, offset_ms => 0,
	    under => $args{under} // [], is_on_time => $args{is_on_time} },
	    $class);

	$self->write_ldif($args{ldif} // '');
	$self->write_conf($args{conf} // {});
	$self->set_clock(0);
	return $self;
}

# Postern->start(...): as new(), and serving when it returns
sub
start
{
	my ($class, %args) = @_;
	my $self = $class->new(%args);

	$self->launch();
	return $self;
}

sub
path
{
	my ($self, $name) = @_;

	return "$self->{dir}/$name";
}

sub
write_ldif
{
	my ($self, $text) = @_;

	# All at once: the daemon reads the file when it changes
	spew($self->path('new.ldif'), $text);
	rename($self->path('new.ldif'), $self->path('directory.ldif'));
}

# Which of the daemons, and its options where a test names no other;
# PosternSign.pm has others
sub
program
{
	return 'policyd';
}

sub
defaults
{
	my ($self) = @_;

	return (
		listen => ['unix:' . $self->path('policy')],
		listen_mode => '0666',
		listen_group => '',
		user => '',
		group => '',
		directory => { uri => 'ldif://' . $self->path('directory.ldif') },
		control => 'unix:' . $self->path('control'),
		sendmail => '',
		log => 'stderr',
		log_level => 'debug',
	);
}

sub
write_conf
{
	my ($self, $options) = @_;
	my %conf = ($self->defaults(), %$options);

	$self->{listen} = $conf{listen}[0];
	$self->{metrics} = ($conf{metrics} // '') =~ s/^inet://r;
	spew($self->path($self->program() . '.conf'), conf_text(\%conf));
}

# The daemon's clock: real time and this many milliseconds
sub
set_clock
{
	my ($self, $offset_ms) = @_;

	$self->{offset_ms} = $offset_ms;
	sysopen(my $file, $self->path('clock'), O_CREAT | O_RDWR) or die $!;
	syswrite($file, pack('q', $offset_ms)) == 8 or die $!;
}

# '90s', '5m', '1h', '2d', and '200ms'
sub
advance
{
	my ($self, $duration) = @_;
	my %ms = (ms => 1, s => 1000, m => 60e3, h => 3600e3, d => 86400e3,
	    w => 7 * 86400e3);
	my ($count, $unit) = $duration =~ /^(-?\d+)(ms|[smhdw])$/
	    or die "not a duration: $duration\n";

	$self->set_clock($self->{offset_ms} + $count * $ms{$unit});
}

# The process, and not yet whether it serves
sub
spawn
{
	my ($self) = @_;
	my $name = $self->program();
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0) {
		$ENV{POSTERN_CLOCK} = $self->path('clock')
		    if !$self->{is_on_time};
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>>', $self->path('log'));
		open(STDERR, '>>', $self->path('log'));
		exec(@{$self->{under}}, build() . "/$name/$name", '-c',
		    $self->path("$name.conf")) or POSIX::_exit(127);
	}
	$self->{pid} = $pid;
	$self->{was_killed} = 0;
	$running{$pid} = $self;
}

sub
is_ready
{
	my ($self) = @_;

	return $self->control('/check');
}

sub
launch
{
	my ($self) = @_;
	my $name = $self->program();

	$self->spawn();
	wait_until { !$self->is_running() || $self->is_ready() }
	    or die "$name does not answer:\n" . $self->log();
	die "$name did not start ($self->{status}):\n" . $self->log()
	    if !$self->is_running();
	return $self;
}

sub
is_running
{
	my ($self) = @_;

	return 0 if !$self->{pid};
	return 1 if waitpid($self->{pid}, WNOHANG) == 0;
	$self->{status} = $?;
	delete($running{$self->{pid}});
	$self->{pid} = 0;
	return 0;
}

# A GET on the control socket, or a POST of a text there: the whole answer, ''
# where there was none
sub
control
{
	my ($self, $path, $text) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $self->path('control'))
	    or return '';

	print $socket defined($text) ? "POST $path HTTP/1.0\r\n" .
	    'Content-Length: ' . length($text) . "\r\n\r\n$text" :
	    "GET $path HTTP/1.0\r\n\r\n";
	$socket->flush();
	local $/;
	return scalar(<$socket>) // '';
}

# One value of /metrics; 'none' where it is not there
sub
metric
{
	my ($self, $name) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => $self->{metrics})
	    or return "no answer from $self->{metrics}";

	print $socket "GET /metrics HTTP/1.0\r\n\r\n";
	$socket->flush();
	return join('', <$socket>) =~ /^\Q$name\E (\S+)$/m ? $1 : 'none';
}

# What policyctl says to these words: (exit code, output)
sub
policyctl
{
	my ($self, @words) = @_;

	open(my $pipe, '-|', build() . '/policyd/policyctl', '-c',
	    $self->path('policyd.conf'), @words) or die "policyctl: $!\n";
	my $output = do { local $/; <$pipe> } // '';
	close($pipe);
	return ($? >> 8, $output);
}

sub
log
{
	my ($self) = @_;

	return slurp($self->path('log'));
}

# The log has it, so many times
sub
wait_log
{
	my ($self, $pattern, $times) = @_;

	return wait_until { (() = $self->log() =~ /$pattern/g) >=
	    ($times // 1) };
}

# How many lines have it that tell of no request's verdict
sub
told
{
	my ($self, $pattern) = @_;

	return scalar(grep { /$pattern/ && !/verdict=/ }
	    split(/\n/, $self->log()));
}

# A line of /proc/PID/status
sub
proc_status
{
	my ($self, $name) = @_;

	return slurp("/proc/$self->{pid}/status") =~ /^$name:\s*(.*)$/m
	    ? $1 : '';
}

sub
rss_kib
{
	my ($self) = @_;

	return $self->proc_status('VmRSS') =~ s/\D//gr;
}

sub
reload
{
	my ($self) = @_;

	kill('HUP', $self->{pid});
}

# Dies as by the kernel's hand
sub
kill_hard
{
	my ($self) = @_;

	$self->{was_killed} = 1;
	kill('KILL', $self->{pid});
	wait_until { !$self->is_running() };
}

# What is wrong with how it ran and ended, '' if nothing:
# is($policyd->stop(), '', 'policyd stops cleanly')
sub
stop
{
	my ($self) = @_;

	if (!$self->is_running()) {
		return $self->{was_killed} ? '' : "ended by itself " .
		    "($self->{status})\n" . $self->log();
	}
	kill('TERM', $self->{pid});
	if (!defined(wait_until { !$self->is_running() })) {
		$self->kill_hard();
		return "did not stop on SIGTERM\n" . $self->log();
	}
	return "exit status $self->{status}\n" . $self->log()
	    if $self->{status} != 0;
	return $self->log() if $self->log() =~
	    /ERROR: AddressSanitizer|LeakSanitizer|runtime error/;
	return '';
}

# A connection; the first one is kept for ask()
sub
connect
{
	my ($self) = @_;

	return Postern::Client->new($self->{listen});
}

sub
ask
{
	my ($self, @attributes) = @_;

	$self->{client} //= $self->connect();
	return $self->{client}->ask(@attributes);
}

# The same on a connection of its own
sub
ask_anew
{
	my ($self, @attributes) = @_;

	return $self->connect()->ask(@attributes);
}

# The attributes that say: LOGIN sends to RECIPIENT
sub
outbound
{
	my ($login, $recipient, @more) = @_;

	return (sender => $login, recipient => $recipient,
	    sasl_username => $login, sasl_method => 'PLAIN',
	    encryption_protocol => 'TLSv1.3', @more);
}

# The attributes that say: a stranger sends to RECIPIENT
sub
inbound
{
	my ($sender, $recipient, @more) = @_;

	return (sender => $sender, recipient => $recipient, @more);
}

END {
	my $status = $?;

	for my $self (values(%running)) {
		next if $self->{owner} != $$;
		my $problem = $self->stop();

		next if $problem eq '';
		print STDERR "# ", $self->program(), ": $problem\n";
		$status ||= 1;
	}
	$? = $status;
}

# One policy connection
package Postern::Client;

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Time::HiRes qw(time);

sub
new
{
	my ($class, $endpoint) = @_;
	my ($kind, $where) = $endpoint =~ /^(unix|inet):(.*)$/;
	my $socket = $kind eq 'unix' ? IO::Socket::UNIX->new(Peer => $where) :
	    IO::Socket::INET->new(PeerAddr => $where);

	die "$endpoint: $!\n" if !$socket;
	return bless({ socket => $socket, input => '' }, $class);
}

# A request's bytes, from attributes over those of a stranger's RCPT. A value
# of undef leaves the attribute out.
sub
request
{
	my (@attributes) = @_;
	my @standard = (
		request => 'smtpd_access_policy',
		protocol_state => 'RCPT',
		protocol_name => 'ESMTP',
		client_address => '192.0.2.7',
		client_name => 'mail.stranger.example',
		reverse_client_name => 'mail.stranger.example',
		helo_name => 'mail.stranger.example',
		server_address => '203.0.113.1',
		sender => 'someone@stranger.example',
		recipient => '',
		recipient_count => 0,
		size => 0,
		queue_id => '',
		instance => 'i' . ++$instances
	);
	my (%value, @names);

	while (my ($name, $value) = splice(@standard, 0, 2)) {
		push(@names, $name);
		$value{$name} = $value;
	}
	while (my ($name, $value) = splice(@attributes, 0, 2)) {
		push(@names, $name) if !exists($value{$name});
		$value{$name} = $value;
	}
	return join('', map { "$_=$value{$_}\n" }
	    grep { defined($value{$_}) } @names) . "\n";
}

# The action alone: '451 4.7.1 ...'
sub
ask
{
	my ($self, @attributes) = @_;

	$self->send(request(@attributes));
	my $reply = $self->receive();

	return 'no answer' if !defined($reply);
	return 'closed' if $reply eq '';
	return $1 if $reply =~ /\Aaction=([^\n]*)\n\n\z/;
	return "malformed answer: $reply";
}

sub
send
{
	my ($self, $bytes) = @_;

	local $SIG{PIPE} = 'IGNORE';
	while ($bytes ne '') {
		my $sent = syswrite($self->{socket}, $bytes) // return 0;

		substr($bytes, 0, $sent, '');
	}
	return 1;
}

# Nothing more will be sent
sub
end
{
	my ($self) = @_;

	shutdown($self->{socket}, 1);
}

# The next reply with its empty line; '' when the other end closed, undef when
# nothing came in time
sub
receive
{
	my ($self, $secs) = @_;
	my $end = time() + ($secs // 20);
	my $select = IO::Select->new($self->{socket});

	while (index($self->{input}, "\n\n") < 0) {
		my $left = $end - time();

		return if $left < 0 || !$select->can_read($left);
		sysread($self->{socket}, $self->{input}, 65536,
		    length($self->{input})) or return '';
	}
	return substr($self->{input}, 0, index($self->{input}, "\n\n") + 2,
	    '');
}

# Not a byte and not a close for so long
sub
is_silent
{
	my ($self, $secs) = @_;

	return $self->{input} eq '' &&
	    !IO::Select->new($self->{socket})->can_read($secs // 0.2);
}

1;
