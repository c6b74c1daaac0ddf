// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! One line an event on standard error.
use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use serde::Deserialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl Level {
    fn name(self) -> &'static str {
        ["error", "warn", "info", "debug"][self as usize]
    }

    /// As syslog numbers it.
    fn priority(self) -> u8 {
        [3, 4, 6, 7][self as usize]
    }
}

static MOST: AtomicU8 = AtomicU8::new(Level::Info as u8);

pub fn set_level(level: Level) {
    MOST.store(level as u8, Ordering::Relaxed);
}

fn to_journal() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| std::env::var_os("JOURNAL_STREAM").is_some())
}

/// A value that may hold anything, on one line.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'=' | b'\\');
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut line = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => line.extend(['\\', letter]),
            '\n' => line.push_str("\\n"),
            letter if letter.is_control() => line.extend(letter.escape_unicode()),
            letter => line.push(letter),
        }
    }
    line.push('"');
    line
}

fn line(level: Level, event: &str, fields: &[(&str, &dyn Display)]) -> String {
    let mut line = format!("level={} event={event}", level.name());
    for (name, value) in fields {
        let _ = write!(line, " {name}={}", quoted(&value.to_string()));
    }
    line.push('\n');
    line
}

pub fn log(level: Level, event: &str, fields: &[(&str, &dyn Display)]) {
    if level as u8 > MOST.load(Ordering::Relaxed) {
        return;
    }
    let mut text = line(level, event, fields);
    if to_journal() {
        text.insert_str(0, &format!("<{}>", level.priority()));
    }
    // Nobody is left to tell when standard error is closed.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// `info!("attached", rule = name, probes = count)`
macro_rules! event {
    ($level:ident, $event:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::log::log(
            $crate::log::Level::$level,
            $event,
            &[$((stringify!($name), &$value as &dyn std::fmt::Display)),*],
        )
    };
}
pub(crate) use event;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let said = line(
            Level::Warn,
            "refused",
            &[
                ("rule", &"a b"),
                ("reason", &"one\ntwo \"x\"\u{7}"),
                ("count", &3),
            ],
        );
        assert_eq!(
            said,
            "level=warn event=refused rule=\"a b\" reason=\"one\\ntwo \\\"x\\\"\\u{7}\" count=3\n"
        );
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(quoted("/usr/lib"), "/usr/lib");
    }
}
