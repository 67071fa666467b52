#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# 48-alert.t - posternAlert hears by mail of a limit that was reached: once in
# its window, and nobody waits for that.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use Postern qw(inbound outbound slurp spew wait_until);
use PosternLdif qw(template tenant);
use Test::More;
use Time::HiRes qw(sleep time);

my @LIMIT = (RateLimit => 'hourly outbound mailbox recipients 3/1h');
my $policyd = Postern->new(ldif => join('',
    template('global', Alert => 'abuse@isp.example'),
    tenant('own.example', @LIMIT,
	RateLimit => 'daily outbound mailbox recipients 5/1d reject',
	Alert => 'admin@own.example'),
    tenant('global.example', @LIMIT),
    tenant('both.example', @LIMIT, Alert => 'admin@both.example',
	RateLimit => 'dry outbound mailbox recipients 2/1h warn'),
    tenant('shared.example', Alert => 'admin@shared.example',
	RateLimit => 'all outbound domain recipients 3/1h'),
    tenant('warn.example', Alert => 'admin@warn.example',
	RateLimit => 'dry outbound mailbox recipients 1/1h warn'),
    tenant('hold.example', Alert => 'admin@hold.example',
	RateLimit => 'brake outbound mailbox recipients 1/1h hold'),
    tenant('cap.example', Alert => 'admin@cap.example',
	RateLimit => 'cap outbound mailbox recipients 2/message reject'),
    tenant('in.example', Alert => 'admin@in.example',
	RateLimit => 'flood inbound client messages 1/1h'),
    (map { tenant("$_->[0].example", Alert => "admin\@$_->[0].example",
	RateLimit => "volume inbound domain bytes $_->[1]/1h") }
	[ 'little', '1k' ], [ 'much', '1M' ], [ 'more', '1500' ]),
    tenant('held.example', Alert => 'admin@held.example',
	RateLimit => 'brake inbound mailbox messages 1/1h hold'),
    tenant('quiet.example', Alert => 'admin@quiet.example',
	Greylist => 'on', Block => 'sender bad@stranger.example')));
my $OUTBOX = $policyd->path('outbox');
my $SENDMAIL = $policyd->path('sendmail');

# A sendmail that keeps what it gets, a file each, and what it sees of itself
sub
write_sendmail
{
	my ($before) = @_;

	spew($SENDMAIL, <<END);
#!/bin/sh
$before
{
	echo "arguments: \$*"
	grep ^SigIgn: /proc/self/status
	ls -l /proc/self/fd | sed 's/.* -> /descriptor: /'
	cat
} >$OUTBOX/\$\$.new
mv $OUTBOX/\$\$.new $OUTBOX/\$\$.mail
END
	chmod(0755, $SENDMAIL);
}

# The mails of which nobody has heard before, once there are so many
sub
mails
{
	my ($count) = @_;
	my @files;

	wait_until { (@files = glob("$OUTBOX/*.mail")) >= $count };
	if ($count == 0) {
		sleep(0.3);
		@files = glob("$OUTBOX/*.mail");
	}
	my @mails = map { slurp($_) } @files;

	unlink(@files);
	return @mails;
}

# So many mails from MAILBOX; the last answer
sub
send_mails
{
	my ($mailbox, $count) = @_;
	my $action;

	$action = $policyd->ask(outbound($mailbox, "r$_\@far.example"))
	    for 1 .. $count;
	return $action;
}

mkdir($OUTBOX) or die "$OUTBOX: $!\n";
write_sendmail('');
$policyd->write_conf({ sendmail => $SENDMAIL });
$policyd->launch();

