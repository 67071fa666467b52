# SPDX-License-Identifier: ISC
# PosternSigned.pm - a Postfix as in PosternPostfix.pm, whose outgoing mail goes
# through a dkimsign and comes back, by the very lines of etc/postfix/: what
# operators copy is what is tested. There is no policyd. Core modules only.
package PosternSigned;

use strict;
use warnings;

use parent -norequire, 'PosternPostfix';

use Postern qw(free_port slurp srcdir);
use PosternPostfix;
use PosternSign;

# PosternSigned->new(as PosternPostfix, main => more lines of main.cf)
sub
new
{
	my ($class, %args) = @_;

	return PosternPostfix::new($class, main => '', %args,
	    back_port => free_port());
}

sub
main_cf
{
	my ($self, @rest) = @_;
	my $text = $self->SUPER::main_cf(@rest);

	$text =~ s/check_policy_service \$policyd,?//g;
	for my $name ($self->{main} =~ /^(\w+) =/mg) {
		$text =~ s/^$name = .*\n//m;
	}
	return $text . slurp(srcdir() .
	    '/etc/postfix/dkimsign-main.cf.example') . $self->{main};
}

# Ours are not in a chroot that nobody filled, and the way back has a port of
# its own
sub
master_cf
{
	my ($self) = @_;
	my $text = $self->SUPER::master_cf();
	my $ours = slurp(srcdir() . '/etc/postfix/dkimsign-master.cf.example');
	my ($filter) = $ours =~ /^#(  -o content_filter=.*\n)/m
	    or die "no content_filter in the example\n";

	$text =~ s/^(\S+:$self->{submission_port} .*\n)/$1$filter/m
	    or die "no submission service\n";
	$text =~ s/^(pickup .*\n)/$1$filter/m or die "no pickup service\n";
	for my $name ($ours =~ /^([a-z]\S*) /mg) {
		$text =~ s/^\Q$name\E .*\n//m;
	}
	$ours =~ s/^127\.0\.0\.1:10026/127.0.0.1:$self->{back_port}/m
	    or die "no second listener in the example\n";
	$ours =~ s/^(\S+ +(?:unix|inet) +\S+ +\S+ +)y/$1n/mg;
	return $text . $ours . "smtp unix - - n - - smtp\n";
}

# Options of a dkimsign between the two passes
sub
conf
{
	my ($self, %more) = @_;

	return {
		listen => ["unix:$self->{dir}/queue/private/dkimsign"],
		listen_group => 'postfix',
		listen_mode => '0660',
		next_hop => "smtp://127.0.0.1:$self->{back_port}",
		%more
	};
}

# What waits is tried now
sub
flush
{
	my ($self) = @_;

	system("postqueue -c $self->{dir}/conf -f >/dev/null 2>&1");
}

# By sendmail(1), as what runs on this host
sub
sendmail
{
	my ($self, $sender, $recipient, $text) = @_;

	open(my $pipe, '|-', 'sendmail', '-C', "$self->{dir}/conf", '-i',
	    '-f', $sender, $recipient) or die "sendmail: $!\n";
	print $pipe $text;
	return close($pipe);
}

1;
