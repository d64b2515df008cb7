//! Tests that hostile text has no effect on the terminal. khor removes control and invisible
//! characters from command output, logs and responses. The text comes from processes, cgroups,
//! peers, captures, presets, configurations and false engines.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Command, Output},
    thread,
};

use khor_e2e::{
    Bus, Cgroup, Collector, Engine,
    crash::crash_named,
    engine::program,
    hostile_text::{HOSTILE, OSC_52, active, active_in_json, hostile_capture},
    simulated::{SimulatedHost, Simulation},
    site::NatsServer,
    skip::{root_or_skip, skip},
    wait_until,
};
use khor_fleet::{Cue, Message, Name};
use khor_patience::progress;
use serde_json::{Value, json};
use tempfile::TempDir;

const NO_SOCKET: &str = "/nonexistent/collector.sock";

fn khor(arguments: &[&str], dir: &Path) -> Output {
    progress(format!("running khor {arguments:?}"));
    let mut khor = Command::new(program("khor"));
    khor.args(arguments).current_dir(dir).env("HOME", dir).env("TERM", "xterm-256color");
    khor.output().expect("running khor")
}

/// Everything that a command printed. Panics if it contains a control or invisible character.
fn inert_output(output: &Output) -> String {
    let printed =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(active(&printed), "", "control or invisible characters in the output: {printed:?}");
    printed
}

/// Runs a command against this engine, and returns its output. Panics if the output contains a
/// control or invisible character.
fn run_for(engine: &Engine, arguments: &[&str]) -> String {
    let (config, url) = (engine.config_path(), engine.url());
    let config = config.to_str().expect("a UTF-8 path");
    let options = ["--config", config, "--listen", url.trim_start_matches("http://")];
    let all: Vec<&str> =
        arguments[..1].iter().copied().chain(options).chain(arguments[1..].iter().copied()).collect();
    inert_output(&khor(&all, "/".as_ref()))
}

/// Asserts that no command, response or log line of this engine contains a control or invisible
/// character.
fn assert_engine_is_inert(engine: &Engine) {
    for command in [
        &["explain"][..],
        &["explain", "--json"],
        &["status"],
        &["status", "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &["config"],
        &["config", "music.preset"],
        &["config", "no.such.setting"],
    ] {
        run_for(engine, command);
    }
    for path in ["explain", "metrics", "health", "fleet", "config", "presets", "doctor", "units"] {
        let answer = engine.read(&format!("/api/{path}"), usize::MAX);
        let found = active_in_json(&String::from_utf8(answer).expect("UTF-8 text"));
        assert_eq!(found, "", "control or invisible characters in /api/{path}");
    }
    let metrics = String::from_utf8(engine.read("/metrics", usize::MAX)).expect("UTF-8 text");
    assert_eq!(active(&metrics), "", "control or invisible characters in /metrics");
    assert_eq!(active(&engine.log()), "", "control or invisible characters in the log: {:?}", engine.log());
}

fn cue(host: &str, comm: &str) -> Cue {
    Cue {
        host: Name::new(host).expect("a valid name"),
        instance: 1,
        monotonic_ms: 1,
        wall_ms: 1,
        kind: "crash".into(),
        pid: Some(7),
        comm: Some(comm.into()),
        detail: Some(11),
    }
}

fn bytes(cue: &Cue) -> Vec<u8> {
    cue.write().expect("encoding a cue")
}

fn cues(engine: &Engine) -> Vec<Value> {
    engine.get("/api/metrics")["cues"].as_array().expect("a list of cues").clone()
}

/// In an earlier version, `khor explain` printed an escape sequence of a peer, which wrote to the
/// clipboard.
#[test]
fn site_peer_cannot_control_terminal() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = NatsServer::start();
    let engine = Engine::of_site(&server.options(Ipv4Addr::LOCALHOST, "engine"));
    wait_until("the engine to connect to the server", || engine.health().source.ok);
    let hostile_subject = format!("khor.v1.home.{}.frame", HOSTILE.replace('\r', ""));
    let forged_line = format!("{OSC_52}\nLast cue: forged");
    server.send(&[
        (&hostile_subject, b"hello".to_vec()),
        ("khor.v1.home.web-1.frame", b"hello".to_vec()),
        ("khor.v1.home.web-1.cue", bytes(&cue("web-1", HOSTILE))),
        ("khor.v1.home.web-2.cue", bytes(&cue("web-2", &forged_line))),
    ]);
    wait_until("the cues of both hosts", || cues(&engine).len() == 2);
    wait_until("two rejected messages", || engine.fleet().refused.foreign >= 2);
    let printed = run_for(&engine, &["explain"]);
    assert!(
        printed.contains("Last cue: crash of \u{fffd}]52;c;cm0=\u{fffd}\u{fffd}Last cue: forged"),
        "{printed}"
    );
    assert_engine_is_inert(&engine);
}

