//! Types of `GET /api/fleet`: the hosts of the current site.

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
    /// Whether khor receives the site's messages.
    pub ok: bool,
    /// Why khor does not receive the site's messages, or why there is no site.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
    /// The only host that plays, if the setting `site.host` selects one; `null` if all hosts play.
    pub alone: Option<SingleHostReport>,
    /// The current value of the setting `site.mode`, which selects the hosts that play.
    #[serde(default)]
    pub mode: SiteMode,
    /// Why khor cannot play in the requested mode; `null` if khor plays in this mode.
    pub remark: Option<String>,
    /// Names of the soloists: the one or two hosts whose voices play, the largest deviation first.
    pub soloists: Vec<String>,
    /// The sections that have their own pulse.
    #[serde(default)]
    pub sections: Vec<SectionReport>,
    /// Number of turns in the roll call, the mode in which the hosts play one after another; 0 in
    /// other modes.
    #[serde(default)]
    pub turns: usize,
    /// The hosts, sorted by deviation with the largest first; silent hosts are at the end. From a
    /// sub-site, the list contains only the hosts that stand out.
    pub hosts: Vec<HostReport>,
    /// The sub-sites, sorted by name. A sub-site is a site within this site. Its aggregators send
    /// sums over its hosts instead of every host.
    #[serde(default)]
    pub sites: Vec<SubSiteReport>,
    /// Number of hosts that are sending messages, including the hosts of sub-sites.
    pub live: u32,
    /// Number of hosts that have stopped sending messages, including the hosts of sub-sites.
    #[serde(default)]
    pub silent: u32,
    /// Number of hosts that run each version of the relay.
    #[serde(default)]
    pub versions: BTreeMap<String, u64>,
    /// Number of rejected messages, by reason.
    #[serde(default)]
    pub refused: RefusedMessages,
}

/// The only host of a site that plays. khor plays it as if it were this machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SingleHostReport {
    /// Name of the host.
    pub host: String,
    /// Whether the host is playing now.
    #[serde(default)]
    pub ok: bool,
    /// Why the host does not play.
    #[serde(flatten, with = "trouble")]
    #[schemars(with = "TroubleFields")]
    pub trouble: Option<Trouble>,
}

/// A section of the site that has its own pulse.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct SectionReport {
    /// Name of the section; `null` for the remaining sections, which share one pulse.
    pub name: Option<String>,
    /// Number of hosts in the section.
    pub hosts: usize,
    /// The timbre of the section's pulse.
    pub timbre: Role,
    /// Lowest and highest note of the section, MIDI note numbers.
    pub register: Register,
    /// The section's position between the loudspeakers, -1 (left) to 1 (right).
    pub pan: f32,
}

/// Whether a host or a sub-site sends messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HostState {
    /// The host or sub-site is sending messages.
    Live,
    /// The host or sub-site has stopped sending messages.
    Silent,
}

/// One host of the site.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct HostReport {
    /// Name of the host, unique within the site.
    pub name: String,
    /// Section of the host; `null` for a host without a section.
    pub section: Option<String>,
    /// The sub-site that reported the host; `null` if the host's own relay reported it.
    pub via: Option<String>,
    /// Whether the host is sending messages.
    pub state: HostState,
    /// The host's largest deviation from its own baseline, in octaves; `null` if the host is silent
    /// or has no signal.
    pub deviation: Option<f32>,
    /// Name of the signal with the largest deviation; `null` if `deviation` is `null`.
    pub signal: Option<String>,
    /// Age of the host's last message, milliseconds.
    pub seen_ms_ago: u64,
    /// Share of the host's baseline that is learned, 0 to 1.
    #[serde(default)]
    pub learnt: f32,
    /// Where the host's counts come from: `collector`, `proc`, `demo` or `unknown`.
    #[serde(default)]
    pub source: String,
    /// Version of the host's relay.
    #[serde(default)]
    pub version: String,
    /// This machine's clock minus the host's clock, plus the travel time of the message,
    /// milliseconds. Negative if the host's clock is ahead.
    pub clock_behind_ms: i64,
    /// Whether the clocks of the host and of this machine differ by more than 2 s.
    pub clock_off: bool,
    /// Number of the host's frames that did not arrive.
    #[serde(default)]
    pub missed_frames: u64,
    /// Number of the host's frames that arrived after a newer frame.
    #[serde(default)]
    pub late_frames: u64,
    /// Number of rejected messages under the host's NATS subject.
    #[serde(default)]
    pub refused_messages: u64,
    /// Why khor rejected the last message under the host's NATS subject; `null` if it rejected
    /// none.
    pub refusal: Option<String>,
    /// Why khor drops a lane that the host adds; `null` if khor drops no lane of this host.
    #[serde(default)]
    pub left_out: Option<String>,
    /// Whether two relays use the name of this host.
    pub used_twice: bool,
}

/// A sub-site: a site within this site. Its aggregators send sums over its hosts.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct SubSiteReport {
    /// Name of the sub-site.
    pub name: String,
    /// Whether the sub-site's aggregators are sending messages.
    pub state: HostState,
    /// Number of hosts of the sub-site that are sending messages.
    pub live: u32,
    /// Number of hosts of the sub-site that have stopped sending messages.
    pub silent: u32,
    /// Number of messages that the sub-site's aggregators rejected.
    pub refused: u64,
    /// Number of aggregators that are sending the sums of the sub-site.
    pub aggregators: u32,
    /// Largest relative error of any value of the whole sub-site, 0 to 1.
    pub relative_error: f64,
    /// Largest relative error of any value of a section, 0 to 1; `null` if the sub-site has no
    /// sections.
    pub section_relative_error: Option<f64>,
    /// Age of the sub-site's last message, milliseconds.
    pub seen_ms_ago: u64,
}

/// Number of messages that khor has rejected since it started, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct RefusedMessages {
    /// Messages that exceed the maximum length of a message.
    pub oversized: u64,
    /// Messages that are not in khor's format.
    pub foreign: u64,
    /// Messages with an unknown major version of the protocol.
    pub version: u64,
    /// Messages that are incomplete or contain impossible values.
    pub malformed: u64,
    /// Messages that a relay published under another host's NATS subject.
    pub misdirected: u64,
    /// Messages that arrived after a newer message.
    pub late: u64,
    /// Messages of a relay that uses another relay's name.
    pub duplicate: u64,
    /// Messages of new hosts, sub-sites or relays that arrived when the maximum number of these had
    /// already been reached.
    pub crowded: u64,
    /// Cues that a host sent faster than its rate limit allows.
    pub flooded: u64,
    /// Frames of a sub-site that itself has sub-sites. An aggregator accepts no sub-sites, so it
    /// counts the frames of every sub-site here.
    pub nested: u64,
    /// Why khor rejected the last message; `null` if it rejected none.
    pub last: Option<String>,
}
