#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""How often does a process call the functions of a library?

    count.py PID SPEC [SECONDS]        count.py 1234 'libc.so.6:*alloc' 5
"""
import sys
import time

import uprobe_multi as um

pid, spec = int(sys.argv[1]), sys.argv[2]
seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 5

try:
    with um.count(spec, pid=pid) as calls:
        time.sleep(seconds)
except um.Error as error:
    sys.exit(f"count: {error}")

for probe, hits in calls.snapshot().top(20):
    print(f"{hits:>12,}  {probe.name}")
for probe in calls.skipped:
    print(f"skipped: {probe.name}: {probe.verdict}: {probe.reason}", file=sys.stderr)
