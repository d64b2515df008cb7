//! The outputs' parts of `GET /api/health`: sound, MIDI, OSC and the desktop.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Trouble,
    trouble::{self, TroubleFields},
};

/// Whether a part is on, and whether it works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct Health {
    /// Whether the settings switch it on.
    pub enabled: bool,
    /// Whether it works. False while it is off, and until it has started.
    pub ok: bool,
    /// Why it does not work although it is on.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

impl Health {
    /// The health of a part that is on and works.
    pub fn working() -> Self {
        Self { enabled: true, ok: true, trouble: None }
    }

    /// The health of a part that is on and has not worked or failed yet.
    pub fn starting() -> Self {
        Self { enabled: true, ..Self::default() }
    }

    /// The health of a part that is off.
    pub fn off() -> Self {
        Self::default()
    }

    /// The health of a part that is on and does not work.
    pub fn failing(error: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { enabled: true, ok: false, trouble: Some(Trouble::new(error, fix)) }
    }

    /// The error; `None` without trouble.
    pub fn error(&self) -> Option<&str> {
        self.trouble.as_ref().map(|trouble| trouble.error.as_str())
    }

    /// The fix; `None` without trouble, or if khor knows no fix.
    pub fn fix(&self) -> Option<&str> {
        self.trouble.as_ref()?.fix.as_deref()
    }
}

/// The sound device.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct AudioReport {
    /// Whether the sound device is on and plays.
    #[serde(flatten)]
    pub health: Health,
    /// How khor reaches the device: `pulseaudio`, `alsa` and the like; `null` while none is open.
    pub backend: Option<String>,
    /// The device's name for people; `null` while none is open.
    pub device: Option<String>,
    /// Frames per second; `null` while no device is open.
    pub sample_rate_hz: Option<u32>,
    /// Whether the device is silent, for any reason. `controls.silence` of the metrics has the
    /// reason.
    pub muted: bool,
    /// How often khor reopened the sound device since the engine started.
    pub restarts: u32,
    /// Gaps in the sound that the backend reported since the engine started; `null` if the backend
    /// does not report gaps. Sound servers do not report gaps to khor.
    pub xruns: Option<u64>,
    /// The priority of the thread that plays; `null` until the system has answered.
    pub priority: Option<Priority>,
    /// Time that the synth needs for a block, as a share of the block's length. Above 1, the synth
    /// is too slow.
    pub callback_load: f32,
    /// Time from a note's onset to its sound, as the backend reports it, milliseconds; `null` while
    /// nothing plays.
    pub latency_ms: Option<f32>,
    /// Highest recent sample, 0 to 1.
    pub peak: f32,
    /// Voices that sound now, 0 to `voice_limit`.
    pub voices: u32,
    /// Largest number of voices at once. It is below 24 while the processor is too slow for all
    /// voices.
    pub voice_limit: u32,
    /// Notes that were dropped since the engine started: notes for which the synth had no voice,
    /// and notes that were too late for every output.
    pub dropped_notes: u64,
}

/// The scheduling priority of the thread that plays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct Priority {
    /// Whether the thread has real-time priority.
    pub real_time: bool,
    /// What granted the priority; `null` without real-time priority.
    pub granted_by: Option<Granter>,
    /// Why the thread has no real-time priority.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

/// What granted real-time priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Granter {
    /// The kernel, by the limit `RTPRIO` or by `CAP_SYS_NICE`.
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
    /// Name of the sequencer port.
    pub port: String,
    /// MIDI channel of the melody, 1 to 16.
    pub channel: u8,
}

/// The OSC output, and the OSC input as `receive`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct OscReport {
    /// Whether the OSC output is on and khor can send to every target.
    #[serde(flatten)]
    pub health: Health,
    /// Host of the first target: a name or an IP address.
    pub host: String,
    /// UDP port of the first target.
    pub port: u16,
    /// All targets, each with its own health.
    pub targets: Vec<TargetHealth>,
    /// The OSC input.
    pub receive: ReceiveReport,
}

/// One target of the OSC output.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct TargetHealth {
    /// The target, `host:port`.
    pub target: String,
    /// Whether khor can send to the target: its host has an address, and khor could send the last
    /// datagram. UDP does not report whether a datagram arrived.
    pub ok: bool,
    /// Why khor cannot send to the target; `null` if it can, or if the reason is not known yet.
    pub error: Option<String>,
}

/// The OSC input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct ReceiveReport {
    /// The health of the input, and what it received.
    #[serde(flatten)]
    pub input: OscInputHealth,
    /// UDP port on which khor receives.
    pub port: u16,
}

/// The health of the OSC input, and what it received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct OscInputHealth {
    /// Whether khor receives OSC.
    #[serde(flatten)]
    pub health: Health,
    /// Messages that were received since the engine started.
    pub messages: u64,
    /// Packets and messages that were rejected since the engine started.
    pub refused: u64,
    /// Why the last of these was rejected; `null` if none was.
    pub last_refusal: Option<String>,
}

/// khor's parts on the session bus, together and one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct DesktopReport {
    /// The health of all parts together.
    #[serde(flatten)]
    pub health: Health,
    /// The health of each part.
    #[serde(flatten)]
    pub parts: DesktopHealth,
}

/// The health of each of khor's parts on the session bus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct DesktopHealth {
    /// The D-Bus service `org.khor.Engine`.
    pub bus: Health,
    /// The media player (MPRIS) for desktops and media keys.
    pub mpris: Health,
    /// Desktop notifications.
    pub notifications: Health,
}
