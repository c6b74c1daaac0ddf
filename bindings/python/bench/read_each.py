# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""read_each.py PROGRAM PID: reads the events of counted() as a Python object each."""
from __future__ import annotations

from read_batches import Batches
from told import obey


class Each(Batches):
    """Iterates over the trace, of which all events are there before."""

    def read(self, events: int) -> tuple[int, int]:
        self.trace.stop()
        seen = total = 0
        for event in self.trace:
            seen += 1
            total += event.arguments[0]  # type: ignore[operator]
        return seen, total


if __name__ == "__main__":
    obey(Each())
