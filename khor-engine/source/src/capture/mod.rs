//! Reads and writes captures: files with the events of a source. `docs/captures.md` describes the
//! format.
//!
//! A capture consists of a heading and blocks of about a second. Each block is compressed and has
//! its own checksum, so a cut or a flipped byte damages only one block. A block contains entries
//! (module [`entry`]), whose numbers are differences from earlier ones. The format has no index,
//! because a capture is short and is read from its beginning.

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

use std::{fmt::Display, io};

use khor_proto::{Availability, Cue};
use khor_signal::{Catalogue, Counter, Frame, PerCounter};

pub use self::{reader::CaptureReader, writer::CaptureWriter};
use super::{MachineInfo, SourceInfo, SourceKind};

/// The first bytes of every capture. The last of these bytes is the version of the format.
const HEADING: [u8; 8] = *b"khorcap\x02";

/// Why a capture, or a part of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The system cannot read the file.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is not a capture. Contains the text with which the file begins.
    #[error("not a khor capture (it begins with {0:?}, expected \"khorcap\")")]
    Foreign(String),
    /// The capture has a version of the format that this khor does not read.
    #[error("a capture of format {0}; this version of khor reads only format {ours}", ours = HEADING[7])]
    Version(u8),
    /// The capture was cut short: its end is missing.
    #[error("cut short after {frames} samples ({seconds:.1} s)")]
    Truncated {
        /// Number of frames (samples of all counters) before the cut.
        frames: u64,
        /// Length of the capture before the cut, seconds.
        seconds: f64,
    },
    /// A block is damaged. The blocks after it may be readable.
    #[error("damaged after {frames} samples ({seconds:.1} s): {problem}")]
    Damaged {
        /// Number of frames (samples of all counters) before the damage.
        frames: u64,
        /// Length of the capture before the damage, seconds.
        seconds: f64,
        /// What is wrong with the block.
        problem: &'static str,
    },
}

impl CaptureError {
    /// Describes this problem in one sentence. `capture` names the capture in that sentence.
    pub fn sentence(&self, capture: impl Display) -> String {
        match self {
            Self::Io(error) => format!("cannot read {capture} to its end: {error}"),
            _ => format!("{capture} is {self}"),
        }
    }
}

/// An event of a capture.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// A source begins. Its counters do not continue those of the previous source.
    Start(Origin),
    /// The catalogue of the frames that follow. Before the first catalogue after [`Self::Start`], a
    /// source has only the kernel's signals. Within a source, each catalogue extends the previous
    /// one.
    Lanes(Catalogue),
    /// The values of all counters and added lanes at one instant.
    Frame(Frame),
    /// A cue.
    Cue(Cue),
    /// Cues were dropped before they could be recorded.
    Lost {
        /// Number of dropped cues.
        cues: u64,
    },
}

/// The source from which a part of a capture was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Kind of the source. `None` if the description of the source is damaged or comes from a newer
    /// khor.
    pub kind: Option<SourceKind>,
    /// The recorded machine; `None` for the demo.
    pub machine: Option<MachineInfo>,
    /// Time between two frames, milliseconds.
    pub interval_ms: u16,
    /// Version of khor that recorded the capture.
    pub recorder: String,
    /// Which counters are available.
    pub availability: PerCounter<Availability>,
}

impl Origin {
    /// Describes a live source, so that a capture of its events can contain this description.
    pub fn of(source: &SourceInfo) -> Self {
        Self {
            kind: Some(source.kind),
            machine: source.machine.clone(),
            interval_ms: source.interval_ms,
            recorder: env!("CARGO_PKG_VERSION").to_owned(),
            availability: source.availability.clone(),
        }
    }

    /// The origin of a source whose description is damaged.
    pub(super) fn unknown() -> Self {
        Self {
            kind: None,
            machine: None,
            interval_ms: 0,
            recorder: String::new(),
            availability: Counter::ALL.map(|_| Availability::Available),
        }
    }

    /// A description of the origin in plain words, for example `Linux 6.1.0, 8 CPUs`.
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