/// In an earlier version, 20,000 cues of one peer displaced the cues of all other peers.
#[test]
fn cue_flood_displaces_no_other_cues() {
    if !NatsServer::is_installed() {
        return skip("needs nats-server");
    }
    let server = NatsServer::start();
    let engine = Engine::of_site(&server.options(Ipv4Addr::LOCALHOST, "engine"));
    let host = |name: &str| SimulatedHost {
        name: name.into(),
        section: None,
        signal: "rx",
        octaves: 0.0,
        fault: None,
    };
    let _hosts = Simulation::start(&server, vec![host("web-1"), host("evil")]);
    wait_until("both hosts to be live", || engine.fleet().live == 2);
    server.send(&[("khor.v1.home.web-1.cue", bytes(&cue("web-1", "honest")))]);
    wait_until("the first cue of web-1", || cues(&engine).iter().any(|cue| cue["comm"] == "honest"));
    let flood = bytes(&cue("evil", "flood"));
    let invented: Vec<(String, Vec<u8>)> = (0..5_000)
        .map(|number| format!("h{number}"))
        .map(|name| (format!("khor.v1.home.{name}.cue"), bytes(&cue(&name, "invented"))))
        .collect();
    let mut messages = vec![("khor.v1.home.evil.cue", flood); 20_000];
    messages.extend(invented.iter().map(|(subject, bytes)| (subject.as_str(), bytes.clone())));
    server.send(&messages);
    let rejected = || engine.fleet().refused.flooded;
    wait_until("the flood to be rejected", || rejected() > 20_000);
    server.send(&[("khor.v1.home.web-1.cue", bytes(&cue("web-1", "later")))]);
    wait_until("the second cue of web-1", || cues(&engine).iter().any(|cue| cue["comm"] == "later"));
    let listed = cues(&engine);
    let of = |comm: &str| listed.iter().filter(|cue| cue["comm"] == comm).count();
    println!(
        "{} cues are listed: {} of the host evil, {} of invented hosts",
        listed.len(),
        of("flood"),
        of("invented")
    );
    assert_eq!((of("honest"), of("later")), (1, 1), "{listed:?}");
    assert!(of("flood") <= 40, "{} cues of the flood are listed", of("flood"));
    let fleet = engine.get("/api/fleet");
    let evil = fleet["hosts"].as_array().expect("a list of hosts").iter().find(|host| host["name"] == "evil");
    let evil = evil.expect("the host evil");
    assert!(evil["refused_messages"].as_u64() > Some(19_000), "{evil}");
    assert!(evil["refusal"].as_str().is_some_and(|why| why.contains("10 at once")), "{evil}");
    wait_until("the rejected cues to be counted as dropped", || {
        engine.metrics().totals.events_dropped > Some(20_000)
    });
}

