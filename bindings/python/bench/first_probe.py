# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""first_probe.py PROGRAM PID: prints the ns from `import uprobe_multi` to the first attached probe."""
import sys
import time

start = time.monotonic_ns()
import uprobe_multi as um  # noqa: E402

imported = time.monotonic_ns()
with um.count(f"{sys.argv[1]}:counted", pid=int(sys.argv[2])):
    attached = time.monotonic_ns()
    print(f'{{"import_ns": {imported - start}, "attached_ns": {attached - start}}}', flush=True)
    sys.stdin.read()
