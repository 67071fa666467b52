#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 43-limits.t - rate limits (DESIGN section 3): whose counter, what is counted,
# for how long, and what is answered. The window's arithmetic alone is proved
# in t/unit/limits_property.c. Bn and Un are the bugs and wishes of operators
# that a test answers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(inbound outbound);
use PosternLdif qw(adopt mailbox template tenant);
use Test::More;
use Time::HiRes qw(time);

my $OUTSIDE = 'friend@elsewhere.example';
my $STRANGER = 'someone@stranger.example';
my %conf = (trusted_networks => ['10.0.0.0/8']);
my $policyd;
my $instance = 0;

# A policyd of these entries for a subtest, which must end well
sub
with
{
	my ($name, $ldif, $test, %options) = @_;

	subtest $name => sub {
		$policyd = Postern->start(ldif => $ldif,
		    conf => { %conf, %options });
		$test->();
		is($policyd->stop(), '', 'policyd stops cleanly');
	};
}

# The clock to this many seconds behind a whole multiple of a window
sub
align
{
	my ($window_secs, $behind_secs) = @_;
	my $now_ms = int(time() * 1000) + 400 * 86400_000;
	my $window_ms = $window_secs * 1000;

	$policyd->set_clock($now_ms - $now_ms % $window_ms +
	    $window_ms + $behind_secs * 1000 - int(time() * 1000));
}

sub
passes
{
	my ($name, @attributes) = @_;

	is($policyd->ask(@attributes), 'DUNNO', $name);
}

sub
is_refused
{
	my ($name, $pattern, @attributes) = @_;

	like($policyd->ask(@attributes), $pattern, $name);
}

# So many requests pass, and the next one does not
sub
passes_only
{
	my ($count, $name, @attributes) = @_;
	my $passed = 0;

	while ($passed <= $count &&
	    $policyd->ask(@attributes) eq 'DUNNO') {
		$passed++;
	}
	is($passed, $count, $name);
}

# One message to several recipients: the replies at RCPT, and where size is
# given, the one at END-OF-MESSAGE
sub
message
{
	my ($sender, $recipients, %more) = @_;
	my $size = delete($more{size});
	my @same = (outbound($sender, ''), instance => 'm' . ++$instance,
	    %more);
	my @replies = map { $policyd->ask(@same, recipient => $_) }
	    @$recipients;
	my $passed = grep { $_ eq 'DUNNO' } @replies;

	push(@replies, $policyd->ask(@same, protocol_state => 'END-OF-MESSAGE',
	    recipient => $passed == 1 ? $recipients->[0] : '',
	    recipient_count => $passed, size => $size)) if defined($size);
	return \@replies;
}

sub
recipients
{
	my ($count) = @_;

	return [ map { "r$_\@elsewhere.example" } 1 .. $count ];
}

# A client's message to one of ours
sub
from_client
{
	my ($address, $recipient, @more) = @_;

	return inbound($STRANGER, $recipient, client_address => $address,
	    @more);
}

my $HOURLY = 'hourly outbound mailbox recipients 2/1h';
my $OVER_HOURLY = qr/^451 4\.7\.1 \S+: limit hourly \(2 recipients per 1h\)/;

with('the reply that an operator reads', tenant('client1.example',
    RateLimit => 'hourly outbound mailbox recipients 50/1h'), sub {
	my @mail = outbound('anna@client1.example', $OUTSIDE);

	align(3600, 1);
	passes_only(50, 'fifty in an hour pass', @mail);
	$policyd->set_clock($policyd->{offset_ms} + 3110_000);
	is($policyd->ask(@mail), '451 4.7.1 client1.example: limit hourly ' .
	    '(50 recipients per 1h) reached, try again in 12m',
	    'word for word as it is documented');
	my ($line) = reverse(split(/\n/, $policyd->log()));
	like($line, qr/ verdict=defer rule=limit:hourly dir=outbound /,
	    'the log names the limit');
	like($line, qr/ tenant=client1\.example .* count=51\/50 /,
	    'and the tenant, and the count');
	like($line, qr/ dn="dc=client1\.example,dc=postern,dc=example"/,
	    'and the entry that says so');
});

