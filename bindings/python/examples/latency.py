#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""How slow are the functions of a process?

    latency.py PID SPEC [SECONDS]      latency.py 1234 'libcrypto.so.3:EVP_*' 5
"""
import sys
import time

import uprobe_multi as um

pid, spec = int(sys.argv[1]), sys.argv[2]
seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 5

try:
    with um.latency(spec, pid=pid) as times:
        time.sleep(seconds)
except um.Error as error:
    sys.exit(f"latency: {error}")

print(f"{'calls':>10} {'p50 ns':>12} {'p99 ns':>12} {'max ns':>12}")
for row in sorted(times.snapshot(), key=lambda row: -row.sum_ns):
    p50, p99 = row.percentile(0.5), row.percentile(0.99)
    print(f"{row.calls:>10,} {p50:>12,} {p99:>12,} {row.max_ns:>12,}  {row.name}")
