#!/bin/sh
# autogen.sh - makes configure out of configure.ac. Then: ./configure && make
set -e
cd "$(dirname "$0")"
mkdir -p build-aux
exec autoreconf --install --force "$@"
