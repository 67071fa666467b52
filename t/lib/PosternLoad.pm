# SPDX-License-Identifier: ISC
# PosternLoad.pm - a steady load on one or more policyd: so many connections,
# each sends its next request as soon as it has the answer. A process of its
# own, so that the test can break things meanwhile; every request leaves one
# record. Like Postfix it repeats on a new connection what one that was closed
# has not answered. Core modules only.
package PosternLoad;

use strict;
use warnings;

use IO::Select;
use POSIX ();
use Postern qw(temp_dir wait_until);
use Time::HiRes qw(sleep time);

# What an answer means: the first row that it matches
my @VERDICTS = (
	[ permit => qr/^DUNNO$/ ],
	[ greylist => qr/^DEFER_IF_PERMIT 4\.2\.0 / ],
	[ limit => qr/^451 4\.7\.1 [^ ]+: limit / ],
	[ counters => qr/^451 4\.7\.1 counters cannot be asked/ ],
	[ directory => qr/^451 4\.7\.1 the directory / ],
);
my $PATIENCE_SECS = 20;
my $PACE_SECS = 0.005;	# the servers, too, want to run

my %running;		# pid => what was started, ours alone

# PosternLoad->start([POLICYD, ...], \&request, CONNECTIONS of each): the
# function makes the attributes of one request from its number: (kind, name =>
# value, ...), where the kind is a word of the test's own
sub
start
{
	my ($class, $policyds, $request, $connections) = @_;
	my $dir = temp_dir();
	my $self = bless({ dir => $dir, owner => $$, request => $request,
	    targets => [ map { $_->{listen} } @$policyds ],
	    connections => $connections // 4, records => [] }, $class);

	open($self->{written}, '>', "$dir/records") or die $!;
	open($self->{read}, '<', "$dir/records") or die $!;
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0) {
		eval { $self->run(); 1 } or print STDERR "# load: $@";
		POSIX::_exit($@ ? 1 : 0);
	}
	$self->{pid} = $pid;
	$running{$pid} = $self;
	return $self;
}

# ---- The process that asks ----

# The next request, or where the connection was lost, the same once more
sub
begin
{
	my ($self, $lane) = @_;

	if (!defined($lane->{bytes})) {
		my $number = ++$self->{number};
		my ($kind, @attributes) = $self->{request}->($number);

		$lane->{kind} = $kind;
		$lane->{bytes} = Postern::Client::request(
		    instance => "load$$-$number", @attributes);
	}
	$lane->{client} //= eval {
		Postern::Client->new($lane->{target}) } // return;
	$lane->{start} = time();
	$lane->{client}->send($lane->{bytes});
	$lane->{is_busy} = 1;
}

sub
record
{
	my ($self, $lane, $what) = @_;

	syswrite($self->{written}, sprintf("%.6f %.6f %d %s %s\n",
	    $lane->{start}, time() - $lane->{start}, $lane->{host},
	    $lane->{kind}, $what));
	$lane->{is_busy} = 0;
}

# Its connection is readable: one answer and not a byte more, or its end
sub
take
{
	my ($self, $lane) = @_;
	my $client = $lane->{client};

	if (!sysread($client->{socket}, $client->{input}, 65536,
	    length($client->{input}))) {
		$self->record($lane, $client->{input} eq '' ? 'closed' :
		    'malformed: cut') if $lane->{is_busy};
		return $lane->{client} = undef;
	}
	return if $client->{input} !~ /\n\n/;
	my ($answer) = $client->{input} =~ /\Aaction=([ -~]{1,200})\n\n\z/;

	$client->{input} = '';
	$self->record($lane, !$lane->{is_busy} ? 'malformed: unasked' :
	    $answer // 'malformed');
	$lane->{bytes} = undef;
}

sub
run
{
	my ($self) = @_;
	my ($is_over, $end) = (0);
	my @lanes = map { { target => $self->{targets}[$_], host => $_ } }
	    (0 .. $#{$self->{targets}}) x $self->{connections};

	local $SIG{TERM} = sub { $is_over = 1 };
	local $SIG{PIPE} = 'IGNORE';
	while (!$is_over || grep { $_->{is_busy} } @lanes) {
		$end //= time() + $PATIENCE_SECS if $is_over;
		last if $end && time() > $end;
		for my $lane (grep { !$_->{is_busy} } @lanes) {
			$self->begin($lane) if !$is_over;
		}
		my %of = map { $_->{client} ?
		    (fileno($_->{client}{socket}) => $_) : () } @lanes;
		my $select = IO::Select->new(keys(%of));

		$self->take($of{$_}) for $select->can_read(0.02);
		sleep($PACE_SECS);
	}
	$self->record($_, 'unanswered') for grep { $_->{is_busy} } @lanes;
}

# ---- The test's side ----

sub
verdict_of
{
	my ($answer) = @_;

	for my $row (@VERDICTS) {
		return $row->[0] if $answer =~ $row->[1];
	}
	return $answer;
}

# All that has been answered so far
sub
records
{
	my ($self) = @_;
	my $written = $self->{read};

	seek($written, 0, 1);	# no end of file any more
	while (defined(my $line = readline($written))) {
		if (chomp($line) == 0) {	# half of it: later
			seek($written, -length($line), 1);
			last;
		}
		my ($start, $took, $host, $kind, $answer) =
		    split(/ /, $line, 5);

		push(@{$self->{records}}, { start => $start, took => $took,
		    host => $host, kind => $kind,
		    verdict => verdict_of($answer) });
	}
	return $self->{records};
}

# So many more requests are asked from now on, and answered, on each policyd.
# The time from which on they were asked.
sub
more
{
	my ($self, $count) = @_;
	my $from = time();
	my $next = @{$self->records()};
	my %asked;

	wait_until {
		my $records = $self->records();

		for (; $next < @$records; $next++) {
			$asked{$records->[$next]{host}}++
			    if $records->[$next]{start} >= $from;
		}
		@{$self->{targets}} == grep { $_ >= $count } values(%asked);
	} or die "the load stands still\n";
	return $from;
}

# What was answered to requests that were asked in that time, to this host's
# alone where one is named: "KIND VERDICT" => how many
sub
verdicts
{
	my ($self, $from, $to, $host) = @_;
	my %count;

	for my $one (@{$self->records()}) {
		next if $one->{start} < $from || $one->{start} > $to ||
		    $one->{host} != ($host // $one->{host});
		$count{"$one->{kind} $one->{verdict}"}++;
	}
	return \%count;
}

sub
longest
{
	my ($self) = @_;
	my $longest = 0;

	for my $one (@{$self->records()}) {
		$longest = $one->{took} if $one->{took} > $longest;
	}
	return $longest;
}

# No more requests; those under way have their answers. Whatever is not
# exactly one well-formed answer, as in verdicts().
sub
stop
{
	my ($self) = @_;

	return {} if !$self->{pid};
	kill('TERM', $self->{pid});
	waitpid($self->{pid}, 0);
	delete($running{$self->{pid}});
	$self->{pid} = 0;
	my $all = $self->verdicts(0, time());
	my %known = map { $_->[0] => 1 } @VERDICTS;

	return { map { $known{s/.*? //r} ? () : ($_ => $all->{$_}) }
	    keys(%$all) };
}

END {
	my $status = $?;

	$_->stop() for grep { $_->{owner} == $$ } values(%running);
	$? = $status;
}

1;
