// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Keeps attached what the rules ask for, as processes and files come and go.
//!
//! A *unit* is one observer: of one file everywhere, or of one file in one process. Each look makes a
//! plan for each rule and compares it with the rule's units, point by point:
//!
//! - points that no unit has are attached as a new unit; units that have all they should are not touched;
//! - a unit that has points nobody asks for any more is replaced by one of the rest, which is attached
//!   before the old one is let go (`Registry::insert`);
//! - a unit of a file that is not asked for any more, because the path leads to another file now, stays while
//!   somebody maps the old file;
//! - a unit of a process ends with it, or when it leaves the scope.
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uprobe_multi::{Error, ErrorKind};

use crate::config::{By, Config, Rule};
use crate::exchanges::Exchanges;
use crate::log::event;
use crate::plan::{Plan, Planner, RETRY, Target};
use crate::process::{self, Process};
use crate::registry::{Follow, Registry};
use crate::resolved::{File, Point, Skipped};
use crate::stats::{Stats, resident};
use crate::system::thread_time;
use crate::unit::{Place, Unit};
use crate::watch;

/// A file of which no process in scope is left stays attached for so long.
const LINGER_SECONDS: u64 = 300;
/// Between two looks for processes that map a file which has been replaced.
const MAPPED_PAUSE: Duration = Duration::from_secs(5);

pub struct Follower {
    config: Arc<Config>,
    registry: Arc<Registry>,
    stats: Arc<Stats>,
    rules: Vec<Tracked>,
    still_mapped: Option<(Instant, StillMapped)>,
    observers: usize,
}

struct Tracked {
    planner: Planner,
    /// Attaches that failed, and when.
    failed: HashMap<Place, Instant>,
    /// Files that were found through another scope are not kept.
    other_scope: bool,
}

/// What one look does for a rule.
struct Work<'a> {
    processes: &'a [Process],
    skipped: Skipped,
    unobserved: BTreeSet<process::Key>,
    exchanges: Exchanges,
}

impl<'a> Work<'a> {
    fn process(&self, place: Place) -> Option<&'a Process> {
        place
            .process
            .and_then(|key| self.processes.iter().find(|process| process.key == key))
    }

    fn skip(&mut self, verdict: &str, place: Place, points: &BTreeSet<Point>) {
        self.unobserved.extend(place.process);
        *self.skipped.entry(verdict.to_owned()).or_default() += points.len() as u64;
    }
}

/// Inodes of which code is mapped, with device and path.
type StillMapped = HashMap<u64, Vec<(u64, PathBuf)>>;

fn same_resolution(one: &Rule, other: &Rule) -> bool {
    // What can be measured is judged by kind.
    one.kind == other.kind
        && one.specs == other.specs
        && one.accept_unwinding == other.accept_unwinding
}

impl Follower {
    pub fn new(registry: Arc<Registry>, stats: Arc<Stats>) -> Self {
        Self {
            config: Arc::default(),
            registry,
            stats,
            rules: Vec::new(),
            still_mapped: None,
            observers: 0,
        }
    }

    /// What is attached stays, until the next look.
    pub fn configure(&mut self, config: Arc<Config>) {
        for unit in self.registry.set_rules(&config) {
            unit.stop();
        }
        let mut old: HashMap<String, Tracked> = self
            .rules
            .drain(..)
            .map(|tracked| (tracked.planner.rule.name.clone(), tracked))
            .collect();
        for rule in &config.rules {
            let rule = Arc::new(rule.get_ref().clone());
            let before = old.remove(&rule.name);
            self.rules
                .push(Tracked::new(rule, before, config.limits.probes));
        }
        self.config = config;
    }

    /// Whether each new process may be one to attach to.
    pub fn follows_processes(&self) -> bool {
        self.rules
            .iter()
            .any(|tracked| tracked.planner.rule.by_process())
    }

