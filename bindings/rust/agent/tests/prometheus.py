# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""A Prometheus server of our own, on loopback, with its data in a folder of the tests."""
from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from processes import Server, free_port

# It scrapes all of them from its start: a server that learns of a new target begins 5 s later.
AGENTS = 30

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
        self.free_addresses = [f"127.0.42.{number}:{port}" for number in range(1, AGENTS + 1)]
        configuration = folder / "prometheus.yml"
        configuration.write_text(CONFIGURATION.format(targets=json.dumps(self.free_addresses)))
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
        """Where it scrapes an agent; each is given away once."""
        return self.free_addresses.pop()

    def query(self, promql: str) -> list[dict]:
        """The vector that a query gives: [{"metric": labels, "value": [time, text]}]."""
        query = urllib.parse.urlencode({"query": promql})
        url = f"http://{self.address}/api/v1/query?{query}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{promql}: {error.read().decode()}") from None

    def value(self, promql: str) -> float | None:
        """Of a query that gives one number, or none."""
        found = self.query(promql)
        assert len(found) < 2, f"{promql} gives {found}"
        return float(found[0]["value"][1]) if found else None

    def wait_for_scrape(self, address: str) -> None:
        """Until what it knows of the agent is from a scrape that began after this call."""
        since = time.time() + 0.05  # it rounds its times
        up = f'up{{instance="{address}"}}'
        self.wait_until(
            f"a scrape of {address}",
            lambda: (self.value(f"timestamp({up}) and {up} == 1") or 0) > since,
        )
