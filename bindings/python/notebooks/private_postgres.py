# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""A PostgreSQL server of one's own, for the notebook: in a folder of its own, on a socket of its
own, gone when the notebook is."""
from __future__ import annotations

import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time


class Server:
    """It refuses to run as root, and ends with the process that started it."""

    def __init__(self) -> None:
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not found:
            raise FileNotFoundError("no PostgreSQL here: install the package postgresql")
        self.programs = found[-1]
        self.binary = f"{self.programs}/postgres"
        self.folder = tempfile.mkdtemp(prefix="upm-postgres-")
        shutil.chown(self.folder, "nobody")
        self._as_nobody(
            "initdb", "-D", f"{self.folder}/data", "-U", "upm", "-A", "trust", "--no-locale",
            "--no-sync",
        ).check_returncode()
        self._server = subprocess.Popen(
            [
                *_NOBODY, "--pdeathsig=INT", self.binary, "-D", f"{self.folder}/data",
                "-k", self.folder, "-c", "listen_addresses=", "-c", "fsync=off",
                "-c", "jit=off", "-c", "max_parallel_workers_per_gather=0",
            ],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.pid = self._server.pid
        self._wait_until_ready()

    def _as_nobody(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*_NOBODY, f"{self.programs}/{program}", *arguments],
            cwd=self.folder, capture_output=True, text=True, check=False,
        )

    def _wait_until_ready(self) -> None:
        for _ in range(600):
            if self._as_nobody("pg_isready", "-q", "-h", self.folder).returncode == 0:
                return
            time.sleep(0.05)
        raise TimeoutError("the server does not answer")

    def run(self, program: str, *arguments: str) -> str:
        """A client program, such as pgbench, on the database."""
        done = self._as_nobody(program, "-h", self.folder, "-U", "upm", *arguments, "postgres")
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def session(self) -> Session:
        """A client that stays."""
        return Session(self)

    def stop(self) -> None:
        """End it and remove its folder."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait()
        shutil.rmtree(self.folder)


class Session:
    """psql, and the backend process that serves it."""

    def __init__(self, server: Server) -> None:
        self._psql = subprocess.Popen(
            [
                *_NOBODY, f"{server.programs}/psql", "-X", "-q", "-A", "-t",
                "-h", server.folder, "-U", "upm", "postgres",
            ],
            cwd=server.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.pid = int(self.ask("SELECT pg_backend_pid()")[0])

    def ask(self, query: str) -> list[str]:
        """The lines of the answer."""
        assert self._psql.stdin and self._psql.stdout
        self._psql.stdin.write(f"{query};\n\\echo {_END}\n")
        self._psql.stdin.flush()
        return list(iter(lambda: self._line(), _END))

    def _line(self) -> str:
        assert self._psql.stdout
        line = self._psql.stdout.readline()
        if not line:
            raise EOFError("psql has ended")
        return line.rstrip("\n")

    def close(self) -> None:
        """End the client."""
        self._psql.communicate("\\q\n")


_NOBODY = ("setpriv", f"--reuid={65534}", f"--regid={65534}", "--clear-groups")
_END = "-- that was all --"

if os.geteuid() != 0:
    raise PermissionError("starting a server under another user, and probing it, needs root")
