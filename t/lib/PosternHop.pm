# SPDX-License-Identifier: ISC
# PosternHop.pm - a next hop that does as it is told: an SMTP or LMTP server
# whose behaviour is a table, step by step and connection by connection. It
# keeps what was delivered to it, and tells how far each connection came. Core
# modules only.
package PosternHop;

use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(WNOHANG _exit);
use Postern qw(slurp temp_dir wait_until);

my %running;		# pid => ours
my @ALL = ('PIPELINING', 'SIZE 50000000', 'ENHANCEDSTATUSCODES', '8BITMIME',
    'DSN', 'SMTPUTF8', 'CHUNKING',
    'XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT');

# PosternHop->start(
#	kind => 'smtp' or 'lmtp', unix => 1,
#	offer => [EHLO keywords], without => 'CHUNKING',
#	plan => [{ STEP => ACTION, ... }, ...])
# plan has a table for each connection in turn; the last one holds for all that
# follow. STEP: connect, ehlo, xforward, mail, rcpt, data, body, end. ACTION: a
# reply; 'cut'; 'silence'; 'slow' (the usual reply, byte by byte); of rcpt, a
# table by address, too; of end for LMTP a list, one for each recipient; of
# body, what happens in the middle of the message: 'cut', 'silence', or a reply
# behind which it is cut.
# A message counts as delivered when its end came and end is a 2xx, 'cut' or
# 'silence'.
sub
start
{
	my ($class, %args) = @_;
	my $dir = $args{dir} // temp_dir();
	my @offer = grep { !defined($args{without}) || !/^$args{without}/ }
	    @{ $args{offer} // \@ALL };
	my $self = bless({ kind => 'smtp', plan => [{}], %args, dir => $dir,
	    offer => \@offer, owner => $$ }, $class);

	$self->{socket} = $args{unix} ? IO::Socket::UNIX->new(Listen => 100,
	    Local => "$dir/socket") : IO::Socket::INET->new(Listen => 100,
	    LocalAddr => '127.0.0.1', LocalPort => $args{port} // 0,
	    ReuseAddr => 1);
	die "next hop: $!\n" if !$self->{socket};
	$self->{port} = $self->{socket}->sockport() if !$args{unix};
	chmod(0777, "$dir/socket") if $args{unix};
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0) {
		$self->serve();
		_exit(0);
	}
	close($self->{socket});
	$self->{pid} = $pid;
	$running{$pid} = $self;
	return $self;
}

# What dkimsign.conf's next_hop is
sub
uri
{
	my ($self) = @_;

	return "$self->{kind}+unix:$self->{dir}/socket" if $self->{unix};
	return "$self->{kind}://127.0.0.1:$self->{port}";
}

# The lines that clients said, each with the number of its connection; "N
# connect" where it began, "N body" in the middle of a message where the plan has
# something there, "N end" where it had all of it
sub
said
{
	my ($self) = @_;

	return split(/\n/, slurp("$self->{dir}/said"));
}

# Waits for a line like that
sub
wait_said
{
	my ($self, $pattern) = @_;

	return wait_until { grep { $_ =~ $pattern } $self->said() };
}

# What was delivered, oldest first: { mail, rcpt => [], xforward => [], text }
sub
delivered
{
	my ($self) = @_;

	return map {
		my ($head, $text) = split(/\n\n/, slurp($_), 2);
		my %mail = (rcpt => [], xforward => [], text => $text);

		for my $line (split(/\n/, $head)) {
			my ($word, $rest) = split(/ /, $line, 2);

			$word = lc($word);
			if (ref($mail{$word})) {
				push(@{ $mail{$word} }, $rest);
			} else {
				$mail{$word} = $rest;
			}
		}
		\%mail;
	} sort(glob("$self->{dir}/mail.*"));
}

# Other tables from now on; connections that there are, are closed
sub
plan
{
	my ($self, @plan) = @_;

	$self->stop();
	unlink("$self->{dir}/said", "$self->{dir}/socket");
	%$self = (%$self, %{ PosternHop->start(%$self, plan => \@plan,
	    offer => $self->{offer}) });
	return $self;
}

