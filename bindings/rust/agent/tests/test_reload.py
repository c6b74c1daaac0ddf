# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""SIGHUP while a workload runs."""
from __future__ import annotations

import os
import signal
from pathlib import Path

from agent import PROGRAM
from processes import Server
from programs import Programs


def rule(name: str, *specs: str) -> str:
    listed = ", ".join(f'"{spec}"' for spec in specs)
    return f'[[rule]]\nname = "{name}"\nspecs = [{listed}]\n'


def known(programs: Programs, function: int) -> str:
    return f"{programs.known}:known_{function:04}"


def test_no_count_is_lost(start_agent, programs):
    """Rules that stay, that grow, that shrink, that go and that come, under calls that do not stop."""
    first, second, third, fourth = (known(programs, function) for function in range(4))
    agent = start_agent(
        rule("stays", first) + rule("grows", first) + rule("shrinks", first, second) + rule("goes", third)
    )
    with programs.start() as target:
        target.send("spin threads=2 functions=3")
        agent.wait_for(1000, "uprobe_calls_total", rule="goes")
        agent.reload(
            rule("stays", first) + rule("grows", first, fourth) + rule("shrinks", first) + rule("comes", third)
        )
        agent.wait_for(1000, "uprobe_calls_total", rule="comes")
        rounds = int(target.ask("").split("=")[1])
        assert rounds > 1000
        assert agent.calls("stays") == rounds
        assert agent.calls("grows", symbol="known_0000") == rounds
        assert rounds <= agent.calls("shrinks", symbol="known_0000") < rounds * 1.2
        assert agent.sum("uprobe_calls_total", rule="goes") == -1
        target.call(times=10, functions=4)
        assert agent.calls("stays") == rounds + 10
        assert agent.calls("grows") == rounds + 20
        assert agent.sum("uprobe_rule_attached_probes", rule="shrinks") == 1


def latency(name: str, programs: Programs, *symbols: str) -> str:
    text = rule(name, *(f"{programs.timed}:{symbol}" for symbol in symbols))
    return text + 'kind = "latency"\naccept_unwinding = true\n'


def test_no_latency_is_lost(start_agent, programs):
    """As above."""
    agent = start_agent(
        latency("stays", programs, "quick") + latency("grows", programs, "quick")
        + latency("shrinks", programs, "quick", "deep")
    )
    with programs.start("timed") as target:
        target.send("burst 2 400000")
        agent.wait_for(1, "uprobe_latency_seconds_count", rule="stays")
        agent.reload(
            latency("stays", programs, "quick") + latency("grows", programs, "quick", "landed")
            + latency("shrinks", programs, "quick")
        )
        assert agent.own("uprobe_latency_seconds_count", rule="stays") < 800000, "it was too quick"
        assert target.answer().count(" 400000") == 2
        target.ask("burst 1 7")
    for name in ("stays", "grows"):
        assert agent.sum("uprobe_latency_seconds_count", rule=name, symbol="quick") == 800007
    assert 800007 <= agent.sum("uprobe_latency_seconds_count", rule="shrinks") < 800007 * 1.2
    assert agent.sum("uprobe_rule_attached_probes", rule="shrinks") == 1


def test_a_rule_that_goes_lets_go_of_its_probes(start_agent, programs):
    agent = start_agent(rule("stays", known(programs, 0)) + rule("goes", known(programs, 1)))
    agent.reload(rule("stays", known(programs, 0)))
    assert agent.sum("uprobe_rule_attached_probes") == 1
    with programs.start() as target:
        target.call(times=100, functions=2)
    assert agent.sum("uprobe_calls_total") == 100


def test_many_reloads_of_the_same_file_change_nothing(start_agent, programs):
    text = rule("same", f"{programs.known}:known_000?")
    agent = start_agent(text)
    with programs.start() as target:
        target.send("spin functions=10")
        for _ in range(10):
            agent.reload(text)
        rounds = int(target.ask("").split("=")[1])
    assert set(agent.calls_by_symbol("same").values()) == {rounds}


def test_a_file_with_an_error_is_refused(start_agent, programs):
    agent = start_agent(rule("kept", known(programs, 0)))
    with programs.start() as target:
        target.call(times=100)
        agent.reload(rule("kept", known(programs, 1)) + 'knid = "latency"\n', result="failed")
        assert "knid" in agent.printed()
        assert agent.sum("uprobe_agent_config_last_reload_successful") == 0
        target.call(times=20)
        assert agent.calls("kept", symbol="known_0000") == 120
        agent.reload(rule("kept", known(programs, 0), f"{programs.known}:/(/"), result="failed")
        assert f"{programs.known}:/(/" in agent.printed()
        agent.configure("[[rule")
        os.kill(agent.pid, signal.SIGHUP)
        agent.wait_for(3, "uprobe_agent_config_reloads_total", result="failed")
        agent.reload(rule("kept", known(programs, 0)))
        assert agent.sum("uprobe_agent_config_last_reload_successful") == 1
        target.call(times=3)
        assert agent.calls("kept") == 123


def test_what_is_fixed_at_the_start_stays(start_agent, programs):
    text = rule("kept", known(programs, 0))
    agent = start_agent(text)
    agent.settings["notify"] = "false"
    agent.reload(text)
    assert "notify" in agent.printed()
    assert agent.sum("uprobe_agent_notify") == 1


def answer_reading(server: Server, fifo: Path, text: str) -> None:
    """Waits until it reads the file, asks for a reload, and only then lets it read."""
    def open_for_reader() -> int | None:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None

    with os.fdopen(server.wait_until("it reads its file", open_for_reader), "w") as writer:
        os.kill(server.pid, signal.SIGHUP)
        writer.write(text)


def test_a_reload_waits_for_the_start(tmp_path):
    fifo = tmp_path / "agent.toml"
    os.mkfifo(fifo)
    text = '[agent]\nlisten = ""\n'
    server = Server(tmp_path / "agent.log", [str(PROGRAM), "--config", str(fifo)])
    answer_reading(server, fifo, text)
    server.wait_until("it has started", lambda: "event=started" in server.printed())
    answer_reading(server, fifo, text)
    server.wait_until("it has read the file again", lambda: "event=reloaded" in server.printed())
    assert server.end(signal.SIGKILL) == -signal.SIGKILL
