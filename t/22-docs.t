#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 22-docs.t - what the documents say is so: options and their defaults, log
# fields, metrics, file names, and the lines that people copy.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX qw(_exit);
use Postern qw(build slurp spew srcdir temp_dir);
use Test::More;

my $top = srcdir();
my $dir = temp_dir();
my $policyd = build() . '/policyd/policyd';
my @daemons = qw(policyd dkimsign);
my @pages = sort(glob("$top/{policyd,dkimsign}/*.[1-8]"));

# Exit code, and what it said on either stream
sub
run
{
	my (@command) = @_;
	my $pid = open(my $pipe, '-|') // die "fork: $!\n";

	if ($pid == 0) {
		open(STDERR, '>&', \*STDOUT);
		exec({ $command[0] } @command) or _exit(127);
	}
	my $said = do { local $/; <$pipe> } // '';
	close($pipe);
	return ($? >> 8, $said);
}

# What -T of a daemon prints of a configuration: (exit code, output)
sub
printed
{
	my ($daemon, $text) = @_;

	spew("$dir/$daemon.conf", $text);
	return run(build() . "/$daemon/$daemon", '-c', "$dir/$daemon.conf",
	    '-T');
}

# { name => [value, help] } of what -T prints. Help may stand in several
# places: what counts is the comment right above.
sub
options
{
	my ($text) = @_;
	my ($help, @group, %options) = ('');

	for (split(/\n/, $text)) {
		if (/^\s*# (.*)/) {
			$help = $1;
		} elsif (/^\s*(\w+) = \{$/) {
			push(@group, $1);
		} elsif (/^\s*\};$/) {
			pop(@group);
		} elsif (/^\s*(\w+) = (.*);$/) {
			$options{join('.', @group, $1)} = [$2, $help];
		}
	}
	return \%options;
}

