//! Tests faulty sound servers and devices: a server that hangs, many queries of devices, a device
//! that has disappeared, and a device that cannot be opened. Also tests how the sound ends.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use khor_e2e::{Engine, Pulse, skip::skip, wait_until};
use serde_json::{Value, json};
use tempfile::TempDir;

const NO_SOCKET: &str = "/nonexistent/collector.sock";

fn start(pulse: &Pulse, more: &[(&str, &str)]) -> Engine {
    let environment: Vec<(&str, &str)> =
        pulse.environment().into_iter().chain(more.iter().copied()).collect();
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake"], &environment);
    wait_until("the sound device to play", || plays(&engine));
    engine
}

fn audio(engine: &Engine) -> Value {
    engine.get("/api/health")["audio"].clone()
}

fn plays(engine: &Engine) -> bool {
    audio(engine)["ok"] == true
}

fn select_device(engine: &Engine, device: &str) -> (u16, Value) {
    engine.change(&json!({"audio": {"device": device}}))
}

#[test]
fn device_queries_leak_no_threads_or_clients() {
    let Some(mut pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    pulse.pactl(&[
        "load-module",
        "module-null-sink",
        "sink_name=other",
        "sink_properties=device.description=Other",
    ]);
    let engine = start(&pulse, &[]);
    let listed = |engine: &Engine| engine.get("/api/audio/devices")["devices"].to_string();
    assert!(listed(&engine).contains("id:pulseaudio:other"), "{}", listed(&engine));
    // Returns the number of the engine's sound threads, and the number of the sound server's
    // clients.
    let held = |pulse: &Pulse| {
        let clients = pulse.pactl(&["list", "short", "clients"]).lines().count();
        let tasks = fs::read_dir(format!("/proc/{}/task", engine.pid())).expect("the engine's threads");
        let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).ok();
        // Only long-lived threads count, because threads that serve requests come and go.
        let of_sound = |name: &String| ["khor-audio", "khor-devices"].contains(&name.trim());
        (tasks.flatten().filter_map(name).filter(of_sound).count(), clients)
    };
    let before = held(&pulse);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..40).for_each(|_| assert!(listed(&engine).contains("id:pulseaudio:null"))));
        }
    });
    assert_eq!(select_device(&engine, "id:pulseaudio:other").0, 200);
    wait_until("the other device to play", || plays(&engine) && audio(&engine)["device"] != "Null Output");
    // After this restart of the server, the selected device no longer exists.
    pulse.kill();
    assert!(pulse.restart());
    wait_until("the loss of the device to be reported", || !plays(&engine));
    // Wait while the engine tries several times to open the device.
    thread::sleep(Duration::from_secs(12));
    println!("sound threads and clients: {before:?} before, {:?} now", held(&pulse));
    assert!(!plays(&engine), "{}", audio(&engine));
    wait_until("at most as many threads and clients as before", || {
        held(&pulse).0 <= before.0 && held(&pulse).1 <= before.1
    });
}

