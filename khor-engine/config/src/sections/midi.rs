//! The settings of MIDI output.

use super::rules::NAME;
use crate::{Access, Rule, definition::section};

section! {
    /// MIDI output.
    Midi, MidiPatch {
        /// Name of the ALSA sequencer port.
        port: String = "khor".into(), NAME, Access::Api;
        /// Channel of the melody. The other roles have fixed channels.
        channel: u8 = 1, Rule::Range(1.0, 16.0), Access::Api;
        /// Send MIDI clock, start and stop: 24 clocks in a quarter note, from the next bar line on.
        clock: bool = false, Rule::Any, Access::Api;
    }
}
