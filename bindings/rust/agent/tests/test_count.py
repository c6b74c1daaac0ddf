# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What Prometheus answers is the true number of calls."""
from __future__ import annotations

import signal
import tempfile
from pathlib import Path

import pytest

from postgres import Postgres


def test_a_known_workload(start_agent, programs):
    agent = start_agent(f"""
        [[rule]]
        name = "known"
        specs = ["{programs.known}:known_000[0-4]", "{programs.library}:shared_0000"]
        labels = {{ team = "tests" }}
    """)
    with programs.start() as target:
        target.call(times=500, functions=3, threads=4)
        assert agent.calls_by_symbol("known") == {
            "known_0000": 2000, "known_0001": 2000, "known_0002": 2000, "shared_0000": 2000,
            "known_0003": 0, "known_0004": 0,
        }
        assert agent.calls("known", team="tests", binary=str(programs.library), probe="uprobe") == 2000
        target.call(times=7)
        assert agent.calls("known", symbol="known_0000") == 2007
    assert agent.sum("uprobe_rule_attached_probes", rule="known") == 6


def test_entries_and_returns_are_told_apart(start_agent, programs):
    agent = start_agent(f"""
        [[rule]]
        name = "both"
        specs = ["{programs.known}:known_0000", "uretprobe:{programs.known}:known_0000"]
        accept_unwinding = true
    """)
    with programs.start() as target:
        target.call(times=300)
    found = agent.vector('sum by (probe) (uprobe_calls_total{AGENT, rule="both"})')
    assert {each["metric"]["probe"]: each["value"][1] for each in found} == {
        "uprobe": "300", "uretprobe": "300",
    }


def test_one_sum_where_no_label_is_asked_for(start_agent, programs):
    agent = start_agent(f"""
        [[rule]]
        name = "sum"
        specs = ["{programs.known}:known_000?"]
        by = []
    """)
    with programs.start() as target:
        target.call(times=100, functions=10)
    series = agent.vector('uprobe_calls_total{AGENT, rule="sum"}')
    assert [each["value"][1] for each in series] == ["1000"]
    assert not {"binary", "symbol", "process"} & set(series[0]["metric"])


def test_children_are_counted_too(start_agent, programs):
    agent = start_agent(f"""
        [[rule]]
        name = "children"
        specs = ["{programs.known}:known_0000"]
        scope = {{ exe = "{programs.known}" }}
        attach = "file"
    """)
    with programs.start() as target:
        agent.wait_for(1, "uprobe_rule_attached_probes", rule="children")
        assert target.ask("fork children=50 times=20 functions=1") == "fork total=1000"
        assert agent.calls("children") == 1000


def test_each_name_of_a_process_apart(start_agent, programs):
    other = programs.folder / "other"
    other.hardlink_to(programs.known)
    agent = start_agent(f"""
        [[rule]]
        name = "names"
        specs = ["libknown.so:shared_0000"]
        scope = {{ exe = "{programs.folder}/*" }}
        attach = "process"
        by = ["process"]
    """)
    with programs.start() as target, programs.start("other") as another:
        agent.wait_for(2, "uprobe_rule_attached_probes", rule="names")
        target.call(times=100)
        another.call(times=11)
        assert agent.calls("names", process="known") == 100
        assert agent.calls("names", process="other") == 11


@pytest.fixture
def postgres():
    with tempfile.TemporaryDirectory(prefix="upm-postgres-") as folder:
        server = Postgres(Path(folder))
        yield server
        server.end(signal.SIGINT)


def test_postgresql_query_done(start_agent, postgres):
    agent = start_agent(f"""
        [[rule]]
        name = "queries"
        specs = ["usdt:{postgres.path}:postgresql:query__done"]
        by = ["symbol"]
    """)
    for session in range(4):
        postgres.ask(queries=150 + session)
    series = agent.vector('uprobe_calls_total{AGENT, rule="queries"}')
    assert [each["value"][1] for each in series] == [str(4 * 150 + 6)]
    assert series[0]["metric"]["probe"] == "usdt"
    assert series[0]["metric"]["symbol"] == "postgresql:query__done"
