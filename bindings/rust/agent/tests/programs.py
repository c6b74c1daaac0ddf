# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Programs to observe: copies of the shared test targets, so that nobody else on the machine runs them."""
from __future__ import annotations

import re
import shutil
from pathlib import Path

from processes import BUILD
from support import Target

FILES = ("known", "libknown.so", "libversions.so", "timed")


class Programs:
    """A folder with known, the libraries that it loads from its own folder, and timed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in FILES:
            shutil.copy2(BUILD / "target" / name, folder)
        self.known = folder / "known"
        self.library = folder / "libknown.so"
        self.timed = folder / "timed"

    def start(self, program: str = "known") -> Target:
        """Waits for what it is told; see tests/target/known.c and timed.c."""
        return Target(str(self.folder / program))

    def replace(self, name: str) -> None:
        """As a package upgrade does: another file is renamed over the old one."""
        new = self.folder / f"{name}.new"
        shutil.copy2(self.folder / name, new)
        new.rename(self.folder / name)


def code_is_changed(pid: int, path: Path) -> bool:
    """Does the code of a file in a process differ from the file? Breakpoints make it so."""
    mappings = re.compile(r"^(\w+)-(\w+) r-xp (\w+) \S+ \S+\s+(.*)$", re.M)
    found = False
    with open(f"/proc/{pid}/mem", "rb") as memory, open(path, "rb") as file:
        for start, end, offset, name in mappings.findall(Path(f"/proc/{pid}/maps").read_text()):
            if name != str(path):
                continue
            found = True
            memory.seek(int(start, 16))
            file.seek(int(offset, 16))
            code = file.read(int(end, 16) - int(start, 16))
            if memory.read(len(code)) != code:
                return True
    assert found, f"process {pid} does not map {path}"
    return False