with('SUBJECT: whose counter it is', join('', map {
    tenant("$_.example", associatedDomain => "$_-alias.example", RateLimit =>
    "l any $_ messages 2/1h") } qw(domain mailbox client sender recipient)) .
    tenant('again.example', RateLimit => 'l any client messages 2/1h') .
    mailbox('many@mailbox.example', mail => ['names@mailbox.example',
    'many@mailbox-alias.example']), sub {
	my $next;

	# domain
	passes_only(2, 'domain: the whole tenant has one',
	    outbound('a@domain.example', $OUTSIDE));
	for $next ('b@domain.example', 'a@domain-alias.example') {
		is_refused("domain: $next is of that tenant, too (U5)",
		    qr/^451 .* limit l /, outbound($next, $OUTSIDE));
	}
	is_refused('domain: mail that comes in counts with it, as "any" says',
	    qr/^451 .* limit l /, inbound($STRANGER, 'c@domain.example'));

	# mailbox
	passes_only(2, 'mailbox: each has its own',
	    outbound('a@mailbox.example', $OUTSIDE));
	passes_only(2, 'mailbox: another one has another (U5)',
	    outbound('b@mailbox.example', $OUTSIDE));
	for $next ('A@Mailbox.Example', 'a+news@mailbox.example') {
		is_refused("mailbox: $next is the same (U4)",
		    qr/^451 .* limit l /, outbound($next, $OUTSIDE));
	}
	is_refused('mailbox: the login counts, not the sender', qr/^451 /,
	    outbound('a@mailbox.example', $OUTSIDE,
	    sender => 'fresh@mailbox.example'));
	passes_only(2, 'mailbox: one entry',
	    outbound('many@mailbox.example', $OUTSIDE));
	for $next ('names@mailbox.example', 'many@mailbox-alias.example') {
		is_refused("mailbox: $next is an address of that entry (U4)",
		    qr/^451 .* limit l /, outbound($next, $OUTSIDE));
	}
	passes_only(2, 'mailbox: for mail that comes in, the recipient',
	    inbound($STRANGER, 'in@mailbox.example'));
	is_refused('mailbox: and its extension (U4)', qr/^451 /,
	    inbound($STRANGER, 'in+x@mailbox.example'));

	# client
	passes_only(2, 'client: an IPv4 address has its own',
	    from_client('192.0.2.7', 'a@client.example'));
	passes('client: the address beside it has another',
	    from_client('192.0.2.8', 'a@client.example'));
	is_refused('client: whichever mailbox it asks for', qr/^451 /,
	    from_client('192.0.2.7', 'b@client.example'));
	passes_only(2, 'client: each tenant counts it on its own',
	    from_client('192.0.2.7', 'a@again.example'));
	passes_only(2, 'client: an IPv6 address stands for its /64 (U13)',
	    from_client('2001:db8:0:1::7', 'a@client.example'));
	is_refused('client: another address of that /64 (U13)', qr/^451 /,
	    from_client('2001:db8:0:1:ffff::1', 'a@client.example'));
	passes('client: the next /64 has another (U13)',
	    from_client('2001:db8:0:2::7', 'a@client.example'));

	# sender
	passes_only(2, 'sender: each has its own',
	    inbound($STRANGER, 'a@sender.example'));
	is_refused('sender: upper and lower case are one', qr/^451 /,
	    inbound(uc($STRANGER), 'b@sender.example'));
	passes('sender: another one has another',
	    inbound('x@stranger.example', 'a@sender.example'));
	passes_only(2, 'sender: the null sender is one of them (U20)',
	    inbound('', 'a@sender.example'));

	# recipient
	passes_only(2, 'recipient: each has its own',
	    outbound('a@recipient.example', $OUTSIDE));
	is_refused('recipient: whoever sends to it', qr/^451 /,
	    outbound('b@recipient.example', $OUTSIDE));
	passes('recipient: another one has another',
	    outbound('a@recipient.example', 'x@elsewhere.example'));
	passes_only(2, 'recipient: of ours, one mailbox',
	    inbound($STRANGER, 'a@recipient.example'));
	is_refused('recipient: with any extension (U4)', qr/^451 /,
	    inbound($STRANGER, 'a+x@recipient.example'));
	passes('recipient: what a stranger\'s extension means is not known',
	    outbound('a@recipient.example', 'friend+x@elsewhere.example'));
});

with('addresses that begin alike are not one (B8, B11)',
    tenant('client1.example', RateLimit =>
    [ 'a inbound sender messages 1/1h', 'b inbound recipient messages 1k/1h' ]),
    sub {
	my $long = 'x' x 300;

	passes('300 characters', inbound("${long}1\@stranger.example",
	    'a@client1.example'));
	passes('and another that differs in the 301st',
	    inbound("${long}2\@stranger.example", 'a@client1.example'));
	is_refused('the first again', qr/^451 .* limit a /, inbound(
	    "${long}1\@stranger.example", 'a@client1.example'));
});

with('UNIT: what is counted', join('', map {
    tenant("$_->[0].example", RateLimit =>
    "l outbound mailbox $_->[0] $_->[1]/1h") } [ messages => 2 ],
    [ recipients => 4 ], [ bytes => '10k' ]), sub {
	is_deeply(message('a@messages.example', recipients(11)),
	    [ ('DUNNO') x 11 ], 'messages: one with 11 recipients is one (U2)');
	passes('messages: the second',
	    outbound('a@messages.example', $OUTSIDE));
	is_refused('messages: the third',
	    qr/^451 4\.7\.1 \S+: limit l \(2 messages per 1h\) reached, /,
	    outbound('a@messages.example', $OUTSIDE));

	is_deeply(message('a@recipients.example', recipients(3)),
	    [ ('DUNNO') x 3 ], 'recipients: one message to 3');
	my $replies = message('a@recipients.example', recipients(2));
	is($replies->[0], 'DUNNO', 'recipients: the fourth');
	like($replies->[1],
	    qr/^451 4\.7\.1 \S+: limit l \(4 recipients per 1h\) reached, /,
	    'recipients: the fifth, of the next message (U2)');

	is_deeply(message('a@bytes.example', recipients(5), size => 6000),
	    [ ('DUNNO') x 6 ], 'bytes: once a message, not per recipient');
	is_deeply(message('a@bytes.example', recipients(1), size => 4000),
	    [ ('DUNNO') x 2 ], 'bytes: exactly the count fits (B14)');
	like(message('a@bytes.example', recipients(1), size => 1)->[1],
	    qr/^451 4\.7\.1 \S+: limit l \(10k bytes per 1h\) reached, /,
	    'bytes: one more does not (B14)');
});

my %seconds = ('90s' => 90, '5m' => 300, '1h' => 3600, '1d' => 86400,
    '1w' => 7 * 86400);

with('WINDOW: for how long', join('', map {
    tenant("w$_.example", RateLimit => "l outbound mailbox messages 3/$_")
    } keys(%seconds)), sub {
	for my $window (sort { $seconds{$a} <=> $seconds{$b} }
	    keys(%seconds)) {
		my $secs = $seconds{$window};
		my @mail = outbound("a\@w$window.example", $OUTSIDE);

		align($secs, $secs / 2);
		passes_only(3, "$window: three pass", @mail);
		$policyd->advance(($secs - 3) . 's');
		is_refused("$window: nearly a window later it still counts",
		    qr/^451 .*\(3 messages per $window\)/, @mail);
		$policyd->advance(int($secs / 16 + 4) . 's');
		passes_only(3, "$window: a sixteenth after it all is free",
		    @mail);
	}
});

