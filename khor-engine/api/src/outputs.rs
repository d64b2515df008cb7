//! Types for the outputs in `GET /api/health`: sound, MIDI, OSC and the desktop.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Trouble,
    trouble::{self, TroubleFields},
};

/// The health of one part of khor: whether the part is switched on, and whether it works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct Health {
    /// Whether the part is on in the settings.
    pub enabled: bool,
    /// Whether the part works. False while the part is off, and until it has started.
    pub ok: bool,
    /// Why the part does not work although it is on.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

impl Health {
    /// Returns the health of a part that is on and works.
    pub fn working() -> Self {
        Self { enabled: true, ok: true, trouble: None }
    }

    /// Returns the health of a part that is on and has not started yet.
    pub fn starting() -> Self {
        Self { enabled: true, ..Self::default() }
    }

    /// Returns the health of a part that is off.
    pub fn off() -> Self {
        Self::default()
    }

    /// Returns the health of a part that is on and does not work.
    pub fn failing(error: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { enabled: true, ok: false, trouble: Some(Trouble::new(error, fix)) }
    }

    /// The error; `None` if there is no error.
    pub fn error(&self) -> Option<&str> {
        self.trouble.as_ref().map(|trouble| trouble.error.as_str())
    }

    /// How to fix the error; `None` if there is no error, or if khor knows no fix.
    pub fn fix(&self) -> Option<&str> {
        self.trouble.as_ref()?.fix.as_deref()
    }
}

/// The sound device.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct AudioReport {
    /// Whether the sound output is on and works.
    #[serde(flatten)]
    pub health: Health,
    /// The system through which khor plays, such as `pulseaudio` or `alsa`; `null` while no device
    /// is open.
    pub backend: Option<String>,
    /// Display name of the device; `null` while no device is open.
    pub device: Option<String>,
    /// Sample rate of the device, Hz; `null` while no device is open.
    pub sample_rate_hz: Option<u32>,
    /// Whether the device is muted: manually, by a snooze or by quiet hours. `controls.silence` in
    /// `GET /api/metrics` has the reason.
    pub muted: bool,
    /// Number of times that khor has reopened the sound device since the engine started.
    pub restarts: u32,
    /// Number of underruns (gaps in the sound) since the engine started; `null` if the backend does
    /// not report underruns. A sound server never reports them.
    pub xruns: Option<u64>,
    /// The scheduling priority of the audio thread; `null` until the system has answered khor's
    /// request for real-time priority.
    pub priority: Option<Priority>,
    /// Time that the synth needs to compute a block of sound, divided by the duration of the block.
    /// Above 1, the synth is too slow.
    pub callback_load: f32,
    /// Time from the onset of a note until the note sounds, milliseconds, as the backend reports
    /// it; `null` while nothing plays.
    pub latency_ms: Option<f32>,
    /// Highest amplitude in the recent sound, 0 to 1.
    pub peak: f32,
    /// Number of synth voices that are sounding, 0 to `voice_limit`.
    pub voices: u32,
    /// Largest number of synth voices that can sound at the same time: 24, or fewer while the
    /// processor is too slow.
    pub voice_limit: u32,
    /// Number of notes that khor has dropped since the engine started. khor drops a note if the
    /// synth has no free voice, or if the note is too late for every output.
    pub dropped_notes: u64,
}

/// The scheduling priority of the audio thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct Priority {
    /// Whether the thread has real-time priority.
    pub real_time: bool,
    /// Which service granted real-time priority; `null` if the thread does not have it.
    pub granted_by: Option<Granter>,
    /// Why the thread has no real-time priority.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

/// The service that granted real-time priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Granter {
    /// The kernel, because of the limit `RTPRIO` or the capability `CAP_SYS_NICE`.
    Limits,
    /// rtkit, the desktop's service for real-time priority.
    Rtkit,
}

/// The MIDI output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct MidiReport {
    /// Whether the MIDI output is on and works.
    #[serde(flatten)]
    pub health: Health,
    /// Name of khor's port in the ALSA sequencer.
    pub port: String,
    /// MIDI channel of the melody, 1 to 16.
    pub channel: u8,
}

/// The OSC output, and the OSC input in the field `receive`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct OscReport {
    /// Whether the OSC output is on and khor can send to every target.
    #[serde(flatten)]
    pub health: Health,
    /// Host of the first OSC target: a name or an IP address.
    pub host: String,
    /// UDP port of the first OSC target.
    pub port: u16,
    /// All OSC targets, each with its own health.
    pub targets: Vec<TargetHealth>,
    /// The OSC input.
    pub receive: ReceiveReport,
}

/// One target of the OSC output.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct TargetHealth {
    /// The target, `host:port`.
    pub target: String,
    /// Whether khor can send to the target: the target's host name has an address, and the last
    /// send succeeded. UDP does not report whether a datagram arrives.
    pub ok: bool,
    /// Why khor cannot send to the target; `null` if khor can, or has not tried yet.
    pub error: Option<String>,
}

/// The OSC input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct ReceiveReport {
    /// The health of the OSC input, and the number of messages that it received.
    #[serde(flatten)]
    pub input: OscInputHealth,
    /// UDP port on which khor receives OSC.
    pub port: u16,
}

/// The health of the OSC input, and the number of messages that it received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct OscInputHealth {
    /// Whether khor receives OSC.
    #[serde(flatten)]
    pub health: Health,
    /// Number of OSC messages that khor has received since the engine started.
    pub messages: u64,
    /// Number of OSC packets and messages that khor has rejected since the engine started.
    pub refused: u64,
    /// Why khor rejected the last OSC packet or message; `null` if it rejected none.
    pub last_refusal: Option<String>,
}

/// The health of khor's services on the session bus: the overall health, and the health of each
/// service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct DesktopReport {
    /// The overall health of the services.
    #[serde(flatten)]
    pub health: Health,
    /// The health of each service.
    #[serde(flatten)]
    pub parts: DesktopHealth,
}

/// The health of each of khor's services on the session bus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct DesktopHealth {
    /// The D-Bus service `org.khor.Engine`.
    pub bus: Health,
    /// The media player (MPRIS), for desktops and media keys.
    pub mpris: Health,
    /// The desktop notifications.
    pub notifications: Health,
}
