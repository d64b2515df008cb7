//! The switches of khor's parts.

use crate::{Access, Rule, definition::section};

section! {
    /// Which parts run.
    #[derive(Copy, Eq)]
    Features, FeaturesPatch {
        /// Use the collector. Without it, khor reads only `/proc`.
        bpf: bool = true, Rule::Any, Access::Api;
        /// Play on a sound device.
        audio: bool = true, Rule::Any, Access::Api;
        /// Send MIDI.
        midi: bool = false, Rule::Any, Access::Api;
        /// Send OSC.
        osc: bool = false, Rule::Any, Access::Api;
        /// Play the synthetic demo source instead of this machine.
        fake: bool = false, Rule::Any, Access::Api;
    }
}
