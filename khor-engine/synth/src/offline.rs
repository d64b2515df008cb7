//! Renders samples from the frames of a source, faster than real time. The timestamps of the frames
//! determine the length of the render.

use std::{ops::ControlFlow, time::Duration};

use khor_music::{CueSound, Note, Preset, Settings};
use khor_signal::{Catalogue, Frame, Lanes, Pipeline, Scaling};

use crate::{
    Samples, Volume,
    performance::{BLOCK_MS, Performance, RenderMode},
};

/// Longest gap between two frames during which all lanes stay available, ns.
const LONG_GAP_NS: u64 = 10 * 1_000_000_000;
/// In a gap longer than [`LONG_GAP_NS`], the lanes keep their levels for this time, ns. Then they
/// become missing.
const HELD_LEVELS_NS: u64 = 1_000_000_000;
/// Longest gap that is rendered, ns. Longer gaps are skipped, because they mean that the host was
/// suspended or that a timestamp is damaged. Without this limit, a few bytes of a capture could
/// become an hour of silence.
const SKIPPED_GAP_NS: u64 = 60 * 1_000_000_000;

/// Adds up the length of a render from the timestamps of its frames.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timeline {
    last_ns: Option<u64>,
    rendered_ns: u64,
}

impl Timeline {
    /// Adds the next frame, which has the timestamp `t_ns`.
    pub fn push(&mut self, t_ns: u64) {
        let gap_ns = gap_before(t_ns, self.last_ns.replace(t_ns));
        if gap_ns <= SKIPPED_GAP_NS {
            self.rendered_ns = self.rendered_ns.saturating_add(gap_ns);
        }
    }

    /// Length of the sound that [`Offline`] renders for the frames so far, seconds.
    pub fn seconds(&self) -> f64 {
        self.rendered_ns as f64 * 1e-9
    }
}

/// Time since the previous frame, ns. It is 0 for the first frame, and for a frame with an earlier
/// timestamp than the previous one.
fn gap_before(t_ns: u64, last_ns: Option<u64>) -> u64 {
    t_ns.saturating_sub(last_ns.unwrap_or(t_ns))
}

/// The settings of a render.
#[derive(Clone, Copy, Debug)]
pub struct OfflineSettings {
    /// The settings that convert rates into levels.
    pub scaling: Scaling,
    /// The settings of the composer.
    pub music: Settings,
    /// The loudness of the render.
    pub volume: Volume,
    /// Sample rate, Hz, 8000..=192000.
    pub sample_rate_hz: u32,
    /// What to render: the mix, the mix and its stems, or only notes.
    pub mode: RenderMode,
}

/// An offline render. The same frames, settings and preset always give the same samples.
pub struct Offline {
    pipeline: Pipeline,
    performance: Performance,
    /// Timestamp of the last frame, ns.
    last_ns: Option<u64>,
    /// Length of the render up to the last frame, ns. Time that is not rendered yet is included,
    /// but skipped gaps are not.
    until_ns: u64,
    lanes: Lanes,
    notes: u64,
    last_notes: Vec<Note>,
}

impl Offline {
    /// Creates a render that begins with the next frame.
    pub fn new(settings: &OfflineSettings, preset: Preset) -> Self {
        let OfflineSettings { scaling, music, volume, sample_rate_hz, mode } = *settings;
        Self {
            pipeline: Pipeline::new(scaling),
            performance: Performance::new(music, preset, sample_rate_hz, volume, mode),
            last_ns: None,
            until_ns: 0,
            lanes: Lanes::NONE,
            notes: 0,
            last_notes: Vec::new(),
        }
    }

    /// Resets rates and lanes, but keeps the baselines. Call this function before switching to
    /// another source, because the counters of the two sources are unrelated.
    pub fn restart(&mut self) {
        self.pipeline.reset();
        self.lanes = Lanes::NONE;
    }

