// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Traces: topics 12, 25, 26.
use std::ops::ControlFlow;
use std::time::Duration;

use uprobe_multi::{
    AnyObserver, Batch, EventKind, Form, Resolver, Symbolizer, Trace, TraceObserver, Value,
};
use uprobe_multi_integration::{Target, built};

const INTEGERS: &str = "(int8_t s1, uint8_t u1, int16_t s2, uint16_t u2, int32_t s4, uint32_t u4, \
                        int64_t s8, uint64_t u8)";
const NOW: Option<Duration> = Some(Duration::ZERO);

fn trace_of<'a>(target: &Target, function: &str) -> Trace<'a> {
    Trace::new(format!("{}:{function}", target.path)).pid(target.pid)
}

/// Events of counted(0) … counted(n - 1).
fn counted(target: &mut Target, n: usize) -> TraceObserver {
    let trace = trace_of(target, "counted")
        .arguments("(uint64_t number)")
        .start()
        .unwrap();
    target.ask(&format!("count {n}"));
    trace
}

#[test]
fn arguments_keep_width_and_sign() {
    let mut target = Target::start("traced");
    let mut trace = trace_of(&target, "integers")
        .arguments(INTEGERS)
        .start()
        .unwrap();
    target.ask("integers");
    let event = trace.next_event(NOW).unwrap().unwrap();
    let values: Vec<_> = event
        .arguments()
        .map(|(known, value)| (known.name.as_str(), value))
        .collect();
    assert_eq!(values[0], ("s1", Value::Signed(-101)));
    assert_eq!(values[5], ("u4", Value::Unsigned(0xf2345678)));
    assert_eq!(values[6], ("s8", Value::Signed(-1234567890123456789)));
    assert_eq!(values[7], ("u8", Value::Unsigned(0xf23456789abcdef0)));
    assert_eq!(event.argument("s2"), Some(Value::Signed(-20202)));
    assert_eq!(
        event.argument("u8").unwrap().as_i128(),
        Some(0xf23456789abcdef0)
    );
    assert_eq!(event.argument("none"), None);
    assert_eq!(
        (event.kind(), event.pid(), event.tid()),
        (EventKind::Entry, target.pid, target.pid)
    );
    assert_eq!(
        (event.comm().as_ref(), event.probe(), event.name()),
        ("traced", 0, "integers")
    );
    assert!(event.result().is_none() && event.duration().is_none() && event.stack().len() == 0);
    assert!(
        event.to_string().contains("integers(s1=-101, u1=241, "),
        "{event}"
    );
    assert!(trace.next_event(NOW).unwrap().is_none());
}

#[test]
fn texts_and_results() {
    let mut target = Target::start("traced");
    let mut trace = trace_of(&target, "text")
        .arguments("(char *first, char *second)")
        .text_bytes(64)
        .start()
        .unwrap();
    target.ask("text");
    let event = trace.next_event(NOW).unwrap().unwrap();
    assert_eq!(
        event.argument("first").unwrap().as_str().as_deref(),
        Some("short")
    );
    assert!(event.to_string().contains("first=\"short\""), "{event}");
    assert!(event.is_truncated(1) && !event.is_truncated(0) && !event.is_truncated(99));
    assert!(event.argument("second").unwrap().as_bytes().unwrap().len() <= 64);
    let event = trace.next_event(NOW).unwrap().unwrap();
    assert_eq!(event.argument("first"), Some(Value::Unreadable), "NULL");
    assert_eq!(event.argument("second"), Some(Value::Unreadable));
    assert!(event.to_string().contains("first=?, second=?"), "{event}");

    let mut trace = trace_of(&target, "result_s4")
        .arguments("int32_t result_s4()")
        .returns(true)
        .start()
        .unwrap();
    target.ask("results");
    let event = trace.next_event(NOW).unwrap().unwrap();
    assert_eq!(
        (event.kind(), event.result()),
        (EventKind::Call, Some(Value::Signed(-70000)))
    );
    assert!(event.duration().unwrap() > Duration::ZERO);
    assert!(event.to_string().contains("= -70000 <"), "{event}");
    let known = trace.signature(0);
    assert_eq!(
        (known.result.form, known.result.width, known.symbol.as_str()),
        (Form::Signed, 4, "result_s4")
    );
}

