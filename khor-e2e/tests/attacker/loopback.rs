//! Attack: another user of the machine uses an engine on loopback that needs no token.

use std::{
    io::{self, Write},
    net::{Ipv4Addr, Shutdown, TcpStream},
    thread,
    time::Duration,
};

use khor_e2e::{
    SecondUser, UserEngine, free_port, raw_http,
    second_user::{NOBODY, OWNER},
    skip::root_or_skip,
};
use khor_patience::hang_timeout;
use nix::{
    libc,
    sys::socket::{setsockopt, sockopt},
};
use serde_json::{Value, json};

use crate::{
    attempt::{Outcome, Row, Target, assert_granted, assert_rejected, try_all},
    requests::{ask, begin, change, get, judge, with_body},
};

/// Number of repetitions of an attempt that depends on timing.
const TIMES: usize = 40;

/// Rows whose attempts read data from the engine.
pub(crate) fn reading() -> Vec<Row> {
    let mut rows: Vec<Row> = [
        ("/api/health", None),
        ("/api/metrics", None),
        ("/api/explain", None),
        ("/api/fleet", None),
        ("/api/config", None),
        ("/api/config/schema", None),
        ("/api/units", None),
        ("/api/clips", None),
        ("/api/clips/idle.wav", None),
        ("/api/recording", None),
        ("/api/recordings", None),
        ("/api/presets", None),
        ("/api/audio/devices", None),
        ("/api/openapi.json", None),
        ("/metrics", None),
        ("/api/stream", Some(1)),
        ("/api/listen.wav", Some(1)),
        ("/api/doctor", None),
    ]
    .map(|(path, enough)| get(path, enough))
    .into();
    rows.push(Row::new("GET through an IPv4-mapped address", "its content", |target| {
        let request = raw_http::head(target.text("engine"), "GET", "/api/health", &[]);
        judge(raw_http::try_ask(&format!("[::ffff:127.0.0.1]:{}", target.port()), &request, None))
    }));
    rows.push(Row::new("GET over IPv6", "its content", |target| {
        judge(ask(target.text("engine_v6"), "GET", "/api/health", &[], None))
    }));
    rows.push(Row::new("GET with the headers of a proxy", "its content", |target| {
        let from =
            [("x-forwarded-for", "127.0.0.1"), ("forwarded", "for=127.0.0.1"), ("x-real-ip", "127.0.0.1")];
        judge(ask(target.text("engine"), "GET", "/api/health", &from, None))
    }));
    rows.push(Row::new("GET with an invented token and session", "its content", |target| {
        let cookie = format!("khor_session_{0}=x; khor_session_{0}=", target.port());
        let invented = [("authorization", "Bearer "), ("cookie", cookie.as_str())];
        judge(ask(target.text("engine"), "GET", "/api/health", &invented, None))
    }));
    rows
}

/// Rows whose attempts change the engine's state.
pub(crate) fn changing() -> Vec<Row> {
    vec![
        change("PATCH", "/api/config", r#"{"music": {"bpm": 97}}"#),
        change("PUT", "/api/config", r#"{"audio": {"master_gain": 0.9}}"#),
        change("PATCH", "/api/config", r#"{"bpf": {"tgid_allow": [1], "sample_interval_ms": 5}}"#),
        change("POST", "/api/actions/mute?on=true", ""),
        change("POST", "/api/actions/snooze?minutes=1", ""),
        change("POST", "/api/actions/panic", ""),
        change("POST", "/api/actions/baseline?do=freeze", ""),
        Row::new("POST /api/recording/start", "a file of sound", |target| {
            let post =
                |path| judge(ask(target.text("engine"), "POST", path, &[("content-length", "0")], None));
            let started = post("/api/recording/start?format=wav")?;
            // Stop the recording, so that the next user can start one. A stop before any sound
            // would be an error.
            thread::sleep(Duration::from_secs(1));
            let _ = post("/api/recording/stop");
            Ok(started)
        }),
    ]
}

/// Requests the sound through a WebSocket.
pub(crate) fn listening() -> Row {
    Row::new("WebSocket /api/listen", "101 and the sound", |target| {
        let upgrade = [
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let head = raw_http::head(target.text("engine"), "GET", "/api/listen", &upgrade);
        let head = String::from_utf8_lossy(&head).replace("connection: close", "connection: upgrade");
        judge(raw_http::try_ask(target.text("engine"), head.as_bytes(), Some(1)))
    })
}

/// A row whose attempt sends a request from the source port `target.source`. Just before, a
/// connection of the owner had this source port.
pub(crate) fn same_port() -> Row {
    Row::new("GET from the owner's last source port", "its content", |target| {
        let mut socket =
            connect_from(target.number("source") as u16, target.port()).map_err(|e| e.to_string())?;
        let request = raw_http::head(target.text("engine"), "GET", "/api/health", &[]);
        socket.write_all(&request).map_err(|error| error.to_string())?;
        let text = io::read_to_string(&socket).map_err(|error| error.to_string())?;
        if text.starts_with("HTTP/1.1 200") { Ok(text) } else { Err(text) }
    })
}

fn connect_from(source: u16, port: u16) -> io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, source).into())?;
        socket.connect((Ipv4Addr::LOCALHOST, port).into()).await?.into_std()
    })?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(hang_timeout()))?;
    Ok(stream)
}

