#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 42-status.t - active, suspended and disabled tenants and mailboxes: what they
# may send and what reaches them (DESIGN section 2, posternStatus).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(inbound outbound);
use PosternLdif qw(adopt mailbox template tenant);
use Test::More;

my @STATUS = qw(active suspended disabled);
my $OUTSIDE = 'friend@elsewhere.example';
my $STRANGER = 'someone@stranger.example';
my %rank = map { $STATUS[$_] => $_ } 0 .. $#STATUS;

# In each tenant a mailbox of each status, and "plain", which says nothing
my $ldif = template('global') .
    template('frozen', Status => 'suspended') .
    join('', map {
	my $domain = "$_.example";

	(tenant($domain, Status => $_,
	    associatedDomain => "alias-$domain"),
	    map { mailbox("$_\@$domain", Status => $_, mail =>
	    "other-$_\@alias-$domain") } @STATUS)
    } @STATUS) .
    tenant('silent.example') .
    tenant('frozen.example', Template => 'frozen') .
    tenant('thawed.example', Template => 'frozen', Status => 'active') .
    mailbox('box@thawed.example', Status => 'disabled') .
    mailbox('awake@frozen.example', Status => 'active');
my $policyd = Postern->start(ldif => $ldif);

sub
sending
{
	my ($tenant, $status) = @_;

	return { active => 'DUNNO',
	    suspended => "451 4.7.1 $tenant: sending is suspended",
	    disabled => "550 5.7.1 $tenant: sending is disabled" }->{$status};
}

# As the tenant that is accountable says it
sub
receiving
{
	my ($tenant, $status) = @_;

	return $status ne 'disabled' ? 'DUNNO' :
	    "550 5.7.1 $tenant: the recipient is disabled";
}

for my $of_tenant (@STATUS) {
	subtest "a tenant that is $of_tenant" => sub {
		my $domain = "$of_tenant.example";

		is($policyd->ask(outbound("plain\@$domain", $OUTSIDE)),
		    sending($domain, $of_tenant), 'sends outside');
		is($policyd->ask(outbound("plain\@$domain", $OUTSIDE,
		    sender => '')), sending($domain, $of_tenant),
		    'sends a bounce');
		is($policyd->ask(outbound("plain\@$domain",
		    'x@silent.example')), sending($domain, $of_tenant),
		    'sends to another tenant');
		is($policyd->ask(outbound("plain\@alias-$domain", $OUTSIDE)),
		    sending($domain, $of_tenant), 'sends from its alias domain');
		is($policyd->ask(inbound($STRANGER, "plain\@$domain")),
		    receiving($domain, $of_tenant), 'gets mail from outside');
		is($policyd->ask(inbound($STRANGER, "plain\@alias-$domain")),
		    receiving($domain, $of_tenant),
		    'gets mail for its alias domain');
		is($policyd->ask(outbound('x@silent.example',
		    "plain\@$domain")), receiving('silent.example',
		    $of_tenant), 'gets mail from another tenant');
	};
	for my $of_mailbox (@STATUS) {
		subtest "a mailbox that is $of_mailbox in a tenant that is " .
		    "$of_tenant: the strictest holds" => sub {
			my $domain = "$of_tenant.example";
			my $box = "$of_mailbox\@$domain";
			my $both = $STATUS[$rank{$of_tenant} >
			    $rank{$of_mailbox} ? $rank{$of_tenant} :
			    $rank{$of_mailbox}];

			is($policyd->ask(outbound($box, $OUTSIDE)),
			    sending($domain, $both), 'sends outside');
			is($policyd->ask(outbound($box, 'x@silent.example')),
			    sending($domain, $both),
			    'sends to another tenant');
			is($policyd->ask(outbound(uc($box), $OUTSIDE,
			    sasl_username => "$of_mailbox+x\@$domain")),
			    sending($domain, $both),
			    'sends with an extension, in upper case');
			is($policyd->ask(outbound(
			    "other-$of_mailbox\@alias-$domain", $OUTSIDE)),
			    sending($domain, $both),
			    'sends as its other address');
			is($policyd->ask(inbound($STRANGER, $box)),
			    receiving($domain, $both),
			    'gets mail from outside');
			is($policyd->ask(inbound($STRANGER,
			    "other-$of_mailbox\@alias-$domain")),
			    receiving($domain, $both),
			    'gets mail at its other address');
			is($policyd->ask(inbound($STRANGER,
			    "$of_mailbox+x\@$domain")),
			    receiving($domain, $both),
			    'gets mail with an extension');
			is($policyd->ask(outbound('x@silent.example', $box)),
			    receiving('silent.example', $both),
			    'gets mail from another tenant');
			is($policyd->ask(outbound('x@silent.example',
			    "$of_mailbox+x\@$domain")),
			    receiving('silent.example', $both),
			    'gets mail from another tenant with an extension');
		};
	}
}

subtest 'where the status comes from' => sub {
	is($policyd->ask(outbound('x@silent.example', $OUTSIDE)), 'DUNNO',
	    'nobody said anything: active');
	is($policyd->ask(outbound('x@frozen.example', $OUTSIDE)),
	    sending('frozen.example', 'suspended'), 'from the template');
	is($policyd->ask(outbound('x@thawed.example', $OUTSIDE)), 'DUNNO',
	    'the tenant\'s own word replaces its template\'s');
	is($policyd->ask(outbound('box@thawed.example', $OUTSIDE)),
	    sending('thawed.example', 'disabled'),
	    'the mailbox\'s own is stricter than the tenant\'s');
	is($policyd->ask(outbound('awake@frozen.example', $OUTSIDE)),
	    sending('frozen.example', 'suspended'),
	    'an active mailbox does not lift what its tenant inherits');
};

subtest 'status comes first' => sub {
	is($policyd->ask(outbound('x@suspended.example', $OUTSIDE,
	    sender => $STRANGER)),
	    sending('suspended.example', 'suspended'),
	    'before a direction rule that would reject');
	is($policyd->ask(outbound('x@suspended.example',
	    'x@disabled.example')),
	    '550 5.7.1 suspended.example: the recipient is disabled',
	    'of sender and recipient the harsher');
	is($policyd->ask(inbound('x@active.example', 'x@disabled.example')),
	    receiving('disabled.example', 'disabled'),
	    'also for who uses our domain from outside');
};

subtest 'a status that changes is in force at once' => sub {
	my $limit = 'hourly outbound mailbox recipients 2/1h';
	my @mail = outbound('x@client1.example', $OUTSIDE);

	adopt($policyd, $ldif . tenant('client1.example', RateLimit => $limit,
	    Status => 'suspended'));
	is($policyd->ask(@mail), sending('client1.example', 'suspended'),
	    'suspended') for 1 .. 5;
	adopt($policyd, $ldif . tenant('client1.example',
	    RateLimit => $limit));
	is($policyd->ask(@mail), 'DUNNO',
	    'resumed, and what was deferred was not charged (B2, U3)')
	    for 1 .. 2;
	like($policyd->ask(@mail), qr/^451 .* limit hourly /,
	    'then the limit holds');
	adopt($policyd, $ldif . tenant('client1.example',
	    RateLimit => $limit, Status => 'disabled'));
	is($policyd->ask(@mail), sending('client1.example', 'disabled'),
	    'disabled');
	adopt($policyd, $ldif . tenant('client1.example',
	    RateLimit => $limit, Status => 'off'));
	is($policyd->ask(@mail), sending('client1.example', 'disabled'),
	    'a bad value does not lift it: the last good form serves');
};

is($policyd->stop(), '', 'policyd stops cleanly');
done_testing();
