//! `GET /api/fleet`: the hosts of the current site.

use std::collections::BTreeMap;

use khor_music::{Register, Role, SiteMode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Trouble,
    trouble::{self, TroubleFields},
};

/// The hosts of the current site.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct FleetReport {
    /// Name of the site; `null` if no site is the source.
    pub site: Option<String>,
    /// Whether the site's messages arrive.
    pub ok: bool,
    /// Why they do not arrive, or why there is no site.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
    /// The single host that plays as if it were this machine; `null` if all hosts play.
    pub alone: Option<SingleHostReport>,
    /// Which hosts of the site play: the setting `site.mode`.
    #[serde(default)]
    pub mode: SiteMode,
    /// Why khor cannot play `mode` exactly as requested; `null` if it can.
    pub remark: Option<String>,
    /// Names of the one or two hosts that have the voices, the largest deviation first.
    pub soloists: Vec<String>,
    /// Sections that have a pulse of their own.
    #[serde(default)]
    pub sections: Vec<SectionReport>,
    /// Turns of the roll call; 0 in other modes.
    #[serde(default)]
    pub turns: usize,
    /// The hosts, the largest deviation first, silent hosts last. For sites within the site, the
    /// list has only the hosts that stand out.
    pub hosts: Vec<HostReport>,
    /// Sites within the site, by name.
    #[serde(default)]
    pub sites: Vec<SubSiteReport>,
    /// Number of hosts that send, including hosts of the sites within the site.
    pub live: u32,
    /// Number of hosts that have stopped sending, including hosts of the sites within the site.
    #[serde(default)]
    pub silent: u32,
    /// Number of hosts by the version of their relay.
    #[serde(default)]
    pub versions: BTreeMap<String, u64>,
    /// Messages that were rejected.
    #[serde(default)]
    pub refused: RefusedMessages,
}

/// The single host that plays as if it were this machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SingleHostReport {
    /// Name of the host.
    pub host: String,
    /// Whether the host plays now.
    #[serde(default)]
    pub ok: bool,
    /// Why the host does not play.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

/// A section that has a pulse of its own.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct SectionReport {
    /// Name of the section; `null` for the hosts of all other sections.
    pub name: Option<String>,
    /// Number of its hosts.
    pub hosts: usize,
    /// The timbre of its pulse.
    pub timbre: Role,
    /// The range of its notes, MIDI note numbers.
    pub register: Register,
    /// Its position, -1 (left) to 1 (right).
    pub pan: f32,
}

/// Whether a host or a site sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HostState {
    /// It sends.
    Live,
    /// It has stopped sending.
    Silent,
}

/// One host of the site.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct HostReport {
    /// Name of the host, unique within the site.
    pub name: String,
    /// Its section; `null` for a host without one.
    pub section: Option<String>,
    /// The site within the site that reported the host; `null` if its own relay did.
    pub via: Option<String>,
    /// Whether the host sends.
    pub state: HostState,
    /// Its largest deviation from its own baseline, octaves; `null` if the host is silent or has no
    /// signal.
    pub deviation: Option<f32>,
    /// Name of the signal with this deviation; `null` if `deviation` is `null`.
    pub signal: Option<String>,
    /// Age of its last message, milliseconds.
    pub seen_ms_ago: u64,
    /// How much of its baseline is learned, 0 to 1.
    #[serde(default)]
    pub learnt: f32,
    /// Where its counts come from: `collector`, `proc`, `demo` or `unknown`.
    #[serde(default)]
    pub source: String,
    /// Version of its relay.
    #[serde(default)]
    pub version: String,
    /// This machine's clock minus the host's clock, plus the travel time of the message,
    /// milliseconds.
    pub clock_behind_ms: i64,
    /// Whether the clocks differ by more than 2 s.
    pub clock_off: bool,
    /// Frames of the host that did not arrive.
    #[serde(default)]
    pub missed_frames: u64,
    /// Frames of the host that arrived too late.
    #[serde(default)]
    pub late_frames: u64,
    /// Messages under the host's subject that were rejected.
    #[serde(default)]
    pub refused_messages: u64,
    /// Why the last of these was rejected; `null` if none was.
    pub refusal: Option<String>,
    /// Why khor drops an added lane of the host; `null` if it drops none.
    #[serde(default)]
    pub left_out: Option<String>,
    /// Whether two relays use the host's name.
    pub used_twice: bool,
}

/// A site within the site.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct SubSiteReport {
    /// Name of the site.
    pub name: String,
    /// Whether its aggregators send.
    pub state: HostState,
    /// Number of its hosts that send.
    pub live: u32,
    /// Number of its hosts that have stopped sending.
    pub silent: u32,
    /// Messages that its aggregators rejected.
    pub refused: u64,
    /// Number of aggregators that send for the site.
    pub aggregators: u32,
    /// Largest relative error of the site's sums, 0 to 1.
    pub relative_error: f64,
    /// Largest relative error of its sections' sums, 0 to 1; `null` without sections.
    pub section_relative_error: Option<f64>,
    /// Age of its last message, milliseconds.
    pub seen_ms_ago: u64,
}

/// Messages that were rejected since the program started, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct RefusedMessages {
    /// Longer than the longest message of khor.
    pub oversized: u64,
    /// Not messages of khor.
    pub foreign: u64,
    /// With an unknown major version.
    pub version: u64,
    /// Broken, or with meaningless values.
    pub malformed: u64,
    /// Sent under another host's subject.
    pub misdirected: u64,
    /// Older than a message that arrived before.
    pub late: u64,
    /// From a relay that uses another relay's name.
    pub duplicate: u64,
    /// From hosts, sites or relays above their limit.
    pub crowded: u64,
    /// Cues above the limit of a host.
    pub flooded: u64,
    /// Frames of sites that contain sites, and frames of sites at a relay that aggregates.
    pub nested: u64,
    /// Why the last message was rejected; `null` if none was.
    pub last: Option<String>,
}
