// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Processes, as /proc shows them.
use std::cell::OnceCell;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A process: its id may be used again, with another start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub pid: u32,
    /// Ticks since boot.
    pub start: u64,
}

/// What is asked for is read when it is asked for first.
#[derive(Debug)]
pub struct Process {
    pub key: Key,
    name: String,
    executable: OnceCell<Option<String>>,
    cgroups: OnceCell<Vec<String>>,
}

/// A file of which code is mapped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mapped {
    pub device: u64,
    pub inode: u64,
    /// Without " (deleted)".
    pub path: PathBuf,
    pub deleted: bool,
}

const KERNEL_THREAD: u32 = 0x0020_0000;
const DELETED: &str = " (deleted)";

/// Without what the kernel adds to the name of a file that has been removed.
pub fn undeleted(path: &str) -> (&str, bool) {
    match path.strip_suffix(DELETED) {
        Some(path) => (path, true),
        None => (path, false),
    }
}

impl Process {
    pub fn read(pid: u32) -> Option<Self> {
        let (start, name) = parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)?;
        Some(Self {
            key: Key { pid, start },
            name,
            executable: OnceCell::new(),
            cgroups: OnceCell::new(),
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn executable(&self) -> Option<String> {
        let read = || {
            let path = fs::read_link(format!("/proc/{}/exe", self.key.pid)).ok()?;
            Some(undeleted(&path.to_string_lossy()).0.to_owned())
        };
        self.executable.get_or_init(read).clone()
    }

    /// Its paths in all hierarchies.
    pub fn cgroups(&self) -> Vec<String> {
        let read = || {
            let text = fs::read_to_string(format!("/proc/{}/cgroup", self.key.pid));
            parse_cgroups(&text.unwrap_or_default())
        };
        self.cgroups.get_or_init(read).clone()
    }
}

/// The start of a process, unless it is a kernel thread or has ended, and its name.
fn parse_stat(stat: &[u8]) -> Option<(u64, String)> {
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(close + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).copied();
    let flags: u32 = field(9)?.parse().ok()?;
    // A main thread that has ended is no end of the process while others run.
    let ended = matches!(field(3)?, "Z" | "X") && field(20)?.parse::<u32>().ok()? <= 1;
    if flags & KERNEL_THREAD != 0 || ended {
        return None;
    }
    let name = String::from_utf8_lossy(stat.get(open + 1..close)?).into_owned();
    Some((field(22)?.parse().ok()?, name))
}

fn parse_cgroups(text: &str) -> Vec<String> {
    let path = |line: &str| line.splitn(3, ':').nth(2).map(str::to_owned);
    text.lines().filter_map(path).collect()
}

/// All processes but kernel threads.
pub fn list() -> Vec<Process> {
    let Ok(directory) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = directory.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(Process::read).collect()
}

pub fn is_alive(key: Key) -> bool {
    Process::read(key.pid).is_some_and(|process| process.key == key)
}

/// Files of which a process maps code; None when that can not be read.
pub fn mapped(pid: u32) -> Option<Vec<Mapped>> {
    let text = fs::read(format!("/proc/{pid}/maps")).ok()?;
    let mut files: Vec<Mapped> = String::from_utf8_lossy(&text)
        .lines()
        .filter_map(parse_mapping)
        .collect();
    files.dedup();
    Some(files)
}

fn parse_mapping(line: &str) -> Option<Mapped> {
    let mut rest = line;
    let mut field = || {
        let (field, after) = rest.trim_start().split_once(' ')?;
        rest = after;
        Some(field)
    };
    let (_, modes, _, device, inode) = (field()?, field()?, field()?, field()?, field()?);
    if modes.as_bytes().get(2) != Some(&b'x') || inode == "0" {
        return None;
    }
    let (major, minor) = device.split_once(':')?;
    let number = |text| u32::from_str_radix(text, 16).ok();
    let (path, deleted) = undeleted(rest.trim_start());
    Some(Mapped {
        device: libc::makedev(number(major)?, number(minor)?),
        inode: inode.parse().ok()?,
        path: path.into(),
        deleted,
    })
}

/// A path as a process sees it.
pub fn seen_by(pid: Option<u32>, path: &Path) -> PathBuf {
    match pid {
        Some(pid) => {
            let mut seen = PathBuf::from(format!("/proc/{pid}/root"));
            seen.push(path.strip_prefix("/").unwrap_or(path));
            seen
        }
        None => path.to_owned(),
    }
}

/// What specs mean to a process: equal for processes with the same root and the same code.
pub fn view(pid: u32, files: &[Mapped]) -> Option<u64> {
    let root = fs::metadata(format!("/proc/{pid}/root")).ok()?;
    let mut sorted: Vec<&Mapped> = files.iter().collect();
    sorted.sort_by_key(|file| (file.device, file.inode));
    let mut hasher = DefaultHasher::new();
    (root.dev(), root.ino(), sorted).hash(&mut hasher);
    fs::read_link(format!("/proc/{pid}/ns/mnt"))
        .ok()
        .hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_anything() {
        let rest = "S 1 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 4711 1 1";
        let stat = format!("12 (a) b (c) {rest}");
        assert_eq!(
            parse_stat(stat.as_bytes()),
            Some((4711, "a) b (c".to_owned()))
        );
        assert_eq!(parse_stat(b"12 (a"), None);
        let kernel = stat.replace("4194560", "2129984");
        assert_eq!(parse_stat(kernel.as_bytes()), None);
        let zombie = stat.replace(") S", ") Z");
        assert_eq!(parse_stat(zombie.as_bytes()), None);
        assert!(parse_stat(zombie.replace("20 0 1", "20 0 2").as_bytes()).is_some());
    }

    #[test]
    fn code_of_files_is_found() {
        let line = "7f00-7f01 r-xp 00001000 fd:01 42    /usr/lib/a b.so (deleted)";
        let file = parse_mapping(line).expect("code");
        assert_eq!((file.inode, file.deleted), (42, true));
        assert_eq!(file.path, Path::new("/usr/lib/a b.so"));
        assert_eq!(file.device, libc::makedev(0xfd, 1));
        assert!(parse_mapping("7f00-7f01 r--p 0 fd:01 42 /a").is_none());
        assert!(parse_mapping("7f00-7f01 r-xp 0 00:00 0 [vdso]").is_none());
        assert!(parse_mapping("7f00-7f01 r-xp 0 00:00 0 ").is_none());
    }

    #[test]
    fn this_process_is_there() {
        let process = Process::read(std::process::id()).expect("it runs");
        assert!(is_alive(process.key));
        assert!(!is_alive(Key {
            start: 1,
            ..process.key
        }));
        let executable = process.executable().expect("it has one");
        let files = mapped(process.key.pid).expect("they can be read");
        assert!(
            files.iter().any(|file| file.path == Path::new(&executable)),
            "{files:?}"
        );
        assert_eq!(view(process.key.pid, &files), view(process.key.pid, &files));
        assert!(list().iter().any(|other| other.key == process.key));
    }

    #[test]
    fn cgroups_of_all_hierarchies() {
        assert_eq!(parse_cgroups("3:cpu:/a:b\n0::/c\n"), ["/a:b", "/c"]);
    }
}
