// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Which statically defined tracing probes has a program, and what do they tell?
//!
//!     usdt BINARY [PID [SECONDS]]     with a PID: their events
use std::error::Error;
use std::time::Duration;

use uprobe_multi::{Resolver, Spec, Trace};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [binary, rest @ ..] = &words[..] else {
        return Err("usdt BINARY [PID [SECONDS]]".into());
    };
    let pid = rest.first().map(|word| word.parse()).transpose()?;
    let seconds = rest.get(1).map_or(Ok(5.0), |word| word.parse())?;

    let sites = Resolver::new(Spec::usdt(binary, "*", "*"))
        .pids(pid)
        .resolve()?;
    for site in &sites {
        let arguments: Vec<_> = site
            .arguments()
            .map(|each| each.text().into_owned())
            .collect();
        println!(
            "{} at {:#x}: {}",
            site.name(),
            site.address(),
            arguments.join(", ")
        );
    }

    if let Some(pid) = pid {
        let mut trace = Trace::new(&sites).pid(pid).start()?;
        std::thread::sleep(Duration::from_secs_f64(seconds));
        trace.stop()?;
        for event in trace.events_for(Duration::ZERO) {
            println!("{}", event?);
        }
    }
    Ok(())
}
