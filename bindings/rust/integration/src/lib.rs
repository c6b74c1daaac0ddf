// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What the tests and benchmarks against the live kernel share.
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Path of a file that the build made.
pub fn built(name: &str) -> PathBuf {
    let build = std::env::var_os("UPM_BUILD").expect("UPM_BUILD: the folder of the build");
    let path = Path::new(&build).join(name);
    assert!(path.exists(), "{} is not built: make tests", path.display());
    path
}

/// A program of tests/target, which obeys commands.
pub struct Target {
    /// What was started.
    pub path: String,
    /// Its process.
    pub pid: u32,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Target {
    /// tests/target/known.c
    pub fn known() -> Self {
        Self::start("known")
    }

    /// The target of this name.
    pub fn start(name: &str) -> Self {
        let path = built(&format!("target/{name}"));
        let mut child = Command::new(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut target = Self {
            path: path.to_str().expect("UTF-8").into(),
            pid: child.id(),
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().expect("piped")),
            child,
        };
        assert_eq!(target.answer(), format!("ready {}", target.pid));
        target
    }

    /// Give it a command.
    pub fn send(&mut self, line: &str) {
        let input = self.input.as_mut().expect("it runs");
        writeln!(input, "{line}").expect("it listens");
    }

    /// A line of its.
    pub fn answer(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        line.trim_end().into()
    }

    /// Give it a command and wait for the answer.
    pub fn ask(&mut self, line: &str) -> String {
        self.send(line);
        self.answer()
    }

    /// Calls known_0000 … and shared_0000 …, each so many times.
    pub fn call(&mut self, times: u64, functions: u64) {
        let answer = self.ask(&format!("call times={times} functions={functions}"));
        assert_eq!(answer, format!("call total={}", times * functions));
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // It ends when its input does.
        self.input.take();
        self.child.wait().expect("it ends");
    }
}

/// Open descriptors of this process, as "number -> what it is".
pub fn descriptors() -> BTreeSet<String> {
    let list = std::fs::read_dir("/proc/self/fd").expect("/proc");
    list.flatten()
        .filter_map(|entry| {
            let is = std::fs::read_link(entry.path()).ok()?;
            Some(format!(
                "{} -> {}",
                entry.file_name().to_string_lossy(),
                is.display()
            ))
        })
        // The one that lists them.
        .filter(|shown| !shown.contains("/fd"))
        .collect()
}

/// The u64 of a BPF array map with u32 keys: bpf(BPF_MAP_LOOKUP_ELEM).
pub fn map_value(map: impl AsFd, key: u32) -> u64 {
    const LOOKUP: libc::c_int = 1;
    let mut value = 0u64;
    let attr = [
        map.as_fd().as_raw_fd() as u64,
        &raw const key as u64,
        &raw mut value as u64,
        0,
    ];
    // SAFETY: the attribute has the layout of the kernel, and pointers to what lives.
    let status = unsafe { libc::syscall(libc::SYS_bpf, LOOKUP, attr.as_ptr(), size_of_val(&attr)) };
    assert_eq!(status, 0, "{}", std::io::Error::last_os_error());
    value
}

/// A BPF file system of its own, which ends with it.
pub struct BpfFileSystem(PathBuf);

impl BpfFileSystem {
    /// Mounted on a folder in the build.
    pub fn mount(name: &str) -> Self {
        let folder = built("target").join(format!("bpf-{name}-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder");
        let done = Command::new("mount")
            .args(["-t", "bpf", "bpf"])
            .arg(&folder)
            .status();
        assert!(done.expect("mount").success());
        Self(folder)
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").into()
    }
}

impl Drop for BpfFileSystem {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(&self.0).status();
        assert!(done.expect("umount").success());
        std::fs::remove_dir(&self.0).expect("empty");
    }
}

/// The guide, whose snippets are tests of documentation: topic 30.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/rust.md")]
pub struct Guide;