    pub fn needs_processes(&self) -> bool {
        self.rules
            .iter()
            .any(|tracked| tracked.planner.rule.scope.is_some())
    }

    pub fn directories(&self) -> BTreeSet<PathBuf> {
        let global = self
            .rules
            .iter()
            .filter(|tracked| tracked.planner.rule.scope.is_none());
        global
            .flat_map(|tracked| {
                watch::directories(&tracked.planner.rule.specs, tracked.planner.found())
            })
            .collect()
    }

    /// Look at processes and files, and attach and let go. stop() ends it early.
    /// @return CPU time of finding out what there is.
    pub fn look(&mut self, stop: &dyn Fn() -> bool) -> Duration {
        let began = thread_time();
        let processes = if self.needs_processes() {
            process::list()
        } else {
            Vec::new()
        };
        let mut looking = thread_time() - began;
        self.observers = self.registry.observers();
        let mut rules = std::mem::take(&mut self.rules);
        for tracked in &mut rules {
            if stop() {
                break;
            }
            let began = thread_time();
            let plan = tracked.planner.plan(&processes);
            looking += thread_time() - began;
            self.apply(tracked, plan, &processes, stop);
        }
        self.rules = rules;
        self.stats.limits.looked();
        looking
    }

    /// Let go of everything.
    pub fn end(&mut self) {
        for tracked in &self.rules {
            for unit in self.registry.units(&tracked.planner.rule.name) {
                self.let_go(&tracked.planner.rule.name, &unit);
            }
        }
    }

    fn apply(
        &mut self,
        tracked: &mut Tracked,
        plan: Plan,
        processes: &[Process],
        stop: &dyn Fn() -> bool,
    ) {
        let name = tracked.planner.rule.name.clone();
        (0..plan.failures).for_each(|_| self.registry.attach_failed(&name));
        let units = self.registry.units(&name);
        self.end_rewritten(&name, &units, &plan);
        let mut work = Work {
            processes,
            skipped: plan.skipped(),
            unobserved: BTreeSet::new(),
            exchanges: Exchanges::new(self.registry.clone(), &tracked.planner.rule),
        };
        for (place, target) in plan.targets.iter().take_while(|_| !stop()) {
            self.attach_missing(tracked, *place, target, &units, &mut work);
        }
        work.exchanges.finish();
        if stop() {
            return;
        }
        self.end_unwanted(tracked, &plan, &units);
        tracked.failed.retain(|_, at| at.elapsed() < RETRY);
        tracked.other_scope = false;
        let follow = Follow {
            processes: plan.processes,
            unobserved: work.unobserved.len() + plan.unresolved,
            skipped: work.skipped,
        };
        self.registry.set_follow(&name, follow);
    }

    /// A file that was written in place has its functions elsewhere.
    fn end_rewritten(&self, rule: &str, units: &[Arc<Unit>], plan: &Plan) {
        let rewritten = |unit: &&Arc<Unit>| {
            let other = |place: &Place| {
                place.file.same_inode(&unit.place.file) && place.file != unit.place.file
            };
            unit.place.process.is_none() && plan.targets.keys().any(other)
        };
        for unit in units.iter().filter(rewritten) {
            self.let_go(rule, unit);
        }
    }

    fn attach_missing(
        &mut self,
        tracked: &mut Tracked,
        place: Place,
        target: &Target,
        units: &[Arc<Unit>],
        work: &mut Work<'_>,
    ) {
        let file = target.file();
        let here: Vec<_> = units.iter().filter(|unit| unit.place == place).collect();
        let mut missing: BTreeSet<Point> = file.points.keys().copied().collect();
        for unit in &here {
            unit.note_wanted();
            self.note_name(&tracked.planner.rule, unit, work.process(place));
            missing.retain(|point| !unit.points.contains(point));
        }
        self.attach(tracked, place, target, &missing, None, work);
        for unit in here {
            let asked = |point: &&Point| file.points.contains_key(point);
            let rest: BTreeSet<Point> = unit.points.iter().filter(asked).copied().collect();
            if rest.len() < unit.points.len() {
                self.attach(tracked, place, target, &rest, Some(unit), work);
            }
        }
    }

