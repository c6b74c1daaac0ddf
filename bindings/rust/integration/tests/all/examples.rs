// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! The examples, under the names that they have in every language: topic 31.
use std::path::Path;
use std::process::Command;

use uprobe_multi_integration::{BpfFileSystem, Target, built};

const NAMES: [&str; 6] = [
    "attach_own_program",
    "count",
    "latency",
    "pinned",
    "trace",
    "usdt",
];

/// Runs an example, which cargo has built, and gives what it prints.
fn run(name: &str, arguments: &[&str]) -> String {
    let done = Command::new(built(&format!("rust/debug/examples/{name}")))
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}

/// Calls known_0000 and shared_0000 all the time, while something is done.
fn busy<T>(target: &mut Target, work: impl FnOnce(&Target) -> T) -> T {
    target.send("spin functions=1 threads=1");
    let result = work(target);
    assert!(target.ask("").starts_with("spin"));
    result
}

#[test]
fn all_are_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../uprobe-multi/examples");
    let mut names: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    names.sort();
    assert_eq!(names, NAMES);
}

#[test]
fn count_and_latency() {
    let mut target = Target::known();
    for name in ["count", "latency"] {
        let output = busy(&mut target, |target| {
            run(
                name,
                &[
                    &target.pid.to_string(),
                    &format!("{}:known_000?", target.path),
                    "0.2",
                ],
            )
        });
        let line = output
            .lines()
            .find(|line| line.ends_with("known_0000"))
            .expect(&output);
        assert!(
            line.split_whitespace()
                .next()
                .unwrap()
                .parse::<u64>()
                .unwrap()
                > 0
        );
    }
}

#[test]
fn trace() {
    // A shell that opens a file again and again.
    let mut shell = Command::new("bash")
        .args([
            "-c",
            "while :; do read -r _ </etc/hostname; sleep 0.01; done",
        ])
        .spawn()
        .unwrap();
    let output = run("trace", &[&shell.id().to_string(), "0.5"]);
    shell.kill().unwrap();
    shell.wait().unwrap();
    assert!(output.contains("path=\"/etc/hostname\""), "{output}");
}

#[test]
fn usdt() {
    let target = Target::start("usdt-gcc-O2");
    let output = run("usdt", &[&target.path, &target.pid.to_string(), "0.05"]);
    assert!(output.contains("forms:many at 0x"), "{output}");
}

#[test]
fn attach_own_program() {
    let target = Target::known();
    let object = built("tests/bpf/sections.bpf.o");
    let output = run(
        "attach_own_program",
        &[
            object.to_str().unwrap(),
            "entry",
            &format!("{}:known_000?", target.path),
            &target.pid.to_string(),
            "0.01",
        ],
    );
    assert!(output.starts_with("10 probes attached in "), "{output}");
    assert!(output.contains(": 10 probes in "), "{output}");
}

#[test]
fn pinned() {
    let files = BpfFileSystem::mount("example");
    let mut target = Target::known();
    let name = files.path("calls");
    run(
        "pinned",
        &[
            "start",
            &name,
            &target.pid.to_string(),
            &format!("{}:known_0000", target.path),
        ],
    );
    target.call(5, 1);
    assert_eq!(run("pinned", &["read", &name]).trim(), "5  known_0000");
    run("pinned", &["stop", &name]);
    assert!(target.ask("call times=1 functions=1").starts_with("call"));
}
