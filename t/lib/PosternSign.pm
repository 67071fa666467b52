# SPDX-License-Identifier: ISC
# PosternSign.pm - a dkimsign of one's own, as Postern.pm has a policyd, and an
# LMTP client that speaks to it as Postfix does, or worse. Core modules only.
package PosternSign;

use strict;
use warnings;

use parent -norequire, 'Postern';

use Postern qw(wait_until);

sub
program
{
	return 'dkimsign';
}

sub
defaults
{
	my ($self) = @_;

	return (
		listen => ['unix:' . $self->path('lmtp')],
		listen_mode => '0666',
		listen_group => '',
		user => '',
		group => '',
		directory => { uri => 'ldif://' . $self->path('directory.ldif') },
		log => 'stderr',
		log_level => 'debug',
	);
}

sub
is_ready
{
	my ($self) = @_;

	return $self->log() =~ /^dkimsign: started /m;
}

# A session, greeted
sub
lmtp
{
	my ($self) = @_;

	return PosternSign::Lmtp->new($self->{listen});
}

# One message in a session of its own, XFORWARD'ed as NAME => VALUE; the
# replies to RCPT, then those to the message
sub
send_mail
{
	my ($self, $sender, $recipients, $text, %xforward) = @_;

	return $self->lmtp()->lhlo()->send_mail($sender, $recipients, $text,
	    %xforward);
}

# One LMTP session
package PosternSign::Lmtp;

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
	my $self = bless({ socket => $socket, input => '' }, $class);

	$self->{greeting} = $self->reply();
	return $self;
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

# The next bytes into the buffer. False: nothing more comes.
sub
more
{
	my ($self, $secs) = @_;

	return if !IO::Select->new($self->{socket})->can_read($secs // 20);
	return sysread($self->{socket}, $self->{input}, 65536,
	    length($self->{input}));
}

# The next whole reply, its lines joined with "\n"; '' when the other end
# closed, or says nothing
sub
reply
{
	my ($self) = @_;

	while ($self->{input} !~ /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/) {
		$self->more() or return '';
	}
	$self->{input} =~ s/^((?:\d{3}-.*\r\n)*\d{3} .*)\r\n//;
	return $1 =~ s/\r//gr;
}

sub
say
{
	my ($self, $line) = @_;

	$self->send("$line\r\n");
	return $self->reply();
}

sub
lhlo
{
	my ($self) = @_;

	$self->{offer} = $self->say('LHLO postfix.example');
	return $self;
}

# Has the other end closed, and said no more?
sub
is_closed
{
	my ($self) = @_;

	while (1) {
		my $n = $self->more();

		return 0 if !defined($n);
		return $self->{input} eq '' if !$n;
	}
}

# Nothing to be read for now
sub
is_silent
{
	my ($self, $secs) = @_;

	return $self->{input} eq '' &&
	    !IO::Select->new($self->{socket})->can_read($secs // 0.2);
}

# What is in front of a message: MAIL and RCPT; the replies to RCPT
sub
envelope
{
	my ($self, $sender, $recipients, %xforward) = @_;

	$self->say('XFORWARD ' . join(' ', map { "$_=$xforward{$_}" }
	    sort(keys(%xforward)))) if %xforward;
	$self->say("MAIL FROM:<$sender>");
	return map { $self->say("RCPT TO:<$_>") } @$recipients;
}

# The message, its dots stuffed
sub
text
{
	my ($self, $text) = @_;

	$text =~ s/^\./../mg;
	$self->send("$text.\r\n");
}

sub
send_mail
{
	my ($self, $sender, $recipients, $text, %xforward) = @_;
	my @replies = $self->envelope($sender, $recipients, %xforward);
	my $count = grep { /^2/ } @replies;

	$self->say('DATA') =~ /^354/ or return @replies;
	$self->text($text);
	return (@replies, map { $self->reply() } 1 .. $count);
}

1;
