//! Tests engines in user sessions: the user's systemd starts them, they play on the sound card and
//! the sequencer, and the session bus controls them.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use khor_e2e::load;
use serde_json::{Value, json};

use crate::{
    http::get,
    unit::{of, outcome_of, output_of, require_test_machine, wait_for},
};

const UNIT: &str = "khor-engine.service";
/// The capture side of the loopback sound card that the module `snd_aloop` provides.
const CAPTURED: &str = "plughw:Loopback,1,0";

/// Starts a session of `user` without a login, and waits until the engine in the session has a
/// source.
fn start_session(user: &str, port: u16) {
    let home = format!("/home/{user}");
    fs::create_dir_all(format!("{home}/.config/khor")).expect("creating the configuration folder");
    let has_desktop = user == "listener";
    let config = json!({
        "listen": { "port": port },
        "features": { "midi": has_desktop },
        "desktop": { "bus": has_desktop, "mpris": has_desktop },
    });
    fs::write(format!("{home}/.config/khor/config.json"), config.to_string())
        .expect("writing the configuration");
    output_of(&format!("chown --recursive {user}:{user} {home}"));
    output_of(&format!("loginctl enable-linger {user}"));
    wait_for("data of the engine's source", || {
        health(user, port).filter(|health| health["source"]["ok"] == true)
    });
}

/// Ends the session, because playing engines use most of an emulated machine's CPU time.
fn end_session(user: &str) {
    output_of(&format!("loginctl disable-linger {user}"));
    let uid = output_of(&format!("id -u {user}"));
    output_of(&format!("systemctl stop user@{uid}.service"));
}

/// The health of the user's engine, requested by the user.
fn health(user: &str, port: u16) -> Option<Value> {
    let (status, health) = get(user, port, "/api/health")?;
    (status == 200).then_some(health)
}

/// A command that `user` runs in their session.
fn in_session(user: &str, command: &str) -> String {
    let uid = output_of(&format!("id -u {user}"));
    of(user, &format!("env XDG_RUNTIME_DIR=/run/user/{uid} {command}"))
}

/// Records the card's sound for `seconds`. Returns its root mean square, 0..=1.
fn loudness(seconds: u32) -> f64 {
    let file = "/tmp/card.raw";
    output_of(&format!("arecord --quiet -D {CAPTURED} -d {seconds} -f S16_LE -c 2 -r 48000 -t raw {file}"));
    let bytes = fs::read(file).expect("reading the recording");
    let samples =
        bytes.chunks_exact(2).map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])) / 32768.0);
    (samples.map(|sample| sample * sample).sum::<f64>() / (bytes.len() / 2).max(1) as f64).sqrt()
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn session_plays_on_card_and_sequencer() {
    require_test_machine();
    start_session("listener", 17321);
    assert_eq!(output_of(&in_session("listener", &format!("systemctl --user is-active {UNIT}"))), "active");
    let found = health("listener", 17321).expect("the engine's health");
    assert_eq!(found["source"]["kind"], "collector", "{found:#}");
    wait_for("sound on the card", || {
        health("listener", 17321).filter(|health| health["audio"]["ok"] == true)
    });
    println!("{}", health("listener", 17321).expect("the engine's health")["audio"]);

    let _busy = load::Background::start(|| load::execs(2));
    wait_for("sound, MIDI notes and controllers", || {
        let mut dump = Command::new("aseqdump")
            .args(["-p", "khor"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("starting aseqdump");
        let played = loudness(5);
        let _ = dump.kill();
        let notes = dump.wait_with_output().expect("the output of aseqdump").stdout;
        let notes = String::from_utf8_lossy(&notes);
        let count = |kind: &str| notes.lines().filter(|line| line.contains(kind)).count();
        println!("rms {played:.4}; {} notes, {} controllers", count("Note on"), count("Control change"));
        (played > 1e-4 && count("Note on") > 0 && count("Control change") > 0).then_some(())
    });

    control_on_session_bus();
    wait_for("silence after the pause", || (loudness(1) == 0.0).then_some(()));
    assert_eq!(loudness(2), 0.0, "sound of a muted engine");
    let errors = output_of(
        "journalctl --boot --quiet --no-pager --output=cat --priority=err _SYSTEMD_USER_UNIT=khor-engine.service",
    );
    assert_eq!(errors, "", "errors in the engine's journal");
    let doctor = outcome_of(&in_session("listener", "khor doctor"));
    println!("{}", doctor.1);
    assert!(doctor.0, "{}", doctor.1);
    let exposed =
        in_session("listener", &format!("systemd-analyze --user security --no-pager --threshold=30 {UNIT}"));
    println!("{}", output_of(&exposed).lines().last().unwrap_or_default());
    end_session("listener");
}

/// Tests the commands of docs/guide.md that keep the engine off for one account: a masked engine
/// stops, and does not start with the next session.
fn keep_engine_off(user: &str) {
    let systemctl = |what: &str| in_session(user, &format!("systemctl --user {what}"));
    let state = || outcome_of(&systemctl(&format!("is-active {UNIT}"))).1;
    output_of(&systemctl(&format!("mask --now {UNIT}")));
    assert_eq!(state(), "inactive", "a masked engine runs");
    end_session(user);
    output_of(&format!("loginctl enable-linger {user}"));
    wait_for("the next session", || outcome_of(&systemctl("is-active default.target")).0.then_some(()));
    assert_eq!(state(), "inactive", "a masked engine started with the session");
    output_of(&systemctl(&format!("unmask {UNIT}")));
    output_of(&systemctl(&format!("start {UNIT}")));
}

/// Tests that the installed unit allows access to the session bus. Pauses the player, which mutes
/// the engine.
fn control_on_session_bus() {
    const ENGINE1: &str = "org.khor.Engine /org/khor/Engine org.khor.Engine1";
    let busctl =
        |verb: &str, what: &str| in_session("listener", &format!("busctl --user {verb} {ENGINE1} {what}"));
    wait_for("the engine on the session bus", || {
        health("listener", 17321).filter(|health| health["desktop"]["ok"] == true)
    });
    let introspected = output_of(&busctl("introspect", ""));
    assert!(introspected.contains(".Signals") && introspected.contains("a{s(ddd)}"), "{introspected}");
    assert_eq!(output_of(&busctl("get-property", "Muted")), "b false");
    let playerctl =
        |what: &str| output_of(&in_session("listener", &format!("playerctl --player=khor {what}")));
    assert_eq!(playerctl("status"), "Playing");
    println!("{}", playerctl("metadata"));
    playerctl("pause");
    assert_eq!(playerctl("status"), "Paused");
    assert_eq!(output_of(&busctl("get-property", "Muted")), "b true");
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn second_user_connects_and_stranger_gets_fix() {
    require_test_machine();
    start_session("second", 17322);
    assert_eq!(health("second", 17322).expect("the engine's health")["source"]["kind"], "collector");
    let (is_success, text) = outcome_of(&of("stranger", "khor doctor"));
    assert!(!is_success && text.contains("usermod --append --groups khor stranger"), "{text}");
    keep_engine_off("second");
    end_session("second");
    assert!(Path::new("/run/khor/collector.sock").exists());
}
