# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""An OpenTelemetry collector: takes what is pushed to it by OTLP over HTTP, as JSON."""
from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Iterator


class Collector:
    """Answers `status`, with `location` and `answer`; keeps every request that it has answered with 200."""

    def __init__(self) -> None:
        self.status = 200
        self.location = ""
        self.answer = b"{}"
        self.refused = 0
        self.bodies: list[dict] = []
        self.headers: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name that http.server calls
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                headers = {name.lower(): value for name, value in self.headers.items()}
                collector.take(self.path, headers, body)
                self.send_response(collector.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(collector.answer)))
                if collector.location:
                    self.send_header("Location", collector.location)
                self.end_headers()
                self.wfile.write(collector.answer)

            def do_GET(self) -> None:  # what a redirect may make of it
                collector.refused += 1
                self.send_error(405)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}/v1/metrics"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        if self.status != 200:
            self.refused += 1
            return
        assert path.split("?")[0] == "/v1/metrics"
        assert headers["content-type"] == "application/json"
        self.headers.append(headers)
        self.bodies.append(json.loads(body))

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    # ---- what the newest request says

    def resource(self) -> dict[str, str]:
        return attributes(self.bodies[-1]["resourceMetrics"][0]["resource"])

    def points(self, name: str, kind: str) -> Iterator[tuple[dict[str, str], dict]]:
        """Labels and content of each point of a metric; `kind` is sum, gauge or histogram."""
        for resource in self.bodies[-1]["resourceMetrics"] if self.bodies else []:
            for scope in resource["scopeMetrics"]:
                for metric in scope["metrics"]:
                    if metric["name"] == name:
                        for point in metric[kind]["dataPoints"]:
                            yield attributes(point), point

    def total(self, name: str) -> int:
        return sum(number(point) for _, point in self.points(name, "sum"))


def attributes(of: dict) -> dict[str, str]:
    return {each["key"]: each["value"]["stringValue"] for each in of.get("attributes", [])}


def number(point: dict) -> int:
    """64-bit integers are texts in JSON."""
    if "asInt" in point:
        assert isinstance(point["asInt"], str)
        return int(point["asInt"])
    return int(point["asDouble"])
