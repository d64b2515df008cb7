//! A frame: the activity of one host at one moment.

use serde::{Deserialize, Serialize};

use crate::{
    name::Name,
    wire::{MAX_READ_BYTES, Message},
};

/// Names of the signals in the order of [`Frame::signals`]. Newer minor versions append names.
pub const SIGNALS: [&str; 15] = [
    "exec", "fork", "rx", "tx", "retx", "io", "lat", "stall", "mem", "fault", "cpu", "csw", "irq", "softirq",
    "local",
];

/// The state of one host's signals at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The name of the host. It must equal the name in the message's NATS subject.
    pub host: Name,
    /// The host's section, for example `web` or `db`; `None` if it has none.
    pub section: Option<Name>,
    /// The content of `/proc/sys/kernel/random/boot_id`; `None` if it is unknown or withheld.
    pub boot_id: Option<[u8; 16]>,
    /// A random number that the relay chooses at its start. It distinguishes two relays with the
    /// same name.
    pub instance: u32,
    /// Number of this frame since the relay started, from 0. If the relay cannot send a frame, its
    /// number is not used again.
    pub seq: u64,
    /// `CLOCK_BOOTTIME`, milliseconds.
    pub monotonic_ms: u64,
    /// Wall clock, milliseconds since 1970.
    pub wall_ms: u64,
    /// Version of the relay, at most 16 bytes.
    pub version: String,
    /// The source of the host's counters.
    pub source: Source,
    /// The share of the host's baselines that the relay has learned. The range 0..=255 stands for
    /// 0..=1.
    pub learnt: u8,
    /// The signals in the order of [`SIGNALS`]. A missing signal is `None`, not zero.
    pub signals: Vec<Option<Signal>>,
    /// The lanes that the host adds to [`SIGNALS`], at most [`Self::MAX_ADDED`]. Lanes that do not
    /// fit into a frame are dropped. This field exists since minor version 1.
    pub added: Vec<AddedLane>,
}

/// A lane that a host adds to the signals of its kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddedLane {
    /// The lane's name, which is the same at all hosts: 1..=32 bytes of `a-z`, `0-9`, `_`, `.` and
    /// `-`. The engine drops a lane whose name does not begin with a letter.
    pub name: String,
    /// A description of the lane in a few plain words, at most 192 bytes.
    pub label: String,
    /// The lane's family: 0 process, 1 network, 2 disk, 3 memory, 4 kernel. Newer versions may use
    /// other numbers.
    pub family: u8,
    /// The unit of the lane's values, at most 64 bytes.
    pub unit: String,
    /// The voice that plays the lane: 0 process, 1 receive, 2 send, 3 loss, 4 disk, 5 memory, 6
    /// kernel, 7 local. Newer versions may use other numbers.
    pub voice: u8,
    /// The rate that counts as one octave above zero, in the unit of the lane's values; greater
    /// than 0.
    pub grain: f32,
    /// The lane's rate, baseline, deviation, level and surprise.
    pub signal: Signal,
}

/// The state of one signal of a host.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// The rate in the signal's unit: events/s, bytes/s, seconds, or a share of time; at least 0.
    pub rate: f32,
    /// The host's baseline of the rate, in the unit of the rate; at least 0.
    pub baseline: f32,
    /// The deviation from the baseline in 256ths of an octave: 0 if the rate equals the baseline,
    /// 256 if it is twice the baseline.
    pub deviation: i16,
    /// The level. The range 0..=255 stands for 0..=1.
    pub level: u8,
    /// How unexpected the rate is. The range 0..=255 stands for 0..=1.
    pub surprise: u8,
}

/// The source of a host's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum Source {
    /// khor's collector, which counts all counters.
    Collector,
    /// `/proc`, which has only some of the counters.
    Proc,
    /// The synthetic demo.
    Demo,
    /// A source that only a newer version knows. The number identifies it.
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
    /// Number of steps of [`Self::deviation`] in one octave.
    pub const PARTS_OF_OCTAVE: f32 = 256.0;

    /// Whether rate and baseline are finite and at least 0.
    fn check(&self) -> bool {
        [self.rate, self.baseline].into_iter().all(|x| x.is_finite() && x >= 0.0)
    }
}

impl Frame {
    /// Maximum length of [`Frame::version`], bytes.
    pub const MAX_VERSION_LEN: usize = 16;
    /// Maximum number of lanes in [`Self::added`].
    pub const MAX_ADDED: usize = 49;

    /// Removes added lanes from the end of their list until the frame fits into
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
    /// Maximum length of [`Self::name`], bytes.
    pub const MAX_NAME_LEN: usize = 32;
    /// Maximum length of [`Self::label`], bytes.
    pub const MAX_LABEL_LEN: usize = 192;
    /// Maximum length of [`Self::unit`], bytes.
    pub const MAX_UNIT_LEN: usize = 64;

    fn check(&self) -> Result<(), String> {
        let is_allowed = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
        let name = self.name.as_bytes();
        if !(1..=Self::MAX_NAME_LEN).contains(&name.len()) || !name.iter().copied().all(is_allowed) {
            return Err("added: a lane's name must have 1 to 32 characters of a-z, 0-9, _, . and -".into());
        }
        if self.label.len() > Self::MAX_LABEL_LEN || self.unit.len() > Self::MAX_UNIT_LEN {
            return Err(format!(
                "added: a lane's label may have at most {} bytes, and its unit at most {}",
                Self::MAX_LABEL_LEN,
                Self::MAX_UNIT_LEN
            ));
        }
        if !(self.grain.is_finite() && self.grain > 0.0) {
            return Err("added: a lane's grain must be above 0".into());
        }
        let problem = "added: a lane's rate and baseline must be finite and at least 0";
        self.signal.check().then_some(()).ok_or_else(|| problem.into())
    }
}

impl Message for Frame {
    const WORD: &'static str = "frame";
    const MAGIC: [u8; 2] = *b"kF";
    /// A frame without added lanes is shorter: at most [`MAX_FRAME_BYTES`](crate::MAX_FRAME_BYTES).
    const MAX_BYTES: usize = MAX_READ_BYTES;
    const MINOR: u8 = 1;

    fn check(&self) -> Result<(), String> {
        if self.version.len() > Self::MAX_VERSION_LEN {
            return Err(format!(
                "version: it has {} bytes, at most {} are allowed",
                self.version.len(),
                Self::MAX_VERSION_LEN
            ));
        }
        for (i, signal) in self.signals.iter().enumerate() {
            if !signal.as_ref().is_none_or(Signal::check) {
                return Err(format!("signals[{i}]: rate and baseline must be finite and at least 0"));
            }
        }
        if self.added.len() > Self::MAX_ADDED {
            return Err(format!(
                "added: {} lanes, at most {} are allowed",
                self.added.len(),
                Self::MAX_ADDED
            ));
        }
        self.added.iter().try_for_each(AddedLane::check)
    }

    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let of_lanes = self.added.iter_mut().flat_map(|lane| [&mut lane.label, &mut lane.unit]);
        [&mut self.version].into_iter().chain(of_lanes)
    }
}