#[test]
fn the_iterator_gives_events_that_can_be_kept() {
    let mut target = Target::start("traced");
    let mut trace = counted(&mut target, 10_000);
    let kept: Vec<_> = trace
        .events_for(Duration::ZERO)
        .collect::<Result<_, _>>()
        .unwrap();
    drop(trace);
    let numbers = kept
        .iter()
        .map(|event| event.argument("number").unwrap().as_i128().unwrap());
    assert!(numbers.eq(0..10_000));
    assert!(kept.is_sorted_by_key(|event| event.time_ns()));
    let sent = std::thread::spawn(move || kept[9_999].to_string())
        .join()
        .unwrap();
    assert!(sent.ends_with("counted(number=9999)"), "{sent}");
}

#[test]
fn events_that_are_kept_outlive_the_batches_after_them() {
    let mut target = Target::start("traced");
    let mut trace = counted(&mut target, 20_000);
    let mut events = trace.events_for(Duration::ZERO);
    let mut kept = Vec::new();
    for wanted in 0..20_000 {
        // Most are only looked at, some let go at once, a few kept or sent away.
        let event = match wanted % 3 {
            0 => {
                assert_eq!(
                    events.next_ref().unwrap().unwrap().raw().arguments[0],
                    wanted
                );
                continue;
            }
            _ => events.next().unwrap().unwrap(),
        };
        match wanted % 1000 {
            1 => kept.push((wanted, event.clone())),
            2 => std::thread::spawn(move || assert_eq!(event.raw().arguments[0], wanted))
                .join()
                .unwrap(),
            _ => assert_eq!(event.raw().arguments[0], wanted),
        }
    }
    assert!(events.next_ref().unwrap().is_none() && events.next().is_none());
    assert!(
        kept.iter()
            .all(|(wanted, event)| event.raw().arguments[0] == *wanted)
    );
    // A loop that is left early lets go of what it had not handed out.
    target.ask("count 100");
    let first = trace.events().next().unwrap().unwrap();
    drop(trace);
    assert_eq!((first.raw().arguments[0], first.name()), (0, "counted"));
}

#[test]
fn a_loop_over_events_ends_when_the_caller_wants() {
    let mut target = Target::start("traced");
    let mut trace = counted(&mut target, 5);
    let first: Vec<_> = trace
        .events()
        .take(5)
        .map(|event| event.unwrap().raw().arguments[0])
        .collect();
    assert_eq!(first, [0, 1, 2, 3, 4]);
}

/// Numbers of events that a batch has.
fn numbers(batch: &Batch) -> Vec<u64> {
    batch.as_slice().iter().map(|e| e.arguments[0]).collect()
}

#[test]
fn a_loop_that_is_left_loses_nothing() {
    let mut target = Target::start("traced");
    let mut trace = counted(&mut target, 100);
    let mut batch = Batch::new().unwrap();
    assert_eq!(trace.events().take(10).count(), 10);
    assert_eq!(trace.read(&mut batch, NOW).unwrap(), 90);
    assert_eq!(numbers(&batch), (10..100).collect::<Vec<_>>());
    assert_eq!(
        batch.get(89).unwrap().argument("number"),
        Some(Value::Unsigned(99))
    );
    assert_eq!(trace.read(&mut batch, NOW).unwrap(), 0);
    assert!(batch.is_empty() && batch.as_slice().is_empty());
    // Events that are lent live on when their trace does not.
    target.ask("count 3");
    trace.events().next().unwrap().unwrap();
    trace.read(&mut batch, NOW).unwrap();
    drop(trace);
    assert_eq!(numbers(&batch), [1, 2]);
}

