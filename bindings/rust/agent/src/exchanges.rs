// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Units that take the place of others. A latency's old unit stays until the calls have ended that began before
//! the new one was there; that is waited for once for many of them.
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::config::{Kind, Rule};
use crate::registry::Registry;
use crate::unit::Unit;

/// Only the old link sees the end of a call that began before the new one was there.
const CALLS_END: Duration = Duration::from_millis(100);
/// What is attached twice meanwhile: units, and probes of all of them.
const MOST: usize = 32;
const MOST_PROBES: usize = 4096;

/// Of a rule, in one look.
pub struct Exchanges {
    registry: Arc<Registry>,
    rule: String,
    kind: Kind,
    wait: fn(Duration),
    most: usize,
    /// New and old.
    begun: Vec<(Arc<Unit>, Arc<Unit>)>,
}

impl Exchanges {
    pub fn new(registry: Arc<Registry>, rule: &Rule) -> Self {
        Self {
            registry,
            rule: rule.name.clone(),
            kind: rule.kind,
            wait: thread::sleep,
            most: MOST,
            begun: Vec::new(),
        }
    }

    /// The new one is attached, and so is the old one until it can be let go.
    pub fn begin(&mut self, new: Arc<Unit>, old: Arc<Unit>) {
        self.begun.push((new, old));
        let probes: usize = self.begun.iter().map(|(new, _)| new.count()).sum();
        if self.kind == Kind::Count || self.begun.len() >= self.most || probes >= MOST_PROBES {
            self.finish();
        }
    }

    /// All that have begun.
    pub fn finish(&mut self) {
        if self.kind == Kind::Latency && !self.begun.is_empty() {
            (self.wait)(CALLS_END);
        }
        for (new, old) in self.begun.drain(..) {
            self.registry.insert(&self.rule, new, Some(&old));
            old.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::live::{alone, call, calls, config, unit};

    static WAITS: AtomicUsize = AtomicUsize::new(0);

    fn exchanges(kind: &str, count: usize) -> (usize, u64) {
        let config = config(&format!("kind = \"{kind}\"\nby = []\n"));
        let registry = Arc::new(Registry::default());
        registry.set_rules(&config);
        let rule = config.rules[0].get_ref();
        let mut exchanges = Exchanges::new(registry.clone(), rule);
        exchanges.wait = |_| _ = WAITS.fetch_add(1, Relaxed);
        exchanges.most = 2;
        WAITS.store(0, Relaxed);
        let old = unit(&config);
        registry.insert("r", old.clone(), None);
        let mut newest = old;
        for _ in 0..count {
            call(1);
            let new = unit(&config);
            exchanges.begin(new.clone(), newest);
            newest = new;
        }
        exchanges.finish();
        exchanges.finish();
        call(1);
        let [(_, calls)] = calls(&registry)[..] else {
            panic!("one series")
        };
        assert_eq!(registry.observers(), 1);
        (WAITS.load(Relaxed), calls)
    }

    #[test]
    fn many_wait_together() {
        let _alone = alone();
        assert_eq!(exchanges("latency", 3), (2, 4));
        assert_eq!(exchanges("count", 2), (0, 3));
        assert_eq!(exchanges("latency", 0), (0, 1));
    }
}
