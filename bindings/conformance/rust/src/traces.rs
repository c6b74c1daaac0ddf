// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Steps of traces.
use std::ffi::{c_int, c_short, c_ulong};
use std::ops::ControlFlow;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use serde_json::{json, Map, Value as Json};
use uprobe_multi::{
    AnyObserver, Batch, Event, EventArgument, EventKind, Form, Location, Probe, Result, Storage,
    Symbolizer, Trace, Value,
};

use crate::handles::Handles;
use crate::observers::keep_observer;
use crate::values::{number, Step};
use crate::{with_options, Verb};

pub fn verb(name: &str) -> Option<Verb> {
    Some(match name {
        "trace" => trace,
        "next" => |step, handles| {
            let event = handles
                .trace(step.text("of"))
                .next_event(Some(Duration::ZERO))?;
            Ok(json!({ "event": event.map(|event| event_json(&event)) }))
        },
        "read" => |step, handles| {
            let most = step.number_or_none("most").unwrap_or(0);
            let mut batch = Batch::with_capacity(most as usize, 0)?;
            handles
                .trace(step.text("of"))
                .read(&mut batch, Some(Duration::ZERO))?;
            let events: Vec<_> = batch.iter().map(|event| event_json(&event)).collect();
            Ok(json!({ "events": events, "with_text": !batch.text().is_empty() }))
        },
        "run" => run,
        "drain" => drain,
        "wait" => |step, handles| {
            let ready = is_readable(handles.trace(step.text("of")).fd()?);
            Ok(json!({ "ready": ready }))
        },
        "stack" => stack,
        "place" => |step, _| {
            let mut symbolizer = Symbolizer::new()?;
            let address = step.number_or_none("address").expect("an address");
            let place = symbolizer.find(step.small("pid"), address, false)?;
            Ok(json!({ "place": place_json(&place) }))
        },
        "counts" => counts,
        "signature" => signature,
        _ => return None,
    })
}

fn trace(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let mut builder = with_options!(Trace::new(handles.set(step.text("set"))), step)
        .returns(step.truth("returns"))
        .stacks(step.truth("stacks"))
        .ring_bytes(step.small("ring_bytes"))
        .text_bytes(step.small("text_bytes"))
        .stack_frames(step.small("stack_frames"))
        .sample(step.small("sample"))
        .rate(step.small("rate"))
        .tids(
            step.numbers("tids")
                .into_iter()
                .flatten()
                .map(|tid| tid as u32),
        );
    if let Some(arguments) = step.text_or_none("arguments") {
        builder = builder.arguments(arguments);
    }
    if let Some(by_function) = step.0["probe_arguments"].as_object() {
        let set = handles.set(step.text("set"));
        let of = |probe: Probe<'_>| {
            by_function
                .get(probe.symbol().as_ref())
                .and_then(Json::as_str)
        };
        builder = builder.probe_arguments(set.iter().map(of));
    }
    if let Some(filter) = step.text_or_none("filter") {
        builder = builder.filter(filter);
    }
    if let Some(comm) = step.text_or_none("comm") {
        builder = builder.comm(comm);
    }
    let trace = builder.start()?;
    keep_observer(step, handles, AnyObserver::Trace(trace))
}

fn value_json(value: Value<'_>) -> Json {
    match value {
        Value::Unsigned(value) | Value::Pointer(value) => number(value),
        Value::Signed(value) => json!(value),
        Value::String(bytes) => json!(String::from_utf8_lossy(bytes)),
        Value::Bytes(bytes) => bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            .into(),
        Value::Character(byte) => json!(char::from(byte).to_string()),
        Value::Boolean(truth) => json!(truth),
        _ => Json::Null,
    }
}

fn kind_name(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Entry => "entry",
        EventKind::Return => "return",
        EventKind::Usdt => "usdt",
        EventKind::Call => "call",
        _ => "?",
    }
}

