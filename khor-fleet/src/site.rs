//! A site frame: the sum over the frames of a site's hosts, published by a relay that aggregates.

use serde::{Deserialize, Serialize};

use crate::{
    name::Name,
    sketch::{MAX_PARTS, Sketch},
    wire::{MAX_READ_SITE_BYTES, MAX_SITE_BYTES, Message},
};

/// The sum over the frames of a site's hosts since the previous site frame.
///
/// Several relays may share one site, and a reader may receive several sites. A reader adds the
/// sketches of all their frames, in any order. Each frame of a host counts in exactly one site
/// frame. So the result is the same as if one relay had received all hosts.
///
/// Only the sketches are approximate. Their error is the
/// [`relative_error`](crate::sketch::relative_error) of [`Self::parts`], and in sections the
/// relative error of [`Sections::parts`]. The frames of [`Self::deviant`] hosts are unchanged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SiteFrame {
    /// The name of the site. It must equal the name in the message's NATS subject.
    pub site: Name,
    /// A random number that the relay chooses at its start, because several relays may report one
    /// site.
    pub instance: u32,
    /// Number of this frame since the relay started, from 0.
    pub seq: u64,
    /// Wall clock, milliseconds since 1970.
    pub wall_ms: u64,
    /// Length of time that the sum covers, milliseconds.
    pub window_ms: u32,
    /// Version of the relay, at most 16 bytes.
    pub version: String,
    /// Always [`Self::LEVELS`]: the site contains hosts, but no sites. khor rejects frames with
    /// another value.
    pub levels: u8,
    /// Number of hosts of the whole site that send, as far as the relay knows.
    pub hosts: u32,
    /// Number of hosts of the whole site that have stopped sending, as far as the relay knows.
    pub silent: u32,
    /// Number of messages that this relay has rejected since it started.
    pub refused: u64,
    /// Number of bins in each doubling of a value in the sketches: 1, 2, 4, 8 or 16.
    pub parts: u8,
    /// The share of its baselines that each host has learned, as a sketch.
    pub learnt: Sketch,
    /// The signals in the order of [`SIGNALS`](crate::SIGNALS); `None` if no host has the signal.
    pub signals: Vec<Option<SignalSketches>>,
    /// The unchanged frames of the hosts that are furthest above their baselines, the furthest
    /// first; at most [`Self::MAX_DEVIANT`].
    pub deviant: Vec<Vec<u8>>,
    /// Hosts that fell silent or returned, the latest change last; at most [`Self::MAX_CHANGES`].
    /// Each change is repeated for some seconds.
    pub changes: Vec<Change>,
    /// The sections of the hosts; `None` if no host has a section, or if the frame has no room for
    /// them. In both cases, all hosts count as hosts without a section. This field exists since
    /// minor version 1.
    pub sections: Option<Sections>,
}

/// The sections of a site's hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sections {
    /// Number of bins in each doubling of a value in the sections' sketches: 1, 2, 4, 8 or 16.
    pub parts: u8,
    /// The sections, sorted by name; at most [`SiteFrame::MAX_SECTIONS`]. The last one may lack a
    /// name. It then contains the hosts without a section, and the hosts of all sections that are
    /// not listed.
    pub groups: Vec<Section>,
}

/// One section of a site's hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The section's name; `None` for hosts without a section, and for sections that the frame
    /// does not name.
    pub name: Option<Name>,
    /// Number of hosts of the section that the relay knows, including silent ones.
    pub hosts: u32,
    /// The signals in the order of [`SIGNALS`](crate::SIGNALS). A signal that no host of the
    /// section has sent is `None`, or is missing at the end of the list.
    pub signals: Vec<Option<LaneSketches>>,
}

/// The values of one signal over many hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalSketches {
    /// The rates, in the signal's unit.
    pub rate: Sketch,
    /// The baselines, in the signal's unit.
    pub baseline: Sketch,
    /// The deviations, levels and surprises.
    pub lane: LaneSketches,
}

