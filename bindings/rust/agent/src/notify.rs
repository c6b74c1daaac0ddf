// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Being told of new processes and files, so that a look need not wait for its time. What is told is not
//! trusted to be complete: it is a reason to look, no more.
use std::collections::{BTreeSet, HashMap};
use std::ffi::CString;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::system::{check, own, read};

/// The kernel's process connector.
pub struct Processes(OwnedFd);

const GROUP: u32 = 1; // CN_IDX_PROC
const VALUE: u32 = 1; // CN_VAL_PROC
const LISTEN: u32 = 1; // PROC_CN_MCAST_LISTEN
const FORK: u32 = 0x1;
const EXEC: u32 = 0x2;
const COMM: u32 = 0x200;
const HEADER: usize = mem::size_of::<libc::nlmsghdr>();
/// Of struct cn_msg.
const ENVELOPE: usize = 20;

impl Processes {
    /// Needs CAP_NET_ADMIN, now only, and the initial network namespace.
    pub fn new() -> io::Result<Self> {
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: takes numbers.
        let socket = own(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_CONNECTOR) })?;
        // SAFETY: all zeros is a valid address.
        let mut address: libc::sockaddr_nl = unsafe { mem::zeroed() };
        address.nl_family = libc::AF_NETLINK as u16;
        address.nl_groups = GROUP;
        let size = mem::size_of_val(&address) as u32;
        // SAFETY: an address of the size that is said.
        check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size) })?;
        let message = subscription();
        // SAFETY: a buffer of the length that is said.
        let sent = unsafe {
            libc::send(
                socket.as_raw_fd(),
                message.as_ptr().cast(),
                message.len(),
                0,
            )
        };
        check(sent as i32)?;
        Ok(Self(socket))
    }

    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Take what is there. @return whether there may be a new process, or one that runs something else.
    pub fn drain(&self, forks: bool) -> bool {
        let mut buffer = [0; 4096];
        let mut news = false;
        // A thousand at a time: a machine that forks without end must not keep us here.
        for _ in 0..1000 {
            let count = read(&self.0, &mut buffer);
            if count == 0 {
                break;
            }
            news |= tells_of(&buffer[..count])
                .is_none_or(|what| what & (EXEC | COMM) != 0 || (forks && what == FORK));
        }
        news
    }
}

fn subscription() -> Vec<u8> {
    let length = (HEADER + ENVELOPE + 4) as u32;
    // nlmsghdr: length, type and flags, sequence, port; cn_msg: group, value, sequence, answer, length and flags.
    let words = [
        length,
        libc::NLMSG_DONE as u32,
        0,
        0,
        GROUP,
        VALUE,
        0,
        0,
        4,
        LISTEN,
    ];
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// The kind of a process event; of fork also whether it is a process, not a thread. None for what is not understood.
fn tells_of(message: &[u8]) -> Option<u32> {
    let word = |at: usize| {
        let bytes = message.get(at..at + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    };
    let event = HEADER + ENVELOPE;
    let what = word(event)?;
    // proc_event: what, cpu, time; fork: parent pid, tgid, child pid, tgid.
    let is_thread = what == FORK && word(event + 24)? != word(event + 28)?;
    Some(if is_thread { 0 } else { what })
}

/// inotify on the directories of files.
pub struct Files {
    inotify: OwnedFd,
    watched: HashMap<PathBuf, i32>,
}

impl Files {
    pub fn new() -> io::Result<Self> {
        // SAFETY: takes numbers.
        let inotify = own(unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) })?;
        Ok(Self {
            inotify,
            watched: HashMap::new(),
        })
    }

    pub fn fd(&self) -> RawFd {
        self.inotify.as_raw_fd()
    }

    /// Watch these, and no others. What can not be watched is looked at all the same.
    pub fn watch(&mut self, directories: &BTreeSet<PathBuf>) {
        let inotify = self.inotify.as_raw_fd();
        self.watched.retain(|path, watch| {
            let keep = directories.contains(path);
            if !keep {
                // SAFETY: takes numbers.
                unsafe { libc::inotify_rm_watch(inotify, *watch) };
            }
            keep
        });
        for path in directories {
            if !self.watched.contains_key(path) {
                self.add(path);
            }
        }
    }

    fn add(&mut self, path: &Path) {
        let Ok(name) = CString::new(path.as_os_str().as_bytes()) else {
            return;
        };
        let events = libc::IN_CREATE
            | libc::IN_MOVED_TO
            | libc::IN_CLOSE_WRITE
            | libc::IN_DELETE_SELF
            | libc::IN_ONLYDIR;
        // SAFETY: a C string.
        let watch =
            unsafe { libc::inotify_add_watch(self.inotify.as_raw_fd(), name.as_ptr(), events) };
        if watch >= 0 {
            self.watched.insert(path.to_owned(), watch);
        }
    }

    pub fn drain(&mut self) {
        let mut buffer = [0; 4096];
        while read(&self.inotify, &mut buffer) > 0 {}
        // A directory that was made anew is watched anew.
        self.watched.retain(|path, _| path.is_dir());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(what: u32, words: &[u32]) -> Vec<u8> {
        let mut message = vec![0; HEADER + ENVELOPE];
        for word in [&[what, 0, 0, 0], words].concat() {
            message.extend(word.to_ne_bytes());
        }
        message
    }

    #[test]
    fn threads_are_no_processes() {
        assert_eq!(tells_of(&event(FORK, &[1, 1, 7, 7])), Some(FORK));
        assert_eq!(tells_of(&event(FORK, &[1, 1, 8, 7])), Some(0));
        assert_eq!(tells_of(&event(EXEC, &[7, 7])), Some(EXEC));
        assert_eq!(tells_of(&[0; 10]), None);
    }

    #[test]
    fn a_new_file_is_told() {
        let folder =
            std::env::temp_dir().join(format!("uprobe-agent-notify-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut files = Files::new().expect("inotify");
        let told = |files: &Files| crate::system::wait(&[files.fd()], std::time::Duration::ZERO)[0];
        files.watch(&BTreeSet::from([folder.clone()]));
        assert!(!told(&files));
        std::fs::write(folder.join("a"), "b").expect("written");
        assert!(told(&files));
        files.drain();
        assert!(!told(&files));
        files.watch(&BTreeSet::new());
        files.drain();
        std::fs::write(folder.join("c"), "d").expect("written");
        assert!(!told(&files));
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
