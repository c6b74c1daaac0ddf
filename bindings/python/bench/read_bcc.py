# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""read_bcc.py PROGRAM PID: reads the events of counted() by a callback of BCC, as its examples do.

The record has what an event of um.trace() has, and the ring is as large.
"""
from __future__ import annotations

import sys

from told import obey
from with_bcc import load

PROGRAM = r"""
#include <uapi/linux/ptrace.h>

struct record {
    u64 time_ns;
    u32 pid, tid, cpu, probe;
    char comm[16];
    u64 arguments[6];
};

BPF_RINGBUF_OUTPUT(records, 4096);
BPF_ARRAY(lost, u64, 1);

int record_hit(struct pt_regs *ctx)
{
    struct record record = {};
    u64 task = bpf_get_current_pid_tgid();

    if (task >> 32 != TARGET)
        return 0;
    record.time_ns = bpf_ktime_get_ns();
    record.pid = task >> 32;
    record.tid = task;
    record.cpu = bpf_get_smp_processor_id();
    bpf_get_current_comm(&record.comm, sizeof(record.comm));
    record.arguments[0] = PT_REGS_PARM1(ctx);
    record.arguments[1] = PT_REGS_PARM2(ctx);
    record.arguments[2] = PT_REGS_PARM3(ctx);
    record.arguments[3] = PT_REGS_PARM4(ctx);
    record.arguments[4] = PT_REGS_PARM5(ctx);
    record.arguments[5] = PT_REGS_PARM6(ctx);
    if (records.ringbuf_output(&record, sizeof(record), 0) < 0)
        lost.increment(0);
    return 0;
}
"""


class Callback:
    """Calls a function for each event, which makes an object of it."""

    def __init__(self, program: str, pid: int) -> None:
        self.program = program
        self.pid = pid
        self.bpf = load(PROGRAM, f"-DTARGET={pid}")
        self.records = self.bpf["records"]
        self.records.open_ring_buffer(self.take)
        self.seen = self.total = self.lost = 0

    def take(self, _context: object, data: int, _size: int) -> None:
        event = self.records.event(data)
        self.seen += 1
        self.total += event.arguments[0]

    def attach(self) -> None:
        self.bpf["lost"].clear()
        self.seen = self.total = 0
        self.bpf.attach_uprobe(
            name=self.program, sym="counted", fn_name="record_hit", pid=self.pid
        )

    def read(self, events: int) -> tuple[int, int]:
        while self.seen < events:
            before = self.seen
            self.bpf.ring_buffer_poll(1000)
            if self.seen == before:
                break
        return self.seen, self.total

    def detach(self) -> None:
        self.bpf.detach_uprobe(name=self.program, sym="counted", pid=self.pid)
        self.lost = self.bpf["lost"][0].value


if __name__ == "__main__":
    obey(Callback(sys.argv[1], int(sys.argv[2])))