sub
stop
{
	my ($self) = @_;
	my $pid = delete($self->{pid}) or return;

	# Again and again: Perl may look for signals just before accept() waits
	wait_until { kill('TERM', $pid); waitpid($pid, WNOHANG) != 0 };
	delete($running{$pid});
}

# Who is told to stop is gone once all its connections are
sub
serve
{
	my ($self) = @_;
	my ($number, @children) = (0);
	my $term = POSIX::SigSet->new(POSIX::SIGTERM());

	$SIG{$_} = 'DEFAULT' for qw(INT HUP);
	$SIG{PIPE} = 'IGNORE';
	$SIG{TERM} = sub {
		kill('KILL', @children);
		waitpid($_, 0) for @children;
		_exit(0);
	};
	while (1) {
		my $client = $self->{socket}->accept() or next;
		my $plan = $self->{plan}[$number] // $self->{plan}[-1];

		# Who is not in @children yet is not told to stop
		POSIX::sigprocmask(POSIX::SIG_BLOCK(), $term);
		my $pid = fork() // die "fork: $!\n";

		$number++;
		if ($pid == 0) {
			close($self->{socket});
			PosternHop::Connection->serve($self, $client, $number,
			    $plan);
			_exit(0);
		}
		push(@children, $pid);
		close($client);
		POSIX::sigprocmask(POSIX::SIG_UNBLOCK(), $term);
	}
}

END {
	my $status = $?;

	for my $self (values(%running)) {
		$self->stop() if $self->{owner} == $$;
	}
	$? = $status;
}

# One connection, in a process of its own
package PosternHop::Connection;

use strict;
use warnings;

use POSIX qw(_exit);
use Time::HiRes qw(sleep);

sub
serve
{
	my ($class, $hop, $socket, $number, $plan) = @_;
	my $self = bless({ hop => $hop, socket => $socket, plan => $plan,
	    number => $number, input => '', xforward => [] }, $class);

	$self->note('connect');
	$self->step('connect', '220 hop.example ready');
	while (defined(my $line = $self->line())) {
		$self->note($line);
		$self->command($line);
	}
}

sub
note
{
	my ($self, $line) = @_;

	open(my $file, '>>', "$self->{hop}{dir}/said") or die;
	syswrite($file, "$self->{number} $line\n");
}

sub
more
{
	my ($self) = @_;

	return sysread($self->{socket}, $self->{input}, 65536,
	    length($self->{input}));
}

sub
line
{
	my ($self) = @_;

	while ($self->{input} !~ /\r\n/) {
		$self->more() or return;
	}
	$self->{input} =~ s/^(.*?)\r\n//s;
	return $1;
}

sub
write
{
	my ($self, $bytes) = @_;

	while ($bytes ne '') {
		my $n = syswrite($self->{socket}, $bytes) // _exit(0);

		substr($bytes, 0, $n, '');
	}
}

sub
silence
{
	my ($self) = @_;

	while ($self->more()) {
		$self->{input} = '';
	}
	_exit(0);
}

