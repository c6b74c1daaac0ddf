// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! A panic is a mistake of ours. In whichever thread, it ends the process, so that nobody goes on
//! with an agent of which a part is missing; the kernel lets go of the probes.
use std::panic;

use crate::log::event;

/// What a program of Rust ends with whose main thread panics.
const PANICKED: i32 = 101;

pub fn end_the_process() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let payload = panic.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let reason = text.or_else(|| payload.downcast_ref::<&str>().copied());
        event!(
            Error,
            "panic",
            thread = std::thread::current().name().unwrap_or("?"),
            at = place.as_deref().unwrap_or("?"),
            reason = reason.unwrap_or("?"),
        );
        // SAFETY: takes a number. Nothing of ours is to run any more, in no thread.
        unsafe { libc::_exit(PANICKED) };
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::thread;

    const CHILD: &str = "UPROBE_AGENT_TEST_PANICS";

    /// Run by the test below, in a process of its own.
    fn panic_in_a_thread() {
        end_the_process();
        let thread = thread::Builder::new().name("lost".into());
        let panicking = thread.spawn(|| panic!("of {}\ntest", "a"));
        let _ = panicking.expect("a thread").join();
        std::process::exit(3);
    }

    #[test]
    fn a_panic_ends_the_process() {
        if std::env::var_os(CHILD).is_some() {
            panic_in_a_thread();
        }
        let own = std::env::current_exe().expect("it has a path");
        let done = Command::new(own)
            .args(["--exact", "panics::tests::a_panic_ends_the_process"])
            .arg("--nocapture")
            .env(CHILD, "1")
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(PANICKED), "{said}");
        assert!(
            said.contains("level=error event=panic thread=lost at=agent/src/panics.rs:")
                && said.contains("reason=\"of a\\ntest\""),
            "{said}"
        );
    }
}
