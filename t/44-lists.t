#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 44-lists.t - posternAllow and posternBlock (DESIGN sections 2 and 3): what a
# line matches, for whom, how long, and what an allow line lifts. Bn and Un are
# the bugs and wishes of operators that a test answers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX qw(strftime);
use Postern qw(inbound outbound);
use PosternLdif qw(adopt mailbox template tenant);
use Test::More;
use Time::HiRes qw(time);

my $MUELLER = "m\xc3\xbcller.example";		# in UTF-8
my $OUTSIDE = 'friend@elsewhere.example';
my $STRANGER = 'someone@stranger.example';
my $GREYLISTED = qr/^DEFER_IF_PERMIT 4\.2\.0 \S+: greylisted, /;
my %conf = (trusted_networks => ['10.0.0.0/8']);
my $policyd;

# Rows of: name, the reply or a pattern of it, attributes
sub
replies_are
{
	for my $row (@_) {
		my ($name, $expected, @attributes) = @$row;
		my $reply = $policyd->ask(@attributes);

		ref($expected) ? like($reply, $expected, $name) :
		    is($reply, $expected, $name);
	}
}

sub
blocked
{
	my ($tenant, $kind) = @_;

	return "550 5.7.1 $tenant: blocked by policy ($kind)";
}

# Rows of: KIND PATTERN; then for each form what it matches and what not, as
# attributes of a stranger's mail to DOMAIN
my @lines = (
	[ 'sender boss@partner.example', [
	    [ 'that address', sender => 'boss@partner.example' ],
	    [ 'in upper case', sender => 'BOSS@Partner.Example' ],
	    [ 'with an extension', sender => 'boss+x@partner.example' ],
	  ], [
	    [ 'another local part', sender => 'aboss@partner.example' ],
	    [ 'a subdomain', sender => 'boss@sub.partner.example' ],
	    [ 'the null sender', sender => '' ],
	  ] ],
	[ 'sender @partner.example', [
	    [ 'every address there', sender => 'x@partner.example' ],
	    [ 'in upper case', sender => 'x@PARTNER.example' ],
	  ], [
	    [ 'a subdomain', sender => 'x@sub.partner.example' ],
	    [ 'a domain that ends alike', sender => 'x@apartner.example' ],
	    [ 'the null sender', sender => '' ],
	  ] ],
	[ 'sender @.partner.example', [
	    [ 'a subdomain', sender => 'x@sub.partner.example' ],
	    [ 'at any depth', sender => 'x@a.b.partner.example' ],
	  ], [
	    [ 'the domain itself', sender => 'x@partner.example' ],
	    [ 'a domain that ends alike', sender => 'x@apartner.example' ],
	  ] ],
	[ 'sender @xn--mller-kva.example', [
	    [ 'the A-label', sender => 'x@xn--mller-kva.example' ],
	    [ 'the U-label', sender => "x\@$MUELLER" ],
	  ], [
	    [ 'another one', sender => 'x@muller.example' ],
	  ] ],
	[ 'recipient box@DOMAIN', [
	    [ 'that address (U18)', recipient => 'box@DOMAIN' ],
	    [ 'with an extension', recipient => 'box+x@DOMAIN' ],
	  ], [
	    [ 'another mailbox', recipient => 'a@DOMAIN' ],
	  ] ],
	[ 'recipient @DOMAIN', [
	    [ 'every mailbox', recipient => 'box@DOMAIN' ],
	  ], [
	    [ 'the alias domain', recipient => 'box@sub.DOMAIN' ],
	  ] ],
	[ 'recipient @.DOMAIN', [
	    [ 'the subdomain that is ours', recipient => 'box@sub.DOMAIN' ],
	  ], [
	    [ 'the domain itself', recipient => 'box@DOMAIN' ],
	  ] ],
	[ 'client 198.51.100.7', [
	    [ 'that address', client_address => '198.51.100.7' ],
	  ], [
	    [ 'the one beside it', client_address => '198.51.100.8' ],
	    [ 'a client that Postfix does not know',
		client_address => 'unknown' ],
	  ] ],
	[ 'client 198.51.0.0/16', [
	    [ 'the first address', client_address => '198.51.0.0' ],
	    [ 'the last address of a /16, not of a /24 (B12)',
		client_address => '198.51.255.255' ],
	  ], [
	    [ 'the address behind it', client_address => '198.52.0.0' ],
	    [ 'an IPv6 address', client_address => '2001:db8::1' ],
	  ] ],
	[ 'client 2001:db8:7::/48', [
	    [ 'an address in it (U13)', client_address => '2001:db8:7:1::9' ],
	    [ 'in another spelling',
		client_address => '2001:0DB8:0007:0:0:0:0:1' ],
	  ], [
	    [ 'the network beside it', client_address => '2001:db8:8::9' ],
	    [ 'an IPv4 address', client_address => '198.51.100.7' ],
	  ] ],
	[ 'client mail-*.partner.example', [
	    [ 'a confirmed name', client_name => 'mail-3.partner.example' ],
	    [ 'in upper case', client_name => 'MAIL-3.Partner.Example' ],
	    [ '"*" is any text', client_name => 'mail-a.b.partner.example' ],
	  ], [
	    [ 'a name that is not confirmed', client_name => 'unknown',
		reverse_client_name => 'mail-3.partner.example' ],
	    [ 'a HELO', helo_name => 'mail-3.partner.example' ],
	    [ 'a name that only begins so',
		client_name => 'mail-3.partner.example.bad.example' ],
	  ] ],
	[ 'client mx?.partner.example', [
	    [ '"?" is one character', client_name => 'mx1.partner.example' ],
	  ], [
	    [ 'and not two', client_name => 'mx10.partner.example' ],
	  ] ],
	[ 'client mail.exact.example', [
	    [ 'that very name', client_name => 'mail.exact.example' ],
	  ], [
	    [ 'a name below it', client_name => 'a.mail.exact.example' ],
	  ] ],
	[ 'helo *.bot.example', [
	    [ 'a name below it', helo_name => 'x.bot.example' ],
	    [ 'in upper case', helo_name => 'X.BOT.example' ],
	  ], [
	    [ 'the name itself', helo_name => 'bot.example' ],
	    [ 'a client\'s name', client_name => 'x.bot.example' ],
	    [ 'no HELO', helo_name => '' ],
	  ] ],
	[ 'helo localhost', [
	    [ 'that name', helo_name => 'localhost' ],
	  ], [
	    [ 'a longer one', helo_name => 'localhost.localdomain' ],
	  ] ],
);

