#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 39-garbage.t - 20,000 random and mutated requests: each is answered exactly
# once or closed upon, and policyd neither dies nor leaks nor loses its clothes.
# GARBAGE_SEED and GARBAGE_COUNT repeat and lengthen it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(shuffle);
use Postern qw(inbound outbound);
use Test::More;

my $SEED = $ENV{GARBAGE_SEED} // 39;
my $COUNT = $ENV{GARBAGE_COUNT} // 20_000;
my $REPLY = qr/(?:DUNNO|(?:WARN|HOLD|FILTER|REDIRECT|PREPEND|45[12]\ 4\.\d\.\d|
    550\ 5\.7\.1|DEFER_IF_PERMIT\ 4\.2\.0)\ [ -~]{1,200})/x;

my $policyd = Postern->start(ldif => <<'END', conf =>
dn: cn=global,dc=postern,dc=example
objectClass: posternTemplate
objectClass: posternPolicy
cn: global
posternGreylist: on
posternGreylistDelay: 1s
posternRateLimit: login outbound mailbox recipients 500/1h
posternRateLimit: volume outbound domain bytes 1M/1h reject
posternRateLimit: size any sender bytes 50k/message reject
posternRateLimit: stranger inbound client messages 100/5m
posternRateLimit: flood inbound recipient recipients 100/1h warn
posternAllow: sender @.friend.example
posternBlock: client 198.51.100.0/24
posternBlock: helo *.bot.example inbound

dn: dc=ours.example,dc=postern,dc=example
objectClass: domain
objectClass: posternDomain
dc: ours.example
associatedDomain: ours.example
associatedDomain: xn--mller-kva.example

dn: dc=other.example,dc=postern,dc=example
objectClass: domain
objectClass: posternDomain
dc: other.example
associatedDomain: other.example
posternDirectionRule: inbound no-rdns hold
posternDirectionRule: inbound bad-helo prepend X-Helo: bad
posternDirectionRule: outbound no-tls warn
END
    { log_level => 'info', trusted_networks => ['10.0.0.0/8'] });

my @values = ('', '=', '<>', '@', '"', '@ours.example', 'a@b@c', 'a' x 1000,
    'a@' . 'b.' x 500, '"a b"@ours.example', "m\xc3\xbcller\@ours.example",
    "a\@m\xc3\xbcller.example", "\xff\xfe", '%s%n%d', '$(id)', '-1', '0',
    '9' x 50, '1e9', '0x10', '18446744073709551616', '::1', 'fe80::1%eth0',
    '1.2.3.4.5', '[192.0.2.1]', '[IPv6:::1]', 'unknown', '198.51.100.7',
    '10.1.2.3', 'x.bot.example', 'a@mail.friend.example', "a\tb", "a\rb",
    'a+b+c@ours.example', '+@ours.example', 'prvs=0123@ours.example',
    "\xe2\x80\xae", 'a@xn--', 'a@' . 'x' x 64 . '.example', '.', '..');

sub
pick
{
	return $_[int(rand(@_))];
}

sub
random_bytes
{
	my ($max) = @_;

	return pack('C*', map { int(rand(256)) } 1 .. int(rand($max)));
}

# What Postfix could have sent
sub
sane
{
	my @login = (pick('a@ours.example', 'b@other.example', 'bare'));

	return Postern::Client::request(
	    rand() < 0.5 ? outbound(@login, pick('x@elsewhere.example',
	    'b@other.example')) : inbound(pick('s@stranger.example', '',
	    'a@ours.example'), pick('a@ours.example', 'b@other.example')),
	    protocol_state => pick('RCPT', 'RCPT', 'RCPT', 'DATA',
	    'END-OF-MESSAGE', 'MAIL', 'ETRN'), size => int(rand(60_000)),
	    instance => 'g' . int(rand(500)));
}

