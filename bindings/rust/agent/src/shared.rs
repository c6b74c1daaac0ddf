// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What the threads have in common.
use std::sync::{Arc, RwLock};

use crate::config::Config;
use crate::family::Family;
use crate::metrics;
use crate::registry::Registry;
use crate::stats::Stats;

#[derive(Default)]
pub struct Shared {
    config: RwLock<Arc<Config>>,
    pub registry: Arc<Registry>,
    pub stats: Arc<Stats>,
}

impl Shared {
    pub fn config(&self) -> Arc<Config> {
        self.config.read().expect("nothing panics with it").clone()
    }

    pub fn set_config(&self, config: Arc<Config>) {
        *self.config.write().expect("nothing panics with it") = config;
    }

    pub fn gather(&self) -> Vec<Family> {
        metrics::gather(&self.config(), &self.registry, &self.stats)
    }
}