with('WINDOW message: a cap on one message', tenant('client1.example',
    RateLimit => [ 'fanout outbound mailbox recipients 3/message reject',
    'size outbound mailbox bytes 1k/message reject' ]) .
    tenant('client2.example', RateLimit =>
    'fanout outbound mailbox recipients 3/message'), sub {
	my $replies = message('a@client1.example', recipients(4));

	is_deeply([ @$replies[0 .. 2] ], [ ('DUNNO') x 3 ],
	    'three recipients pass');
	is($replies->[3], '550 5.7.1 client1.example: limit fanout ' .
	    '(3 recipients per message) reached', 'and the fourth does not');
	is_deeply(message('a@client1.example', recipients(3)),
	    [ ('DUNNO') x 3 ], 'the next message starts from nothing (U6)');
	like(message('a@client2.example', recipients(4))->[3],
	    qr/^451 4\.7\.1 client2\.example: limit fanout /,
	    'with defer the fourth comes back in a message of its own');
	is_refused('a size that is claimed too large is refused at RCPT',
	    qr/^550 5\.7\.1 client1\.example: limit size \(1000 bytes per message\)/,
	    outbound('a@client1.example', $OUTSIDE, size => 1001));
	is_deeply(message('a@client1.example', recipients(2), size => 1000),
	    [ ('DUNNO') x 3 ], 'the size that is allowed passes');
	like(message('a@client1.example', recipients(2), size => 1001)->[2],
	    qr/^550 5\.7\.1 client1\.example: limit size /,
	    'a size that was not claimed is refused at the end');
});

my $REACHED = qr/act\S+: limit l \(1 messages per 1h\) reached, try again in /;
my @ACTIONS = ([ defer => qr/^451 4\.7\.1 $REACHED/ ],
    [ reject => qr/^550 5\.7\.1 $REACHED/ ], [ hold => qr/^HOLD $REACHED/ ],
    [ warn => qr/^WARN $REACHED/ ]);

with('ACTION: what is answered', tenant('act.example', RateLimit =>
    'l outbound mailbox messages 1/1h') . join('', map {
    tenant("act-$_->[0].example", RateLimit => [
    "l outbound mailbox messages 1/1h $_->[0]",
    "l2 inbound mailbox messages 1/1h $_->[0]" ]) } @ACTIONS) .
    tenant('other.example'), sub {
	passes_only(1, 'no action: one passes',
	    outbound('a@act.example', $OUTSIDE));
	is_refused('no action: defer', $ACTIONS[0][1],
	    outbound('a@act.example', $OUTSIDE));
	for my $row (@ACTIONS) {
		my ($action, $reply) = @$row;
		my @mail = outbound("a\@act-$action.example", $OUTSIDE);
		my @in = inbound($STRANGER, "b\@act-$action.example");

		passes("$action: the first passes", @mail);
		is_refused("$action: the second (U11)", $reply, @mail);
		is_refused("$action: and the third", $reply, @mail);
		passes("$action: the first that comes in passes", @in);
		next if $action eq 'hold';
		is_refused("$action: the second that comes in",
		    qr/^(451 4\.7\.1|550 5\.7\.1|WARN) .* limit l2 /, @in);
	}
	my @held = inbound($STRANGER, 'b@act-hold.example',
	    instance => 'held');
	passes('hold: the second that comes in passes at RCPT', @held);
	like($policyd->ask(@held, recipient => 'c@other.example'),
	    qr/^452 4\.5\.3 other\.example: /,
	    'hold: another tenant\'s recipient comes on its own');
	like($policyd->ask(@held, protocol_state => 'DATA'),
	    qr/^HOLD act-hold\.example: limit l2 /,
	    'hold: and is held at DATA');
	like($policyd->log(), qr/ verdict=hold rule=limit:l2 dir=inbound tenant=act-hold\.example state=DATA /,
	    'hold: which is logged with the tenant that it is for');
	@held = inbound($STRANGER, 'c@other.example', instance => 'held2');
	passes('hold: another tenant\'s recipient first', @held);
	is_refused('hold: then the one to hold comes on its own',
	    qr/^452 4\.5\.3 act-hold\.example: /, @held,
	    recipient => 'b@act-hold.example');
});

with('DIRECTION: which mail is counted', join('', map {
    tenant("$_.example", RateLimit => "l $_ domain messages 1/1h")
    } qw(inbound outbound internal any)) .
    tenant('both.example', RateLimit => [ 'out outbound domain messages 1/1h',
    'in internal domain messages 1/1h' ]) .
    tenant('unlike.example', RateLimit => [
    'out outbound domain messages 1/1h',
    'in internal domain recipients 9/1h' ]) .
    tenant('plain.example'), sub {
	my %mail = (
	    inbound => sub { inbound($STRANGER, "a\@$_[0].example") },
	    outbound => sub { outbound("a\@$_[0].example", $OUTSIDE) },
	    internal => sub { outbound("a\@$_[0].example",
		'x@plain.example') },
	);
	my %counts = (inbound => ['inbound'],
	    outbound => ['outbound', 'internal'], internal => ['internal'],
	    any => ['inbound', 'outbound', 'internal']);

	for my $limit (sort(keys(%counts))) {
		for my $mail (sort(keys(%mail))) {
			my $is_counted = grep { $_ eq $mail }
			    @{$counts{$limit}};
			my @mail = $mail{$mail}->($limit);

			$policyd->ask(@mail);
			is_refused("$limit: $mail mail is " .
			    ($is_counted ? '' : 'not ') . 'counted',
			    $is_counted ? qr/^451 / : qr/^DUNNO/, @mail);
		}
	}
	passes('outbound beside internal: outbound mail',
	    $mail{outbound}->('both'));
	passes('outbound beside internal: internal mail counts apart',
	    $mail{internal}->('both'));
	is_refused('outbound beside internal: and has its own limit',
	    qr/ limit in /, $mail{internal}->('both'));
	passes('an internal limit of another unit takes nothing away',
	    $mail{internal}->('unlike'));
	is_refused('so outbound counts internal mail', qr/ limit out /,
	    $mail{internal}->('unlike'));
});

with('DIRECTION relay, from global', template('global',
    DirectionRule => 'relay any permit',
    RateLimit => 'l relay client messages 2/1h'), sub {
	passes_only(2, 'relayed mail is counted', inbound($STRANGER, $OUTSIDE));
	passes('by client', inbound($STRANGER, $OUTSIDE,
	    client_address => '192.0.2.9'));
});

