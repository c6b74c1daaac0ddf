# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What is pushed to OpenTelemetry."""
from __future__ import annotations

import json
import socket

import pytest

from collector import Collector, number
from processes import eventually


@pytest.fixture
def collector():
    server = Collector()
    yield server
    server.end()


@pytest.fixture
def stranger():
    """Who is not to be spoken to."""
    server = Collector()
    server.status = 503
    yield server
    server.end()


def otlp(collector: Collector) -> str:
    return f"""
        [otlp]
        endpoint = "{collector.endpoint}"
        interval = "300ms"
        headers = {{ "X-Secret" = "never logged 8271" }}
        resource = {{ "deployment.environment" = "tests" }}
    """


def counted(programs) -> str:
    return f"""
        [[rule]]
        name = "pushed"
        specs = ["{programs.known}:known_000?"]
        labels = {{ team = "storage" }}
        [[rule]]
        name = "times"
        kind = "latency"
        specs = ["{programs.timed}:quick"]
        accept_unwinding = true
    """


def test_counts_and_histograms_arrive(start_agent, programs, collector):
    agent = start_agent(otlp(collector) + counted(programs))
    with programs.start() as target, programs.start("timed") as timed:
        target.call(times=120, functions=10)
        timed.ask("burst 2 300")
    eventually("all calls have arrived", lambda: collector.total("uprobe_calls") >= 1200)
    pushes = len(collector.bodies)
    eventually("two more pushes", lambda: len(collector.bodies) >= pushes + 2)
    assert collector.total("uprobe_calls") == 1200
    for labels, point in collector.points("uprobe_calls", "sum"):
        assert labels["rule"] == "pushed" and labels["team"] == "storage"
        assert number(point) == 120
        assert int(point["startTimeUnixNano"]) < int(point["timeUnixNano"])
    [(labels, histogram)] = collector.points("uprobe_latency_seconds", "histogram")
    assert labels["symbol"] == "quick"
    counts = [int(count) for count in histogram["bucketCounts"]]
    assert sum(counts) == int(histogram["count"]) == 600
    assert len(counts) == len(histogram["explicitBounds"]) + 1
    assert collector.resource()["deployment.environment"] == "tests"
    assert {"service.name", "host.name"} <= set(collector.resource())
    assert collector.headers[-1]["x-secret"] == "never logged 8271"
    assert "8271" not in agent.printed()
    assert agent.sum("uprobe_agent_otlp_exports_total", result="ok") >= 2


def test_a_counter_is_cumulative_and_monotonic(start_agent, programs, collector):
    start_agent(otlp(collector) + counted(programs))
    eventually("a push", lambda: collector.bodies)
    resource = collector.bodies[-1]["resourceMetrics"][0]
    metrics = {each["name"]: each for scope in resource["scopeMetrics"] for each in scope["metrics"]}
    assert metrics["uprobe_calls"]["sum"]["isMonotonic"] is True
    assert metrics["uprobe_calls"]["sum"]["aggregationTemporality"] in (2, "AGGREGATION_TEMPORALITY_CUMULATIVE")


def test_a_collector_that_refuses_loses_nothing(start_agent, programs, collector):
    collector.status = 503
    agent = start_agent(otlp(collector) + counted(programs))
    with programs.start() as target:
        target.call(times=50)
    eventually("refused pushes", lambda: collector.refused >= 2)
    agent.wait_for(2, "uprobe_agent_otlp_exports_total", result="failed")
    collector.status = 200
    eventually("a push", lambda: collector.bodies)
    assert collector.total("uprobe_calls") == 50


def test_a_collector_that_does_not_answer_stops_nothing(start_agent, programs):
    """It takes the connection and is silent: scrapes and the end of the agent do not wait for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        agent = start_agent(f"""
            [otlp]
            endpoint = "http://127.0.0.1:{silent.getsockname()[1]}/v1/metrics"
            interval = "100ms"
            timeout = "1h"
        """ + counted(programs))
        connection, _ = silent.accept()
        with programs.start() as target:
            target.call(times=50)
        assert agent.calls("pushed") == 50
        assert agent.end() == 0
        connection.close()


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_a_failure(start_agent, programs, collector, stranger, status):
    """Whoever it names is sent neither headers nor metrics."""
    collector.status, collector.location = status, stranger.endpoint
    agent = start_agent(otlp(collector) + counted(programs))
    agent.wait_for(2, "uprobe_agent_otlp_exports_total", result="failed")
    assert agent.own("uprobe_agent_otlp_exports_total", result="ok") == 0
    assert collector.refused >= 2 and stranger.refused == 0


def test_no_proxy_is_taken(start_agent, programs, collector, stranger):
    proxy = stranger.endpoint.removesuffix("/v1/metrics")
    names = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    start_agent(
        otlp(collector) + counted(programs),
        launch=lambda command: ["env", *(f"{name}={proxy}" for name in names), *command],
    )
    eventually("pushes", lambda: len(collector.bodies) >= 2)
    assert stranger.refused == 0


@pytest.mark.parametrize("secret, shown", [
    ("http://someone:9153secret@{place}", "http://***@{place}"),
    ("http://{place}?key=9153secret&n=1", "http://{place}?key=***&n=***"),
])
def test_secrets_are_not_logged(start_agent, programs, collector, secret, shown):
    """Neither of an endpoint that refuses nor of one that is no URL, nor of what a collector repeats."""
    rejected = {"rejectedDataPoints": "1", "errorMessage": "not for 9153secret"}
    collector.answer = json.dumps({"partialSuccess": rejected}).encode()
    place = collector.endpoint.removeprefix("http://")
    rules = otlp(collector).replace(collector.endpoint, secret) + counted(programs)
    agent = start_agent(rules.replace("{place}", place))
    agent.wait_until("a rejection is logged", lambda: shown.replace("{place}", place) in agent.printed())
    wrong = place.replace(".", " ")
    agent.reload(rules.replace("{place}", wrong))
    agent.wait_until("a failure, too", lambda: shown.replace("{place}", wrong) in agent.printed())
    assert "9153secret" not in agent.printed()


def test_points_that_are_rejected_are_a_failure(start_agent, programs, collector):
    rejected = {"rejectedDataPoints": "31", "errorMessage": "too\nold" + "." * 5000}
    collector.answer = json.dumps({"partialSuccess": rejected}).encode()
    agent = start_agent(otlp(collector) + counted(programs))
    agent.wait_for(2, "uprobe_agent_otlp_exports_total", result="failed")
    assert agent.own("uprobe_agent_otlp_exports_total", result="ok") == 0
    [line, *_] = [line for line in agent.printed().splitlines() if "event=otlp_rejected" in line]
    assert "points=31" in line and 'reason="too\\nold.' in line and len(line) < 500
    collector.answer = b"{}"
    agent.wait_for(1, "uprobe_agent_otlp_exports_total", result="ok")
