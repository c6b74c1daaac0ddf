// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! All that is counted: what runs, and what observers that have ended had counted. Sums never go
//! down: an observer's last counts are kept in the same step that takes it off the list.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::config::{Config, Kind, Rule};
use crate::log::event;
use crate::resolved::Skipped;
use crate::series::{Labels, NONE, OTHER_ID, Series};
use crate::unit::{Counted, Failure, Latest, Unit};
use crate::value::Value;

/// What is known of a rule beside its counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Follow {
    pub processes: usize,
    pub unobserved: usize,
    pub skipped: Skipped,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    pub rows: u64,
    pub reads: u64,
}

struct Entry {
    rule: Arc<Rule>,
    series: Series,
    units: Vec<Arc<Unit>>,
    /// By number of the series.
    ended: HashMap<u32, Value>,
    lost: Lost,
    attach_errors: u64,
    read_errors: u64,
    follow: Follow,
}

/// A rule's numbers at one moment.
pub struct RuleCounts {
    pub rule: Arc<Rule>,
    pub series: Vec<(Labels, Value)>,
    pub lost: Lost,
    pub attached: usize,
    pub files: usize,
    pub summed: usize,
    pub attach_errors: u64,
    pub read_errors: u64,
    /// Units of which the counts are older than the others.
    pub stale: usize,
    pub follow: Follow,
}

#[derive(Default)]
struct State {
    rules: Vec<Entry>,
    most_series: usize,
}

#[derive(Default)]
pub struct Registry {
    state: Mutex<State>,
}

impl Entry {
    fn new(rule: Arc<Rule>) -> Self {
        Self {
            series: Series::new(rule.by.clone(), rule.kind == Kind::Count),
            rule,
            units: Vec::new(),
            ended: HashMap::new(),
            lost: Lost::default(),
            attach_errors: 0,
            read_errors: 0,
            follow: Follow::default(),
        }
    }

    fn number(&mut self, unit: &Unit, index: usize, room: &mut usize) -> u32 {
        let number = unit.number(index);
        if number != NONE {
            return number;
        }
        let before = self.series.len();
        let number = self.series.number(unit.labels(index), *room);
        *room -= self.series.len() - before;
        unit.set_number(index, number);
        number
    }

    fn add(
        &mut self,
        unit: &Unit,
        counted: &Counted,
        sums: &mut HashMap<u32, Value>,
        room: &mut usize,
    ) {
        for (index, value) in &counted.values {
            let number = self.number(unit, *index, room);
            sums.entry(number).or_default().add(value);
        }
    }

    /// Numbers for all probes of a unit, whether they are called or not.
    fn number_all(&mut self, unit: &Unit, room: &mut usize) {
        for index in 0..unit.count() {
            self.number(unit, index, room);
        }
    }

    /// Counts that no unit has any more.
    fn keep_counts(&mut self, unit: &Unit, counted: &Counted, room: &mut usize) {
        self.lost.rows += counted.lost;
        let mut ended = std::mem::take(&mut self.ended);
        self.add(unit, counted, &mut ended, room);
        self.ended = ended;
    }

    /// The counts of a unit that has ended. What could not be read at the end is lost.
    fn keep(&mut self, unit: &Unit, room: &mut usize) {
        let latest = self.latest(unit);
        self.lost.reads += u64::from(latest.failure.is_some());
        self.keep_counts(unit, &latest.counted, room);
        self.units.retain(|other| !std::ptr::eq(&**other, unit));
    }

    fn latest(&mut self, unit: &Unit) -> Latest {
        let latest = unit.latest();
        if let Some(failure) = &latest.failure {
            self.read_failed(unit, failure);
        }
        latest
    }

    fn read_failed(&mut self, unit: &Unit, failure: &Failure) {
        self.read_errors += 1;
        if failure.is_new {
            event!(
                Error,
                "read_failed",
                rule = self.rule.name,
                file = unit.path.display(),
                reason = failure.error
            );
        }
    }

    /// Another set of labels: sums that have fewer than are asked for now become "(other)".
    fn relabel(&mut self, rule: Arc<Rule>, room: &mut usize) {
        let mut series = Series::new(rule.by.clone(), rule.kind == Kind::Count);
        let mut ended: HashMap<u32, Value> = HashMap::new();
        *room += self.series.len();
        for (number, labels) in self.series.all() {
            let Some(value) = self.ended.get(&number) else {
                continue;
            };
            let number = match number {
                OTHER_ID => OTHER_ID,
                _ => series.number(labels.clone(), *room - series.len()),
            };
            ended.entry(number).or_default().add(value);
        }
        *room -= series.len();
        (self.series, self.ended) = (series, ended);
        for unit in &self.units {
            unit.forget_numbers();
        }
        self.rule = rule;
    }