#[test]
fn ways_to_read_take_turns() {
    let mut target = Target::start("traced");
    let mut trace = counted(&mut target, 5_000);
    let mut small = Batch::with_capacity(7, 0).unwrap();
    let mut seen = Vec::new();
    // Each leaves its way after a few events, and the next one goes on.
    for turn in 0.. {
        let before = seen.len();
        match turn % 5 {
            0 => seen.extend(
                trace
                    .events_for(Duration::ZERO)
                    .take(3)
                    .map(|event| event.unwrap().raw().arguments[0]),
            ),
            1 => {
                trace.read(&mut small, NOW).unwrap();
                seen.extend(numbers(&small));
            }
            2 => {
                let event = trace.next_event(NOW).unwrap();
                seen.extend(event.map(|event| event.raw().arguments[0]));
            }
            3 => {
                let mut events = trace.events_for(Duration::ZERO);
                let event = events.next_ref().unwrap();
                seen.extend(event.map(|event| event.raw().arguments[0]));
            }
            _ => {
                let flow = trace.run(NOW, |event| {
                    seen.push(event.raw().arguments[0]);
                    ControlFlow::Break(())
                });
                assert_eq!(flow.unwrap().is_break(), seen.len() > before);
            }
        }
        if seen.len() == before {
            break;
        }
    }
    assert!(seen.into_iter().eq(0..5_000));
}

#[test]
fn what_a_function_or_a_single_event_left_is_read() {
    let mut target = Target::start("traced");
    let mut trace = counted(&mut target, 100);
    let mut batch = Batch::new().unwrap();
    trace.next_event(NOW).unwrap().unwrap();
    trace.read(&mut batch, NOW).unwrap();
    assert_eq!(numbers(&batch), (1..100).collect::<Vec<_>>());
    target.ask("count 100");
    let flow = trace.run(NOW, |_| ControlFlow::Break(()));
    assert!(flow.unwrap().is_break());
    let first = trace.events().next().unwrap().unwrap();
    assert_eq!(first.raw().arguments[0], 1);
    let mut rest = 0;
    let flow = trace.run(NOW, |_| {
        rest += 1;
        ControlFlow::Continue(())
    });
    assert!(flow.unwrap().is_continue());
    assert_eq!(rest, 98);
}

#[test]
fn observers_that_are_swapped_keep_their_signatures() {
    let mut target = Target::start("traced");
    let mut one = AnyObserver::Trace(counted(&mut target, 0));
    let mut other = AnyObserver::Trace(
        trace_of(&target, "text")
            .arguments("(char *first)")
            .start()
            .unwrap(),
    );
    std::mem::swap(&mut one, &mut other);
    target.ask("text");
    one.stop().unwrap();
    let AnyObserver::Trace(mut texts) = one else {
        panic!("a trace")
    };
    let event = texts.next_event(NOW).unwrap().unwrap();
    assert_eq!(event.argument("first"), Some(Value::String(b"short")));
}

#[test]
fn a_batch_is_memory_of_the_library() {
    let mut target = Target::start("traced");
    let mut trace = counted(&mut target, 1000);
    let mut batch = Batch::with_capacity(600, 0).unwrap();
    assert!(batch.is_empty() && batch.as_slice().is_empty() && batch.text().is_empty());
    assert_eq!(trace.read(&mut batch, NOW).unwrap(), 600);
    let sum: u64 = batch
        .as_slice()
        .iter()
        .map(|event| event.arguments[0])
        .sum();
    assert_eq!(sum, (0..600).sum());
    assert_eq!(
        batch.get(599).unwrap().argument("number"),
        Some(Value::Unsigned(599))
    );
    assert!(batch.get(600).is_none());
    let from = batch.as_slice().as_ptr();
    assert_eq!(trace.read(&mut batch, NOW).unwrap(), 400);
    assert_eq!(batch.as_slice().as_ptr(), from, "the same memory");
    assert_eq!(
        batch.iter().map(|event| event.raw().arguments[0]).next(),
        Some(600)
    );
    assert_eq!(trace.read(&mut batch, NOW).unwrap(), 0);
}

#[test]
fn texts_of_a_batch_lie_in_its_text_area() {
    let mut target = Target::start("traced");
    let mut trace = trace_of(&target, "text")
        .arguments("(char *first)")
        .start()
        .unwrap();
    target.ask("text");
    let mut batch = Batch::new().unwrap();
    trace.read(&mut batch, NOW).unwrap();
    let event = batch.get(0).unwrap();
    let bytes = event.argument("first").unwrap().as_bytes().unwrap();
    assert!(batch.text().as_ptr_range().contains(&bytes.as_ptr()));
    assert_eq!(bytes, b"short");
}

