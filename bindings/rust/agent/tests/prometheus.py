# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""A Prometheus server of our own, on loopback, with its data in a folder of the tests."""
from __future__ import annotations

import itertools
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from processes import Server, free_port

# Agents at a time. It scrapes all of their addresses from its start: a server that learns of a new target begins 5 s later.
AGENTS = 4

CONFIGURATION = """
global:
  scrape_interval: 400ms
  scrape_timeout: 400ms
scrape_configs:
  - job_name: uprobe-agent
    static_configs:
      - targets: {targets}
"""


class Prometheus(Server):
    def __init__(self, folder: Path) -> None:
        port = free_port()
        addresses = [f"127.0.42.{number}:{port}" for number in range(1, AGENTS + 1)]
        self.addresses = itertools.cycle(addresses)
        configuration = folder / "prometheus.yml"
        configuration.write_text(CONFIGURATION.format(targets=json.dumps(addresses)))
        self.address = f"127.0.0.1:{port}"
        super().__init__(folder / "prometheus.log", [
            "prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={self.address}", "--log.level=warn",
        ])
        self.wait_until("Prometheus is ready", self.is_ready)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def address_for_agent(self) -> str:
        """Where it scrapes an agent. What it knew from an agent that was there before ends with the next scrape."""
        return next(self.addresses)

    def query(self, promql: str, at: float | None = None) -> list[dict]:
        """The vector that a query gives, now or at a time: [{"metric": labels, "value": [time, text]}]."""
        query = {"query": promql} | ({} if at is None else {"time": f"{at:.3f}"})
        url = f"http://{self.address}/api/v1/query?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{promql}: {error.read().decode()}") from None

    def wait_for_scrape(self, address: str) -> float:
        """Until it has scraped the agent, beginning after this call; when it did. What it knows at that time is
        from that scrape, even if a later one is too slow."""
        up = f'up{{instance="{address}"}}'
        since = time.time() + 0.05  # it rounds its times

        def newest() -> float | None:
            found = self.query(f"timestamp({up}) and {up} == 1")
            times = [float(each["value"][1]) for each in found]
            return times[0] if times and times[0] > since else None

        return self.wait_until(f"a scrape of {address}", newest)
