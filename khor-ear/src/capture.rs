//! Plays captures of real machines in the same way as simulated clips. The results for captures are
//! only reported: no classifier is trained on captures, and no gate depends on them.
//!
//! `cargo xtask captures` writes the capture files. Each capture begins with [`QUIET_S`] seconds
//! without load, followed by the load. The baseline is learned from a long capture of the idle
//! machine. That capture is repeated until it is as long as the learning time of a simulated clip.

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

/// Time from the start of a capture to the start of its load, seconds.
const QUIET_S: f64 = 12.0;
/// Names of the capture files, each with the load that it contains.
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
/// Name of the capture from which the baseline is learned. If the file is missing, the capture
/// `idle` is used.
const BASELINE_CAPTURE: &str = "idle-long";

/// A capture of a machine under a known load.
#[derive(Clone, Debug)]
pub struct RealCapture {
    /// The load of the captured machine.
    pub class: LoadClass,
    load: Vec<Frame>,
    idle: Vec<Frame>,
}

/// Reads the captures in a folder. The result is empty if the idle capture is missing.
pub fn find(folder: &Path) -> Result<Vec<RealCapture>> {
    let path = |name: &str| folder.join(format!("{name}.khor"));
    let Some(idle) = [BASELINE_CAPTURE, NAMES[0].0].into_iter().map(path).find(|path| path.is_file()) else {
        return Ok(Vec::new());
    };
    let idle = read(&idle)?;
    let there = NAMES.into_iter().map(|(name, class)| (path(name), class)).filter(|(path, _)| path.is_file());
    there.map(|(path, class)| Ok(RealCapture { class, load: read(&path)?, idle: idle.clone() })).collect()
}

/// The folder that contains the engine's captures.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../khor-engine/captures")
}

/// Renders a capture in the same way as a simulated clip. The result begins [`LEAD_IN_S`] seconds
/// after the load starts.
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
    Ok(player.into_render(LEAD_IN_S))
}

fn read(path: &Path) -> Result<Vec<Frame>> {
    let failed = || format!("cannot read {}", path.display());
    fs::metadata(path).with_context(failed)?;
    let mut frames = Vec::new();
    for recorded in CaptureReader::open(path).with_context(failed)? {
        if let Recorded::Frame(frame) = recorded.with_context(failed)? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

/// Joins captures so that times and counters continue from one capture to the next.
#[derive(Default)]
struct JoinedCaptures {
    /// The last frame that was read, with the time and counts of its own capture.
    theirs: Option<Frame>,
    /// The last frame that was returned, with time and counts that continue across captures.
    ours: Option<Frame>,
}

impl JoinedCaptures {
    /// Starts the next capture. Its first frame is placed 20 ms after the last frame of the
    /// previous capture.
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

    /// Time since the first joined frame, seconds.
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
