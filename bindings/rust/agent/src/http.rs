// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! A server for /metrics and /healthz, and nothing else: one request a connection, few connections at a
//! time, and all of them end soon, so that nobody can hold the agent up or make it grow. One thread reads
//! all requests, and some others answer them, so that connections that ask nothing keep nobody out.
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::exposition::{self, Format};
use crate::log::event;
use crate::shared::Shared;
use crate::system::wait;

const WORKERS: usize = 4;
/// Connections that have asked, and those that have not yet.
const MOST_ASKED: usize = 32;
const MOST_WAITING: usize = 32;
const LARGEST_REQUEST: usize = 8192;
const MOST_HEADERS: usize = 64;
const PATIENCE: Duration = Duration::from_secs(5);
const WRITING: Duration = Duration::from_secs(30);
const IDLE: Duration = Duration::from_secs(3600);

struct Response {
    status: &'static str,
    content_type: &'static str,
    body: String,
}

impl Response {
    fn text(status: &'static str, body: &str) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: format!("{body}\n"),
        }
    }
}

/// What of a request matters.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    method: String,
    path: String,
    accept: String,
}

/// Ok(None): there is more to come.
fn parse(bytes: &[u8]) -> Result<Option<Request>, httparse::Error> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    if request.parse(bytes)?.is_partial() {
        return Ok(None);
    }
    let accepts = request
        .headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("accept"));
    let accepts: Vec<_> = accepts
        .map(|header| String::from_utf8_lossy(header.value))
        .collect();
    let path = request.path.unwrap_or("/");
    Ok(Some(Request {
        method: request.method.unwrap_or("").to_owned(),
        path: path.split('?').next().unwrap_or(path).to_owned(),
        accept: accepts.join(","),
    }))
}

/// A request, or what to answer instead.
type Asked = Result<Request, Response>;

/// A connection of which the request has not come yet, or not all of it. Reading never waits.
struct Waiting {
    stream: TcpStream,
    bytes: Vec<u8>,
    end: Instant,
}

impl Waiting {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            bytes: Vec::new(),
            end: Instant::now() + PATIENCE,
        })
    }

    /// Ok(None): there is more to come.
    fn receive(&mut self) -> io::Result<Option<Asked>> {
        let mut buffer = [0; 2048];
        while self.bytes.len() < LARGEST_REQUEST {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            match parse(&self.bytes) {
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

fn answer(shared: &Shared, request: &Request) -> Response {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Response::text("405 Method Not Allowed", "only GET and HEAD");
    }
    match request.path.as_str() {
        "/metrics" => {
            shared.stats.scrapes.add(1);
            let format = Format::accepted(&request.accept);
            Response {
                status: "200 OK",
                content_type: format.content_type(),
                body: exposition::render(&shared.gather(), format),
            }
        }
        "/healthz" => match shared.stats.health() {
            Ok(()) => Response::text("200 OK", "ok"),
            Err(reason) => Response::text("503 Service Unavailable", reason),
        },
        "/" => Response::text("200 OK", "uprobe-agent: /metrics and /healthz are here"),
        _ => Response::text("404 Not Found", "only /metrics and /healthz are here"),
    }
}

fn send(stream: &mut TcpStream, response: &Response, with_body: bool) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        response.status,
        response.content_type,
        response.body.len()
    );
    stream.set_write_timeout(Some(WRITING))?;
    stream.write_all(head.as_bytes())?;
    if with_body {
        stream.write_all(response.body.as_bytes())?;
    }
    stream.flush()
}

fn serve(shared: &Shared, mut stream: TcpStream, asked: Asked) -> io::Result<()> {
    let (response, with_body) = match asked {
        Ok(request) => (answer(shared, &request), request.method != "HEAD"),
        Err(response) => (response, true),
    };
    stream.set_nonblocking(false)?;
    send(&mut stream, &response, with_body)
}

