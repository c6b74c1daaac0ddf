#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Attach a BPF program of your own to everything that a pattern names.

    attach_own_program.py OBJECT.bpf.o PROGRAM SPEC PID [SECONDS]
"""
import sys
import time

import uprobe_multi as um

path, program, spec, pid = *sys.argv[1:4], int(sys.argv[4])
seconds = float(sys.argv[5]) if len(sys.argv) > 5 else 5

try:
    with um.attach(path, spec, name=program, pid=pid) as link:
        print(f"{link.attached_count} probes attached in {link.attach_seconds * 1e3:.1f} ms:")
        for kernel_link in link.kernel_links:
            print(f"  link {kernel_link.id}: {kernel_link.probes} probes in {kernel_link.path}")
        for probe in link.skipped:
            print(f"  skipped {probe.name}: {probe.reason}")
        time.sleep(seconds)
except um.Error as error:
    sys.exit(f"attach: {error}")
