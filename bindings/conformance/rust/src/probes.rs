// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Steps of probe sets, and of what needs no handle.
use serde_json::{json, Map, Value as Json};
use uprobe_multi::{
    Argument, ArgumentPlace, Backend, Cost, DebugFiles, Kind, ObserverKind, Place, Probe, ProbeSet,
    Resolver, Result, Verdict,
};

use crate::handles::{done, Handle, Handles};
use crate::values::{number, word_of, Step};
use crate::Verb;

pub fn verb(name: &str) -> Option<Verb> {
    Some(match name {
        "version" => |_, _| Ok(json!({ "version": uprobe_multi::version() })),
        "names" => |step, _| Ok(json!({ "names": names(step.text("of")) })),
        "demangle" => |step, _| Ok(json!({ "name": uprobe_multi::demangle(step.text("symbol")) })),
        "check" => |_, _| check(),
        "resolve" => resolve,
        "new" => |step, handles| keep_set(step, handles, ProbeSet::new()?),
        "add" => add,
        "count_verdict" => |step, handles| {
            let verdict = word_of(Verdict::ALL, step.text("verdict"));
            Ok(json!({ "count": handles.set(step.text("of")).count_verdict(verdict) }))
        },
        "cookies" => |step, handles| {
            set_mut(handles, step.text("of"))
                .set_cookies(&step.numbers("cookies").unwrap_or_default())?;
            done()
        },
        "select" => |step, handles| {
            let indexes = step.numbers("indexes").unwrap_or_default();
            let indexes: Vec<_> = indexes.into_iter().map(|index| index as usize).collect();
            let selected = handles.set(step.text("of")).select(&indexes)?;
            keep_set(step, handles, selected)
        },
        "join" => join,
        "sites" => |step, handles| {
            let observer = step
                .text_or_none("observer")
                .map(|word| word_of(ObserverKind::ALL, word));
            set_mut(handles, step.text("of")).place(observer)?;
            done()
        },
        "probes" => |step, handles| Ok(probe_list(step, handles.set(step.text("of")).iter())),
        _ => return None,
    })
}

fn set_mut<'h>(handles: &'h mut Handles, name: &str) -> &'h mut ProbeSet {
    match handles.get_mut(name) {
        Handle::Set(set) => set,
        _ => panic!("{name} is no set"),
    }
}

fn keep_set(step: &Step<'_>, handles: &mut Handles, set: ProbeSet) -> Result<Json> {
    let answer = json!({ "probes": set.len() });
    handles.keep(step, Handle::Set(set));
    Ok(answer)
}

fn names(of: &str) -> Vec<String> {
    fn all<T: ToString>(members: &[T]) -> Vec<String> {
        members.iter().map(ToString::to_string).collect()
    }
    match of {
        "kind" => all(Kind::ALL),
        "verdict" => all(Verdict::ALL),
        "cost" => all(Cost::ALL),
        "backend" => all(Backend::ALL),
        _ => panic!("there are no names of {of}"),
    }
}

fn check() -> Result<Json> {
    let features = uprobe_multi::check()?;
    let mut answers: Map<_, _> = features
        .answers()
        .map(|(name, answer)| (name.to_owned(), json!(answer.to_string())))
        .collect();
    let backend = features.backend.unwrap_or(Backend::Auto);
    answers.insert("backend".into(), json!(backend.to_string()));
    Ok(answers.into())
}

fn resolve(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let debug_files = match (step.has_flag("debug_always"), step.has_flag("debug_never")) {
        (true, _) => DebugFiles::Always,
        (_, true) => DebugFiles::Never,
        _ => DebugFiles::WhenNeeded,
    };
    let mut resolver = Resolver::new(step.texts("specs").expect("specs"))
        .pids(step.pids())
        .debug_files(debug_files)
        .debuginfod(step.has_flag("debuginfod"))
        .all_matches(step.has_flag("all_matches"))
        .accept_unwinding(step.has_flag("accept_unwinding"))
        .progress(step.countdown());
    if let Some(program) = step.text_or_none("program") {
        resolver = resolver.program(program);
    }
    let set = resolver.resolve()?;
    keep_set(step, handles, set)
}

