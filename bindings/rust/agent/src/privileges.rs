// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What the agent may do once it runs.
use std::collections::HashSet;
use std::io;

use caps::{CapSet, Capability, CapsHashSet};

use crate::system;

/// docs/agent.md says what for.
const NEEDED: [Capability; 4] = [
    Capability::CAP_BPF,
    Capability::CAP_PERFMON,
    Capability::CAP_SYS_PTRACE,
    Capability::CAP_DAC_READ_SEARCH,
];

fn kept(more: &[String], now: &CapsHashSet) -> CapsHashSet {
    let more = more.iter().filter_map(|name| name.parse().ok());
    let wanted: HashSet<Capability> = NEEDED.into_iter().chain(more).collect();
    wanted.intersection(now).copied().collect()
}

/// Of this thread and those that it starts. @return what is kept, as text.
pub fn drop_others(more: &[String]) -> io::Result<String> {
    let now = caps::read(None, CapSet::Permitted).map_err(io::Error::other)?;
    let keep = kept(more, &now);
    bound(&keep);
    for set in [CapSet::Effective, CapSet::Permitted] {
        caps::set(None, set, &keep).map_err(io::Error::other)?;
    }
    caps::clear(None, CapSet::Inheritable).map_err(io::Error::other)?;
    system::no_new_privileges()?;
    let mut names: Vec<String> = keep.iter().map(Capability::to_string).collect();
    names.sort();
    Ok(names.join(","))
}

/// Nothing that it executes could have more. Needs CAP_SETPCAP, without which there is nothing to lose.
fn bound(keep: &CapsHashSet) {
    for capability in caps::all() {
        if !keep.contains(&capability) && caps::drop(None, CapSet::Bounding, capability).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_that_is_not_there() {
        let now = HashSet::from([
            Capability::CAP_BPF,
            Capability::CAP_KILL,
            Capability::CAP_SYS_ADMIN,
        ]);
        assert_eq!(kept(&[], &now), HashSet::from([Capability::CAP_BPF]));
        let more = ["CAP_SYS_ADMIN".to_owned(), "CAP_CHOWN".to_owned()];
        assert_eq!(
            kept(&more, &now),
            HashSet::from([Capability::CAP_BPF, Capability::CAP_SYS_ADMIN])
        );
    }

    #[test]
    fn a_thread_that_drops_has_no_more() {
        let dropped = std::thread::spawn(|| {
            drop_others(&[])?;
            caps::read(None, CapSet::Permitted).map_err(io::Error::other)
        });
        let left = dropped
            .join()
            .expect("it does not panic")
            .expect("it drops");
        assert!(
            left.iter().all(|capability| NEEDED.contains(capability)),
            "{left:?}"
        );
    }
}
