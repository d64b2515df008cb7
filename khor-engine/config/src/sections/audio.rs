//! The settings of the sound device.

use super::rules::SHARE;
use crate::{
    Access, Rule, TextRule,
    definition::{is_name, section},
};

section! {
    /// The sound device.
    Audio, AudioPatch {
        /// System through which khor plays: `pulseaudio` or `alsa`. Empty selects the first one
        /// that works.
        backend: String = String::new(), BACKEND, Access::Api;
        /// Id of the sound device (`id:…`), as `khor devices` lists it. Empty selects the default
        /// device.
        device: String = String::new(), DEVICE, Access::Api;
        /// Sample rate that khor requests, hertz. The device may use another rate.
        sample_rate: u32 = 48_000, Rule::Range(8_000.0, 192_000.0), Access::Api;
        /// Volume of the sound device and of recordings, 0 (silent) to 1.
        master_gain: f32 = 0.5, SHARE, Access::Anyone;
        /// Loudness of an idle machine's music at volume 0.5, LUFS.
        loudness_lufs: i8 = -23, Rule::Numbers(&[-23, -18, -16]), Access::Anyone;
    }
}

const BACKEND: Rule = Rule::Text(&TextRule {
    max_chars: 64,
    form: "pulseaudio, alsa, or empty for the first one that works",
    choices: &["", "pulseaudio", "alsa"],
    ..TextRule::FREE
});
const DEVICE: Rule = Rule::Text(&TextRule {
    max_chars: 512,
    form: "an id from khor devices (id:…), or empty for the default device",
    pattern: Some("^(id:.*)?$"),
    is_valid: |text| text.is_empty() || (text.starts_with("id:") && is_name(text)),
    ..TextRule::FREE
});
