# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What tests/bench/reader.c says to a reader of events, and what it hears from it."""
from __future__ import annotations

import json
import sys
import time
from typing import Protocol


class Reader(Protocol):
    """Reads the events of one function of one process; adds up their first argument."""

    lost: int

    def attach(self) -> None:
        """Begin to record events."""

    def read(self, events: int) -> tuple[int, int]:
        """So many, or what there is when none comes for a second.

        Returns: number of events and sum of their first arguments
        """

    def detach(self) -> None:
        """End it; lost is known then."""


def obey(reader: Reader) -> None:
    """Do what standard input says, line by line: "attach", "read EVENTS"."""
    print("ready", flush=True)
    for line in sys.stdin:
        command, *numbers = line.split()
        if command == "attach":
            reader.attach()
            print("attached", flush=True)
            continue
        start = time.process_time_ns()
        events, total = reader.read(int(numbers[0]))
        spent = time.process_time_ns() - start
        reader.detach()
        found = {"events": events, "sum": total, "lost": reader.lost, "cpu_ns": spent}
        print(json.dumps(found), flush=True)


def leave_out(reason: str) -> None:
    """Say why this reader can not run here, and end."""
    print(f"left out: {reason}", flush=True)
    sys.exit(0)
