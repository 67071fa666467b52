#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 40-direction.t - which way a message travels and whose it is (DESIGN section
# 3, the direction table), and what direction rules make of it. Bn and Un are
# the bugs and wishes of operators that a test answers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(inbound outbound);
use PosternLdif qw(mailbox template tenant);
use Test::More;

my $MUELLER = "m\xc3\xbcller.example";		# in UTF-8
my $MUELLER_A = 'xn--mller-kva.example';
my $OUTSIDE = 'friend@elsewhere.example';
my $STRANGER = 'someone@stranger.example';
my $PRINT = 'AB:CD:EF:01';
my $KEY_PRINT = '23:45:67:89';

my %conf = (
	trusted_networks => ['10.0.0.0/8', '2001:db8:10::/48'],
	trusted_ccerts => [$PRINT, $KEY_PRINT],
	login_domain => 'client1.example',
);

my $policyd;
my $instance = 0;

# The direction and the tenant that a request is logged with
sub
way
{
	my (@attributes) = @_;
	my $id = 'way' . ++$instance;

	$policyd->ask(@attributes, instance => $id);
	return "$1 $2" if $policyd->log() =~
	    /\b$id\b.* dir=(\S+) tenant=(\S+)/;
	return 'not logged';
}

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

# The reply at RCPT, and the one at DATA of the same transaction
sub
at_rcpt_and_data
{
	my (@attributes) = @_;
	my @same = (instance => 'data' . ++$instance);

	return [ $policyd->ask(@attributes, @same), $policyd->ask(@attributes,
	    @same, protocol_state => 'DATA', recipient_count => 1) ];
}

sub
refused
{
	my ($tenant, $text) = @_;

	return "550 5.7.1 $tenant: $text";
}

sub
foreign_for
{
	my ($tenant) = @_;

	return refused($tenant, 'this login may not send from that domain ' .
	    '(foreign-sender)');
}

sub
spoofed_for
{
	my ($tenant) = @_;

	return refused($tenant, "mail from this sender's domain needs a " .
	    'login (own-sender)');
}

my $RELAYING =
    '550 5.7.1 relaying denied: neither sender nor recipient is ours';

# A trusted client of the network, as it asks for a message
sub
network
{
	my ($sender, $recipient, @more) = @_;

	return (sender => $sender, recipient => $recipient,
	    client_address => '10.1.2.3', @more);
}

$policyd = Postern->start(conf => \%conf, ldif =>
    tenant('client1.example', associatedDomain => 'client1-shop.example') .
    tenant('client2.example') . tenant($MUELLER_A) .
    tenant('own.client1.example') .
    mailbox('anna@client1.example', mail => ['sales@client1.example',
    'anna@client1-shop.example']) .
    template('global'));

subtest 'the direction table' => sub {
	is(way(outbound('anna@client1.example', $OUTSIDE)),
	    'outbound client1.example',
	    'outbound: a login with an owner, to an address that is not ours');
	is(way(network('', $OUTSIDE)), 'outbound -',
	    'outbound: a null sender from a trusted network has no owner');
	is(way(outbound('x@nobody.example', $OUTSIDE, sender => '')),
	    'outbound -',
	    'outbound: a null sender from a login of no tenant');
	is(way(outbound('anna@client1.example', 'bob@client1.example')),
	    'internal client1.example',
	    'internal: from a tenant to itself, accountable to the sender');
	is(way(outbound('anna@client1.example', 'bob@client2.example')),
	    'internal client1.example',
	    'internal: from a tenant to another, accountable to the sender');
	is(way(inbound($STRANGER, 'bob@client2.example')),
	    'inbound client2.example',
	    'inbound: from a stranger to a tenant, accountable to the latter');
	is(way(inbound('', 'bob@client2.example')), 'inbound client2.example',
	    'inbound: a bounce to a tenant');
	is(way(outbound('x@nobody.example', 'bob@client2.example')),
	    'inbound client2.example',
	    'inbound: the login is trusted, but of no tenant');
	is(way(network($STRANGER, 'bob@client2.example')),
	    'inbound client2.example',
	    'inbound: the network is trusted, but the sender of no tenant');
	is(way(network('', 'bob@client2.example')), 'inbound client2.example',
	    'inbound: a null sender from a trusted network to a tenant');
	is(way(inbound($STRANGER, $OUTSIDE)), 'relay -',
	    'relay: from a stranger to an address that is not ours');
	is(way(inbound('anna@client1.example', $OUTSIDE)), 'relay -',
	    'relay: our sender does not make a stranger ours');
	is(way(inbound('', $OUTSIDE)), 'relay -',
	    'relay: a stranger\'s null sender, to an address that is not ours');
	is(way(outbound('x@nobody.example', $OUTSIDE)), 'relay -',
	    'relay: a login of no tenant, to an address that is not ours');
	is(way(network($STRANGER, $OUTSIDE)), 'relay -',
	    'relay: a trusted network and a sender of no tenant');
	is(way(inbound($STRANGER, 'bob@sub.client2.example')), 'relay -',
	    'relay: a subdomain of a tenant\'s domain is not ours');
	is(way(inbound($STRANGER, 'bob@notclient2.example')), 'relay -',
	    'relay: a domain that only ends like a tenant\'s is not ours');
};

