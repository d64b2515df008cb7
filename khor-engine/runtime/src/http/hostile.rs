//! Tests a running engine with hostile clients. Some clients are slow or silent, some open too many
//! connections, and some send oversized or malformed requests.

use std::{io::ErrorKind, sync::Arc, time::Instant};

use khor_http::{HEAD_TIMEOUT, MAX_CONNECTIONS, accept};
use khor_patience::{Lateness, hang_timeout};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use super::{access::tests::loopback, call::ApiContext, routes};
use crate::engine::tests::quiet_engine;

/// A running engine with a listener.
struct Listening {
    port: u16,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Listening {
    async fn start() -> Self {
        let (engine, dir) = quiet_engine();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = watch::channel(false);
        let context = ApiContext::new(engine, stopped.clone(), loopback(port));
        Self {
            port,
            stop,
            server: tokio::spawn(accept(listener, routes(&context), Arc::default(), stopped)),
            _dir: dir,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    /// Sends `request`, which may be incomplete, and then nothing more. Reads until the engine
    /// closes the connection.
    async fn response_to(&self, request: String) -> String {
        response_to(self.connect().await, request.replace("PORT", &self.port.to_string())).await
    }

    /// Returns whether the engine answers a valid request.
    async fn is_alive(&self) -> bool {
        let request = "GET /api/health HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n";
        self.response_to(request.into()).await.starts_with("HTTP/1.1 200")
    }
}

async fn response_to(mut socket: TcpStream, request: String) -> String {
    // Ignore write errors, because the server may close a rejected connection while the client is
    // still sending.
    socket.write_all(request.as_bytes()).await.ok();
    let mut message = Vec::new();
    let read = tokio::time::timeout(hang_timeout(), socket.read_to_end(&mut message)).await;
    if let Err(problem) = read.expect("the engine closes the connection") {
        assert_eq!(problem.kind(), ErrorKind::ConnectionReset);
    }
    String::from_utf8_lossy(&message).into_owned()
}

const HEAD: &str = "HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n";

#[tokio::test]
async fn invalid_requests_do_not_stop_the_server() {
    let engine = Listening::start().await;
    let patch = |rest: &str| format!("PATCH /api/config {HEAD}{rest}");
    for (request, answer) in [
        ("\u{16}\u{3}\u{1} this is TLS".to_owned() + &"\r\n".repeat(2), "HTTP/1.1 400"),
        (format!("GET /{} {HEAD}\r\n", "a".repeat(40_000)), "HTTP/1.1 431"),
        (format!("GET /api/../../etc/passwd {HEAD}\r\n"), "HTTP/1.1 404"),
        ("GET /api/health HTTP/1.1\r\nConnection: close\r\n\r\n".into(), "HTTP/1.1 421"),
        (
            "GET /api/health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".into(),
            "HTTP/1.1 421",
        ),
        (patch("Content-Length: 99999999\r\n\r\n"), "HTTP/1.1 413"),
        (patch(&format!("Content-Length: 60000\r\n\r\n{}", "[".repeat(60_000))), "HTTP/1.1 400"),
        (
            patch(&format!("Transfer-Encoding: chunked\r\n\r\n11170\r\n{}", "x".repeat(70_000))),
            "HTTP/1.1 413",
        ),
        (patch("Origin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}"), "HTTP/1.1 403"),
    ] {
        let message = engine.response_to(request.clone()).await;
        assert!(message.starts_with(answer), "{request:.60}: {message:.200}");
        assert!(engine.is_alive().await, "{request:.60}");
    }
}

#[tokio::test]
async fn slow_clients_are_disconnected() {
    let engine = Listening::start().await;
    let (begun, lateness) = (Instant::now(), Lateness::start());
    let (head, body, chunk) = tokio::join!(
        engine.response_to("GET /api/health HTTP/1.1\r\nHost: 127".into()),
        engine.response_to(format!("PATCH /api/config {HEAD}Content-Length: 100\r\n\r\n{{")),
        engine.response_to(format!("PATCH /api/config {HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n{{")),
    );
    assert!(head.is_empty() || head.starts_with("HTTP/1.1 408"), "{head}");
    assert!(body.starts_with("HTTP/1.1 408") && chunk.starts_with("HTTP/1.1 408"), "{body} {chunk}");
    let (took, late) = (begun.elapsed(), lateness.total());
    assert!(took < 2 * (HEAD_TIMEOUT + late), "{took:?}; a sleeping thread woke {late:?} late");
    assert!(engine.is_alive().await);
}

#[tokio::test]
async fn excess_connections_do_not_block_others() {
    let engine = Listening::start().await;
    let mut mine = engine.connect().await;
    let request = format!("GET /api/health HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", engine.port);
    let mut answer = [0; 12];
    mine.write_all(request.as_bytes()).await.unwrap();
    mine.read_exact(&mut answer).await.unwrap();

    let mut crowd = JoinSet::new();
    let mut sockets = Vec::new();
    for _ in 0..2 * MAX_CONNECTIONS {
        sockets.push(engine.connect().await);
    }
    for socket in sockets {
        crowd.spawn(response_to(socket, "GET ".into()));
    }
    mine.write_all(request.as_bytes()).await.unwrap();
    mine.read_exact(&mut answer).await.expect("the older connection stays open");
    let ended = crowd.join_all().await;
    assert_eq!(ended.len(), 2 * MAX_CONNECTIONS, "the limit or the timeout closes all connections");
    assert!(engine.is_alive().await, "the engine accepts connections again");
}

#[tokio::test]
async fn clients_that_stop_reading_are_disconnected() {
    let engine = Listening::start().await;
    let mut socket = engine.connect().await;
    let request = format!("GET /api/metrics HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", engine.port);
    let request = async {
        // Send requests without reading the answers, until the engine closes the connection.
        while socket.write_all(request.as_bytes()).await.is_ok() {}
    };
    tokio::time::timeout(hang_timeout(), request).await.expect("the engine closes the connection");
    assert!(engine.is_alive().await);
}

#[tokio::test]
async fn streams_end_when_the_engine_stops() {
    let engine = Listening::start().await;
    let mut stream = engine.connect().await;
    let request = format!("GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", engine.port);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut message = vec![0; 4096];
    assert!(stream.read(&mut message).await.unwrap() > 0);
    engine.stop.send_replace(true);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(hang_timeout(), stream.read_to_end(&mut rest)).await;
    ended.expect("the engine ends the stream").unwrap();
    tokio::time::timeout(hang_timeout(), engine.server)
        .await
        .expect("the server ends after the stop")
        .unwrap();
}