# Does what the plan has for the step, and returns the reply's code
sub
act
{
	my ($self, $action, $usual) = @_;

	_exit(0) if $action eq 'cut';
	$self->silence() if $action eq 'silence';
	if ($action eq 'slow') {
		for (split(//, "$usual\r\n")) {
			$self->write($_);
			sleep(0.002);
		}
		return substr($usual, 0, 3);
	}
	$self->write("$action\r\n");
	_exit(0) if $action =~ /^421/;
	return substr($action, 0, 3);
}

sub
step
{
	my ($self, $step, $usual) = @_;

	return $self->act($self->{plan}{$step} // $usual, $usual);
}

sub
command
{
	my ($self, $line) = @_;

	if ($line =~ /^(EHLO|LHLO)/) {
		my @lines = ('hop.example', @{ $self->{hop}{offer} });
		my $last = pop(@lines);

		$self->step('ehlo', join("\r\n", (map { "250-$_" } @lines),
		    "250 $last"));
	} elsif ($line =~ /^XFORWARD (.*)/) {
		push(@{ $self->{xforward} }, $1);
		$self->step('xforward', '250 2.0.0 Ok');
	} elsif ($line =~ /^MAIL FROM:(.*)/) {
		$self->{rcpt} = [];
		$self->{mail} = $1;
		$self->{mail} = undef
		    if $self->step('mail', '250 2.1.0 Ok') !~ /^2/;
	} elsif ($line =~ /^RCPT TO:(.*)/) {
		$self->rcpt($1);
	} elsif ($line =~ /^DATA/) {
		$self->data();
	} elsif ($line =~ /^BDAT (\d+) LAST/) {
		$self->chunk($1);
	} elsif ($line =~ /^QUIT/) {
		$self->write("221 2.0.0 Bye\r\n");
		_exit(0);
	} else {
		$self->write("502 5.5.1 $line?\r\n");
	}
}

sub
rcpt
{
	my ($self, $to) = @_;
	my $action = $self->{plan}{rcpt} // '250 2.1.5 Ok';
	my ($address) = $to =~ /<(.*)>/;

	$action = $action->{$address} // '250 2.1.5 Ok' if ref($action);
	$action = '503 5.5.1 MAIL first' if !defined($self->{mail});
	push(@{ $self->{rcpt} }, $to)
	    if $self->act($action, '250 2.1.5 Ok') =~ /^2/;
}

# In the middle of the message
sub
body
{
	my ($self) = @_;
	my $action = $self->{plan}{body} // return;

	$self->more() while length($self->{input}) < 20;
	$self->note('body');
	sleep(3600) if $action eq 'silence';
	$self->act($action, '');
	_exit(0);
}

sub
data
{
	my ($self) = @_;

	if (!@{ $self->{rcpt} // [] }) {
		$self->write("503 5.5.1 no valid recipients\r\n");
		return;
	}
	return if $self->step('data', '354 go on') != 354;
	$self->body();
	while ("\r\n$self->{input}" !~ /\r\n\.\r\n/) {
		$self->more() or _exit(0);
	}
	("\r\n" . $self->{input}) =~ /^(.*?\r\n)\.\r\n(.*)/s;
	$self->{input} = $2;
	my $text = substr($1, 2);

	$text =~ s/^\.//mg;
	$self->over($text);
}

sub
chunk
{
	my ($self, $bytes) = @_;

	$self->body();
	while (length($self->{input}) < $bytes) {
		$self->more() or _exit(0);
	}
	$self->over(substr($self->{input}, 0, $bytes, ''));
}

# It has all of it
sub
over
{
	my ($self, $text) = @_;
	my $end = $self->{plan}{end} // '250 2.0.0 Ok: queued as Q' .
	    $self->{number};
	my @ends = ref($end) ? @$end : $end;
	my @recipients = $self->{hop}{kind} eq 'lmtp'
	    ? @{ $self->{rcpt} } : ('all');

	$self->deliver($text) if grep { /^(2|cut|silence|slow)/ } @ends;
	$self->note('end');
	for (@recipients) {
		my $action = @ends > 1 ? shift(@ends) : $ends[0];

		$self->act($action, '250 2.0.0 Ok: queued as slow');
	}
	$self->{mail} = undef;
	$self->{xforward} = [];
}

sub
deliver
{
	my ($self, $text) = @_;
	my $dir = $self->{hop}{dir};
	my $name = sprintf('%017.6f.%d', Time::HiRes::time(), $$);

	open(my $file, '>', "$dir/new.$name") or die;
	print $file "MAIL $self->{mail}\n",
	    (map { "RCPT $_\n" } @{ $self->{rcpt} }),
	    (map { "XFORWARD $_\n" } @{ $self->{xforward} }), "\n", $text;
	close($file);
	rename("$dir/new.$name", "$dir/mail.$name");
}

1;
