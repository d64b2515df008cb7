//! Tests the sound that a sound server plays: the tests record a real server with a null sink.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use khor_e2e::{Engine, PipeWire, Pulse, load, procfs::status, skip::skip, wait_until};
use serde_json::json;

const NO_SOCKET: &str = "/nonexistent/collector.sock";

/// Runs `work` while another thread sends traffic, starts programs and causes context switches.
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

/// Whether the server plays sound now.
fn is_sounding(pulse: &Pulse) -> bool {
    !pulse.record(Duration::from_millis(200)).is_silent()
}

/// Waits for silence, because buffered sound still plays for a moment. Then checks that the silence
/// lasts two seconds.
fn assert_falls_silent(pulse: &Pulse, state: &str) {
    wait_until(&format!("silence {state}"), || !is_sounding(pulse));
    assert!(pulse.record(Duration::from_secs(2)).is_silent(), "sound {state}");
}

/// How many times the sound server is killed.
const DEATHS: u32 = 20;

#[test]
fn sound_survives_twenty_server_restarts() {
    let Some(mut pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let mut environment = pulse.environment().to_vec();
    environment.push(("MALLOC_ARENA_MAX", "1")); // a second arena would look like a leak
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake"], &environment);
    let device = |engine: &Engine| engine.health().audio.health.ok;
    wait_until("the sound device to play", || device(&engine));
    let size = || {
        let number = |field| status(engine.pid(), field).split_whitespace().next().unwrap().parse::<u64>();
        (number("VmRSS").expect("VmRSS in kB"), number("Threads").expect("a number of threads"))
    };
    let (mut first, mut slowest) = ((0, 0), Duration::ZERO);
    for death in 0..DEATHS {
        pulse.kill();
        wait_until("the loss to be reported", || !device(&engine));
        assert!(pulse.restart());
        let restarted = Instant::now();
        wait_until("the sound device to play again", || device(&engine));
        wait_until("sound again", || !pulse.record(Duration::from_millis(100)).is_silent());
        slowest = slowest.max(restarted.elapsed());
        if death == DEATHS / 2 {
            first = size(); // The allocator has reached its final size.
        }
    }
    let ((rss_kib, threads), (rss_kib_later, _)) = (first, size());
    println!("sound within at most {slowest:?} of a restart; {first:?} KiB and threads, later {:?}", size());
    assert!(
        rss_kib_later < rss_kib + 2048,
        "the engine's memory grew from {rss_kib} KiB to {rss_kib_later} KiB"
    );
    // Threads that serve requests end some time after the last request.
    wait_until("at most as many threads as before", || size().1 <= threads);
    assert_eq!(engine.health().audio.restarts, DEATHS);
}

#[test]
fn sound_follows_load_mute_and_server_restart() {
    let Some(mut pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let engine = Engine::start(NO_SOCKET.as_ref(), &[], &pulse.environment());
    wait_until("the sound device to play", || engine.health().audio.health.ok);
    let audio = engine.get("/api/health")["audio"].clone();
    assert_eq!(audio["backend"], "pulseaudio", "the engine plays through ALSA");
    assert!(audio["xruns"].is_null(), "xruns has a value, although this backend does not count underruns");
    engine.wait_for_source("proc");

    under_load(|| {
        let recorded = pulse.record(Duration::from_secs(4));
        println!("under load: peak {:.3}, rms {:.4}", recorded.peak(), recorded.rms());
        assert!(recorded.rms() > 0.003, "the sound is too quiet: rms {}", recorded.rms());
        assert!(recorded.peak() < 0.9, "the sound nearly clips: peak {}", recorded.peak());

        assert_eq!(engine.post("/api/actions/mute?on=true").0, 200);
        assert_falls_silent(&pulse, "while muted");
        engine.post("/api/actions/mute?on=false");
        wait_until("sound after unmuting", || is_sounding(&pulse));

        for round in 0..2 {
            pulse.kill();
            wait_until("the loss to be reported", || engine.health().audio.health.trouble.is_some());
            // A setting that is changed while there is no device must take effect when the device
            // plays again. The wait in the second round is long enough to fill the command queue.
            engine.post("/api/actions/mute?on=true");
            thread::sleep(Duration::from_secs(6 * round));
            assert!(pulse.restart());
            let took = wait_until("the sound device to play again", || engine.health().audio.health.ok);
            println!("round {round}: the device played {took:?} after the server's restart");
            assert_falls_silent(&pulse, "after a mute without a server");
            engine.post("/api/actions/mute?on=false");
            wait_until("sound again", || is_sounding(&pulse));
        }
    });
    assert!(engine.stop().0.success(), "the engine did not exit with status 0 after SIGTERM");
}

#[test]
fn sound_plays_without_a_card() {
    let Some(pulse) = Pulse::start_without_a_card() else { return skip("needs pulseaudio") };
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake"], &pulse.environment());
    wait_until("the sound device to play", || engine.health().audio.health.ok);
    // While no stream plays, this server renders two seconds ahead. When the next stream begins,
    // the server requests two seconds of sound. Do not record meanwhile, because a recorder would
    // shorten these two seconds.
    assert_eq!(engine.change(&json!({"audio": {"backend": "pulseaudio"}})).0, 200);
    thread::sleep(Duration::from_secs(6));
    let audio = engine.get("/api/health")["audio"].clone();
    assert_eq!(
        (&audio["ok"], &audio["restarts"]),
        (&json!(true), &json!(0)),
        "the engine reopened the stream: {audio:#}"
    );
    let recorded = pulse.record(Duration::from_secs(4));
    println!("without a card: peak {:.3}, rms {:.4}", recorded.peak(), recorded.rms());
    assert!(recorded.rms() > 0.003, "the sound is too quiet: rms {}", recorded.rms());
}

#[test]
fn sound_survives_pipewire_restart() {
    let Some(mut pipewire) = PipeWire::start() else {
        return skip("needs pipewire, wireplumber and pipewire-pulse");
    };
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake"], &pipewire.environment());
    let device = |engine: &Engine| engine.health().audio.health.ok;
    wait_until("the sound device to play", || device(&engine));
    assert_eq!(engine.health().audio.backend.as_deref(), Some("pulseaudio"), "the engine plays through ALSA");
    let recorded = pipewire.record(Duration::from_secs(4));
    println!("through PipeWire: peak {:.3}, rms {:.4}", recorded.peak(), recorded.rms());
    assert!(recorded.rms() > 0.003 && recorded.peak() < 0.9, "the sound is too quiet or nearly clips");

    pipewire.kill();
    wait_until("the loss to be reported", || !device(&engine));
    assert!(pipewire.restart());
    let restarted = Instant::now();
    wait_until("the sound device to play again", || device(&engine));
    wait_until("sound again", || !pipewire.record(Duration::from_millis(200)).is_silent());
    println!("sound {:?} after PipeWire's restart", restarted.elapsed());
    assert_eq!(engine.health().audio.backend.as_deref(), Some("pulseaudio"));
}
