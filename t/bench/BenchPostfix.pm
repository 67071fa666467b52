# SPDX-License-Identifier: ISC
# BenchPostfix.pm - one Postfix with a port for each way to sign, its queue in a
# temporary directory, all mail going to one sink by LMTP.
package BenchPostfix;

use strict;
use warnings;

use parent -norequire, 'PosternPostfix';

use Postern qw(free_port slurp spew srcdir wait_until);
use PosternPostfix;

sub
new
{
	my ($class, %args) = @_;
	my $self = $class->SUPER::new(mailboxes => []);

	$self->{sink} = $args{sink};
	$self->{back} = free_port();
	return $self;
}

# The lines of our example that follow the service, which has another port
sub
way_back
{
	my ($self) = @_;
	my $text = slurp(srcdir() . '/etc/postfix/dkimsign-master.cf.example');

	$text =~ s/^127\.0\.0\.1:10026/127.0.0.1:$self->{back}/m;
	$text =~ s/^(\S+ +(?:unix|inet) +\S+ +\S+ +)y/$1n/mg;
	return $text;
}

# start_with(NAME => SOCKET): a port for each milter, for "unsigned", and for
# dkimsign, whose socket is its LMTP
sub
start_with
{
	my ($self, %socket) = @_;
	my $dir = $self->{dir};
	my $master = $self->master_cf() . $self->way_back() .
	    "lmtp unix - - n - - lmtp\n";

	for my $name ('unsigned', sort(keys(%socket))) {
		my $port = $self->{port}{$name} = free_port();

		$master .= "127.0.0.1:$port inet n - n - - smtpd\n" .
		    ($name eq 'unsigned' ? '' : $name eq 'dkimsign' ?
		    "  -o content_filter=signer:unix:$socket{$name}\n" :
		    "  -o smtpd_milters=unix:$socket{$name}\n");
	}
	spew("$dir/conf/master.cf", $master);
	spew("$dir/conf/main.cf", <<END . slurp(srcdir() .
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = $dir/maillog
maillog_file_prefixes = $dir
myhostname = mx.postern.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
alias_maps =
alias_database =
in_flow_delay = 0
message_size_limit = 20000000
default_transport = lmtp:unix:$self->{sink}
END
	    '/etc/postfix/dkimsign-main.cf.example'));
	$self->start();
}

# Until all mail has gone
sub
wait_empty
{
	my ($self) = @_;
	my $queue = "$self->{dir}/queue";

	wait_until { !@{[glob("$queue/{incoming,active}/*")]} }
	    or die "mail stays in the queue\n" . substr($self->log(), -2000);
	die "mail was deferred\n" . substr($self->log(), -2000)
	    if @{[glob("$queue/deferred/*/*")]};
}

1;