    /// Sets the catalogue for the following frames. If it does not extend the previous catalogue,
    /// the values of added lanes are cleared.
    pub fn set_catalogue(&mut self, catalogue: &Catalogue) {
        if !catalogue.extends(self.pipeline.catalogue()) {
            self.lanes.added.clear();
        }
        self.pipeline.set_catalogue(catalogue.clone());
        self.performance.composer().set_catalogue(catalogue);
    }

    /// Adds a cue at the current musical time.
    pub fn cue(&mut self, kind: CueSound) {
        self.performance.composer().cue(kind);
    }

    /// Updates lanes and baselines from a frame, but renders nothing. Use this function for frames
    /// before the start of the music.
    pub fn learn(&mut self, frame: Frame) {
        self.last_ns = Some(frame.t_ns);
        if let Some(reading) = self.pipeline.push(frame) {
            self.lanes = reading.lanes;
        }
    }

    /// Switches to another preset at the next bar line.
    pub fn set_preset(&mut self, preset: Preset) {
        self.performance.composer().set_preset(preset);
    }

    /// Renders up to this frame's time with the previous lanes, and then updates the lanes from the
    /// frame. `sink` receives each block of samples, and decides whether to continue. If the gap
    /// before the frame is too long, the gap is skipped and its length is returned.
    pub fn frame<B>(
        &mut self,
        frame: Frame,
        sink: &mut impl FnMut(&Samples) -> ControlFlow<B>,
    ) -> ControlFlow<B, Option<Duration>> {
        self.last_notes.clear();
        let gap_ns = gap_before(frame.t_ns, self.last_ns.replace(frame.t_ns));
        let skipped = gap_ns > SKIPPED_GAP_NS;
        if skipped {
            self.restart();
        } else {
            self.gap(gap_ns, sink)?;
        }
        if let Some(reading) = self.pipeline.push(frame) {
            self.lanes = reading.lanes;
        }
        ControlFlow::Continue(skipped.then(|| Duration::from_nanos(gap_ns)))
    }

    /// Renders the time between two frames. In a gap longer than [`LONG_GAP_NS`], the lanes become
    /// missing after [`HELD_LEVELS_NS`].
    fn gap<B>(&mut self, gap_ns: u64, sink: &mut impl FnMut(&Samples) -> ControlFlow<B>) -> ControlFlow<B> {
        if gap_ns <= LONG_GAP_NS {
            return self.advance(gap_ns, sink);
        }
        self.advance(HELD_LEVELS_NS, sink)?;
        self.lanes = Lanes::NONE;
        self.advance(gap_ns - HELD_LEVELS_NS, sink)
    }

    fn advance<B>(
        &mut self,
        by_ns: u64,
        sink: &mut impl FnMut(&Samples) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.until_ns += by_ns;
        let until_s = self.until_ns as f64 * 1e-9;
        while self.seconds() + f64::from(BLOCK_MS) * 1e-3 <= until_s {
            let flow = sink(self.performance.block(&self.lanes));
            self.notes += self.performance.notes().len() as u64;
            self.last_notes.extend_from_slice(self.performance.notes());
            flow?;
        }
        ControlFlow::Continue(())
    }

    /// Length of the sound that has been rendered so far, seconds.
    pub fn seconds(&self) -> f64 {
        self.performance.seconds()
    }

    /// Number of notes that have been played so far.
    pub fn notes(&self) -> u64 {
        self.notes
    }

