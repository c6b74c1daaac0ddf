// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! Connections: each is for one request, few are there at a time, and all of them end soon, so that nobody
//! can hold the agent up or make it grow. One thread receives all requests and sends all answers, and never
//! waits for anyone. The counts, which take longer to read, are gathered by others, who touch no connection:
//! so neither who asks nothing nor who reads no answer keeps anybody out.
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::{self, Request, Response};
use crate::log::event;
use crate::shared::Shared;
use crate::system::{Until, wait_until};

const WORKERS: usize = 4;
/// Connections that have not asked yet, those that wait for counts, and those that have not read all of
/// their answer.
const MOST_RECEIVING: usize = 32;
const MOST_ASKED: usize = 32;
const MOST_SENDING: usize = 32;
/// Of all answers that are not read yet; one alone may be larger.
const MOST_UNREAD: usize = 64 << 20;
const LARGEST_REQUEST: usize = 8192;
/// For all of a request, and for all of an answer.
const RECEIVING: Duration = Duration::from_secs(5);
const SENDING: Duration = Duration::from_secs(30);
const IDLE: Duration = Duration::from_secs(3600);

fn note(result: io::Result<()>) {
    if let Err(error) = result {
        event!(Debug, "request_failed", reason = error);
    }
}

fn is_for_later(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, WouldBlock};
    matches!(error.kind(), Interrupted | WouldBlock)
}

/// A request, or what to answer instead.
type Asked = Result<Request, Response>;

/// A connection of which the request has not come yet, or not all of it.
struct Incoming {
    stream: TcpStream,
    bytes: Vec<u8>,
    end: Instant,
}

impl Incoming {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            bytes: Vec::new(),
            end: Instant::now() + RECEIVING,
        })
    }

    /// Ok(None): there is more to come.
    fn receive(&mut self) -> io::Result<Option<Asked>> {
        let mut buffer = [0; 2048];
        while self.bytes.len() < LARGEST_REQUEST {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
                Err(error) if is_for_later(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
            match http::parse(&self.bytes) {
                Ok(Some(request)) => return Ok(Some(Ok(request))),
                Ok(None) => {}
                Err(_) => {
                    let wrong = Response::text("400 Bad Request", "this is no HTTP request");
                    return Ok(Some(Err(wrong)));
                }
            }
        }
        Ok(Some(Err(Response::text(
            "431 Request Header Fields Too Large",
            "the request is too large",
        ))))
    }
}

/// An answer of which not all has been read.
struct Outgoing {
    stream: TcpStream,
    bytes: Vec<u8>,
    sent: usize,
    end: Instant,
}

impl Outgoing {
    fn new((stream, bytes): Made) -> Self {
        Self {
            stream,
            bytes,
            sent: 0,
            end: Instant::now() + SENDING,
        }
    }

