# SPDX-License-Identifier: ISC
# PosternSlapd.pm - a slapd of one's own, with our schema, on a socket and a
# free port: start it, change it with ldapmodify, kill it, start it again. Core
# modules only. Stopped when the program ends.
package PosternSlapd;

use strict;
use warnings;

use Exporter 'import';
use File::Path qw(make_path);
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(WNOHANG);
use Postern qw(slurp spew srcdir temp_dir wait_until);

our @EXPORT_OK = qw($BASE $READER);

our $BASE = 'dc=postern,dc=example';
our $READER = "cn=policyd,$BASE";

my %running;		# pid => ours alone
my @PATH = (split(/:/, $ENV{PATH} // ''), '/usr/sbin', '/usr/local/sbin');

sub
program
{
	my ($name) = @_;
	my ($found) = grep { -x } map { "$_/$name" } @PATH;

	return $found // die "$name is missing: " .
	    "apt-get install slapd ldap-utils\n";
}

# PosternSlapd->start(syncprov => 1, tls => DIR of ca.pem cert.pem key.pem,
# access => lines of slapd.conf before our own rules): serving when it returns,
# with the base and the reader
sub
start
{
	my ($class, %args) = @_;
	my $self = bless({ dir => temp_dir(), owner => $$, %args }, $class);
	my $listener = IO::Socket::INET->new(Listen => 1,
	    LocalAddr => '127.0.0.1');

	$self->{port} = $listener->sockport();
	close($listener);
	make_path($self->path('db'));
	$self->write_conf();
	$self->launch();
	$self->add(<<END);
dn: $BASE
objectClass: domain
dc: postern

dn: $READER
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: policyd
userPassword: policyd-secret
END
	spew($self->path('password'), "policyd-secret\n");
	return $self;
}

sub
path
{
	my ($self, $name) = @_;

	return "$self->{dir}/$name";
}

sub
write_conf
{
	my ($self) = @_;
	my ($schemas) = grep { -e "$_/core.schema" }
	    qw(/etc/ldap/schema /etc/openldap/schema);
	my ($modules) = grep { -d } qw(/usr/lib/ldap /usr/lib/openldap);
	my $tls = $self->{tls} // '';
	my $uid = $>;
	my ($gid) = $) =~ /^(\d+)/;

	spew($self->path('slapd.conf'), join('',
	    map({ "include $schemas/$_.schema\n" }
		qw(core cosine inetorgperson)),
	    'include ' . srcdir() . "/schema/postern.schema\n",
	    "modulepath $modules\nmoduleload back_mdb\n",
	    $self->{syncprov} ? "moduleload syncprov\n" : '',
	    'pidfile ' . $self->path('pid') . "\nloglevel stats\n",
	    $tls ? "TLSCACertificateFile $tls/ca.pem\n" .
		"TLSCertificateFile $tls/cert.pem\n" .
		"TLSCertificateKeyFile $tls/key.pem\n" : '',
	    "authz-regexp \"gidNumber=${gid}[+]uidNumber=$uid,cn=peercred," .
		"cn=external,cn=auth\" \"$READER\"\n",
	    "database mdb\nsuffix \"$BASE\"\nmaxsize 67108864\n",
	    'directory ' . $self->path('db') . "\n",
	    "rootdn \"cn=admin,$BASE\"\nrootpw secret\n",
	    "index objectClass,entryUUID,entryCSN eq\n",
	    $self->{sizelimit} ? "sizelimit $self->{sizelimit}\n" : '',
	    $self->{syncprov} ? "overlay syncprov\n" .
		"syncprov-checkpoint 1 1\n" : '',
	    "access to attrs=userPassword by * auth\n",
	    $self->{access} // '',
	    "access to attrs=posternDkimPrivateKey by * none\n",
	    "access to * by dn.exact=\"$READER\" read by * none\n"));
}

sub
ldapi
{
	my ($self) = @_;

	return 'ldapi://' . $self->path('socket') =~ s|/|%2F|gr;
}

sub
ldap
{
	my ($self) = @_;

	return "ldap://127.0.0.1:$self->{port}";
}

sub
launch
{
	my ($self) = @_;
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0) {
		open(STDOUT, '>>', $self->path('log'));
		open(STDERR, '>&', \*STDOUT);
		exec(program('slapd'), '-f', $self->path('slapd.conf'), '-h',
		    $self->ldapi() . ' ' . "ldap://127.0.0.1:$self->{port}",
		    '-d', 'stats') or POSIX::_exit(127);
	}
	$self->{pid} = $pid;
	$running{$pid} = $self;
	wait_until {
		waitpid($pid, WNOHANG) != 0 || (
		IO::Socket::UNIX->new(Peer => $self->path('socket')) &&
		IO::Socket::INET->new(PeerAddr => "127.0.0.1:$self->{port}"))
	} && kill(0, $pid) or die "slapd: " . $self->log();
	return $self;
}

# By the kernel's hand, or TERM: gone when it returns
sub
stop
{
	my ($self, $signal) = @_;

	return if !$self->{pid};
	kill($signal // 'TERM', $self->{pid});
	waitpid($self->{pid}, 0);
	delete($running{$self->{pid}});
	$self->{pid} = 0;
}

sub
log
{
	my ($self) = @_;

	return slurp($self->path('log'));
}

# LDIF through ldapmodify, as the admin. Dies where that is refused.
sub
modify
{
	my ($self, $ldif, @words) = @_;

	spew($self->path('change'), $ldif);
	system(program('ldapmodify') . ' -x -H ' . $self->ldapi() .
	    " -D cn=admin,$BASE -w secret @words -f " .
	    $self->path('change') . ' >' . $self->path('said') . ' 2>&1') == 0
	    or die 'ldapmodify: ' . slurp($self->path('said'));
}

sub
add
{
	my ($self, $ldif) = @_;

	$self->modify($ldif, '-a');
}

# What ldapsearch answers the admin, long lines whole
sub
search
{
	my ($self, @words) = @_;

	open(my $pipe, '-|', program('ldapsearch'), '-x', '-LLL', '-o',
	    'ldif-wrap=no', '-H', $self->ldapi(), '-D', "cn=admin,$BASE",
	    '-w', 'secret', @words) or die "ldapsearch: $!\n";
	return do { local $/; <$pipe> } // '';
}

# The options of a policyd that reads from here
sub
settings
{
	my ($self, %more) = @_;

	return { uri => $self->ldapi(), base => $BASE, bind_dn => $READER,
	    bind_password_file => $self->path('password'), %more };
}

END {
	my $status = $?;

	for my $self (values(%running)) {
		$self->stop('KILL') if $self->{owner} == $$;
	}
	$? = $status;
}

1;