# Each line in a tenant that blocks by it, and in one that greylists all else
sub
line_tenants
{
	my $n = 0;

	return join('', map {
		my $line = $_->[0];
		my ($block, $allow) = ("block$n.example", "allow$n.example");

		$n++;
		(tenant($block, associatedDomain => "sub.$block",
		    Block => $line =~ s/DOMAIN/$block/r),
		tenant($allow, associatedDomain => "sub.$allow",
		    Greylist => 'on', Allow => $line =~ s/DOMAIN/$allow/r))
	} @lines);
}

$policyd = Postern->start(ldif => line_tenants());
for my $n (0 .. $#lines) {
	my ($line, $matches, $does_not) = @{$lines[$n]};
	my ($kind) = $line =~ /^(\w+)/;
	my $asks = sub {
		my ($domain, @attributes) = @_;

		s/DOMAIN/$domain/ for @attributes;
		return inbound($STRANGER, "a\@$domain", @attributes);
	};

	subtest $line => sub {
		for my $row (@$matches) {
			my ($name, @attributes) = @$row;

			is($policyd->ask($asks->("block$n.example",
			    @attributes)), blocked("block$n.example", $kind),
			    "blocks $name");
			is($policyd->ask($asks->("allow$n.example",
			    @attributes)), 'DUNNO', "allows $name");
		}
		for my $row (@$does_not) {
			my ($name, @attributes) = @$row;

			is($policyd->ask($asks->("block$n.example",
			    @attributes)), 'DUNNO', "does not block $name");
			like($policyd->ask($asks->("allow$n.example",
			    @attributes)), $GREYLISTED,
			    "does not allow $name");
		}
	};
}
is($policyd->stop(), '', 'policyd stops cleanly');

my %mail = (
	inbound => sub { inbound($STRANGER, "a\@$_[0]") },
	outbound => sub { outbound("a\@$_[0]", $OUTSIDE) },
	internal => sub { outbound("a\@$_[0]", 'x@plain.example') },
);
my %holds_for = ('' => [qw(inbound outbound internal)],
    any => [qw(inbound outbound internal)], inbound => ['inbound'],
    outbound => [qw(outbound internal)], internal => ['internal'],
    relay => []);

