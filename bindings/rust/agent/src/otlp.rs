// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Pushes over OTLP/HTTP, as JSON. Sums are cumulative, since the agent began.
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::config::Otlp;
use crate::family::{Family, Labels, Number, Point, Type};
use crate::log::event;
use crate::secrets::Secrets;
use crate::shared::Shared;

const CUMULATIVE: u32 = 2; // AGGREGATION_TEMPORALITY_CUMULATIVE
const IDLE: Duration = Duration::from_secs(1);
const LARGEST_ANSWER: u64 = 64 << 10;
/// Of a collector, in the log.
const LONGEST_MESSAGE: usize = 200;

fn attributes<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    pairs
        .map(|(name, value)| json!({"key": name, "value": {"stringValue": value}}))
        .collect()
}

fn of_labels(labels: &Labels) -> Value {
    attributes(
        labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    )
}

/// 64-bit numbers are text in JSON.
struct Times {
    start: String,
    now: String,
}

fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos()
        .to_string()
}

fn point(labels: &Labels, point: &Point, times: &Times) -> Value {
    let mut value = json!({
        "attributes": of_labels(labels),
        "startTimeUnixNano": times.start,
        "timeUnixNano": times.now,
    });
    match point {
        Point::Number(Number::Whole(number)) => value["asInt"] = json!(number.to_string()),
        Point::Number(Number::Real(number)) => value["asDouble"] = json!(number),
        Point::Histogram {
            bounds,
            cumulative,
            sum,
        } => {
            let before = std::iter::once(&0).chain(cumulative);
            let counts = cumulative
                .iter()
                .zip(before)
                .map(|(to, from)| (to - from).to_string());
            value["bucketCounts"] = counts.collect();
            value["explicitBounds"] = json!(bounds);
            value["count"] = json!(cumulative.last().copied().unwrap_or(0).to_string());
            value["sum"] = json!(sum);
        }
    }
    value
}

fn metric(family: &Family, times: &Times) -> Value {
    let points: Value = family
        .samples
        .iter()
        .map(|(labels, value)| point(labels, value, times))
        .collect();
    let mut metric = json!({"name": family.name, "description": family.help});
    match family.kind {
        Type::Counter => {
            metric["sum"] = json!({"dataPoints": points, "aggregationTemporality": CUMULATIVE, "isMonotonic": true})
        }
        Type::Gauge => metric["gauge"] = json!({"dataPoints": points}),
        Type::Histogram => {
            metric["unit"] = json!("s");
            metric["histogram"] =
                json!({"dataPoints": points, "aggregationTemporality": CUMULATIVE});
        }
    }
    metric
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn body(families: &[Family], otlp: &Otlp, started: SystemTime, now: SystemTime) -> Value {
    let times = Times {
        start: nanoseconds(started),
        now: nanoseconds(now),
    };
    let host = host_name();
    let own = [
        ("service.name", "uprobe-agent"),
        ("host.name", host.as_str()),
    ];
    let own = own
        .into_iter()
        .filter(|(name, _)| !otlp.resource.contains_key(*name));
    let more = otlp
        .resource
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let metrics: Value = families
        .iter()
        .filter(|family| !family.samples.is_empty())
        .map(|family| metric(family, &times))
        .collect();
    json!({"resourceMetrics": [{
        "resource": {"attributes": attributes(own.chain(more))},
        "scopeMetrics": [{
            "scope": {"name": "uprobe-agent", "version": uprobe_multi::version()},
            "metrics": metrics,
        }],
    }]})
}

/// The collector itself is spoken to: a proxy of the environment would be given what is meant for this
/// machine, and whoever a redirect names the headers, but no metrics.
fn push(shared: &Shared, otlp: &Otlp) -> Result<Option<Rejected>, ureq::Error> {
    let body = body(
        &shared.gather(),
        otlp,
        shared.stats.started,
        SystemTime::now(),
    );
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(otlp.timeout.0))
        .proxy(None)
        .max_redirects(0);
    let agent: ureq::Agent = config.build().into();
    let mut request = agent
        .post(&otlp.endpoint)
        .header("content-type", "application/json");
    for (name, value) in &otlp.headers {
        request = request.header(name, value);
    }
    let mut response = request.send(body.to_string().as_bytes())?;
    let status = response.status();
    if !status.is_success() {
        return Err(ureq::Error::StatusCode(status.as_u16()));
    }
    let said = response.body_mut().with_config().limit(LARGEST_ANSWER);
    // It has taken what was sent, whatever becomes of its answer.
    Ok(Rejected::read(&said.read_to_vec().unwrap_or_default()))
}

/// What a collector says that has taken some points only.
#[derive(Debug, PartialEq, Eq)]
struct Rejected {
    points: u64,
    message: String,
}

