// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Steps of counts and latencies, and of all observers.
use serde_json::{json, Value as Json};
use uprobe_multi::{
    AnyObserver, Count, Latency, LatencyRow, LatencySnapshot, PinnedList, Result, Split,
};

use crate::handles::{done, Handle, Handles};
use crate::links::link_json;
use crate::values::{number, Step};
use crate::{with_options, Verb};

pub fn verb(name: &str) -> Option<Verb> {
    Some(match name {
        "count" => |step, handles| {
            let count = with_options!(Count::new(handles.set(step.text("set"))), step).start()?;
            keep_observer(step, handles, AnyObserver::Count(count))
        },
        "hits" => hits,
        "stop" => |step, handles| {
            handles.observer_mut(step.text("of")).stop()?;
            done()
        },
        "latency" => latency,
        "snapshot" => snapshot,
        "merge" => |step, handles| combine(step, handles, LatencySnapshot::merge),
        "diff" => |step, handles| combine(step, handles, LatencySnapshot::since),
        "bucket" => |step, _| {
            let bucket = step.number_or_none("bucket").expect("a bucket");
            let (low, high) = uprobe_multi::bucket_bounds(bucket as usize)?;
            Ok(json!({ "low": number(low), "high": number(high) }))
        },
        "pin" => |step, handles| {
            handles
                .observer_mut(step.text("of"))
                .pin(step.text("name"))?;
            done()
        },
        "open" => |step, handles| {
            let observer = AnyObserver::open(step.text("name"))?;
            keep_observer(step, handles, observer)
        },
        "unpin" => |step, _| {
            uprobe_multi::unpin(step.text("name"))?;
            done()
        },
        "list_pinned" => list_pinned,
        _ => return None,
    })
}

pub fn keep_observer(
    step: &Step<'_>,
    handles: &mut Handles,
    observer: AnyObserver,
) -> Result<Json> {
    let mut answer = link_json(observer.link());
    answer["kind"] = json!(observer.kind().to_string());
    handles.keep(step, Handle::Observer(observer));
    Ok(answer)
}

fn hits(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let observer = handles.observer(step.text("of"));
    let hits = observer.hits()?;
    Ok(json!({
        "hits": hits.iter().copied().map(number).collect::<Vec<_>>(),
        "total": number(hits.iter().sum()),
        "lost_processes": number(observer.lost_processes()),
    }))
}

fn latency(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let split = match step.text_or_none("split").unwrap_or("none") {
        "process" => Split::Process,
        "thread" => Split::Thread,
        _ => Split::None,
    };
    let builder = with_options!(Latency::new(handles.set(step.text("set"))), step);
    let latency = builder
        .split(split)
        .most_rows(step.small("most_rows"))
        .start()?;
    keep_observer(step, handles, AnyObserver::Latency(latency))
}

/// Are extremes, percentiles and sum what they can be, and do the buckets hold every call?
fn is_in_order(row: &LatencyRow<'_>) -> bool {
    let (middle, high) = (row.percentile(0.5), row.percentile(0.99));
    row.counts().iter().sum::<u64>() == row.calls()
        && row.min_ns() <= middle
        && middle <= high
        && high <= row.max_ns()
        && row.min_ns() * row.calls() <= row.sum_ns()
        && row.sum_ns() <= row.max_ns().saturating_mul(row.calls())
}

fn keep_snapshot(
    step: &Step<'_>,
    handles: &mut Handles,
    snapshot: LatencySnapshot,
    symbols: Vec<String>,
) -> Result<Json> {
    let rows: Vec<_> = snapshot
        .rows()
        .map(|row| {
            json!({
                "symbol": symbols[row.probe()],
                "entries": row.entries(),
                "calls": row.calls(),
                "unreturned": row.unreturned(),
                "timed": row.sum_ns() > 0,
                "in_order": is_in_order(&row),
                "of_process": row.pid().is_some(),
                "of_thread": row.tid().is_some(),
            })
        })
        .collect();
    let answer = json!({
        "rows": rows,
        "lost": snapshot.lost(),
        "dated": snapshot.time_ns() > 0,
    });
    handles.keep(step, Handle::Snapshot(snapshot, symbols));
    Ok(answer)
}

fn snapshot(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let AnyObserver::Latency(latency) = handles.observer(step.text("of")) else {
        panic!("{} is no latency", step.text("of"));
    };
    let symbols = latency
        .probes()
        .iter()
        .map(|probe| probe.symbol().into_owned())
        .collect();
    let snapshot = latency.snapshot()?;
    keep_snapshot(step, handles, snapshot, symbols)
}

fn combine(
    step: &Step<'_>,
    handles: &mut Handles,
    combine: fn(&LatencySnapshot, &LatencySnapshot) -> Result<LatencySnapshot>,
) -> Result<Json> {
    let (one, symbols) = handles.snapshot(step.text("of"));
    let (other, _) = handles.snapshot(step.text("other"));
    let (combined, symbols) = (combine(one, other)?, symbols.clone());
    keep_snapshot(step, handles, combined, symbols)
}

fn list_pinned(step: &Step<'_>, _: &mut Handles) -> Result<Json> {
    let list = match step.text_or_none("directory") {
        Some(directory) => PinnedList::read_directory(directory)?,
        None => PinnedList::read()?,
    };
    let pinned: Vec<_> = list
        .iter()
        .map(|each| {
            json!({
                "name": each.name(),
                "problem": each.problem(),
                "kind": each.kind().map_or("?".into(), |kind| kind.to_string()),
                "probes": each.probe_count(),
                "attached": each.attached_count(),
                "kernel_links": each.kernel_link_count(),
                "dated": each.created() > std::time::UNIX_EPOCH,
                "signed": !each.creator().is_empty() && each.creator_pid() > 0,
            })
        })
        .collect();
    Ok(json!({ "pinned": pinned }))
}
