// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What Rust costs, and what other Rust libraries do in its place. What is compared takes turns
//! in one process, so that whatever slows the machine down slows both; medians are shown.
//!
//!     bench [FILE]        writes the figures as JSON, too
use std::fmt::Write;
use std::hint::black_box;
use std::os::fd::AsFd;
use std::ptr;
use std::time::{Duration, Instant};

use aya::programs::UProbe;
use libbpf_rs::ObjectBuilder;
use uprobe_multi::{Attach, Batch, Spec, Trace, TraceObserver, resolve, sys};
use uprobe_multi_integration::{Target, built};

const ROUNDS: usize = 7;
const EVENTS: u64 = 120_000; // they fit the ring of 16 MiB
const FEW: usize = 20; // detaching perf events one by one takes its time

/// Figures in the order in which they were taken.
#[derive(Default)]
struct Report(String);

/// Times of two that took turns, in nanoseconds.
struct Pair {
    base: (&'static str, Vec<f64>),
    ours: (&'static str, Vec<f64>),
}

impl Report {
    fn object(&mut self, fields: std::fmt::Arguments) {
        let comma = if self.0.is_empty() { "" } else { ",\n" };
        write!(self.0, "{comma}  {{{fields}}}").expect("to memory");
    }

    fn add(&mut self, name: &str, what: &str, value: f64, unit: &str) {
        println!("  {what:<58} {value:>12.2} {unit}");
        let what = what.trim_start();
        self.object(format_args!(
            r#""name": "{name}", "what": "{what}", "value": {value:.3}, "unit": "{unit}""#
        ));
    }

    /// For tests/bench, which makes rows of its table of them.
    fn pair(&mut self, name: &str, what: &str, probes: usize, pair: &Pair) {
        for (name, times) in [&pair.base, &pair.ours] {
            println!("  {name:<58} {:>12.2} ms", median(times.clone()) / 1e6);
        }
        let ((base, base_ns), (ours, our_ns)) = (&pair.base, &pair.ours);
        self.object(format_args!(
            r#""name": "{name}", "what": "{what}", "probes": {probes}, "base": "{base}", "ours": "{ours}", "base_ns": {base_ns:.0?}, "our_ns": {our_ns:.0?}"#
        ));
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}

/// A trace that has been stopped with a full ring.
fn full_ring(target: &mut Target) -> TraceObserver {
    let mut trace = Trace::new(format!("{}:counted", target.path))
        .pid(target.pid)
        .start()
        .expect("a trace");
    target.ask(&format!("count {EVENTS}"));
    trace.stop().expect("stopped");
    trace
}

/// As C does: upm_trace_read(), and a pointer that walks over the events.
fn read_as_c(raw: *mut sys::upm_observer) -> u64 {
    let (mut count, mut sum) = (0, 0u64);
    // SAFETY: nobody else uses the observer meanwhile.
    unsafe {
        let mut batch = ptr::null_mut();
        assert_eq!(sys::upm_batch_new(0, 0, &mut batch), 0);
        loop {
            assert_eq!(sys::upm_trace_read(raw, batch, 0), 0);
            let size = sys::upm_batch_size(batch);
            if size == 0 {
                break;
            }
            let mut event = sys::upm_batch_events(batch);
            for _ in 0..size {
                sum = sum.wrapping_add((*event).arguments[0]);
                event = event.add(1);
            }
            count += size as u64;
        }
        sys::upm_batch_free(batch);
    }
    black_box(sum);
    count
}

fn read_by_iterator(trace: &mut TraceObserver) -> u64 {
    let (mut count, mut sum) = (0, 0u64);
    for event in trace.events_for(Duration::ZERO) {
        sum = sum.wrapping_add(event.expect("an event").raw().arguments[0]);
        count += 1;
    }
    black_box(sum);
    count
}

fn read_by_borrowing(trace: &mut TraceObserver) -> u64 {
    let (mut count, mut sum) = (0, 0u64);
    let mut events = trace.events_for(Duration::ZERO);
    while let Some(event) = events.next_ref().expect("events") {
        sum = sum.wrapping_add(event.raw().arguments[0]);
        count += 1;
    }
    black_box(sum);
    count
}

fn read_by_slices(trace: &mut TraceObserver) -> u64 {
    let (mut count, mut sum) = (0, 0u64);
    let mut batch = Batch::new().expect("memory");
    while trace
        .read(&mut batch, Some(Duration::ZERO))
        .expect("events")
        > 0
    {
        for event in batch.as_slice() {
            sum = sum.wrapping_add(event.arguments[0]);
        }
        count += batch.len() as u64;
    }
    black_box(sum);
    count
}

fn events(report: &mut Report) {
    println!("{EVENTS} events from a full ring, million a second; and beside C in the same turn:");
    let mut target = Target::start("traced");
    let mut rates = [const { Vec::new() }; 4];
    for round in 0..2 * ROUNDS {
        for turn in 0..rates.len() {
            // There and back, so that none is always first.
            let way = if round % 2 == 0 {
                turn
            } else {
                rates.len() - 1 - turn
            };
            let mut trace = full_ring(&mut target);
            let raw = trace.as_raw();
            let (time, count) = seconds(|| match way {
                0 => read_as_c(raw),
                1 => read_by_iterator(&mut trace),
                2 => read_by_borrowing(&mut trace),
                _ => read_by_slices(&mut trace),
            });
            assert_eq!(count, EVENTS);
            rates[way].push(EVENTS as f64 / time / 1e6);
        }
    }
    let [c, iterator, borrowing, slices] = rates;
    let beside = |ours: &[f64]| median(ours.iter().zip(&c).map(|(ours, c)| ours / c).collect());
    let ratios = [beside(&iterator), beside(&borrowing), beside(&slices)];
    report.add("rust_events_c", "C: upm_trace_read()", median(c), "M/s");
    let ways = [
        (
            "iterator",
            "for event in trace.events(), each owned",
            iterator,
        ),
        (
            "borrowing",
            "while let Some(event) = events.next_ref()?",
            borrowing,
        ),
        ("slices", "trace.read(), batch.as_slice()", slices),
    ];
    for ((name, what, rates), ratio) in ways.into_iter().zip(ratios) {
        report.add(&format!("rust_events_{name}"), what, median(rates), "M/s");
        let goal = "  to C (goal: at least 0.9)";
        report.add(&format!("rust_events_{name}_to_c"), goal, ratio, "");
    }
}

fn attach(report: &mut Report) {
    println!("50,000 functions by one pattern, in a library that a process maps, ms:");
    let library = built("target/libmany-50000.so");
    let mut target = Target::known();
    let loaded = target.ask(&format!(
        "load path={} symbol=many_000000 times=0",
        library.display()
    ));
    assert_eq!(loaded, "load calls=0");
    let object = ObjectBuilder::default()
        .open_file(built("tests/bpf/sections.bpf.o"))
        .expect("an object");
    let object = object.load().expect("loaded");
    let program = object
        .progs_mut()
        .find(|program| program.name() == "entry")
        .expect("entry");
    let pair = |base, ours| Pair {
        base: (base, Vec::new()),
        ours: (ours, Vec::new()),
    };
    let mut attach = pair("libbpf-rs, attach_uprobe_multi()", "this crate");
    let mut detach = pair("libbpf-rs, detach", "this crate, detach");
    for _ in 0..ROUNDS {
        let spec = Spec::uprobe(library.display(), "many_*");
        let (attached, link) = seconds(|| Attach::new(spec).program(&program).expect("attached"));
        assert_eq!(link.attached_count(), 50_000);
        let (detached, ()) = seconds(|| drop(link));
        attach.ours.1.push(attached * 1e9);
        detach.ours.1.push(detached * 1e9);
        let (attached, link) = seconds(|| {
            program
                .attach_uprobe_multi(-1, &library, "many_*", false, false)
                .expect("attached")
        });
        let (detached, ()) = seconds(|| drop(link));
        attach.base.1.push(attached * 1e9);
        detach.base.1.push(detached * 1e9);
    }
    let what = "attach by a pattern, one process maps the file, from Rust";
    report.pair("rust_attach_50000", what, 50_000, &attach);
    let what = "let go, one process maps the file, from Rust";
    report.pair("rust_detach_50000", what, 50_000, &detach);
}

/// aya 0.13 has no multi attach: it attaches one function after another, through perf events.
fn attach_by_aya(report: &mut Report) {
    println!("{FEW} functions, of which aya takes one at a time, ms:");
    let library = built("target/libmany-50000.so");
    let set = resolve(Spec::uprobe(library.display(), "many_0000*")).expect("resolved");
    let set = set
        .select(&(0..FEW.min(set.len())).collect::<Vec<_>>())
        .expect("chosen");
    let mut ebpf = aya::Ebpf::load_file(built("tests/bpf/plain.bpf.o")).expect("an object");
    let program: &mut UProbe = ebpf
        .program_mut("plain")
        .expect("plain")
        .try_into()
        .expect("a uprobe");
    program.load().expect("loaded");
    let mut object =
        uprobe_multi::Object::open(built("tests/bpf/sections.bpf.o")).expect("an object");
    let (attached, ids) = seconds(|| -> Vec<_> {
        let mut attach = |offset| {
            program
                .attach(None, offset, &library, None)
                .expect("attached")
        };
        set.iter().map(|probe| attach(probe.offset())).collect()
    });
    let (detached, ()) = seconds(|| {
        for id in ids {
            program.detach(id).expect("detached");
        }
    });
    report.add(
        "rust_attach_aya",
        &format!("aya: {} times attach()", set.len()),
        attached * 1e3,
        "ms",
    );
    report.add("rust_detach_aya", "aya: detach", detached * 1e3, "ms");
    let plain = program.fd().expect("loaded").as_fd();
    let (attached, link) = seconds(|| Attach::new(&set).program(plain).expect("attached"));
    let (detached, ()) = seconds(|| drop(link));
    report.add(
        "rust_attach_aya_program",
        "this crate, aya's program, perf events",
        attached * 1e3,
        "ms",
    );
    report.add(
        "rust_detach_aya_program",
        "this crate: detach",
        detached * 1e3,
        "ms",
    );
    let (attached, link) = seconds(|| {
        Attach::new(&set)
            .object(&mut object, Some("entry"))
            .expect("attached")
    });
    let (detached, ()) = seconds(|| drop(link));
    report.add(
        "rust_attach_few",
        "this crate, a multi program",
        attached * 1e3,
        "ms",
    );
    report.add(
        "rust_detach_few",
        "this crate: detach",
        detached * 1e3,
        "ms",
    );
}

fn main() {
    let mut report = Report::default();
    events(&mut report);
    attach(&mut report);
    attach_by_aya(&mut report);
    if let Some(file) = std::env::args_os().nth(1) {
        std::fs::write(file, format!("[\n{}\n]\n", report.0)).expect("written");
    }
}
