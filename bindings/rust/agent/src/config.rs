// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! The configuration file: docs/agent.md says what each key means.
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use uprobe_multi::{Error, ErrorKind, Resolver};

use crate::log::Level;
use crate::scope::Scope;
use crate::secrets::Secrets;
use crate::units::{Size, Span};

pub type Labels = BTreeMap<String, String>;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default)]
    pub agent: Agent,
    #[serde(default)]
    pub limits: Limits,
    pub otlp: Option<Otlp>,
    #[serde(default, rename = "rule")]
    pub rules: Vec<Spanned<Rule>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Agent {
    pub listen: String,
    pub interval: Span,
    pub notify: bool,
    pub drop_capabilities: bool,
    pub keep_capabilities: Vec<String>,
    pub log: Level,
    pub labels: Labels,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9435".into(),
            interval: Span::millis(1_000),
            notify: true,
            drop_capabilities: true,
            keep_capabilities: Vec::new(),
            log: Level::Info,
            labels: Labels::new(),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub series: usize,
    pub probes: usize,
    pub observers: usize,
    pub memory: Size,
    pub cpu: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            series: 10_000,
            probes: 10_000,
            observers: 2_000,
            memory: Size(512 << 20),
            cpu: 10,
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Otlp {
    pub endpoint: String,
    #[serde(default = "fifteen_seconds")]
    pub interval: Span,
    #[serde(default = "five_seconds")]
    pub timeout: Span,
    #[serde(default)]
    pub headers: Labels,
    #[serde(default)]
    pub resource: Labels,
}

fn fifteen_seconds() -> Span {
    Span::millis(15_000)
}

fn five_seconds() -> Span {
    Span::millis(5_000)
}

/// Headers and the endpoint may hold secrets.
impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp")
            .field("endpoint", &Secrets::of(&self.endpoint).shown())
            .field("headers", &self.headers.keys())
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    Count,
    Latency,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attach {
    #[default]
    Process,
    File,
}

/// Labels that tell the series of a rule apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    Binary,
    Symbol,
    Process,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub name: String,
    #[serde(default)]
    pub kind: Kind,
    pub specs: Vec<String>,
    pub scope: Option<Scope>,
    #[serde(default)]
    pub attach: Attach,
    #[serde(default = "binary_and_symbol")]
    pub by: BTreeSet<By>,
    #[serde(default)]
    pub labels: Labels,
    #[serde(default = "yes")]
    pub zeros: bool,
    #[serde(default)]
    pub accept_unwinding: bool,
    pub buckets: Option<Vec<Span>>,
}

fn binary_and_symbol() -> BTreeSet<By> {
    BTreeSet::from([By::Binary, By::Symbol])
}

fn yes() -> bool {
    true
}

impl Rule {
    /// Whether each process in scope is attached to by itself.
    pub fn by_process(&self) -> bool {
        self.scope.is_some() && self.attach == Attach::Process
    }
}

/// What is wrong with the file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    line: Option<usize>,
    message: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The key whose value begins there, where it is on the same line.
fn key_before(text: &str, at: usize) -> Option<&str> {
    let line = text.get(..at)?.rsplit('\n').next()?;
    let (key, _) = line.rsplit_once('=')?;
    let key = key.trim_end().rsplit([' ', '\t', ',', '{']).next()?;
    (!key.is_empty()).then_some(key)
}

fn wrong_toml(text: &str, error: &toml::de::Error) -> Wrong {
    let at = error.span().map(|span| span.start);
    let message = error.message().replace('\n', " ");
    Wrong {
        line: at.map(|at| line_of(text, at)),
        message: match at.and_then(|at| key_before(text, at)) {
            Some(key) => format!("{key}: {message}"),
            None => message,
        },
    }
}

/// Read a file.
pub fn load(path: &Path) -> Result<Config, Wrong> {
    let text = std::fs::read_to_string(path).map_err(|error| Wrong {
        line: None,
        message: format!("can not be read: {error}"),
    })?;
    parse(&text)
}

