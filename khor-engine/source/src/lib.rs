//! The sources of frames: the collector, `/proc`, the demo, and captures.
//!
//! A live source is a task that sends [`SourceEvent`]s to a channel. Errors are events too. Only
//! the playback of a capture ends by itself. The offline reader of a capture ([`CaptureReader`]) is
//! a plain iterator, because it never waits. A site of many hosts is another kind of source, in the
//! crate khor-site: its hosts send readings instead of frames.

mod baseline_file;
mod capture;
mod catalogue;
mod cgroups;
mod collector;
mod complete;
mod demo;
mod edge;
mod fallback;
mod limit;
mod lockdown;
mod machine;
mod overlay;
mod playback;
mod procfs;
mod request;
mod scope;
mod ticks;

use khor_proto::{Availability, Cue, Scope};
pub use khor_signal::SourceKind;
use khor_signal::{Catalogue, Frame, PerCounter};
pub use khor_system::Shortfall;
use tokio::sync::mpsc;

pub use self::{
    baseline_file::BaselineFile,
    capture::{CaptureError, CaptureReader, CaptureWriter, Origin, Recorded},
    cgroups::units,
    demo::{DemoSettings, DemoSource, SCENARIO_S, demo},
    limit::interval_shortfall,
    lockdown::cause as lockdown_cause,
    machine::{MachineSettings, machine},
    overlay::MissingCounters,
    playback::{Playback, play},
    scope::{ScopeChoice, cgroups_of, scope_label},
};

/// A description of a source that delivers frames.
#[derive(Clone, Debug)]
pub struct SourceInfo {
    /// The kind of the source.
    pub kind: SourceKind,
    /// A description of the source in one line, for people.
    pub detail: String,
    /// Why khor does not use a better source, or why it reads some counters from `/proc`.
    pub shortfall: Option<Shortfall>,
    /// The machine whose events are counted. `None` for the demo and for a site.
    pub machine: Option<MachineInfo>,
    /// The part of the machine whose events are counted.
    pub scope: Scope,
    /// Time between frames that the source grants, milliseconds. khor may have requested a shorter
    /// time.
    pub interval_ms: u16,
    /// The part of khor's request that the source denies to this user (the short interval or the
    /// cues), and how the administrator can grant it.
    pub limit: Option<Shortfall>,
    /// Which counters are available.
    pub availability: PerCounter<Availability>,
}

/// The properties of a machine that are needed to interpret its counts and times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineInfo {
    /// The release of the kernel, as `uname -r` prints it.
    pub kernel_release: String,
    /// The content of `/proc/sys/kernel/random/boot_id`; empty if it is unknown.
    pub boot_id: String,
    /// Number of CPUs that the kernel may bring online.
    pub cpus: u32,
}

/// An event of a live source.
#[derive(Clone, Debug)]
pub enum SourceEvent {
    /// A source starts. Its counters do not continue from those of the previous source.
    Up(SourceInfo),
    /// The description of the current source has changed. Its counters continue without a break.
    Described(SourceInfo),
    /// The catalogue of the frames that follow. Before the first catalogue after [`Self::Up`], a
    /// source has only the kernel's signals. Each catalogue extends the previous one, so lane ids
    /// stay valid.
    Lanes(Catalogue),
    /// The values of all counters and added lanes at one instant.
    Frame(Frame),
    /// An event in the kernel. Its time is on the same clock as the times of the frames. It may
    /// arrive a little before or after the frame that counts it.
    Cue(Cue),
    /// Cues were dropped, because there were too many.
    Lost {
        /// Number of dropped cues.
        cues: u64,
    },
    /// The source was lost. Contains the reason, and how to fix it.
    Down(Shortfall),
}

/// A source has ended, because the receiver of its events or the sender of its settings was
/// dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceEnded;

/// Sends an event of a source.
///
/// # Errors
///
/// The receiver was dropped.
pub async fn send<E: From<SourceEvent>>(
    events: &mpsc::Sender<E>,
    event: SourceEvent,
) -> Result<(), SourceEnded> {
    events.send(event.into()).await.map_err(|_| SourceEnded)
}
