//! The current controls: the settings of the music, the volume, and the mute.

use khor_music::Scale;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The current controls: the settings of the music, the volume, and the mute.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ControlsReport {
    /// Tempo, beats per minute.
    pub bpm: f32,
    /// Tonic, a MIDI note number, 0 to 127.
    pub key_midi: u8,
    /// How many notes the machine's activity causes, 0 (few) to 1 (many).
    pub density: f32,
    /// How slowly the music follows the signals, 0 (immediately) to 1 (slowly).
    pub smoothing: f32,
    /// Name of the current preset.
    pub preset: String,
    /// The musical scale of all notes.
    pub scale: Scale,
    /// Volume of the sound device, 0 to 1.
    pub master_gain: f32,
    /// Whether the sound device is muted: manually, by a snooze or by quiet hours.
    pub muted: bool,
    /// Why the sound device is muted; `null` if it is not muted.
    pub silence: Option<SilenceReport>,
    /// When the snooze ends, milliseconds since 1970; `null` without a snooze.
    pub snoozed_until_ts_ms: Option<u64>,
    /// When the current quiet hours end, milliseconds since 1970; `null` outside quiet hours.
    pub quiet_until_ts_ms: Option<u64>,
}

/// Why the sound device is muted, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SilenceReport {
    /// The reason for the mute. If there are several reasons, this is the reason that ends last.
    pub reason: SilenceReason,
    /// When the mute ends by itself, milliseconds since 1970; `null` if only a client or the user
    /// can end the mute.
    pub until: Option<u64>,
}

/// Why the sound device is muted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SilenceReason {
    /// A manual mute. It lasts until a client or the user unmutes the device.
    Muted,
    /// A snooze: a mute for some minutes.
    Snoozed,
    /// The quiet hours, which the settings define.
    QuietHours,
}