#[test]
fn hostile_files_cannot_control_terminal() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let at = |name: &str| dir.path().join(name);
    let escaped = json!(HOSTILE).to_string();
    let config = format!(
        r#"{{ {escaped}: {escaped}, "music": {{ "preset": {escaped}, {escaped}: 1 }}, "midi": {{ "port": {escaped} }},
            "bpf": {{ "cgroup": {escaped} }}, "audio": {{ "device": "id:x" }}, "osc": {{ "targets": [{escaped}] }},
            "listen": {{ "allowed_hosts": [] }}, "ui": {{ "dir": {escaped} }} }}"#
    );
    fs::write(at("config.json"), config).expect("writing the configuration");
    let presets = at("presets");
    fs::create_dir(&presets).expect("creating the folder presets");
    let valid =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../khor-engine/music/presets/drone.toml"));
    let valid = valid.expect("reading the preset drone").replacen("\"drone\"", "\"mine\"", 1);
    let hint = escaped.trim_matches('"').replace('\u{7f}', "\\u007f");
    let hinted = valid.replacen("hint = \"", &format!("hint = \"{hint}"), 1);
    for (name, text) in [
        ("mine.toml", hinted),
        ("raw.toml", format!("{HOSTILE}\n{valid}")),
        ("key.toml", format!("\"{hint}\" = 1\n{valid}")),
        ("name.toml", valid.replacen("\"mine\"", &format!("\"{hint}\""), 1)),
        (&format!("{}.toml", OSC_52.replace('=', "-")), valid.replacen("trim_db", "trum_db", 1)),
    ] {
        fs::write(presets.join(name), text).expect("writing a preset");
    }
    let config = at("config.json");
    let config = config.to_str().expect("a UTF-8 path").to_owned();
    let printed = inert_output(&khor(&["presets", "--config", &config], dir.path()));
    assert!(printed.contains("mine         \u{fffd}]52;c;cm0=\u{fffd}"), "{printed}");
    inert_output(&khor(&["presets", "--json", "--config", &config], dir.path()));
    for file in fs::read_dir(&presets).expect("reading the folder presets") {
        let file = file.expect("a preset file").path();
        inert_output(&khor(
            &["presets", "--config", &config, "--check", file.to_str().expect("a UTF-8 path")],
            dir.path(),
        ));
    }
    inert_output(&khor(&["doctor", "--config", &config], dir.path()));
    let engine = Engine::start_in(dir, NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    let presets = engine.health().presets.problems.len();
    assert!(presets >= 4, "the engine reports only {presets} invalid presets");
    assert_engine_is_inert(&engine);
    for (path, expected) in [("bpf.cgroup", "bpf.cgroup: "), ("midi.port", "midi.port: ")] {
        let printed = run_for(&engine, &["config", path, &format!("/a{HOSTILE}")]);
        assert!(printed.contains(expected) && printed.contains("\\u{1b}]52"), "{printed}");
    }
}

#[test]
fn hostile_capture_cannot_control_terminal() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let name = format!("{}.khor", OSC_52.replace('=', "-"));
    for capture in ["plain.khor", &name] {
        fs::write(dir.path().join(capture), hostile_capture()).expect("writing the capture");
        let printed = inert_output(&khor(
            &["play", capture, "--no-http", "--no-audio", "--config", "none.json"],
            dir.path(),
        ));
        assert!(printed.contains("Linux \u{fffd}]52;c;cm0="), "{printed}");
        inert_output(&khor(&["render", capture, "-o", "x.mid"], dir.path()));
    }
    fs::write(dir.path().join(&name), format!("khor{HOSTILE}")).expect("writing an invalid capture");
    inert_output(&khor(&["play", &name, "--no-http", "--no-audio", "--config", "none.json"], dir.path()));
}

/// The response of a program that pretends to be an engine: valid JSON with hostile texts.
fn false_answer(request: &str) -> (&'static str, Value) {
    let is_get_of = |path: &str| request.starts_with(&format!("GET /api/{path} "));
    let explanation = json!({ "sentence": HOSTILE, "standing_out": [], "heard": [], "text": HOSTILE });
    let part = json!({ "enabled": true, "ok": false, "error": HOSTILE, "fix": HOSTILE, "detail": HOSTILE });
    let health = json!({
        "ts_ms": 1, "version": HOSTILE, "config_path": HOSTILE, "host": { "name": HOSTILE }, "source": part,
        "audio": part, "baseline": { "frozen": false },
    });
    match () {
        () if is_get_of("explain") => ("200 OK", explanation),
        () if is_get_of("health") => ("200 OK", health),
        () if is_get_of("config") => ("200 OK", json!({ "midi": { "port": HOSTILE } })),
        () => ("400 Bad Request", json!({ "ok": false, "error": HOSTILE })),
    }
}

