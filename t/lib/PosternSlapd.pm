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
use Postern qw(free_port slurp spew srcdir temp_dir wait_until);

our @EXPORT_OK = qw($ADMIN $BASE $READER certificates);

our $BASE = 'dc=postern,dc=example';
our $READER = "cn=policyd,$BASE";
our $ADMIN = "cn=admin,$BASE";

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

# A CA, certificates by it for a server at 127.0.0.1 and for the client
# cn=policyd, and another CA: the directory that they are in
sub
certificates
{
	my $dir = temp_dir();
	my $ca = "openssl req -x509 -newkey rsa:2048 -nodes -days 2";
	my $ask = "openssl req -newkey rsa:2048 -nodes -out request";
	my $sign = "openssl x509 -req -in request -CA ca.pem -CAkey ca.key " .
	    "-days 2";

	system("cd $dir && exec >/dev/null 2>&1 && " .
	    "$ca -subj /CN=ca -keyout ca.key -out ca.pem && " .
	    "$ca -subj /CN=other -keyout other.key -out other.pem && " .
	    "$ask -subj /CN=localhost -keyout key.pem && " .
	    "echo subjectAltName=IP:127.0.0.1 >names && " .
	    "$sign -extfile names -out cert.pem && " .
	    "$ask -subj /CN=policyd -keyout client.key && " .
	    "$sign -out client.pem") == 0
	    or die "openssl does not make certificates\n";
	return $dir;
}

