//! Tests engines in users' sessions: started by the users' systemd, played on the sound card and
//! the sequencer, and controlled on the session's bus.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use khor_e2e::load;
use serde_json::{Value, json};

use crate::{
    http::get,
    unit::{of, outcome_of, output_of, require_a_machine_of_our_own, wait_for},
};

const UNIT: &str = "khor-engine.service";
/// The other side of the card that `snd_aloop` makes.
const CAPTURED: &str = "plughw:Loopback,1,0";

/// Makes a session without a login, and waits until the engine in it answers.
fn linger(user: &str, port: u16) {
    let home = format!("/home/{user}");
    fs::create_dir_all(format!("{home}/.config/khor")).expect("a home");
    let whole = user == "listener";
    let config = json!({
        "listen": { "port": port },
        "features": { "midi": whole },
        "desktop": { "bus": whole, "mpris": whole },
    });
    fs::write(format!("{home}/.config/khor/config.json"), config.to_string()).expect("a configuration");
    output_of(&format!("chown --recursive {user}:{user} {home}"));
    output_of(&format!("loginctl enable-linger {user}"));
    wait_for("the engine's page", || health(user, port).filter(|health| health["source"]["ok"] == true));
}

/// Ends it: two engines that play leave an emulated machine little for the tests after these.
fn leave(user: &str) {
    output_of(&format!("loginctl disable-linger {user}"));
    let uid = output_of(&format!("id -u {user}"));
    output_of(&format!("systemctl stop user@{uid}.service"));
}

/// The health of the user's engine, as the user gets it.
fn health(user: &str, port: u16) -> Option<Value> {
    let (status, health) = get(user, port, "/api/health")?;
    (status == 200).then_some(health)
}

fn in_session(user: &str, command: &str) -> String {
    let uid = output_of(&format!("id -u {user}"));
    of(user, &format!("env XDG_RUNTIME_DIR=/run/user/{uid} {command}"))
}

/// Root mean square of what comes out of the card within some seconds, 0..=1.
fn loudness(seconds: u32) -> f64 {
    let file = "/tmp/card.raw";
    output_of(&format!("arecord --quiet -D {CAPTURED} -d {seconds} -f S16_LE -c 2 -r 48000 -t raw {file}"));
    let bytes = fs::read(file).expect("a recording");
    let samples =
        bytes.chunks_exact(2).map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])) / 32768.0);
    (samples.map(|sample| sample * sample).sum::<f64>() / (bytes.len() / 2).max(1) as f64).sqrt()
}

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn session_plays_on_card_and_sequencer() {
    require_a_machine_of_our_own();
    linger("listener", 17321);
    assert_eq!(output_of(&in_session("listener", &format!("systemctl --user is-active {UNIT}"))), "active");
    let found = health("listener", 17321).expect("its health");
    assert_eq!(found["source"]["kind"], "collector", "{found:#}");
    wait_for("the card", || health("listener", 17321).filter(|health| health["audio"]["ok"] == true));
    println!("{}", health("listener", 17321).expect("its health")["audio"]);

    let _busy = load::Background::start(|| load::execs(2));
    wait_for("sound, notes and controllers", || {
        let mut dump =
            Command::new("aseqdump").args(["-p", "khor"]).stdout(Stdio::piped()).spawn().expect("aseqdump");
        let played = loudness(5);
        let _ = dump.kill();
        let notes = dump.wait_with_output().expect("what it printed").stdout;
        let notes = String::from_utf8_lossy(&notes);
        let count = |kind: &str| notes.lines().filter(|line| line.contains(kind)).count();
        println!("rms {played:.4}; {} notes, {} controllers", count("Note on"), count("Control change"));
        (played > 1e-4 && count("Note on") > 0 && count("Control change") > 0).then_some(())
    });

    on_the_bus();
    wait_for("silence", || (loudness(1) == 0.0).then_some(()));
    assert_eq!(loudness(2), 0.0, "muted is silent");
    let complaints = output_of(
        "journalctl --boot --quiet --no-pager --output=cat --priority=err _SYSTEMD_USER_UNIT=khor-engine.service",
    );
    assert_eq!(complaints, "");
    let doctor = outcome_of(&in_session("listener", "khor doctor"));
    println!("{}", doctor.1);
    assert!(doctor.0, "{}", doctor.1);
    let exposed =
        in_session("listener", &format!("systemd-analyze --user security --no-pager --threshold=30 {UNIT}"));
    println!("{}", output_of(&exposed).lines().last().unwrap_or_default());
    leave("listener");
}

/// The installed unit lets the engine onto its session's bus; paused there it is muted.
fn on_the_bus() {
    const ENGINE1: &str = "org.khor.Engine /org/khor/Engine org.khor.Engine1";
    let busctl =
        |verb: &str, what: &str| in_session("listener", &format!("busctl --user {verb} {ENGINE1} {what}"));
    wait_for("the session's bus", || {
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
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn second_user_connects_and_stranger_gets_fix() {
    require_a_machine_of_our_own();
    linger("second", 17322);
    assert_eq!(health("second", 17322).expect("its health")["source"]["kind"], "collector");
    let (well, text) = outcome_of(&of("stranger", "khor doctor"));
    assert!(!well && text.contains("usermod --append --groups khor stranger"), "{text}");
    leave("second");
    assert!(Path::new("/run/khor/collector.sock").exists());
}