/// Rows whose attempts send a change and close the connection before the engine looks up its user.
/// The kernel lists a socket without a process as a socket of root. The calling test checks whether
/// a change has an effect.
pub(crate) fn closed_early() -> Vec<Row> {
    let row = |name: &'static str, bpm: u32, leave: fn(TcpStream)| {
        Row::new(name, "another bpm", move |target| {
            let request = patch(target.text("engine"), bpm);
            for _ in 0..TIMES {
                begin(target.text("engine"), &request).map(leave).map_err(|error| error.to_string())?;
            }
            Ok(format!("sent {TIMES} times"))
        })
    };
    vec![
        row("PATCH and close", 61, drop),
        row("PATCH and reset", 62, reset),
        row("PATCH, shutdown of sending, and close", 63, |socket| drop(socket.shutdown(Shutdown::Write))),
        row("PATCH and close after a moment", 64, |socket| {
            thread::sleep(Duration::from_millis(2));
            drop(socket);
        }),
        Row::new("many PATCHes, all closed at once", "another bpm", |target| {
            let request = patch(target.text("engine"), 65);
            let sockets: Vec<_> = (0..2 * TIMES).map(|_| begin(target.text("engine"), &request)).collect();
            Ok(format!("{} sent", sockets.iter().flatten().count()))
        }),
        Row::new("PATCH with a late body, and close", "another bpm", half_then_rest),
        Row::new("PATCH and the end of the process", "another bpm", |target| {
            let socket = begin(target.text("engine"), &patch(target.text("engine"), 67));
            std::mem::forget(socket);
            Ok("sent last".into())
        }),
    ]
}

fn half_then_rest(target: &Target) -> Outcome {
    let request = patch(target.text("engine"), 66);
    let (first, rest) = request.split_at(request.len() - 5);
    for _ in 0..TIMES / 4 {
        let mut socket = begin(target.text("engine"), first).map_err(|error| error.to_string())?;
        thread::sleep(Duration::from_millis(20));
        // The engine may already have rejected the request and closed the connection.
        let _ = socket.write_all(rest);
    }
    Ok("sent".into())
}

fn patch(address: &str, bpm: u32) -> Vec<u8> {
    with_body(address, "PATCH", "/api/config", &[], &json!({ "music": { "bpm": bpm } }))
}

/// Closes the connection with a TCP reset.
fn reset(socket: TcpStream) {
    let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
    setsockopt(&socket, sockopt::Linger, &at_once).expect("setting the socket option SO_LINGER");
    drop(socket);
}

/// Two engines of the same unprivileged user, one on 127.0.0.1 and one on `::1`.
struct Engines {
    owner: SecondUser,
    engine: UserEngine,
    target: Value,
    /// The engine on `::1`, with its own home.
    _v6: (UserEngine, SecondUser),
}

impl Engines {
    fn start() -> Self {
        let start = |host: &str| {
            let owner = SecondUser::new(OWNER);
            owner.configure(&json!({ "listen": { "host": host, "port": free_port() } }));
            (UserEngine::start(&owner, &["--fake", "--no-audio"]), owner)
        };
        let (v6, (engine, owner)) = (start("::1"), start("127.0.0.1"));
        let target = json!({ "engine": engine.address(), "engine_v6": v6.0.address() });
        Self { owner, engine, target, _v6: v6 }
    }
}

#[test]
fn other_user_cannot_read_or_control() {
    if !root_or_skip() {
        return;
    }
    let Engines { owner, engine, target, _v6 } = Engines::start();
    let nobody = SecondUser::new(NOBODY);
    let state = || (engine.get("/api/config"), engine.get("/api/metrics")["controls"].clone());
    let before = state();
    for table in ["read", "steer", "listen"] {
        assert_rejected(&nobody, table, &target);
    }
    assert_eq!(state(), before, "another user changed the state");
    for user in [&owner, &SecondUser::new(0)] {
        for table in ["read", "steer", "listen"] {
            assert_granted(user, table, &target);
        }
    }
    assert_ne!(state(), before, "the owner and root could not change the state");
}

#[test]
fn connection_without_process_has_no_access() {
    if !root_or_skip() {
        return;
    }
    let Engines { owner, engine, target, _v6 } = Engines::start();
    let nobody = SecondUser::new(NOBODY);
    let bpm = || engine.get("/api/config")["music"]["bpm"].clone();
    let before = bpm();
    for _ in 0..3 {
        try_all(&nobody, "closed early", &target);
    }
    // When the engine answers, it has handled all earlier requests.
    for _ in 0..20 {
        assert_eq!(bpm(), before, "a request without a process changed the bpm");
        thread::sleep(Duration::from_millis(20));
    }
    let reused = (0..10).map(|_| {
        let source = free_port();
        let mut socket = connect_from(source, engine.port()).expect("a connection of root");
        let request = raw_http::head(engine.address(), "GET", "/api/health", &[]);
        socket.write_all(&request).expect("sending the request");
        assert!(io::read_to_string(&socket).expect("a response").starts_with("HTTP/1.1 200"));
        drop(socket);
        let mut target = target.clone();
        target["source"] = json!(source);
        target
    });
    for target in reused {
        assert_rejected(&nobody, "same port", &target);
    }
    assert_granted(&owner, "steer", &target);
    assert_ne!(bpm(), before);
}