#[test]
fn a_function_for_each_event_may_end_the_run() {
    let mut target = Target::start("traced");
    let mut trace = counted(&mut target, 10);
    let mut taken = Vec::new();
    let flow = trace.run(NOW, |event| {
        taken.push(event.raw().arguments[0]);
        if taken.len() == 4 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert!(flow.unwrap().is_break());
    assert_eq!(taken, [0, 1, 2, 3]);
}

#[test]
fn what_became_of_the_hits_adds_up() {
    let mut target = Target::start("traced");
    let mut trace = trace_of(&target, "counted")
        .arguments("(uint64_t number)")
        .filter("number >= 90")
        .start()
        .unwrap();
    target.ask("count 100");
    trace.stop().unwrap();
    let count = trace.counts().unwrap()[0];
    assert_eq!((count.hits, count.events, count.filtered), (100, 10, 90));
    assert_eq!((count.lost, count.unreturned), (0, 0));
    assert_eq!(trace.events_for(Duration::ZERO).count(), 10);
}

#[test]
fn every_option_of_a_trace_is_taken() {
    let mut target = Target::start("traced");
    let set = Resolver::new([
        format!("{}:counted", target.path),
        format!("{}:text", target.path),
    ])
    .resolve()
    .unwrap();
    let mut trace = Trace::new(&set)
        .pid(target.pid)
        .ring_bytes(1 << 20)
        .stack_frames(8)
        .probe_arguments([Some("(uint64_t number)"), None])
        .arguments("(char *text)")
        .comm("traced")
        .tids([target.pid])
        .sample(10)
        .rate(1_000_000)
        .start()
        .unwrap();
    target.ask("count 100");
    let numbers: Vec<_> = trace
        .events_for(Duration::ZERO)
        .map(|event| event.unwrap().raw().arguments[0])
        .collect();
    assert!(!numbers.is_empty() && numbers.len() <= 100 && numbers[0] == 0);
    assert_eq!(trace.signature(1).arguments[0].name, "text");
}

#[test]
fn stacks_have_names() {
    let mut target = Target::start("traced");
    let mut trace = trace_of(&target, "chain_second")
        .stacks(true)
        .start()
        .unwrap();
    target.ask("chain");
    let event = trace.events_for(Duration::ZERO).next().unwrap().unwrap();
    let mut symbols = Symbolizer::new().unwrap();
    let names = symbols.names(event.pid(), event.stack()).unwrap();
    assert_eq!(names[0], "traced:chain_second");
    assert!(names.iter().any(|name| name == "traced:main"), "{names:?}");
    assert!(
        names.iter().any(|name| name.starts_with("libc.so.6")),
        "{names:?}"
    );
    let first = event.stack().next().unwrap();
    let place = symbols.find(event.pid(), first, false).unwrap();
    assert_eq!(
        (place.symbol().as_ref(), place.path().to_str()),
        ("chain_second", Some(target.path.as_str()))
    );
    assert!(place.file_offset() > 0);
    assert_eq!(
        symbols.find(event.pid(), 1, false).unwrap().to_string(),
        "?"
    );
}

#[test]
fn usdt_sites_tell_their_arguments() {
    let mut target = Target::start("usdt-gcc-O2");
    let spec = format!("usdt:{}:forms:many", built("target/usdt-gcc-O2").display());
    let mut trace = Trace::new(spec).pid(target.pid).start().unwrap();
    target.ask("fire");
    let event = trace.next_event(NOW).unwrap().unwrap();
    assert_eq!(
        (event.kind(), event.name()),
        (EventKind::Usdt, "forms:many")
    );
    let round = event.arguments().nth(1).unwrap().1.as_i128().unwrap();
    let values: Vec<_> = event
        .arguments()
        .map(|(_, value)| value.as_i128().unwrap())
        .collect();
    assert_eq!(
        values,
        (0..12).map(|factor| factor * round).collect::<Vec<_>>()
    );
}