    /// exec() gives a process another name, and it may ask for one.
    fn note_name(&self, rule: &Rule, unit: &Unit, process: Option<&Process>) {
        let other = process.filter(|process| !unit.is_named(process.name()));
        if let (Some(process), true) = (other, rule.by.contains(&By::Process)) {
            self.registry.rename(&rule.name, unit, process.name());
        }
    }

    fn attach(
        &mut self,
        tracked: &mut Tracked,
        place: Place,
        target: &Target,
        points: &BTreeSet<Point>,
        instead_of: Option<&Arc<Unit>>,
        work: &mut Work<'_>,
    ) {
        if points.is_empty() {
            return;
        }
        if self.limited(instead_of.is_some()) {
            return work.skip("limit", place, points);
        }
        if tracked.failed.contains_key(&place) {
            return work.skip("error", place, points);
        }
        let rule = &tracked.planner.rule;
        match start(rule, place, target, points, work.process(place)) {
            Ok(Some(unit)) => {
                report(rule, &unit, work.process(place));
                let unit = Arc::new(unit);
                match instead_of {
                    Some(old) => work.exchanges.begin(unit, old.clone()),
                    None => {
                        self.registry.insert(&rule.name, unit, None);
                        self.observers += 1;
                    }
                }
            }
            Ok(None) => {}
            Err(error) => {
                report_failure(rule, target.file(), place, &error);
                self.registry.attach_failed(&rule.name);
                tracked.failed.insert(place, Instant::now());
                work.skip("error", place, points);
            }
        }
    }

    /// Whether a limit keeps a new unit out.
    fn limited(&self, is_exchange: bool) -> bool {
        let limits = &self.config.limits;
        if self.observers >= limits.observers && !is_exchange {
            return self.stats.limits.observers.reach("observers");
        }
        resident() > limits.memory.0 && self.stats.limits.memory.reach("memory")
    }

    fn end_unwanted(&mut self, tracked: &Tracked, plan: &Plan, units: &[Arc<Unit>]) {
        let rule = tracked.planner.rule.clone();
        for unit in units {
            let asked = |target: &Target| {
                let points = &target.file().points;
                unit.points.iter().any(|point| points.contains_key(point))
            };
            let wanted = plan.targets.get(&unit.place).is_some_and(asked);
            let known = plan.targets.contains_key(&unit.place);
            if !wanted && (known || !self.stays(tracked, &rule, plan, unit)) {
                self.let_go(&rule.name, unit);
            }
        }
    }

    /// Whether a unit that is not asked for still has somebody to count: who runs a file that has been
    /// replaced may have it where nobody can look at it any more.
    fn stays(&mut self, tracked: &Tracked, rule: &Rule, plan: &Plan, unit: &Unit) -> bool {
        let asked = rule.specs.iter().any(|spec| unit.specs.contains(spec));
        if tracked.other_scope || !asked || unit.place.process.is_some() != rule.by_process() {
            return false;
        }
        if let Some(process) = unit.place.process {
            return plan.mapped.contains(&(process, unit.place.file.inode));
        }
        if rule.scope.is_some() {
            let present =
                watch::FileId::of(&unit.path).is_some_and(|id| id.same_inode(&unit.place.file));
            if present || unit.seconds_unwanted() < LINGER_SECONDS {
                return true;
            }
        }
        self.is_mapped(unit)
    }

    fn is_mapped(&mut self, unit: &Unit) -> bool {
        if self
            .still_mapped
            .as_ref()
            .is_none_or(|(at, _)| at.elapsed() >= MAPPED_PAUSE)
        {
            self.still_mapped = Some((Instant::now(), still_mapped()));
        }
        let (_, mapped) = self.still_mapped.as_ref().expect("it is there");
        let same = |(device, path): &(u64, PathBuf)| {
            *device == unit.place.file.device || *path == unit.path
        };
        mapped
            .get(&unit.place.file.inode)
            .is_some_and(|files| files.iter().any(same))
    }