/// The state of one lane over many hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneSketches {
    /// The deviations, octaves.
    pub deviation: Sketch,
    /// The levels, 0..=1.
    pub level: Sketch,
    /// The surprises, 0..=1. A surprise states how unexpected a rate is.
    pub surprise: Sketch,
}

impl LaneSketches {
    fn each(&self) -> [&Sketch; 3] {
        let Self { deviation, level, surprise } = self;
        [deviation, level, surprise]
    }
}

/// A host that fell silent or returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The host's name.
    pub name: Name,
    /// `true` if the host has returned, `false` if it has fallen silent.
    pub is_back: bool,
    /// When the relay detected the change, milliseconds since 1970.
    pub wall_ms: u64,
}

impl SiteFrame {
    /// The value of [`Self::levels`] in every site frame: 1, because an aggregated site cannot
    /// contain sites.
    pub const LEVELS: u8 = 1;
    /// Maximum number of frames in [`Self::deviant`].
    pub const MAX_DEVIANT: usize = 8;
    /// Maximum number of changes in [`Self::changes`].
    pub const MAX_CHANGES: usize = 16;
    /// Maximum number of sections in [`Sections::groups`].
    pub const MAX_SECTIONS: usize = 12;
    /// Maximum length of [`Self::version`], bytes.
    pub const MAX_VERSION_LEN: usize = 16;

    fn sketches(&self) -> impl Iterator<Item = &Sketch> {
        let of_signals = self.signals.iter().flatten().flat_map(|signal| {
            let SignalSketches { rate, baseline, lane } = signal;
            [rate, baseline].into_iter().chain(lane.each())
        });
        of_signals.chain([&self.learnt])
    }
}

impl Message for SiteFrame {
    const WORD: &'static str = "site";
    const MAGIC: [u8; 2] = *b"kS";
    const MAX_BYTES: usize = MAX_SITE_BYTES;
    const MAX_READ: usize = MAX_READ_SITE_BYTES;
    const MINOR: u8 = 1;

    fn check(&self) -> Result<(), String> {
        if self.version.len() > Self::MAX_VERSION_LEN {
            return Err(format!("version: at most {} bytes are allowed", Self::MAX_VERSION_LEN));
        }
        check_parts(self.parts)?;
        if self.deviant.len() > Self::MAX_DEVIANT || self.changes.len() > Self::MAX_CHANGES {
            let (deviant, changes) = (Self::MAX_DEVIANT, Self::MAX_CHANGES);
            return Err(format!("at most {deviant} deviant hosts and {changes} changes are allowed"));
        }
        if self.sketches().any(|sketch| !sketch.is_sound(self.parts)) {
            return Err("a sketch has invalid bins".into());
        }
        self.sections.as_ref().map_or(Ok(()), Sections::check)
    }

    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        [&mut self.version].into_iter()
    }
}

impl Sections {
    fn check(&self) -> Result<(), String> {
        check_parts(self.parts)?;
        let place = |section: &Section| (section.name.is_none(), section.name.clone());
        let is_sorted = self.groups.is_sorted_by(|a, b| place(a) < place(b));
        if self.groups.is_empty() || self.groups.len() > SiteFrame::MAX_SECTIONS || !is_sorted {
            return Err(format!(
                "sections: 1 to {} are allowed, sorted by name, without duplicates",
                SiteFrame::MAX_SECTIONS
            ));
        }
        let lanes = self.groups.iter().flat_map(|section| section.signals.iter().flatten());
        if lanes.flat_map(LaneSketches::each).any(|sketch| !sketch.is_sound(self.parts)) {
            return Err("the sketch of a section has invalid bins".into());
        }
        Ok(())
    }
}

fn check_parts(parts: u8) -> Result<(), String> {
    if !parts.is_power_of_two() || parts > MAX_PARTS {
        return Err(format!("parts: {parts} is not allowed; use 1, 2, 4, 8 or {MAX_PARTS}"));
    }
    Ok(())
}