    /// A new version of its rule.
    fn change(&mut self, rule: Arc<Rule>, room: &mut usize) {
        if self.series.by() != &rule.by {
            self.relabel(rule, room);
        } else {
            self.rule = rule;
        }
        if self.rule.zeros {
            for unit in self.units.clone() {
                self.number_all(&unit, room);
            }
        }
    }

    fn counts(&mut self, room: &mut usize) -> RuleCounts {
        let mut sums = self.ended.clone();
        let mut rows = 0;
        let mut stale = 0;
        let mut skipped = self.follow.skipped.clone();
        for unit in self.units.clone() {
            let latest = self.latest(&unit);
            stale += usize::from(latest.failure.is_some());
            rows += latest.counted.lost;
            self.add(&unit, &latest.counted, &mut sums, room);
            for (verdict, count) in &unit.skipped {
                *skipped.entry(verdict.clone()).or_default() += count;
            }
        }
        let shown = |number: u32, value: &Value| {
            *value != Value::default() || self.rule.zeros && self.series.is_asked_for(number)
        };
        let value = |number| sums.get(&number).cloned().unwrap_or_default();
        let series = self
            .series
            .all()
            .map(|(number, labels)| (number, labels.clone(), value(number)));
        let series = series.filter(|(number, _, value)| shown(*number, value));
        RuleCounts {
            series: series.map(|(_, labels, value)| (labels, value)).collect(),
            rule: self.rule.clone(),
            lost: Lost {
                rows: self.lost.rows + rows,
                ..self.lost
            },
            attached: self.units.iter().map(|unit| unit.attached).sum(),
            files: self.files(),
            summed: self.series.summed(),
            attach_errors: self.attach_errors,
            read_errors: self.read_errors,
            stale,
            follow: Follow {
                skipped,
                ..self.follow.clone()
            },
        }
    }

    fn files(&self) -> usize {
        let mut files: Vec<_> = self.units.iter().map(|unit| unit.place.file).collect();
        files.sort_unstable();
        files.dedup();
        files.len()
    }
}

impl State {
    fn room(&self) -> usize {
        let taken = self.rules.iter().map(|entry| entry.series.len()).sum();
        self.most_series.saturating_sub(taken)
    }

    fn entry(&mut self, name: &str) -> Option<&mut Entry> {
        self.rules.iter_mut().find(|entry| entry.rule.name == name)
    }
}

