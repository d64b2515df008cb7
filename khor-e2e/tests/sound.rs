//! Tests the sound of the loudspeaker: a real sound server with a null sink is recorded.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use khor_e2e::{Engine, PipeWire, Pulse, load, procfs::status, skip::skip, wait_until};
use serde_json::json;

const NO_SOCKET: &str = "/nonexistent/collector.sock";

/// Load on network, scheduler and forks until it is dropped.
fn under_load<R>(work: impl FnOnce() -> R) -> R {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                load::loopback(4 << 20, 100);
                load::execs(5);
                load::ping_pong(200);
            }
        });
        let result = work();
        stop.store(true, Relaxed);
        result
    })
}

fn is_sounding(pulse: &Pulse) -> bool {
    !pulse.record(Duration::from_millis(200)).is_silent()
}

/// Waits for silence, because buffered sound still plays for a moment. Then checks that it lasts.
fn assert_falls_silent(pulse: &Pulse, why: &str) {
    wait_until(why, || !is_sounding(pulse));
    assert!(pulse.record(Duration::from_secs(2)).is_silent(), "{why}");
}

/// Times the sound server dies.
const DEATHS: u32 = 20;

#[test]
fn the_sound_server_may_die_twenty_times() {
    let Some(mut pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let mut environment = pulse.environment().to_vec();
    environment.push(("MALLOC_ARENA_MAX", "1")); // another arena would look like a leak
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake"], &environment);
    let device = |engine: &Engine| engine.health().audio.health.ok;
    wait_until("the device", || device(&engine));
    let size = || {
        let number = |field| status(engine.pid(), field).split_whitespace().next().unwrap().parse::<u64>();
        (number("VmRSS").expect("KiB"), number("Threads").expect("a number"))
    };
    let (mut first, mut slowest) = ((0, 0), Duration::ZERO);
    for death in 0..DEATHS {
        pulse.kill();
        wait_until("the loss to be reported", || !device(&engine));
        assert!(pulse.restart());
        let restarted = Instant::now();
        wait_until("the device again", || device(&engine));
        wait_until("sound again", || !pulse.record(Duration::from_millis(100)).is_silent());
        slowest = slowest.max(restarted.elapsed());
        if death == DEATHS / 2 {
            first = size(); // By then the allocator's arenas have grown to what they need.
        }
    }
    let ((rss_kib, threads), (rss_kib_later, _)) = (first, size());
    println!("sound back after {slowest:?} at the latest; {first:?} KiB and threads, then {:?}", size());
    assert!(rss_kib_later < rss_kib + 2048, "{rss_kib} KiB, then {rss_kib_later}");
    // Threads that serve requests end some time after the last request.
    wait_until("no more threads than before", || size().1 <= threads);
    assert_eq!(engine.health().audio.restarts, DEATHS);
}

#[test]
fn sound_follows_load_mute_and_server_restart() {
    let Some(mut pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let engine = Engine::start(NO_SOCKET.as_ref(), &[], &pulse.environment());
    wait_until("the device", || engine.health().audio.health.ok);
    let audio = engine.get("/api/health")["audio"].clone();
    assert_eq!(audio["backend"], "pulseaudio", "not by way of ALSA");
    assert!(audio["xruns"].is_null(), "what nobody counts is not said to be none");
    engine.wait_for_source("proc");

    under_load(|| {
        let heard = pulse.record(Duration::from_secs(4));
        println!("under load: peak {:.3}, rms {:.4}", heard.peak(), heard.rms());
        assert!(heard.rms() > 0.003, "it is audible");
        assert!(heard.peak() < 0.9, "it never comes near clipping");

        assert_eq!(engine.post("/api/actions/mute?on=true").0, 200);
        assert_falls_silent(&pulse, "muted is digital silence");
        engine.post("/api/actions/mute?on=false");
        wait_until("sound after unmuting", || is_sounding(&pulse));

        for round in 0..2 {
            pulse.kill();
            wait_until("the loss to be reported", || engine.health().audio.health.trouble.is_some());
            // Settings that change while nothing plays must apply afterwards. The wait is longer
            // than the command queue is deep.
            engine.post("/api/actions/mute?on=true");
            thread::sleep(Duration::from_secs(6 * round));
            assert!(pulse.restart());
            let back = wait_until("the device again", || engine.health().audio.health.ok);
            println!("round {round}: the device was back {back:?} after the server");
            assert_falls_silent(&pulse, "muted while the server was down");
            engine.post("/api/actions/mute?on=false");
            wait_until("sound again", || is_sounding(&pulse));
        }
    });
    assert!(engine.stop().0.success(), "SIGTERM is a clean end");
}

#[test]
fn sound_server_without_card_plays() {
    let Some(pulse) = Pulse::start_without_a_card() else { return skip("needs pulseaudio") };
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake"], &pulse.environment());
    wait_until("the device", || engine.health().audio.health.ok);
    // At the end of a stream the server renders its two seconds, and the next stream begins with
    // all of them. Nothing records in the meantime, because a recorder would speed up the server.
    assert_eq!(engine.change(&json!({"audio": {"backend": "pulseaudio"}})).0, 200);
    thread::sleep(Duration::from_secs(6));
    let audio = engine.get("/api/health")["audio"].clone();
    assert_eq!(
        (&audio["ok"], &audio["restarts"]),
        (&json!(true), &json!(0)),
        "no stream is given up: {audio:#}"
    );
    let heard = pulse.record(Duration::from_secs(4));
    println!("without a card: peak {:.3}, rms {:.4}", heard.peak(), heard.rms());
    assert!(heard.rms() > 0.003, "it is audible");
}

#[test]
fn pipewire_plays_and_may_restart() {
    let Some(mut pipewire) = PipeWire::start() else {
        return skip("needs pipewire, wireplumber and pipewire-pulse");
    };
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake"], &pipewire.environment());
    let device = |engine: &Engine| engine.health().audio.health.ok;
    wait_until("the device", || device(&engine));
    assert_eq!(engine.health().audio.backend.as_deref(), Some("pulseaudio"), "not by way of ALSA");
    let heard = pipewire.record(Duration::from_secs(4));
    println!("through PipeWire: peak {:.3}, rms {:.4}", heard.peak(), heard.rms());
    assert!(heard.rms() > 0.003 && heard.peak() < 0.9, "it is audible and never clips");

    pipewire.kill();
    wait_until("the loss to be reported", || !device(&engine));
    assert!(pipewire.restart());
    let restarted = Instant::now();
    wait_until("the device again", || device(&engine));
    wait_until("sound again", || !pipewire.record(Duration::from_millis(200)).is_silent());
    println!("sound back {:?} after PipeWire was", restarted.elapsed());
    assert_eq!(engine.health().audio.backend.as_deref(), Some("pulseaudio"));
}
