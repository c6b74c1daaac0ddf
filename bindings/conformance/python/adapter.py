# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The adapter of Python: does the steps of the conformance cases with the idiomatic layer.

One JSON object a line on standard input, one answer a line; ../README.md has the vocabulary.
"""

import contextlib
import json
import sys
import time
from select import select as select_now

import uprobe_multi as um
from uprobe_multi.errors import last_error, make_error

RESOLVE_FLAGS = {
    "debug_always": {"debug_files": "always"},
    "debug_never": {"debug_files": "never"},
    "debuginfod": {"debuginfod": True},
    "all_matches": {"all_matches": True},
    "accept_unwinding": {"accept_unwinding": True},
}
ENUMS = {"kind": um.Kind, "verdict": um.Verdict, "cost": um.Cost, "backend": um.Backend}
OPTIONS = ("pids", "backend", "probes_per_link", "placement")
VERBS = {}
handles = {}


def verb(function):
    VERBS[function.__name__] = function
    return function


def number(value):
    """As JSON has it: numbers beyond what all languages can read are decimal texts."""
    return str(value) if value >= 2**63 else value


def numbers(step, key):
    return [int(value) for value in step[key]] if key in step else None


def keep(step, handle):
    handles[step["as"]] = handle
    return handle


class Enough(Exception):
    """What ends a call from inside its progress function."""


def cancel_at(step):
    """A progress function that ends the call when it has been called so many times."""
    left = step.get("cancel_at", 0)

    def progress(_stage, _done, _total):
        nonlocal left
        left -= 1
        if left <= 0:
            raise Enough

    return progress if left else None


def attach_options(step):
    flags = {name: True for name in step.get("flags", [])}
    options = {key: step[key] for key in OPTIONS if key in step}
    return {**flags, **options, "progress": cancel_at(step)}


# Probes


@verb
def version(_step):
    return {"version": um.library_version()}


@verb
def names(step):
    return {"names": [str(member) for member in ENUMS[step["of"]]]}


@verb
def demangle(step):
    return {"name": um.demangle(step["symbol"])}


@verb
def check(_step):
    return {name: str(answer) for name, answer in um.check().to_dict().items()}


@verb
def resolve(step):
    options = {key: step[key] for key in ("pids", "program") if key in step}
    for flag in step.get("flags", []):
        options.update(RESOLVE_FLAGS[flag])
    found = um.resolve(*step["specs"], progress=cancel_at(step), **options)
    return {"probes": len(keep(step, found))}


@verb
def new(step):
    return {"probes": len(keep(step, um.ProbeSet()))}


@verb
def add(step):
    probes = handles[step["of"]]
    probes.add(
        step["paths"],
        numbers(step, "offsets"),
        kind=step.get("kind", "uprobe"),
        ref_ctr_offsets=numbers(step, "ref_ctr_offsets"),
        cookies=numbers(step, "cookies"),
    )
    return {"probes": len(probes)}


@verb
def count_verdict(step):
    return {"count": handles[step["of"]].count_verdict(step["verdict"])}


@verb
def cookies(step):
    handles[step["of"]].cookies = numbers(step, "cookies")
    return {}


@verb
def select(step):
    return {"probes": len(keep(step, handles[step["of"]].select(step["indexes"])))}


@verb
def sites(step):
    handles[step["of"]].place(step.get("observer"))
    return {}


@verb
def join(step):
    handles[step["of"]].join(handles[step["other"]])
    return {"probes": len(handles[step["of"]])}


def argument_json(argument):
    return {
        "place": argument.place.name.lower(),
        "width": argument.width,
        "signed": argument.is_signed,
        "float": argument.is_float,
        "text": argument.text,
        "reason": argument.reason,
    }


def field_json(probe, field):
    value = getattr(probe, field)
    if field == "arguments":
        return [argument_json(argument) for argument in value]
    if field in ("kind", "verdict", "cost", "site_cost", "return_verdict"):
        return str(value)
    return number(int(value)) if isinstance(value, int) else value


def probe_list(step, probes):
    return {"probes": [{field: field_json(probe, field) for field in step["fields"]}
                       for probe in probes]}


@verb
def probes(step):
    handle = handles[step["of"]]
    return probe_list(step, handle.probes if isinstance(handle, um.Observer) else handle)


# Links and objects


def link_json(link):
    return {
        "attached": link.attached_count,
        "skipped": link.skipped_count,
        "backend": str(link.backend),
    }


@verb
def open_object(step):
    programs = keep(step, um.Object(step["path"])).programs
    return {"programs": [
        {"name": each.name, "section": each.section, "spec": each.spec, "kind": str(each.kind),
         "session": each.session, "sleepable": each.sleepable}
        for each in programs
    ]}


@verb
def map(step):
    return {"found": handles[step["of"]].map_fd(step["name"]) >= 0}


@verb
def attach_object(step):
    return link_json(keep(step, um.attach(
        handles[step["object"]], step.get("specs"), name=step.get("program"),
        **attach_options(step),
    )))


@verb
def attach(step):
    program = handles[step["object"]].program(step["program"])
    descriptor = program.fileno()
    return link_json(keep(step, um.attach(
        descriptor, handles[step["set"]], **attach_options(step)
    )))


@verb
def link(step):
    of = handles[step["of"]]
    kernel = [
        {"path": each.path, "files": each.files, "probes": each.probes, "kind": str(each.kind),
         "limited": each.pid != 0, "known": each.id != 0}
        for each in of.kernel_links
    ]
    return {**link_json(of), "timed": of.attach_seconds > 0, "kernel_links": kernel}


@verb
def attached(step):
    return probe_list(step, handles[step["of"]].attached)


@verb
def skipped(step):
    return probe_list(step, handles[step["of"]].skipped)


@verb
def detach(step):
    handles[step["of"]].detach()
    return {}


@verb
def pin_link(step):
    handles[step["of"]].pin(step["path"])
    return {}


@verb
def open_link(step):
    return link_json(keep(step, um.open_link(step["path"])))


@verb
def unpin_link(step):
    um.unpin_link(step["path"])
    return {}


# Observers


def observer_json(observer):
    return {"kind": observer.kind, **link_json(observer)}


@verb
def count(step):
    return observer_json(keep(step, um.count(handles[step["set"]], **attach_options(step))))


@verb
def hits(step):
    observer = handles[step["of"]]
    found = observer.hits()
    return {
        "hits": [number(each) for each in found],
        "total": number(sum(found)),
        "lost_processes": observer.lost_processes,
    }


@verb
def stop(step):
    handles[step["of"]].stop()
    return {}


@verb
def latency(step):
    own = {key: step[key] for key in ("split", "most_rows") if key in step}
    return observer_json(keep(step, um.latency(
        handles[step["set"]], **own, **attach_options(step)
    )))


def is_in_order(row):
    """Are extremes, percentiles and sum what they can be, and do the buckets hold every call?"""
    middle, high = row.percentile(0.5), row.percentile(0.99)
    return (
        sum(row.counts) == row.calls
        and row.min_ns <= middle <= high <= row.max_ns
        and row.min_ns * row.calls <= row.sum_ns <= row.max_ns * row.calls
    )


def snapshot_json(found):
    rows = [
        {"symbol": row.probe.symbol, "entries": row.entries, "calls": row.calls,
         "unreturned": row.unreturned, "timed": row.sum_ns > 0, "in_order": is_in_order(row),
         "of_process": row.pid != 0, "of_thread": row.tid != 0}
        for row in found
    ]
    return {"rows": rows, "lost": found.lost, "dated": found.time_ns > 0}


@verb
def snapshot(step):
    return snapshot_json(keep(step, handles[step["of"]].snapshot()))


@verb
def merge(step):
    return snapshot_json(keep(step, handles[step["of"]] + handles[step["other"]]))


@verb
def diff(step):
    return snapshot_json(keep(step, handles[step["of"]] - handles[step["other"]]))


@verb
def bucket(step):
    low, high = um.bucket_bounds(step["bucket"])
    return {"low": number(low), "high": number(high)}


@verb
def trace(step):
    own = {key: step[key] for key in (
        "ring_bytes", "text_bytes", "stack_frames", "filter", "comm", "sample", "rate"
    ) if key in step}
    own["arguments"] = step.get("probe_arguments", step.get("arguments"))
    flags = {key: bool(step[key]) for key in ("returns", "stacks") if key in step}
    return observer_json(keep(step, um.trace(
        handles[step["set"]], **own, **flags, **attach_options(step)
    )))


def value_json(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int) and not isinstance(value, bool):
        return number(value)
    return value


def event_json(event):
    return {
        "kind": str(event.kind),
        "symbol": event.probe.symbol,
        "comm": event.comm,
        "arguments": {name: value_json(value) for name, value in event.values.items()},
        "result": value_json(event.result),
        "took_time": event.duration_ns > 0,
        "truncated": event.truncated,
        "stack": len(event.stack) > 0,
    }


def batch_value(one, index, argument):
    """Argument number index of an array of one event."""
    if int(one["unreadable"][0]) >> index & 1:
        return None
    if argument.form == um.Form.STRING:
        return one.strings(index)[0]
    if argument.form == um.Form.BYTES:
        return one.buffers(index)[0].hex()
    return number_json(int(one["arguments"][0][index]), argument)


def number_json(value, argument):
    """What a number of an event stands for."""
    if argument.form in (um.Form.UNREADABLE, um.Form.NONE):
        return None
    if argument.form == um.Form.CHARACTER:
        return chr(value)
    if argument.form == um.Form.BOOLEAN:
        return bool(value)
    return number(value - (value >> 63 << 64) if argument.form == um.Form.SIGNED else value)


def batch_json(one):
    """As event_json(), of an array of one event: with NumPy, without an object for the event."""
    known = one.signature()
    kind = um.EventKind(int(one["kind"][0]))
    returned = kind in (um.EventKind.RETURN, um.EventKind.CALL)
    arguments = known.arguments[: int(one["argument_count"][0])]
    return {
        "kind": str(kind),
        "symbol": known.probe.symbol,
        "comm": one["comm"][0].decode(),
        "arguments": {each.name: batch_value(one, index, each)
                      for index, each in enumerate(arguments)},
        "result": number_json(int(one["result"][0]), known.result) if returned else None,
        "took_time": bool(one["duration_ns"][0] > 0),
        "truncated": int(one["truncated"][0]),
        "stack": len(one.stack(0)) > 0,
    }


@verb
def read(step):
    batch = handles[step["of"]].read_batch(0, events=step.get("most", 0))
    events = [batch_json(batch[index : index + 1]) for index in range(len(batch))]
    return {"events": events, "with_text": len(batch.text) > 0}


@verb
def drain(step):
    """Until the time is over and nothing is there. Hits that become fewer are a failure."""
    trace, counted = handles[step["of"]], handles.get(step.get("hits"))
    limit = step.get("milliseconds", 0) / 1000
    end = time.monotonic() + limit
    events = snapshots = before = 0
    fell = False
    while True:
        found = len(trace.read_batch(0.01 if limit else 0))
        events += found
        if counted is not None:
            hits = sum(counted.hits())
            fell, before, snapshots = fell or hits < before, hits, snapshots + 1
        if time.monotonic() >= end and (limit or not found):
            return {"events": events, "snapshots": snapshots, "fell": fell}


@verb
def next(step):
    event = handles[step["of"]].next(0)
    return {"event": event and event_json(event)}


@verb
def run(step):
    taken = []

    def take(event):
        taken.append(event_json(event))
        return len(taken) == step.get("end_at")

    return {"ended": bool(handles[step["of"]].run(take, 0)), "events": taken}


@verb
def wait(step):
    ready, _, _ = select_now([handles[step["of"]]], [], [], 0)
    return {"ready": len(ready) > 0}


@verb
def counts(step):
    return {"counts": [each._asdict() for each in handles[step["of"]].counts()]}


def described(argument):
    return {"name": argument.name, "type": argument.type, "form": argument.form.name.lower(),
            "width": argument.width}


@verb
def signature(step):
    found = handles[step["of"]].signature(step.get("probe", 0))
    return {"arguments": [described(each) for each in found.arguments],
            "result": described(found.result)}


def place_json(found):
    return {"path": found.path, "symbol": found.symbol, "inside": found.offset > 0,
            "in_file": found.file_offset > 0}


@verb
def place(step):
    with contextlib.closing(um.Symbolizer()) as symbolizer:
        return {"place": place_json(symbolizer.find(step["pid"], step["address"]))}


@verb
def stack(step):
    event = handles[step["of"]].next(0)
    with contextlib.closing(um.Symbolizer()) as symbolizer:
        found = [symbolizer.find(event.pid, address, after_call=index > 0)
                 for index, address in enumerate(event.stack[: step["frames"]])]
    return {"places": [place_json(each) for each in found]}


@verb
def pin(step):
    handles[step["of"]].pin(step["name"])
    return {}


@verb
def open(step):
    return observer_json(keep(step, um.open(step["name"])))


@verb
def unpin(step):
    um.unpin(step["name"])
    return {}


@verb
def list_pinned(step):
    return {"pinned": [
        {"name": each.name, "problem": each.problem, "kind": each.kind, "probes": each.probes,
         "attached": each.attached, "kernel_links": each.kernel_links,
         "dated": each.created.timestamp() > 0,
         "signed": each.creator != "" and each.creator_pid > 0}
        for each in um.list_pinned(step.get("directory"))
    ]}


# The adapter itself


@verb
def free(step):
    handles.pop(step["of"]).close()
    return {}


@verb
def reset(_step):
    while handles:
        handles.popitem()[1].close()
    return {}


def error_json(error):
    return {
        "code": error.code,
        "name": error.name,
        "errno": error.errno,
        "operation": error.operation,
        "object": error.object,
        "message": error.message,
        "hint": error.hint,
    }


def answer(line):
    step = json.loads(line)
    try:
        return {"ok": VERBS[step["do"]](step)}
    except um.Error as error:
        return {"error": error_json(error)}
    except Enough:
        return {"error": error_json(make_error(last_error()))}


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    with contextlib.suppress(KeyboardInterrupt):
        for line in sys.stdin:
            print(json.dumps(answer(line), sort_keys=True, ensure_ascii=False,
                             separators=(",", ":")), flush=True)


main()
