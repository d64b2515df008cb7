//! Attack: clients try to exhaust the engine. They stall, never read, or request work and
//! disconnect.

use std::{
    collections::HashSet,
    io::{ErrorKind, Read},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use khor_e2e::{
    SecondUser, UserEngine,
    connections::{ESTABLISHED, connections},
    free_port,
    raw_http::{ask, head},
    second_user::{NOBODY, OTHER, OWNER},
    skip::root_or_skip,
    wait_until,
};
use khor_patience::progress;
use nix::sys::socket::{setsockopt, sockopt};
use serde_json::{Value, json};

use crate::{
    attempt::{Row, Service, assert_granted, report},
    requests::{begin, send},
};

/// Number of cancelled requests, as in the security review of 2026-11.
const CANCELLED: usize = 60;

/// Holds `target.count` connections open. Each connection sends a complete request if
/// `target.whole` is true, and an incomplete request otherwise.
pub(crate) fn stall() -> Row {
    Row::new("stall", "all connections of the engine", |target| {
        let engine = target.text("engine");
        let request = if target.0["whole"] == true {
            String::from_utf8_lossy(&head(engine, "GET", "/api/stream", &[])).into_owned()
        } else {
            format!("GET /api/health HTTP/1.1\r\nhost: {engine}\r\n")
        };
        let open = || {
            let socket = begin(engine, request.as_bytes()).ok()?;
            socket.set_nonblocking(true).ok()?;
            Some(socket)
        };
        let mut sockets: Vec<Option<TcpStream>> = (0..target.number("count")).map(|_| open()).collect();
        report("holding");
        loop {
            for socket in &mut sockets {
                if !socket.as_mut().is_some_and(is_open) {
                    *socket = open();
                }
            }
            progress("holding connections");
            thread::sleep(Duration::from_millis(20));
        }
    })
}

fn is_open(socket: &mut TcpStream) -> bool {
    match socket.read(&mut [0; 4096]) {
        Ok(length) => length > 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

fn engine() -> (SecondUser, UserEngine, Value) {
    let owner = SecondUser::new(OWNER);
    owner.configure(&json!({ "listen": { "port": free_port() } }));
    let engine = UserEngine::start(&owner, &["--fake", "--no-audio"]);
    let target = json!({ "engine": engine.address() });
    (owner, engine, target)
}

#[test]
fn stalled_connections_do_not_block_owner() {
    if !root_or_skip() {
        return;
    }
    let (owner, _engine, mut target) = engine();
    for (count, whole) in [(128, false), (200, false), (128, true), (200, true)] {
        target["count"] = json!(count);
        target["whole"] = json!(whole);
        let attackers = [NOBODY, OTHER].map(|uid| Service::start(&SecondUser::new(uid), "stall", &target));
        for attacker in &attackers {
            attacker.wait_for("holding");
        }
        for _ in 0..3 {
            assert_granted(&owner, "health", &target);
        }
    }
}

/// Rows whose attempts request large responses and never read them.
pub(crate) fn never_read() -> Vec<Row> {
    let row = |name: &'static str, request: fn(&str) -> Vec<u8>| {
        Row::new(name, "a connection that stays open", move |target| {
            let socket = TcpStream::connect(target.text("engine")).map_err(|error| error.to_string())?;
            setsockopt(&socket, sockopt::RcvBuf, &4096).map_err(|error| error.to_string())?;
            let request = request(target.text("engine"));
            socket.set_write_timeout(Some(Duration::from_secs(1))).map_err(|error| error.to_string())?;
            // The engine stops reading when it cannot write, so the request may be sent only in
            // part.
            let _ = std::io::Write::write_all(&mut &socket, &request);
            report(&format!("open {}", socket.local_addr().map_err(|error| error.to_string())?.port()));
            std::mem::forget(socket);
            Ok("open".into())
        })
    };
    vec![
        row("the sound", |engine| head(engine, "GET", "/api/listen.wav", &[])),
        row("the sound by WebSocket", |engine| {
            let upgrade = [
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ];
            let head = String::from_utf8_lossy(&head(engine, "GET", "/api/listen", &upgrade)).into_owned();
            head.replace("connection: close", "connection: upgrade").into_bytes()
        }),
        row("many requests at once", |engine| {
            let one = String::from_utf8_lossy(&head(engine, "GET", "/api/clips/idle.wav", &[])).into_owned();
            one.replace("connection: close", "connection: keep-alive").repeat(50).into_bytes()
        }),
        Row::new("wait", "", |_| {
            loop {
                progress("not reading");
                thread::sleep(Duration::from_secs(1));
            }
        }),
    ]
}

#[test]
fn client_that_never_reads_is_disconnected() {
    if !root_or_skip() {
        return;
    }
    let (owner, engine, target) = engine();
    let client = Service::start(&owner, "never read", &target);
    let ports: HashSet<u16> =
        (0..3).map(|_| client.wait_for("open").parse().expect("a port number")).collect();
    let held = || {
        let all = connections().into_iter();
        let ours = all.filter(|one| one.local_port == engine.port() && one.state == ESTABLISHED);
        ours.map(|one| one.remote_port).filter(|port| ports.contains(port)).collect::<HashSet<_>>()
    };
    assert_eq!(held(), ports, "the connections are not all open");
    for left in (0..ports.len()).rev() {
        wait_until(&format!("at most {left} of {} connections to be open", ports.len()), || {
            held().len() <= left
        });
    }
    assert_eq!(engine.get("/api/health")["listen"]["listeners"], 0);
}

/// CPU time that a process and its ended threads have used, seconds.
fn cpu_s(pid: u32) -> f64 {
    const TICKS_PER_S: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("reading the process's stat");
    let fields: Vec<&str> =
        stat.rsplit_once(')').expect("a program name in stat").1.split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<f64>().expect("a number of ticks");
    // utime and stime are fields 14 and 15 of `stat`. The first field after the name is field 3.
    (ticks(11) + ticks(12)) / TICKS_PER_S
}

#[test]
fn cancelled_clip_requests_stop_rendering() {
    if !root_or_skip() {
        return;
    }
    let (_owner, engine, _) = engine();
    let clips = engine.get("/api/clips")["clips"].clone();
    let files = clips
        .as_array()
        .expect("a list of clips")
        .iter()
        .map(|clip| clip["file"].as_str().expect("a clip's file"));
    let presets = ["ambient", "drone", "rain", "choir", "arp", "percussive"];
    let mut paths: Vec<String> =
        { files }.flat_map(|file| presets.map(|preset| format!("{file}?preset={preset}"))).collect();
    let first = paths.remove(0);
    let before_s = cpu_s(engine.pid());
    assert_eq!(ask(engine.address(), "GET", &first, &[], None).status, 200);
    let render_s = cpu_s(engine.pid()) - before_s;

    let (begun, before_s) = (Instant::now(), cpu_s(engine.pid()));
    for path in paths.iter().cycle().take(CANCELLED) {
        let request = head(engine.address(), "GET", path, &[]);
        let socket = begin(engine.address(), &request).expect("an open connection");
        // Wait long enough for the engine to look up the connection's user.
        thread::sleep(Duration::from_millis(30));
        drop(socket);
    }
    let flood_s = begun.elapsed().as_secs_f64();
    let bpm = json!({ "music": { "bpm": 83 } });
    let changed = send(engine.address(), "PATCH", "/api/config", &[], &bpm).expect("a response");
    assert_eq!(changed.status, 200);
    let at_change_s = cpu_s(engine.pid()) - before_s;
    // Include the CPU time of renders that continue after the change.
    let mut last_s = cpu_s(engine.pid());
    wait_until("the renders to end", || {
        thread::sleep(Duration::from_millis(300));
        let now_s = cpu_s(engine.pid());
        let is_idle = now_s - last_s < 0.1;
        last_s = now_s;
        is_idle
    });
    let used_s = last_s - before_s;
    println!(
        "CPU time: one clip {render_s:.2} s; {CANCELLED} requests cancelled within {flood_s:.2} s: {used_s:.2} s, \
         of which {at_change_s:.2} s before the change"
    );
    // The limit allows for one render at a time during the flood, and for the end of the last
    // render.
    assert!(
        used_s < 1.3 * flood_s + 3.0 * render_s,
        "{CANCELLED} cancelled requests used {used_s:.2} s of CPU time"
    );
    assert!(engine.stop().success());
}
