//! The settings of the sound device.

use super::rules::SHARE;
use crate::{
    Access, Rule, TextRule,
    definition::{is_name, section},
};

section! {
    /// The sound device.
    Audio, AudioPatch {
        /// Sound server: `pulseaudio`, `alsa`, or empty for the first that answers.
        backend: String = String::new(), BACKEND, Access::Api;
        /// Sound device: `id:…` as listed by `khor devices`, or empty for the default device.
        device: String = String::new(), DEVICE, Access::Api;
        /// Sample rate that khor requests, hertz. The device may use another.
        sample_rate: u32 = 48_000, Rule::Range(8_000.0, 192_000.0), Access::Api;
        /// Volume of the sound device and of recordings.
        master_gain: f32 = 0.5, SHARE, Access::Anyone;
        /// Loudness of an idle machine's music at volume 0.5, LUFS.
        loudness_lufs: i8 = -23, Rule::Numbers(&[-23, -18, -16]), Access::Anyone;
    }
}

const BACKEND: Rule = Rule::Text(&TextRule {
    max_chars: 64,
    form: "pulseaudio, alsa, or empty for the first that answers",
    choices: &["", "pulseaudio", "alsa"],
    ..TextRule::FREE
});
const DEVICE: Rule = Rule::Text(&TextRule {
    max_chars: 512,
    form: "an id as khor devices lists them (id:…), or empty for the default device",
    pattern: Some("^(id:.*)?$"),
    is_valid: |text| text.is_empty() || (text.starts_with("id:") && is_name(text)),
    ..TextRule::FREE
});
