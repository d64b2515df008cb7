//! Where frames come from: the collector, `/proc`, the demo, a capture, or a site of many machines.
//!
//! A live source is a task that sends [`SourceEvent`]s into a channel; only a capture that is played ever stops by
//! itself, and whatever goes wrong is an event too. Reading a capture offline is a plain iterator, since nobody waits.
//! A site's hosts send what they made of their own frames, so that comes as another kind of event.

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
use khor_signal::{Frame, PerCounter};
pub use khor_system::Shortfall;
use schemars::JsonSchema;
use serde::Serialize;
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

/// What kind of source is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// `khor-collector`, through its socket.
    Collector,
    /// `/proc`, read by the engine itself because there is no collector.
    Proc,
    /// The synthetic demo: not this machine.
    Demo,
    /// A capture that is played: not this machine now.
    Capture,
    /// The relays of a site: many machines.
    Site,
}

/// A source that has begun to deliver.
#[derive(Clone, Debug)]
pub struct SourceInfo {
    /// What kind it is.
    pub kind: SourceKind,
    /// One line for people.
    pub detail: String,
    /// Why a better source is not used, or why `/proc` fills some of the counters.
    pub shortfall: Option<Shortfall>,
    /// The machine it tells of; `None` for one that does not exist.
    pub machine: Option<MachineInfo>,
    /// Whose activity it tells of.
    pub scope: Scope,
    /// Milliseconds between its frames, as granted. A shorter interval may have been requested.
    pub interval_ms: u16,
    /// What the source does not grant this user, and how the administrator can change that.
    pub limit: Option<Shortfall>,
    /// What it can count.
    pub availability: PerCounter<Availability>,
}

/// A machine, as far as counts and times depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineInfo {
    /// `uname -r`.
    pub kernel_release: String,
    /// `/proc/sys/kernel/random/boot_id`; empty where it is not known.
    pub boot_id: String,
    /// CPUs the kernel may ever bring online.
    pub cpus: u32,
}

/// What a live source says.
#[derive(Clone, Debug)]
pub enum SourceEvent {
    /// A source has begun; its counters do not continue those of the one before.
    Up(SourceInfo),
    /// What is known of the source that is up has changed; its counters continue.
    Described(SourceInfo),
    /// All counters at one instant.
    Frame(Frame),
    /// Something happened. Its time is on the clock of the frames, and it may come a little before or after the
    /// frame that counts it.
    Cue(Cue),
    /// Cues were dropped on their way: there were too many.
    Lost {
        /// How many.
        cues: u64,
    },
    /// The source was lost.
    Down(Shortfall),
}

/// Nobody receives the events of a source any more, or nobody can change its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceEnded;

/// Sends an event to whoever listens to a source.
///
/// # Errors
///
/// Nobody listens any more.
pub async fn send<E: From<SourceEvent>>(
    events: &mpsc::Sender<E>,
    event: SourceEvent,
) -> Result<(), SourceEnded> {
    events.send(event.into()).await.map_err(|_| SourceEnded)
}
