# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The daemon itself: privileges, command line, HTTP, and how it ends."""
from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent import PROGRAM
from processes import eventually
from programs import code_is_changed

CAPABILITIES = {"dac_read_search": 2, "sys_ptrace": 19, "perfmon": 38, "bpf": 39}
NEEDED = sum(1 << number for number in CAPABILITIES.values())


def counted(programs) -> str:
    return f"""
        [[rule]]
        name = "counted"
        specs = ["{programs.known}:known_000?"]
        [[rule]]
        name = "scoped"
        specs = ["libknown.so:shared_0000"]
        scope = {{ exe = "{programs.known}" }}
        attach = "process"
        [[rule]]
        name = "times"
        kind = "latency"
        specs = ["{programs.library}:shared_000?"]
        accept_unwinding = true
    """


def status(pid: int, key: str) -> str:
    return re.search(rf"^{key}:\s+(\S+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1]


def test_it_goes_on_with_few_capabilities(start_agent, programs):
    """What it needs for processes and files that come later is among them."""
    agent = start_agent(counted(programs))
    for kind in ("CapPrm", "CapEff", "CapBnd"):
        assert int(status(agent.pid, kind), 16) & ~NEEDED == 0, kind
    assert int(status(agent.pid, "CapAmb"), 16) == 0
    assert status(agent.pid, "NoNewPrivs") == "1"
    with programs.start() as target:
        agent.wait_for(1, "uprobe_rule_attached_probes", rule="scoped")
        target.call(times=100)
        assert agent.calls("scoped") == 100
        assert agent.calls("counted") == 100


def test_every_thread_has_dropped_them(start_agent, programs):
    agent = start_agent(counted(programs))
    for task in Path(f"/proc/{agent.pid}/task").iterdir():
        effective = re.search(r"^CapEff:\s+(\w+)", (task / "status").read_text(), re.M)[1]
        assert int(effective, 16) & ~NEEDED == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_it_ends(start_agent, programs, how):
    agent = start_agent(counted(programs))
    with programs.start() as target:
        agent.wait_for(1, "uprobe_rule_attached_probes", rule="scoped")
        assert code_is_changed(target.pid, programs.known)
        assert code_is_changed(target.pid, programs.library)
        assert agent.end(how) == (-how if how == signal.SIGKILL else 0)
        for file in (programs.known, programs.library):
            eventually("the probes are gone", lambda: not code_is_changed(target.pid, file))
        target.call(times=10)


def check(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), "--config", str(file), "--check", *options],
        capture_output=True, text=True, timeout=60, check=False,
    )


def test_check_tells_what_would_be_attached(programs, tmp_path):
    file = tmp_path / "agent.toml"
    file.write_text(f'[[rule]]\nname = "r"\nspecs = ["{programs.known}:known_000?", "{programs.known}:lock_first"]\n')
    done = check(file)
    assert done.returncode == 0, done
    assert "10" in done.stdout and "lock prefix" in done.stdout
    file.write_text('[[rule]]\nname = "r"\nspecs = ["/no/such/file:main"]\n')
    done = check(file)
    assert done.returncode == 1 and "/no/such/file" in done.stdout + done.stderr


@pytest.mark.parametrize("text, said", [
    ('[[rule]]\nname = "r"\nspces = ["libc.so.6:malloc"]\n', ["spces", "3"]),
    ('[[rule]]\nname = "r"\n', ["specs"]),
    ('[[rule]]\nname = "r"\nspecs = ["libc.so.6"]\n', ["libc.so.6"]),
    ('[[rule]]\nname = "r"\nspecs = ["libc.so.6:malloc"]\n' * 2, ["r"]),
    ('[[rule]]\nname = "r"\nspecs = ["libc.so.6:malloc", "libc.so.6:/(/"]\n', ['"r"', "libc.so.6:/(/"]),
    ('[agent]\ninterval = "soon"\n', ["interval", "soon", "2"]),
    ('[[rule]]\nname = "r"\nspecs = ["libc.so.6:malloc"]\nlabels = { le = "x" }\n', ["le"]),
    ("[[rule", ["1"]),
])
def test_a_wrong_file_is_named_with_line_and_key(tmp_path, text, said):
    file = tmp_path / "agent.toml"
    file.write_text(text)
    done = check(file)
    assert done.returncode == 2, done
    assert str(file) in done.stderr
    for word in said:
        assert word in done.stderr.replace(str(file), "")


@pytest.mark.parametrize("option", ["--check", "--help", "--version"])
def test_whoever_reads_may_have_enough(tmp_path, option):
    file = tmp_path / "agent.toml"
    file.write_text("")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as nobody:
        done = subprocess.run(
            [str(PROGRAM), "--config", str(file), option],
            stdout=nobody, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, "")


def test_http(start_agent, programs):
    agent = start_agent(counted(programs))
    assert "/metrics" in agent.get("/")
    with pytest.raises(urllib.error.HTTPError) as error:
        agent.get("/no-such-page")
    assert error.value.code == 404
    for accepted, kind in (("text/plain", "text/plain"), ("application/openmetrics-text", "application/openmetrics-text")):
        request = urllib.request.Request(f"http://{agent.address}/metrics", headers={"Accept": accepted})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.headers["Content-Type"].startswith(kind)
            text = answer.read().decode()
        assert text.endswith("# EOF\n") == (kind != "text/plain")


def test_idle_connections_keep_nobody_out(start_agent, programs):
    agent = start_agent(counted(programs))
    host, port = agent.address.rsplit(":", 1)
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(socket.create_connection((host, int(port))))
        for _ in range(3):
            assert agent.get("/healthz") == "ok\n"
        assert agent.sum("uprobe_agent_scrapes_total") > 0


def test_who_reads_no_answer_keeps_nobody_out(start_agent):
    agent = start_agent("", labels='{ long = "' + 500_000 * "a" + '" }')
    host, port = agent.address.rsplit(":", 1)
    with ExitStack() as stack:
        for _ in range(12):
            deaf = stack.enter_context(socket.create_connection((host, int(port))))
            deaf.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        for _ in range(3):
            assert agent.get("/healthz") == "ok\n"


def test_promtool_has_nothing_to_say(start_agent, programs):
    agent = start_agent(counted(programs))
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=agent.get("/metrics"), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_an_address_that_is_taken(start_agent, programs, tmp_path):
    agent = start_agent(counted(programs))
    file = tmp_path / "second.toml"
    file.write_text(f'[agent]\nlisten = "{agent.address}"\n')
    done = subprocess.run([str(PROGRAM), "--config", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and agent.address in done.stderr
