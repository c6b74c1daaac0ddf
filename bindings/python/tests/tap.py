# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""A pytest plugin: results as TAP, which tests/run counts."""
from __future__ import annotations

import pytest


class Tap:
    """Replaces the usual report on the terminal: a line for each test, with what went wrong."""

    def __init__(self) -> None:
        self.number = 0
        self.skipped = ""
        self.failures: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        print(f"1..{len(session.items)}", flush=True)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failures = [report.longreprtext]
            self.pytest_runtest_logfinish(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Of the preparation, the call, and the end of a test."""
        if report.skipped:
            assert isinstance(report.longrepr, tuple)
            self.skipped = f" # skip {report.longrepr[2]}"
        elif report.failed:
            self.failures.append(f"{report.when}:\n{report.longreprtext}")

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.number += 1
        verdict = "not ok" if self.failures else "ok"
        name = nodeid.replace("#", "")
        print(f"{verdict} {self.number} - {name}{self.skipped if verdict == 'ok' else ''}")
        for line in "\n".join(self.failures).splitlines():
            print(f"# {line}")
        print(end="", flush=True)
        self.skipped, self.failures = "", []


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    terminal = config.pluginmanager.getplugin("terminalreporter")
    if terminal is not None:
        config.pluginmanager.unregister(terminal)
    config.pluginmanager.register(Tap(), "tap results")
