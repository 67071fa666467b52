# SPDX-License-Identifier: ISC
# Show.pm - how the quickstart is drawn: what is handed in on the left, what
# comes out and what it means on the right. It counts what was not expected.
package Show;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(check columns expect finish paint show title);

my $LEFT = 43;		# columns of what is handed in; the rest is for the answer
my $RIGHT = 37;
my $is_tty = -t STDOUT;
my $surprises = 0;
my %colour = (DUNNO => 32, DEFER => 33, 250 => 32, 451 => 33, 550 => 31);

sub
paint
{
	my ($code, $text) = @_;

	return $is_tty ? "\e[${code}m$text\e[0m" : $text;
}

# What stands above both columns
sub
columns
{
	my ($left, $right) = @_;

	printf("\n%s\n\n", paint(1, sprintf(" %-*s%s", $LEFT - 1, $left,
	    $right)));
}

sub
title
{
	my ($text) = @_;

	print paint(1, " $text"), "\n";
}

# A text in lines of at most so many columns
sub
wrap
{
	my ($text, $columns) = @_;
	my @lines = ('');

	for my $word (split(' ', $text)) {
		push(@lines, '')
		    if length("$lines[-1] $word") > $columns && $lines[-1] ne '';
		$lines[-1] .= $lines[-1] eq '' ? $word : " $word";
	}
	return @lines;
}

sub
verdict_colour
{
	my ($verdict) = @_;
	my ($class) = $verdict =~ /^(DUNNO|DEFER|\d+)/;

	return $colour{$class // ''} // 31;
}

# Request and verdict side by side, then what the verdict means
sub
show
{
	my ($request, $verdict, $meaning) = @_;
	my @left = @$request;
	my @right = map { [1, $_] } wrap($verdict, $RIGHT);

	push(@right, map { [0, "  $_"] } wrap($meaning, $RIGHT - 2));
	while (@left || @right) {
		my $left = shift(@left) // '';
		my ($is_verdict, $text) = @{shift(@right) // [0, '']};
		my $line = sprintf("   %-*s%s", $LEFT - 3, $left,
		    !$is_verdict ? $text :
		    paint(verdict_colour($verdict), $text));

		$line =~ s/ +$//;
		print "$line\n";
	}
	print "\n";
}

# Says so where something else was expected
sub
check
{
	my ($is_expected, $expected) = @_;

	return 1 if $is_expected;
	$surprises++;
	print paint(31, "   This is not what was expected: $expected"), "\n\n";
	return 0;
}

sub
expect
{
	my ($request, $verdict, $expected, $meaning) = @_;

	show($request, $verdict, $meaning);
	return check(scalar($verdict =~ $expected), $expected);
}

# Stops the daemon. Goes on only where all was as expected.
sub
finish
{
	my ($daemon) = @_;
	my $problem = $daemon->stop();

	return if !$surprises && $problem eq '';
	print $daemon->program(), "'s log:\n", $daemon->log(), $problem;
	print paint(31, "$surprises of the verdicts were not the expected ones."),
	    "\n";
	exit(1);
}

1;