subtest 'a limit is reached' => sub {
	send_mails('a@own.example', 3);
	is(scalar(mails(0)), 0, 'nobody hears of what is below it');
	like(send_mails('a@own.example', 1), qr/^451 4\.7\.1 own\.example: /,
	    'it is reached');
	my ($mail) = mails(1);

	like($mail, qr/^arguments: -i -f  -- admin\@own\.example$/m,
	    'posternAlert hears of it, from the null sender');
	like($mail, qr/^To: admin\@own\.example$/m, 'To:');
	like($mail, qr/^Subject: \[postern\] 451 4\.7\.1 own\.example: limit hourly \(3 recipients per 1h\) reached/m,
	    'Subject: says which limit of whom');
	like($mail, qr/^Auto-Submitted: auto-generated$/m,
	    'nobody\'s holiday reply answers it');
	like($mail, qr/^\n.*own\.example: limit hourly .*try again in/m,
	    'the text says until when');
	like($mail, qr/^mailbox: a\@own\.example$/m, 'whose mailbox');
	like($mail, qr/^client:  192\.0\.2\.7$/m, 'from where');
	like($mail, qr/^limit:   from dc=own\.example,/m,
	    'and where the limit stands');
	unlike($mail, qr/^descriptor: .*(socket|event)/m,
	    'sendmail has none of our connections');
	is(hex(($mail =~ /^SigIgn:.*(\w{8})$/m)[0]) & 0x11000, 0,
	    'and does not ignore SIGCHLD and SIGPIPE as we do');
};

subtest 'once in its window' => sub {
	send_mails('a@own.example', 20);
	is(scalar(mails(0)), 0, 'not for each refusal');
	$policyd->advance('30m');
	send_mails('a@own.example', 5);
	is(scalar(mails(0)), 0, 'nor half a window later');
	send_mails('b@own.example', 4);
	like((mails(1))[0], qr/^mailbox: b\@own\.example$/m,
	    'another mailbox reaches its own');
	$policyd->advance('35m');
	send_mails('a@own.example', 2);
	is(scalar(mails(0)), 0, 'what passes in the next window is no news');
	like(send_mails('a@own.example', 2), qr/^550 5\.7\.1 .* limit daily /,
	    'another limit of the same mailbox is reached');
	like((mails(1))[0], qr/^Subject: .* limit daily /m,
	    'and told by itself');
	$policyd->advance('26h');
	send_mails('a@own.example', 4);
	like((mails(1))[0], qr/^Subject: .* limit hourly /m,
	    'in a later window the limit is news again');
};

