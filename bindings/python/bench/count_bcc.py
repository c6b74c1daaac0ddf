# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""count_bcc.py PROGRAM PID: counts the calls of counted() by address in a hash, as BCC's examples do."""
from __future__ import annotations

import sys

from told import obey
from with_bcc import load

PROGRAM = r"""
#include <uapi/linux/ptrace.h>

BPF_HASH(hits, u64);

int count_hit(struct pt_regs *ctx)
{
    if (bpf_get_current_pid_tgid() >> 32 == TARGET)
        hits.increment(PT_REGS_IP(ctx));
    return 0;
}
"""


class Counter:
    """Counts; there are no events to be read."""

    lost = 0

    def __init__(self, program: str, pid: int) -> None:
        self.program = program
        self.pid = pid
        self.bpf = load(PROGRAM, f"-DTARGET={pid}")

    def attach(self) -> None:
        self.bpf.attach_uprobe(
            name=self.program, sym="counted", fn_name="count_hit", pid=self.pid
        )

    def read(self, _events: int) -> tuple[int, int]:
        return 0, 0

    def detach(self) -> None:
        self.bpf.detach_uprobe(name=self.program, sym="counted", pid=self.pid)


if __name__ == "__main__":
    obey(Counter(sys.argv[1], int(sys.argv[2])))
