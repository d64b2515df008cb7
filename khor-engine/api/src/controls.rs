//! The current controls: the music, the volume, and why the sound device is silent.

use khor_music::Scale;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The current controls: the music, the volume, and whether the sound device is silent.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ControlsReport {
    /// Tempo, beats per minute.
    pub bpm: f32,
    /// Tonic, a MIDI note number, 0 to 127.
    pub key_midi: u8,
    /// How many notes play, 0 to 1.
    pub density: f32,
    /// How slowly the music follows the signals, 0 to 1.
    pub smoothing: f32,
    /// Name of the current preset.
    pub preset: String,
    /// The scale of all notes.
    pub scale: Scale,
    /// Volume of the sound device, 0 to 1.
    pub master_gain: f32,
    /// Whether the sound device is silent, for any reason.
    pub muted: bool,
    /// Why the sound device is silent; `null` if it is not.
    pub silence: Option<SilenceReport>,
    /// When the snooze ends, milliseconds since 1970; `null` without a snooze.
    pub snoozed_until_ts_ms: Option<u64>,
    /// When the current quiet hours end, milliseconds since 1970; `null` outside quiet hours.
    pub quiet_until_ts_ms: Option<u64>,
}

/// Why the sound device is silent, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SilenceReport {
    /// The reason that lasts longest.
    pub reason: SilenceReason,
    /// When the silence ends by itself, milliseconds since 1970; `null` if it lasts until somebody
    /// unmutes.
    pub until: Option<u64>,
}

/// What silences the sound device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SilenceReason {
    /// A mute by hand, until somebody unmutes.
    Muted,
    /// A snooze.
    Snoozed,
    /// The quiet hours of the configuration.
    QuietHours,
}
