# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""A pytest plugin: results as TAP, which tests/run counts."""
from __future__ import annotations

import pytest


class Tap:
    """Replaces the usual report on the terminal."""

    def __init__(self) -> None:
        self.number = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        print(f"1..{len(session.items)}", flush=True)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.result("not ok", report.nodeid, f"\n{comment(report.longreprtext)}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test is one line: of its call, or of what kept it from being called, or of its end."""
        if report.skipped:
            assert isinstance(report.longrepr, tuple)
            self.result("ok", report.nodeid, f" # skip {report.longrepr[2]}")
        elif report.failed:
            self.result("not ok", f"{report.nodeid} ({report.when})",
                        f"\n{comment(report.longreprtext)}")
        elif report.when == "call":
            self.result("ok", report.nodeid)

    def result(self, verdict: str, name: str, rest: str = "") -> None:
        self.number += 1
        print(f"{verdict} {self.number} - {name.replace('#', '')}{rest}", flush=True)


def comment(text: str) -> str:
    return "\n".join(f"# {line}" for line in text.splitlines())


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    terminal = config.pluginmanager.getplugin("terminalreporter")
    if terminal is not None:
        config.pluginmanager.unregister(terminal)
    config.pluginmanager.register(Tap(), "tap results")
