//! Tests of MIDI and sound through the running kernel's ALSA: its sequencer, and its loopback sound
//! card (snd-aloop). `cargo xtask vm` runs these tests in a virtual machine with a sequencer and a
//! loopback card.
//!
//! The tests measure time, so only one of them runs at a time.

mod clock;
mod engine;
mod notes;
mod recorder;
mod sound;

use std::time::{Duration, Instant};

use khor_e2e::{
    skip::{in_vm, skip_outside_vm},
    wait_until,
};
use khor_music::{Instrument, Layer, Note, Role};
use khor_output::midi::{MidiEvent, MidiOutput, MidiSettings};
use khor_patience::slowness;
use parking_lot::{Mutex, MutexGuard};

use crate::recorder::Recorder;

static SEQUENCER: Mutex<()> = Mutex::new(());
/// How long tests wait for a message that should not arrive.
const SETTLE: Duration = Duration::from_millis(300);

/// Returns a recorder, and a lock that keeps other tests from using the sequencer. If there is no
/// sequencer, skips the test and returns `None`.
fn lock_sequencer() -> Option<(Recorder, MutexGuard<'static, ()>)> {
    let lock_sequencer = SEQUENCER.lock();
    match Recorder::open() {
        Ok(recorder) => Some((recorder, lock_sequencer)),
        Err(error) => {
            skip_outside_vm(&format!("needs the kernel's sequencer (modprobe snd-seq): {error}"));
            None
        }
    }
}

/// Settings that request a port with the name `port`.
fn settings(port: &str, clock: bool) -> MidiSettings {
    MidiSettings { port: port.into(), melody_channel: 1, clock }
}

/// Opens a port of khor, and subscribes `recorder` to it.
fn open(recorder: &mut Recorder, settings: MidiSettings) -> MidiOutput {
    let port = settings.port.clone();
    let output = MidiOutput::start(Some(settings)).expect("a thread");
    wait_until("the port", || output.health().ok);
    recorder.subscribe(&port);
    output
}

/// Sends a note that begins at `onset`.
fn note(output: &MidiOutput, role: Role, midi: u8, onset: Instant, duration: Duration) {
    let note = Note {
        onset_s: 0.0,
        duration_s: duration.as_secs_f32(),
        midi,
        velocity: 0.5,
        pan: 0.0,
        brightness: 0.0,
        role,
        instrument: Instrument::from(role),
        layer: Layer::Voices,
        signal: None,
    };
    output.send(MidiEvent::Note(note, onset));
}

/// Prints how late events arrived, and asserts that the delay is small for this machine. Each pair
/// contains the due time and the actual time.
fn assert_in_time(what: &str, pairs: impl Iterator<Item = (Instant, Instant)>) {
    let late_ms = pairs.map(|(due, actual)| {
        1e3 * if actual >= due { (actual - due).as_secs_f64() } else { -(due - actual).as_secs_f64() }
    });
    let mut late_ms: Vec<f64> = late_ms.collect();
    late_ms.sort_unstable_by(f64::total_cmp);
    let last = late_ms.len().checked_sub(1).expect("at least one");
    let (first, p50, p95, max) = (late_ms[0], late_ms[last / 2], late_ms[last * 95 / 100], late_ms[last]);
    println!(
        "{what}, {} in total: late by {first:.3} ms at least, p50 {p50:.3}, p95 {p95:.3}, max {max:.3}",
        late_ms.len()
    );
    // The kernel's timer ticks every millisecond, so small delays are normal. The limits are higher
    // on a slow machine. A virtual machine stops while its host runs other programs, which delays
    // some events. So the 95th percentile is not checked in a virtual machine.
    let slowness = slowness();
    assert!(first > -2.0 * slowness && p50 < 2.0 * slowness, "{what}: {slowness}");
    assert!(in_vm() || p95 < 3.0 * slowness, "{what}: {slowness}");
}