subtest 'who is trusted' => sub {
	my @anna = inbound('anna@client1.example', $OUTSIDE);
	my $ours = 'outbound client1.example';

	is(way(@anna, sasl_username => 'anna@client1.example'), $ours,
	    'who has logged in');
	is(way(@anna, ccert_fingerprint => $PRINT), $ours,
	    'a certificate whose fingerprint is listed');
	is(way(@anna, ccert_fingerprint => lc($PRINT)), $ours,
	    'a fingerprint in lower case is the same');
	is(way(@anna, ccert_pubkey_fingerprint => $KEY_PRINT), $ours,
	    'a certificate whose key\'s fingerprint is listed');
	is(way(@anna, ccert_fingerprint => '00:11', ccert_subject => 'anna',
	    ccert_issuer => 'anyone'), 'relay -',
	    'not a certificate that is not listed, though Postfix reports it');
	is(way(@anna, ccert_fingerprint => ''), 'relay -',
	    'not a session without a certificate');
	is(way(@anna, client_address => '10.255.0.1'), $ours,
	    'a client in trusted_networks (IPv4)');
	is(way(@anna, client_address => '2001:db8:10:1::7'), $ours,
	    'a client in trusted_networks (IPv6, U13)');
	is(way(@anna, client_address => '11.0.0.1'), 'relay -',
	    'not a client beside trusted_networks (IPv4)');
	is(way(@anna, client_address => '2001:db8:11::7'), 'relay -',
	    'not a client beside trusted_networks (IPv6)');
	is(way(@anna, client_address => '127.0.0.1'), 'relay -',
	    'not the host itself, where it is not listed (U30)');
	is(way(@anna, client_address => 'unknown'), 'relay -',
	    'not a client whose address Postfix does not know');
};

subtest 'who is the owner' => sub {
	my @as_client2 = (sender => 'bob@client2.example');

	is(way(outbound('anna@client1.example', $OUTSIDE, @as_client2)),
	    'outbound client1.example',
	    'the login\'s tenant, not the sender\'s: nobody burns ' .
	    'another\'s limits (B16)');
	is(way(network('anna@client1.example', $OUTSIDE)),
	    'outbound client1.example',
	    'without a login the sender\'s tenant (webmail, U30)');
	is(way(network('bob@client2.example', $OUTSIDE,
	    sasl_username => 'anna@client1.example')),
	    'outbound client1.example',
	    'a login counts more than a trusted network');
	is(way(network('bob@client2.example', $OUTSIDE,
	    sasl_username => 'x@nobody.example')), 'relay -',
	    'a login of no tenant does not fall back to the sender');
	is(way(outbound('anna', $OUTSIDE, sender => 'anna@client1.example')),
	    'outbound client1.example',
	    'a bare login gets login_domain');
	is(way(outbound('anna@bad..example', $OUTSIDE)), 'relay -',
	    'a login whose domain is none is not a bare one');
	is(way(outbound('ANNA@Client1.Example', $OUTSIDE)),
	    'outbound client1.example', 'upper and lower case are one');
	is(way(outbound('anna+news@client1.example', $OUTSIDE)),
	    'outbound client1.example', 'an extension changes nothing');
	is(way(outbound('anna@client1-shop.example', $OUTSIDE)),
	    'outbound client1.example',
	    'an alias domain is its tenant\'s (U24)');
	is(way(inbound($STRANGER, 'anna@client1-shop.example')),
	    'inbound client1.example', 'also as recipient (U24)');
	is(way(outbound('anna@sub.client1.example', $OUTSIDE)), 'relay -',
	    'a subdomain is no login domain');
};

