//! Attack: another user's program listens on the configured port before the engine starts.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

use khor_e2e::{
    SecondUser, UserEngine, free_port,
    second_user::{NOBODY, OWNER},
    skip::root_or_skip,
};
use serde_json::json;

use crate::attempt::{Row, Service, report};

const TOKEN: &str = "a-token-that-no-squatter-may-receive-0123";
/// Commands that send requests to a running engine.
const COMMANDS: [&[&str]; 5] =
    [&["status"], &["explain"], &["mute", "on"], &["config", "music.bpm", "99"], &["snooze", "1"]];

/// Listens on `target.port`, responds like an engine, and reports everything that it receives to
/// the test.
pub(crate) fn squat() -> Row {
    Row::new("take the engine's port", "the token", |target| {
        let listener = TcpListener::bind(("127.0.0.1", target.number("port") as u16));
        let listener = listener.map_err(|error| error.to_string())?;
        report("ready");
        for mut connection in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(length @ 1..) = connection.read(&mut bytes) {
                    report(&format!("got {:?}", String::from_utf8_lossy(&bytes[..length])));
                    let answer =
                        b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{\"ok\":true}";
                    let _ = connection.write_all(answer);
                }
            });
        }
        Err("the listener ended".into())
    })
}

#[test]
fn program_on_engines_port_gets_no_token() {
    if !root_or_skip() {
        return;
    }
    let (owner, port) = (SecondUser::new(OWNER), free_port());
    let squatter = Service::start(&SecondUser::new(NOBODY), "squat", &json!({ "port": port }));
    squatter.wait_for("ready");
    let token = owner.home().join(".config/khor/token");
    owner.write(&token, TOKEN);
    owner.configure(&json!({ "listen": { "port": port, "token_file": token } }));
    let explicit = format!("127.0.0.1:{port}");
    let explicit = ["status", "--listen", &explicit];
    let run = |arguments: &[&str]| {
        let output = owner.khor(arguments);
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    for arguments in COMMANDS.into_iter().chain([&explicit[..]]) {
        let (is_success, text) = run(arguments);
        assert!(!is_success, "khor {arguments:?} accepted another user's program as the engine: {text}");
    }

    // The engine uses another port, and the same commands find it there.
    let engine = UserEngine::start(&owner, &["--fake", "--no-audio"]);
    assert_ne!(engine.port(), port);
    for arguments in COMMANDS {
        let (is_success, text) = run(arguments);
        assert!(is_success, "khor {arguments:?}: {text}");
    }
    let (is_success, url) = run(&["open", "--print"]);
    assert!(is_success && url.contains(&format!(":{}", engine.port())), "{url}");
    assert!(!url.contains(&format!(":{port}")), "{url}");
    assert!(!run(&explicit).0, "khor status --listen accepted another user's program");
    thread::sleep(Duration::from_millis(200));
    let received: Vec<String> = squatter.lines();
    assert!(received.is_empty(), "another user's program received {received:?}");
}