fn note(result: io::Result<()>) {
    if let Err(error) = result {
        event!(Debug, "request_failed", reason = error);
    }
}

type Work = (TcpStream, Asked);

fn work(shared: &Shared, works: &Mutex<Receiver<Work>>) {
    loop {
        let next = works.lock().expect("nothing panics with it").recv();
        let Ok((stream, asked)) = next else {
            return;
        };
        note(serve(shared, stream, asked));
    }
}

/// Takes connections and reads requests.
struct Reception {
    listener: TcpListener,
    /// Oldest first.
    waiting: VecDeque<Waiting>,
    works: SyncSender<Work>,
}

impl Reception {
    fn run(mut self) {
        loop {
            let next = self.waiting.front().map(|first| first.end);
            let patience = next.map_or(IDLE, |end| end.saturating_duration_since(Instant::now()));
            let streams = self.waiting.iter().map(|one| one.stream.as_raw_fd());
            let fds: Vec<_> = std::iter::once(self.listener.as_raw_fd())
                .chain(streams)
                .collect();
            let told = wait(&fds, patience + Duration::from_millis(1));
            self.read(&told[1..]);
            if told[0] {
                self.accept();
            }
        }
    }

    fn read(&mut self, can_be_read: &[bool]) {
        let now = Instant::now();
        let all = std::mem::take(&mut self.waiting);
        for (mut one, can_be_read) in all.into_iter().zip(can_be_read) {
            let received = if *can_be_read {
                one.receive()
            } else if one.end <= now {
                Err(io::ErrorKind::TimedOut.into())
            } else {
                Ok(None)
            };
            match received {
                Ok(None) => self.waiting.push_back(one),
                // Too many at once: this one is closed.
                Ok(Some(asked)) => drop(self.works.try_send((one.stream, asked))),
                Err(error) => note(Err(error)),
            }
        }
    }

    /// Who came first and has asked nothing yet makes room for who comes last.
    fn accept(&mut self) {
        match self.listener.accept() {
            Ok((stream, _)) => {
                if self.waiting.len() == MOST_WAITING {
                    self.waiting.pop_front();
                }
                match Waiting::new(stream) {
                    Ok(one) => self.waiting.push_back(one),
                    Err(error) => note(Err(error)),
                }
            }
            // Whoever it was has gone.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // Out of descriptors, perhaps.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

pub fn listen(address: &str) -> io::Result<TcpListener> {
    let addresses: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    TcpListener::bind(addresses.as_slice())
}

/// Serve in threads of its own, until the process ends.
pub fn start(listener: TcpListener, shared: &Arc<Shared>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let (works, receiver) = mpsc::sync_channel(MOST_ASKED);
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..WORKERS {
        let (shared, receiver) = (shared.clone(), receiver.clone());
        thread::Builder::new()
            .name("http".into())
            .spawn(move || work(&shared, &receiver))?;
    }
    let reception = Reception {
        listener,
        waiting: VecDeque::new(),
        works,
    };
    thread::Builder::new()
        .name("accept".into())
        .spawn(move || reception.run())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let _idle: Vec<_> = (0..3 * MOST_WAITING).map(connect).collect();
        for _ in 0..10 {
            let root = ask(address, "GET / HTTP/1.1\r\n\r\n");
            assert!(root.starts_with("HTTP/1.1 200 "), "{root}");
        }
    }

    #[test]
    fn a_request_may_come_in_parts() {
        let text = "GET /metrics?a HTTP/1.1\r\nAccept: a\r\nAccept: b\r\n\r\n";
        for cut in 1..text.len() - 1 {
            assert_eq!(parse(&text.as_bytes()[..cut]), Ok(None), "{cut}");
        }
        let request = parse(text.as_bytes()).expect("right").expect("whole");
        assert_eq!(
            (request.path.as_str(), request.accept.as_str()),
            ("/metrics", "a,b")
        );
    }
}
