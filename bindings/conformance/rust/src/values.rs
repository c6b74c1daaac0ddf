// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Between JSON and Rust.
use std::ops::ControlFlow;

use serde_json::{json, Value as Json};
use uprobe_multi::{Backend, Placement, Progress};

/// One step, whose keys are asked for.
pub struct Step<'a>(pub &'a Json);

impl<'a> Step<'a> {
    pub fn text_or_none(&self, key: &str) -> Option<&'a str> {
        self.0[key].as_str()
    }

    pub fn text(&self, key: &str) -> &'a str {
        self.text_or_none(key)
            .unwrap_or_else(|| panic!("the step has no text {key}"))
    }

    pub fn number_or_none(&self, key: &str) -> Option<u64> {
        match &self.0[key] {
            Json::Null => None,
            value => Some(number_of(value)),
        }
    }

    /// A number that the library takes as 32 bits; 0 without the key.
    pub fn small(&self, key: &str) -> u32 {
        self.number_or_none(key)
            .unwrap_or(0)
            .try_into()
            .expect("32 bits")
    }

    pub fn truth(&self, key: &str) -> bool {
        self.0[key]
            .as_bool()
            .unwrap_or_else(|| self.small(key) != 0)
    }

    pub fn list(&self, key: &str) -> Option<&'a Vec<Json>> {
        self.0[key].as_array()
    }

    pub fn texts(&self, key: &str) -> Option<Vec<&'a str>> {
        let list = self.list(key)?;
        Some(
            list.iter()
                .map(|value| value.as_str().expect("a text"))
                .collect(),
        )
    }

    pub fn numbers(&self, key: &str) -> Option<Vec<u64>> {
        Some(self.list(key)?.iter().map(number_of).collect())
    }

    pub fn pids(&self) -> Vec<u32> {
        let list = self.list("pids").into_iter().flatten();
        // A negative number is for the library to refuse.
        list.map(|pid| pid.as_i64().expect("a pid") as u32)
            .collect()
    }

    pub fn has_flag(&self, flag: &str) -> bool {
        self.list("flags")
            .is_some_and(|flags| flags.iter().any(|each| each == flag))
    }

    pub fn backend(&self) -> Backend {
        let word = self.text_or_none("backend").unwrap_or("auto");
        word_of(Backend::ALL, word)
    }

    pub fn placement(&self) -> Placement {
        match self.text_or_none("placement") {
            Some("exact") => Placement::Exact,
            Some("cheapest") => Placement::Cheapest,
            _ => Placement::Default,
        }
    }

    /// A progress callback that asks to stop when it is called for the so-manieth time.
    pub fn countdown(&self) -> impl FnMut(Progress) -> ControlFlow<()> {
        let mut left = self.number_or_none("cancel_at");
        move |_| match &mut left {
            Some(left) if *left <= 1 => ControlFlow::Break(()),
            Some(left) => {
                *left -= 1;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Continue(()),
        }
    }
}

/// The options of an attach, for any builder that has them.
#[macro_export]
macro_rules! with_options {
    ($builder:expr, $step:expr) => {
        $builder
            .pids($step.pids())
            .strict($step.has_flag("strict"))
            .children($step.has_flag("children"))
            .backend($step.backend())
            .probes_per_link($step.small("probes_per_link"))
            .placement($step.placement())
            .progress($step.countdown())
    };
}

/// Numbers beyond JSON's are decimal texts.
fn number_of(value: &Json) -> u64 {
    match value {
        Json::String(text) => text.parse().expect("a decimal number"),
        value => value.as_u64().expect("a number"),
    }
}

pub fn number(value: u64) -> Json {
    match i64::try_from(value) {
        Ok(value) => json!(value),
        Err(_) => json!(value.to_string()),
    }
}

/// The member of an enum that prints like this.
pub fn word_of<T: Copy + ToString>(all: &[T], word: &str) -> T {
    let found = all.iter().find(|member| member.to_string() == word);
    *found.unwrap_or_else(|| panic!("there is no {word}"))
}
