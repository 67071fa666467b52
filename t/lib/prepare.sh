# shellcheck shell=sh disable=SC2034 # read by those that need it
# prepare.sh - the packages that Postern needs, how they come onto a Debian
# machine, and the build. Read in the root of the source: . t/lib/prepare.sh
build_packages="autoconf automake gcc libc-ares-dev libc6-dev libconfig-dev
libcurl4-openssl-dev libevent-dev libhiredis-dev libidn2-dev libjansson-dev
libldap-dev libopendkim-dev libpsl-dev libssl-dev make perl pkg-config"
verifier_packages="python3-dkim python3-nacl"
test_packages="bind9 bind9-dnsutils bind9-utils ldap-utils libmail-dkim-perl
libsasl2-modules libsasl2-modules-db mandoc opendkim openssl postfix
$verifier_packages redis-server sasl2-bin slapd valgrind"
bench_packages="postfwd policyd-rate-limit postgrey rspamd"
clang_packages="clang libclang-rt-dev"

mkdir -p "${POSTERN_BUILD:=build}"
POSTERN_BUILD=$(cd "$POSTERN_BUILD" && pwd)
export POSTERN_BUILD

# quietly WHAT COMMAND...: say it, do it, show its output if it went wrong
quietly() {
	echo "$1 ..."
	shift
	"$@" >"$POSTERN_BUILD/prepare.log" 2>&1 || {
		cat "$POSTERN_BUILD/prepare.log"
		return 1
	}
}

# missing PACKAGE...: those that are not installed
missing() {
	for package; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
		    grep -qx installed || echo "$package"
	done
}

# Some of the packages are servers. While apt-get runs, Debian's policy-rc.d
# keeps them from being started.
apt_get_install() {
	script='
		rc=/usr/sbin/policy-rc.d
		[ ! -e $rc ] || mv $rc $rc.saved
		trap "rm -f $rc; [ ! -e $rc.saved ] || mv $rc.saved $rc" EXIT
		trap "exit 1" HUP INT TERM
		printf "#!/bin/sh\nexit 101\n" >$rc
		chmod 755 $rc
		export DEBIAN_FRONTEND=noninteractive
		apt-get -qq update
		apt-get -qq -y --no-install-recommends install "$@"'
	if [ "$(id -u)" = 0 ]; then
		sh -ec "$script" sh "$@"
	else
		sudo sh -ec "$script" sh "$@"
	fi
}

# install PACKAGE...
install() {
	wanted=$(missing "$@" | tr '\n' ' ')
	[ -n "$wanted" ] || return 0
	[ "$(id -u)" = 0 ] || echo "Packages are installed with sudo."
	# shellcheck disable=SC2086 # words
	quietly "Installing ${wanted% }" apt_get_install $wanted
}

configure_and_make() {
	[ -x configure ] || ./autogen.sh || return 1
	if [ ! -f "$POSTERN_BUILD/config.status" ]; then
		source=$PWD
		# shellcheck disable=SC2086 # words
		(cd "$POSTERN_BUILD" && "$source/configure" ${CONFIGURE_ARGS-}) ||
		    return 1
	fi
	make -j"$(nproc)" -C "$POSTERN_BUILD" "$@"
}

# build [MAKE'S WORDS]
build() {
	quietly "Building in $POSTERN_BUILD" configure_and_make "$@"
}