subtest 'one domain in both forms' => sub {
	is(way(inbound($STRANGER, "j\@$MUELLER_A")), "inbound $MUELLER_A",
	    'the recipient as A-label');
	is(way(inbound($STRANGER, "j\@$MUELLER")), "inbound $MUELLER_A",
	    'the recipient as U-label');
	is(way(inbound($STRANGER, "j\@M\xc3\x9cLLER.EXAMPLE")),
	    "inbound $MUELLER_A", 'the recipient in upper case');
	is(way(outbound("j\@$MUELLER", $OUTSIDE)), "outbound $MUELLER_A",
	    'the login as U-label');
	is(way(network("j\@$MUELLER", $OUTSIDE)), "outbound $MUELLER_A",
	    'the sender as U-label');
	is($policyd->ask(outbound("j\@$MUELLER_A", $OUTSIDE,
	    sender => "j\@$MUELLER")), 'DUNNO',
	    'a U-label sender is the A-label login\'s own');
	is($policyd->ask(inbound("j\@$MUELLER", 'bob@client2.example')),
	    spoofed_for('client2.example'),
	    'a U-label sender from outside is recognised as ours');
};

subtest 'what is built in' => sub {
	replies_are(
	    [ 'inbound own-sender: our domain from outside is refused (U25)',
		spoofed_for('client1.example'),
		inbound('bob@client1.example', 'anna@client1.example') ],
	    [ 'inbound own-sender: and another tenant\'s, too',
		spoofed_for('client1.example'),
		inbound('bob@client2.example', 'anna@client1.example') ],
	    [ 'inbound own-sender: and an alias domain',
		spoofed_for('client1.example'),
		inbound('x@client1-shop.example', 'anna@client1.example') ],
	    [ 'inbound own-sender: a subdomain of ours is not one of ours',
		'DUNNO',
		inbound('x@news.client1.example', 'anna@client1.example') ],
	    [ 'inbound own-sender: who has logged in is not a stranger',
		'DUNNO',
		outbound('anna@client1.example', 'bob@client2.example') ],
	    [ 'inbound own-sender: nor is one who has a login of no tenant',
		'DUNNO', outbound('x@nobody.example', 'bob@client2.example',
		sender => 'bob@client1.example') ],
	    [ 'outbound foreign-sender: another tenant\'s domain is refused',
		foreign_for('client1.example'), outbound(
		'anna@client1.example', $OUTSIDE, sender =>
		'bob@client2.example') ],
	    [ 'outbound foreign-sender: a domain of nobody is refused',
		foreign_for('client1.example'), outbound(
		'anna@client1.example', $OUTSIDE, sender => $STRANGER) ],
	    [ 'outbound foreign-sender: a sender without a domain is refused',
		foreign_for('client1.example'), outbound(
		'anna@client1.example', $OUTSIDE, sender => 'anna') ],
	    [ 'outbound foreign-sender: internal mail, too',
		foreign_for('client1.example'), outbound(
		'anna@client1.example', 'bob@client2.example',
		sender => $STRANGER) ],
	    [ 'outbound foreign-sender: an alias domain is the owner\'s',
		'DUNNO', outbound('anna@client1.example', $OUTSIDE,
		sender => 'anna@client1-shop.example') ],
	    [ 'outbound foreign-sender: a subdomain is the owner\'s',
		'DUNNO', outbound('anna@client1.example', $OUTSIDE,
		sender => 'anna@a.news.client1.example') ],
	    (map { [ "outbound foreign-sender: $_ is nearer to another tenant",
		foreign_for('client1.example'), outbound(
		'anna@client1.example', $OUTSIDE, sender => "anna\@$_") ] }
		'own.client1.example', 'a.own.client1.example'),
	    [ 'outbound foreign-sender: which may use it', 'DUNNO',
		outbound('x@own.client1.example', $OUTSIDE) ],
	    [ 'outbound foreign-sender: a domain that only ends alike is not',
		foreign_for('client1.example'), outbound(
		'anna@client1.example', $OUTSIDE,
		sender => 'anna@notclient1.example') ],
	    [ 'outbound foreign-sender: a null sender is not foreign (U20)',
		'DUNNO', outbound('anna@client1.example', $OUTSIDE,
		sender => '') ],
	    [ 'outbound other-mailbox is permitted', 'DUNNO',
		outbound('anna@client1.example', $OUTSIDE,
		sender => 'bob@client1.example') ],
	    [ 'outbound no-tls is permitted', 'DUNNO',
		outbound('anna@client1.example', $OUTSIDE,
		encryption_protocol => '') ],
	    [ 'outbound no-login is permitted', 'DUNNO',
		network('anna@client1.example', $OUTSIDE) ],
	    [ 'inbound no-rdns is permitted', 'DUNNO',
		inbound($STRANGER, 'bob@client2.example',
		reverse_client_name => 'unknown', client_name => 'unknown') ],
	    [ 'inbound bad-helo is permitted', 'DUNNO',
		inbound($STRANGER, 'bob@client2.example',
		helo_name => 'localhost') ],
	    [ 'inbound null-sender is permitted (U20)', 'DUNNO',
		inbound('', 'bob@client2.example') ],
	    [ 'relay any is refused', $RELAYING,
		inbound($STRANGER, $OUTSIDE) ],
	    [ 'the answer to what may pass is DUNNO, never OK (B10)', 'DUNNO',
		inbound($STRANGER, 'bob@client2.example') ]);
};
is($policyd->stop(), '', 'policyd stops cleanly');

