#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Which files does a process open, with what result?

    trace.py PID [SECONDS]
"""
import sys
import time

import uprobe_multi as um

OPEN = "int open(char *path, int flags, unsigned mode)"

pid = int(sys.argv[1])
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5

try:
    with um.trace("libc.so.6:open64", OPEN, returns=True, pid=pid) as opens:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            event = opens.next(timeout=left)
            if event is not None:
                print(event, flush=True)
except um.Error as error:
    sys.exit(f"trace: {error}")
print(opens.snapshot(), file=sys.stderr)
