//! A frame: what one host is doing at one moment.

use serde::{Deserialize, Serialize};

use crate::{
    name::Name,
    wire::{MAX_FRAME_BYTES, Message},
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
    /// What counts there.
    pub source: Source,
    /// How much of the host's baselines is learnt: 0..=255 is 0..=1.
    pub learnt: u8,
    /// In the order of [`SIGNALS`]; `None` is a missing signal, never zero.
    pub signals: Vec<Option<Signal>>,
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

/// What counts on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum Source {
    /// khor's collector: everything.
    Collector,
    /// `/proc`: less of it.
    Proc,
    /// Something made up.
    Demo,
    /// What a newer version may call by this number.
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
}

impl Frame {
    /// Longest [`Frame::version`], bytes.
    pub const MAX_VERSION_LEN: usize = 16;
}

impl Message for Frame {
    const WORD: &'static str = "frame";
    const MAGIC: [u8; 2] = *b"kF";
    const MAX_BYTES: usize = MAX_FRAME_BYTES;

    fn check(&self) -> Result<(), String> {
        if self.version.len() > Self::MAX_VERSION_LEN {
            return Err(format!(
                "version: {} bytes, expected at most {}",
                self.version.len(),
                Self::MAX_VERSION_LEN
            ));
        }
        for (i, signal) in self.signals.iter().enumerate() {
            let Some(Signal { rate, baseline, .. }) = signal else { continue };
            if ![rate, baseline].into_iter().all(|x| x.is_finite() && *x >= 0.0) {
                return Err(format!("signals[{i}]: expected numbers, rates from 0 on"));
            }
        }
        Ok(())
    }

    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        [&mut self.version].into_iter()
    }
}
