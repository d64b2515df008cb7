//! Real captures, played like clips: reported beside the synthetic ones, never used for training or
//! gates.
//!
//! The files are those of `cargo xtask captures`: quiet for [`QUIET_S`], then a load. The machine's
//! baseline is learnt from its long idle capture, repeated until it is as long as a clip's.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use khor_signal::Frame;
use khor_source::{CaptureReader, Recorded};

use crate::{
    adapter::{OfflinePlayer, Options, Render},
    scenario::{LEAD_IN_S, LEARNING_S, LENGTH_S, LoadClass},
};

/// Before the load begins, seconds.
const QUIET_S: f64 = 12.0;
/// Names of the judged files, and their loads.
const NAMES: [(&str, LoadClass); 8] = [
    ("idle", LoadClass::Idle),
    ("download", LoadClass::Download),
    ("upload", LoadClass::Upload),
    ("disk", LoadClass::Disk),
    ("compile", LoadClass::Compile),
    ("memory-pressure", LoadClass::Memory),
    ("retransmits", LoadClass::Lossy),
    ("exec-storm", LoadClass::Storm),
];
/// Name of the file for the baseline. If it is missing, the first of [`NAMES`] is used.
const LEARNT_FROM: &str = "idle-long";

/// A capture of a known load.
#[derive(Clone, Debug)]
pub struct RealCapture {
    /// The load of the machine.
    pub class: LoadClass,
    load: Vec<Frame>,
    idle: Vec<Frame>,
}

/// The captures in a folder; none where there is no folder, or nothing to learn from.
pub fn find(folder: &Path) -> Result<Vec<RealCapture>> {
    let path = |name: &str| folder.join(format!("{name}.khor"));
    let Some(idle) = [LEARNT_FROM, NAMES[0].0].into_iter().map(path).find(|path| path.is_file()) else {
        return Ok(Vec::new());
    };
    let idle = read(&idle)?;
    let there = NAMES.into_iter().map(|(name, class)| (path(name), class)).filter(|(path, _)| path.is_file());
    there.map(|(path, class)| Ok(RealCapture { class, load: read(&path)?, idle: idle.clone() })).collect()
}

/// The folder the engine's captures are in.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../khor-engine/captures")
}

/// Renders a capture like a clip. The result begins [`LEAD_IN_S`] after the load.
pub fn perform(preset: &str, real: &RealCapture, seed: u64) -> Result<Render> {
    let mut player = OfflinePlayer::new(preset, Options { seed, density: None })?;
    let mut joined = JoinedCaptures::default();
    while joined.seconds() < LEARNING_S && real.idle.len() > 1 {
        joined.begin();
        real.idle.iter().for_each(|frame| player.learn(joined.next(frame)));
    }
    joined.begin();
    let begin_ns = real.load.first().map_or(0, |frame| frame.t_ns);
    for frame in &real.load {
        let at_s = frame.t_ns.saturating_sub(begin_ns) as f64 * 1e-9;
        match at_s - QUIET_S {
            before if before < 0.0 => player.learn(joined.next(frame)),
            during if during < LEAD_IN_S + LENGTH_S => player.play(joined.next(frame)),
            _ => break,
        }
    }
    Ok(player.heard(LEAD_IN_S))
}

fn read(path: &Path) -> Result<Vec<Frame>> {
    let shown = || format!("reading {}", path.display());
    fs::metadata(path).with_context(shown)?;
    let mut frames = Vec::new();
    for recorded in CaptureReader::open(path).with_context(shown)? {
        if let Recorded::Frame(frame) = recorded.with_context(shown)? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

/// Puts captures one after the other as if their counters went on.
#[derive(Default)]
struct JoinedCaptures {
    /// Frame of the capture that was last put in.
    theirs: Option<Frame>,
    /// What was made of it.
    ours: Option<Frame>,
}

impl JoinedCaptures {
    /// Another capture comes: its first frame is 20 ms after what was last.
    fn begin(&mut self) {
        self.theirs = None;
    }

    fn next(&mut self, frame: &Frame) -> Frame {
        const BETWEEN_NS: u64 = 20_000_000;
        let last = self.theirs.replace(frame.clone());
        let mut ours = Frame { t_ns: 0, ..frame.clone() };
        if let Some(before) = &self.ours {
            let passed = last.as_ref().map_or(BETWEEN_NS, |last| frame.t_ns.saturating_sub(last.t_ns));
            ours.t_ns = before.t_ns + passed;
            for (index, count) in ours.counters.iter_mut().enumerate() {
                let from = last.as_ref().map_or(*count, |last| last.counters[index]);
                let grew = count.zip(from).map_or(0, |(now, from)| now.saturating_sub(from));
                *count = count.map(|_| before.counters[index].unwrap_or(0) + grew);
            }
        }
        self.ours = Some(ours.clone());
        ours
    }

    /// Time since the first frame of all.
    fn seconds(&self) -> f64 {
        self.ours.as_ref().map_or(0.0, |ours| ours.t_ns as f64 * 1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::Counter;

    fn frame(t_ms: u64, execs: u64) -> Frame {
        let mut counters = [None; Counter::ALL.len()];
        counters[Counter::Execs.index()] = Some(execs);
        Frame::new(t_ms * 1_000_000, counters)
    }

    #[test]
    fn joined_captures_continue_the_counters() {
        let mut joined = JoinedCaptures::default();
        let mut next = |t_ms, execs| {
            let frame = joined.next(&frame(t_ms, execs));
            (frame.t_ns / 1_000_000, frame.counters[Counter::Execs.index()].unwrap())
        };
        assert_eq!([next(7_000, 5), next(7_100, 8)], [(0, 5), (100, 8)]);
        joined.begin();
        let mut next = |t_ms, execs| {
            let frame = joined.next(&frame(t_ms, execs));
            (frame.t_ns / 1_000_000, frame.counters[Counter::Execs.index()].unwrap())
        };
        assert_eq!(
            [next(90_000, 1000), next(90_020, 1004), next(90_040, 1004)],
            [(120, 8), (140, 12), (160, 12)]
        );
    }

    #[test]
    fn a_missing_folder_has_no_captures() {
        assert!(find(Path::new("/nowhere/at/all")).unwrap().is_empty());
    }
}
