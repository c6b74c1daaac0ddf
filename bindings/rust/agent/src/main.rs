// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! uprobe-agent: keeps probes attached on a machine, and exports what they count and measure.
//! docs/agent.md is its contract.
mod agent;
mod arguments;
mod checking;
mod config;
mod connections;
mod exchanges;
mod exposition;
mod family;
mod follower;
mod http;
#[cfg(test)]
mod live;
mod log;
mod metrics;
mod notify;
mod otlp;
mod panics;
mod plan;
mod privileges;
mod process;
mod ready;
mod registry;
mod resolved;
mod scope;
mod secrets;
mod series;
mod shared;
mod stats;
mod system;
mod unit;
mod units;
mod value;
mod watch;

use std::path::Path;
use std::process::ExitCode;

use arguments::Asked;
use config::Config;
use log::event;
use system::Signals;

/// docs/agent.md lists them.
const FAILED: u8 = 1;
const WRONG: u8 = 2;

fn main() -> ExitCode {
    let asked = arguments::parse(std::env::args_os().skip(1));
    if !matches!(asked, Ok(Asked::Run(_))) {
        system::end_with_reader();
    }
    match asked {
        Ok(Asked::Help) => print!("{}", arguments::HELP),
        Ok(Asked::Version) => println!("uprobe-agent {}", uprobe_multi::version()),
        Ok(Asked::Check(path)) => return with_config(&path, |config| checking::check(&config)),
        Ok(Asked::Run(path)) => return run(&path),
        Err(message) => {
            eprintln!("uprobe-agent: {message}");
            return WRONG.into();
        }
    }
    ExitCode::SUCCESS
}

fn with_config(path: &Path, go_on: impl FnOnce(Config) -> bool) -> ExitCode {
    match config::load(path) {
        Ok(config) => match go_on(config) {
            true => ExitCode::SUCCESS,
            false => FAILED.into(),
        },
        Err(wrong) => {
            eprintln!("uprobe-agent: {}: {wrong}", path.display());
            WRONG.into()
        }
    }
}

fn run(path: &Path) -> ExitCode {
    panics::end_the_process();
    // First of all: a reload that is asked for while the file is read waits, and does not end us.
    match Signals::new() {
        Ok(signals) => with_config(path, |config| live(path, config, signals)),
        Err(error) => {
            event!(Error, "failed", reason = error);
            FAILED.into()
        }
    }
}

fn live(path: &Path, config: Config, signals: Signals) -> bool {
    log::set_level(config.agent.log);
    match agent::run(path, config, signals) {
        Ok(()) => true,
        Err(reason) => {
            event!(Error, "failed", reason = reason);
            false
        }
    }
}
