//! The settings that switch parts of khor on and off.

use crate::{Access, Rule, definition::section};

section! {
    /// Which parts of khor are on.
    #[derive(Copy, Eq)]
    Features, FeaturesPatch {
        /// Use the collector. If this is off, khor reads only `/proc`.
        bpf: bool = true, Rule::Any, Access::Api;
        /// Play the music on a sound device.
        audio: bool = true, Rule::Any, Access::Api;
        /// Send the notes by MIDI.
        midi: bool = false, Rule::Any, Access::Api;
        /// Send the notes and signals by OSC.
        osc: bool = false, Rule::Any, Access::Api;
        /// Play the synthetic demo source instead of this machine.
        fake: bool = false, Rule::Any, Access::Api;
    }
}
