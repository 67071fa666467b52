# SPDX-License-Identifier: ISC
# PosternCallgrind.pm - what one request costs policyd in instructions and
# allocations, by valgrind: a run with few requests taken from one with more,
# so that the start is not in it. Core modules only.
package PosternCallgrind;

use strict;
use warnings;

use Postern qw(outbound inbound slurp temp_dir);
use PosternLdif qw(tenant);

my $FEW = 200;
my $MORE = 1200;

# What is measured: its name, a tenant's policy, and the n-th request
our @KINDS = (
	[ 'no limits', [], \&login ],
	[ 'three limits', [RateLimit => [
	    'hourly outbound mailbox recipients 900M/1h',
	    'daily outbound domain messages 900M/1d',
	    'weekly outbound mailbox messages 900M/1w']], \&login ],
	[ 'greylisting', [Greylist => 'on'], \&stranger ],
);

# One of ten mailboxes writes to somebody new; a stranger writes to one
sub
login
{
	my ($number) = @_;

	return outbound('user' . $number % 10 . '@client1.example',
	    sprintf('s%08d@elsewhere.example', $number), size => 4096,
	    instance => sprintf('i%08d', $number));
}

sub
stranger
{
	my ($number) = @_;

	return inbound(sprintf('s%08d@elsewhere.example', $number),
	    'user' . $number % 10 . '@client1.example', size => 4096,
	    instance => sprintf('i%08d', $number));
}

# Sums of a callgrind file: { own => instructions in policyd's own functions,
# all => with those of libraries, calls => of malloc and its like }
sub
sums
{
	my ($text) = @_;
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
			$sum{own} += $cost if $object =~ m{/policyd$};
		}
	}
	return \%sum;
}

sub
run
{
	my ($policy, $request, $count) = @_;
	my $dir = temp_dir();
	my $policyd = Postern->start(
	    under => ['valgrind', '-q', '--tool=callgrind',
		"--callgrind-out-file=$dir/out", "--log-file=$dir/log"],
	    ldif => tenant('client1.example', @$policy),
	    conf => { log_level => 'info' });

	$policyd->ask($request->($_)) for 1 .. $count;
	my $problem = $policyd->stop();

	die $problem if $problem ne '';
	return sums(slurp("$dir/out"));
}

# The same sums, for one request
sub
per_request
{
	my ($policy, $request) = @_;
	my $few = run($policy, $request, $FEW);
	my $more = run($policy, $request, $MORE);

	return { map { $_ => ($more->{$_} - $few->{$_}) / ($MORE - $FEW) }
	    keys(%$few) };
}

1;
