// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! A count that outlives the process that began it.
//!
//!     pinned start NAME PID SPEC      begin, pin it under a name, and exit
//!     pinned read NAME                from any process, as often as you like
//!     pinned stop NAME                remove it
//!     pinned list
use std::error::Error;

use uprobe_multi::{AnyObserver, Count, PinnedList, unpin};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["start", name, pid, spec] => Count::new(spec).pid(pid.parse()?).start()?.pin(name)?,
        ["read", name] => read(name)?,
        ["stop", name] => unpin(name)?,
        ["list"] => list()?,
        _ => return Err("pinned start NAME PID SPEC | read NAME | stop NAME | list".into()),
    }
    Ok(())
}

fn read(name: &str) -> uprobe_multi::Result<()> {
    let observer = AnyObserver::open(name)?;
    for (probe, hits) in observer.probes().iter().zip(observer.hits()?) {
        println!("{hits:>12}  {}", probe.name());
    }
    Ok(())
}

fn list() -> uprobe_multi::Result<()> {
    for pinned in PinnedList::read()?.iter() {
        let kind = pinned.kind().map_or("?".into(), |kind| kind.to_string());
        let (name, attached, creator) = (pinned.name(), pinned.attached_count(), pinned.creator());
        println!(
            "{name}: {kind} of {attached} probes, by {creator} {}",
            pinned.problem()
        );
    }
    Ok(())
}
