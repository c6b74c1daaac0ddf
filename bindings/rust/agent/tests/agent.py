# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The agent as a process, and what Prometheus knows of it."""
from __future__ import annotations

import os
import re
import signal
import urllib.error
import urllib.request
from pathlib import Path
from typing import Callable

from processes import BUILD, Server
from prometheus import Prometheus

PROGRAM = BUILD / "rust" / os.environ.get("AGENT_PROFILE", "debug") / "uprobe-agent"
SAMPLE = re.compile(r"^(?P<name>\w+)(?P<labels>\{.*\})? (?P<value>\S+)$")


def selector(name: str, **labels: str) -> str:
    return name + "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"


class Agent(Server):
    """Runs with the rules given; its look at processes comes often, so that tests are short."""

    def __init__(
        self, folder: Path, prometheus: Prometheus, rules: str,
        launch: Callable[[list[str]], list[str]] = list, **settings: str,
    ) -> None:
        """`launch` may put something before the command; `settings` are keys of [agent]."""
        self.prometheus = prometheus
        self.address = prometheus.address_for_agent()
        self.file = folder / "agent.toml"
        self.settings = {"interval": '"100ms"'} | settings
        self.configure(rules)
        super().__init__(folder / "agent.log", launch([str(PROGRAM), "--config", str(self.file)]))
        self.wait_until("the agent is ready", self.is_ready)

    def configure(self, rules: str) -> None:
        """What it reads when it starts, or at the next reload. The file is replaced at once, as editors do."""
        settings = "".join(f"{key} = {value}\n" for key, value in self.settings.items())
        new = self.file.with_suffix(".new")
        new.write_text(f'[agent]\nlisten = "{self.address}"\n{settings}{rules}')
        new.rename(self.file)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=30) as answer:
            return answer.read().decode()

    def is_ready(self) -> bool:
        try:
            return self.get("/healthz").strip() == "ok"
        except (urllib.error.URLError, OSError):
            return False

    # ---- what it says itself, at once

    def samples(self) -> dict[str, float]:
        """Its metrics as it writes them: name with labels, value."""
        found = (SAMPLE.match(line) for line in self.get("/metrics").splitlines())
        return {f"{at['name']}{at['labels'] or ''}": float(at["value"]) for at in found if at}

    def own(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that have these labels, in whatever order."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(
            value for sample, value in self.samples().items()
            if sample.split("{")[0] == name and all(label in sample for label in wanted)
        )

    def wait_for(self, least: float, name: str, **labels: str) -> None:
        self.wait_until(
            f"{selector(name, **labels)} >= {least}", lambda: self.own(name, **labels) >= least
        )

    # ---- what Prometheus knows from a scrape that began just now

    def vector(self, promql: str) -> list[dict]:
        """Of a query in which AGENT is replaced by the label that chooses this agent."""
        at = self.prometheus.wait_for_scrape(self.address)
        return self.prometheus.query(promql.replace("AGENT", f'instance="{self.address}"'), at)

    def sum(self, name: str, **labels: str) -> float:
        """Over the series of this name that have these labels; -1 when there is none."""
        found = self.vector(f"sum({selector(name, instance=self.address, **labels)})")
        return float(found[0]["value"][1]) if found else -1

    def calls(self, rule: str, **labels: str) -> float:
        return self.sum("uprobe_calls_total", rule=rule, **labels)

    def calls_by_symbol(self, rule: str) -> dict[str, float]:
        found = self.vector(f'sum by (symbol) (uprobe_calls_total{{AGENT, rule="{rule}"}})')
        return {each["metric"]["symbol"]: float(each["value"][1]) for each in found}

    # ---- reload

    def reload(self, rules: str, result: str = "ok") -> None:
        """Waits until it has read the file and has done what is in it."""
        before = self.own("uprobe_agent_config_reloads_total", result=result)
        self.configure(rules)
        os.kill(self.pid, signal.SIGHUP)
        self.wait_for(before + 1, "uprobe_agent_config_reloads_total", result=result)

    # ---- what it costs

    def resident_kib(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", status, re.M)[1])

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
