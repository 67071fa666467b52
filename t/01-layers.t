#!/bin/sh
# t/01-layers.t - rules the compiler cannot see.
# Includes point down and never round, and the daemons are strangers.

cd "${srcdir:-$(dirname "$0")/..}" || exit 1
n=0

# expect_none NAME OFFENDERS: passes when there are no offenders
expect_none() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

all=$(find common policyd dkimsign -name '*.[ch]' 2>/dev/null | sort)
includes=$(grep -n '#include "' $all /dev/null | grep -v '"config\.h"')

expect_none "every include names its folder" \
    "$(echo "$includes" | grep '#include "[^/"]*"')"
expect_none "common/ includes only common/" \
    "$(echo "$includes" | grep '^common/' | grep -v '#include "common/')"
expect_none "policyd/ does not know dkimsign/" \
    "$(echo "$includes" | grep '^policyd/' | grep '#include "dkimsign/')"
expect_none "dkimsign/ does not know policyd/" \
    "$(echo "$includes" | grep '^dkimsign/' | grep '#include "policyd/')"
expect_none "modules form no circle" \
    "$(echo "$includes" |
	sed -n 's/^\([^:]*\)\.[ch]:.*#include "\([^"]*\)\.h".*/\1 \2/p' |
	tsort 2>&1 >/dev/null)"
expect_none "every .c opens with what it is for" \
    "$(for f in $all; do
	case $f in *.c) sed -n 1,2p "$f" | grep -q ' - ' || echo "$f" ;; esac
    done)"

echo "1..$n"
