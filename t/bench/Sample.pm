# SPDX-License-Identifier: ISC
# Sample.pm - how t/bench/measure measures: cells, each a server and a load, one
# after the other and then all again, so that what else the machine does meets
# all of them. A ratio is that of two cells in the same round, and the median
# of all rounds.
package Sample;

use strict;
use warnings;

use Exporter 'import';
use Postern qw(build);
use Report;
use Servers;

our @EXPORT_OK = qw(cell interleave median output_of row);
our $ROUNDS = 5;
our $SECS = 0.4;	# of one load

sub
median
{
	my @sorted = sort { $a <=> $b } @_;

	return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

# What a program of t/bench prints: { name => value }
sub
output_of
{
	my ($program, @words) = @_;

	open(my $pipe, '-|', build() . "/t/bench/$program", @words)
	    or die "$program: $!\n";
	my %value = (readline($pipe) // '') =~ /(\w+)=([\d.]+)/g;
	close($pipe) or die "$program @words failed\n";
	return \%value;
}

# A server under a load: cell($server, connections => 64, kind => 'outbound',
# ...); it prints nothing
sub
cell
{
	my ($server, %load) = @_;

	%load = (connections => 64, kind => 'outbound', tenants => 10,
	    users => 50, %load);
	return { run => sub {
		my $before = Servers::cpu_ns($server);
		my $value = output_of('load', '-s', $_[0],
		    '-c', $load{connections}, '-k', $load{kind},
		    '-t', $load{tenants}, '-u', $load{users},
		    $server->{socket});

		$value->{cpu_us} = (Servers::cpu_ns($server) - $before) /
		    1000 / $value->{requests};
		$value->{rss_mib} = Servers::rss_mib($server);
		die "$server->{name} refuses\n" if $load{kind} eq 'outbound' &&
		    $value->{permitted} < 1;
		return $value;
	} };
}

# Fills the samples of these cells; the first round warms up
sub
interleave
{
	my (@cells) = @_;

	for my $round (0 .. $ROUNDS) {
		for my $cell (@cells) {
			my $value = $cell->{run}->($SECS);

			push(@{$cell->{samples}}, $value) if $round > 0;
		}
	}
}

sub
of_cell
{
	my ($cell, $name) = @_;

	return median(map { $_->{$name} } @{$cell->{samples}});
}

sub
ratio
{
	my ($cell, $other, $name) = @_;

	return median(map { $cell->{samples}[$_]{$name} /
	    $other->{samples}[$_]{$name} } 0 .. $#{$cell->{samples}});
}

# The row of a cell: what it did, beside another cell
sub
row
{
	my ($cell, %row) = @_;
	my $by = delete($row{by}) // 'per_second';
	my $other = delete($row{against});

	$row{ratio} = ratio($cell, $other, $by) if $other;
	Report::add(value => of_cell($cell, 'per_second'), unit => '/s',
	    (map { $_ => of_cell($cell, $_) } grep {
		defined($cell->{samples}[0]{$_}) }
		qw(p50 p99 p999 cpu_us rss_mib)), %row);
}

1;
