// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! What is asked for over HTTP, and the answers: /metrics and /healthz, and nothing else.
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use crate::exposition::{self, Format};
use crate::shared::Shared;

const MOST_HEADERS: usize = 64;

pub struct Response {
    status: &'static str,
    content_type: &'static str,
    body: String,
}

impl Response {
    pub fn text(status: &'static str, body: &str) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: format!("{body}\n"),
        }
    }

    /// As it is sent.
    pub fn into_bytes(self, with_body: bool) -> Vec<u8> {
        let head = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.status,
            self.content_type,
            self.body.len()
        );
        if !with_body {
            return head.into_bytes();
        }
        let mut whole = self.body;
        whole.insert_str(0, &head);
        whole.into_bytes()
    }
}

/// What of a request matters.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    method: String,
    path: String,
    accept: String,
}

/// Ok(None): there is more to come.
pub fn parse(bytes: &[u8]) -> Result<Option<Request>, httparse::Error> {
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

impl Request {
    /// Whether all counts have to be read for it, which may take long.
    pub fn needs_counts(&self) -> bool {
        self.path == "/metrics"
    }

    /// What is sent.
    pub fn answer(&self, shared: &Shared) -> Vec<u8> {
        self.response(shared).into_bytes(self.method != "HEAD")
    }

    fn response(&self, shared: &Shared) -> Response {
        if !matches!(self.method.as_str(), "GET" | "HEAD") {
            return Response::text("405 Method Not Allowed", "only GET and HEAD");
        }
        match self.path.as_str() {
            "/metrics" => {
                shared.stats.scrapes.add(1);
                let format = Format::accepted(&self.accept);
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
}

pub fn listen(address: &str) -> io::Result<TcpListener> {
    let addresses: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    TcpListener::bind(addresses.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

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
