# SPDX-License-Identifier: ISC
# Report.pm - the rows that t/bench/measure has found: as a table, as JSON, and
# as a picture. A row is one figure, what it is held against in the same run,
# and the bar, where it has one.
package Report;

use strict;
use warnings;

use JSON::PP;

my @rows;

# section, what; value and unit; ratio and of (what); bar: '>= 0.70' of the
# ratio, or of the value where there is none; p50, p99, p999, cpu_us, rss_mib;
# picture => its name there
sub
add
{
	my (%row) = @_;

	if (defined($row{bar})) {
		my ($relation, $limit) = split(/ /, $row{bar});
		my $is = $row{ratio} // $row{value};

		$row{is_reached} = ($relation eq '>=' ? $is >= $limit :
		    $is <= $limit) ? JSON::PP::true : JSON::PP::false;
	}
	push(@rows, \%row);
}

# 61,234 and 12.3
sub
figure
{
	my ($value) = @_;

	return '' if !defined($value);
	my $text = $value >= 100 ? sprintf('%.0f', $value) :
	    $value >= 1 ? sprintf('%.1f', $value) : sprintf('%.3f', $value);

	1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
	return $text;
}

sub
percent
{
	my ($ratio) = @_;

	return $ratio < 0.1 ? sprintf('1/%.0f', 1 / $ratio) :
	    $ratio < 10 ? sprintf('%.0f %%', $ratio * 100) :
	    figure($ratio) . ' times';
}

sub
verdict
{
	my ($row) = @_;

	return '' if !defined($row->{bar});
	my ($relation, $limit) = split(/ /, $row->{bar});

	return ($row->{is_reached} ? 'reached: ' : 'MISSED: ') . "$relation " .
	    (defined($row->{ratio}) ? percent($limit) :
	    figure($limit) . " $row->{unit}");
}

sub
table
{
	my $text = '';
	my $section = '';

	for my $row (@rows) {
		if ($row->{section} ne $section) {
			$section = $row->{section};
			$text .= sprintf("\n%-42s %12s %-4s %-22s %7s %7s " .
			    "%7s %6s %6s\n", $section, '', '',
			    'in the same run', 'p50 us', 'p99', 'p99.9',
			    'CPU us', 'MiB');
		}
		my $line = sprintf('%-42s %12s %-4s %-22s %7s %7s %7s %6s %6s',
		    '  ' . $row->{what}, figure($row->{value}), $row->{unit},
		    defined($row->{ratio}) ?
			percent($row->{ratio}) . " of $row->{of}" : '',
		    map { figure($row->{$_}) }
			qw(p50 p99 p999 cpu_us rss_mib));

		$text .= $line =~ s/\s+$//r . "\n";
		$text .= '      ' . verdict($row) . "\n" if $row->{bar};
	}
	return $text;
}

sub
json
{
	my (%machine) = @_;

	return JSON::PP->new->canonical->pretty->encode(
	    { machine => \%machine, rows => \@rows });
}

# How many bars are reached, and which are not
sub
bars
{
	my @all = grep { defined($_->{bar}) } @rows;
	my @missed = grep { !$_->{is_reached} } @all;

	return @all - @missed . ' of ' . @all . " bars are reached\n" .
	    join('', map { "missed: $_->{section}: $_->{what}\n" } @missed);
}

# One bar for each row that has a name for it, in sections; each section has
# its own scale, from nothing to its largest value
sub
svg
{
	my ($caption) = @_;
	my ($y, $section, $body) = (24, '', '');
	my @shown = grep { defined($_->{picture}) } @rows;

	for my $row (@shown) {
		if ($row->{section} ne $section) {
			$section = $row->{section};
			$body .= sprintf("<text x='8' y='%d' font-weight=" .
			    "'bold'>%s</text>\n", $y += 8,
			    $row->{picture_title});
			$y += 10;
		}
		my ($most) = sort { $b <=> $a } map { $_->{value} }
		    grep { $_->{section} eq $section } @shown;
		my $width = 380 * $row->{value} / $most;

		$body .= sprintf("<text x='248' y='%d' text-anchor='end'>%s" .
		    "</text><rect x='256' y='%d' width='%.1f' height='14' " .
		    "fill='%s'/><text x='%.0f' y='%d'>%s</text>\n",
		    $y + 12, $row->{picture}, $y + 1, $width < 1 ? 1 : $width,
		    $row->{is_ours} ? '#2a6f97' : '#b0b7bd', 262 + $width,
		    $y + 12, figure($row->{value}));
		$y += 20;
	}
	return "<svg xmlns='http://www.w3.org/2000/svg' width='720' " .
	    "height='" . ($y + 30) . "' font-family='sans-serif' " .
	    "font-size='12'>\n<rect width='100%' height='100%' " .
	    "fill='white'/>\n$body<text x='8' y='" . ($y + 18) .
	    "' fill='#555' font-size='11'>$caption</text>\n</svg>\n";
}

1;
