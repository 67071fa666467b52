#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 38-quickstart.t - what ./quickstart plays once it has built: each verdict as
# expected, and readable wherever it is read.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

my $play = "$FindBin::Bin/../etc/quickstart/play";
my $output = `perl -I$FindBin::Bin/lib $play`;

is($?, 0, 'every verdict of the quickstart is the expected one')
    or diag($output);
unlike($output, qr/^.{81}/m, 'it fits into 80 columns');
unlike($output, qr/[^\n -~]/, 'there is no colour where there is no terminal');
like($output, qr/What next\?/, 'at the end it says what to do next');
done_testing();