    fn let_go(&self, rule: &str, unit: &Unit) {
        unit.stop();
        self.registry.remove(rule, unit);
        let process = unit.place.process.map_or(0, |key| key.pid);
        event!(
            Info,
            "detached",
            rule = rule,
            file = unit.path.display(),
            pid = process,
            probes = unit.attached
        );
    }
}

fn still_mapped() -> StillMapped {
    let mut mapped = StillMapped::new();
    for file in process::list()
        .iter()
        .filter_map(|process| process::mapped(process.key.pid))
        .flatten()
    {
        let files = mapped.entry(file.inode).or_default();
        if !files
            .iter()
            .any(|(device, path)| *device == file.device && *path == file.path)
        {
            files.push((file.device, file.path));
        }
    }
    mapped
}

/// None when the process has ended.
fn start(
    rule: &Rule,
    place: Place,
    target: &Target,
    points: &BTreeSet<Point>,
    process: Option<&Process>,
) -> Result<Option<Unit>, Error> {
    let file = target.file();
    let indexes: Vec<usize> = points.iter().map(|point| file.points[point]).collect();
    let set = target.resolved.set.select(&indexes)?;
    let started = Unit::start(rule.kind, place, file.path.clone(), &set, process);
    let Some(key) = place.process else {
        return started.map(Some);
    };
    match (started, Process::read(key.pid)) {
        // The id has become another's, who may be the one that the kernel has taken hold of.
        (_, Some(other)) if other.key != key => Ok(None),
        (Err(_), None) => Ok(None),
        (started, _) => started.map(Some),
    }
}

fn report(rule: &Rule, unit: &Unit, process: Option<&Process>) {
    let (pid, name) = process.map_or((0, "*"), |process| (process.key.pid, process.name()));
    event!(
        Info,
        "attached",
        rule = rule.name,
        file = unit.path.display(),
        process = name,
        pid = pid,
        probes = unit.attached,
        skipped = unit.skipped.values().sum::<u64>(),
    );
}

fn report_failure(rule: &Rule, file: &File, place: Place, error: &Error) {
    let pid = place.process.map_or(0, |key| key.pid);
    let level = if error.kind() == ErrorKind::Nothing {
        crate::log::Level::Warn
    } else {
        crate::log::Level::Error
    };
    crate::log::log(
        level,
        "attach_failed",
        &[
            ("rule", &rule.name),
            ("file", &file.path.display()),
            ("pid", &pid),
            ("probes", &file.points.len()),
            ("reason", error),
        ],
    );
}

impl Tracked {
    /// What was resolved for the rule before is right for the new version, too, if it asks for the same.
    fn new(rule: Arc<Rule>, before: Option<Self>, most: usize) -> Self {
        let other_scope = before.as_ref().is_some_and(|before| {
            before.planner.rule.scope != rule.scope || before.planner.rule.attach != rule.attach
        });
        let same = before.filter(|before| {
            same_resolution(&before.planner.rule, &rule) && before.planner.most == most
        });
        let planner = match same {
            Some(before) => before.planner.with_rule(rule),
            None => Planner::new(rule, most),
        };
        Self {
            planner,
            failed: HashMap::new(),
            other_scope,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_kind_is_resolved_anew() {
        let rule = |rest: &str| {
            let text = format!("[[rule]]\nname = \"a\"\nspecs = [\"b:c\"]\n{rest}\n");
            crate::config::parse(&text).expect("a rule").rules[0]
                .get_ref()
                .clone()
        };
        let count = rule("");
        assert!(same_resolution(&count, &rule("zeros = false")));
        assert!(!same_resolution(&count, &rule("kind = \"latency\"")));
    }
}