    /// The notes that were played between the last two frames. Their onsets are relative to the
    /// start of the render.
    pub fn last_notes(&self) -> &[Note] {
        &self.last_notes
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use khor_signal::Counter;
    use khor_source::DemoSource;

    use super::*;

    /// Creates a render that has not yet received a frame.
    fn offline() -> Offline {
        let settings = OfflineSettings {
            scaling: Scaling::default(),
            music: Settings::default(),
            volume: Volume::default(),
            sample_rate_hz: 8_000,
            mode: RenderMode::Mix,
        };
        Offline::new(&settings, Preset::builtin()[0].clone())
    }

    /// Creates a render that has received two seconds of frames from the demo. Returns the render
    /// and the last frame.
    fn after_two_seconds() -> (Offline, Frame) {
        let mut offline = offline();
        let mut demo = DemoSource::new(1);
        let frames: Vec<_> = (0..=100).map(|_| demo.advance(20_000_000)).collect();
        for frame in &frames {
            assert_eq!(render(&mut offline, frame.clone()), None);
        }
        assert!(offline.lanes.values().any(Option::is_some));
        (offline, frames[100].clone())
    }

    fn render(offline: &mut Offline, frame: Frame) -> Option<Duration> {
        let rendered = offline.frame::<Infallible>(frame, &mut |_| ControlFlow::Continue(()));
        rendered.continue_value().unwrap()
    }

    #[test]
    fn a_restart_resets_the_levels() {
        let (mut offline, _) = after_two_seconds();
        offline.restart();
        assert_eq!(offline.lanes, Lanes::NONE);
    }

    #[test]
    fn learning_sets_levels_without_rendering() {
        let mut offline = offline();
        let mut demo = DemoSource::new(1);
        (0..600).for_each(|_| offline.learn(demo.advance(100_000_000)));
        assert!(offline.lanes.values().any(Option::is_some) && offline.seconds() == 0.0);
        render(&mut offline, demo.advance(20_000_000));
        assert!((offline.seconds() - 0.02).abs() < 0.011, "{}", offline.seconds());
    }

    #[test]
    fn the_sink_can_end_a_render() {
        let (mut offline, last) = after_two_seconds();
        let frame = Frame { t_ns: last.t_ns + SKIPPED_GAP_NS, ..last };
        let mut blocks = 0;
        let ended = offline.frame(frame, &mut |_| {
            blocks += 1;
            if blocks == 5 { ControlFlow::Break("enough") } else { ControlFlow::Continue(()) }
        });
        assert_eq!((ended, blocks), (ControlFlow::Break("enough"), 5));
    }

    #[test]
    fn only_long_gaps_clear_the_levels() {
        for (gap_ns, kept) in [(LONG_GAP_NS, true), (LONG_GAP_NS + 1, false)] {
            let (mut offline, _) = after_two_seconds();
            let before = offline.lanes.clone();
            let gone = offline.gap::<Infallible>(gap_ns, &mut |_| ControlFlow::Continue(()));
            assert!(gone.is_continue() && (offline.seconds() - 12.0).abs() < 0.03, "{}", offline.seconds());
            assert_eq!(offline.lanes, if kept { before } else { Lanes::NONE });
        }
    }

    #[test]
    fn the_timeline_predicts_the_render_length() {
        let (mut offline, last) = after_two_seconds();
        let mut timeline = Timeline::default();
        let second = 1_000_000_000;
        let mut t_ns = last.t_ns;
        timeline.push(t_ns);
        for step_ns in [second, SKIPPED_GAP_NS, SKIPPED_GAP_NS + 1, second, u64::MAX / 2] {
            t_ns += step_ns;
            timeline.push(t_ns);
            let skipped = render(&mut offline, Frame { t_ns, ..last.clone() });
            assert_eq!(skipped.is_some(), step_ns > SKIPPED_GAP_NS);
        }
        timeline.push(0);
        assert!((timeline.seconds() - 62.0).abs() < 1e-6, "{}", timeline.seconds());
        assert!((offline.seconds() - 64.0).abs() < 0.03, "{}", offline.seconds());
    }

    #[test]
    fn a_huge_gap_is_skipped() {
        let (mut offline, last) = after_two_seconds();
        let far = Frame { t_ns: u64::MAX - 1, ..last.clone() };
        let skipped = render(&mut offline, far.clone());
        assert_eq!(skipped, Some(Duration::from_nanos(far.t_ns - last.t_ns)));
        assert_eq!(offline.lanes, Lanes::NONE);
        // A frame with an earlier timestamp adds no time. The interval to the next frame is then
        // measured from the earlier timestamp.
        for t_ns in [5_000_000_000, 6_000_000_000] {
            assert_eq!(render(&mut offline, Frame::new(t_ns, [Some(7); Counter::ALL.len()])), None);
        }
        assert!((offline.seconds() - 3.0).abs() < 0.03, "{}", offline.seconds());
    }
}