impl Registry {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with it")
    }

    /// The rules of a new configuration. Rules of the same name and kind go on.
    /// @return units of the others, for the caller to stop.
    pub fn set_rules(&self, config: &Config) -> Vec<Arc<Unit>> {
        let mut state = self.state();
        state.most_series = config.limits.series;
        let mut old = std::mem::take(&mut state.rules);
        for rule in &config.rules {
            let rule = Arc::new(rule.get_ref().clone());
            let same = |entry: &Entry| entry.rule.name == rule.name && entry.rule.kind == rule.kind;
            let entry = match old.iter().position(same) {
                Some(at) => old.swap_remove(at),
                None => Entry::new(rule.clone()),
            };
            state.rules.push(entry);
        }
        let mut room = state.room();
        for (entry, rule) in state.rules.iter_mut().zip(&config.rules) {
            entry.change(Arc::new(rule.get_ref().clone()), &mut room);
        }
        old.into_iter().flat_map(|entry| entry.units).collect()
    }

    pub fn units(&self, rule: &str) -> Vec<Arc<Unit>> {
        self.state()
            .entry(rule)
            .map(|entry| entry.units.clone())
            .unwrap_or_default()
    }

    pub fn observers(&self) -> usize {
        self.state()
            .rules
            .iter()
            .map(|entry| entry.units.len())
            .sum()
    }

    /// Count with a unit that has been attached, in place of another one or beside the others.
    ///
    /// The new one is read before the old one: what is hit in between counts twice rather than not
    /// at all.
    pub fn insert(&self, rule: &str, unit: Arc<Unit>, instead_of: Option<&Unit>) {
        let mut state = self.state();
        let mut room = state.room();
        let Some(entry) = state.entry(rule) else {
            return;
        };
        if entry.rule.zeros {
            entry.number_all(&unit, &mut room);
        }
        if let Some(old) = instead_of {
            // What both have counted then counts twice.
            if let Err(failure) = unit.begin() {
                entry.read_failed(&unit, &failure);
            }
            entry.keep(old, &mut room);
        }
        entry.units.push(unit);
    }

    /// Keep the counts of a unit that has been stopped, and count without it from now on.
    pub fn remove(&self, rule: &str, unit: &Unit) {
        let mut state = self.state();
        let mut room = state.room();
        if let Some(entry) = state.entry(rule) {
            entry.keep(unit, &mut room);
        }
    }

    /// A unit's process has another name: what was counted stays with the old one.
    pub fn rename(&self, rule: &str, unit: &Unit, name: &str) {
        let mut state = self.state();
        let mut room = state.room();
        let Some(entry) = state.entry(rule) else {
            return;
        };
        // What can not be read now is not lost: the next look tries again.
        let counted = match unit.begin() {
            Ok(counted) => counted,
            Err(failure) => return entry.read_failed(unit, &failure),
        };
        entry.keep_counts(unit, &counted, &mut room);
        unit.rename(name);
        if entry.rule.zeros {
            entry.number_all(unit, &mut room);
        }
    }

    pub fn attach_failed(&self, rule: &str) {
        if let Some(entry) = self.state().entry(rule) {
            entry.attach_errors += 1;
        }
    }

    pub fn set_follow(&self, rule: &str, follow: Follow) {
        if let Some(entry) = self.state().entry(rule) {
            entry.follow = follow;
        }
    }

    /// Everything, rule by rule.
    pub fn counts(&self) -> Vec<RuleCounts> {
        let mut state = self.state();
        let mut room = state.room();
        state
            .rules
            .iter_mut()
            .map(|entry| entry.counts(&mut room))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::live::{self, alone, call, calls, config, unit};

    fn pairs(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
        pairs
            .iter()
            .map(|(symbol, calls)| ((*symbol).to_owned(), *calls))
            .collect()
    }

    #[test]
    fn what_has_ended_still_counts() {
        let _alone = alone();
        let config = config("");
        let registry = Registry::default();
        registry.set_rules(&config);
        let first = unit(&config);
        registry.insert("r", first.clone(), None);
        call(5);
        assert_eq!(calls(&registry), pairs(&[("getpgid", 5), ("getsid", 0)]));
        first.stop();
        registry.remove("r", &first);
        assert_eq!(
            (registry.observers(), calls(&registry)),
            (0, pairs(&[("getpgid", 5), ("getsid", 0)]))
        );
        call(100);
        let second = unit(&config);
        registry.insert("r", second.clone(), None);
        call(2);
        assert_eq!(calls(&registry), pairs(&[("getpgid", 7), ("getsid", 0)]));

        // A third takes over what the second has counted: nothing counts twice.
        let third = unit(&config);
        call(3);
        registry.insert("r", third.clone(), Some(&second));
        call(4);
        second.stop();
        assert_eq!(
            (registry.observers(), calls(&registry)),
            (1, pairs(&[("getpgid", 14), ("getsid", 0)]))
        );

        // And all goes on when the rule is read again, whatever its labels.
        assert!(
            registry
                .set_rules(&live::config("by = [\"binary\"]\n"))
                .is_empty()
        );
        assert_eq!(calls(&registry), pairs(&[("", 14)]));
        registry.set_rules(&config);
        call(1);
        let (own, other): (Vec<_>, Vec<_>) = calls(&registry)
            .into_iter()
            .partition(|(symbol, _)| symbol != "(other)");
        assert_eq!(
            own.iter()
                .chain(&other)
                .map(|(_, calls)| calls)
                .sum::<u64>(),
            15
        );
        assert_eq!(
            other.len(),
            1,
            "sums without a symbol can not be told apart again"
        );

        // Of another kind it is another rule.
        let ended = registry.set_rules(&live::config("kind = \"latency\"\n"));
        assert_eq!((ended.len(), calls(&registry).len()), (1, 0));
    }

    #[test]
    fn a_new_name_counts_from_when_it_is_known() {
        let _alone = alone();
        for kind in ["count", "latency"] {
            let config = config(&format!("by = [\"process\"]\nkind = \"{kind}\"\n"));
            let registry = Registry::default();
            registry.set_rules(&config);
            let unit = unit(&config);
            unit.rename("old");
            registry.insert("r", unit.clone(), None);
            call(5);
            registry.rename("r", &unit, "new");
            call(3);
            registry.rename("r", &unit, "newest");
            call(2);
            unit.stop();
            registry.remove("r", &unit);
            let counts = registry.counts();
            let mut series: Vec<_> = counts[0]
                .series
                .iter()
                .map(|(labels, value)| (labels.process.as_deref(), value.calls))
                .collect();
            series.sort_unstable();
            assert_eq!(
                series,
                [(Some("new"), 3), (Some("newest"), 2), (Some("old"), 5)]
            );
        }
    }

    #[test]
    fn series_have_a_limit_and_nothing_is_lost() {
        let _alone = alone();
        let config = config("zeros = false\n[limits]\nseries = 1\n");
        let registry = Registry::default();
        registry.set_rules(&config);
        let unit = unit(&config);
        registry.insert("r", unit, None);
        assert!(calls(&registry).is_empty(), "nothing was called");
        // SAFETY: takes a number.
        unsafe { libc::getsid(0) };
        assert_eq!(calls(&registry), pairs(&[("getsid", 1)]));
        call(6);
        assert_eq!(calls(&registry), pairs(&[("(other)", 6), ("getsid", 1)]));
        assert_eq!(registry.counts()[0].summed, 1);
    }

    #[test]
    fn what_can_not_be_read_stands_still() {
        let _alone = alone();
        for kind in ["count", "latency"] {
            let config = config(&format!("kind = \"{kind}\"\nzeros = false\n"));
            let registry = Registry::default();
            registry.set_rules(&config);
            let (first, second) = (unit(&config), unit(&config));
            registry.insert("r", first.clone(), None);
            let told = |calls, reads| {
                let counts = &registry.counts()[0];
                let of_series = counts.series.iter().map(|(_, value)| value.calls);
                assert_eq!(of_series.sum::<u64>(), calls, "{kind}");
                assert_eq!((counts.lost.reads, counts.stale as u64), reads, "{kind}");
                counts.read_errors
            };
            call(5);
            assert_eq!(told(5, (0, 0)), 0);
            first.can_not_be_read.store(true, Relaxed);
            call(2);
            assert_eq!((told(5, (0, 1)), told(5, (0, 1))), (1, 2));
            first.can_not_be_read.store(false, Relaxed);
            assert_eq!(told(7, (0, 0)), 2);

            // Nor does it go down when that is the last of it, or another takes over.
            call(1);
            first.can_not_be_read.store(true, Relaxed);
            registry.insert("r", second.clone(), Some(&first));
            call(4);
            assert_eq!(told(7 + 4, (1, 0)), 3);
            second.can_not_be_read.store(true, Relaxed);
            registry.rename("r", &second, "new");
            call(1);
            assert_eq!(told(7 + 4, (1, 1)), 5);
            second.can_not_be_read.store(false, Relaxed);
            registry.rename("r", &second, "new");
            second.can_not_be_read.store(true, Relaxed);
            registry.remove("r", &second);
            assert_eq!(told(7 + 5, (2, 0)), 6);
        }
    }

    #[test]
    fn no_two_series_have_the_same_labels() {
        let _alone = alone();
        let mut config = config("kind = \"latency\"\nby = [\"process\"]\n[limits]\nseries = 1\n");
        let registry = Registry::default();
        registry.set_rules(&config);
        let unit = unit(&config);
        unit.rename("(other)");
        registry.insert("r", unit.clone(), None);
        call(1);
        for (name, times) in [("a", 2), ("b", 3), ("c", 4)] {
            registry.rename("r", &unit, name);
            call(times);
        }
        let series = |registry: &Registry| -> Vec<_> {
            let counts = registry.counts();
            let series = counts[0].series.iter();
            series
                .map(|(labels, value)| (labels.process.clone(), value.calls))
                .collect()
        };
        let expected = [("(other)", 8), ("a", 2)];
        let expected = expected.map(|(name, calls)| (Some(name.to_owned()), calls));
        assert_eq!(series(&registry), expected);

        // Without any label, "(other)" and all else are the same series.
        config = live::config("kind = \"latency\"\nby = []\n");
        registry.set_rules(&config);
        call(1);
        assert_eq!(series(&registry), [(None, 11)]);
        let other = Registry::default();
        other.set_rules(&config);
        other.insert("r", live::unit(&config), None);
        assert_eq!(series(&other), [(None, 0)], "a series from the start");
    }

    #[test]
    fn latencies_add_up() {
        let _alone = alone();
        let config = config("kind = \"latency\"\n");
        let registry = Registry::default();
        registry.set_rules(&config);
        let first = unit(&config);
        registry.insert("r", first.clone(), None);
        call(5);
        let second = unit(&config);
        call(1);
        registry.insert("r", second, Some(&first));
        call(2);
        let counts = registry.counts();
        let (_, value) = &counts[0].series[0];
        assert_eq!((value.calls, value.entries), (8, 8));
        assert!(value.sum_ns > 0);
    }
}
