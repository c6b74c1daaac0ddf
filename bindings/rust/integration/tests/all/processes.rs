// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! fork, exit and signals: topics 19, 20, 21. Children are made of this very program, which then runs
//! one of the ignored tests.
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use uprobe_multi::{Count, ErrorKind, Trace};
use uprobe_multi_integration::Target;

/// Runs an ignored test in a process of its own.
fn run_alone(test: &str, argument: &str) -> ExitStatus {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", test])
        .env("ALONE", argument)
        .output()
        .unwrap()
        .status
}

fn argument() -> String {
    std::env::var("ALONE").expect("run by another test")
}

#[test]
fn the_parent_s_probes_stay_when_a_child_goes() {
    let mut target = Target::known();
    let mut counter = Some(
        Count::new(format!("{}:known_0000", target.path))
            .pid(target.pid)
            .start()
            .unwrap(),
    );
    target.call(1, 1);
    // SAFETY: the child reads and frees what it has, and leaves at once.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let hits = counter.as_ref().map(|counter| counter.hits());
        let good = matches!(hits, Some(Ok(hits)) if hits == [1]);
        drop(counter.take());
        // SAFETY: leaves without running what belongs to the parent.
        unsafe { libc::_exit(if good { 7 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: waits for the child above.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(libc::WEXITSTATUS(status), 7);
    target.call(1, 1);
    assert_eq!(counter.unwrap().hits().unwrap(), [2]);
}

#[test]
fn a_program_may_end_with_handles_open() {
    let mut target = Target::known();
    for test in ["processes::leave_open", "processes::die_with_handles"] {
        let status = run_alone(test, &format!("{} {}", target.path, target.pid));
        let left_by = (status.code(), status.signal());
        let expected = if test.ends_with("open") {
            (Some(0), None)
        } else {
            (None, Some(libc::SIGKILL))
        };
        assert_eq!(left_by, expected, "{test}");
        target.call(1, 1);
    }
    // Nothing of them is in the way.
    let counter = Count::new(format!("{}:known_0000", target.path))
        .pid(target.pid)
        .start()
        .unwrap();
    target.call(5, 1);
    assert_eq!(counter.hits().unwrap(), [5]);
}

fn leaked() {
    let argument = argument();
    let (path, pid) = argument.rsplit_once(' ').unwrap();
    let count = Count::new(format!("{path}:known_0000")).pid(pid.parse().unwrap());
    std::mem::forget(count.start().unwrap());
}

#[test]
#[ignore = "run by a_program_may_end_with_handles_open"]
fn leave_open() {
    leaked();
    std::process::exit(0);
}

#[test]
#[ignore = "run by a_program_may_end_with_handles_open"]
fn die_with_handles() {
    leaked();
    // SAFETY: ends this process.
    unsafe { libc::raise(libc::SIGKILL) };
}

extern "C" fn nothing(_: libc::c_int) {}

#[test]
fn an_interrupt_ends_a_wait() {
    let target = Target::known();
    let mut trace = Trace::new(format!("{}:known_0000", target.path))
        .pid(target.pid)
        .start()
        .unwrap();
    // SAFETY: a handler that does nothing; sigaction without SA_RESTART.
    let waiter = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as extern "C" fn(_) as usize;
        assert_eq!(
            libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()),
            0
        );
        libc::pthread_self()
    };
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                // SAFETY: the thread waits for this one to end.
                unsafe { libc::pthread_kill(waiter, libc::SIGUSR1) };
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let error = trace.next_event(None).unwrap_err();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    });
}
