//! Tests of the whole engine. Another client of the sequencer receives its MIDI messages.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use khor_e2e::{Engine, wait_until};
use khor_patience::slowness;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::{
    SETTLE, assert_in_time, lock_sequencer,
    recorder::{Message, Received, assert_matched},
};

const NO_SOCKET: &str = "/nonexistent/collector.sock";
const CONFIG: &str = r#"{"music": {"bpm": 110, "preset": "arp"}}"#;
/// Length of each pause of the engine. The time between two pauses has the same length.
const STUTTER: Duration = Duration::from_millis(20);
/// How long the test records clock messages to measure the tempo.
const LONG: Duration = Duration::from_secs(8);

fn configure(engine: &Engine, change: &str) {
    let answer = engine.send("PATCH", "/api/config", change.as_bytes(), &[]);
    assert_eq!(answer.0, 200, "{answer:?}");
}

/// Stops the engine's process for this long.
fn pause(engine: &Engine, length: Duration) {
    let pid = Pid::from_raw(engine.pid() as i32);
    kill(pid, Signal::SIGSTOP).expect("stopping the engine");
    thread::sleep(length);
    kill(pid, Signal::SIGCONT).expect("continuing the engine");
}

/// Runs `work`, and meanwhile stops the engine's process for 20 ms ([`STUTTER`]) every 40 ms. khor
/// passes each message to the kernel more than 20 ms before the message is due, so the pauses
/// should delay no message.
fn stuttering<R>(engine: &Engine, work: impl FnOnce() -> R) -> R {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                pause(engine, STUTTER);
                thread::sleep(STUTTER);
            }
        });
        let result = work();
        done.store(true, Relaxed);
        result
    })
}

/// Length of a quarter note, seconds.
fn beat_s(bpm: f64) -> f64 {
    60.0 / bpm
}

fn clocks(received: &[Received]) -> Vec<Received> {
    received.iter().filter(|received| received.message == Message::Clock).copied().collect()
}

/// Returns the minimum and the maximum time between two clock messages, seconds.
fn intervals_s(clocks: &[Received]) -> (f64, f64) {
    let intervals = clocks.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64());
    intervals.fold((f64::MAX, 0.0), |(least, most), interval| (interval.min(least), interval.max(most)))
}