impl Rejected {
    /// None: all is well, or it says nothing of it.
    fn read(answer: &[u8]) -> Option<Self> {
        let answer: Value = serde_json::from_slice(answer).ok()?;
        let partial = answer.get("partialSuccess")?;
        let points = match partial.get("rejectedDataPoints") {
            Some(Value::String(number)) => number.parse().ok(),
            Some(number) => number.as_u64(),
            None => None,
        };
        let message = partial.get("errorMessage").and_then(Value::as_str);
        let message: String = message
            .unwrap_or("")
            .chars()
            .take(LONGEST_MESSAGE)
            .collect();
        let points = points.unwrap_or(0);
        (points > 0 || !message.is_empty()).then_some(Self { points, message })
    }
}

fn export(shared: &Shared, otlp: &Otlp) {
    let secrets = Secrets::of(&otlp.endpoint);
    let endpoint = secrets.shown();
    let exports = &shared.stats.exports;
    match push(shared, otlp) {
        Ok(None) => exports.ok.add(1),
        Ok(Some(rejected)) => {
            // Without points it is advice.
            let count = if rejected.points > 0 {
                &exports.failed
            } else {
                &exports.ok
            };
            count.add(1);
            event!(
                Warn,
                "otlp_rejected",
                endpoint = endpoint,
                points = rejected.points,
                reason = secrets.hide(&rejected.message),
            );
        }
        Err(error) => {
            exports.failed.add(1);
            let reason = secrets.hide(&error.to_string());
            event!(Warn, "otlp_failed", endpoint = endpoint, reason = reason);
        }
    }
}

/// Push at each interval, and once more when whoever holds the other end lets go of it.
pub fn run(shared: &Shared, end: &Receiver<()>) {
    loop {
        let pause = shared
            .config()
            .otlp
            .as_ref()
            .map_or(IDLE, |otlp| otlp.interval.0);
        let ended = end.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected);
        if let Some(otlp) = &shared.config().otlp {
            export(shared, otlp);
        }
        if ended {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_points_are_read() {
        let read = |answer: &str| {
            let rejected = Rejected::read(answer.as_bytes())?;
            Some((rejected.points, rejected.message))
        };
        for whole in ["", "{}", "no JSON", "[]", r#"{"partialSuccess": {}}"#] {
            assert_eq!(read(whole), None, "{whole}");
        }
        let said = |message: &str| message.to_owned();
        assert_eq!(
            read(r#"{"partialSuccess": {"rejectedDataPoints": "7", "errorMessage": "a"}}"#),
            Some((7, said("a")))
        );
        assert_eq!(
            read(r#"{"partialSuccess": {"rejectedDataPoints": 7}}"#),
            Some((7, said("")))
        );
        assert_eq!(
            read(r#"{"partialSuccess": {"errorMessage": "old"}}"#),
            Some((0, said("old")))
        );
        let long = json!({"partialSuccess": {"errorMessage": "é".repeat(5000)}});
        let (_, message) = read(&long.to_string()).expect("it says something");
        assert_eq!(message.chars().count(), LONGEST_MESSAGE);
    }

    #[test]
    fn a_body_is_as_the_protocol_says() {
        let labels = vec![("rule".to_owned(), "r".to_owned())];
        let mut histogram = Family::new(Type::Histogram, "h", "H.");
        let counts = Point::Histogram {
            bounds: vec![0.5, 1.0],
            cumulative: vec![2, 5, 6],
            sum: 3.5,
        };
        histogram.push(labels.clone(), counts);
        let families = [
            Family::new(Type::Counter, "c", "C.").with(labels, u64::MAX.into()),
            histogram,
            Family::new(Type::Gauge, "g", "G.").with(Labels::new(), Number::Real(0.5)),
            Family::new(Type::Gauge, "empty", "E."),
        ];
        let otlp = crate::config::parse(
            "[otlp]\nendpoint = \"http://c\"\nresource = { \"host.name\" = \"x\" }\n",
        );
        let otlp = otlp.expect("it is right").otlp.expect("it is there");
        let second = UNIX_EPOCH + Duration::from_secs(1);
        let body = body(&families, &otlp, UNIX_EPOCH, second);
        let resource = &body["resourceMetrics"][0]["resource"]["attributes"];
        assert_eq!(resource.as_array().map(Vec::len), Some(2));
        assert_eq!(
            resource[1],
            json!({"key": "host.name", "value": {"stringValue": "x"}})
        );
        let metrics = body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
            .as_array()
            .expect("a list");
        assert_eq!(metrics.len(), 3);
        let sum = &metrics[0]["sum"];
        assert_eq!(
            (&sum["isMonotonic"], &sum["aggregationTemporality"]),
            (&json!(true), &json!(2))
        );
        assert_eq!(sum["dataPoints"][0]["asInt"], json!("18446744073709551615"));
        assert_eq!(sum["dataPoints"][0]["timeUnixNano"], json!("1000000000"));
        let point = &metrics[1]["histogram"]["dataPoints"][0];
        assert_eq!(point["bucketCounts"], json!(["2", "3", "1"]));
        assert_eq!(
            (&point["count"], &point["explicitBounds"]),
            (&json!("6"), &json!([0.5, 1.0]))
        );
        assert_eq!(metrics[2]["gauge"]["dataPoints"][0]["asDouble"], json!(0.5));
    }
}
