// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Which files does a process open, with what result?
//!
//!     trace PID [SECONDS]
use std::error::Error;
use std::time::{Duration, Instant};

use uprobe_multi::Trace;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [pid, rest @ ..] = &words[..] else {
        return Err("trace PID [SECONDS]".into());
    };
    let seconds = rest.first().map_or(Ok(5.0), |word| word.parse())?;

    let mut opens = Trace::new("libc.so.6:open64")
        .arguments("int open(char *path, int flags, unsigned mode)")
        .returns(true)
        .pid(pid.parse()?)
        .start()?;
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        if let Some(event) = opens.next_event(Some(left))? {
            println!("{event}");
        }
    }
    opens.stop()?;
    for count in opens.counts()? {
        eprintln!(
            "{} hits, {} events, {} lost",
            count.hits, count.events, count.lost
        );
    }
    Ok(())
}
