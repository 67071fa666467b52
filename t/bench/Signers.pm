# SPDX-License-Identifier: ISC
# Signers.pm - keys, messages, and what signs them, for t/bench/measure:
# dkimsign, and Debian's opendkim and rspamd as milters. Servers as in
# Servers.pm.
package Signers;

use strict;
use warnings;

use MIME::Base64 qw(encode_base64);
use Postern qw(slurp spew temp_dir wait_until);
use PosternLdif qw(tenant);
use PosternSign;
use Servers;

our $DIR = temp_dir();
chmod(0777, $DIR);
my %ALGORITHM = (rsa => ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
    ed25519 => ['ED25519']);

# What each domain signs with
our %KEYS = ('rsa.example' => ['rsa'], 'ed25519.example' => ['ed25519'],
    'both.example' => ['rsa', 'ed25519']);

# The file of the one key of that algorithm
sub
key
{
	my ($algorithm) = @_;
	my $path = "$DIR/$algorithm.pem";

	return $path if -e $path;
	system('openssl', 'genpkey', '-quiet', '-algorithm',
	    @{$ALGORITHM{$algorithm}}, '-out', $path) == 0 ||
	    system("openssl genpkey -algorithm @{$ALGORITHM{$algorithm}} " .
	    "-out $path 2>/dev/null") == 0 or die "openssl failed\n";
	chmod(0644, $path);
	return $path;
}

# A file with a message of that domain and of that size
sub
message
{
	my ($domain, $bytes) = @_;
	my $path = "$DIR/$domain.$bytes";

	return $path if -e $path;
	my $header = join('', map { "$_\n" } "From: Anna <anna\@$domain>",
	    'To: Bob <bob@elsewhere.example>', 'Subject: a message like most',
	    'Date: Fri, 20 Nov 2026 12:00:00 +0000',
	    "Message-ID: <1234567890\@$domain>", 'MIME-Version: 1.0',
	    'Content-Type: text/plain; charset=utf-8',
	    'Received: from client.example (client.example [192.0.2.7])',
	    "\tby mail.example (Postfix) with ESMTPSA id 4ABCDEF",
	    "\tfor <bob\@elsewhere.example>; Fri, 20 Nov 2026 12:00:00 +0000",
	    '');
	my $line = "A line of a text  as people write them, with blanks.  \n";

	spew($path, $header . $line x (($bytes - length($header)) /
	    length($line)));
	return $path;
}

# Their directory: a tenant for each domain, with its keys
sub
directory
{
	my $ldif = '';

	for my $domain (sort(keys(%KEYS))) {
		my $tenant = tenant($domain);
		my ($dn) = $tenant =~ /^dn: (.*)$/m;

		$ldif .= $tenant . join('', map { "dn: cn=$_,$dn\n" .
		    "objectClass: posternDkimKey\ncn: $_\n" .
		    "posternDkimSelector: $_\nposternDkimPrivateKey:: " .
		    encode_base64(slurp(key($_)), '') . "\n\n"
		    } @{$KEYS{$domain}});
	}
	return $ldif;
}

# dkimsign in front of that next hop
sub
dkimsign
{
	my ($next_hop, %conf) = @_;
	my $dkimsign = PosternSign->start(is_on_time => 1,
	    ldif => directory(), conf => { log_level => 'info',
		next_hop => $next_hop, %conf });

	return { name => 'dkimsign', socket => $dkimsign->path('lmtp'),
	    pids => sub { $dkimsign->{pid} } };
}

# A server that takes every message; LMTP with '-L'
sub
sink
{
	my (@words) = @_;

	return Servers::command('smtp-sink', sub {
		umask(0);
		return ('/usr/sbin/smtp-sink', @words, "unix:$_[0]/socket",
		    '256');
	});
}

# As dkimsign by default, in what is signed
sub
opendkim
{
	return if !-x '/usr/sbin/opendkim';
	my $key = key('rsa');

	return Servers::command('opendkim', sub {
		my ($dir) = @_;

		umask(0);
		spew("$dir/conf", <<END);
Syslog no
Mode s
Domain rsa.example
Selector rsa
KeyFile $key
RequireSafeKeys no
Canonicalization relaxed/relaxed
OversignHeaders From
Socket local:$dir/socket
UMask 000
END
		return ('/usr/sbin/opendkim', '-f', '-x', "$dir/conf");
	});
}

# rspamd with all switched off but signing
sub
rspamd
{
	return if !-x '/usr/bin/rspamd';
	my $key = key('rsa');
	my $server = Servers::command('rspamd', sub {
		my ($dir) = @_;

		umask(0);
		spew("$dir/conf", <<END);
options {
	filters = "dkim";
	tempdir = "$dir"; hs_cache_dir = "$dir"; url_tld = "$dir/tld";
	rrd = ""; stats_file = ""; control_socket = "$dir/control mode=0600";
	dns { nameserver = ["127.0.0.1:1"]; }
}
logging { type = "file"; filename = "$dir/rspamd.log"; level = "error"; }
metric { name = "default"; }
worker "rspamd_proxy" {
	bind_socket = "$dir/socket mode=0666"; count = 1;
	milter = true; timeout = 120s;
	upstream "local" { default = true; self_scan = true; }
}
modules { path = "/usr/share/rspamd/plugins/dkim_signing.lua"; }
dkim_signing {
	enabled = true; sign_local = true; sign_authenticated = true;
	allow_username_mismatch = true; use_domain = "header";
	allow_hdrfrom_mismatch = true; use_redis = false; check_pubkey = false;
	domain { rsa.example { selector = "rsa"; path = "$key"; } }
}
END
		spew("$dir/tld", "com\nexample\n");
		return ('/usr/bin/rspamd', '-f', '-i', '-c', "$dir/conf");
	});
	my ($main) = $server->{pids}->();

	# it works in children of its own
	$server->{pids} = sub {
		return ($main, grep { slurp("/proc/$_/stat") =~
		    /\) . $main / } map { m{(\d+)} } glob('/proc/[0-9]*'));
	};
	return $server;
}

1;