# A manual's text without what only looks
sub
plain
{
	my ($text) = @_;

	$text =~ s/\\\(dq/"/g;
	$text =~ s/\\&//g;
	return $text;
}

# { name => [default, reload or restart] } of a daemon's conf(5)
sub
documented
{
	my ($daemon) = @_;
	my %options;
	my $page = plain(slurp("$top/$daemon/$daemon.conf.5"));

	$page =~ s/.*^\.Sh OPTIONS\n(.*?)^\.Sh .*/$1/ms;
	for (split(/^\.It Ic /m, $page)) {
		my ($name, $text) = /^([\w.]+)\n(.*)/s or next;
		my ($default) = $text =~ /default\n\.Ql (.*?) ,$/m;
		my ($when) = $text =~ /^\.Em (reload|restart) \.$/m;

		$default =~ s{^"(.*)"$}{$1} if defined($default);
		$options{$name} = [$default, $when];
	}
	return \%options;
}

# The lines of a Postfix file that are no comment
sub
postfix_lines
{
	my ($text) = @_;

	return join("\n", grep { !/^#|^\s*$/ } split(/\n/, $text)) . "\n";
}

# The fenced blocks of a document in that language
sub
blocks
{
	my ($text, $language) = @_;

	return $text =~ /^```\Q$language\E\n(.*?)^```$/msg;
}

# Whether a file is there; a * stands for one at least
sub
is_there
{
	my ($path) = @_;

	return scalar(grep { -e } glob("$top/$path"));
}

# All files of the tree that a text names with their folder; t/NN-subject.t and
# t/unit/x.c stand for any
sub
files_named
{
	my ($text) = @_;

	return grep { !m{/(?:NN-|x\.c$)} } $text =~
	    m{(?<![\w/.-])((?:common|policyd|dkimsign|schema|etc|t)/[\w*./-]*\w)}g;
}

sub
none_is
{
	my ($name, @offenders) = @_;

	is(join("\n", @offenders), '', $name);
}

# -- options

for my $daemon (@daemons) {
	my ($rc, $said) = printed($daemon, '');
	is($rc, 0, "$daemon -T takes an empty configuration") or diag($said);
	my $options = options($said);
	my @names = sort(keys(%$options));
	cmp_ok(scalar(@names), '>', 10, "$daemon -T prints options");
	($rc, my $again) = printed($daemon, $said);
	is($again, $said, "what $daemon -T prints is read again as the same");

	my $man = documented($daemon);
	is_deeply([sort(keys(%$man))], \@names,
	    "$daemon.conf(5) has the options of $daemon, no more and no fewer");
	for (@names) {
		is($man->{$_}[0], $options->{$_}[0],
		    "$daemon.conf(5) has the default of $_");
		ok($man->{$_}[1], "$daemon.conf(5) says when $_ changes");
	}

	my $sample = slurp("$top/etc/$daemon.conf");
	($rc, $again) = printed($daemon, $sample);
	is($again, $said, "etc/$daemon.conf as it is changes nothing");
	$sample =~ s/^#(?! |$)//mg;
	($rc, $again) = printed($daemon, $sample);
	is($rc, 0, "etc/$daemon.conf is accepted with every line uncommented")
	    or diag($again);
	is($again, $said, "etc/$daemon.conf has the defaults");
	my $sampled = options($sample);
	is_deeply([sort(keys(%$sampled))], \@names, "etc/$daemon.conf has " .
	    "the options of $daemon, no more and no fewer");
	none_is("etc/$daemon.conf has the help of $daemon -T, and marks what " .
	    'reloads', map { "$_: " . ($sampled->{$_}[1] // '') } grep {
		($sampled->{$_}[1] // '') ne $options->{$_}[1] .
		    (($man->{$_}[1] // '') eq 'reload' ? ' (reload)' : '')
	    } @names);
}

# -- manual pages

for my $page (@pages) {
	my $name = $page =~ s{.*/}{}r;
	my ($status, $found) = run('mandoc', '-Tlint', $page);

	if ($status == 127) {
		fail("mandoc lints $name (apt-get install mandoc)");
		next;
	}
	# Whether others' pages are installed is not ours to say
	none_is("mandoc has nothing to say of $name",
	    grep { !/referenced manual not found|outdated mandoc\.db/ }
	    split(/\n/, $found));
}
my %is_page = map { m{([^/]+)\.(\d)$} ? ("$1 $2" => 1) : () } @pages;
for my $page (@pages) {
	none_is('every page of ours exists that ' . ($page =~ s{.*/}{}r) .
	    ' refers to', grep { /^(policy|postern|dkim)/ && !$is_page{$_} }
	    slurp($page) =~ /^\.Xr (\S+ \d)/mg);
}

# What the tools say of themselves, and what their pages do
for my $tool (qw(policyd/policyctl dkimsign/dkimctl)) {
	my ($name) = $tool =~ m{/(.*)};
	my ($status, $help) = run(build() . "/$tool", '-h');
	my $page = slurp("$top/$tool.8");
	my %in_help = map { $_ => 1 } $help =~
	    /(?<![\w-])-(-[a-z-]+|[A-Za-z])\b/g;
	my %in_page = map { $_ => 1 } $page =~
	    /\bFl (-[a-z-]+|[A-Za-z])\b/g;

	is(join(' ', sort(keys(%in_page))), join(' ', sort(keys(%in_help))),
	    "$name(8) has the options of $name -h, and no others");
	none_is("$name(8) has every command of $name -h", grep {
		$page !~ /^\.It Cm (?:\w+ \| )?\Q$_\E\b/m
	    } $help =~ /^  ([a-z][\w-]+) .*  \w/mg);
}

# A log line of a report.c, as the manual's literal shows it after an id
my $policyd_8 = plain(slurp("$top/policyd/policyd.8"));
my %first = (policyd => ['verdict', 'i7'], dkimsign => ['result', '4FQwxy3z']);
for my $daemon (@daemons) {
	my $page = plain(slurp("$top/$daemon/$daemon.8"));
	my $source = join('', map { slurp($_) } glob("$top/$daemon/*.c"));
	my %metrics = map { $_ => 1 } $source =~ /"(postern_${daemon}_\w+)"/g;
	my ($field, $id) = @{ $first{$daemon} };

	is_deeply([sort($page =~ /^\.It Ic (postern_${daemon}_\w+)/mg)],
	    [sort(keys(%metrics))],
	    "$daemon(8) has every metric, and no other");
	my ($format) = slurp("$top/$daemon/report.c") =~
	    /("$field=%s.*?),\n/s;
	my @fields = grep { $_ ne 'PRIu64' } $format =~ /(\w+)=/g;
	my ($shown) = $page =~ /^$id: (.*?)^\.Ed/ms;
	is(join(' ', $shown =~ /(?:^|\s)(\w+)=/g), join(' ', @fields),
	    "$daemon(8) shows the log line with its fields in order");
}
my ($table) = slurp("$top/policyd/verdict.c") =~ /rows\[\] = \{(.*?)^\};/ms;
none_is('policyd(8) has every reply', grep {
	$policyd_8 !~ /^\.It \w+ Ta Li \Q$_\E/m
    } $table =~ /\{ "([^"]+)"/g);

# -- README

my $readme = slurp("$top/README.md");
utf8::decode(my $letters = $readme);
none_is('no line of README.md is over 100 columns',
    grep { length > 100 } split(/\n/, $letters));
my ($packages) = slurp("$top/t/lib/prepare.sh") =~ /^build_packages="(.*?)"/ms;
my ($installed) = $readme =~ /apt-get install (.*?[^\\])\n/s;
is(join(' ', split(/[\s\\]+/, $installed // '')),
    join(' ', split(' ', $packages)),
    'README.md installs the packages that ./quickstart does');
for my $file (qw(main.cf master.cf dkimsign-main.cf dkimsign-master.cf)) {
	my $example = postfix_lines(slurp("$top/etc/postfix/$file.example"));
	my ($block) = blocks($readme, $file);

	is(postfix_lines($block // ''), $example,
	    "README.md has the lines of etc/postfix/$file.example");
}
my @ldif = blocks($readme, 'ldif');
ok(@ldif > 0, 'README.md has a directory');
for my $at (0 .. $#ldif) {
	spew("$dir/directory.ldif", $ldif[$at]);
	spew("$dir/policyd.conf",
	    "directory = { uri = \"ldif://$dir/directory.ldif\"; };\n");
	my ($rc, $said) = run($policyd, '-c', "$dir/policyd.conf", '-n');
	is($rc, 0, "policyd -n finds no fault in README.md's directory "
	    . ($at + 1)) or diag($said);
}

# -- files

for my $document (qw(README.md CONTRIBUTING.md CHANGES.md INTERNALS.md
    etc/systemd/policyd.service etc/systemd/dkimsign.service)) {
	my $text = slurp("$top/$document");

	isnt($text, '', "$document is there");
	none_is("every file exists that $document names",
	    grep { !is_there($_) } files_named($text));
}
my $internals = slurp("$top/INTERNALS.md");
none_is('INTERNALS.md names every .c', grep {
	my ($name) = m{([^/]+)$};
	$internals !~ /(?<![\w.-])\Q$name\E(?!\w)/;
    } map { s{^\Q$top\E/}{}r } glob("$top/{common,policyd,dkimsign}/*.c"));

done_testing();
