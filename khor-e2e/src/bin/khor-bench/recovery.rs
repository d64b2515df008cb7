//! Measures how long khor takes to recover, to stop, and to play a cue.
//!
//! The time to recover runs from the restart of the sound server until sound is recorded, or from
//! the restart of the collector until the engine receives its counts. The time to stop runs from
//! the signal to the collector's exit. The time to play a cue runs from a crash to the note of its
//! cue.

use std::{
    process::Command,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use khor_e2e::{
    Collector, Engine, PipeWire, Pulse, engine::program, pulse::SoundRecording, wait_for, wait_until,
};

use crate::figure::Figure;

const RESTARTS: usize = 5;
const CRASHES: usize = 5;
const STOPS: usize = 3;
const NO_SOCKET: &str = "/nonexistent/collector.sock";
/// Length of each recording that is checked for sound.
const PIECE: Duration = Duration::from_millis(100);

pub(crate) fn measure() -> Vec<Figure> {
    let (recovery, crash) = collector();
    vec![pulseaudio(), pipewire(), recovery, crash, stop()]
}

fn has_device(engine: &Engine) -> bool {
    engine.health().audio.health.ok
}

/// Operations that PulseAudio and PipeWire have in common.
struct Operations<S> {
    kill: fn(&mut S),
    restart: fn(&mut S) -> bool,
    record: fn(&S, Duration) -> SoundRecording,
}

fn pulseaudio() -> Figure {
    const NAME: &str = "PulseAudio restart, time to sound";
    let Some(pulse) = Pulse::start() else {
        return Figure::missing(NAME, "ms", "PulseAudio is not installed");
    };
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake"], &pulse.environment());
    let operations = Operations { kill: Pulse::kill, restart: Pulse::restart, record: Pulse::record };
    Figure::new(NAME, "ms", restarts(pulse, &engine, &operations))
}

fn pipewire() -> Figure {
    const NAME: &str = "PipeWire restart, time to sound";
    let Some(pipewire) = PipeWire::start() else {
        return Figure::missing(NAME, "ms", "PipeWire is not installed");
    };
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake"], &pipewire.environment());
    let operations =
        Operations { kill: PipeWire::kill, restart: PipeWire::restart, record: PipeWire::record };
    Figure::new(NAME, "ms", restarts(pipewire, &engine, &operations))
}

/// Milliseconds from each restart of the server until sound is recorded.
fn restarts<S>(mut server: S, engine: &Engine, operations: &Operations<S>) -> Vec<f64> {
    wait_until("the sound device to play", || has_device(engine));
    let restart = |_| {
        (operations.kill)(&mut server);
        wait_until("the loss of the device", || !has_device(engine));
        assert!((operations.restart)(&mut server), "the sound server does not restart");
        let restarted = Instant::now();
        wait_until("the sound device to play again", || has_device(engine));
        wait_until("sound again", || !(operations.record)(&server, PIECE).is_silent());
        restarted.elapsed().as_secs_f64() * 1e3
    };
    (0..RESTARTS).map(restart).collect()
}

/// Two figures: the time from the restarted collector's first answer to the engine's first reading,
/// and the time from a crash to the onset of its cue's note.
fn collector() -> (Figure, Figure) {
    let start = || Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let mut collector = start();
    let engine = Engine::start(collector.socket(), &["--no-audio"], &[]);
    let mut recovery_ms = Vec::new();
    for _ in 0..RESTARTS {
        engine.wait_for_source("collector");
        let dir = collector.into_dir();
        wait_until("the loss of the collector", || engine.health().bpf.health.trouble.is_some());
        collector = Collector::start_in(&dir, &program("khor-collector"), &["--no-dbus"]);
        recovery_ms.push(engine.wait_for_source("collector").as_secs_f64() * 1e3);
    }
    let crash_ms = (0..CRASHES).map(|_| from_crash_to_note(&engine)).collect();
    (
        Figure::new("collector restart, time to counts", "ms", recovery_ms),
        Figure::new("crash, time to its note's onset", "ms", crash_ms),
    )
}

/// Measures the time from the stop signal to the exit of a collector, in ms. The collector serves
/// an engine.
fn stop() -> Figure {
    let stop = |_| {
        let mut collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
        let engine = Engine::start(collector.socket(), &["--no-audio"], &[]);
        engine.wait_for_source("collector");
        let stopped = Instant::now();
        assert!(collector.stop().success(), "the collector did not exit with status 0");
        stopped.elapsed().as_secs_f64() * 1e3
    };
    Figure::new("collector stop, time to exit", "ms", (0..STOPS).map(stop).collect())
}

/// Crashes a process. Returns the milliseconds until the onset of the cue's note.
fn from_crash_to_note(engine: &Engine) -> f64 {
    let now_ms =
        || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs_f64() * 1e3;
    let crashed_ms = now_ms();
    let _ = Command::new("/bin/sh").args(["-c", "kill -SEGV $$"]).status();
    let onset_ms = wait_for("the cue's note", || {
        let metrics = engine.get("/api/metrics");
        let notes = metrics["notes"].as_array()?.iter().filter(|note| note["layer"] == "cues");
        notes.filter_map(|note| note["ts_ms"].as_f64()).find(|onset_ms| *onset_ms >= crashed_ms)
    });
    // Wait until this cue has played. Otherwise, the next cue would have to wait for it.
    std::thread::sleep(Duration::from_secs(3));
    onset_ms - crashed_ms
}