subtest 'who hears of it' => sub {
	send_mails('a@global.example', 10);
	like((mails(1))[0], qr/^To: abuse\@isp\.example$/m,
	    'inherited from a template');
	send_mails("u$_\@shared.example", 1) for 1 .. 10;
	my @mails = mails(1);

	sleep(0.3);
	is(scalar(@mails) + mails(0), 1,
	    'a limit that many mailboxes share is told once');
	like(send_mails('a@warn.example', 5), qr/^WARN warn\.example: limit dry /,
	    'warn');
	like((mails(1))[0], qr/^Subject: \[postern\] WARN warn\.example: /m,
	    'what would have been refused is told, once');
	like(send_mails('a@hold.example', 5), qr/^HOLD /, 'hold');
	like((mails(1))[0], qr/^Subject: \[postern\] HOLD hold\.example: /m,
	    'what is held is told, once');
	$policyd->ask(outbound('a@cap.example', "r$_\@far.example",
	    instance => 'one')) for 1 .. 5;
	like((mails(1))[0], qr/^Subject: .* limit cap /m,
	    'a message with too many recipients is told, once');
	$policyd->ask(inbound('a@stranger.example', 'b@in.example'))
	    for 1 .. 5;
	like((mails(1))[0], qr/^To: admin\@in\.example$/m,
	    'a limit on what comes in');
	$policyd->ask(inbound('a@stranger.example', "u$_\@in.example"))
	    for 1 .. 5;
	is(scalar(mails(0)), 0,
	    'each of them once, however many mailboxes a client tries');
	$policyd->ask(inbound('a@stranger.example', 'b@held.example',
	    instance => "held$_")) for 1 .. 3;
	like((mails(1))[0], qr/^Subject: \[postern\] HOLD held\.example: /m,
	    'what will be held at DATA is told as it will be given');
	$policyd->ask(inbound('a@stranger.example', 'b@held.example',
	    instance => 'held2', protocol_state => 'DATA'));
	is(scalar(mails(0)), 0, 'and not again at DATA');
	$policyd->ask(inbound('a@stranger.example', "u$_\@held.example"))
	    for 1 .. 5, 1 .. 5;
	is(scalar(mails(0)), 0,
	    'nor for each mailbox that a stranger sends too much to');
	my @both = (instance => 'two', size => 2000);

	$policyd->ask(inbound('a@stranger.example', "b\@$_.example", @both,
	    size => 1)) for 'little', 'much', 'more';
	$policyd->ask(inbound('a@stranger.example', '', @both,
	    recipient_count => 3, protocol_state => 'END-OF-MESSAGE'));
	is_deeply([ sort(map { /^To: (.*)\n.* (\w+)\.example: limit/m ?
	    "$1 of $2" : $_ } mails(2)) ], [ 'admin@little.example of little',
	    'admin@more.example of more' ],
	    'of a message to three tenants each hears of its own limit');
	send_mails('a@both.example', 5);
	is_deeply([ sort(map { /limit (\w+) \(/ } mails(2)) ],
	    [ 'dry', 'hourly' ], 'two limits in one window are told each');
};

subtest 'other refusals are not told' => sub {
	like($policyd->ask(inbound('a@stranger.example', 'b@quiet.example')),
	    qr/^DEFER_IF_PERMIT /, 'greylisting');
	like($policyd->ask(inbound('bad@stranger.example',
	    'b@quiet.example')), qr/^550 /, 'a block');
	like($policyd->ask(inbound('a@quiet.example', 'b@quiet.example')),
	    qr/^550 /, 'a direction rule');
	is(scalar(mails(0)), 0, 'nobody hears of these');
};

subtest 'nobody waits for sendmail' => sub {
	$policyd->advance('3d');
	write_sendmail('sleep 3');
	my $start = time();

	send_mails("slow$_\@own.example", 4) for 1 .. 10;
	cmp_ok(time() - $start, '<', 2, 'a slow one holds up no answer');
	is(scalar(mails(10)), 10, 'and sends its mails');
	my $children = sub {
		return scalar(split(' ',
		    slurp("/proc/$policyd->{pid}/task/$policyd->{pid}/children")));
	};

	ok(defined(wait_until { $children->() == 0 }), 'none stays a zombie');

	unlink($SENDMAIL);
	like(send_mails('none@own.example', 4), qr/^451 /,
	    'without one it is answered all the same');
	ok($policyd->wait_log(qr/warning: alert to=admin\@own\.example: \S+sendmail cannot be run: No such file/),
	    'and it is told that nobody was told');
	$policyd->write_conf({ sendmail => '' });
	$policyd->reload();
	ok($policyd->wait_log(qr/reloaded conf=/), 'sendmail = ""');
	my $from = length($policyd->log());

	like(send_mails('off@own.example', 4), qr/^451 /, 'answered');
	like(substr($policyd->log(), $from), qr/: alert to=admin\@own\.example tenant=own\.example rule=limit:hourly$/m,
	    'the log alone tells of it');
	unlike(substr($policyd->log(), $from), qr/cannot be run/,
	    'and nothing is wrong with that');
};

is($policyd->stop(), '', 'policyd stops cleanly');

# An entry with a name that breaks lines
subtest 'a tenant\'s name adds no header' => sub {
	my $evil = Postern->new(ldif => <<END);
dn: cn=evil\\0ABcc: all\@victim.example,dc=postern,dc=example
objectClass: domain
objectClass: posternDomain
associatedDomain: evil.example
posternAlert: admin\@evil.example
posternRateLimit: $LIMIT[1]
END
	write_sendmail('');
	$evil->write_conf({ sendmail => $SENDMAIL });
	$evil->launch();
	$evil->ask(outbound('a@evil.example', "r$_\@far.example")) for 1 .. 4;
	my ($mail) = mails(1);

	like($mail, qr/^To: admin\@evil\.example$/m, 'it is told');
	unlike($mail, qr/^bcc:/mi, 'to nobody else');
};

done_testing();
