# SPDX-License-Identifier: ISC
# PosternPostfix.pm - a Postfix of one's own, joined to policyd by the very
# lines of etc/postfix/: own directories, loopback, free ports. "mx" plays port
# 25, with XCLIENT, so that a test can be any stranger; "submission" has a
# login. Mail to other domains goes nowhere and counts as sent. The system's
# own Postfix is not touched. Core modules only; needs root, as Postfix does.
package PosternPostfix;

use strict;
use warnings;

use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use Postern qw(free_port slurp spew srcdir temp_dir wait_until);

my @running;

# PosternPostfix->new(mailboxes => [ADDRESS], logins => { LOGIN => PASSWORD },
#     default_action => TEXT): not started, but policyd's socket has its place
sub
new
{
	my ($class, %args) = @_;
	my $dir = temp_dir();
	my $self = bless({ %args, dir => $dir, owner => $$,
	    mx_port => free_port(), submission_port => free_port() }, $class);

	mkdir("$dir/$_") or die $! for qw(conf conf/sasl queue data mail);
	$self->own("$dir/data", 'postfix', 0700);
	$self->own("$dir/mail", 'nobody', 0700);
	$self->write_mailboxes($args{mailboxes});
	$self->write_logins($args{logins} // {});
	spew("$dir/conf/main.cf", $self->main_cf($args{default_action}));
	spew("$dir/conf/master.cf", $self->master_cf());
	$self->postfix('check');	# makes queue/private
	return $self;
}

sub
own
{
	my ($self, $path, $account, $mode) = @_;
	my ($uid, $gid) = (getpwnam($account))[2, 3];

	defined($uid) or die "no account $account\n";
	chown($uid, $gid, $path) or die "$path: $!\n";
	chmod($mode, $path) or die "$path: $!\n";
}

sub
write_mailboxes
{
	my ($self, $addresses) = @_;
	my %domains = map { s/.*@//r => 1 } @$addresses;

	spew("$self->{dir}/conf/mailboxes",
	    join('', map { "$_ $_/\n" } @$addresses));
	$self->{domains} = join(', ', sort(keys(%domains)));
}

# A Cyrus sasldb, which needs no daemon. It has to be in the directory where
# Debian's Postfix looks, whatever cyrus_sasl_config_path says.
sub
write_logins
{
	my ($self, $logins) = @_;
	my $sasldb = "$self->{dir}/conf/sasl/sasldb2";

	for my $login (keys(%$logins)) {
		my ($user, $realm) = split(/@/, $login);

		open(my $pipe, '|-', 'saslpasswd2', '-p', '-c', '-f', $sasldb,
		    '-u', $realm, $user) or die "saslpasswd2: $!\n";
		print $pipe $logins->{$login};
		close($pipe) or die "saslpasswd2 failed for $login\n";
	}
	$self->own($sasldb, 'postfix', 0600) if %$logins;
	spew("$self->{dir}/conf/sasl/smtpd.conf", <<END);
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: $sasldb
mech_list: PLAIN
END
}

# What any Postfix has to be told to live in a directory, and our example
sub
main_cf
{
	my ($self, $default_action) = @_;
	my $dir = $self->{dir};
	my $nobody = getpwnam('nobody');
	my $ours = slurp(srcdir() . '/etc/postfix/main.cf.example');

	$ours =~ s/default_action=DUNNO }/{ default_action=$default_action } }/
	    if defined($default_action);
	return <<END . $ours;
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = $dir/maillog
maillog_file_prefixes = $dir
myhostname = mx.postern.example
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
alias_maps =
alias_database =
smtpd_tls_session_cache_database =
address_verify_map =
default_transport = discard:elsewhere
virtual_mailbox_domains = $self->{domains}
virtual_mailbox_maps = texthash:$dir/conf/mailboxes
virtual_mailbox_base = $dir/mail
virtual_uid_maps = static:$nobody
virtual_gid_maps = static:$nobody
cyrus_sasl_config_path = $dir/conf/sasl
END
}

