//! Measures how quickly khor recovers from a restart of the sound server or the collector, and the
//! time from a crash to its note.

use super::row::Promise;

pub(super) const TITLE: &str = "recovery";

pub(super) fn promise(name: &str) -> Option<Promise> {
    match name {
        "PulseAudio restart, time to sound" | "PipeWire restart, time to sound" => {
            Some(Promise::AtMost(3000.0))
        }
        "collector restart, time to counts" => Some(Promise::AtMost(1000.0)),
        "collector stop, time to exit" => Some(Promise::AtMost(500.0)),
        // The note starts on the next beat, which is up to 545 ms away at 110 bpm. The remaining 55
        // ms cover the time by which notes are composed in advance.
        "crash, time to its note's onset" => Some(Promise::AtMost(600.0)),
        _ => None,
    }
}