$policyd = Postern->start(ldif => tenant('plain.example') . join('', map {
    my $domain = ($_ || 'none') . '.example';

    tenant($domain, Block => [ "sender $STRANGER $_",
    "sender a\@$domain $_" ])
    } keys(%holds_for)));
for my $direction (sort(keys(%holds_for))) {
	subtest $direction eq '' ? 'a line without a direction' :
	    "a line for $direction" => sub {
		my $domain = ($direction || 'none') . '.example';

		for my $mail (sort(keys(%mail))) {
			my $holds = grep { $_ eq $mail }
			    @{$holds_for{$direction}};

			is($policyd->ask($mail{$mail}->($domain)), $holds ?
			    blocked($domain, 'sender') : 'DUNNO',
			    ($holds ? 'holds' : 'does not hold') .
			    " for $mail mail");
		}
	};
}
is($policyd->stop(), '', 'policyd stops cleanly');

# The clock to so many seconds before midnight (UTC) of a day in a year
sub
before_midnight
{
	my ($secs) = @_;
	my $now = int(time()) + 365 * 86400;

	$now += 86400 - $now % 86400 - $secs;
	$policyd->set_clock(($now - int(time())) * 1000);
	return strftime('%Y-%m-%d', gmtime($now));
}

subtest 'expires=' => sub {
	my @blocked = inbound($STRANGER, 'a@client1.example');
	my @allowed = inbound($STRANGER, 'a@client2.example');

	$policyd = Postern->start(ldif => tenant('plain.example'));
	my $today = before_midnight(60);
	adopt($policyd, tenant('plain.example') . tenant('client1.example',
	    Block => "sender $STRANGER expires=$today owner=anna " .
	    'note=until the contract ends') . tenant('client2.example',
	    Greylist => 'on', Allow => "sender $STRANGER inbound " .
	    "expires=$today owner=ben"));
	is($policyd->ask(@blocked), blocked('client1.example', 'sender'),
	    'a block line holds to the end of the day, UTC');
	is($policyd->ask(@allowed), 'DUNNO', 'an allow line, too');
	unlike($policyd->control('/check'), qr/expired/,
	    'and nothing is reported');
	$policyd->advance('61s');
	is($policyd->ask(@blocked), 'DUNNO',
	    'then the block line does nothing, without a change of the entry');
	like($policyd->ask(@allowed), $GREYLISTED,
	    'and the allow line does nothing');
	my @reported = $policyd->control('/check') =~ /(expired: it does)/g;
	is(scalar(@reported), 2, 'check reports both');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

subtest 'owner= and note=' => sub {
	$policyd = Postern->start(ldif => tenant('client1.example',
	    Greylist => 'on',
	    Allow => "sender $STRANGER owner=anna note=expires=2020-01-01 " .
	    'owner=nobody, says the note',
	    Block => 'client 198.51.100.0/24 inbound owner=ben note=bots'));
	is($policyd->ask(inbound($STRANGER, 'a@client1.example')), 'DUNNO',
	    'a note is the rest of the line, whatever stands in it');
	my $answer = $policyd->control('/exceptions');

	like($answer, qr/"owner": *"anna"/, 'exceptions names the owner');
	like($answer, qr/"note": *"expires=2020-01-01 owner=nobody, says the note"/,
	    'and the whole note');
	like($answer, qr/"owner": *"ben"/, 'of each line');
	my ($code, $output) = $policyd->policyctl('exceptions');

	is($code, 0, 'policyctl exceptions succeeds');
	like($output, qr/anna.*\n(?:.*\n)*.*ben|ben.*\n(?:.*\n)*.*anna/,
	    'and shows both owners');
	is($policyd->stop(), '', 'policyd stops cleanly');
};

# Three scopes, of which each allows (a), blocks (b) or does not know (x) a
# sender: "abx" is allowed by the mailbox and blocked by its tenant
my @SENDERS = map { my $x = $_; map { my $y = $_; map { "$x$y$_" } qw(a b x)
    } qw(a b x) } qw(a b x);

sub
scope
{
	my ($at) = @_;

	return map {
		my ($name, $letter) = @$_;

		$name => [ map { "sender $_\@scopes.example" }
		    grep { substr($_, $at, 1) eq $letter } @SENDERS ]
	} ([ Allow => 'a' ], [ Block => 'b' ]);
}

$policyd = Postern->start(ldif =>
    template('global', Greylist => 'on', scope(2)) .
    tenant('client1.example', scope(1)) .
    mailbox('box@client1.example', mail => 'alias@client1.example',
    scope(0)) .
    tenant('both.example', Allow => "sender $STRANGER",
    Block => [ "sender $STRANGER", 'client 0.0.0.0/0', 'client ::/0',
    'helo *' ]) .
    template('far', Block => "sender $STRANGER") .
    template('near', Template => 'far', Allow => "sender $STRANGER") .
    tenant('near.example', Template => 'near') .
    tenant('far.example', Template => 'far'));

subtest 'the nearest scope that knows the sender decides' => sub {
	my %reply = (a => qr/^DUNNO$/, b => qr/^550 .*blocked by policy/,
	    x => $GREYLISTED);
	my %verb = (a => 'allows', b => 'blocks', x => 'does not know');

	for my $sender (@SENDERS) {
		my ($mailbox, $tenant, $global) = split(//, $sender);
		my ($decides) = ("${sender}x" =~ /([ab]|x$)/);

		like($policyd->ask(inbound("$sender\@scopes.example",
		    'alias@client1.example')), $reply{$decides},
		    "the mailbox $verb{$mailbox}, its tenant $verb{$tenant}, " .
		    "global $verb{$global}");
	}
	like($policyd->ask(inbound('bax@scopes.example',
	    'other@client1.example')), $reply{a},
	    'a mailbox\'s lines are for it alone');
};

subtest 'inside a scope, and along templates' => sub {
	replies_are(
	    [ 'inside one scope allow beats block, of whatever kind', 'DUNNO',
		inbound($STRANGER, 'a@both.example') ],
	    [ 'and block holds for all others',
		qr/^550 .*blocked by policy \((client|helo)\)$/,
		inbound('x@stranger.example', 'a@both.example') ],
	    [ 'a template\'s line',
		blocked('far.example', 'sender'),
		inbound($STRANGER, 'a@far.example') ],
	    [ 'a nearer template\'s line', 'DUNNO',
		inbound($STRANGER, 'a@near.example') ]);
};
is($policyd->stop(), '', 'policyd stops cleanly');

# All that may refuse a sender, and a line that allows it
my $LIMIT = 'l inbound mailbox messages 1/1h';
$policyd = Postern->start(ldif =>
    template('global', Block => 'sender @allowed.example') .
    tenant('client1.example', Greylist => 'on',
    Allow => 'sender @allowed.example') .
    tenant('plain.example') .
    tenant('status.example', Status => 'disabled',
    Allow => 'sender @allowed.example') .
    tenant('rule.example', DirectionRule => ['inbound no-rdns reject',
    'inbound bad-helo hold'], Allow => 'sender @allowed.example') .
    tenant('limit.example', RateLimit => $LIMIT,
    Allow => 'sender @allowed.example') .
    tenant('spoofed.example', Allow => [ 'sender @spoofed.example',
    'recipient @spoofed.example', 'helo *' ]) .
    tenant('outbound.example', RateLimit => 'l outbound mailbox messages 1/1h',
    Allow => [ 'sender @outbound.example', 'client 192.0.2.0/24' ]),
    conf => \%conf);

subtest 'what an allow line lifts' => sub {
	my $sender = 'x@allowed.example';
	my @held = inbound($sender, 'a@rule.example', helo_name => 'me',
	    instance => 'held');

	replies_are(
	    [ 'greylisting', 'DUNNO', inbound($sender, 'a@client1.example') ],
	    [ 'which others meet', $GREYLISTED,
		inbound($STRANGER, 'a@client1.example') ],
	    [ 'nor does who is trusted, though of no tenant (U16)', 'DUNNO',
		outbound('x@nobody.example', 'a@client1.example') ],
	    [ 'block lines further out (the tenant\'s beside global\'s)',
		'DUNNO', inbound($sender, 'b@client1.example') ],
	    [ 'which others meet', blocked('plain.example', 'sender'),
		inbound($sender, 'a@plain.example') ],
	    [ 'not a status',
		'550 5.7.1 status.example: the recipient is disabled',
		inbound($sender, 'a@status.example') ],
	    [ 'not a direction rule that rejects', qr/^550 .*\(no-rdns\)$/,
		inbound($sender, 'a@rule.example',
		reverse_client_name => 'unknown') ],
	    [ 'not a direction rule that holds', 'DUNNO', @held ],
	    [ 'which is given at DATA', qr/^HOLD .*\(bad-helo\)$/, @held,
		protocol_state => 'DATA' ],
	    [ 'not own-sender, by a sender, recipient or helo line (U25)',
		qr/^550 .*\(own-sender\)$/,
		inbound('x@spoofed.example', 'a@spoofed.example') ],
	    [ 'not a limit: the first message', 'DUNNO',
		inbound($sender, 'a@limit.example') ],
	    [ 'not a limit: the second', qr/^451 .* limit l /,
		inbound($sender, 'a@limit.example') ],
	    [ 'not an outbound limit: the first message', 'DUNNO',
		outbound('a@outbound.example', $OUTSIDE) ],
	    [ 'not an outbound limit: the second', qr/^451 .* limit l /,
		outbound('a@outbound.example', $OUTSIDE) ],
	    [ 'not foreign-sender', qr/^550 .*\(foreign-sender\)$/,
		outbound('a@outbound.example', $OUTSIDE,
		sender => $STRANGER) ],
	    [ 'not relaying', qr/^550 .*relaying denied/,
		inbound($sender, $OUTSIDE) ]);
};
is($policyd->stop(), '', 'policyd stops cleanly');

$policyd = Postern->start(ldif => tenant('client1.example',
    Block => [ 'recipient @competitor.example outbound', 'sender ' .
    'leaver@client1.example', 'recipient b@quiet.example',
    'sender friend@open.example' ]) .
    tenant('quiet.example', Block => 'sender loud@client1.example',
    Allow => 'sender leaver@client1.example') .
    tenant('open.example'), conf => \%conf);

subtest 'outbound and internal mail' => sub {
	my $own = sub { blocked('client1.example', $_[0]) };

	replies_are(
	    [ 'the owner blocks a recipient outside', $own->('recipient'),
		outbound('a@client1.example', 'x@competitor.example') ],
	    [ 'the owner blocks a sender of its own', $own->('sender'),
		outbound('leaver@client1.example', $OUTSIDE) ],
	    [ 'the owner blocks a recipient of another tenant',
		$own->('recipient'),
		outbound('a@client1.example', 'b@quiet.example') ],
	    [ 'internal mail obeys the recipient tenant\'s block lines',
		$own->('sender'),
		outbound('loud@client1.example', 'c@quiet.example') ],
	    [ 'which mean nothing outside', 'DUNNO',
		outbound('loud@client1.example', $OUTSIDE) ],
	    [ 'the recipient\'s allow does not lift the owner\'s block',
		$own->('sender'),
		outbound('leaver@client1.example', 'c@quiet.example') ],
	    [ 'a tenant\'s lines say nothing of other tenants\' mail',
		'DUNNO', inbound('friend@open.example', 'a@open.example',
		client_address => '10.0.0.1') ],
	    [ 'who is trusted is never greylisted (U16)', 'DUNNO',
		outbound('a@client1.example', 'a@open.example') ]);
};
is($policyd->stop(), '', 'policyd stops cleanly');

subtest 'a bad line' => sub {
	my $good = tenant('client1.example', Block => "sender $STRANGER");
	my @bad = ([ 'a word that is no KIND', 'domain stranger.example' ],
	    [ 'no pattern', 'sender' ],
	    [ 'a sender without a domain', 'sender someone' ],
	    [ 'bits behind the prefix', 'client 198.51.100.7/24' ],
	    [ 'a prefix that is too long', 'client 198.51.100.0/33' ],
	    [ 'a date that is none', 'sender @x.example expires=2030-02-30' ],
	    [ 'a direction that is none', 'sender @x.example upwards' ],
	    [ 'more stars than are good for the rest', 'helo *a*b*c*d*e' ]);

	$policyd = Postern->start(ldif => $good);
	for my $row (@bad) {
		my ($name, $line) = @$row;

		adopt($policyd, $good);
		unlike($policyd->control('/check'), qr/posternBlock/,
		    "$name: before, nothing is reported");
		adopt($policyd, tenant('client1.example', Block => $line));
		like($policyd->control('/check'),
		    qr/"attribute": *"posternBlock", *"value": *"\Q$line\E"/,
		    "$name: is reported");
		is($policyd->ask(inbound($STRANGER, 'a@client1.example')),
		    blocked('client1.example', 'sender'),
		    "$name: the last good form of the entry serves");
	}
	is($policyd->stop(), '', 'policyd stops cleanly');
};
done_testing();
