// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! One observer of a rule: a file everywhere, or a file in one process.
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::{Duration, Instant};

use uprobe_multi::{
    Count, CountObserver, Error, Latency, LatencyObserver, LatencySnapshot, Observer, ProbeSet,
};

use crate::config::Kind;
use crate::process;
use crate::process::Process;
use crate::resolved::{Point, Skipped};
use crate::series::{Labels, NONE};
use crate::value::Value;
use crate::watch::FileId;

/// What a unit is about; a rule may have several of the same, with different points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub file: FileId,
    pub process: Option<process::Key>,
}

enum Observing {
    Count(CountObserver),
    Latency(LatencyObserver),
}

impl Observing {
    fn start(kind: Kind, set: &ProbeSet, pid: Option<u32>) -> Result<Self, Error> {
        Ok(match kind {
            Kind::Count => Self::Count(Count::new(set).pids(pid).start()?),
            Kind::Latency => Self::Latency(Latency::new(set).pids(pid).start()?),
        })
    }

    fn read(&self) -> Result<Reading, Error> {
        Ok(match self {
            Self::Count(observer) => Reading::Hits(observer.hits()?),
            Self::Latency(observer) => Reading::Calls(observer.snapshot()?),
        })
    }

    fn stop(&mut self) -> Result<Duration, Error> {
        match self {
            Self::Count(observer) => observer.stop(),
            Self::Latency(observer) => observer.stop(),
        }
    }
}

impl std::ops::Deref for Observing {
    type Target = Observer;
    fn deref(&self) -> &Observer {
        match self {
            Self::Count(observer) => observer,
            Self::Latency(observer) => observer,
        }
    }
}

/// What an observer has seen so far.
enum Reading {
    Hits(Vec<u64>),
    Calls(LatencySnapshot),
}

/// What a unit has counted: numbers of its probes with their values.
#[derive(Default)]
pub struct Counted {
    pub values: Vec<(usize, Value)>,
    /// Calls for which the kernel's table had no row.
    pub lost: u64,
}

impl Reading {
    fn counted(&self, earlier: Option<&Self>) -> Result<Counted, Error> {
        match (self, earlier) {
            (Self::Hits(hits), earlier) => {
                let before = |index: usize| match earlier {
                    Some(Self::Hits(before)) => before[index],
                    _ => 0,
                };
                let values = hits
                    .iter()
                    .enumerate()
                    .map(|(index, hits)| (index, Value::hits(hits - before(index))));
                Ok(Counted {
                    values: values.filter(|(_, value)| value.calls > 0).collect(),
                    lost: 0,
                })
            }
            (Self::Calls(now), Some(Self::Calls(before))) => {
                let mut counted = rows(&now.since(before)?);
                counted.lost = now.lost() - before.lost();
                Ok(counted)
            }
            (Self::Calls(now), _) => Ok(rows(now)),
        }
    }
}

fn rows(snapshot: &LatencySnapshot) -> Counted {
    Counted {
        values: snapshot
            .rows()
            .map(|row| (row.probe(), Value::of_row(&row)))
            .collect(),
        lost: snapshot.lost(),
    }
}

/// What is known of the counts.
#[derive(Default)]
struct Known {
    /// What another unit has counted, too, or it itself under another name.
    baseline: Option<Reading>,
    /// Since then, when it was read last.
    counted: Arc<Counted>,
    failed: bool,
}

/// What could not be read.
pub struct Failure {
    pub error: Error,
    /// It could be the time before.
    pub is_new: bool,
}

/// What a unit has counted. Counts never go down: those that can not be read are as they were.
pub struct Latest {
    pub counted: Arc<Counted>,
    pub failure: Option<Failure>,
}

impl Known {
    fn note(&mut self, error: Error) -> Failure {
        Failure {
            error,
            is_new: !std::mem::replace(&mut self.failed, true),
        }
    }

    fn latest(&mut self, read: Result<Reading, Error>) -> Latest {
        let counted = read.and_then(|reading| reading.counted(self.baseline.as_ref()));
        let failure = match counted {
            Ok(counted) => {
                self.counted = Arc::new(counted);
                self.failed = false;
                None
            }
            Err(error) => Some(self.note(error)),
        };
        Latest {
            counted: self.counted.clone(),
            failure,
        }
    }

    fn begin(&mut self, read: Result<Reading, Error>) -> Result<Counted, Failure> {
        let counted = read.and_then(|reading| {
            let counted = reading.counted(self.baseline.as_ref())?;
            Ok((counted, reading))
        });
        let (counted, reading) = counted.map_err(|error| self.note(error))?;
        *self = Self {
            baseline: Some(reading),
            ..Self::default()
        };
        Ok(counted)
    }
}

