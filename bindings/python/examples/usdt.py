#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Which statically defined tracing probes has a program, and what do they tell?

    usdt.py BINARY [PID [SECONDS]]     with a PID: their events
"""
import sys
import time

import uprobe_multi as um

binary = sys.argv[1]
pid = int(sys.argv[2]) if len(sys.argv) > 2 else None
seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 5

sites = um.resolve(f"usdt:{binary}:*:*", pid=pid)
for site in sites:
    arguments = ", ".join(argument.text for argument in site.arguments)
    print(f"{site.name} at {site.address:#x}: {arguments}")

if pid is not None:
    with um.trace(sites, pid=pid) as events:
        time.sleep(seconds)
    for event in events:
        print(event)