# Each condition: in which direction, what makes it hold for a tenant DOMAIN,
# what not, and what who is refused is told
my %conditions = (
	'own-sender' => [ 'inbound',
	    sub { inbound("a\@$_[0]", "b\@$_[0]") },
	    sub { inbound($STRANGER, "b\@$_[0]") },
	    'mail from this sender\'s domain needs a login' ],
	'foreign-sender' => [ 'outbound',
	    sub { outbound("a\@$_[0]", $OUTSIDE, sender => $STRANGER) },
	    sub { outbound("a\@$_[0]", $OUTSIDE) },
	    'this login may not send from that domain' ],
	'other-mailbox' => [ 'outbound',
	    sub { outbound("a\@$_[0]", $OUTSIDE, sender => "b\@$_[0]") },
	    sub { outbound("A+x\@$_[0]", $OUTSIDE, sender => "a+y\@$_[0]") },
	    'this login may not send as another mailbox' ],
	'no-tls' => [ 'outbound',
	    sub { outbound("a\@$_[0]", $OUTSIDE, encryption_protocol => '') },
	    sub { outbound("a\@$_[0]", $OUTSIDE) },
	    'sending needs an encrypted connection' ],
	'no-login' => [ 'outbound',
	    sub { network("a\@$_[0]", $OUTSIDE) },
	    sub { network("a\@$_[0]", $OUTSIDE,
		sasl_username => "a\@$_[0]") },
	    'sending needs a login' ],
	'no-rdns' => [ 'inbound',
	    sub { inbound($STRANGER, "b\@$_[0]",
		reverse_client_name => 'unknown') },
	    sub { inbound($STRANGER, "b\@$_[0]", client_name => 'unknown') },
	    'your address has no reverse DNS name' ],
	'bad-helo' => [ 'inbound',
	    sub { inbound($STRANGER, "b\@$_[0]", helo_name => 'localhost') },
	    sub { inbound($STRANGER, "b\@$_[0]", helo_name => 'a.b.example') },
	    'your HELO is neither a full host name nor your address' ],
	'null-sender' => [ 'inbound',
	    sub { inbound('', "b\@$_[0]") },
	    sub { inbound($STRANGER, "b\@$_[0]") },
	    'no mail from the null sender' ],
	'any' => [ 'inbound',
	    sub { inbound($STRANGER, "b\@$_[0]") },
	    sub { outbound("a\@$_[0]", $OUTSIDE) },
	    'not accepted here' ],
);