# PosternSlapd->start(syncprov => 1, accesslog => 1, tls => certificates(),
# access => lines of slapd.conf before our own rules, maxsize => bytes): serving
# when it returns, with the base and the reader. config => 1: from cn=config,
# open to that name with "secret", as bare as Debian's: without our schema and rules.
sub
start
{
	my ($class, %args) = @_;
	my $self = bless({ dir => temp_dir(), owner => $$, %args }, $class);

	$self->{port} = free_port();
	$self->{tls_port} = free_port();
	make_path(map { $self->path($_) } qw(db config accesslog));
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
	my $is_bare = $self->{config};

	spew($self->path('slapd.conf'), join('',
	    map({ "include $schemas/$_.schema\n" }
		qw(core cosine inetorgperson)),
	    $is_bare ? '' :
		'include ' . srcdir() . "/schema/postern.schema\n",
	    "modulepath $modules\nmoduleload back_mdb\n",
	    $self->{syncprov} ? "moduleload syncprov\n" : '',
	    $self->{accesslog} ? "moduleload accesslog\n" : '',
	    'pidfile ' . $self->path('pid') . "\nloglevel stats\n",
	    $tls ? "TLSCACertificateFile $tls/ca.pem\n" .
		"TLSCertificateFile $tls/cert.pem\n" .
		"TLSCertificateKeyFile $tls/key.pem\n" .
		"TLSVerifyClient try\n" : '',
	    "authz-regexp \"^cn=policyd\\\$\" \"$READER\"\n",
	    "authz-regexp \"gidNumber=${gid}[+]uidNumber=$uid,cn=peercred," .
		"cn=external,cn=auth\" \"$READER\"\n",
	    $is_bare ? "database config\nrootdn cn=config\n" .
		"rootpw secret\n" : '',
	    $self->{accesslog} ? "database mdb\nsuffix cn=accesslog\n" .
		'directory ' . $self->path('accesslog') . "\n" .
		"rootdn \"$ADMIN\"\n" : '',
	    "database mdb\nsuffix \"$BASE\"\n",
	    'maxsize ' . ($self->{maxsize} // 67108864) . "\ndbnosync\n",
	    'directory ' . $self->path('db') . "\n",
	    "rootdn \"$ADMIN\"\nrootpw secret\n",
	    $is_bare ? "index objectClass eq\n" :
		"index objectClass,entryUUID,entryCSN eq\n",
	    $self->{sizelimit} ? "sizelimit $self->{sizelimit}\n" : '',
	    $self->{syncprov} ? "overlay syncprov\n" .
		"syncprov-checkpoint 1 1\n" : '',
	    $self->{accesslog} ? "overlay accesslog\n" .
		"logdb cn=accesslog\nlogops writes\n" : '',
	    "access to attrs=userPassword by * auth\n",
	    $is_bare ? "access to * by * read\n" : (
	    $self->{access} // '',
	    "access to attrs=posternDkimPrivateKey by * none\n",
	    "access to * by dn.exact=\"$READER\" read by * none\n")));
	return if !$is_bare;
	# slaptest wants the database to be there, which slapadd makes
	system(program('slapadd') . ' -l /dev/null -f ' .
	    $self->path('slapd.conf') . ' >/dev/null 2>&1 && ' .
	    program('slaptest') . ' -f ' . $self->path('slapd.conf') .
	    ' -F ' . $self->path('config') . ' >' . $self->path('said') .
	    ' 2>&1') == 0 or die 'slaptest: ' . slurp($self->path('said'));
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
ldaps
{
	my ($self) = @_;

	return "ldaps://127.0.0.1:$self->{tls_port}";
}

sub
launch
{
	my ($self) = @_;
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0) {
		open(STDOUT, '>>', $self->path('log'));
		open(STDERR, '>&', \*STDOUT);
		exec(program('slapd'), $self->{config} ? ('-F',
		    $self->path('config')) : ('-f', $self->path('slapd.conf')),
		    '-h', join(' ', $self->ldapi(), $self->ldap(),
			$self->{tls} ? $self->ldaps() : ()),
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

# LDIF through ldapmodify as somebody: '' or what was wrong
sub
modify_as
{
	my ($self, $dn, $password, $ldif, @words) = @_;

	spew($self->path('change'), $ldif);
	return '' if system(program('ldapmodify') . ' -x -H ' .
	    $self->ldapi() . " -D $dn -w $password @words -f " .
	    $self->path('change') . ' >' . $self->path('said') . ' 2>&1') == 0;
	return slurp($self->path('said'));
}

# As the admin. Dies where that is refused.
sub
modify
{
	my ($self, $ldif, @words) = @_;
	my $fault = $self->modify_as($ADMIN, 'secret', $ldif, @words);

	die "ldapmodify: $fault" if $fault ne '';
}

# One attribute of the entry with this RDN below the base
sub
replace
{
	my ($self, $rdn, $attribute, @values) = @_;

	$self->modify("dn: $rdn,$BASE\nchangetype: modify\n" .
	    "replace: $attribute\n" .
	    join('', map { "$attribute: $_\n" } @values));
}

sub
add
{
	my ($self, $ldif) = @_;

	$self->modify($ldif, '-a');
}

# Many entries at once, past the server, which is not there meanwhile
sub
load
{
	my ($self, $ldif) = @_;

	$self->stop();
	spew($self->path('change'), $ldif);
	system(program('slapadd') . ' -q -f ' . $self->path('slapd.conf') .
	    ' -l ' . $self->path('change') . ' >' . $self->path('said') .
	    ' 2>&1') == 0 or die 'slapadd: ' . slurp($self->path('said'));
	$self->launch();
}

# What ldapsearch answers somebody, long lines whole
sub
search_as
{
	my ($self, $dn, $password, @words) = @_;

	open(my $pipe, '-|', 'sh', '-c', 'exec "$0" "$@" 2>/dev/null',
	    program('ldapsearch'), '-x', '-LLL', '-o',
	    'ldif-wrap=no', '-H', $self->ldapi(), '-D', $dn, '-w', $password,
	    @words) or die "ldapsearch: $!\n";
	return do { local $/; <$pipe> } // '';
}

sub
search
{
	my ($self, @words) = @_;

	return $self->search_as($ADMIN, 'secret', @words);
}

# The options of a policyd that reads from here
sub
settings
{
	my ($self, %more) = @_;

	return { uri => $self->ldapi(), base => $BASE, bind_dn => $READER,
	    bind_password_file => $self->path('password'), state_file => '',
	    %more };
}

END {
	my $status = $?;

	for my $self (values(%running)) {
		$self->stop('KILL') if $self->{owner} == $$;
	}
	$? = $status;
}

1;
