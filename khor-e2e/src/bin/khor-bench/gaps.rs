//! Counts gaps in the sound while all processors are busy. Compares the sound server's output with
//! the synth's output, which a client of `/api/listen.wav` receives. After a gap in the server's
//! output, its sound lags behind the client's. After a loss in the client's copy, the server's
//! sound is ahead.

use std::{
    process::{Child, Command},
    thread,
    time::Duration,
};

use khor_e2e::{Engine, Pulse, pulse::SoundRecording, wait_until};

use crate::figure::Figure;

const NAME: &str = "gaps in ten minutes of sound, every processor busy";
const LENGTH: Duration = Duration::from_mins(10);
const NO_SOCKET: &str = "/nonexistent/collector.sock";
/// Time from the start of one compared piece to the start of the next, seconds.
const EVERY_S: f64 = 1.0;
/// Length of a compared piece.
const PIECE: Duration = Duration::from_millis(100);
/// Each piece is expected at the same shift as the previous piece. If it is not there, it is
/// searched up to this many seconds before and after that place.
const FARTHEST_S: f64 = 3.0;
/// Largest difference between samples that are equal except for rounding.
const TOLERANCE: u16 = 2;

/// Busy loops with a lower priority than the engine, one for each processor; killed when dropped.
struct Hogs(Vec<Child>);

impl Hogs {
    fn start() -> Self {
        let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let hog = || Command::new("nice").args(["-n", "10", "sh", "-c", "while :; do :; done"]).spawn();
        Self((0..processors).filter_map(|_| hog().ok()).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            let _ = hog.kill();
            let _ = hog.wait();
        }
    }
}

pub(crate) fn measure() -> Vec<Figure> {
    let Some(pulse) = Pulse::start() else {
        return vec![Figure::missing(NAME, "", "PulseAudio is not installed")];
    };
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake"], &pulse.environment());
    wait_until("the sound device to play", || engine.health().audio.health.ok);
    let hogs = Hogs::start();
    let (received, played) = thread::scope(|scope| {
        let played = scope.spawn(|| pulse.record(LENGTH + Duration::from_secs(2)));
        (engine.listen(LENGTH), played.join().expect("the thread of the recording"))
    });
    drop(hogs);
    let health = engine.get("/api/health");
    let limit = health["audio"]["voice_limit"].as_f64().unwrap_or_default();
    match compare(&received, &played) {
        Some(Moves { gaps, lost, compared }) => vec![
            Figure::new(NAME, "", vec![gaps.len() as f64]),
            Figure::new("  length of the gaps", "ms", gaps.iter().map(|gap| gap.length_s * 1e3).collect()),
            Figure::new("  time of the gaps", "s", gaps.iter().map(|gap| gap.at_s).collect()),
            Figure::new("  pieces compared", "", vec![compared as f64]),
            Figure::new("  losses of the listener", "", vec![lost as f64]),
            Figure::new("  voices that may sound at the end", "", vec![limit]),
        ],
        None => vec![Figure::missing(NAME, "", "the device's sound does not contain the listener's sound")],
    }
}

/// A gap in the device's sound.
struct Gap {
    /// Time from the start of the listener's recording to the gap, accurate to [`EVERY_S`].
    at_s: f64,
    length_s: f64,
}

#[derive(Default)]
/// The result of a comparison: gaps in the device's sound, losses in the listener's sound, and the
/// number of compared pieces.
struct Moves {
    gaps: Vec<Gap>,
    lost: usize,
    compared: usize,
}

/// Finds each piece of the listener's sound in the device's sound.
fn compare(received: &SoundRecording, played: &SoundRecording) -> Option<Moves> {
    let mut moves = Moves::default();
    let mut lag_s: Option<f64> = None;
    let mut at_s = EVERY_S;
    while at_s + PIECE.as_secs_f64() < received.seconds() - FARTHEST_S {
        let piece = received.part(at_s, PIECE);
        if !piece.is_silent() {
            let around_s = at_s + lag_s.unwrap_or(0.0);
            let still = lag_s.and_then(|_| played.find(&piece, around_s..around_s, TOLERANCE));
            let moved = || played.find(&piece, around_s - FARTHEST_S..around_s + FARTHEST_S, TOLERANCE);
            let found_s = still.or_else(moved)?;
            match lag_s.replace(found_s - at_s) {
                Some(before_s) if found_s - at_s > before_s + 1e-6 => {
                    moves.gaps.push(Gap { at_s, length_s: found_s - at_s - before_s });
                }
                Some(before_s) if found_s - at_s < before_s - 1e-6 => moves.lost += 1,
                _ => {}
            }
            moves.compared += 1;
        }
        at_s += EVERY_S;
    }
    lag_s.map(|_| moves)
}
