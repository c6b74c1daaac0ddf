# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""A PostgreSQL server of our own, in a folder of the tests. It refuses to run as root."""
from __future__ import annotations

import glob
import shutil
import subprocess
from pathlib import Path

from processes import Server

AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def programs() -> str:
    """The folder of the newest version."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    assert found, "PostgreSQL is not installed: make setup"
    return found[-1]


def copied(folder: Path) -> str:
    """The folder of copies of its programs that nobody else runs. They find the rest, which is linked, as the
    original does: relative to themselves."""
    original = Path(programs())
    copies = folder / original.relative_to("/")
    copies.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        shutil.copy2(original / name, copies)
    (copies.parent / "lib").symlink_to(original.parent / "lib")
    (folder / "usr/share").symlink_to("/usr/share")
    return str(copies)


class Postgres(Server):
    """Its folder has to be one that the user nobody can enter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.programs = programs()
        own = copied(folder)
        self.path = f"{own}/postgres"
        shutil.chown(folder, "nobody", "nogroup")
        subprocess.run(
            [*AS_NOBODY, f"{own}/initdb", "-D", str(self.data), "-U", "upm", "-A", "trust",
             "--no-locale", "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd=folder,
        )
        super().__init__(folder / "log", [
            *AS_NOBODY[1:], self.path, "-D", str(self.data), "-k", str(folder),
            "-c", "listen_addresses=", "-c", "fsync=off", "-c", "autovacuum=off",
        ], cwd=folder)
        self.wait_until("PostgreSQL answers", self.answers)

    def answers(self) -> bool:
        return subprocess.run(
            [f"{self.programs}/pg_isready", "-q", "-h", str(self.folder)], check=False
        ).returncode == 0

    def ask(self, queries: int) -> None:
        """As many queries, by one session, each sent and answered by itself."""
        psql = [f"{self.programs}/psql", "-XqAt", "-h", str(self.folder), "-U", "upm", "postgres"]
        text = "".join(f"SELECT {number};\n" for number in range(queries))
        answer = subprocess.run(psql, input=text, capture_output=True, text=True, check=True).stdout
        assert answer == "".join(f"{number}\n" for number in range(queries))
