//! The settings of MIDI output.

use super::rules::NAME;
use crate::{Access, Rule, definition::section};

section! {
    /// MIDI output.
    Midi, MidiPatch {
        /// Name of khor's port in the ALSA sequencer.
        port: String = "khor".into(), NAME, Access::Api;
        /// MIDI channel of the melody. All other roles have fixed channels.
        channel: u8 = 1, Rule::Range(1.0, 16.0), Access::Api;
        /// Send MIDI clock (24 per quarter note), start and stop. The clock starts at a bar line.
        clock: bool = false, Rule::Any, Access::Api;
    }
}
