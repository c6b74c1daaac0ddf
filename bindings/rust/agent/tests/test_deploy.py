# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""docs/deploy, by the tools that will read it, and by what the agent really exports."""
from __future__ import annotations

import json
import re
import socket
import subprocess
from pathlib import Path

import pytest

from agent import PROGRAM
from processes import PATIENCE, TOP, eventually

DEPLOY = TOP / "docs/deploy"
UNIT = (DEPLOY / "uprobe-agent.service").read_text()
METRIC = re.compile(r"\buprobe_[a-z_]+\b")
# Names of Prometheus's own making, and of the histogram's parts.
PARTS = re.compile(r"_(bucket|sum|count)$")


def tool(*command: object, **options: object) -> str:
    done = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False, timeout=60, **options,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def everything(programs) -> str:
    return f"""
        [otlp]
        endpoint = "http://127.0.0.1:1/v1/metrics"
        [[rule]]
        name = "counted"
        specs = ["{programs.known}:known_000?", "{programs.known}:lock_first"]
        [[rule]]
        name = "times"
        kind = "latency"
        specs = ["{programs.timed}:quick"]
        accept_unwinding = true
        [[rule]]
        name = "scoped"
        specs = ["{programs.known}:known_0000"]
        scope = {{ exe = "{programs.known}" }}
        attach = "process"
    """


# ---- metrics

def families(agent) -> set[str]:
    return set(re.findall(r"^# TYPE (\w+) ", agent.get("/metrics"), re.M))