#[test]
fn settings_work_while_sound_server_hangs() {
    let Some(pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let engine = start(&pulse, &[]);
    pulse.hang();
    let hung = Instant::now();
    wait_until("the hang to be reported", || audio(&engine)["error"].is_string());
    println!("the engine reported the hang after {:?}: {}", hung.elapsed(), audio(&engine));
    let audio_now = audio(&engine);
    assert_eq!(
        (&audio_now["voices"], &audio_now["latency_ms"]),
        (&json!(0), &Value::Null),
        "the engine reports voices or a latency while the server hangs"
    );
    let counts = || {
        let newest =
            engine.get("/api/metrics")["notes"].as_array().and_then(|notes| notes.last()?["seq"].as_u64());
        (
            audio(&engine)["dropped_notes"].as_u64().expect("a number of dropped notes"),
            newest.expect("a newest note"),
        )
    };
    let (dropped, composed) = counts();
    assert_eq!(engine.post("/api/actions/mute?on=true").0, 200);
    assert!(
        engine.get("/api/audio/devices")["devices"].is_array(),
        "a query of devices has no answer while the server hangs"
    );
    let (status, answer) = select_device(&engine, "id:alsa:nowhere");
    assert_eq!(status, 400);
    assert!(
        answer["error"].as_str().is_some_and(|error| error.contains("is missing")),
        "the engine did not check the ALSA device without the server: {answer}"
    );
    // Wait long enough to fill the queue of the audio callback.
    thread::sleep(Duration::from_secs(14));
    pulse.resume();
    let resumed = Instant::now();
    wait_until("the sound device to play", || plays(&engine));
    println!("the engine plays {:?} after the server resumed", resumed.elapsed());
    wait_until("silence while muted", || pulse.record(Duration::from_millis(200)).is_silent());
    assert!(pulse.record(Duration::from_secs(2)).is_silent(), "sound after a mute while the server hung");
    // On a busy machine, the engine drops a few late notes. If the queue were full, the engine
    // would drop most notes.
    let (dropped_later, composed_later) = counts();
    let (dropped, composed) = (dropped_later - dropped, composed_later - composed);
    assert!(composed > 10 && dropped * 4 < composed, "{dropped} of {composed} notes were dropped");
    engine.post("/api/actions/mute?on=false");
    wait_until("sound", || !pulse.record(Duration::from_millis(200)).is_silent());
}

#[test]
fn unopenable_device_is_rejected_sound_continues() {
    let Some(pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let home = TempDir::new().expect("creating a temporary directory");
    let pcm = "pcm.broken { type hw card 77 hint { show on description \"a card that is gone\" } }\n";
    fs::write(home.path().join(".asoundrc"), pcm).expect("writing .asoundrc");
    let engine = start(&pulse, &[("HOME", home.path().to_str().expect("a UTF-8 path"))]);
    let before = engine.get("/api/config")["audio"].clone();
    let listed = engine.get("/api/audio/devices");
    assert!(listed.to_string().contains("id:alsa:broken"), "{listed:#}");
    for device in ["id:alsa:broken", "id:alsa:nowhere", "id:pulseaudio:nowhere"] {
        let (status, answer) = select_device(&engine, device);
        println!("{answer}");
        assert_eq!(status, 400, "{answer}");
        let error = answer["error"].as_str().expect("an error");
        assert!(error.contains(device) && error.contains("the current device stays"), "{answer}");
    }
    assert_eq!(engine.get("/api/config")["audio"], before);
    assert!(plays(&engine) && audio(&engine)["restarts"] == 0);
    assert!(!pulse.record(Duration::from_secs(1)).is_silent(), "the sound stopped");
}

/// The sound must fade out when khor ends, and when another device is selected.
#[test]
fn sound_ends_in_a_fade() {
    let Some(pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    pulse.pactl(&["load-module", "module-null-sink", "sink_name=other", "rate=48000", "norewinds=1"]);
    let mut engine = Some(start(&pulse, &[]));
    let ends = |engine: &mut Option<Engine>, end: &mut dyn FnMut(&mut Option<Engine>)| {
        pulse.record_around(|| end(engine), Duration::from_secs(2)).0
    };
    let at_device_change = ends(&mut engine, &mut |engine| {
        assert_eq!(select_device(engine.as_ref().expect("a running engine"), "id:pulseaudio:other").0, 200);
    });
    assert_eq!(select_device(engine.as_ref().expect("a running engine"), "id:pulseaudio:null").0, 200);
    let at_exit =
        ends(&mut engine, &mut |engine| assert!(engine.take().expect("a running engine").stop().0.success()));
    for recorded in [at_device_change, at_exit] {
        let (peak, end) = (recorded.peak(), recorded.peak_at_the_end(Duration::from_millis(2)));
        println!("peak {peak:.4}; {end:.5} in the last two milliseconds");
        assert!(
            peak > 0.02 && end < 0.1 * peak,
            "the sound ends at {end} without a fade; its peak is {peak}"
        );
    }
}
