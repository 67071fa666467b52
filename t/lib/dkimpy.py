# SPDX-License-Identifier: ISC
# dkimpy.py - verifies the message on standard input by dkimpy, with the records
# of a file ("NAME VALUE" in each line): prints pass, fail or unknown.
import sys

import dkim

with open(sys.argv[1]) as lines:
    records = dict(line.rstrip("\n").split(" ", 1) for line in lines)


def find(name, timeout=5):
    return records.get(name.decode().rstrip(".")).encode()


try:
    good = dkim.DKIM(sys.stdin.buffer.read(), minkey=1024).verify(dnsfunc=find)
    print("pass" if good else "fail")
except dkim.UnknownKeyTypeError:
    print("unknown")
except dkim.DKIMException:
    print("fail")
