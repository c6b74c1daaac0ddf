// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What tests attach to this process.
use std::sync::{Arc, Mutex, MutexGuard};

use crate::config::{self, Config};
use crate::process::Process;
use crate::registry::Registry;
use crate::resolved::Resolved;
use crate::unit::{Place, Unit};

/// All of them count calls of this process.
static ALONE: Mutex<()> = Mutex::new(());

pub fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(|failed| failed.into_inner())
}

pub fn config(rest: &str) -> Config {
    let rule = "[[rule]]\nname = \"r\"\nspecs = [\"libc.so.6:getpgid\", \"libc.so.6:getsid\"]\nscope = { process = \"*\" }\n";
    config::parse(&format!("{rule}{rest}")).expect("it is right")
}

/// Observes this process.
pub fn unit(config: &Config) -> Arc<Unit> {
    let rule = config.rules[0].get_ref();
    let resolved = Resolved::new(rule, None, 10).expect("resolved");
    let process = Process::read(std::process::id()).expect("it runs");
    let place = Place {
        file: resolved.files[0].id,
        process: Some(process.key),
    };
    let path = resolved.files[0].path.clone();
    let unit = Unit::start(rule.kind, place, path, &resolved.set, Some(&process));
    Arc::new(unit.expect("attached"))
}

pub fn call(times: u64) {
    for _ in 0..times {
        // SAFETY: takes a number.
        unsafe { libc::getpgid(0) };
    }
}

pub fn calls(registry: &Registry) -> Vec<(String, u64)> {
    let counts = registry.counts();
    let series = counts[0].series.iter();
    series
        .map(|(labels, value)| (labels.symbol.clone().unwrap_or_default(), value.calls))
        .collect()
}
