//! A raw HTTP client, for tests of headers and bytes that an HTTP library would hide.

use std::io::{Read, Write};
use std::net::TcpStream;

use khor_patience::{hang_timeout, progress};

/// A response as received.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers in their order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body that were read. A chunked body stays chunked.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header. The values of a repeated header are joined by commas.
    pub fn header(&self, name: &str) -> Option<String> {
        let values = self.headers.iter().filter(|(held, _)| held == name).map(|(_, value)| value.as_str());
        let values: Vec<&str> = values.collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

/// Sends a request to `address` (`host:port`) on a new connection. Reads the whole response, or
/// with `enough` the head and at least that many bytes of the body.
pub fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    enough: Option<usize>,
) -> Answer {
    progress(format!("{method} {path}"));
    let mut socket = TcpStream::connect(address).expect("a connection");
    socket.set_read_timeout(Some(hang_timeout())).expect("a timeout");
    let host = (!headers.iter().any(|(name, _)| *name == "host")).then_some(("host", address));
    let mut request = Vec::new();
    write!(request, "{method} {path} HTTP/1.1\r\n").expect("memory");
    for (name, value) in headers.iter().copied().chain(host).chain([("connection", "close")]) {
        write!(request, "{name}: {value}\r\n").expect("memory");
    }
    request.extend_from_slice(b"\r\n");
    socket.write_all(&request).expect("asking");
    let (mut read, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let head = read.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4);
        let is_enough = head.is_some_and(|head| enough.is_some_and(|enough| read.len() >= head + enough));
        let length = if is_enough { 0 } else { socket.read(&mut buffer).expect("an answer") };
        if length == 0 {
            return parse(&read, head.unwrap_or_else(|| panic!("{method} {path}: no head in {read:?}")));
        }
        read.extend_from_slice(&buffer[..length]);
    }
}

fn parse(read: &[u8], head: usize) -> Answer {
    let text = std::str::from_utf8(&read[..head]).expect("a head is text");
    let mut lines = text.trim_end().split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').expect("a header");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    });
    Answer { status, headers: headers.collect(), body: read[head..].to_vec() }
}