def dashboard_queries() -> list[str]:
    dashboard = json.loads((DEPLOY / "uprobe-agent.dashboard.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def test_the_metrics_are_those_of_the_guide(start_agent, programs):
    text = (TOP / "docs/agent.md").read_text().split("## Metrics")[1].split("\n## ")[0]
    names = re.findall(r"`(uprobe_\w+)`", text)
    names += [f"uprobe_agent{part}" for part in re.findall(r"`…(_\w+)`", text)]
    assert families(start_agent(everything(programs))) == set(names)


def test_dashboard_and_rules_use_metrics_that_exist(start_agent, programs):
    known = families(start_agent(everything(programs)))
    rules = re.findall(r"^ +expr: (.*)$", (DEPLOY / "uprobe-agent.rules.yml").read_text(), re.M)
    for expression in dashboard_queries() + rules:
        for name in METRIC.findall(re.sub(r"\w+:\w+:\w+", "", expression)):
            assert {name, PARTS.sub("", name)} & known, f"{name} in {expression}"
    variables = (DEPLOY / "uprobe-agent.dashboard.json").read_text()
    assert set(re.findall(r"label_values\((\w+),", variables)) <= known


def test_prometheus_answers_each_query_of_the_dashboard(start_agent, programs, prometheus):
    agent = start_agent(everything(programs))
    with programs.start() as target, programs.start("timed") as timed:
        target.call(times=10)
        timed.ask("burst 1 10")
        agent.wait_for(1, "uprobe_rule_processes", rule="scoped")
        for query in dashboard_queries():
            query = query.replace("$__rate_interval", "1m").replace("$instance", agent.address)
            query = query.replace("$rule", ".*")
            if "> 0" in query or "== 0" in query:
                prometheus.query(query)
            else:
                eventually(query, lambda query=query: prometheus.query(query))


# ---- Prometheus

def test_promtool_accepts_the_configuration_and_the_rules():
    tool("promtool", "check", "config", DEPLOY / "prometheus.yml")
    tool("promtool", "check", "rules", DEPLOY / "uprobe-agent.rules.yml")


def test_each_alert_is_raised_by_its_cause_alone():
    here = Path(__file__).parent
    tool("promtool", "test", "rules", here / "alerts.test.yml")
    alerts = set(re.findall(r"alert: (\w+)", (DEPLOY / "uprobe-agent.rules.yml").read_text()))
    assert alerts == set(re.findall(r'alertname="(\w+)"', (here / "alerts.test.yml").read_text()))


# ---- configurations

def manifest(kind: str) -> dict:
    read = "import json, sys, yaml; json.dump(list(yaml.safe_load_all(sys.stdin)), sys.stdout)"
    text = tool("/usr/bin/python3", "-c", read, input=(DEPLOY / "uprobe-agent.daemonset.yaml").read_text())
    return next(each for each in json.loads(text) if each["kind"] == kind)


def test_the_other_yaml_files_are_read():
    for name in ("prometheus-kubernetes.yml", "otel-collector.yaml"):
        tool("/usr/bin/python3", "-c", "import sys, yaml; yaml.safe_load(sys.stdin)", input=(DEPLOY / name).read_text())


@pytest.mark.parametrize("configuration", ["toml", "daemonset"])
def test_the_configurations_are_right(tmp_path, configuration):
    """Whether a rule finds something depends on the machine: 0 or 1, and not 2."""
    file = tmp_path / "agent.toml"
    file.write_text(
        (DEPLOY / "uprobe-agent.toml").read_text() if configuration == "toml"
        else manifest("ConfigMap")["data"]["agent.toml"]
    )
    done = subprocess.run(
        [str(PROGRAM), "--config", str(file), "--check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode in (0, 1), done.stderr


# ---- systemd

def test_systemd_accepts_the_unit(tmp_path):
    unit = tmp_path / "uprobe-agent.service"
    unit.write_text(UNIT.replace("/usr/bin/uprobe-agent", str(PROGRAM)))
    assert tool("systemd-analyze", "verify", unit) == ""


def test_it_tells_systemd_how_far_it_is(start_agent, programs, tmp_path):
    """Type=notify waits for that."""
    assert re.search(r"^Type=notify$", UNIT, re.M)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(PATIENCE)
        agent = start_agent(everything(programs), launch=lambda command: [
            "env", f"NOTIFY_SOCKET={tmp_path / 'notify'}", "setpriv", only(unit_capabilities()), *command
        ])
        assert systemd.recv(100) == b"READY=1"
        agent.reload(everything(programs))
        assert [systemd.recv(100) for _ in range(2)] == [b"RELOADING=1", b"READY=1"]
        assert agent.end() == 0
        assert systemd.recv(100) == b"STOPPING=1"


def unit_capabilities() -> list[str]:
    names = re.search(r"^CapabilityBoundingSet=(.*)$", UNIT, re.M)[1].split()
    return [name.removeprefix("CAP_") for name in names]


def allowed_calls() -> set[str]:
    """What the lines of SystemCallFilter add and take away."""
    allowed: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", UNIT, re.M):
        calls = {call for word in line.lstrip("~").split() for call in members(word)}
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def members(word: str) -> set[str]:
    if not word.startswith("@"):
        return {word}
    listed = tool("systemd-analyze", "--no-pager", "syscall-filter", word).splitlines()[1:]
    words = [line.strip() for line in listed if not line.strip().startswith("#")]
    return {call for each in words if each for call in members(each)}


def only(capabilities: list[str]) -> str:
    return "--bounding-set=-all," + ",".join(f"+{name.lower()}" for name in capabilities)


def test_it_runs_with_the_capabilities_of_the_unit(start_agent, programs):
    agent = start_agent(everything(programs), launch=lambda command: [
        "setpriv", only(unit_capabilities()), *command
    ])
    with programs.start() as target:
        agent.wait_for(1, "uprobe_rule_attached_probes", rule="scoped")
        target.call(times=10)
        assert agent.calls("scoped") == 10


# The engine asks by a call of uprobe() how the kernel optimises, which systemd knows no name for; it takes a refusal.
ASKED = "syscall_0x150"


def test_it_makes_no_system_call_that_the_unit_forbids(start_agent, programs, tmp_path):
    calls = tmp_path / "calls"
    strace = ["strace", "-D", "-f", "-qq", "-s", "0", "-e", "signal=none", "-o", str(calls)]
    agent = start_agent(everything(programs), launch=lambda command: [*strace, *command])
    with programs.start() as target:
        agent.wait_for(1, "uprobe_rule_attached_probes", rule="scoped")
        target.call(times=10)
        agent.reload(everything(programs))
    agent.end()
    eventually("its end is written", lambda: "exit_group(" in calls.read_text())
    made = set(re.findall(r"^\d+ +(\w+)\(", calls.read_text(), re.M))
    assert "bpf" in made
    assert made - allowed_calls() - {ASKED} == set()


# ---- Kubernetes

POD = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
for folder in usr etc; do mkdir "$1/$folder"; mount --rbind -o ro "/$folder" "$1/$folder"; done
for link in bin lib lib64; do cp -P "/$link" "$1/"; done
mkdir "$1/proc" "$1/sys" "$1/agent"
mount -t proc proc "$1/proc"
mount -t sysfs -o ro sysfs "$1/sys"
cp "$2" "$1/agent/uprobe-agent"
cp "$3" "$1/agent/agent.toml"
exec chroot "$1" setpriv "$4" /agent/uprobe-agent --config /agent/agent.toml
"""


def test_it_observes_processes_outside_of_its_container(start_agent, programs, tmp_path):
    """What a pod of the DaemonSet is to the kernel: namespaces, root and capabilities of its own, all processes."""
    security = manifest("DaemonSet")["spec"]["template"]["spec"]["containers"][0]["securityContext"]
    bounding = only(security["capabilities"]["add"])
    root = tmp_path / "root"
    root.mkdir()
    rules = f"""
        [[rule]]
        name = "pods"
        specs = ["libknown.so:shared_0000"]
        scope = {{ exe = "{programs.known}" }}
        attach = "file"
    """
    script = ["unshare", "--mount", "--cgroup", "sh", "-c", POD, "pod", str(root), str(PROGRAM)]
    with programs.start() as target:
        agent = start_agent(rules, launch=lambda command: [*script, command[2], bounding])
        agent.wait_for(1, "uprobe_rule_attached_probes", rule="pods")
        target.call(times=30)
        with programs.start() as another:
            another.call(times=12)
        assert agent.calls("pods", binary=str(programs.library)) == 42