# Each action, and the reply where the tenant is told TEXT
my %actions = (
	permit => sub { 'DUNNO' },
	warn => sub { "WARN $_[0]" },
	'prepend X-Seen: by postern' => sub { 'PREPEND X-Seen: by postern' },
	'filter smtp:[scan.example]:10025' =>
	    sub { 'FILTER smtp:[scan.example]:10025' },
	'redirect box@archive.example' =>
	    sub { 'REDIRECT box@archive.example' },
	hold => sub { "HOLD $_[0]" },
	defer => sub { "451 4.7.1 $_[0]" },
	reject => sub { "550 5.7.1 $_[0]" },
);
my $WHOLE_MESSAGE = qr/^(prepend|filter|redirect|hold)\b/;

sub
domain_of
{
	my ($condition, $action) = @_;

	return "$condition-" . ($action =~ s/ .*//r) . '.example';
}

# Two conditions at once, each harsher than the next
my @by_harshness = ('reject', 'defer', 'hold', 'redirect box@archive.example',
    'filter smtp:[scan.example]:10025', 'prepend X-Seen: by postern', 'warn',
    'permit');

$policyd = Postern->start(conf => \%conf, ldif => template('global') .
    join('', map {
	my ($condition, $direction) = ($_, $conditions{$_}[0]);
	map { tenant(domain_of($condition, $_), DirectionRule =>
	    "$direction $condition $_") } keys(%actions)
    } keys(%conditions)) .
    join('', map {
	tenant("harsher-$_.example", DirectionRule => [
	    "outbound no-tls $by_harshness[$_ - 1]",
	    "outbound other-mailbox $by_harshness[$_]" ])
    } 1 .. $#by_harshness));

for my $condition (sort(keys(%conditions))) {
	my ($direction, $holds, $holds_not, $text) = @{$conditions{$condition}};

	subtest "$direction $condition, with each action" => sub {
		for my $action (sort(keys(%actions))) {
			my $domain = domain_of($condition, $action);
			my $reply = $actions{$action}->(
			    "$domain: $text ($condition)");
			my $at_data = $direction eq 'inbound' &&
			    $action =~ $WHOLE_MESSAGE;

			is_deeply(at_rcpt_and_data($holds->($domain)),
			    $at_data ? [ 'DUNNO', $reply ] :
			    [ $reply, 'DUNNO' ], $at_data ?
			    "$action: given at DATA, when all recipients " .
			    'are known' : "$action: given at RCPT");
			is_deeply(at_rcpt_and_data($holds_not->($domain)),
			    [ 'DUNNO', 'DUNNO' ],
			    "$action: not where the condition does not hold");
		}
	};
}

subtest 'of two conditions the harsher action wins' => sub {
	for my $i (1 .. $#by_harshness) {
		my ($harsh, $mild) = map { s/ .*//r } @by_harshness[$i - 1, $i];
		my $domain = "harsher-$i.example";

		is($policyd->ask(outbound("a\@$domain", $OUTSIDE,
		    sender => "b\@$domain", encryption_protocol => '')),
		    $actions{$by_harshness[$i - 1]}->("$domain: sending " .
		    'needs an encrypted connection (no-tls)'),
		    "$harsh before $mild");
	}
};

subtest 'conditions in detail' => sub {
	my $sent = 'DUNNO';
	my $helo = qr/^451 4\.7\.1 .*\(bad-helo\)$/;
	my @bad_helo = inbound($STRANGER, 'b@bad-helo-defer.example');
	my @other = outbound('a@other-mailbox-defer.example', $OUTSIDE);
	my @login = outbound('a@no-login-defer.example', $OUTSIDE);

	replies_are(
	    [ 'bad-helo: a name without a dot', $helo, @bad_helo,
		helo_name => 'mail' ],
	    [ 'bad-helo: an address without brackets', $helo, @bad_helo,
		helo_name => '192.0.2.7' ],
	    [ 'bad-helo: the literal of another address', $helo, @bad_helo,
		helo_name => '[192.0.2.8]' ],
	    [ 'bad-helo: characters that no name has', $helo, @bad_helo,
		helo_name => 'a b.example' ],
	    [ 'bad-helo: no HELO at all', $helo, @bad_helo, helo_name => '' ],
	    [ 'bad-helo: not the client\'s own literal', $sent, @bad_helo,
		helo_name => '[192.0.2.7]' ],
	    [ 'bad-helo: not its own IPv6 literal', $sent, @bad_helo,
		client_address => '2001:db8::7',
		helo_name => '[IPv6:2001:db8:0::7]' ],
	    [ 'other-mailbox: not the null sender', $sent, @other,
		sender => '' ],
	    [ 'other-mailbox: not who has no login', $sent,
		network('b@other-mailbox-defer.example', $OUTSIDE) ],
	    [ 'no-login: not a certificate', $sent, @login,
		sasl_username => '', ccert_fingerprint => $PRINT ],
	    [ 'no-tls: not who has no login', $sent,
		network('a@no-tls-defer.example', $OUTSIDE) ],
	    [ 'no-rdns: a name that does not lead back is a name', $sent,
		inbound($STRANGER, 'b@no-rdns-defer.example',
		client_name => 'unknown') ]);
};

subtest 'a header is prepended once' => sub {
	my @same = (instance => 'prepended');
	my @mail = outbound('a@no-tls-prepend.example', $OUTSIDE, @same,
	    encryption_protocol => '');

	is($policyd->ask(@mail), 'PREPEND X-Seen: by postern',
	    'with the first recipient');
	is($policyd->ask(@mail, recipient => 'other@elsewhere.example'),
	    'DUNNO', 'and not with the second');
};
is($policyd->stop(), '', 'policyd stops cleanly');

# Two tenants in one transaction (notes: the cross-tenant hazard)
$policyd = Postern->start(ldif =>
    tenant('holds.example', DirectionRule => 'inbound null-sender hold') .
    tenant('headers.example', DirectionRule => 'inbound any prepend X-A: b') .
    tenant('plain.example') . tenant('other.example'));

subtest 'tenants do not feel each other' => sub {
	my $separately = sub {
		"452 4.5.3 $_[0]: send to this recipient separately, try " .
		    'again at once';
	};
	# Rows of: name, sender, and recipients with their replies
	my @rows = (
	    [ 'who is held is asked to come apart from who came first', '',
		'a@plain.example' => 'DUNNO',
		'b@holds.example' => $separately->('holds.example'),
		DATA => 'DUNNO' ],
	    [ 'who comes after one that is held is asked to, too', '',
		'b@holds.example' => 'DUNNO',
		'a@plain.example' => $separately->('plain.example'),
		DATA => qr/^HOLD holds\.example: / ],
	    [ 'two that both have such a verdict', '',
		'b@holds.example' => 'DUNNO',
		'a@headers.example' => $separately->('headers.example'),
		DATA => qr/^HOLD holds\.example: / ],
	    [ 'two mailboxes of one tenant stay together', '',
		'b@holds.example' => 'DUNNO', 'c@holds.example' => 'DUNNO',
		DATA => qr/^HOLD holds\.example: / ],
	    [ 'two tenants stay together where nobody is held', '',
		'a@plain.example' => 'DUNNO', 'b@other.example' => 'DUNNO',
		DATA => 'DUNNO' ],
	    [ 'and where the rule does not hold for this message', $STRANGER,
		'a@plain.example' => 'DUNNO', 'b@holds.example' => 'DUNNO',
		DATA => 'DUNNO' ],
	    [ 'who is deferred leaves no trace in the message', '',
		'a@plain.example' => 'DUNNO',
		'b@holds.example' => $separately->('holds.example'),
		'c@other.example' => 'DUNNO', DATA => 'DUNNO' ],
	);

	for my $row (@rows) {
		my ($name, $sender, @steps) = @$row;
		my @same = (instance => 'two' . ++$instance,
		    sender => $sender);

		while (my ($who, $expected) = splice(@steps, 0, 2)) {
			my $reply = $policyd->ask(@same, $who eq 'DATA' ?
			    (protocol_state => 'DATA') : (recipient => $who));

			ref($expected) ? like($reply, $expected,
			    "$name: $who") : is($reply, $expected,
			    "$name: $who");
		}
	}
};
is($policyd->stop(), '', 'policyd stops cleanly');

# Rules by distance
$policyd = Postern->start(conf => \%conf, ldif =>
    template('global', DirectionRule => ['outbound no-tls defer',
    'inbound any warn', 'inbound null-sender defer']) .
    template('outer', DirectionRule => 'outbound no-tls hold') .
    template('inner', Template => 'outer',
    DirectionRule => 'outbound other-mailbox defer') .
    template('strict', Template => 'outer',
    DirectionRule => 'outbound no-tls reject') .
    tenant('global.example') .
    tenant('outer.example', Template => 'inner') .
    tenant('inner.example', Template => 'strict') .
    tenant('own.example', Template => 'strict',
    DirectionRule => 'outbound no-tls warn') .
    mailbox('box@own.example', DirectionRule => 'outbound no-tls permit') .
    tenant('bounces.example', DirectionRule => 'inbound null-sender permit') .
    tenant('spoofed.example', DirectionRule => 'inbound own-sender permit') .
    tenant('open.example', DirectionRule => 'outbound foreign-sender permit') .
    tenant('both.example', DirectionRule => ['outbound no-tls reject',
    'internal no-tls permit']) .
    tenant('inside.example', DirectionRule => 'internal any reject') .
    tenant('held.example', DirectionRule => 'internal any hold') .
    tenant('out.example', DirectionRule => 'outbound any reject') .
    tenant('all.example', DirectionRule => ['any any hold',
    'inbound any permit']) .
    tenant('lax.example', DirectionRule => ['any own-sender permit',
    'any foreign-sender permit', 'any no-tls reject']));

subtest 'the nearer rule replaces the farther one' => sub {
	my $plain = sub { outbound($_[0], $OUTSIDE,
	    encryption_protocol => '') };

	replies_are(
	    [ 'global beside what is built in', qr/^451 .*\(no-tls\)$/,
		$plain->('a@global.example') ],
	    [ 'a template of the template beside global',
		qr/^HOLD .*\(no-tls\)$/, $plain->('a@outer.example') ],
	    [ 'a template beside its template', qr/^550 .*\(no-tls\)$/,
		$plain->('a@inner.example') ],
	    [ 'the tenant beside its template', qr/^WARN .*\(no-tls\)$/,
		$plain->('a@own.example') ],
	    [ 'the mailbox beside its tenant', 'DUNNO',
		$plain->('box@own.example') ],
	    [ 'and another condition of the template still stands',
		qr/^451 .*\(other-mailbox\)$/, outbound('a@outer.example',
		$OUTSIDE, sender => 'b@outer.example') ],
	    [ 'only the same condition is replaced', qr/^WARN .*\(any\)$/,
		inbound('', 'b@bounces.example') ],
	    [ 'the built-in own-sender by the recipient\'s tenant', qr/^WARN/,
		inbound('a@spoofed.example', 'b@spoofed.example') ],
	    [ 'but for that tenant\'s mail only', qr/^550 .*\(own-sender\)$/,
		inbound('a@spoofed.example', 'b@global.example') ],
	    [ 'the built-in foreign-sender by the owner', 'DUNNO',
		outbound('a@open.example', $OUTSIDE, sender => $STRANGER) ]);
};

subtest 'outbound includes internal unless internal is named' => sub {
	replies_are(
	    [ 'an outbound rule holds for internal mail', qr/^550 .*\(any\)$/,
		outbound('a@out.example', 'b@global.example') ],
	    [ 'an internal rule takes its place there', 'DUNNO',
		outbound('a@both.example', 'b@global.example',
		encryption_protocol => '') ],
	    [ 'and not outside', qr/^550 .*\(no-tls\)$/,
		outbound('a@both.example', $OUTSIDE,
		encryption_protocol => '') ],
	    [ 'an internal rule holds for internal mail', qr/^550 .*\(any\)$/,
		outbound('a@inside.example', 'b@inside.example') ],
	    [ 'an internal hold is given at RCPT', qr/^HOLD /,
		outbound('a@held.example', 'b@global.example') ],
	    [ 'and not for outbound mail', 'DUNNO',
		outbound('a@inside.example', $OUTSIDE) ],
	    [ 'and not for inbound mail', qr/^WARN /,
		inbound($STRANGER, 'b@inside.example') ]);
};

subtest 'a rule for any direction' => sub {
	replies_are(
	    [ 'holds where none names the direction', qr/^HOLD /,
		outbound('a@all.example', $OUTSIDE) ],
	    [ 'also within', qr/^HOLD /,
		outbound('a@all.example', 'b@global.example') ],
	    [ 'not where one beside it names the direction', 'DUNNO',
		inbound($STRANGER, 'b@all.example') ],
	    [ 'can be harsher than what is built in', qr/^550 .*\(no-tls\)$/,
		outbound('a@lax.example', $OUTSIDE,
		encryption_protocol => '') ],
	    [ 'does not replace inbound own-sender', qr/^550 .*\(own-sender/,
		inbound('a@lax.example', 'b@lax.example') ],
	    [ 'does not replace outbound foreign-sender',
		qr/^550 .*\(foreign-sender\)$/, outbound('a@lax.example',
		$OUTSIDE, sender => $STRANGER) ]);
};
is($policyd->stop(), '', 'policyd stops cleanly');

# Relayed mail has no tenant: what global says of it
for my $row ([ 'relay any permit', 'DUNNO' ], [ 'relay any warn', qr/^WARN / ],
    [ 'relay any defer', qr/^451 4\.7\.1 relaying denied: / ],
    [ 'relay any hold', qr/^HOLD relaying denied: / ],
    [ 'relay no-rdns permit', $RELAYING ],
    [ 'any any permit', $RELAYING ], [ 'any any warn', $RELAYING ],
    [ 'any any prepend X-A: b', $RELAYING ],
    [ 'outbound any permit', $RELAYING ]) {
	my ($rule, $expected) = @$row;

	$policyd = Postern->start(ldif => tenant('client1.example') .
	    template('global', DirectionRule => $rule));
	replies_are([ "global says \"$rule\": what becomes of relaying",
	    $expected, inbound($STRANGER, $OUTSIDE) ]);
	$policyd->stop();
}

# A newsletter service sends as its customer, from outside
$policyd = Postern->start(ldif =>
    template('global', Allow => 'client 198.51.100.99') .
    template('service', Allow => 'client 198.51.100.64/28') .
    tenant('customer.example', Template => 'service', Allow => [
    'client 198.51.100.0/28', 'client *.news.example',
    'client 198.51.100.32 outbound',
    'client 198.51.100.33 any expires=2020-01-31',
    'sender @customer.example', 'helo mail.sender.example' ],
    Block => 'client 198.51.100.34') .
    tenant('other.example') .
    tenant('wants-it.example', Allow => 'client 192.0.2.0/24'));

subtest 'a client that the sender\'s tenant allows may use its domain' => sub {
	my $news = sub { inbound('news@customer.example', 'b@other.example',
	    client_address => $_[0]) };
	my $refused = spoofed_for('other.example');

	replies_are(
	    [ 'by its network', 'DUNNO', $news->('198.51.100.3') ],
	    [ 'by its confirmed name', 'DUNNO', $news->('192.0.2.9'),
		client_name => 'mx3.news.example' ],
	    [ 'by a template of that tenant', 'DUNNO',
		$news->('198.51.100.70') ],
	    [ 'by global', 'DUNNO', $news->('198.51.100.99') ],
	    [ 'not another client', $refused, $news->('192.0.2.9') ],
	    [ 'not by an unconfirmed name', $refused, $news->('192.0.2.9'),
		client_name => 'unknown',
		reverse_client_name => 'mx3.news.example' ],
	    [ 'not where the line is for another direction', $refused,
		$news->('198.51.100.32') ],
	    [ 'not by a line that has expired', $refused,
		$news->('198.51.100.33') ],
	    [ 'not by a block line', $refused, $news->('198.51.100.34') ],
	    [ 'not by a sender or helo line: both can be claimed', $refused,
		$news->('192.0.2.9'), helo_name => 'mail.sender.example' ],
	    [ 'not as another tenant', $refused, $news->('198.51.100.3'),
		sender => 'news@other.example' ],
	    [ 'not by the recipient\'s tenant',
		spoofed_for('wants-it.example'),
		inbound('news@customer.example', 'b@wants-it.example') ]);
};
is($policyd->stop(), '', 'policyd stops cleanly');
done_testing();
