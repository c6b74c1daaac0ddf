// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! The agent about itself.
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::log::event;

/// Goes up only.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[derive(Debug, Default)]
pub struct Outcomes {
    pub ok: Counter,
    pub failed: Counter,
}

/// A limit that holds something back.
#[derive(Debug, Default)]
pub struct Limit {
    /// In the look that is going on, and in the one before.
    now: AtomicBool,
    reached: AtomicBool,
}

impl Limit {
    /// @return true
    pub fn reach(&self, name: &str) -> bool {
        if !self.now.swap(true, Relaxed) && !self.reached.load(Relaxed) {
            event!(Warn, "limit_reached", limit = name);
        }
        true
    }

    pub fn is_reached(&self) -> bool {
        self.reached.load(Relaxed)
    }
}

#[derive(Debug, Default)]
pub struct Limits {
    pub memory: Limit,
    pub observers: Limit,
}

impl Limits {
    /// After a look; the next one finds out anew.
    pub fn looked(&self) {
        for limit in [&self.memory, &self.observers] {
            limit.reached.store(limit.now.swap(false, Relaxed), Relaxed);
        }
    }
}

#[derive(Debug)]
pub struct Stats {
    pub limits: Limits,
    pub scans: Counter,
    pub scan_ns: Counter,
    pub reloads: Outcomes,
    pub reload_failed: AtomicBool,
    pub configured_s: AtomicU64,
    pub exports: Outcomes,
    pub scrapes: Counter,
    pub notified: AtomicBool,
    pub started: SystemTime,
    /// When the last look ended, and until when the next one has to.
    due: Mutex<Option<Instant>>,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            scans: Counter::default(),
            scan_ns: Counter::default(),
            reloads: Outcomes::default(),
            reload_failed: AtomicBool::default(),
            configured_s: AtomicU64::new(seconds_since_1970()),
            exports: Outcomes::default(),
            scrapes: Counter::default(),
            notified: AtomicBool::default(),
            started: SystemTime::now(),
            due: Mutex::default(),
        }
    }
}

/// A look may attach very many probes.
const PATIENCE: Duration = Duration::from_secs(120);

impl Stats {
    pub fn looked(&self, took: Duration, pause: Duration) {
        self.scans.add(1);
        self.scan_ns.add(took.as_nanos() as u64);
        *self.due.lock().expect("nothing panics with it") = Some(Instant::now() + pause + PATIENCE);
    }

    /// Err: what is wrong.
    pub fn health(&self) -> Result<(), &'static str> {
        match *self.due.lock().expect("nothing panics with it") {
            None => Err("starting"),
            Some(due) if Instant::now() > due => {
                Err("the last look at processes and files is too long ago")
            }
            Some(_) => Ok(()),
        }
    }

    pub fn configured(&self) {
        self.configured_s.store(seconds_since_1970(), Relaxed);
    }
}

pub fn seconds_since_1970() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// Resident memory of this process, bytes.
pub fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0);
    pages * crate::system::page_size()
}

pub fn open_fds() -> u64 {
    // One of them is that of the directory.
    fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(1) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_measured() {
        assert!(resident() > 100_000);
        let before = open_fds();
        let _file = fs::File::open("/dev/null").expect("a file");
        assert!(open_fds() > before);
    }

    #[test]
    fn health_needs_a_look() {
        let stats = Stats::default();
        assert_eq!(stats.health(), Err("starting"));
        stats.looked(Duration::from_secs(1), Duration::from_secs(1));
        assert_eq!(stats.health(), Ok(()));
        assert_eq!((stats.scans.get(), stats.scan_ns.get()), (1, 1_000_000_000));
        *stats.due.lock().expect("free") = Some(Instant::now() - Duration::from_secs(1));
        assert!(stats.health().is_err());
    }

    #[test]
    fn limits_are_found_anew_at_each_look() {
        let limits = Limits::default();
        assert!(limits.memory.reach("memory") && !limits.memory.is_reached());
        limits.looked();
        assert!(limits.memory.is_reached() && !limits.observers.is_reached());
        limits.looked();
        assert!(!limits.memory.is_reached());
    }
}