pub fn parse(text: &str) -> Result<Config, Wrong> {
    let config: Config = toml::from_str(text).map_err(|error| wrong_toml(text, &error))?;
    check_agent(&config).map_err(|message| Wrong {
        line: None,
        message,
    })?;
    let mut names = BTreeSet::new();
    for rule in &config.rules {
        let wrong = |message| Wrong {
            line: Some(rule_line(text, rule.span())),
            message,
        };
        check_rule(rule.get_ref()).map_err(wrong)?;
        if !names.insert(&rule.get_ref().name) {
            return Err(wrong(format!(
                "rule \"{}\" is there twice",
                rule.get_ref().name
            )));
        }
    }
    Ok(config)
}

/// Of a rule's first key or header, not of the blank line before it.
fn rule_line(text: &str, span: Range<usize>) -> usize {
    let blank = text[span.clone()].len() - text[span.clone()].trim_start().len();
    line_of(text, span.start + blank)
}

fn check_agent(config: &Config) -> Result<(), String> {
    let interval = config.agent.interval;
    if interval < Span::millis(100) || interval > Span::millis(3_600_000) {
        return Err("agent.interval must be 100ms to 1h".into());
    }
    if config.limits.cpu == 0 || config.limits.cpu > 100 {
        return Err("limits.cpu must be 1 to 100".into());
    }
    for capability in &config.agent.keep_capabilities {
        if capability.parse::<caps::Capability>().is_err() {
            return Err(format!(
                "agent.keep_capabilities: {capability} is no capability, such as CAP_SYS_ADMIN"
            ));
        }
    }
    check_labels(&config.agent.labels, "agent.labels")?;
    let Some(otlp) = &config.otlp else {
        return Ok(());
    };
    if !otlp.endpoint.starts_with("http://") {
        return Err(
            "otlp.endpoint must be an http:// URL; a collector on this machine speaks https".into(),
        );
    }
    if otlp.interval < Span::millis(100) || otlp.timeout < Span::millis(10) {
        return Err("otlp.interval must be 100ms or more, otlp.timeout 10ms or more".into());
    }
    Ok(())
}

fn check_labels(labels: &Labels, place: &str) -> Result<(), String> {
    const TAKEN: [&str; 11] = [
        "rule", "binary", "symbol", "process", "probe", "le", "verdict", "reason", "result",
        "limit", "version",
    ];
    for name in labels.keys() {
        let mut letters = name.bytes();
        let first = letters
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if !first || !letters.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!(
                "{place}: \"{name}\" is no label name: letters, digits and _"
            ));
        }
        if name.starts_with("__") || TAKEN.contains(&name.as_str()) {
            return Err(format!(
                "{place}: the label \"{name}\" is taken, give it another name"
            ));
        }
    }
    Ok(())
}

/// The engine reads all specs before it looks for the first one, and asks then whether to go on.
fn check_spec(spec: &str) -> Result<(), Error> {
    let parsed = Resolver::new([spec])
        .progress(|_| ControlFlow::Break(()))
        .resolve();
    match parsed {
        Err(error) if matches!(error.kind(), ErrorKind::Spec | ErrorKind::Invalid) => Err(error),
        _ => Ok(()),
    }
}

