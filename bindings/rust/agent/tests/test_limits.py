# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What is not observed, or not apart, is shown as a metric."""
from __future__ import annotations

from contextlib import ExitStack


def test_skipped_probes_are_metrics(start_agent, programs):
    agent = start_agent(f"""
        [[rule]]
        name = "partly"
        specs = ["{programs.known}:lock_first", "{programs.known}:no_such_function", "{programs.known}:known_0000",
                 "{programs.folder}/no-such-file:main"]
    """)
    found = agent.vector('uprobe_skipped_probes{AGENT, rule="partly"} > 0')
    verdicts = {each["metric"]["verdict"]: each["value"][1] for each in found}
    assert verdicts == {"unprobeable": "1", "no_match": "1", "unreadable": "1"}
    assert agent.sum("uprobe_rule_attached_probes", rule="partly") == 1


def test_more_series_than_allowed_are_summed(start_agent, programs):
    agent = start_agent(f"""
        [limits]
        series = 4
        [[rule]]
        name = "many"
        specs = ["{programs.known}:known_00[0-9]?"]
    """)
    with programs.start() as target:
        target.call(times=30, functions=100)
        target.call(times=10, functions=50)
    series = agent.vector('uprobe_calls_total{AGENT, rule="many"}')
    values = {each["metric"]["symbol"]: float(each["value"][1]) for each in series}
    assert len(values) == 5 and "(other)" in values
    assert sum(values.values()) == 30 * 100 + 10 * 50
    assert agent.sum("uprobe_rule_summed_series", rule="many") == 96
    assert agent.sum("uprobe_agent_limit_reached", limit="series") == 1
    assert agent.sum("uprobe_agent_series") <= 5


def test_no_labels_are_there_twice(start_agent, programs):
    """A process that has the name of the rest is one of them: Prometheus takes no series twice."""
    names = "(other)", "second", "third"
    for name in names:
        (programs.folder / name).symlink_to(programs.timed)
    agent = start_agent(f"""
        [limits]
        series = 1
        [[rule]]
        name = "times"
        kind = "latency"
        specs = ["{programs.timed}:quick"]
        scope = {{ exe = "{programs.timed}" }}
        by = ["process"]
        accept_unwinding = true
    """)
    with ExitStack() as stack:
        for count, name in enumerate(names, 1):
            target = stack.enter_context(programs.start(name))
            agent.wait_for(count, "uprobe_rule_attached_probes", rule="times")
            target.ask("burst 1 100")
        text = agent.get("/metrics")
        samples = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
        assert len(samples) == len(set(samples))
        assert agent.own("uprobe_latency_seconds_count", process="(other)") == 200
        assert agent.sum("uprobe_latency_seconds_count", rule="times") == 300


def test_more_probes_than_allowed_are_skipped(start_agent, programs):
    agent = start_agent(f"""
        [limits]
        probes = 10
        [[rule]]
        name = "many"
        specs = ["{programs.known}:known_00??"]
    """)
    assert agent.sum("uprobe_rule_attached_probes", rule="many") == 10
    assert agent.sum("uprobe_skipped_probes", rule="many", verdict="limit") == 90


def test_more_processes_than_allowed_are_reported(start_agent, programs):
    agent = start_agent(f"""
        [limits]
        observers = 2
        [[rule]]
        name = "crowd"
        specs = ["{programs.known}:known_0000"]
        scope = {{ exe = "{programs.known}" }}
        attach = "process"
    """)
    with ExitStack() as stack:
        targets = [stack.enter_context(programs.start()) for _ in range(5)]
        agent.wait_for(3, "uprobe_rule_unobserved_processes", rule="crowd")
        assert agent.sum("uprobe_rule_processes", rule="crowd") == 5
        assert agent.sum("uprobe_agent_limit_reached", limit="observers") == 1
        assert agent.sum("uprobe_agent_observers") == 2
        for target in targets:
            target.call(times=10)
        assert agent.calls("crowd") == 20
    agent.wait_until(
        "nothing is held back", lambda: agent.own("uprobe_rule_unobserved_processes", rule="crowd") == 0
    )
    with programs.start() as target:
        agent.wait_for(1, "uprobe_rule_attached_probes", rule="crowd")
        target.call(times=5)
        assert agent.calls("crowd") == 25


def test_nothing_new_is_attached_above_the_limit_of_memory(start_agent, programs):
    agent = start_agent(f"""
        [limits]
        memory = "1MiB"
        [[rule]]
        name = "held"
        specs = ["{programs.known}:known_0000"]
    """)
    assert agent.sum("uprobe_agent_limit_reached", limit="memory") == 1
    assert agent.sum("uprobe_rule_attached_probes", rule="held") == 0


def test_what_it_costs_is_what_the_kernel_says(start_agent, programs):
    agent = start_agent(f"""
        [[rule]]
        name = "one"
        specs = ["{programs.known}:known_0000"]
    """)
    assert 0.5 < agent.sum("uprobe_agent_resident_memory_bytes") / (agent.resident_kib() * 1024) < 2
    assert abs(agent.sum("uprobe_agent_open_fds") - agent.descriptors()) < 8
    # The kernel's own number is counted in ticks.
    assert 0 < agent.sum("uprobe_agent_cpu_seconds_total") < agent.cpu_seconds() + 1
    assert agent.sum("uprobe_agent_scrapes_total") > 0
