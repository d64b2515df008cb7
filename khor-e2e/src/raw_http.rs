//! A raw HTTP client, for tests of headers and bytes that an HTTP library would hide.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
};

use khor_patience::{hang_timeout, progress};

/// A response as received.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers in their order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body that were read. A chunked body is not decoded.
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

/// Sends a request to `address` (`host:port`) on a new connection. Reads the whole response; if
/// `enough` is given, reads only the head and at least this many bytes of the body.
pub fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    enough: Option<usize>,
) -> Answer {
    try_ask(address, &head(address, method, path, headers), enough)
        .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

/// The head of a request with `connection: close`. `headers` may contain a different `host`.
pub fn head(address: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let host = (!headers.iter().any(|(name, _)| *name == "host")).then_some(("host", address));
    let mut request = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
    for (name, value) in headers.iter().copied().chain(host).chain([("connection", "close")]) {
        write!(request, "{name}: {value}\r\n").expect("writing into memory");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// Sends the bytes of a request as [`ask`] does. Returns an error if no response arrives.
pub fn try_ask(address: &str, request: &[u8], enough: Option<usize>) -> io::Result<Answer> {
    progress(format!("sending a request to {address}"));
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(hang_timeout()))?;
    // A server that rejects the request may close the connection before it has read the whole
    // request. The server's response still counts.
    let sent = socket.write_all(request);
    let (mut read, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let head = read.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4);
        let is_enough = head.is_some_and(|head| enough.is_some_and(|enough| read.len() >= head + enough));
        let next = if is_enough { Ok(0) } else { socket.read(&mut buffer) };
        let length = match next {
            Err(error) if head.is_none() => return Err(sent.err().unwrap_or(error)),
            next => next.unwrap_or(0),
        };
        if length == 0 {
            let no_response = || io::Error::other("the connection ended without a response");
            return head.map(|head| parse(&read, head)).ok_or_else(no_response);
        }
        read.extend_from_slice(&buffer[..length]);
    }
}

fn parse(read: &[u8], head: usize) -> Answer {
    let text = std::str::from_utf8(&read[..head]).expect("UTF-8 in the response's head");
    let mut lines = text.trim_end().split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .expect("a status in the response's first line");
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').expect("a header `name: value`");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    });
    Answer { status, headers: headers.collect(), body: read[head..].to_vec() }
}
