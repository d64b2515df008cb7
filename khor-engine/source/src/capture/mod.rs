//! Captures: the events of a source, in a file. `docs/captures.md` describes the bytes.
//!
//! A file is a header and blocks of about a second. Each block is compressed and has its own
//! checksum, so that a cut or a flipped byte costs one block. Blocks contain [`entry`]s, whose
//! numbers are differences to earlier ones. Rejected: a general format with an index. A capture is
//! short and read from its beginning.

mod block;
mod bytes;
mod entry;
#[cfg(test)]
mod lane_tests;
mod lanes;
mod reader;
mod tags;
#[cfg(test)]
mod tests;
mod writer;

use std::io;

use khor_proto::{Availability, Cue};
use khor_signal::{Catalogue, Counter, Frame, PerCounter};

pub use self::{reader::CaptureReader, writer::CaptureWriter};
use super::{MachineInfo, SourceInfo, SourceKind};

/// The first bytes of every capture. The last one is the version of the format.
const HEADING: [u8; 8] = *b"khorcap\x02";

/// Why a capture can't be read, or a part of it.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file could not be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("not a khor capture (it begins with {0:?}, expected \"khorcap\")")]
    Foreign(String),
    /// Another version of khor wrote it.
    #[error("a capture of format {0}; this khor reads format {ours}", ours = HEADING[7])]
    Version(u8),
    /// It ends before its end.
    #[error("cut short after {frames} samples ({seconds:.1} s)")]
    Truncated {
        /// Samples before the cut.
        frames: u64,
        /// Time before the cut, seconds.
        seconds: f64,
    },
    /// A block makes no sense; reading may go on after it.
    #[error("damaged after {frames} samples ({seconds:.1} s): {problem}")]
    Damaged {
        /// Samples before the damage.
        frames: u64,
        /// Time before the damage, seconds.
        seconds: f64,
        /// The problem.
        problem: &'static str,
    },
}

/// The events of a capture, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// A source begins; its counters do not continue those before.
    Start(Origin),
    /// The catalogue of the frames that follow. Before the first catalogue after [`Self::Start`], a
    /// source has only the kernel's signals. Within a source, each catalogue extends the previous
    /// one.
    Lanes(Catalogue),
    /// All counters and added lanes at one instant.
    Frame(Frame),
    /// Something happened.
    Cue(Cue),
    /// Cues were dropped before they could be recorded.
    Lost {
        /// How many.
        cues: u64,
    },
}

/// The source that a part of a capture was recorded from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Kind of the source; `None` if its description is damaged or comes from a newer khor.
    pub kind: Option<SourceKind>,
    /// The machine; `None` for one that does not exist.
    pub machine: Option<MachineInfo>,
    /// Milliseconds between its frames.
    pub interval_ms: u16,
    /// Version of the khor that recorded.
    pub recorder: String,
    /// Which counters are available.
    pub availability: PerCounter<Availability>,
}

impl Origin {
    /// The origin of a live source.
    pub fn of(source: &SourceInfo) -> Self {
        Self {
            kind: Some(source.kind),
            machine: source.machine.clone(),
            interval_ms: source.interval_ms,
            recorder: env!("CARGO_PKG_VERSION").to_owned(),
            availability: source.availability.clone(),
        }
    }

    /// The origin of a part whose description is damaged.
    pub(super) fn unknown() -> Self {
        Self {
            kind: None,
            machine: None,
            interval_ms: 0,
            recorder: String::new(),
            availability: Counter::ALL.map(|_| Availability::Available),
        }
    }

    /// In words, such as `Linux 6.1.0, 8 CPUs`.
    pub fn describe(&self) -> String {
        match (&self.machine, self.kind) {
            (Some(machine), _) => {
                let s = if machine.cpus == 1 { "" } else { "s" };
                format!("Linux {}, {} CPU{s}", machine.kernel_release, machine.cpus)
            }
            (None, Some(SourceKind::Demo)) => "the synthetic demo".to_owned(),
            (None, _) => "an unknown machine".to_owned(),
        }
    }
}
