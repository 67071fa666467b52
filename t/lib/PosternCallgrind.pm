# SPDX-License-Identifier: ISC
# PosternCallgrind.pm - what one request costs policyd, and one message
# dkimsign, in instructions and allocations, by valgrind: a run with few of them
# taken from one with more, so that the start is not in it. Core modules only.
package PosternCallgrind;

use strict;
use warnings;

use MIME::Base64 qw(encode_base64);
use Postern qw(inbound outbound slurp temp_dir);
use PosternHop;
use PosternLdif qw(tenant);
use PosternSign;

my $FEW = 200;
my $MORE = 1200;
my @LIMITS = ('hourly outbound mailbox recipients 900M/1h',
    'daily outbound domain messages 900M/1d',
    'weekly outbound mailbox messages 900M/1w');

# What is measured: starts a daemon under valgrind, and gives it the n-th
# request or message
our @KINDS = (
	{ name => 'no limits', start => policyd(), give => \&login },
	{ name => 'three limits', give => \&login,
	    start => policyd(RateLimit => \@LIMITS) },
	{ name => 'greylisting', give => \&stranger,
	    start => policyd(Greylist => 'on') },
	{ name => 'signing 4 KB', give => \&message, start => \&dkimsign },
);

sub
policyd
{
	my (@policy) = @_;

	return sub {
		return Postern->start(@_, conf => { log_level => 'info' },
		    ldif => tenant('client1.example', @policy));
	};
}

# With an Ed25519 key, as that is quickly used in valgrind; what signs is
# OpenSSL's, and not counted
sub
dkimsign
{
	my (@under) = @_;
	my $hop = PosternHop->start(unix => 1);
	my $key = `openssl genpkey -algorithm ed25519`;
	my $tenant = tenant('client1.example');
	my ($dn) = $tenant =~ /^dn: (.*)$/m;
	my $dkimsign = PosternSign->start(@under, ldif => $tenant .
	    "dn: cn=e1,$dn\nobjectClass: posternDkimKey\ncn: e1\n" .
	    'posternDkimSelector: e1' . "\nposternDkimPrivateKey:: " .
	    encode_base64($key, '') . "\n\n",
	    conf => { next_hop => $hop->uri(), log_level => 'info',
		sign => { verify => 'none' } });

	$dkimsign->{hop} = $hop;
	return $dkimsign;
}

# One of ten mailboxes writes to somebody new; a stranger writes to one
sub
login
{
	my ($policyd, $number) = @_;

	$policyd->ask(outbound('user' . $number % 10 . '@client1.example',
	    sprintf('s%08d@elsewhere.example', $number), size => 4096,
	    instance => sprintf('i%08d', $number)));
}

sub
stranger
{
	my ($policyd, $number) = @_;

	$policyd->ask(inbound(sprintf('s%08d@elsewhere.example', $number),
	    'user' . $number % 10 . '@client1.example', size => 4096,
	    instance => sprintf('i%08d', $number)));
}

# All in one session
sub
message
{
	my ($dkimsign) = @_;
	my @replies = ($dkimsign->{client} //= $dkimsign->lmtp()->lhlo())->
	    send_mail('anna@client1.example', ['bob@elsewhere.example'],
	    "From: anna\@client1.example\r\nSubject: a message\r\n\r\n" .
	    "A line of a text  as people write them.\r\n" x 100);

	die "not taken: @replies\n" if $replies[-1] !~ /^250/;
}

# Sums of a callgrind file: { own => instructions in the program's own
# functions, all => with those of libraries, calls => of malloc and its like }
sub
sums
{
	my ($program, $text) = @_;
	my %sum = (own => 0, all => 0, calls => 0);
	my (%name, $object, $callee, $is_callees);
	my $resolve = sub {
		my ($kind, $id, $name) = @_;

		$name{"$kind$id"} = $name if $name ne '';
		return $name{"$kind$id"} // '';
	};

	for (split(/\n/, $text)) {
		if (/^(c?)(ob|fn)=\((\d+)\)(?: (.*))?/) {
			my $is = $resolve->($2, $3, $4 // '');

			$object = $is if "$1$2" eq 'ob';
			$callee = $is if "$1$2" eq 'cfn';
		} elsif (my ($calls) = /^calls=(\d+)/) {
			$sum{calls} += $calls
			    if $callee =~ /^(?:malloc|calloc|realloc)$/;
			$is_callees = 1;	# the next line
		} elsif (my ($cost) = /^(?:[+-]\d+|\d+|\*) (\d+)/) {
			$cost = 0 if $is_callees;
			$is_callees = 0;
			$sum{all} += $cost;
			$sum{own} += $cost if $object =~ m{/\Q$program\E$};
		}
	}
	return \%sum;
}

sub
run
{
	my ($kind, $count) = @_;
	my $dir = temp_dir();
	my $daemon = $kind->{start}->(under => ['valgrind', '-q',
	    '--tool=callgrind', "--callgrind-out-file=$dir/out",
	    "--log-file=$dir/log"]);

	$kind->{give}->($daemon, $_) for 1 .. $count;
	delete($daemon->{client});
	my $problem = $daemon->stop();

	die $problem if $problem ne '';
	return sums($daemon->program(), slurp("$dir/out"));
}

# The same sums, for one request
sub
per_request
{
	my ($kind) = @_;
	my $few = run($kind, $FEW);
	my $more = run($kind, $MORE);

	return { map { $_ => ($more->{$_} - $few->{$_}) / ($MORE - $FEW) }
	    keys(%$few) };
}

1;
