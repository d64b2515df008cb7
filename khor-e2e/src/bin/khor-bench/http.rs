//! Measures the HTTP server with many event streams and listeners: the response time of
//! `/api/metrics`, and whether memory use stays constant.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use khor_e2e::Engine;

use crate::figure::Figure;

const STREAMS: usize = 50;
const LISTENERS: usize = 20;
const LENGTH: Duration = Duration::from_mins(10);
/// Time from a response of `/api/metrics` to the next request.
const EVERY: Duration = Duration::from_millis(20);
/// How long to wait until all clients are connected and the engine has allocated its buffers.
const WARM_UP: Duration = Duration::from_secs(10);
const NO_SOCKET: &str = "/nonexistent/collector.sock";

pub(crate) fn measure() -> Vec<Figure> {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    let address = engine.url().replace("http://", "");
    let (over, read) = (AtomicBool::new(false), AtomicU64::new(0));
    let (mut took_ms, mut rss_mib) = (Vec::new(), Vec::new());
    thread::scope(|scope| {
        for i in 0..STREAMS + LISTENERS {
            let path = if i < STREAMS { "/api/stream" } else { "/api/listen.wav" };
            let (address, over, read) = (&address, &over, &read);
            scope.spawn(move || read_stream(address, path, over, read));
        }
        thread::sleep(WARM_UP);
        let begun = Instant::now();
        let mut asked = connect(&address);
        while begun.elapsed() < LENGTH {
            took_ms.push(ask(&mut asked, &address).as_secs_f64() * 1e3);
            if took_ms.len() % 50 == 0 {
                rss_mib.push(resident_mib(engine.pid()));
            }
            thread::sleep(EVERY);
        }
        over.store(true, Ordering::Relaxed);
    });
    took_ms.sort_by(f64::total_cmp);
    let at = |share: f64| vec![took_ms[((took_ms.len() - 1) as f64 * share) as usize]];
    let half = rss_mib.len() / 2;
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    vec![
        Figure::new("/api/metrics with 50 streams and 20 listeners, p99", "ms", at(0.99)),
        Figure::new("  median", "ms", at(0.5)),
        Figure::new("  longest", "ms", at(1.0)),
        Figure::new(
            "memory gained in the second half",
            "MiB",
            vec![most(&rss_mib[half..]) - most(&rss_mib[..half])],
        ),
        Figure::new("  largest memory", "MiB", vec![most(&rss_mib)]),
        Figure::new("  read by streams and listeners", "MB", vec![read.load(Ordering::Relaxed) as f64 / 1e6]),
    ]
}

fn connect(address: &str) -> TcpStream {
    let socket = TcpStream::connect(address).expect("connecting to the engine");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("setting the read timeout");
    socket.set_nodelay(true).expect("setting TCP_NODELAY");
    socket
}

/// Reads an endless response until `over` is set. Adds the number of bytes to `read`.
fn read_stream(address: &str, path: &str, over: &AtomicBool, read: &AtomicU64) {
    let mut socket = connect(address);
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("sending the request");
    let mut buffer = vec![0; 64 * 1024];
    while !over.load(Ordering::Relaxed) {
        let length = socket.read(&mut buffer).expect("reading the stream");
        assert!(length > 0, "{path} ended");
        read.fetch_add(length as u64, Ordering::Relaxed);
    }
}

/// Sends a request for `/api/metrics` on an open connection. Returns the time until the whole
/// response is read.
fn ask(socket: &mut TcpStream, address: &str) -> Duration {
    let begun = Instant::now();
    write!(socket, "GET /api/metrics HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("sending the request");
    let (mut answer, mut buffer) = (Vec::new(), vec![0; 256 * 1024]);
    loop {
        let length = socket.read(&mut buffer).expect("reading the response");
        assert!(length > 0, "the engine closed the connection");
        answer.extend_from_slice(&buffer[..length]);
        if whole_length(&answer).is_some_and(|whole| answer.len() >= whole) {
            return begun.elapsed();
        }
    }
}

/// Length of head and body in bytes; `None` until the head is complete.
fn whole_length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).expect("UTF-8 in the response's head");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .expect("the header content-length");
    Some(head + length.parse::<usize>().expect("a number in content-length"))
}

fn resident_mib(pid: u32) -> f64 {
    let status =
        std::fs::read_to_string(format!("/proc/{pid}/status")).expect("reading the process's status");
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.trim().parse::<f64>().ok()).expect("VmRSS in kB") / 1024.0
}