fn add(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let column = |key| step.numbers(key).unwrap_or_default();
    let (offsets, counters, cookies) = (
        column("offsets"),
        column("ref_ctr_offsets"),
        column("cookies"),
    );
    let at = |column: &[u64], index: usize| column.get(index).copied().unwrap_or(0);
    let paths = step.texts("paths").expect("paths");
    let places: Vec<_> = paths
        .into_iter()
        .enumerate()
        .map(|(index, path)| Place {
            path: path.into(),
            offset: at(&offsets, index),
            ref_ctr_offset: at(&counters, index),
            cookie: at(&cookies, index),
        })
        .collect();
    let set = set_mut(handles, step.text("of"));
    set.add(
        word_of(Kind::ALL, step.text_or_none("kind").unwrap_or("uprobe")),
        &places,
    )?;
    Ok(json!({ "probes": set.len() }))
}

fn join(step: &Step<'_>, handles: &mut Handles) -> Result<Json> {
    let (name, other) = (step.text("of"), step.text("other"));
    // A set is joined with itself by a copy of it: it can not be borrowed twice.
    let copy = handles.set(other).try_clone()?;
    let set = set_mut(handles, name);
    set.join(&copy)?;
    Ok(json!({ "probes": set.len() }))
}

fn argument_json(argument: &Argument) -> Json {
    let place = match argument.place() {
        ArgumentPlace::Constant => "constant",
        ArgumentPlace::Register => "register",
        ArgumentPlace::Memory => "memory",
        _ => "unreadable",
    };
    json!({
        "place": place,
        "width": argument.width(),
        "signed": argument.is_signed(),
        "float": argument.is_float(),
        "text": argument.text(),
        "reason": argument.reason(),
    })
}

fn field_json(probe: &Probe<'_>, field: &str) -> Json {
    match field {
        "path" => json!(probe.path().to_string_lossy()),
        "symbol" => json!(probe.symbol()),
        "version" => json!(probe.version()),
        "spec" => json!(probe.spec()),
        "reason" => json!(probe.reason()),
        "provider" => json!(probe.provider()),
        "kind" => json!(probe.kind().to_string()),
        "verdict" => json!(probe.verdict().to_string()),
        "cost" => json!(probe.cost().to_string()),
        "site_offset" => number(probe.site_offset()),
        "site_cost" => json!(probe.site_cost().to_string()),
        "return_verdict" => json!(probe.return_verdict().to_string()),
        "return_reason" => json!(probe.return_reason()),
        "offset" => number(probe.offset()),
        "address" => number(probe.address()),
        "symbol_offset" => number(probe.symbol_offset()),
        "symbol_size" => number(probe.symbol_size()),
        "ref_ctr_offset" => number(probe.ref_ctr_offset().unwrap_or(0)),
        "cookie" => number(probe.cookie()),
        "flags" => json!(probe.flags().bits()),
        "errno" => json!(probe.errno().unwrap_or(0)),
        "aliases" => json!(probe.aliases().collect::<Vec<_>>()),
        "arguments" => probe.arguments().map(|each| argument_json(&each)).collect(),
        _ => panic!("a probe has no field {field}"),
    }
}

/// The fields that the step asks for, of each probe.
pub fn probe_list<'a>(step: &Step<'_>, probes: impl Iterator<Item = Probe<'a>>) -> Json {
    let fields = step.texts("fields").expect("fields");
    let shown = probes.map(|probe| -> Json {
        let field = |name: &&str| ((*name).to_owned(), field_json(&probe, name));
        Json::Object(fields.iter().map(field).collect())
    });
    json!({ "probes": shown.collect::<Vec<_>>() })
}
