#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""A count that outlives the process that began it.

    pinned.py start NAME PID SPEC      begin, pin it under a name, and exit
    pinned.py read NAME                from any process, as often as you like
    pinned.py stop NAME                remove it
    pinned.py list
"""
import sys
from typing import Callable

import uprobe_multi as um


def start(name: str, pid: str, spec: str) -> None:
    um.count(spec, pid=int(pid)).pin(name)


def read(name: str) -> None:
    print(um.open(name).snapshot())


def stop(name: str) -> None:
    um.unpin(name)


def list_all() -> None:
    for pinned in um.list_pinned():
        print(f"{pinned.name}: {pinned.kind} of {pinned.attached} probes, by {pinned.creator}")


COMMANDS: dict[str, Callable[..., None]] = {"start": start, "read": read, "stop": stop, "list": list_all}

try:
    COMMANDS[sys.argv[1]](*sys.argv[2:])
except um.Error as error:
    sys.exit(f"pinned: {error}")