fn event_json<S: Storage>(event: &Event<S>) -> Json {
    let arguments: Map<_, _> = event
        .arguments()
        .map(|(argument, value)| (argument.name.clone(), value_json(value)))
        .collect();
    json!({
        "kind": kind_name(event.kind()),
        "symbol": event.signature().symbol,
        "comm": event.comm(),
        "arguments": arguments,
        "result": event.result().map(value_json),
        "took_time": event.duration().is_some_and(|time| !time.is_zero()),
        "truncated": event.raw().truncated,
        "stack": event.stack().len() > 0,
    })
}

fn run(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let end_at = step.number_or_none("end_at");
    let mut taken = Vec::new();
    let flow = handles
        .trace(step.text("of"))
        .run(Some(Duration::ZERO), |event| {
            taken.push(event_json(&event));
            match end_at {
                Some(end) if taken.len() as u64 == end => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        })?;
    Ok(json!({ "ended": flow.is_break(), "events": taken }))
}

/// Whether a read would not have to wait: poll(2).
fn is_readable(fd: BorrowedFd<'_>) -> bool {
    #[repr(C)]
    struct PollFd {
        fd: c_int,
        events: c_short,
        revents: c_short,
    }
    extern "C" {
        fn poll(fds: *mut PollFd, count: c_ulong, timeout: c_int) -> c_int;
    }
    const POLLIN: c_short = 1;
    let mut asked = PollFd {
        fd: fd.as_raw_fd(),
        events: POLLIN,
        revents: 0,
    };
    // SAFETY: one structure, as poll(2) has it.
    unsafe { poll(&mut asked, 1, 0) > 0 }
}

fn place_json(place: &Location<'_>) -> Json {
    json!({
        "path": place.path().to_string_lossy(),
        "symbol": place.symbol(),
        "inside": place.offset() > 0,
        "in_file": place.file_offset() > 0,
    })
}

fn stack(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let event = handles
        .trace(step.text("of"))
        .next_event(Some(Duration::ZERO))?
        .expect("an event");
    let mut symbolizer = Symbolizer::new()?;
    let places = event
        .stack()
        .take(step.small("frames") as usize)
        .enumerate()
        .map(|(frame, address)| {
            let place = symbolizer.find(event.pid(), address, frame > 0)?;
            Ok(place_json(&place))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(json!({ "places": places }))
}

/// Until the time is over and nothing is there. Hits that become fewer are a failure.
fn drain(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let limit = Duration::from_millis(step.number_or_none("milliseconds").unwrap_or(0));
    let end = Instant::now() + limit;
    let wait = if limit.is_zero() { 0 } else { 10 };
    let mut batch = Batch::new()?;
    let (mut events, mut snapshots, mut before, mut fell) = (0, 0, 0, false);
    loop {
        handles
            .trace(step.text("of"))
            .read(&mut batch, Some(Duration::from_millis(wait)))?;
        events += batch.len();
        if let Some(counted) = step.text_or_none("hits") {
            let hits = handles.observer(counted).hits()?.iter().sum::<u64>();
            fell |= hits < before;
            before = hits;
            snapshots += 1;
        }
        if Instant::now() >= end && (wait > 0 || batch.is_empty()) {
            return Ok(json!({ "events": events, "snapshots": snapshots, "fell": fell }));
        }
    }
}

fn counts(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let counts = handles.trace(step.text("of")).counts()?;
    let shown: Vec<_> = counts
        .iter()
        .map(|count| {
            json!({
                "hits": count.hits,
                "events": count.events,
                "filtered": count.filtered,
                "lost": count.lost,
                "unreturned": count.unreturned,
                "refused": count.refused,
            })
        })
        .collect();
    Ok(json!({ "counts": shown }))
}

fn described(argument: &EventArgument) -> Json {
    let form = match argument.form {
        Form::Nothing => "none".to_owned(),
        form => format!("{form:?}").to_lowercase(),
    };
    json!({
        "name": argument.name,
        "type": argument.type_name,
        "form": form,
        "width": argument.width,
    })
}

fn signature(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let trace = handles.trace(step.text("of"));
    let known = trace.signature(step.small("probe") as usize);
    Ok(json!({
        "arguments": known.arguments.iter().map(described).collect::<Vec<_>>(),
        "result": described(&known.result),
    }))
}