#[test]
fn the_engine_plays_and_ends_in_silence() {
    let Some((mut recorder, _turn)) = lock_sequencer() else { return };
    let dir = TempDir::new().expect("a directory");
    std::fs::write(dir.path().join("config.json"), CONFIG).expect("writing");
    let engine = Engine::start_in(dir, NO_SOCKET.as_ref(), &["--fake", "--no-audio", "--midi"], &[]);
    recorder.subscribe("khor");
    configure(&engine, r#"{"midi": {"clock": true}}"#);
    let start = recorder.wait_for(Message::Start);
    let received = stuttering(&engine, || recorder.record(LONG).to_vec());
    assert_tempo(&received, start, 110.0);
    // The demo simulates an idle machine for its first 15 s, so signals change only after that.
    wait_until("signals and brightness", || {
        let controllers = controllers(recorder.received());
        controllers.contains(&74) && controllers.range(20..=27).count() >= 2
    });

    configure(&engine, r#"{"music": {"bpm": 140}}"#);
    let before = clocks(recorder.received()).len();
    let received = clocks(recorder.record(Duration::from_secs(3)));
    let (least, most) = intervals_s(&received[before - 1..]);
    println!("110 to 140 BPM: clocks are {:.1} to {:.1} ms apart", 1e3 * least, 1e3 * most);
    let (fast, slow) = (beat_s(140.0) / 24.0, beat_s(110.0) / 24.0);
    let tolerance = 0.012 * slowness();
    assert!(least > fast - tolerance && most < slow + tolerance, "no jump: {least} to {most}");

    assert_eq!(engine.post("/api/actions/panic").0, 200);
    recorder.record(SETTLE);
    assert_roles(&engine, recorder.record(SETTLE));
    pause(&engine, Duration::from_secs(2));
    wait_until("the start after a pause", || {
        recorder.received().iter().filter(|received| received.message == Message::Start).count() == 2
    });
    let (status, _dir) = engine.stop();
    assert!(status.success(), "{status}");
    let received = recorder.record_until("the stop", |received| {
        received.iter().filter(|received| received.message == Message::Stop).count() >= 2
    });
    println!("{} notes", assert_matched(&without_notes_from_before(received)));
    let transport: Vec<_> = received
        .iter()
        .map(|received| received.message)
        .filter(|it| matches!(it, Message::Start | Message::Stop))
        .collect();
    assert_eq!(transport, [Message::Start, Message::Stop, Message::Start, Message::Stop]);
    let first_of_clock =
        received.iter().find(|received| matches!(received.message, Message::Start | Message::Clock));
    assert_eq!(first_of_clock.expect("some").message, Message::Start);
    assert_eq!(received.last().expect("some").message, Message::Stop);
}

/// Removes the note-offs of notes that began before the recording.
fn without_notes_from_before(received: &[Received]) -> Vec<Received> {
    let mut known = BTreeSet::new();
    let is_whole = |received: &&Received| match received.message {
        Message::On(channel, note) => {
            known.insert((channel, note));
            true
        }
        Message::Off(channel, note) => !known.insert((channel, note)),
        _ => true,
    };
    received.iter().filter(is_whole).copied().collect()
}

/// Asserts that 24 clock messages arrive in each beat, and that each of them is on time.
fn assert_tempo(received: &[Received], start: Received, bpm: f64) {
    let clocks = clocks(received);
    let first = clocks.first().expect("clocks").at;
    let tick = Duration::from_millis(20).mul_f64(slowness());
    assert!(first - start.at < tick, "the start is just before the bar line");
    let interval_s = beat_s(bpm) / 24.0;
    let due = (0..).map(|i| first + Duration::from_secs_f64(f64::from(i) * interval_s));
    assert_in_time("the engine's clocks", std::iter::zip(due, clocks.iter().map(|clock| clock.at)));
    let beats = (clocks[clocks.len() - 1].at - first).as_secs_f64() / beat_s(bpm);
    println!("{} clocks in {beats:.2} beats", clocks.len());
    assert!(beats > LONG.as_secs_f64() / beat_s(bpm) - 1.0, "{beats}");
}

/// Returns the numbers of the received controllers. Asserts that all are on channel 1.
fn controllers(received: &[Received]) -> BTreeSet<u8> {
    let of = |received: &Received| match received.message {
        Message::Controller(channel, controller, _) => {
            assert_eq!(channel, 1, "{controller}");
            Some(controller)
        }
        _ => None,
    };
    received.iter().filter_map(of).collect()
}

/// Asserts that each note that the API reports was received, on the reported channel.
fn assert_roles(engine: &Engine, received: &[Received]) {
    let on = |note: &serde_json::Value, name: &str| note[name].as_u64().expect("a number") as u8;
    let metrics = engine.get("/api/metrics");
    let notes = metrics["notes"].as_array().expect("notes");
    let is_received =
        |channel, note| received.iter().any(|received| received.message == Message::On(channel, note));
    let due = metrics["ts_ms"].as_u64().expect("a time") - SETTLE.as_millis() as u64;
    let due: Vec<_> = notes.iter().filter(|note| note["ts_ms"].as_u64().expect("a time") < due).collect();
    let missing: Vec<_> =
        due.iter().filter(|note| !is_received(on(note, "channel"), on(note, "midi"))).collect();
    assert!(missing.is_empty() && due.len() >= 5, "{missing:?} of {}", due.len());
    let channels: BTreeSet<u8> = received
        .iter()
        .filter_map(|received| match received.message {
            Message::On(channel, _) => Some(channel),
            _ => None,
        })
        .collect();
    println!("channels {channels:?}");
    assert!(channels.is_subset(&[1, 2, 3, 10].into()) && channels.len() >= 2, "{channels:?}");
}
