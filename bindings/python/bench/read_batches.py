# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""read_batches.py PROGRAM PID: reads the events of counted() as NumPy arrays."""
from __future__ import annotations

import sys

import uprobe_multi as um
from told import obey


class Batches:
    """Reads with read_batch()."""

    lost = 0

    def attach(self) -> None:
        self.trace = um.trace(f"{sys.argv[1]}:counted", pid=int(sys.argv[2]))
        self.trace.read_batch()  # NumPy is loaded, the first batch is there

    def read(self, events: int) -> tuple[int, int]:
        seen = total = 0
        while seen < events:
            batch = self.trace.read_batch(1)
            if not len(batch):
                break
            seen += len(batch)
            total += int(batch["arguments"][:, 0].sum())
        return seen, total

    def detach(self) -> None:
        self.trace.stop()
        self.lost = self.trace.snapshot().total.lost
        self.trace.close()


if __name__ == "__main__":
    obey(Batches())