pub struct Unit {
    pub place: Place,
    pub path: PathBuf,
    pub points: BTreeSet<Point>,
    /// Those of the rule's specs that its probes come from.
    pub specs: BTreeSet<String>,
    pub attached: usize,
    pub skipped: Skipped,
    kind: Kind,
    /// It may get another one, as by exec().
    process_name: Mutex<Option<String>>,
    observer: RwLock<Observing>,
    known: Mutex<Known>,
    /// Numbers of the series of each probe.
    series: Vec<AtomicU32>,
    /// When it was last asked for, seconds after `born`.
    wanted: AtomicU64,
    born: Instant,
    #[cfg(test)]
    pub can_not_be_read: std::sync::atomic::AtomicBool,
}

impl Unit {
    /// Attach.
    pub fn start(
        kind: Kind,
        place: Place,
        path: PathBuf,
        set: &ProbeSet,
        process: Option<&Process>,
    ) -> Result<Self, Error> {
        let observer = Observing::start(kind, set, place.process.map(|key| key.pid))?;
        let mut skipped = Skipped::new();
        for probe in observer.link().skipped() {
            *skipped.entry(probe.verdict().to_string()).or_default() += 1;
        }
        let point = |probe: uprobe_multi::Probe<'_>| Point {
            offset: probe.offset(),
            kind: probe.kind(),
        };
        Ok(Self {
            place,
            path,
            points: set.iter().map(point).collect(),
            specs: set.iter().map(|probe| probe.spec().into_owned()).collect(),
            attached: observer.link().attached_count(),
            skipped,
            kind,
            process_name: Mutex::new(process.map(|process| process.name().to_owned())),
            series: set.iter().map(|_| AtomicU32::new(NONE)).collect(),
            observer: RwLock::new(observer),
            known: Mutex::default(),
            wanted: AtomicU64::new(0),
            born: Instant::now(),
            #[cfg(test)]
            can_not_be_read: false.into(),
        })
    }

    pub fn count(&self) -> usize {
        self.series.len()
    }

    fn read(&self) -> Result<Reading, Error> {
        #[cfg(test)]
        if self.can_not_be_read.load(Ordering::Relaxed) {
            uprobe_multi::resolve("no spec")?;
        }
        self.observer.read().expect("no reader panics").read()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nothing panics with it")
    }

    fn process_name(&self) -> MutexGuard<'_, Option<String>> {
        self.process_name.lock().expect("nothing panics with it")
    }

    pub fn latest(&self) -> Latest {
        self.known().latest(self.read())
    }

    /// From here on it counts. @return what it has counted until then.
    pub fn begin(&self) -> Result<Counted, Failure> {
        self.known().begin(self.read())
    }

    pub fn is_named(&self, name: &str) -> bool {
        self.process_name().as_deref() == Some(name)
    }

    /// Of the process. Its series are others from then on.
    pub fn rename(&self, name: &str) {
        *self.process_name() = Some(name.to_owned());
        self.forget_numbers();
    }

    pub fn forget_numbers(&self) {
        (0..self.count()).for_each(|index| self.set_number(index, NONE));
    }

    /// Detach; the counts then stand still.
    pub fn stop(&self) {
        // Nothing is known that fails here, and nothing could be done.
        let _ = self.observer.write().expect("no reader panics").stop();
    }

    /// Labels of a probe.
    pub fn labels(&self, index: usize) -> Labels {
        let observer = self.observer.read().expect("no reader panics");
        let probe = observer.probes().get(index);
        let kind = probe.map_or("?", |probe| match probe.kind() {
            uprobe_multi::Kind::Uprobe => "uprobe",
            uprobe_multi::Kind::Uretprobe => "uretprobe",
            _ => "usdt",
        });
        Labels {
            probe: (self.kind == Kind::Count).then_some(kind),
            binary: Some(self.path.to_string_lossy().into_owned()),
            symbol: probe.map(|probe| probe.name()),
            process: self.process_name().clone(),
        }
    }

    pub fn number(&self, index: usize) -> u32 {
        self.series[index].load(Ordering::Relaxed)
    }

    pub fn set_number(&self, index: usize, number: u32) {
        self.series[index].store(number, Ordering::Relaxed);
    }

    pub fn note_wanted(&self) {
        self.wanted
            .store(self.born.elapsed().as_secs(), Ordering::Relaxed);
    }

    pub fn seconds_unwanted(&self) -> u64 {
        self.born.elapsed().as_secs() - self.wanted.load(Ordering::Relaxed)
    }
}
