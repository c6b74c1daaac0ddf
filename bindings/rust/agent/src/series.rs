// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! The label sets of a rule, numbered, and their limit.
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::config::By;

/// What a label is when a series stands for all that the limit has kept out.
pub const OTHER: &str = "(other)";
/// The number of that series.
pub const OTHER_ID: u32 = 0;
/// No number yet.
pub const NONE: u32 = u32::MAX;
/// Label sets kept out are told apart up to this many.
const MOST_SUMMED: usize = 1 << 20;

/// Labels beside the rule's own; None for those that the rule does not ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels {
    pub probe: Option<&'static str>,
    pub binary: Option<String>,
    pub symbol: Option<String>,
    pub process: Option<String>,
}

impl Labels {
    /// Only what is asked for.
    pub fn only(self, by: &BTreeSet<By>) -> Self {
        Self {
            probe: self.probe,
            binary: self.binary.filter(|_| by.contains(&By::Binary)),
            symbol: self.symbol.filter(|_| by.contains(&By::Symbol)),
            process: self.process.filter(|_| by.contains(&By::Process)),
        }
    }

    fn has(&self, by: By) -> bool {
        match by {
            By::Binary => self.binary.is_some(),
            By::Symbol => self.symbol.is_some(),
            By::Process => self.process.is_some(),
        }
    }

    fn other(by: &BTreeSet<By>, probes: bool) -> Self {
        let text = || Some(OTHER.to_owned());
        let labels = Self {
            probe: probes.then_some(OTHER),
            binary: text(),
            symbol: text(),
            process: text(),
        };
        labels.only(by)
    }
}

#[derive(Debug)]
pub struct Series {
    by: BTreeSet<By>,
    /// By number.
    labels: Vec<Labels>,
    numbers: HashMap<Labels, u32>,
    summed: HashSet<u64>,
    /// Whether something has the labels of the one for the rest for its own.
    other_is_own: bool,
}

impl Series {
    /// probes: whether the label `probe` is one of them.
    pub fn new(by: BTreeSet<By>, probes: bool) -> Self {
        Self {
            labels: vec![Labels::other(&by, probes)],
            by,
            numbers: HashMap::new(),
            summed: HashSet::new(),
            other_is_own: false,
        }
    }

    /// Without the one for the rest.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    pub fn summed(&self) -> usize {
        self.summed.len()
    }

    /// Whether a series is shown that has counted nothing.
    pub fn is_asked_for(&self, number: u32) -> bool {
        number != OTHER_ID || self.other_is_own
    }

    pub fn by(&self) -> &BTreeSet<By> {
        &self.by
    }

    /// The number of a label set; new ones beyond the room share one. So does who has its labels: a
    /// process may be named "(other)", and without labels there are no others.
    pub fn number(&mut self, labels: Labels, room: usize) -> u32 {
        if self.by.iter().any(|by| !labels.has(*by)) {
            return OTHER_ID;
        }
        let labels = labels.only(&self.by);
        if let Some(number) = self.numbers.get(&labels) {
            return *number;
        }
        if labels == self.labels[OTHER_ID as usize] {
            self.other_is_own = true;
            return OTHER_ID;
        }
        if room == 0 {
            if self.summed.len() < MOST_SUMMED {
                let mut hasher = DefaultHasher::new();
                labels.hash(&mut hasher);
                self.summed.insert(hasher.finish());
            }
            return OTHER_ID;
        }
        let number = self.labels.len() as u32;
        self.labels.push(labels.clone());
        self.numbers.insert(labels, number);
        number
    }

    pub fn all(&self) -> impl Iterator<Item = (u32, &Labels)> {
        (0..).zip(&self.labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(symbol: &str) -> Labels {
        Labels {
            probe: Some("uprobe"),
            binary: Some("/b".into()),
            symbol: Some(symbol.into()),
            process: Some("p".into()),
        }
    }

    #[test]
    fn label_sets_keep_their_number() {
        let mut series = Series::new(BTreeSet::from([By::Symbol]), true);
        let a = series.number(named("a"), 10);
        let b = series.number(named("b"), 10);
        assert!(a != b && a != OTHER_ID && b != OTHER_ID);
        assert_eq!(series.number(named("a"), 0), a);
        assert_eq!(series.len(), 2);
        let (_, labels) = series.all().nth(1).expect("the first");
        assert_eq!(
            (labels.binary.as_deref(), labels.symbol.as_deref()),
            (None, Some("a"))
        );
    }

    #[test]
    fn without_labels_there_is_one() {
        let mut series = Series::new(BTreeSet::new(), true);
        assert_eq!(series.number(named("a"), 9), series.number(named("b"), 9));
        assert_eq!(series.len(), 1);
    }

    #[test]
    fn beyond_the_limit_all_is_one() {
        let mut series = Series::new(BTreeSet::from([By::Symbol]), true);
        series.number(named("a"), 1);
        for symbol in ["b", "c", "b"] {
            assert_eq!(series.number(named(symbol), 0), OTHER_ID);
        }
        assert_eq!((series.len(), series.summed()), (1, 2));
        let (_, other) = series.all().next().expect("always there");
        assert_eq!(
            (other.probe, other.symbol.as_deref()),
            (Some(OTHER), Some(OTHER))
        );
        assert_eq!(other.binary, None);
    }

    #[test]
    fn no_two_series_have_the_same_labels() {
        let by_symbol = BTreeSet::from([By::Symbol]);
        for (by, probe) in [
            (BTreeSet::new(), None),
            (by_symbol.clone(), None),
            (by_symbol, Some("uprobe")),
        ] {
            let mut series = Series::new(by, probe.is_some());
            for (symbol, room) in [("a", 0), (OTHER, 2), ("a", 1), ("b", 0)] {
                let labels = Labels {
                    probe,
                    ..named(symbol)
                };
                series.number(labels, room);
            }
            let all: HashSet<_> = series.all().map(|(_, labels)| labels).collect();
            assert_eq!(all.len(), series.all().count());
            assert_eq!(series.is_asked_for(OTHER_ID), probe.is_none());
        }
    }

    #[test]
    fn a_label_that_is_not_known_any_more() {
        let mut series = Series::new(BTreeSet::from([By::Symbol, By::Process]), true);
        let old = Labels {
            process: None,
            ..named("a")
        };
        assert_eq!(series.number(old, 10), OTHER_ID);
        assert_eq!(series.summed(), 0);
    }
}