with('tenants are counted apart', template('global', RateLimit => [
    'day outbound domain messages 3/1d', 'net any client messages 6/1d' ]) .
    join('', map { tenant("client$_.example") } 1 .. 3), sub {
	my @same = (client_address => '10.0.0.9');

	passes_only(3, 'one has reached its limit',
	    outbound('a@client1.example', $OUTSIDE, @same));
	passes_only(3, 'another one with the same template has not',
	    outbound('a@client2.example', $OUTSIDE, @same));
	passes('a login sends as the other tenant ...', inbound($STRANGER,
	    'a@client3.example'));
	$policyd->ask(outbound('a@client1.example', $OUTSIDE, @same,
	    sender => 'a@client3.example')) for 1 .. 5;
	passes_only(3, '... and does not use up its limit (B16)',
	    outbound('a@client3.example', $OUTSIDE, @same));
	$policyd->ask(inbound('a@client3.example', 'b@client2.example'))
	    for 1 .. 9;
	passes_only(6, 'spoofed mail from outside uses up nothing (U7)',
	    inbound($STRANGER, 'a@client2.example',
	    client_address => '192.0.2.99'));
});

my $inherited = template('global', RateLimit => [ $HOURLY,
    'day outbound domain recipients 8/1d' ]);

with('what is inherited, changed and turned off', $inherited .
    tenant('client1.example') .
    mailbox('more@client1.example', RateLimit =>
    'HOURLY outbound mailbox recipients 4/1h') .
    mailbox('free@client1.example', RateLimit => 'hourly off') .
    tenant('client2.example', RateLimit => 'day off') .
    mailbox('sly@client2.example', RateLimit => 'hourly off') .
    tenant('client3.example', RateLimit =>
    'day outbound domain recipients 3/1d') .
    mailbox('sly@client3.example', RateLimit => [ 'day off', 'hourly off' ]) .
    mailbox('bad@client3.example', RateLimit =>
    'day outbound domain recipients 1k/1d') .
    tenant('client4.example', RateLimit =>
    'day outbound domain recipients 3/1d') .
    mailbox('odd@client4.example', RateLimit => [ 'hourly off',
    'day outbound mailbox recipients 1/1d' ]) .
    mailbox('trick@client3.example', RateLimit => [ 'hourly off',
    'day outbound mailbox recipients 1k/1d' ]), sub {
	my $sends = sub { outbound("$_[0]\@$_[1].example", $OUTSIDE) };

	passes_only(2, 'from global', $sends->('a', 'client1'));
	passes_only(4, 'the mailbox has its own count under that name',
	    $sends->('more', 'client1'));
	passes_only(2, '"NAME off" at the mailbox: 2 are left of 8 a day (U19)',
	    $sends->('free', 'client1'));
	is_refused('and the tenant\'s limit holds for it',
	    qr/ limit day /, $sends->('free', 'client1'));
	my $sent = grep { $policyd->ask($sends->('sly', 'client2')) eq 'DUNNO' }
	    1 .. 20;
	is($sent, 20, '"NAME off" at the tenant: as many as it likes');
	passes_only(3, 'a mailbox cannot turn off the tenant\'s limit',
	    $sends->('sly', 'client3'));
	is_refused('nor set one of the same name', qr/ limit day \(3 /,
	    $sends->('bad', 'client3'));
	is_refused('nor turn it into one of its own', qr/ limit day \(3 /,
	    $sends->('trick', 'client3'));
	passes_only(3, 'nor a stricter one under that name',
	    $sends->('odd', 'client4'));
	like($policyd->control('/check'), qr/a mailbox cannot have a limit of the whole domain/,
	    'and check reports the attempt');
});

with('more limits than are good for the rest', $inherited .
    tenant('client1.example', RateLimit => [ 'hourly off',
    map { "l$_ outbound mailbox messages 1/1h" } 1 .. 100 ]) .
    tenant('client2.example', RateLimit => [ 'hourly off',
    map { "l$_ outbound mailbox messages 1/1h" } 1 .. 99 ]), sub {
	passes_only(2, 'a hundred and one: what is inherited holds',
	    outbound('a@client1.example', $OUTSIDE));
	like($policyd->control('/check'),
	    qr/"posternRateLimit".*too many values/, 'and check tells why');
	passes_only(1, 'a hundred are in force',
	    outbound('a@client2.example', $OUTSIDE));
});

with('several limits at once (U6)', tenant('client1.example', RateLimit => [
    'hour outbound mailbox recipients 3/1h',
    'day outbound mailbox recipients 5/1d',
    'fanout outbound mailbox recipients 2/message' ]), sub {
	my @mail = outbound('a@client1.example', $OUTSIDE);

	align(86400, 7200);
	my $replies = message('a@client1.example', recipients(3));
	like($replies->[2], qr/^451 .* limit fanout /,
	    'first the cap on one message');
	passes_only(1, 'two of three in this hour were used', @mail);
	is_refused('then the hour', qr/ limit hour /, @mail);
	$policyd->advance('66m');
	passes_only(2, 'an hour later two of five are left of the day (B6)',
	    @mail);
	is_refused('then the day', qr/ limit day /, @mail);
	$policyd->advance('66m');
	is_refused('another hour changes nothing (B14)', qr/ limit day /,
	    @mail);
	$policyd->advance('26h');
	passes_only(3, 'a day later all is free (B14, U8)', @mail);
});

my @TWO = ('wide outbound mailbox messages 5/1h',
    'narrow outbound mailbox messages 2/1h');

with('what is refused is charged nowhere (B2, U3)', tenant('client1.example',
    RateLimit => \@TWO), sub {
	my @mail = outbound('a@client1.example', $OUTSIDE);

	align(3600, 10);
	passes_only(2, 'the narrow limit lets two pass', @mail);
	is_refused("attempt $_ is refused", qr/ limit narrow /, @mail)
	    for 1 .. 20;
	adopt($policyd, tenant('client1.example',
	    RateLimit => $TWO[0]));
	passes_only(3, 'of the wide one only those two were used', @mail);
	$policyd->advance('64m');
	passes_only(5, 'who kept trying is free when the hour is over', @mail);
});

sub
soft_and_hard
{
	my ($action) = @_;

	return tenant("$action.example", RateLimit => [
	    "soft outbound mailbox messages 2/1h $action",
	    'hard outbound mailbox messages 5/1h' ]);
}

with('warn and hold keep nobody else from being charged',
    soft_and_hard('warn') . soft_and_hard('hold'), sub {
	for my $action (qw(warn hold)) {
		my @mail = outbound("a\@$action.example", $OUTSIDE);
		my @replies = map { $policyd->ask(@mail) } 1 .. 6;

		is("@replies[0, 1]", 'DUNNO DUNNO', "$action: two pass");
		is(scalar(grep { /^\U$action\E .* limit soft / }
		    @replies[2 .. 4]), 3, "$action: three more are noted");
		like($replies[5], qr/^451 .* limit hard /,
		    "$action: and the hard limit has counted all five");
	}
	adopt($policyd, join('', map { tenant("$_.example", RateLimit =>
	    'soft outbound mailbox messages 6/1h reject') } qw(warn hold)));
	for my $action (qw(warn hold)) {
		passes_only(1, "$action: it was charged past its count, " .
		    'but not what the hard limit refused',
		    outbound("a\@$action.example", $OUTSIDE));
	}
});

sub
edited
{
	my ($name, $first, $second, $left) = @_;

	adopt($policyd, tenant('client1.example',
	    RateLimit => $first));
	$policyd->advance('3d');
	my @mail = outbound('a@client1.example', $OUTSIDE);

	$policyd->ask(@mail) for 1 .. 3;
	adopt($policyd, tenant('client1.example',
	    RateLimit => $second));
	my $passed = 0;
	while ($passed < 20 && $policyd->ask(@mail) eq 'DUNNO') {
		$passed++;
	}
	is($passed, $left, $name);
}

with('to edit a limit keeps its count (B7, B13)', tenant('client1.example'),
    sub {
	my $limit = 'l outbound mailbox messages 5/1h';

	edited('a larger COUNT: what was used is used', $limit,
	    'l outbound mailbox messages 9/1h', 6);
	edited('a smaller COUNT: what was used is used', $limit,
	    'l outbound mailbox messages 4/1h', 1);
	edited('a COUNT below what was used', $limit,
	    'l outbound mailbox messages 2/1h', 0);
	edited('another ACTION: what was used is used', $limit,
	    "$limit reject", 2);
	edited('another NAME is another counter', $limit,
	    'm outbound mailbox messages 5/1h', 5);
	edited('another WINDOW is another counter (B6)', $limit,
	    'l outbound mailbox messages 5/2h', 5);
	edited('another SUBJECT is another counter', $limit,
	    'l outbound sender messages 5/1h', 5);
	edited('another UNIT is another counter', $limit,
	    'l outbound mailbox recipients 5/1h', 5);
	edited('another DIRECTION is another counter', $limit,
	    'l any mailbox messages 5/1h', 5);
	unlike($policyd->log(), qr/ahead of the clock/,
	    'none found a counter that was meant for another');
});

with('what alone exceeds COUNT is rejected: it would never fit',
    tenant('client1.example', RateLimit => 'l outbound mailbox bytes 1k/1h') .
    tenant('client2.example', RateLimit =>
    'l outbound mailbox messages 0/1h') .
    tenant('client3.example', RateLimit =>
    'l outbound mailbox bytes 1k/1h warn'), sub {
	is($policyd->ask(outbound('a@client1.example', $OUTSIDE,
	    size => 1001)), '550 5.7.1 client1.example: limit l (1000 bytes ' .
	    'per 1h) reached', 'at RCPT, without a time to come back');
	passes('exactly COUNT fits', outbound('a@client1.example', $OUTSIDE,
	    size => 1000));
	is_refused('what fits alone is deferred', qr/^451 .*try again in /,
	    outbound('a@client1.example', $OUTSIDE, size => 1));
	my @late = outbound('b@client1.example', $OUTSIDE, instance => 'late');
	passes('a claim that is far too small', @late, size => 100);
	is_refused('is found out at the end: rejected', qr/^550 5\.7\.1 /,
	    @late, size => 1001, protocol_state => 'END-OF-MESSAGE');
	is_refused('a COUNT of 0 lets nothing pass', qr/^550 5\.7\.1 /,
	    outbound('a@client2.example', $OUTSIDE));
	is_refused('warn remains warn', qr/^WARN /, outbound(
	    'a@client3.example', $OUTSIDE, size => 1001));
});

with('come back when you are told to', tenant('client1.example', RateLimit =>
    'hourly outbound mailbox recipients 3/1h'), sub {
	my @mail = outbound('a@client1.example', $OUTSIDE);
	my $wait;

	align(3600, 600);
	for (1 .. 3) {
		passes("message $_", @mail);
		$policyd->advance('10m');
	}
	for (1 .. 3) {
		($wait) = $policyd->ask(@mail) =~ /, try again in (\d+[smhd])$/
		    or last;
		my ($count, $unit) = $wait =~ /(\d+)(.)/;

		$policyd->advance(($count - 1) . $unit);
		is_refused("told $wait: one $unit before it is too early",
		    qr/^451 .* try again in (1$unit|\d+s)$/, @mail);
		$policyd->advance("1$unit");
		passes("told $wait: then it passes", @mail);
	}
});

with('no double rate at the edge of a window (B8)', tenant('client1.example',
    RateLimit => 'l outbound mailbox messages 10/1h'), sub {
	my @mail = outbound('a@client1.example', $OUTSIDE);

	align(3600, 3590);
	passes_only(10, 'ten pass at the end of one hour', @mail);
	$policyd->advance('20s');
	is_refused('and none at the beginning of the next', qr/^451 /, @mail);

	# A day of trying, at times that no window knows
	my ($now, @passed) = (0);
	srand(43);
	while ($now < 86400) {
		my $step = 1 + int(rand(600));

		$policyd->advance("${step}s");
		$now += $step;
		push(@passed, $now) if $policyd->ask(@mail) eq 'DUNNO';
	}
	cmp_ok(scalar(@passed), '>', 180, 'in a day of trying many pass');
	my $worst = 0;
	for my $end (@passed) {
		my $in = grep { $_ > $end - 3600 && $_ <= $end } @passed;

		$worst = $in if $in > $worst;
	}
	is($worst, 10, 'and never more than ten in any hour');
});

with('a clock that is set back', tenant('client1.example', RateLimit =>
    'l outbound mailbox messages 2/1h'), sub {
	my @mail = outbound('a@client1.example', $OUTSIDE);

	passes_only(2, 'two pass', @mail);
	$policyd->advance('-30m');
	is_refused('half a window back the limit still holds', qr/^451 /,
	    @mail);
	$policyd->advance('-2h');
	passes_only(2, 'two windows back the record is dropped', @mail);
	like($policyd->log(), qr/ahead of the clock.*tenant=client1\.example/,
	    'and that is logged');
});

with('strangers cannot make a tenant\'s limit forgotten (B18)',
    template('global', RateLimit => [ $HOURLY,
    's inbound sender messages 9/1h' ]) .
    join('', map { tenant("client$_.example") } 1 .. 6), sub {
	my @mail = outbound('a@client1.example', $OUTSIDE);

	passes_only(2, 'a mailbox reaches its limit', @mail);
	for my $recipient (map { "b\@client$_.example" } 1 .. 6) {
		$policyd->ask(inbound("s$_\@stranger.example", $recipient))
		    for 1 .. 400;
	}
	is_refused('and 2400 senders later it is still known', $OVER_HOURLY,
	    @mail);
	my ($records) = $policyd->control('/check') =~ /"records": *(\d+)/;

	is($records, 1000, 'of all counters no more than max_records are kept');
}, counters => { max_records => 1000 });

with('nor can they take the room of all others with one tenant\'s mailboxes',
    tenant('client1.example', RateLimit => 'm inbound mailbox messages 9/1h') .
    tenant('client2.example', RateLimit => $HOURLY), sub {
	$policyd->ask(inbound($STRANGER, "u$_\@client1.example"))
	    for 1 .. 1100;
	passes_only(2, 'after 1100 mailboxes of one another is counted',
	    outbound('a@client2.example', $OUTSIDE));
	like($policyd->log(), qr/counters: a tenant's share is full, .* tenant=client1\.example /,
	    'and the operator hears whose they are');
}, counters => { max_records => 1000 });

with('a messages limit is charged with the first recipient that passes',
    tenant('client1.example', Block => 'recipient @blocked.example',
    RateLimit => 'l outbound domain messages 2/1h') .
    tenant('client2.example', RateLimit => [
    'out outbound domain messages 1/1h', 'in internal domain messages 5/1h' ]),
    sub {
	is(message('a@client1.example', ['x@blocked.example'])->[0],
	    '550 5.7.1 client1.example: blocked by policy (recipient)',
	    'a message whose only recipient is refused');
	my $replies = message('a@client1.example', ['x@blocked.example',
	    @{recipients(2)}]);
	is("@$replies[1, 2]", 'DUNNO DUNNO',
	    'a message whose first recipient is refused');
	passes_only(1, 'was one message, the one before none',
	    outbound('a@client1.example', $OUTSIDE));
	$replies = message('a@client2.example',
	    ['b@client2.example', 'c@client1.example', @{recipients(2)}]);
	is("@$replies", 'DUNNO DUNNO DUNNO DUNNO',
	    'a message to internal recipients, then outside');
	is_refused('was charged outbound with the first to which that applies',
	    qr/^451 .* limit out /, outbound('a@client2.example', $OUTSIDE));
});

with('postmaster among the recipients opens nothing (B4)',
    tenant('client1.example', RateLimit => $HOURLY), sub {
	for my $postmaster ('postmaster@elsewhere.example',
	    'postmaster@client1.example', 'mailer-daemon@client1.example') {
		my $replies = message("a$instance\@client1.example",
		    [ $postmaster, @{recipients(2)} ]);

		is("@$replies[0, 1]", 'DUNNO DUNNO', "$postmaster first");
		like($replies->[2], $OVER_HOURLY,
		    "$postmaster counts, and the rest as well");
	}
});

with('the end charges nothing again', tenant('client1.example', RateLimit =>
    [ 'm outbound mailbox messages 2/1h',
    'r outbound mailbox recipients 6/1h' ]), sub {
	is_deeply(message('a@client1.example', recipients(2), size => 9),
	    [ ('DUNNO') x 3 ], 'a message to two, and its end');
	is_deeply(message('a@client1.example', recipients(4), size => 9),
	    [ ('DUNNO') x 5 ], 'a message to four, and its end');
	is_refused('then two messages are used, and six recipients', qr/^451 /,
	    outbound('a@client1.example', $OUTSIDE));
	passes('the end of a message that nobody knows: no opinion',
	    outbound('a@client1.example', '', recipient_count => 3,
	    protocol_state => 'END-OF-MESSAGE'));
});

with('bytes: what is claimed at RCPT, the difference at the end',
    tenant('client1.example', RateLimit =>
    'volume outbound domain bytes 1k/1h'), sub {
	my $login = 'a@client1.example';
	my $sends = sub {
		my ($claim, $size) = @_;
		my @same = (outbound($login, $OUTSIDE),
		    instance => 'b' . ++$instance);
		my @replies = $policyd->ask(@same, size => $claim);

		push(@replies, $policyd->ask(@same, size => $size,
		    protocol_state => 'END-OF-MESSAGE', recipient_count => 1))
		    if $replies[0] eq 'DUNNO';
		return join(' ', map { /^(DUNNO|\d+)/ } @replies);
	};

	align(3600, 10);
	is($sends->(0, 300), 'DUNNO DUNNO',
	    'no claim: all of it at the end, 300 used');
	is($sends->(701, 701), '451', 'a claim that does not fit');
	is($sends->(200, 200), 'DUNNO DUNNO',
	    'a claim that is true, 500 used');
	is($sends->(100, 300), 'DUNNO DUNNO',
	    'a claim that is too small: the difference, 800 used');
	is($sends->(100, 50), 'DUNNO DUNNO',
	    'a claim that is too large stands, 900 used');
	is($sends->(50, 151), 'DUNNO 451',
	    'a difference that does not fit is refused at the end');
	is($sends->(50, 50), 'DUNNO DUNNO', 'and not charged: 50 are left');
	is($sends->(1, 1), '451', 'then none');
});

with('bytes that come in: each tenant is charged, no tenant is felt',
    join('', map { tenant("client$_.example", RateLimit =>
    'l inbound domain bytes 1k/1h') } 1 .. 2), sub {
	my $sends = sub {
		my ($size, @tenants) = @_;
		my @same = (inbound($STRANGER, ''),
		    instance => 'in' . ++$instance);
		my @replies = map { $policyd->ask(@same, size => 100,
		    recipient => "a\@client$_.example") } @tenants;

		push(@replies, $policyd->ask(@same, size => $size,
		    protocol_state => 'END-OF-MESSAGE',
		    recipient => @tenants > 1 ? '' :
		    "a\@client$tenants[0].example",
		    recipient_count => scalar(@tenants)))
		    if !grep { $_ ne 'DUNNO' } @replies;
		return join(' ', map { /^(DUNNO|WARN|\d+)/ } @replies);
	};

	is($sends->(800, 1), 'DUNNO DUNNO', 'the first tenant has 200 left');
	is($sends->(300, 1, 2), 'DUNNO DUNNO WARN',
	    'what both get is refused to neither at its end');
	like($policyd->log(), qr/ verdict=warn rule=limit:l dir=inbound tenant=client1\.example state=END-OF-MESSAGE /,
	    'and logged with the one whose limit it was');
	is($sends->(300, 1), '451', 'but charged to the first');
	is($sends->(701, 2), 'DUNNO 451', 'and to the second');
	is($sends->(600, 2), 'DUNNO DUNNO',
	    'of a message refused at its end what was claimed is charged');
	is($sends->(1, 2), '451', 'so the second has nothing left');
});

with('a null sender from a trusted network has global\'s limits (U20)',
    template('global', RateLimit => [ 'box outbound mailbox messages 2/1h',
    'all outbound domain messages 5/1h reject' ]) .
    tenant('client1.example'), sub {
	my $bounce = sub { (sender => '', recipient => $OUTSIDE,
	    client_address => $_[0]) };

	passes_only(2, 'by client, which takes the mailbox\'s place',
	    $bounce->('10.0.0.1'));
	is_refused('the reply names no tenant',
	    qr/^451 4\.7\.1 limit box \(2 messages per 1h\) reached, /,
	    $bounce->('10.0.0.1'));
	passes_only(2, 'another client has its own', $bounce->('10.0.0.2'));
	passes_only(1, 'all together have global\'s domain limit',
	    $bounce->('10.0.0.3'));
	is_refused('which then refuses', qr/^550 5\.7\.1 limit all /,
	    $bounce->('10.0.0.4'));
	passes_only(2, 'a tenant is not touched by it',
	    outbound('a@client1.example', $OUTSIDE));
	passes_only(2, 'a tenant\'s own bounces are its own',
	    outbound('b@client1.example', $OUTSIDE, sender => ''));
});

with('a client without a login is counted by its sender (U30)',
    tenant('client1.example', RateLimit => $HOURLY), sub {
	my $sends = sub { (sender => "$_[0]\@client1.example",
	    recipient => $OUTSIDE, client_address => '10.0.0.1') };

	passes_only(2, 'one user of the webmail', $sends->('anna'));
	passes_only(2, 'another one', $sends->('bob'));
});

with('the same request again', tenant('client1.example', RateLimit =>
    'l outbound mailbox recipients 3/1h') . tenant('client2.example',
    RateLimit => 'l inbound mailbox recipients 2/1h') .
    tenant('client3.example', Greylist => 'on'), sub {
	my @mail = outbound('a@client1.example', $OUTSIDE,
	    instance => 'again');

	is($policyd->ask_anew(@mail), 'DUNNO',
	    "time $_ on a new connection: it passes") for 1 .. 5;
	passes('another recipient of the transaction is charged', @mail,
	    recipient => 'x@elsewhere.example');
	passes('another policy_context is another request', @mail,
	    policy_context => 'submission');
	is_refused('so three of three are used', qr/^451 /, @mail,
	    instance => 'other');
	passes('and what passed passes again', @mail);
	is_refused('another server with that instance is another one',
	    qr/^451 /, @mail, server_address => '203.0.113.2');

	my @refused = outbound('a@client1.example', 'y@elsewhere.example',
	    instance => 'refused');
	is_refused('what was refused', qr/^451 /, @refused);
	$policyd->advance('65m');
	passes('is decided afresh', @refused);
	passes('and is charged once only then', @refused);
	passes_only(2, 'so two of three are left',
	    outbound('a@client1.example', $OUTSIDE));

	# (B1): never the instance alone
	my @both = inbound($STRANGER, 'a@client2.example',
	    instance => 'both');
	passes('a recipient of one tenant passes', @both);
	is_refused('one of another tenant in that transaction has its own ' .
	    'verdict (B1)', qr/^DEFER_IF_PERMIT 4\.2\.0 client3\.example: /,
	    @both, recipient => 'a@client3.example');
	passes('a third, and it is charged as well', @both,
	    recipient => 'b@client2.example');
	passes('each at its own', @both, recipient => 'b+x@client2.example');
	is_refused('so its limit is reached', qr/^451 /,
	    inbound($STRANGER, 'b@client2.example'));
});

# --- charge_at = "end-of-message" ---

sub
at_end
{
	my ($name, $ldif, $test) = @_;

	with("charge_at end-of-message: $name", $ldif, $test,
	    charge_at => 'end-of-message');
}

at_end('RCPT only looks', tenant('client1.example', RateLimit => [
    'r outbound mailbox recipients 3/1h', 'm outbound mailbox messages 9/1h' ]),
    sub {
	my $login = 'a@client1.example';

	is_deeply(message($login, recipients(3)), [ ('DUNNO') x 3 ],
	    "message $_ is given up before its end and costs nothing (B2, B5)")
	    for 1 .. 5;
	my $replies = message($login, recipients(4));
	is("@$replies[0 .. 2]", 'DUNNO DUNNO DUNNO', 'three fit');
	like($replies->[3], qr/^451 4\.7\.1 \S+: limit r .*, try again in 64m$/,
	    'the fourth of one message is deferred: alone it would fit');
	is_deeply(message($login, recipients(2), size => 100),
	    [ ('DUNNO') x 3 ], 'two are charged at the end');
	$replies = message($login, recipients(2));
	is($replies->[0], 'DUNNO', 'one more fits');
	like($replies->[1], qr/^451 /, 'the second does not');
});

at_end('the end charges all that passed', tenant('client1.example',
    RateLimit => 'm outbound mailbox messages 2/1h') .
    tenant('client2.example', RateLimit => [
    'b outbound mailbox bytes 1k/1h',
    'size outbound mailbox bytes 900/message reject' ]) .
    tenant('client3.example', RateLimit => 'm internal domain messages 1/1h'),
    sub {
	my $replies;

	is_deeply(message('a@client1.example', recipients(5), size => 1),
	    [ ('DUNNO') x 6 ], "message $_ of two") for 1 .. 2;
	like(message('a@client1.example', recipients(1))->[0],
	    qr/^451 .* limit m /, 'the third');

	$replies = message('a@client2.example', recipients(2), size => 600);
	is("@$replies", 'DUNNO DUNNO DUNNO', '600 bytes, none claimed');
	$replies = message('a@client2.example', recipients(2), size => 401);
	is("@$replies[0, 1]", 'DUNNO DUNNO', '401 bytes more: at RCPT ' .
	    'nobody knows');
	like($replies->[2], qr/^451 .* limit b \(1000 bytes per 1h\)/,
	    '... and at the end they do not fit');
	$replies = message('a@client2.example', recipients(2), size => 400);
	is("@$replies", 'DUNNO DUNNO DUNNO', 'what was refused was not ' .
	    'charged: 400 fit');
	like(message('b@client2.example', recipients(1), size => 901)->[1],
	    qr/^550 .* limit size /, 'a cap on one message');

	$replies = message('a@client3.example', ['b@client3.example'],
	    size => 1);
	is("@$replies", 'DUNNO DUNNO', 'internal mail');
	like(message('a@client3.example', ['b@client3.example'])->[0],
	    qr/^451 .* limit m /, 'is charged as internal mail');
});

at_end('two at once', tenant('client1.example', RateLimit =>
    'r outbound mailbox recipients 3/1h'), sub {
	my @first = outbound('a@client1.example', 'x@elsewhere.example',
	    instance => 'first');
	my @second = outbound('a@client1.example', 'y@elsewhere.example',
	    instance => 'second');
	my @end = (protocol_state => 'END-OF-MESSAGE', recipient => '',
	    recipient_count => 2, size => 1);

	passes('both see room at RCPT', @$_,
	    recipient => "$_->[1]$_->[3]") for \@first, \@second;
	passes('both see room at RCPT', @$_) for \@first, \@second;
	passes('the first is charged', @first, @end);
	is_refused('the second does not fit any more',
	    qr/^451 .* limit r .* try again in /, @second, @end);
	passes('the end of the first again is not charged again', @first,
	    @end) for 1 .. 3;
	passes_only(0, 'so one is left, which a look does not use', @second,
	    @end);
	is_deeply(message('a@client1.example', recipients(1), size => 1),
	    [ ('DUNNO') x 2 ], 'a message to one fits');
	like(message('a@client1.example', recipients(1))->[0], qr/^451 /,
	    'then nothing');
});

at_end('a transaction that policyd has lost', tenant('client1.example',
    RateLimit => [ 'r outbound mailbox recipients 5/1h',
    'm outbound mailbox messages 2/1h' ]) . tenant('client2.example',
    RateLimit => 'in inbound domain messages 1/1h'), sub {
	my @end = (protocol_state => 'END-OF-MESSAGE', size => 1);

	passes('outbound: recipient_count is charged (B17, U22)',
	    outbound('a@client1.example', '', @end, recipient_count => 3));
	is_refused('outbound: and refused', qr/^451 .* limit r /,
	    outbound('a@client1.example', '', @end, recipient_count => 3));
	passes('outbound: two more fit',
	    outbound('a@client1.example', '', @end, recipient_count => 2));
	passes('inbound: no opinion', inbound($STRANGER, 'a@client2.example',
	    @end, recipient_count => 1)) for 1 .. 3;
	passes('inbound: and nothing was charged',
	    inbound($STRANGER, 'a@client2.example'));
});

at_end('inbound mail is charged at RCPT all the same',
    tenant('client1.example', RateLimit =>
    'in inbound domain recipients 5/1h'), sub {
	my $sends = sub {
		my ($sender, @more) = @_;
		my @same = (inbound($sender, ''), @more,
		    instance => 'in' . ++$instance);
		my @replies = map { $policyd->ask(@same,
		    recipient => "$_\@client1.example") } 'a', 'b';

		push(@replies, $policyd->ask(@same, recipient_count => 2,
		    size => 1, protocol_state => 'END-OF-MESSAGE'));
		return "@replies";
	};

	is($sends->($STRANGER), 'DUNNO DUNNO DUNNO', 'two from a stranger');
	is($sends->('', client_address => '10.0.0.1'), 'DUNNO DUNNO DUNNO',
	    'two from a trusted network with a null sender');
	passes_only(1, 'were four of five, each charged once',
	    inbound($STRANGER, 'c@client1.example'));
});
done_testing();
