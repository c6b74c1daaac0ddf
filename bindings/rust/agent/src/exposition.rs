// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Prometheus text 0.0.4 and OpenMetrics 1.0.0.
use std::fmt::Write;

use crate::family::{Family, Labels, Number, Point, Type};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    OpenMetrics,
}

impl Format {
    /// What whoever accepts this is given.
    pub fn accepted(accept: &str) -> Self {
        let refused = |part: &str| {
            part.split(';')
                .any(|part| matches!(part.trim(), "q=0" | "q=0.0"))
        };
        let wanted =
            |part: &str| part.trim().starts_with("application/openmetrics-text") && !refused(part);
        if accept.split(',').any(wanted) {
            Self::OpenMetrics
        } else {
            Self::Text
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

pub fn render(families: &[Family], format: Format) -> String {
    let mut out = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        // A String takes whatever is written to it.
        let _ = write_family(&mut out, family, format);
    }
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

fn write_family(out: &mut String, family: &Family, format: Format) -> std::fmt::Result {
    let (kind, ending) = match family.kind {
        Type::Counter => ("counter", "_total"),
        Type::Gauge => ("gauge", ""),
        Type::Histogram => ("histogram", ""),
    };
    let described = match format {
        Format::Text => ending,
        Format::OpenMetrics => "",
    };
    writeln!(out, "# HELP {}{described} {}", family.name, family.help)?;
    writeln!(out, "# TYPE {}{described} {kind}", family.name)?;
    for (labels, point) in &family.samples {
        match point {
            Point::Number(number) => write_sample(out, family.name, ending, labels, None, number)?,
            Point::Histogram {
                bounds,
                cumulative,
                sum,
            } => {
                let ends = bounds
                    .iter()
                    .map(|bound| bound_text(*bound))
                    .chain(["+Inf".to_owned()]);
                for (bound, count) in ends.zip(cumulative) {
                    write_sample(
                        out,
                        family.name,
                        "_bucket",
                        labels,
                        Some(&bound),
                        &Number::Whole(*count),
                    )?;
                }
                let all = cumulative.last().copied().unwrap_or(0);
                write_sample(out, family.name, "_sum", labels, None, &Number::Real(*sum))?;
                write_sample(
                    out,
                    family.name,
                    "_count",
                    labels,
                    None,
                    &Number::Whole(all),
                )?;
            }
        }
    }
    Ok(())
}

/// Seconds, to the nanosecond; as both formats want it, with a fraction.
fn bound_text(seconds: f64) -> String {
    let text = format!("{seconds:.9}");
    let cut = text.trim_end_matches('0');
    if cut.ends_with('.') {
        format!("{cut}0")
    } else {
        cut.to_owned()
    }
}

fn write_sample(
    out: &mut String,
    name: &str,
    ending: &str,
    labels: &Labels,
    le: Option<&str>,
    number: &Number,
) -> std::fmt::Result {
    write!(out, "{name}{ending}")?;
    let mut separator = '{';
    let own = labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.chain(le.map(|le| ("le", le))) {
        write!(out, "{separator}{name}=\"")?;
        escape(out, value);
        out.push('"');
        separator = ',';
    }
    if separator == ',' {
        out.push('}');
    }
    match number {
        Number::Whole(number) => writeln!(out, " {number}"),
        Number::Real(number) => writeln!(out, " {number}"),
    }
}

fn escape(out: &mut String, value: &str) {
    if !['\\', '"', '\n'].iter().any(|one| value.contains(*one)) {
        return out.push_str(value);
    }
    for letter in value.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            letter => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(symbol: &str) -> Labels {
        vec![
            ("rule".into(), "r".into()),
            ("symbol".into(), symbol.into()),
        ]
    }

    #[test]
    fn counters_end_with_total() {
        let family = Family::new(Type::Counter, "uprobe_calls", "Hits.")
            .with(labels("f(a, \"b\\c\")\n"), 7_u64.into());
        let sample = "uprobe_calls_total{rule=\"r\",symbol=\"f(a, \\\"b\\\\c\\\")\\n\"} 7\n";
        let text = render(std::slice::from_ref(&family), Format::Text);
        assert_eq!(
            text,
            format!("# HELP uprobe_calls_total Hits.\n# TYPE uprobe_calls_total counter\n{sample}")
        );
        let open = render(&[family], Format::OpenMetrics);
        assert_eq!(
            open,
            format!("# HELP uprobe_calls Hits.\n# TYPE uprobe_calls counter\n{sample}# EOF\n")
        );
    }

    #[test]
    fn histograms_add_up() {
        let mut family = Family::new(Type::Histogram, "uprobe_latency_seconds", "Time.");
        let point = Point::Histogram {
            bounds: vec![0.000001024, 1.0],
            cumulative: vec![2, 3, 4],
            sum: 2.5,
        };
        family.push(labels("f"), point);
        let text = render(&[family], Format::Text);
        let samples: Vec<_> = text.lines().skip(2).collect();
        let labels = "rule=\"r\",symbol=\"f\"";
        assert_eq!(
            samples[0],
            format!("uprobe_latency_seconds_bucket{{{labels},le=\"0.000001024\"}} 2")
        );
        assert_eq!(
            samples[1],
            format!("uprobe_latency_seconds_bucket{{{labels},le=\"1.0\"}} 3")
        );
        assert_eq!(
            samples[2],
            format!("uprobe_latency_seconds_bucket{{{labels},le=\"+Inf\"}} 4")
        );
        assert_eq!(
            samples[3],
            format!("uprobe_latency_seconds_sum{{{labels}}} 2.5")
        );
        assert_eq!(
            samples[4],
            format!("uprobe_latency_seconds_count{{{labels}}} 4")
        );
    }

    #[test]
    fn without_labels_and_without_samples() {
        let families = [
            Family::new(Type::Gauge, "a", "A.").with(Labels::new(), Number::Real(0.5)),
            Family::new(Type::Gauge, "b", "B."),
        ];
        assert_eq!(
            render(&families, Format::Text),
            "# HELP a A.\n# TYPE a gauge\na 0.5\n"
        );
    }

    #[test]
    fn the_format_is_the_one_accepted() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        assert_eq!(
            Format::accepted("text/plain, application/openmetrics-text;q=0"),
            Format::Text
        );
        assert_eq!(Format::accepted("*/*"), Format::Text);
        assert_eq!(Format::accepted(""), Format::Text);
    }
}
