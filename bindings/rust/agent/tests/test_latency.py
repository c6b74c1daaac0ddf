# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Histograms of latency rules."""
from __future__ import annotations

import math

BOUNDS = '"1us", "100us", "2ms", "1s"'


def latency_rule(programs, symbol: str, more: str = "") -> str:
    return f"""
        [[rule]]
        name = "times"
        kind = "latency"
        specs = ["{programs.timed}:{symbol}"]
        accept_unwinding = true
        {more}
    """


def buckets(agent) -> dict[float, float]:
    found = agent.vector('sum by (le) (uprobe_latency_seconds_bucket{AGENT, rule="times"})')
    return {float(each["metric"]["le"]): float(each["value"][1]) for each in found}


def test_every_call_is_in_the_histogram(start_agent, programs):
    agent = start_agent(latency_rule(programs, "quick"))
    with programs.start("timed") as target:
        assert target.ask("burst 4 2500").count(" 2500") == 4
    found = buckets(agent)
    counts = [found[bound] for bound in sorted(found)]
    assert len(counts) == 13 + 1
    assert counts == sorted(counts)
    assert found[math.inf] == agent.sum("uprobe_latency_seconds_count", rule="times") == 10000
    assert agent.sum("uprobe_calls_running", rule="times") == 0


def test_times_are_those_of_the_calls(start_agent, programs):
    """100 calls of 5 ms and 10 of 200 ms, with bounds of our own."""
    agent = start_agent(latency_rule(programs, "timed", f"buckets = [{BOUNDS}]"))
    with programs.start("timed") as target:
        words = target.ask("time sleep 5000000*100 200000000*10").split()
    inside, outside = (int(words[words.index(word) + 1]) / 1e9 for word in ("inside", "outside"))
    found = buckets(agent)
    for asked, bound in zip((1e-6, 100e-6, 2e-3, 1), sorted(found)):
        assert asked <= bound <= asked * 1.126
    within = [found[bound] for bound in sorted(found)]
    assert within[:3] == [0, 0, 0] and within[4] == 110
    assert inside <= agent.sum("uprobe_latency_seconds_sum", rule="times") <= outside
    median = agent.vector("histogram_quantile(0.5, uprobe_latency_seconds_bucket{AGENT})")
    assert 2e-3 <= float(median[0]["value"][1]) <= 1.2


def test_a_call_that_has_not_returned_is_shown(start_agent, programs):
    agent = start_agent(latency_rule(programs, "holder"))
    with programs.start("timed") as target:
        assert target.ask("hold") == "hold"
        assert agent.sum("uprobe_calls_running", rule="times") == 1
        assert agent.sum("uprobe_latency_seconds_count", rule="times") <= 0
        assert target.ask("") == "hold done"
        assert agent.sum("uprobe_calls_running", rule="times") == 0
        assert agent.sum("uprobe_latency_seconds_count", rule="times") == 1


def test_what_ended_processes_did_is_kept(start_agent, programs):
    agent = start_agent(latency_rule(
        programs, "quick", f'scope = {{ exe = "{programs.timed}" }}\nattach = "process"'
    ))
    for round in range(1, 4):
        with programs.start("timed") as target:
            agent.wait_for(1, "uprobe_rule_attached_probes", rule="times")
            target.ask("burst 1 100")
        agent.wait_until(
            "it has ended", lambda: agent.own("uprobe_rule_attached_probes", rule="times") == 0
        )
        assert agent.sum("uprobe_latency_seconds_count", rule="times") == 100 * round