# Our example's submission service has a port of its own, is not in a chroot
# that nobody filled, and has no certificate; the rest stands as it is.
sub
master_cf
{
	my ($self) = @_;
	my $ours = slurp(srcdir() . '/etc/postfix/master.cf.example');

	my $service = "127.0.0.1:$self->{submission_port} inet n - n";

	$ours =~ s/^submission inet n +- +y/$service/m
	    or die "master.cf.example has no submission service\n";
	$ours =~ s/^.*smtpd_tls_security_level=encrypt\n//m;
	return <<END . $ours;
127.0.0.1:$self->{mx_port} inet n - n - - smtpd
  -o smtpd_authorized_xclient_hosts=127.0.0.1
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
END
}

sub
postfix
{
	my ($self, $verb) = @_;

	system("postfix -c $self->{dir}/conf $verb " .
	    ">>$self->{dir}/postfix.out 2>&1") == 0
	    or die "postfix $verb: " . slurp("$self->{dir}/postfix.out") .
	    $self->log();
}

# What policyd is to listen on
sub
policy_socket
{
	my ($self) = @_;

	return "unix:$self->{dir}/queue/private/policyd";
}

sub
start
{
	my ($self) = @_;

	push(@running, $self);
	$self->postfix('start');
	return $self;
}

sub
stop
{
	my ($self) = @_;

	@running = grep { $_ != $self } @running;
	$self->postfix('stop');
}

sub
log
{
	my ($self) = @_;

	return slurp("$self->{dir}/maillog");
}

# The messages that were delivered to an address
sub
mails
{
	my ($self, $address) = @_;

	return map { slurp($_) } glob("$self->{dir}/mail/$address/new/*");
}

# The same, once there are so many
sub
wait_mails
{
	my ($self, $address, $count) = @_;

	return wait_until { $self->mails($address) >= $count };
}

# A session on port 25 as a stranger: name, address, HELO
sub
mx
{
	my ($self, %stranger) = @_;
	my $name = $stranger{name} // 'mail.stranger.example';
	my $address = $stranger{address} // '192.0.2.7';
	my $smtp = PosternPostfix::Smtp->new($self->{mx_port});

	$smtp->say('EHLO test.example');
	my $reply = $smtp->say("XCLIENT NAME=$name ADDR=$address");

	die "XCLIENT: $reply\n" if $reply !~ /^220 /;
	$smtp->say('EHLO ' . ($stranger{helo} // $name));
	return $smtp;
}

# A session on the submission port as one of the logins
sub
submission
{
	my ($self, $login, $password) = @_;
	my $smtp = PosternPostfix::Smtp->new($self->{submission_port});

	$smtp->say('EHLO laptop.example');
	my $secret = encode_base64("\0$login\0$password", '');
	my $reply = $smtp->say("AUTH PLAIN $secret");

	die "AUTH: $reply\n" if $reply !~ /^235 /;
	return $smtp;
}

END {
	my $status = $?;

	for my $self (@running) {
		$self->stop() if $self->{owner} == $$;
	}
	$? = $status;
}

# One SMTP session
package PosternPostfix::Smtp;

use strict;
use warnings;

use IO::Socket::INET;

sub
new
{
	my ($class, $port) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
	    PeerPort => $port, Timeout => 20) or die "port $port: $!\n";
	my $self = bless({ socket => $socket }, $class);

	$self->reply();
	return $self;
}

# The whole reply, its lines joined by blanks
sub
reply
{
	my ($self) = @_;
	my @lines;

	while (defined(my $line = readline($self->{socket}))) {
		$line =~ s/\r\n\z//;
		push(@lines, $line);
		last if $line =~ /^\d{3} /;
	}
	return join(' ', @lines);
}

sub
say
{
	my ($self, $line) = @_;

	local $SIG{PIPE} = 'IGNORE';
	$self->{socket}->print("$line\r\n");
	$self->{socket}->flush();
	return $self->reply();
}

# One message: the replies to each RCPT, then to DATA, then to the message
sub
send_mail
{
	my ($self, $sender, $recipients, $text) = @_;
	my @replies;

	$self->say("MAIL FROM:<$sender>");
	push(@replies, $self->say("RCPT TO:<$_>")) for @$recipients;
	push(@replies, $self->say('DATA'));
	push(@replies, $self->say("$text\r\n.")) if $replies[-1] =~ /^354/;
	$self->say('RSET');
	return @replies;
}

1;
