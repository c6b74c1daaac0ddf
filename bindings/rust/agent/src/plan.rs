// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What a rule wants attached now.
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uprobe_multi::{Error, ErrorKind};

use crate::config::Rule;
use crate::log::event;
use crate::process::{self, Process};
use crate::resolved::{File, Resolved, Skipped};
use crate::unit::Place;
use crate::watch::Fingerprint;

/// A file of something resolved.
#[derive(Clone)]
pub struct Target {
    pub resolved: Rc<Resolved>,
    pub file: usize,
}

impl Target {
    pub fn file(&self) -> &File {
        &self.resolved.files[self.file]
    }
}

#[derive(Default)]
pub struct Plan {
    pub targets: BTreeMap<Place, Target>,
    /// Processes in scope, and those of them whose files could not be resolved.
    pub processes: usize,
    pub unresolved: usize,
    pub failures: u64,
    /// Inodes of which code is mapped, of processes that are attached to one by one.
    pub mapped: BTreeSet<(process::Key, u64)>,
    /// Each once.
    pub resolutions: Vec<Rc<Resolved>>,
}

/// Specs are resolved again after so long even where nothing seems to have changed.
const REFRESH: Duration = Duration::from_secs(60);
/// And what failed is tried again after so long.
pub const RETRY: Duration = Duration::from_secs(30);

/// What everybody sees.
struct Common {
    fingerprint: Fingerprint,
    at: Instant,
    resolved: Rc<Resolved>,
}

/// Resolutions of a rule that are still right.
pub struct Planner {
    pub rule: Arc<Rule>,
    pub most: usize,
    common: Option<Common>,
    views: HashMap<u64, Rc<Resolved>>,
    failed: HashMap<u64, Instant>,
}

/// Whoever sees files as the agent does.
const OWN_VIEW: u64 = 0;

impl Planner {
    pub fn new(rule: Arc<Rule>, most: usize) -> Self {
        Self {
            rule,
            most,
            common: None,
            views: HashMap::new(),
            failed: HashMap::new(),
        }
    }

    /// The same, for a rule that asks for the same.
    pub fn with_rule(self, rule: Arc<Rule>) -> Self {
        Self { rule, ..self }
    }

    pub fn plan(&mut self, processes: &[Process]) -> Plan {
        match self.rule.clone().scope.as_ref() {
            None => self.for_everybody(),
            Some(scope) => {
                let matched: Vec<_> = processes
                    .iter()
                    .filter(|process| scope.holds(process))
                    .collect();
                self.for_processes(&matched)
            }
        }
    }

    fn for_everybody(&mut self) -> Plan {
        let mut plan = Plan::default();
        let fingerprint = self.fingerprint();
        let right =
            |common: &Common| common.fingerprint == fingerprint && common.at.elapsed() < REFRESH;
        if !self.common.as_ref().is_some_and(right) && !self.has_failed(OWN_VIEW) {
            match Resolved::new(&self.rule, None, self.most) {
                Ok(resolved) => {
                    // Of all files that were found by now, as they were before.
                    let paths = resolved.files.iter().map(|file| file.path.as_path());
                    self.common = Some(Common {
                        fingerprint: Fingerprint::take(&self.rule.specs, paths),
                        at: Instant::now(),
                        resolved: Rc::new(resolved),
                    });
                }
                Err(error) => self.fail(OWN_VIEW, &error, &mut plan),
            }
        }
        if let Some(common) = &self.common {
            plan.add(&common.resolved, None);
            plan.resolutions.push(common.resolved.clone());
        }
        plan
    }

    fn fingerprint(&self) -> Fingerprint {
        let found = self.common.iter().flat_map(|common| &common.resolved.files);
        Fingerprint::take(&self.rule.specs, found.map(|file| file.path.as_path()))
    }

    /// Directories to watch.
    pub fn found(&self) -> impl Iterator<Item = &Path> {
        let found = self.common.iter().flat_map(|common| &common.resolved.files);
        found.map(|file| file.path.as_path())
    }

    fn for_processes(&mut self, processes: &[&Process]) -> Plan {
        let mut plan = Plan {
            processes: processes.len(),
            ..Plan::default()
        };
        let mut views = HashMap::new();
        for process in processes {
            match self.as_seen_by(process, &mut plan) {
                Some((view, resolved)) => {
                    plan.add(&resolved, self.rule.by_process().then_some(process.key));
                    views.insert(view, resolved);
                }
                None if process::is_alive(process.key) => plan.unresolved += 1,
                None => plan.processes -= 1,
            }
        }
        plan.resolutions.extend(views.values().cloned());
        self.views = views;
        plan
    }

    fn as_seen_by(&mut self, process: &Process, plan: &mut Plan) -> Option<(u64, Rc<Resolved>)> {
        let pid = process.key.pid;
        let mapped = process::mapped(pid)?;
        if self.rule.by_process() {
            plan.mapped
                .extend(mapped.iter().map(|file| (process.key, file.inode)));
        }
        let view = process::view(pid, &mapped)?;
        if let Some(resolved) = self.views.get(&view) {
            return Some((view, resolved.clone()));
        }
        if self.has_failed(view) {
            return None;
        }
        match Resolved::new(&self.rule, Some((pid, &mapped)), self.most) {
            Ok(resolved) => {
                let resolved = Rc::new(resolved);
                self.views.insert(view, resolved.clone());
                Some((view, resolved))
            }
            Err(error)
                if error.kind() == ErrorKind::NotFound && !process::is_alive(process.key) =>
            {
                None
            }
            Err(error) => {
                self.fail(view, &error, plan);
                None
            }
        }
    }

    fn has_failed(&self, view: u64) -> bool {
        self.failed
            .get(&view)
            .is_some_and(|at| at.elapsed() < RETRY)
    }

    fn fail(&mut self, view: u64, error: &Error, plan: &mut Plan) {
        self.failed.retain(|_, at| at.elapsed() < RETRY);
        self.failed.insert(view, Instant::now());
        plan.failures += 1;
        event!(
            Error,
            "resolve_failed",
            rule = self.rule.name,
            reason = error
        );
    }
}

impl Plan {
    fn add(&mut self, resolved: &Rc<Resolved>, process: Option<process::Key>) {
        for (file, found) in resolved.files.iter().enumerate() {
            let place = Place {
                file: found.id,
                process,
            };
            let resolved = resolved.clone();
            self.targets
                .entry(place)
                .or_insert(Target { resolved, file });
        }
    }

    pub fn skipped(&self) -> Skipped {
        let mut skipped = Skipped::new();
        for (verdict, count) in self
            .resolutions
            .iter()
            .flat_map(|resolved| &resolved.skipped)
        {
            *skipped.entry(verdict.clone()).or_default() += count;
        }
        skipped
    }
}
