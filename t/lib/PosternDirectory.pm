# SPDX-License-Identifier: ISC
# PosternDirectory.pm - what tests of the directory claim again and again:
# whose a domain is, who may send, and that a change comes into force in time.
# Core modules only.
package PosternDirectory;

use strict;
use warnings;

use Exporter 'import';
use Postern qw(inbound outbound temp_dir wait_until);
use Test::More;

our @EXPORT_OK = qw(is_ours is_suspended policyd_with_state soon);

# A claim that becomes true in time
sub
soon(&$;$)
{
	my ($is_true, $name, $secs) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(&wait_until($is_true, $secs // 60), $name);
}

sub
is_ours
{
	my ($policyd, $domain) = @_;

	return $policyd->ask(inbound('a@stranger.example', "a\@$domain"))
	    eq 'DUNNO';
}

# The whole tenant, or this mailbox of it
sub
is_suspended
{
	my ($policyd, $domain, $user) = @_;

	return $policyd->ask(outbound(($user // 'a') . "\@$domain",
	    'b@far.example')) =~ /^4/;
}

# A policyd that is not started, with a state file of its own
sub
policyd_with_state
{
	my ($slapd, %settings) = @_;
	my $dir = temp_dir();

	chmod(0777, "$dir");
	my $policyd = Postern->new(conf => { on_no_directory => 'defer',
	    directory => $slapd->settings(poll => '1s',
	    state_file => "$dir/state", %settings) });
	$policyd->{state_dir} = $dir;
	return $policyd;
}

1;
