//! What comes out of the loudspeaker: a real sound server with a null sink, recorded.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use khor_e2e::skip::skip;
use khor_e2e::{Engine, Pulse, load, wait_until};

const SETTLE: Duration = Duration::from_secs(10);
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

#[test]
fn it_sounds_under_load_is_silent_when_muted_and_survives_the_sound_server() {
    let Some(mut pulse) = Pulse::start() else { return skip("needs pulseaudio") };
    let engine = Engine::start(NO_SOCKET.as_ref(), &[], &pulse.environment());
    wait_until("the device", SETTLE, || engine.get("/api/health")["audio"]["ok"] == true);
    engine.wait_for_source("proc", SETTLE);

    under_load(|| {
        let heard = pulse.record(Duration::from_secs(8));
        println!("under load: peak {:.3}, rms {:.4}", heard.peak(), heard.rms());
        assert!(heard.rms() > 0.003, "it is audible");
        assert!(heard.peak() < 0.9, "it never comes near clipping");

        assert_eq!(engine.post("/api/actions/mute?on=true").0, 200);
        thread::sleep(Duration::from_millis(600));
        assert!(pulse.record(Duration::from_secs(3)).is_silent(), "muted is digital silence");
        engine.post("/api/actions/mute?on=false");
        thread::sleep(Duration::from_millis(600));
        assert!(!pulse.record(Duration::from_secs(3)).is_silent(), "unmuted is not");

        for round in 0..2 {
            pulse.kill();
            wait_until("the loss to be seen", SETTLE, || {
                engine.get("/api/health")["audio"]["error"].is_string()
            });
            // What is said while nobody plays must hold afterwards; wait longer than the command queue is deep.
            engine.post("/api/actions/mute?on=true");
            thread::sleep(Duration::from_secs(6 * round));
            assert!(pulse.restart());
            let restarted = Instant::now();
            wait_until("the device again", SETTLE, || engine.get("/api/health")["audio"]["ok"] == true);
            let back = restarted.elapsed();
            println!("round {round}: the device was back {back:?} after the server");
            assert!(back < Duration::from_secs(3), "{back:?}");
            thread::sleep(Duration::from_millis(600));
            assert!(pulse.record(Duration::from_secs(1)).is_silent(), "muted while the server was down");
            engine.post("/api/actions/mute?on=false");
            wait_until("sound again", Duration::from_secs(5), || {
                !pulse.record(Duration::from_millis(200)).is_silent()
            });
        }
    });
    assert!(engine.stop().0.success(), "SIGTERM is a clean end");
}
