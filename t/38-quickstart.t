#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 38-quickstart.t - what ./quickstart plays once it has built: each verdict as
# expected, readable wherever it is read, and nothing left behind.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(slurp spew srcdir temp_dir);
use Test::More;

my $dir = temp_dir();

# Plays a script of etc/quickstart, or of a copy, in a process group of its own
# with a directory for all that it writes: (wait status, output)
sub
play
{
	my ($name, $from) = @_;

	mkdir("$dir/tmp");
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0) {
		setpgrp();
		$ENV{TMPDIR} = "$dir/tmp";
		open(STDOUT, '>', "$dir/output");
		open(STDERR, '>&', \*STDOUT);
		exec($^X, '-I' . srcdir() . '/t/lib', "$from/$name")
		    or POSIX::_exit(127);
	}
	waitpid($pid, 0);
	my $status = $?;

	ok(!kill(0, -$pid), "$name leaves nothing running");
	ok(rmdir("$dir/tmp"), "$name leaves no file behind");
	return ($status, slurp("$dir/output"));
}

my $quickstart = srcdir() . '/etc/quickstart';

for my $name (qw(play sign)) {
	my ($status, $output) = play($name, $quickstart);

	is($status, 0, "$name: every verdict is the expected one")
	    or diag($output);
	unlike($output, qr/^.{81}/m, "$name fits into 80 columns");
	unlike($output, qr/[^\n -~]/,
	    "$name: there is no colour where there is no terminal");
}
my $shown = slurp("$dir/output");
is(scalar(() = $shown =~ /^   DKIM-Signature: .*? d=(\S+);/msg), 4,
    'two messages are shown with two signatures each');
is(scalar(() = $shown =~ /^   client\S+, \S+ +pass +pass$/mg), 4,
    'both verifiers say of each that it is good');
is(scalar(() = $shown =~ /^   client\S+, \S+ +fail +fail$/mg), 2,
    'and that it is not once the message is another');
like($shown, qr/What next\?/, 'at the end it says what to do next');

# A copy in which one line of the directory is another
for my $row (
    ['play', 'recipients 50/1h', 'recipients 40/1h'],
    ['sign', 'associatedDomain: client2-shop.example',
	'posternDkimSigning: off']) {
	my ($name, $line, $instead) = @$row;
	my $copy = temp_dir();

	system('cp', '-R', "$quickstart/.", $copy);
	spew("$copy/tenants.ldif",
	    slurp("$copy/tenants.ldif") =~ s/$line/$instead/r);
	my ($status, $output) = play($name, $copy);

	is($status, 1 << 8, "$name with $instead: exit 1");
	like($output, qr/not what was expected/, 'and it is told where');
	unlike($output, qr/What next/, 'and that is the end');
}
done_testing();
