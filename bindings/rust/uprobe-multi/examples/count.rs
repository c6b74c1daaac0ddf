// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! How often does a process call the functions of a library?
//!
//!     count PID SPEC [SECONDS]        count 1234 'libc.so.6:*alloc' 5
use std::error::Error;
use std::time::Duration;

use uprobe_multi::Count;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [pid, spec, rest @ ..] = &words[..] else {
        return Err("count PID SPEC [SECONDS]".into());
    };
    let seconds = rest.first().map_or(Ok(5.0), |word| word.parse())?;

    let mut counter = Count::new(spec.as_str()).pid(pid.parse()?).start()?;
    std::thread::sleep(Duration::from_secs_f64(seconds));
    counter.stop()?;

    let mut results: Vec<_> = counter.results()?.collect();
    results.sort_by_key(|(_, hits)| std::cmp::Reverse(*hits));
    for (probe, hits) in results.iter().take(20) {
        println!("{hits:>12}  {}", probe.name());
    }
    for probe in counter.link().skipped() {
        eprintln!(
            "skipped: {}: {}: {}",
            probe.name(),
            probe.verdict(),
            probe.reason()
        );
    }
    Ok(())
}
