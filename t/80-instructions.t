#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 80-instructions.t - what one request costs policyd, and one message dkimsign,
# does not grow unnoticed. Counted by valgrind, as a time would be another on
# each machine and in each run; and only in our own functions, as a libc's
# change with its patch level, and with the processor it finds. The compiler's
# version matters: each has its own figures.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(build slurp srcdir);
use PosternCallgrind;
use Test::More;

my $GROWTH = 1.05;

# "gcc 12 x86_64", or what speaks against judging this build
sub
compiler
{
	my %made = slurp(build() . '/Makefile') =~ /^(\w+) = ?(.*)$/mg;
	my $said = `$made{CC} --version 2>/dev/null`;
	my $version = `$made{CC} -dumpversion 2>/dev/null`;
	my $machine = `$made{CC} -dumpmachine 2>/dev/null`;

	return (undef, 'figures are of gcc alone')
	    if $said !~ /Free Software Foundation/;
	return (undef, 'figures are of -O2 without sanitizers')
	    if "$made{CFLAGS} $made{HARD_CFLAGS} $made{SANITIZE}" =~
	    /-O(?!2)|-fsanitize/ || $made{CFLAGS} !~ /-O2/;
	return join(' ', 'gcc', $version =~ /^(\d+)/, $machine =~ /^([^-]+)/);
}

# { kind => [instructions, allocations] }
sub
expected
{
	my ($compiler) = @_;

	return { map { /^\Q$compiler\E {2,}(.*?) {2,}(\d+) +(\d+)$/ ?
	    ($1 => [$2, $3]) : () } split(/\n/,
	    slurp(srcdir() . '/t/data/instructions')) };
}

my ($compiler, $why) = compiler();
plan(skip_all => $why) if !defined($compiler);
plan(skip_all => 'valgrind is missing: apt-get install valgrind')
    if !grep { -x "$_/valgrind" } split(/:/, $ENV{PATH});
my $expected = expected($compiler);

for (@PosternCallgrind::KINDS) {
	my $kind = $_->{name};
	my $found = PosternCallgrind::per_request($_);
	my $line = sprintf('%-16s %-15s %11.0f %12.0f', $compiler, $kind,
	    $found->{own}, $found->{calls});

	note($line);
	SKIP: {
		my $limits = $expected->{$kind};

		skip("t/data/instructions does not know $compiler; its line " .
		    "would be:\n# $line", 2) if !$limits;
		cmp_ok($found->{own}, '<=', $limits->[0] * $GROWTH,
		    "$kind: instructions");
		cmp_ok($found->{calls}, '<', $limits->[1] + 0.5,
		    "$kind: allocations");
		diag("$kind: $limits->[0] instructions before: its new line " .
		    "in t/data/instructions:\n$line")
		    if $found->{own} * $GROWTH < $limits->[0];
	}
}
done_testing();