    /// @return whether that was all.
    fn send(&mut self) -> io::Result<bool> {
        match self.stream.write(&self.bytes[self.sent..]) {
            Ok(count) => self.sent += count,
            Err(error) if is_for_later(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(self.sent == self.bytes.len())
    }
}

/// Oldest first.
#[derive(Default)]
struct Outbox(VecDeque<Outgoing>);

impl Outbox {
    /// Whose answer has been on its way longest makes room for the newest.
    fn add(&mut self, made: Made) {
        let mut one = Outgoing::new(made);
        match one.send() {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => return note(Err(error)),
        }
        while self.0.len() == MOST_SENDING || self.unread() + one.bytes.len() > MOST_UNREAD {
            if self.0.pop_front().is_none() {
                break;
            }
        }
        self.0.push_back(one);
    }

    fn unread(&self) -> usize {
        self.0.iter().map(|one| one.bytes.len()).sum()
    }

    fn go_on(&mut self, can_be_written: &[bool], now: Instant) {
        let mut can_be_written = can_be_written.iter();
        self.0.retain_mut(|one| {
            let sent = match can_be_written.next() {
                Some(true) => one.send(),
                _ => Ok(false),
            };
            match sent {
                Ok(false) if one.end > now => return true,
                Ok(false) => note(Err(io::ErrorKind::TimedOut.into())),
                Ok(true) => {}
                Err(error) => note(Err(error)),
            }
            false
        });
    }
}

type Work = (TcpStream, Request);
type Made = (TcpStream, Vec<u8>);

/// Where answers are left for who sends them.
#[derive(Clone)]
struct Tray {
    made: Sender<Made>,
    bell: Arc<UnixStream>,
}

impl Tray {
    fn put(&self, made: Made) -> Result<(), mpsc::SendError<Made>> {
        self.made.send(made)?;
        // A bell that takes no more has been rung.
        let _ = (&*self.bell).write(&[0]);
        Ok(())
    }
}

fn work(shared: &Shared, works: &Mutex<Receiver<Work>>, tray: &Tray) {
    loop {
        let next = works.lock().expect("nothing panics with it").recv();
        let Ok((stream, request)) = next else {
            return;
        };
        if tray.put((stream, request.answer(shared))).is_err() {
            return;
        }
    }
}

/// Takes connections, receives and sends.
struct Reception {
    shared: Arc<Shared>,
    listener: TcpListener,
    /// Oldest first.
    incoming: VecDeque<Incoming>,
    works: SyncSender<Work>,
    made: Receiver<Made>,
    bell: UnixStream,
    outbox: Outbox,
}

impl Reception {
    fn run(mut self) {
        loop {
            let told = wait_until(&self.awaited(), self.patience());
            let (own, connections) = told.split_at(2);
            let (incoming, outgoing) = connections.split_at(self.incoming.len());
            let now = Instant::now();
            self.outbox.go_on(outgoing, now);
            self.receive(incoming, now);
            if own[0] {
                self.take_what_is_made();
            }
            if own[1] {
                self.accept();
            }
        }
    }

    fn awaited(&self) -> Vec<(RawFd, Until)> {
        let own = [self.bell.as_raw_fd(), self.listener.as_raw_fd()];
        let incoming = self.incoming.iter().map(|one| one.stream.as_raw_fd());
        let outgoing = self.outbox.0.iter().map(|one| one.stream.as_raw_fd());
        let readable = own.into_iter().chain(incoming);
        readable
            .map(|fd| (fd, Until::Readable))
            .chain(outgoing.map(|fd| (fd, Until::Writable)))
            .collect()
    }

    fn patience(&self) -> Duration {
        let incoming = self.incoming.front().map(|first| first.end);
        let outgoing = self.outbox.0.front().map(|first| first.end);
        let next = incoming.into_iter().chain(outgoing).min();
        let patience = next.map_or(IDLE, |end| end.saturating_duration_since(Instant::now()));
        patience + Duration::from_millis(1)
    }

    fn receive(&mut self, can_be_read: &[bool], now: Instant) {
        let all = std::mem::take(&mut self.incoming);
        for (mut one, can_be_read) in all.into_iter().zip(can_be_read) {
            let received = if *can_be_read {
                one.receive()
            } else {
                Ok(None)
            };
            match received {
                Ok(None) if one.end > now => self.incoming.push_back(one),
                Ok(None) => note(Err(io::ErrorKind::TimedOut.into())),
                Ok(Some(asked)) => self.answer(one.stream, asked),
                Err(error) => note(Err(error)),
            }
        }
    }

    fn answer(&mut self, stream: TcpStream, asked: Asked) {
        match asked {
            // Too many at once: this one is closed.
            Ok(request) if request.needs_counts() => drop(self.works.try_send((stream, request))),
            Ok(request) => self.outbox.add((stream, request.answer(&self.shared))),
            Err(response) => self.outbox.add((stream, response.into_bytes(true))),
        }
    }

    fn take_what_is_made(&mut self) {
        // However often it was rung: what rings later is heard later.
        let _ = self.bell.read(&mut [0; 64]);
        while let Ok(made) = self.made.try_recv() {
            self.outbox.add(made);
        }
    }

    /// Who came first and has asked nothing yet makes room for who comes last.
    fn accept(&mut self) {
        match self.listener.accept() {
            Ok((stream, _)) => {
                if self.incoming.len() == MOST_RECEIVING {
                    self.incoming.pop_front();
                }
                match Incoming::new(stream) {
                    Ok(one) => self.incoming.push_back(one),
                    Err(error) => note(Err(error)),
                }
            }
            // Whoever it was has gone.
            Err(error) if is_for_later(&error) => {}
            // Out of descriptors, perhaps.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// Serve in threads of its own, until the process ends.
pub fn start(listener: TcpListener, shared: &Arc<Shared>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let (bell, ringing) = UnixStream::pair()?;
    bell.set_nonblocking(true)?;
    ringing.set_nonblocking(true)?;
    let (works, receiver) = mpsc::sync_channel(MOST_ASKED);
    let (made, answers) = mpsc::channel();
    let receiver = Arc::new(Mutex::new(receiver));
    let tray = Tray {
        made,
        bell: Arc::new(ringing),
    };
    for _ in 0..WORKERS {
        let (shared, receiver, tray) = (shared.clone(), receiver.clone(), tray.clone());
        thread::Builder::new()
            .name("http".into())
            .spawn(move || work(&shared, &receiver, &tray))?;
    }
    let reception = Reception {
        shared: shared.clone(),
        listener,
        incoming: VecDeque::new(),
        works,
        made: answers,
        bell,
        outbox: Outbox::default(),
    };
    thread::Builder::new()
        .name("accept".into())
        .spawn(move || reception.run())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::http::listen;

    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    #[test]
    fn requests_are_answered() {
        let shared = Arc::new(Shared::default());
        let listener = listen("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        start(listener, &shared).expect("threads");
        let health = ask(address, "GET /healthz HTTP/1.1\r\n\r\n");
        assert!(
            health.starts_with("HTTP/1.1 503 ") && health.ends_with("starting\n"),
            "{health}"
        );
        shared.stats.looked(Duration::ZERO, Duration::ZERO);
        assert!(ask(address, "GET /healthz HTTP/1.1\r\n\r\n").ends_with("\r\n\r\nok\n"));
        let text = ask(
            address,
            "GET /metrics?x=1 HTTP/1.1\r\nAccept: text/plain\r\n\r\n",
        );
        assert!(
            text.contains("version=0.0.4") && text.contains("\nuprobe_agent_scrapes_total 1\n"),
            "{text}"
        );
        let open = ask(
            address,
            "GET /metrics HTTP/1.1\r\naccept: application/openmetrics-text\r\n\r\n",
        );
        assert!(
            open.contains("openmetrics-text; version=1.0.0") && open.ends_with("\n# EOF\n"),
            "{open}"
        );
        assert!(ask(address, "HEAD / HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"));
        assert!(ask(address, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
        assert!(ask(address, "GET /other HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        assert!(ask(address, "\x01\r\n\r\n").starts_with("HTTP/1.1 400 "));
        let large = format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(LARGEST_REQUEST));
        assert!(ask(address, &large[..LARGEST_REQUEST]).starts_with("HTTP/1.1 431 "));
    }

    #[test]
    fn who_asks_nothing_keeps_nobody_out() {
        let listener = listen("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        start(listener, &Arc::new(Shared::default())).expect("threads");
        let connect = |_| {
            let mut stream = TcpStream::connect(address).expect("it listens");
            stream.write_all(b"GET / HTTP").expect("it reads");
            stream
        };
        let _idle: Vec<_> = (0..3 * MOST_RECEIVING).map(connect).collect();
        for _ in 0..10 {
            let root = ask(address, "GET / HTTP/1.1\r\n\r\n");
            assert!(root.starts_with("HTTP/1.1 200 "), "{root}");
        }
    }

    /// Answers are larger than the kernel takes of them at once.
    fn with_large_answers() -> Arc<Shared> {
        let shared = Shared::default();
        let long = "a".repeat(512 << 10);
        let config = crate::config::parse(&format!("[agent]\nlabels = {{ long = '{long}' }}\n"));
        shared.set_config(Arc::new(config.expect("it is right")));
        Arc::new(shared)
    }

    #[test]
    fn who_reads_no_answer_keeps_nobody_out() {
        let shared = with_large_answers();
        let listener = listen("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        start(listener, &shared).expect("threads");
        let ask_only = |count: u64| {
            let mut stream = TcpStream::connect(address).expect("it listens");
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\n\r\n")
                .expect("it reads");
            let end = Instant::now() + Duration::from_secs(300);
            while shared.stats.scrapes.get() < count {
                assert!(Instant::now() < end, "request {count} is not looked at");
                thread::sleep(Duration::from_millis(1));
            }
            stream
        };
        let _deaf: Vec<_> = (1..=WORKERS as u64 + 1).map(ask_only).collect();
        assert!(ask(address, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 "));
        let text = ask(address, "GET /metrics HTTP/1.1\r\n\r\n");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(body.len() > 7 << 20 && body.ends_with('\n'));
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
    }

    /// Who answers, and who asks. The kernel takes little of an answer that is not read.
    fn pair() -> (TcpStream, TcpStream) {
        let listener = listen("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        let asks = TcpStream::connect(address).expect("it listens");
        let (answers, _) = listener.accept().expect("it has connected");
        answers.set_nonblocking(true).expect("a socket");
        let size: libc::c_int = 4096;
        // SAFETY: reads a number.
        let set = unsafe {
            libc::setsockopt(
                answers.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_SNDBUF,
                (&raw const size).cast(),
                size_of_val(&size) as libc::socklen_t,
            )
        };
        assert_eq!(set, 0);
        (answers, asks)
    }

    fn is_closed(mut asks: &TcpStream) -> bool {
        let mut buffer = vec![0; 1 << 20];
        asks.set_nonblocking(true).expect("a socket");
        loop {
            match asks.read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return !is_for_later(&error),
            }
        }
    }

    #[test]
    fn unread_answers_have_a_limit() {
        for (size, most) in [(1 << 20, MOST_SENDING), (16 << 20, 4), (MOST_UNREAD + 1, 1)] {
            let mut outbox = Outbox::default();
            let add = |_| {
                let (answers, asks) = pair();
                outbox.add((answers, vec![0; size]));
                asks
            };
            let asked: Vec<_> = (0..most + 2).map(add).collect();
            assert_eq!(outbox.0.len(), most, "of {size} bytes");
            let closed: Vec<_> = asked.iter().map(is_closed).collect();
            assert!(closed[..2].iter().all(|closed| *closed), "the oldest two");
            assert!(!closed[2..].iter().any(|closed| *closed), "and no other");
        }
    }

    #[test]
    fn an_answer_has_one_deadline() {
        let mut outbox = Outbox::default();
        let (answers, mut asks) = pair();
        outbox.add((answers, vec![0; MOST_UNREAD]));
        let end = outbox.0[0].end;
        let mut read = || asks.read(&mut vec![0; 1 << 20]).expect("there is more");
        // However often some of it is read meanwhile.
        for seconds in [29, 2, 1] {
            read();
            outbox.go_on(&[true], end - Duration::from_secs(seconds));
            assert_eq!(outbox.0.len(), 1);
        }
        read();
        outbox.go_on(&[true], end);
        assert!(outbox.0.is_empty());
    }
}
