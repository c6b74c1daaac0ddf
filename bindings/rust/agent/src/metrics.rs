// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! The metrics of docs/agent.md, made of what the registry and the agent know.
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::UNIX_EPOCH;

use crate::config::{self, Config, Kind};
use crate::family::{Family, Labels, Number, Point, Type};
use crate::registry::{Registry, RuleCounts};
use crate::series;
use crate::stats::{self, Stats};
use crate::value::{Buckets, Value};

const NS: f64 = 1e-9;

pub fn gather(config: &Config, registry: &Registry, stats: &Stats) -> Vec<Family> {
    let counts = registry.counts();
    let series = Series {
        shown: counts.iter().map(|rule| rule.series.len()).sum(),
        are_summed: counts.iter().any(|rule| rule.summed > 0),
    };
    let mut families = of_rules(&config.agent.labels, &counts);
    families.extend(of_agent(&config.agent.labels, registry, stats, &series));
    families
}

/// Label sets of all rules.
struct Series {
    shown: usize,
    are_summed: bool,
}

fn labels(common: &config::Labels, own: &config::Labels) -> Labels {
    let merged: BTreeMap<_, _> = common.iter().chain(own).collect();
    merged
        .into_iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn one(labels: &Labels, name: &str, value: &str) -> Labels {
    let mut labels = labels.clone();
    labels.push((name.to_owned(), value.to_owned()));
    labels
}

/// A number of a rule.
type OfRule = fn(&RuleCounts) -> u64;

struct OfRules {
    calls: Family,
    latency: Family,
    running: Family,
    skipped: Family,
    lost: Family,
    numbers: Vec<(Family, OfRule)>,
}

impl OfRules {
    fn new() -> Self {
        use Type::{Counter, Gauge, Histogram};
        let gauge = |name, help, of: OfRule| (Family::new(Gauge, name, help), of);
        let counter = |name, help, of: OfRule| (Family::new(Counter, name, help), of);
        Self {
            calls: Family::new(Counter, "uprobe_calls", "Hits of the probes of a rule."),
            latency: Family::new(
                Histogram,
                "uprobe_latency_seconds",
                "Time from entry to return.",
            ),
            running: Family::new(
                Gauge,
                "uprobe_calls_running",
                "Calls that began and have not returned, or never will.",
            ),
            skipped: Family::new(
                Gauge,
                "uprobe_skipped_probes",
                "Probes that are not attached, by verdict.",
            ),
            lost: Family::new(Counter, "uprobe_lost_events", "Calls that no series holds."),
            numbers: vec![
                gauge(
                    "uprobe_rule_attached_probes",
                    "Probes attached now.",
                    |rule| rule.attached as u64,
                ),
                gauge("uprobe_rule_files", "Files attached now.", |rule| {
                    rule.files as u64
                }),
                gauge("uprobe_rule_processes", "Processes in scope.", |rule| {
                    rule.follow.processes as u64
                }),
                gauge(
                    "uprobe_rule_unobserved_processes",
                    "Processes in scope that are not observed.",
                    |rule| rule.follow.unobserved as u64,
                ),
                gauge(
                    "uprobe_rule_summed_series",
                    "Label sets that the limit has put into one.",
                    |rule| rule.summed as u64,
                ),
                gauge(
                    "uprobe_rule_stale_observers",
                    "Observers that could not be read now: their counts are older.",
                    |rule| rule.stale as u64,
                ),
                counter(
                    "uprobe_attach_errors",
                    "Attaches and resolutions that failed.",
                    |rule| rule.attach_errors,
                ),
                counter(
                    "uprobe_read_errors",
                    "Readings of an observer that failed.",
                    |rule| rule.read_errors,
                ),
            ],
        }
    }

    fn add(&mut self, common: &config::Labels, counts: &RuleCounts) {
        let mut base = vec![("rule".to_owned(), counts.rule.name.clone())];
        base.extend(labels(common, &counts.rule.labels));
        let buckets = match &counts.rule.buckets {
            Some(bounds) => Buckets::new(
                &bounds
                    .iter()
                    .map(|bound| bound.0.as_nanos() as u64)
                    .collect::<Vec<_>>(),
            ),
            None => Buckets::default(),
        };
        for (own, value) in &counts.series {
            let labels = with_series(&base, own);
            match counts.rule.kind {
                Kind::Count => self.calls.push(labels, Point::Number(value.calls.into())),
                Kind::Latency => {
                    let running = value.entries.saturating_sub(value.calls);
                    self.latency
                        .push(labels.clone(), histogram(value, &buckets));
                    self.running.push(labels, Point::Number(running.into()));
                }
            }
        }
        for (verdict, count) in &counts.follow.skipped {
            self.skipped.push(
                one(&base, "verdict", verdict),
                Point::Number((*count).into()),
            );
        }
        for (reason, count) in [("rows", counts.lost.rows), ("read", counts.lost.reads)] {
            self.lost
                .push(one(&base, "reason", reason), Point::Number(count.into()));
        }
        for (family, of) in &mut self.numbers {
            family.push(base.clone(), Point::Number(of(counts).into()));
        }
    }
}

fn with_series(base: &Labels, own: &series::Labels) -> Labels {
    let mut labels = base.clone();
    let mut push = |name: &str, value: Option<&str>| {
        labels.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    };
    push("probe", own.probe);
    push("binary", own.binary.as_deref());
    push("symbol", own.symbol.as_deref());
    push("process", own.process.as_deref());
    labels
}

fn histogram(value: &Value, buckets: &Buckets) -> Point {
    let mut cumulative = value.cumulative(buckets);
    cumulative.push(value.calls);
    Point::Histogram {
        bounds: buckets
            .bounds_ns
            .iter()
            .map(|bound| *bound as f64 * NS)
            .collect(),
        cumulative,
        sum: value.sum_ns as f64 * NS,
    }
}

fn of_rules(common: &config::Labels, counts: &[RuleCounts]) -> Vec<Family> {
    let mut families = OfRules::new();
    for rule in counts {
        families.add(common, rule);
    }
    let numbers = families.numbers.into_iter().map(|(family, _)| family);
    [
        families.calls,
        families.latency,
        families.running,
        families.skipped,
        families.lost,
    ]
    .into_iter()
    .chain(numbers)
    .collect()
}

fn of_agent(
    common: &config::Labels,
    registry: &Registry,
    stats: &Stats,
    series: &Series,
) -> Vec<Family> {
    use Type::{Counter, Gauge};
    let base = labels(common, &config::Labels::new());
    let gauge =
        |name, help, number: Number| Family::new(Gauge, name, help).with(base.clone(), number);
    let counter =
        |name, help, number: Number| Family::new(Counter, name, help).with(base.clone(), number);
    let outcomes = |name, help, outcomes: &stats::Outcomes| {
        let family = Family::new(Counter, name, help);
        let family = family.with(one(&base, "result", "ok"), outcomes.ok.get().into());
        family.with(one(&base, "result", "failed"), outcomes.failed.get().into())
    };
    let version = Family::new(Gauge, "uprobe_agent_build_info", "Version of the agent.");
    let started = stats
        .started
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64();
    let limit = |family: Family, name, reached: bool| {
        family.with(one(&base, "limit", name), reached.into())
    };
    let limits = Family::new(
        Gauge,
        "uprobe_agent_limit_reached",
        "1 while a limit holds something back.",
    );
    let limits = limit(limits, "memory", stats.limits.memory.is_reached());
    let limits = limit(limits, "observers", stats.limits.observers.is_reached());
    vec![
        version.with(one(&base, "version", uprobe_multi::version()), 1_u64.into()),
        gauge(
            "uprobe_agent_resident_memory_bytes",
            "Resident memory of the agent.",
            stats::resident().into(),
        ),
        counter(
            "uprobe_agent_cpu_seconds",
            "CPU time of the agent.",
            Number::Real(crate::system::cpu_time().as_secs_f64()),
        ),
        gauge(
            "uprobe_agent_open_fds",
            "Open descriptors of the agent.",
            stats::open_fds().into(),
        ),
        gauge(
            "uprobe_agent_start_time_seconds",
            "When the agent began, since 1970.",
            Number::Real(started),
        ),
        gauge(
            "uprobe_agent_series",
            "Label sets of calls and latencies.",
            series.shown.into(),
        ),
        gauge(
            "uprobe_agent_observers",
            "Files and processes that are observed.",
            registry.observers().into(),
        ),
        counter(
            "uprobe_agent_scans",
            "Looks at processes and files.",
            stats.scans.get().into(),
        ),
        counter(
            "uprobe_agent_scan_seconds",
            "Time that they took.",
            Number::Real(stats.scan_ns.get() as f64 * NS),
        ),
        outcomes(
            "uprobe_agent_config_reloads",
            "Reloads of the configuration.",
            &stats.reloads,
        ),
        gauge(
            "uprobe_agent_config_last_reload_successful",
            "0 when the configuration on disk was refused.",
            (!stats.reload_failed.load(Relaxed)).into(),
        ),
        gauge(
            "uprobe_agent_config_last_reload_timestamp_seconds",
            "When the configuration in force was read, since 1970.",
            stats.configured_s.load(Relaxed).into(),
        ),
        limit(limits, "series", series.are_summed),
        gauge(
            "uprobe_agent_notify",
            "1 when the kernel tells of new processes.",
            stats.notified.load(Relaxed).into(),
        ),
        outcomes(
            "uprobe_agent_otlp_exports",
            "Pushes to the OTLP endpoint.",
            &stats.exports,
        ),
        counter(
            "uprobe_agent_scrapes",
            "Requests for /metrics.",
            stats.scrapes.get().into(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_without_anything_has_its_metrics() {
        let text = "[agent]\nlabels = { a = \"1\", b = \"1\" }\n[[rule]]\nname = \"r\"\nspecs = [\"b:c\"]\nlabels = { a = \"2\" }\n";
        let config = config::parse(text).expect("it is right");
        let registry = Registry::default();
        registry.set_rules(&config);
        let families = gather(&config, &registry, &Stats::default());
        let find = |name: &str| {
            families
                .iter()
                .find(|family| family.name == name)
                .expect(name)
        };
        assert!(find("uprobe_calls").samples.is_empty());
        let (labels, point) = &find("uprobe_rule_attached_probes").samples[0];
        let pairs: Vec<_> = labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(pairs, [("rule", "r"), ("a", "2"), ("b", "1")]);
        assert_eq!(*point, Point::Number(Number::Whole(0)));
        assert_eq!(find("uprobe_lost_events").samples.len(), 2);
        let (labels, _) = &find("uprobe_agent_open_fds").samples[0];
        assert_eq!(labels.len(), 2);
    }
}
