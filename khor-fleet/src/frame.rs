//! A frame: the activity of one host at one moment.

use serde::{Deserialize, Serialize};

use crate::{
    name::Name,
    wire::{MAX_READ_BYTES, Message},
};

/// Names of the signals in the order of [`Frame::signals`]. Newer minor versions append.
pub const SIGNALS: [&str; 15] = [
    "exec", "fork", "rx", "tx", "retx", "io", "lat", "stall", "mem", "fault", "cpu", "csw", "irq", "softirq",
    "local",
];

/// One host at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The host, as in the subject.
    pub host: Name,
    /// The group it belongs to, if its owner gave it one.
    pub section: Option<Name>,
    /// `/proc/sys/kernel/random/boot_id`; `None` where it is not known or withheld.
    pub boot_id: Option<[u8; 16]>,
    /// Random, chosen by the relay when it starts. It distinguishes two relays with the same name.
    pub instance: u32,
    /// Number of this frame since the relay started, from 0; those that could not be sent are
    /// missing.
    pub seq: u64,
    /// `CLOCK_BOOTTIME`, milliseconds.
    pub monotonic_ms: u64,
    /// Wall clock, milliseconds since 1970.
    pub wall_ms: u64,
    /// Version of the relay, at most 16 bytes.
    pub version: String,
    /// The source of its counters.
    pub source: Source,
    /// How much of the host's baselines is learnt: 0..=255 is 0..=1.
    pub learnt: u8,
    /// In the order of [`SIGNALS`]; `None` is a missing signal, never zero.
    pub signals: Vec<Option<Signal>>,
    /// The lanes that the host adds to [`SIGNALS`], at most [`Self::MAX_ADDED`]. Lanes that do not
    /// fit into a frame are dropped. Since minor version 1.
    pub added: Vec<AddedLane>,
}

/// A lane that a host adds to the signals of its kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddedLane {
    /// Identifies the lane at all hosts: 1..=32 bytes of `a-z`, `0-9`, `_`, `.` and `-`. The engine
    /// drops a lane whose name does not begin with a letter.
    pub name: String,
    /// A few plain words for people, at most 192 bytes.
    pub label: String,
    /// Its family: 0 process, 1 network, 2 disk, 3 memory, 4 kernel. Newer versions may use others.
    pub family: u8,
    /// The unit of its values, at most 64 bytes.
    pub unit: String,
    /// The voice that plays it: 0 process, 1 receive, 2 send, 3 loss, 4 disk, 5 memory, 6 kernel, 7
    /// local. Newer versions may use others.
    pub voice: u8,
    /// The rate that counts as one octave, in the unit of its values; above 0.
    pub grain: f32,
    /// Its state.
    pub signal: Signal,
}

/// One signal of a host.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// In the signal's own unit: events/s, bytes/s, seconds, or a share of time; 0 or more.
    pub rate: f32,
    /// The host's baseline, in the same unit; 0 or more.
    pub baseline: f32,
    /// Rate over the baseline, 256ths of an octave: 0 is usual, 256 is twice as much.
    pub deviation: i16,
    /// Amount above the host's baseline: 0..=255 is 0..=1.
    pub level: u8,
    /// 0..=255 is 0..=1: how unexpected it is.
    pub surprise: u8,
}

/// The source of a host's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum Source {
    /// khor's collector: all counters.
    Collector,
    /// `/proc`: some of the counters.
    Proc,
    /// The synthetic demo.
    Demo,
    /// A source that only a newer version knows, by its number.
    Other(u8),
}

impl From<u8> for Source {
    fn from(number: u8) -> Self {
        match number {
            0 => Self::Collector,
            1 => Self::Proc,
            2 => Self::Demo,
            other => Self::Other(other),
        }
    }
}

impl From<Source> for u8 {
    fn from(source: Source) -> Self {
        match source {
            Source::Collector => 0,
            Source::Proc => 1,
            Source::Demo => 2,
            Source::Other(other) => other,
        }
    }
}

impl Signal {
    /// Deviations are multiples of an octave divided by this number.
    pub const PARTS_OF_OCTAVE: f32 = 256.0;

    /// Whether its numbers are valid.
    fn check(&self) -> bool {
        [self.rate, self.baseline].into_iter().all(|x| x.is_finite() && x >= 0.0)
    }
}

impl Frame {
    /// Longest [`Frame::version`], bytes.
    pub const MAX_VERSION_LEN: usize = 16;
    /// Maximum length of [`Self::added`].
    pub const MAX_ADDED: usize = 49;

    /// Removes the last added lanes until the frame fits into
    /// [`Self::MAX_BYTES`](Message::MAX_BYTES). Returns how many were removed. A frame without
    /// added lanes always fits.
    pub fn fit(&mut self) -> usize {
        let before = self.added.len();
        self.added.truncate(Self::MAX_ADDED);
        while !self.added.is_empty() && self.write().is_err() {
            self.added.pop();
        }
        before - self.added.len()
    }
}

impl AddedLane {
    /// Longest [`Self::name`], bytes.
    pub const MAX_NAME_LEN: usize = 32;
    /// Longest [`Self::label`], bytes.
    pub const MAX_LABEL_LEN: usize = 192;
    /// Longest [`Self::unit`], bytes.
    pub const MAX_UNIT_LEN: usize = 64;

    fn check(&self) -> Result<(), String> {
        let is_allowed = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
        let name = self.name.as_bytes();
        if !(1..=Self::MAX_NAME_LEN).contains(&name.len()) || !name.iter().copied().all(is_allowed) {
            return Err("added: expected names of 1 to 32 of a-z, 0-9, _, . and -".into());
        }
        if self.label.len() > Self::MAX_LABEL_LEN || self.unit.len() > Self::MAX_UNIT_LEN {
            return Err(format!(
                "added: expected at most {} bytes of label and {} of unit",
                Self::MAX_LABEL_LEN,
                Self::MAX_UNIT_LEN
            ));
        }
        if !(self.grain.is_finite() && self.grain > 0.0) {
            return Err("added: expected a grain above 0".into());
        }
        self.signal.check().then_some(()).ok_or_else(|| "added: expected finite rates of at least 0".into())
    }
}

impl Message for Frame {
    const WORD: &'static str = "frame";
    const MAGIC: [u8; 2] = *b"kF";
    /// Without added lanes, a frame has at most [`MAX_FRAME_BYTES`](crate::MAX_FRAME_BYTES).
    const MAX_BYTES: usize = MAX_READ_BYTES;
    const MINOR: u8 = 1;

    fn check(&self) -> Result<(), String> {
        if self.version.len() > Self::MAX_VERSION_LEN {
            return Err(format!(
                "version: {} bytes, expected at most {}",
                self.version.len(),
                Self::MAX_VERSION_LEN
            ));
        }
        for (i, signal) in self.signals.iter().enumerate() {
            if !signal.as_ref().is_none_or(Signal::check) {
                return Err(format!("signals[{i}]: expected finite rates of at least 0"));
            }
        }
        if self.added.len() > Self::MAX_ADDED {
            return Err(format!("added: {} lanes, expected at most {}", self.added.len(), Self::MAX_ADDED));
        }
        self.added.iter().try_for_each(AddedLane::check)
    }

    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let of_lanes = self.added.iter_mut().flat_map(|lane| [&mut lane.label, &mut lane.unit]);
        [&mut self.version].into_iter().chain(of_lanes)
    }
}
