// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! The command line.
use std::ffi::OsString;
use std::path::PathBuf;

pub const HELP: &str = "\
Usage: uprobe-agent --config FILE [--check]

Keeps probes attached, and exports what they count and measure to Prometheus and OpenTelemetry.

  -c, --config FILE  what to observe (TOML; see docs/agent.md)
      --check        say what would be attached here and what not, and end
      --version      say the version and end
  -h, --help         this text

Signals: SIGHUP reads the configuration again, SIGTERM and SIGINT end it.
";

#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    Run(PathBuf),
    Check(PathBuf),
    Help,
    Version,
}

pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Asked, String> {
    let mut arguments = arguments;
    let (mut config, mut check) = (None, false);
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        match text.as_ref() {
            "-h" | "--help" => return Ok(Asked::Help),
            "--version" => return Ok(Asked::Version),
            "--check" => check = true,
            "-c" | "--config" => {
                let path = arguments
                    .next()
                    .ok_or("--config needs the name of a file")?;
                config = Some(path.into());
            }
            _ => match text.strip_prefix("--config=") {
                Some(path) => config = Some(path.into()),
                None => return Err(format!("{text}: no such option; try --help")),
            },
        }
    }
    let path = config.ok_or("give --config FILE; try --help")?;
    Ok(if check {
        Asked::Check(path)
    } else {
        Asked::Run(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options() {
        assert_eq!(asked("--config a"), Ok(Asked::Run("a".into())));
        assert_eq!(asked("--check -c a"), Ok(Asked::Check("a".into())));
        assert_eq!(asked("--config=a --check"), Ok(Asked::Check("a".into())));
        assert_eq!(asked("--config a --help"), Ok(Asked::Help));
        assert_eq!(asked("--version"), Ok(Asked::Version));
        for wrong in ["", "--check", "--config", "a", "--confg a"] {
            assert!(asked(wrong).is_err(), "{wrong}");
        }
    }
}