/// A program other than the engine may serve at the engine's address.
#[test]
fn false_engine_cannot_control_terminal() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("binding a port");
    let address = listener.local_addr().expect("the listener's address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut lines = BufReader::new(stream.try_clone().expect("cloning the connection")).lines();
            let request = lines.next().and_then(Result::ok).unwrap_or_default();
            let _head: Vec<String> =
                lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let (status, answer) = false_answer(&request);
            let text = answer.to_string();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
                text.len()
            );
        }
    });
    let dir = TempDir::new().expect("creating a temporary directory");
    for command in [
        &["explain"][..],
        &["explain", "--json"],
        &["status"],
        &["status", "--json"],
        &["config"],
        &["config", "midi.port"],
        &["config", "midi"],
        &["mute"],
        &["snooze", "5"],
        &["doctor"],
    ] {
        let options = ["--config", "none.json", "--listen", &address];
        let all: Vec<&str> =
            command[..1].iter().copied().chain(options).chain(command[1..].iter().copied()).collect();
        let printed = inert_output(&khor(&all, dir.path()));
        assert!(printed.contains("52;c;cm0=") || command[0] == "doctor", "{command:?}: {printed}");
    }
}

/// A process with a hostile name crashes in a cgroup with a hostile name.
#[test]
fn hostile_names_cannot_control_terminal() {
    if !root_or_skip() {
        return;
    }
    let Some(bus) = Bus::start(false) else { return skip("needs dbus-daemon") };
    let Some(above) = Cgroup::make(&format!("/khor-inert-{OSC_52}\u{202e}")) else {
        return skip("needs a unified cgroup hierarchy");
    };
    let cgroup = Cgroup::make(&format!("{}/khor-inert.service", above.path())).expect("creating a cgroup");
    let address = bus.address();
    let environment = [("DBUS_SESSION_BUS_ADDRESS", address.as_str()), ("RUST_LOG", "debug")];
    let dir = std::sync::Arc::new(TempDir::new().expect("creating a temporary directory"));
    let collector =
        Collector::start_with(&dir, &program("khor-collector"), &["--no-dbus"], &[("KHOR_LOG", "debug")]);
    let engine =
        Engine::start(collector.socket(), &["--no-audio", "--dbus", "--notify", "--mpris"], &environment);
    engine.wait_for_source("collector");
    let names = TempDir::new().expect("creating a temporary directory");
    let enter = format!("echo $$ > '{}/cgroup.procs'", cgroup.directory().display());
    let crashes = || {
        let named = |cue: &&Value| cue["comm"].as_str().is_some_and(|comm| comm.contains('\u{fffd}'));
        cues(&engine).iter().filter(named).count()
    };
    for (before, name) in [OSC_52, "a\n<0>b\u{202e}\u{200b}"].into_iter().enumerate() {
        crash_named(names.path(), name, &enter);
        wait_until("a cue of the crash", || crashes() > before);
        assert_engine_is_inert(&engine);
    }
    assert_eq!(
        active(&collector.log()),
        "",
        "control or invisible characters in the log: {:?}",
        collector.log()
    );
    let forged = |line: &str| line.starts_with("<0>");
    assert!(!collector.log().lines().any(forged) && !engine.log().lines().any(forged));
    if let Some(summary) =
        bus.busctl(&["get-property", "org.khor.Engine", "/org/khor/Engine", "org.khor.Engine1", "Summary"])
    {
        assert_eq!(active(&summary), "", "{summary:?}");
    }
    let (status, answer) = engine.change(&json!({ "bpf": { "cgroup": "khor-inert.service" } }));
    assert_eq!(status, 200, "{answer}");
    wait_until("the scope to be selected", || engine.health().scope.whose == "khor-inert.service");
    assert_engine_is_inert(&engine);
    let (status, answer) = engine.change(&json!({ "bpf": { "cgroup": cgroup.path() } }));
    assert_eq!(status, 400, "{answer}");
    assert!(answer["error"].as_str().is_some_and(|why| why.contains("\\u{1b}]52")), "{answer}");
}
