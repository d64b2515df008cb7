//! A site's frame: the sum over many hosts, from a relay that received their frames.

use serde::{Deserialize, Serialize};

use crate::{
    name::Name,
    sketch::{MAX_PARTS, Sketch},
    wire::{MAX_READ_SITE_BYTES, MAX_SITE_BYTES, Message},
};

/// The sum over the frames of a site's hosts since the previous site frame.
///
/// Several relays may share one site, and a reader may receive several sites: the frames add up.
/// Each host's frame counts in exactly one of them, so sums of sketches are the sketches of the
/// sums, in any order.
///
/// Only the sketches are approximate: to [`relative_error`](crate::sketch::relative_error) of
/// [`Self::parts`], those of sections to that of [`Sections::parts`]. The frames of
/// [`Self::deviant`] hosts are unchanged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SiteFrame {
    /// The site, as in the subject.
    pub site: Name,
    /// Random, chosen by the relay when it starts: several relays may report one site.
    pub instance: u32,
    /// Number of this frame since the relay started, from 0.
    pub seq: u64,
    /// Wall clock, milliseconds since 1970.
    pub wall_ms: u64,
    /// The time that the sum covers, milliseconds.
    pub window_ms: u32,
    /// Version of the relay, at most 16 bytes.
    pub version: String,
    /// Always [`Self::LEVELS`]: the site has hosts and no sites within it. khor refuses other
    /// frames.
    pub levels: u8,
    /// Hosts of the whole site that send, as far as the relay knows.
    pub hosts: u32,
    /// Hosts of the whole site that have stopped, as far as the relay knows.
    pub silent: u32,
    /// Messages that this relay has refused since it started.
    pub refused: u64,
    /// Parts of a doubling that the sketches have: 1, 2, 4, 8 or 16.
    pub parts: u8,
    /// How much of their baselines the hosts have learnt.
    pub learnt: Sketch,
    /// In the order of [`SIGNALS`](crate::SIGNALS); `None` if no host has the signal.
    pub signals: Vec<Option<SignalSketches>>,
    /// The frames of the hosts furthest above their baselines, the furthest first, each as its
    /// relay sent it; at most [`Self::MAX_DEVIANT`].
    pub deviant: Vec<Vec<u8>>,
    /// Hosts that fell silent or came back, the newest last; at most [`Self::MAX_CHANGES`]. Each
    /// change is repeated for some seconds.
    pub changes: Vec<Change>,
    /// The sections of the hosts; `None` if no host has one, or if the frame has no room for them.
    /// Then all hosts count as hosts without a section. Since minor version 1.
    pub sections: Option<Sections>,
}

/// The sections of a site's hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sections {
    /// Parts of a doubling that their sketches have: 1, 2, 4, 8 or 16.
    pub parts: u8,
    /// By name, hosts without one last; at most [`SiteFrame::MAX_SECTIONS`]. The last one contains
    /// all other sections.
    pub groups: Vec<Section>,
}

/// A section of a site's hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its name; `None` for hosts without a section, and for sections that are not reported by
    /// name.
    pub name: Option<Name>,
    /// Its hosts, as far as the relay knows, silent ones included.
    pub hosts: u32,
    /// In the order of [`SIGNALS`](crate::SIGNALS); `None` or missing if no host of it sent the
    /// signal.
    pub signals: Vec<Option<LaneSketches>>,
}

/// A signal over many hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalSketches {
    /// Rates.
    pub rate: Sketch,
    /// Baselines.
    pub baseline: Sketch,
    /// Deviations, levels and surprise.
    pub lane: LaneSketches,
}

/// The lane of a signal, over many hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneSketches {
    /// Deviations.
    pub deviation: Sketch,
    /// Levels.
    pub level: Sketch,
    /// How unexpected.
    pub surprise: Sketch,
}

impl LaneSketches {
    fn each(&self) -> [&Sketch; 3] {
        let Self { deviation, level, surprise } = self;
        [deviation, level, surprise]
    }
}

/// A host that fell silent or came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its name.
    pub name: Name,
    /// It is back; else it has fallen silent.
    pub is_back: bool,
    /// When the relay noticed, milliseconds since 1970.
    pub wall_ms: u64,
}

impl SiteFrame {
    /// The value of [`Self::levels`]. Sites within such a site are not supported.
    pub const LEVELS: u8 = 1;
    /// Most of [`Self::deviant`].
    pub const MAX_DEVIANT: usize = 8;
    /// Most of [`Self::changes`].
    pub const MAX_CHANGES: usize = 16;
    /// Most of [`Sections::groups`].
    pub const MAX_SECTIONS: usize = 12;
    /// Longest [`Self::version`], bytes.
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
            return Err(format!("version: expected at most {} bytes", Self::MAX_VERSION_LEN));
        }
        check_parts(self.parts)?;
        if self.deviant.len() > Self::MAX_DEVIANT || self.changes.len() > Self::MAX_CHANGES {
            return Err("deviant or changes: more than expected".into());
        }
        if self.sketches().any(|sketch| !sketch.is_sound(self.parts)) {
            return Err("a sketch: bins that are none".into());
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
                "sections: expected 1 to {}, each once and by name",
                SiteFrame::MAX_SECTIONS
            ));
        }
        let lanes = self.groups.iter().flat_map(|section| section.signals.iter().flatten());
        if lanes.flat_map(LaneSketches::each).any(|sketch| !sketch.is_sound(self.parts)) {
            return Err("a section's sketch: bins that are none".into());
        }
        Ok(())
    }
}

fn check_parts(parts: u8) -> Result<(), String> {
    if !parts.is_power_of_two() || parts > MAX_PARTS {
        return Err(format!("parts: {parts}, expected 1, 2, 4, 8 or {MAX_PARTS}"));
    }
    Ok(())
}
