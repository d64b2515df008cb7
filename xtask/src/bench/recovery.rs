//! Measures the recovery after a restart of the sound server or the collector, and the time from a
//! crash to its note.

use super::row::Promise;

pub(super) const TITLE: &str = "recovery";

pub(super) fn promise(name: &str) -> Option<Promise> {
    match name {
        "PulseAudio restarted to sound" | "PipeWire restarted to sound" => Some(Promise::AtMost(3000.0)),
        "collector restarted to its counts" => Some(Promise::AtMost(1000.0)),
        "collector's stop signal to its exit" => Some(Promise::AtMost(500.0)),
        // A beat at 110 bpm takes 545 ms. Notes are also composed some time in advance.
        "crash to the onset of its note" => Some(Promise::AtMost(600.0)),
        _ => None,
    }
}
