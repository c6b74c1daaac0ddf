// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! `--check`: what would be attached here and now.
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use crate::config::{Config, Kind, Rule};
use crate::plan::{Plan, Planner};
use crate::process;
use crate::resolved::judge;

const MOST_SHOWN: usize = 20;

/// @return whether every rule has something to attach.
pub fn check(config: &Config) -> bool {
    let processes = process::list();
    let mut all = true;
    for rule in &config.rules {
        let rule = Arc::new(rule.get_ref().clone());
        let plan = Planner::new(rule.clone(), config.limits.probes).plan(&processes);
        report(&rule, &plan);
        all &= !plan.targets.is_empty();
    }
    println!("{} rules", config.rules.len());
    all
}

fn report(rule: &Rule, plan: &Plan) {
    let kind = if rule.kind == Kind::Count {
        "count"
    } else {
        "latency"
    };
    let probes: usize = plan
        .targets
        .values()
        .map(|target| target.file().points.len())
        .sum();
    let skipped: u64 = plan.skipped().values().sum();
    println!(
        "rule {} ({kind}): {probes} probes would be attached, {skipped} skipped",
        rule.name
    );
    if rule.scope.is_some() {
        println!(
            "  {} processes in scope, {} that can not be looked at",
            plan.processes, plan.unresolved
        );
    }
    let mut shown = HashSet::new();
    for target in plan.targets.values() {
        let file = target.file();
        if shown.insert((Rc::as_ptr(&target.resolved), target.file)) {
            println!("  {}: {}", file.path.display(), file.points.len());
        }
    }
    report_skipped(rule, plan);
}

fn report_skipped(rule: &Rule, plan: &Plan) {
    if let Some(limited) = plan.skipped().get("limit") {
        println!("  skipped {limited}: limit: more than limits.probes");
    }
    let probes = plan
        .resolutions
        .iter()
        .flat_map(|resolved| resolved.set.iter());
    let mut skipped =
        probes.filter_map(|probe| judge(rule.kind, &probe).err().map(|why| (probe, why)));
    for (probe, (verdict, reason)) in skipped.by_ref().take(MOST_SHOWN) {
        println!("  skipped {probe}: {verdict}: {reason}");
    }
    match skipped.count() {
        0 => {}
        more => println!("  and {more} more"),
    }
}
