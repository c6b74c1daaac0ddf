# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Processes and files that come and go while the agent runs."""
from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from programs import Programs, code_is_changed

# Calls as often as it is told, and becomes what it is told; says so when it has.
CALLER = """
import ctypes, os, sys
call = ctypes.CDLL("libc.so.6").getsid
print("ready", flush=True)
for line in sys.stdin:
    word, what = line.split()
    if word == "exec":
        os.execv(what, [what, sys.argv[0]])
    for _ in range(int(what)):
        call(0)
    print("done", flush=True)
"""


def test_a_new_process_is_counted_from_its_first_instruction(start_agent, programs):
    agent = start_agent(f"""
        [[rule]]
        name = "new"
        specs = ["{programs.known}:known_0000"]
    """)
    for _ in range(20):
        with programs.start() as target:
            target.call(times=10)
    assert agent.calls("new") == 200


@pytest.mark.parametrize("notify", ["true", "false"])
def test_only_processes_in_scope_are_counted(start_agent, programs, tmp_path, notify):
    """The others run the same library, and take no trap."""
    others = Programs(tmp_path / "others")
    others.library.unlink()
    others.library.hardlink_to(programs.library)
    agent = start_agent(f"""
        [[rule]]
        name = "scoped"
        specs = ["libknown.so:shared_0000"]
        scope = {{ exe = "{programs.known}" }}
        attach = "process"
    """, notify=notify)
    with others.start() as other, programs.start() as target:
        agent.wait_for(1, "uprobe_rule_attached_probes", rule="scoped")
        target.call(times=500)
        other.call(times=300)
        assert agent.calls("scoped") == 500
        assert agent.sum("uprobe_rule_processes", rule="scoped") == 1
        assert code_is_changed(target.pid, programs.library)
        assert not code_is_changed(other.pid, others.library)
        with programs.start() as second:
            agent.wait_for(2, "uprobe_rule_attached_probes", rule="scoped")
            second.call(times=40)
            target.call(times=5)
    assert agent.calls("scoped") == 545
    agent.wait_until(
        "no process in scope", lambda: agent.own("uprobe_rule_processes", rule="scoped") == 0
    )
    assert agent.calls("scoped") == 545


def test_a_library_that_is_loaded_later(start_agent, programs, tmp_path):
    """By dlopen() in a process that runs already; a rule that names the file counts from the first call."""
    late = tmp_path / "liblate.so"
    shutil.copy2(programs.library, late)
    agent = start_agent(f"""
        [[rule]]
        name = "found"
        specs = ["liblate.so:shared_0000"]
        scope = {{ process = "known", exe = "{programs.known}" }}
        attach = "process"
        [[rule]]
        name = "named"
        specs = ["{late}:shared_0000"]
    """)
    with programs.start() as target:
        agent.wait_for(1, "uprobe_rule_processes", rule="found")
        load = f"load path={late} symbol=shared_0000 times="
        assert target.ask(f"{load}30") == "load calls=30"
        assert agent.calls("named") == 30
        agent.wait_for(1, "uprobe_rule_attached_probes", rule="found")
        before = agent.calls("found")
        assert target.ask(f"{load}400") == "load calls=400"
        assert agent.calls("found") == before + 400
        assert agent.calls("named") == 430


@pytest.mark.parametrize("scope", ["", 'attach = "file"', 'attach = "process"'])
def test_a_library_that_is_replaced(start_agent, programs, scope):
    """New processes run the new file, the old one goes on with the old; both are one series."""
    specs = f"{programs.library}:shared_0000"
    if scope:
        specs, scope = "libknown.so:shared_0000", f'scope = {{ exe = "{programs.known}" }}\n{scope}'
    agent = start_agent(f"""
        [[rule]]
        name = "upgraded"
        specs = ["{specs}"]
        {scope}
    """)
    with programs.start() as old:
        agent.wait_for(1, "uprobe_rule_attached_probes", rule="upgraded")
        old.call(times=100)
        programs.replace("libknown.so")
        with programs.start() as new:
            agent.wait_for(2, "uprobe_rule_attached_probes", rule="upgraded")
            new.call(times=2000)
            old.call(times=30000)
            assert agent.calls("upgraded", binary=str(programs.library)) == 32100
    if '"file"' not in scope:  # which is kept for five minutes where a process had it
        kept = 0 if scope else 1
        agent.wait_until(
            "the old file is let go", lambda: agent.own("uprobe_rule_attached_probes", rule="upgraded") == kept
        )
    with programs.start() as newest:
        if "process" in scope:
            agent.wait_for(1, "uprobe_rule_attached_probes", rule="upgraded")
        newest.call(times=5)
        assert agent.calls("upgraded") == 32105


def test_a_file_that_is_not_there_yet(start_agent, programs, tmp_path):
    later = tmp_path / "later" / "libknown.so"
    later.parent.mkdir()
    agent = start_agent(f"""
        [[rule]]
        name = "later"
        specs = ["{later}:shared_0000"]
    """)
    assert agent.sum("uprobe_skipped_probes", rule="later") == 1
    shutil.copy2(programs.library, later.with_name("new"))
    later.with_name("new").rename(later)
    agent.wait_for(1, "uprobe_rule_attached_probes", rule="later")
    assert agent.sum("uprobe_skipped_probes", rule="later") <= 0
    with programs.start() as target:
        assert target.ask(f"load path={later} symbol=shared_0000 times=60") == "load calls=60"
    assert agent.calls("later") == 60


def test_after_exec_it_counts_under_the_new_name(start_agent, tmp_path):
    script = tmp_path / "caller.py"
    script.write_text(CALLER)
    old, new = (tmp_path / name for name in ("renamed-1", "renamed-2"))
    for name in (old, new):
        name.symlink_to(sys.executable)
    agent = start_agent("""
        [[rule]]
        name = "named"
        specs = ["libc.so.6:getsid"]
        scope = { process = "renamed-?" }
        attach = "process"
        by = ["process"]
    """)

    def series(name: str) -> bool:
        return any(f'process="{name}"' in sample for sample in agent.samples())

    with subprocess.Popen([old, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as caller:
        def tell(text: str) -> None:
            caller.stdin.write(text + "\n")
            assert caller.stdout.readline()

        assert caller.stdout.readline()
        agent.wait_for(1, "uprobe_rule_attached_probes", rule="named")
        tell("call 70")
        tell(f"exec {new}")
        agent.wait_until("the new name is known", lambda: series("renamed-2"))
        tell("call 5")
        assert agent.calls("named", process="renamed-1") == 70
        assert agent.calls("named", process="renamed-2") == 5
        caller.stdin.close()
    assert agent.calls("named") == 75