fn check_rule(rule: &Rule) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("rule \"{}\": {what}", rule.name));
    if rule.name.is_empty() {
        return Err("a rule's name is empty".into());
    }
    if rule.specs.is_empty() {
        return wrong("specs is empty");
    }
    for spec in &rule.specs {
        if let Err(error) = check_spec(spec) {
            return wrong(&format!("\"{spec}\" is no spec: {error}"));
        }
    }
    if rule.by.contains(&By::Process) && !rule.by_process() {
        return wrong("by = process needs a scope and attach = \"process\"");
    }
    if rule.scope.is_none()
        && rule
            .specs
            .iter()
            .any(|spec| crate::watch::binary_of(spec) == "*")
    {
        return wrong("a spec that begins with *: needs a scope");
    }
    if rule.scope.as_ref().is_some_and(Scope::is_empty) {
        return wrong("scope is empty: give process, exe, cgroup or unit, or leave it out");
    }
    if rule
        .buckets
        .as_ref()
        .is_some_and(|buckets| buckets.is_empty() || buckets.len() > 100)
    {
        return wrong("buckets must be 1 to 100 durations");
    }
    check_labels(&rule.labels, &format!("rule \"{}\"", rule.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text).expect_err(text).to_string()
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let config =
            parse("[[rule]]\nname = \"a\"\nspecs = [\"libc.so.6:malloc\"]\n").expect("it is right");
        let rule = config.rules[0].get_ref();
        assert_eq!(config.agent.listen, "127.0.0.1:9435");
        assert_eq!(
            (rule.kind, rule.zeros, rule.by_process()),
            (Kind::Count, true, false)
        );
        assert_eq!(rule.by, binary_and_symbol());
        assert!(config.otlp.is_none());
        assert!(parse("").expect("no rule is right, too").rules.is_empty());
    }

    #[test]
    fn unknown_keys_are_named_with_their_line() {
        let said = refused("[agent]\ninterval = \"1s\"\nintervall = \"2s\"\n");
        assert!(
            said.starts_with("line 3:") && said.contains("`intervall`"),
            "{said}"
        );
        let said = refused("[[rule]]\nname = \"a\"\nspecs = [\"b:c\"]\nspec = []\n");
        assert!(
            said.starts_with("line 4:") && said.contains("`spec`"),
            "{said}"
        );
        let said =
            refused("[[rule]]\nname = \"a\"\nspecs = [\"b:c\"]\nscope = { procces = \"x\" }\n");
        assert!(
            said.starts_with("line 4:") && said.contains("`procces`"),
            "{said}"
        );
    }

    #[test]
    fn wrong_values_are_refused_with_the_rule() {
        let rule = |rest: &str| format!("\n\n[[rule]]\nname = \"a\"\nspecs = [\"b:c\"]\n{rest}\n");
        let said = refused(&rule("by = [\"process\"]"));
        assert!(
            said.starts_with("line 3:") && said.contains("rule \"a\""),
            "{said}"
        );
        assert!(refused(&rule("scope = {}")).contains("scope is empty"));
        assert!(refused(&rule("buckets = []")).contains("buckets"));
        assert!(refused(&rule("buckets = [\"3 parsecs\"]")).contains("duration"));
        assert!(refused(&rule("kind = \"trace\"")).contains("`trace`"));
        assert!(refused(&rule("labels = { le = \"1\" }")).contains("taken"));
        assert!(refused(&rule("labels = { \"a-b\" = \"1\" }")).contains("label name"));
        assert!(
            refused("[[rule]]\nname = \"a\"\nspecs = [\"*:malloc\"]\n").contains("needs a scope")
        );
        assert!(refused("[[rule]]\nname = \"a\"\nspecs = [\"malloc\"]\n").contains("no spec"));
        let twice = "[[rule]]\nname = \"a\"\nspecs = [\"b:c\"]\n".repeat(2);
        assert!(
            refused(&twice).starts_with("line 4:"),
            "{}",
            refused(&twice)
        );
    }

    #[test]
    fn specs_are_read_by_the_engine() {
        let asked = |spec: &str| {
            parse(&format!(
                "[[rule]]\nname = \"a\"\nspecs = [\"b:c\", '{spec}']\n"
            ))
        };
        for wrong in [
            "malloc", ":a", "a:", "a:/(/", "usdt:a:b", "a:b@", "a:b*+4", "a:0xz",
        ] {
            let said = asked(wrong).expect_err(wrong).to_string();
            assert!(
                said.starts_with("line 1: rule \"a\"") && said.contains(wrong),
                "{said}"
            );
        }
        for right in [
            "/no/such/file:f",
            "a:/b.*/",
            "usdt:a:b:c",
            "uretprobe:a:b+4",
        ] {
            assert!(asked(right).is_ok(), "{right}");
        }
        let zero = "[[rule]]\nname = \"a\"\nspecs = [\"a:b\\u0000\"]\n";
        assert!(refused(zero).contains("no spec"));
    }

    #[test]
    fn the_agents_values_are_checked() {
        assert!(refused("[agent]\ninterval = \"1ms\"\n").contains("interval"));
        assert!(refused("[limits]\ncpu = 0\n").contains("cpu"));
        assert!(refused("[agent]\nkeep_capabilities = [\"CAP_FLY\"]\n").contains("CAP_FLY"));
        assert!(refused("[otlp]\nendpoint = \"https://c\"\n").contains("http://"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = parse(
            "[otlp]\nendpoint = \"http://me:secret@c?key=secret\"\nheaders = { Authorization = \"secret\" }\n",
        );
        let shown = format!("{:?}", config.expect("it is right"));
        assert!(shown.contains("Authorization") && !shown.contains("secret"));
    }
}
