// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! The adapter of Rust: does the steps of the conformance cases with the safe layer.
//!
//! One JSON object a line on standard input, one answer a line; ../README.md has the vocabulary.
mod handles;
mod links;
mod observers;
mod probes;
mod traces;
mod values;

use std::io::{BufRead, Write};

use serde_json::{json, Value as Json};
use uprobe_multi::{Error, Result};

use handles::Handles;
use values::Step;

/// Does one step.
type Verb = fn(&Step<'_>, &mut Handles) -> Result<Json>;

fn find_verb(name: &str) -> Verb {
    [
        probes::verb,
        links::verb,
        observers::verb,
        traces::verb,
        handles::verb,
    ]
    .into_iter()
    .find_map(|verbs| verbs(name))
    .unwrap_or_else(|| panic!("there is no verb {name}"))
}

fn error_json(error: &Error) -> Json {
    json!({
        "code": error.kind() as i32,
        "name": error.kind().name(),
        "errno": error.errno().unwrap_or(0),
        "operation": error.operation(),
        "object": error.object(),
        "message": error.message(),
        "hint": error.hint(),
    })
}

fn main() {
    let mut handles = Handles::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let step: Json = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let step = Step(&step);
        let reply = match find_verb(step.text("do"))(&step, &mut handles) {
            Ok(answer) => json!({ "ok": answer }),
            Err(error) => json!({ "error": error_json(&error) }),
        };
        writeln!(out, "{reply}").expect("written");
        out.flush().expect("written");
    }
}
