// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What a series holds, and its histogram in the buckets that are exported.
use uprobe_multi::{LATENCY_BUCKETS, LatencyRow, bucket_bounds};

/// Adds up over observers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// Hits, or of a latency calls that returned.
    pub calls: u64,
    /// Of a latency: calls that began.
    pub entries: u64,
    pub sum_ns: u64,
    /// By the engine's buckets; none until there is a call.
    histogram: Option<Box<[u64]>>,
}

impl Value {
    pub fn hits(calls: u64) -> Self {
        Self {
            calls,
            ..Self::default()
        }
    }

    pub fn of_row(row: &LatencyRow<'_>) -> Self {
        Self::latency(row.entries(), row.sum_ns(), row.counts())
    }

    pub fn latency(entries: u64, sum_ns: u64, counts: &[u64]) -> Self {
        Self {
            calls: counts.iter().sum(),
            entries,
            sum_ns,
            histogram: Some(counts.into()),
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.entries += other.entries;
        self.sum_ns += other.sum_ns;
        match (&mut self.histogram, &other.histogram) {
            (Some(sums), Some(counts)) => {
                for (sum, count) in sums.iter_mut().zip(counts) {
                    *sum += count;
                }
            }
            (sums @ None, counts) => sums.clone_from(counts),
            (Some(_), None) => {}
        }
    }

    /// Calls below each bound.
    pub fn cumulative(&self, buckets: &Buckets) -> Vec<u64> {
        let counts = self.histogram.as_deref().unwrap_or_default();
        let below = |end: &usize| counts.iter().take(*end).sum();
        buckets.ends.iter().map(below).collect()
    }
}

/// Upper bounds that are bounds of the engine's buckets, too.
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets {
    pub bounds_ns: Vec<u64>,
    /// How many of the engine's buckets lie below each.
    ends: Vec<usize>,
}

/// From 1 us to 17 s, each four times the one before.
const DEFAULT_BOUNDS: std::ops::Range<u32> = 0..13;

impl Default for Buckets {
    fn default() -> Self {
        let bounds: Vec<u64> = DEFAULT_BOUNDS.map(|power| 1024 << (2 * power)).collect();
        Self::new(&bounds)
    }
}

impl Buckets {
    /// Bounds are moved up to the next one that the engine has.
    pub fn new(wanted: &[u64]) -> Self {
        let mut ends: Vec<usize> = wanted.iter().map(|bound| end_of(*bound)).collect();
        ends.sort_unstable();
        ends.dedup();
        Self {
            bounds_ns: ends.iter().map(|end| high(end - 1)).collect(),
            ends,
        }
    }
}

fn high(bucket: usize) -> u64 {
    bucket_bounds(bucket).map_or(u64::MAX, |(_, high)| high)
}

/// The last bucket has no end, and so is no bound.
fn end_of(bound: u64) -> usize {
    (1..LATENCY_BUCKETS - 1)
        .find(|end| high(end - 1) >= bound)
        .unwrap_or(LATENCY_BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_the_engine() {
        let buckets = Buckets::default();
        assert_eq!(buckets.bounds_ns.len(), 13);
        assert_eq!(
            (buckets.bounds_ns[0], buckets.bounds_ns[12]),
            (1024, 1024 << 24)
        );
        let own = Buckets::new(&[1_000_000, 1_000, 1_000_000, 0]);
        assert_eq!(own.bounds_ns.len(), 3);
        assert_eq!(own.bounds_ns[0], 1);
        for (bound, asked) in own.bounds_ns[1..].iter().zip([1_000, 1_000_000]) {
            assert!(
                (asked..=asked + asked / 8).contains(bound),
                "{bound} for {asked}"
            );
        }
        assert!(Buckets::new(&[u64::MAX]).bounds_ns[0] < u64::MAX);
    }

    #[test]
    fn every_call_is_below_the_right_bounds() {
        let mut counts = vec![0; LATENCY_BUCKETS];
        let bucket_of = |ns: u64| {
            (0..LATENCY_BUCKETS)
                .find(|bucket| high(*bucket) > ns)
                .expect("there is one")
        };
        counts[bucket_of(500)] += 3;
        counts[bucket_of(5_000)] += 2;
        counts[LATENCY_BUCKETS - 1] += 1;
        let mut value = Value::latency(7, 1234, &counts);
        let buckets = Buckets::new(&[1_024, 4_096, 16_384]);
        assert_eq!(value.cumulative(&buckets), [3, 3, 5]);
        assert_eq!((value.calls, value.entries), (6, 7));
        value.add(&value.clone());
        assert_eq!(value.cumulative(&buckets), [6, 6, 10]);
        assert_eq!((value.calls, value.sum_ns), (12, 2468));
        let mut sum = Value::default();
        sum.add(&value);
        sum.add(&Value::default());
        assert_eq!(sum, value);
        assert_eq!(Value::default().cumulative(&buckets), [0, 0, 0]);
    }
}