# Each takes a request and gives it back damaged
my @mutations = (
	sub { substr($_[0], 0, rand(length($_[0]))) },		# cut off
	sub { substr($_[0], rand(length($_[0])), 1,
	    chr(int(rand(256)))); $_[0] },			# one byte
	sub { substr($_[0], rand(length($_[0])), 1, "\0"); $_[0] },
	sub { substr($_[0], rand(length($_[0])), 0, "=" x (1 + rand(3)));
	    $_[0] },
	sub { substr($_[0], rand(length($_[0])), 0, "\n"); $_[0] },
	sub { substr($_[0], rand(length($_[0])), 0, random_bytes(50));
	    $_[0] },
	sub { $_[0] =~ s/\n/\r\n/g; $_[0] },
	sub { $_[0] . sane() },					# two of them
	map({ my $change = $_; sub {		# of the lines, not the bytes
	    my @lines = split(/\n/, $_[0]) or return $_[0];
	    join('', map { "$_\n" } $change->(@lines)) . "\n" }
	} (
		sub { splice(@_, rand(@_), 1); @_ },		# one missing
		sub { splice(@_, rand(@_), 5); @_ },		# five missing
		sub { (@_, pick(@_)) },				# one twice
		sub { shuffle(@_) },
		sub { (@_, 'x' . int(rand(9)) . '=' . pick(@values)) },
		sub { my $at = rand(@_);
		    $_[$at] =~ s/=.*/'=' . pick(@values)/e; @_ },
		sub { map { rand() < 0.3 ? s/=.*/'=' . pick(@values)/er : $_ }
		    @_ },
	)),
);

sub
garbage
{
	my $request = sane();

	return random_bytes(2000) if rand() < 0.05;
	return 'helo_name=' . 'x' x pick(60_000, 70_000) . "\n" . sane()
	    if rand() < 0.005;
	$request = pick(@mutations)->($request) for 1 .. 1 + rand(3);
	return $request;
}

# By the protocol's own words: how many replies these bytes get
sub
replies_due
{
	my ($bytes) = @_;
	my $due = 0;

	while ($bytes =~ s/\A(\n|.*?\n\n)//s) {
		my $request = $1;
		my ($first) = $request =~ /^request=(.*)$/m;

		return $due if length($request) > 65_536 ||
		    $request =~ /\0/ || $request =~ /^[^=\n]+$/m ||
		    ($first // '') ne 'smtpd_access_policy';
		$due++;
	}
	return $due;
}

sub
show
{
	my ($bytes) = @_;

	return substr($bytes, 0, 2000) =~
	    s/([^\n -~])/sprintf('\\x%02x', ord($1))/ger;
}

srand($SEED);
my ($wrong, $replies, $closed) = (0, 0, 0);
for my $number (1 .. $COUNT) {
	my $bytes = garbage();
	my $client = $policyd->connect();
	my $answer = '';

	$client->send($bytes);
	$client->end();
	while (my $reply = $client->receive()) {
		$answer .= $reply;
	}
	$answer .= $client->{input};
	my $due = replies_due($bytes);

	$replies += $due;
	$closed++ if $due == 0;
	next if $answer =~ /\A(?:action=$REPLY\n\n){$due}\z/;
	diag("number $number: $due replies were due, got:\n$answer",
	    "to:\n", show($bytes)) if $wrong++ < 5;
	last if !$policyd->is_running();
}
is($wrong, 0, "each of $COUNT requests (seed $SEED) has what is due to it");
ok($replies > $COUNT / 4 && $closed > $COUNT / 20,
    "which is a fair mixture: $replies replies, $closed closes");
is($policyd->ask(inbound('s@mail.friend.example', 'fresh@ours.example',
    client_address => '192.0.2.200')), 'DUNNO',
    'after all this it still answers');
unlike($policyd->log(), qr/[^\n -~]/, 'no foreign byte gets into the log');
is($policyd->stop(), '', 'policyd stops cleanly: no leak, nothing undefined');
done_testing();
