// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Metrics as both Prometheus and OpenTelemetry know them.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    Whole(u64),
    Real(f64),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Point {
    Number(Number),
    Histogram {
        /// Upper bounds, seconds; the last bucket has none.
        bounds: Vec<f64>,
        /// Up to each bound, and all.
        cumulative: Vec<u64>,
        sum: f64,
    },
}

pub type Labels = Vec<(String, String)>;

#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Without `_total`.
    pub name: &'static str,
    pub kind: Type,
    pub help: &'static str,
    pub samples: Vec<(Labels, Point)>,
}

impl Family {
    pub fn new(kind: Type, name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind,
            help,
            samples: Vec::new(),
        }
    }

    pub fn push(&mut self, labels: Labels, point: Point) {
        self.samples.push((labels, point));
    }

    pub fn with(mut self, labels: Labels, number: Number) -> Self {
        self.push(labels, Point::Number(number));
        self
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Self {
        Self::Whole(number as u64)
    }
}

impl From<bool> for Number {
    fn from(number: bool) -> Self {
        Self::Whole(number.into())
    }
}
