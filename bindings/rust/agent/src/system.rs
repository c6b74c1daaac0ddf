// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! System calls that the standard library has not.
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// A descriptor or number from C, or errno.
pub fn check(result: i32) -> io::Result<i32> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Take a new descriptor.
pub fn own(result: i32) -> io::Result<OwnedFd> {
    let fd = check(result)?;
    // SAFETY: a new descriptor that nobody else has.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub fn page_size() -> u64 {
    // SAFETY: takes a number, gives a number.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as u64 }
}

/// User and system time of this process.
pub fn cpu_time() -> Duration {
    // SAFETY: all zeros is a valid rusage.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    // SAFETY: stores where it is told to.
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) } != 0 {
        return Duration::ZERO;
    }
    let time =
        |value: libc::timeval| Duration::new(value.tv_sec as u64, value.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// CPU time of this thread.
pub fn thread_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: stores where it is told to.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// As many open files as the hard limit allows.
pub fn raise_open_files() -> io::Result<()> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: stores where it is told to.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) })?;
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: reads a structure.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) })?;
    Ok(())
}

pub fn no_new_privileges() -> io::Result<()> {
    // SAFETY: takes numbers.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
    Ok(())
}

/// What to wait for.
#[derive(Clone, Copy)]
pub enum Until {
    Readable,
    Writable,
}

/// Wait until one of the descriptors can be read. @return which can.
pub fn wait(fds: &[RawFd], timeout: Duration) -> Vec<bool> {
    let readable = |fd: &RawFd| (*fd, Until::Readable);
    wait_until(&fds.iter().map(readable).collect::<Vec<_>>(), timeout)
}

/// Wait until something comes true of one of the descriptors, or it has failed. @return of which.
pub fn wait_until(fds: &[(RawFd, Until)], timeout: Duration) -> Vec<bool> {
    let ask = |(fd, until): &(RawFd, Until)| libc::pollfd {
        fd: *fd,
        events: match until {
            Until::Readable => libc::POLLIN,
            Until::Writable => libc::POLLOUT,
        },
        revents: 0,
    };
    let mut asked: Vec<_> = fds.iter().map(ask).collect();
    let millis = timeout.as_millis().min(i32::MAX as u128) as i32;
    // SAFETY: an array of the length that is said.
    unsafe { libc::poll(asked.as_mut_ptr(), asked.len() as libc::nfds_t, millis) };
    asked.iter().map(|asked| asked.revents != 0).collect()
}

/// Read what is there. @return bytes; 0 when there is nothing.
pub fn read(fd: &OwnedFd, buffer: &mut [u8]) -> usize {
    // SAFETY: a buffer of the length that is said.
    let count = unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    count.max(0) as usize
}

/// Whoever reads what is printed may have read enough: that ends a program quietly.
pub fn end_with_reader() {
    // SAFETY: the default is no function of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Reload,
    End,
}

/// SIGHUP, SIGTERM and SIGINT, as something to wait for.
pub struct Signals(OwnedFd);

impl Signals {
    /// Before there are other threads, which inherit the mask.
    pub fn new() -> io::Result<Self> {
        // SAFETY: all zeros is a valid set, which is then emptied.
        let mut set: libc::sigset_t = unsafe { mem::zeroed() };
        // SAFETY: changes the set only.
        unsafe {
            libc::sigemptyset(&mut set);
            for signal in [libc::SIGHUP, libc::SIGTERM, libc::SIGINT] {
                libc::sigaddset(&mut set, signal);
            }
        }
        // SAFETY: reads the set.
        check(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) })?;
        // SAFETY: reads the set.
        own(unsafe { libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) }).map(Self)
    }

    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    pub fn is_pending(&self) -> bool {
        wait(&[self.fd()], Duration::ZERO)[0]
    }

    pub fn next(&self) -> Option<Signal> {
        let mut info = [0; mem::size_of::<libc::signalfd_siginfo>()];
        if read(&self.0, &mut info) < info.len() {
            return None;
        }
        let number = u32::from_ne_bytes([info[0], info[1], info[2], info[3]]) as i32;
        Some(if number == libc::SIGHUP {
            Signal::Reload
        } else {
            Signal::End
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes() {
        let (before, of_thread) = (cpu_time(), thread_time());
        while cpu_time() == before || thread_time() == of_thread {
            std::hint::black_box((0..10_000).sum::<u64>());
        }
        assert!(page_size().is_power_of_two());
    }
}
