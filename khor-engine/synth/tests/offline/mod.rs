//! Renders music and sound together, in scenarios similar to those of the automatic listening test
//! (docs/ear.md, "The judge of the music").

use khor_music::{Layer, Note, Preset, Settings};
use khor_signal::{Lane, Levels, SignalId};
use khor_synth::{Meter, Performance, RenderMode, Volume};

/// Sample rate of all renders.
pub(crate) const RATE_HZ: u32 = 48_000;
/// The result of one render.
pub(crate) struct Rendered {
    /// The sound, interleaved stereo.
    pub(crate) samples: Vec<f32>,
    /// All notes that were played in the render.
    pub(crate) notes: Vec<Note>,
    /// The synth's measurements at the end of the render.
    pub(crate) meter: Meter,
}

impl Rendered {
    /// Number of note onsets per second, counted in all layers except the bed.
    pub(crate) fn onsets_per_s(&self) -> f64 {
        let onsets = self.notes.iter().filter(|note| note.layer != Layer::Bed).count();
        onsets as f64 / (self.samples.len() as f64 / 2.0 / f64::from(RATE_HZ))
    }
}

/// Plays `seconds` of music. `levels_at` gives the levels for each point in time.
pub(crate) fn render(
    preset: &Preset,
    settings: Settings,
    seconds: f64,
    levels_at: impl Fn(f64) -> Levels,
) -> Rendered {
    render_at(Volume::default(), preset, settings, seconds, levels_at)
}

/// Plays `seconds` of music like [`render`], but with this volume.
pub(crate) fn render_at(
    volume: Volume,
    preset: &Preset,
    settings: Settings,
    seconds: f64,
    levels_at: impl Fn(f64) -> Levels,
) -> Rendered {
    let mut performance = Performance::new(settings, preset.clone(), RATE_HZ, volume, RenderMode::Mix);
    let (mut notes, mut samples) = (Vec::new(), Vec::new());
    while performance.seconds() < seconds {
        let lanes = levels_at(performance.seconds())
            .map(|level| level.map(|level| Lane { level, deviation: 10.0 * level, surprise: 0.0 }));
        samples.extend(performance.block(&lanes.into()).interleaved());
        notes.extend_from_slice(performance.notes());
    }
    Rendered { samples, notes, meter: performance.synth().meter() }
}

/// Levels of an idle machine, except that the signals in `raised` have the given levels.
pub(crate) fn levels(raised: &[(SignalId, f32)]) -> Levels {
    let mut levels = [Some(0.0); SignalId::COUNT];
    for &(id, level) in raised {
        levels[id.index()] = Some(level);
    }
    levels
}

/// All scenarios. The first scenario is an idle machine.
pub(crate) fn scenarios() -> [(&'static str, Levels); 7] {
    use SignalId::{Cpu, Csw, Exec, Fork, Io, Mem, Retx, Rx, Stall, Tx};
    [
        ("idle", levels(&[])),
        ("download", levels(&[(Rx, 0.9), (Tx, 0.35), (Csw, 0.75)])),
        ("disk", levels(&[(Io, 0.9), (Stall, 0.3)])),
        ("compile", levels(&[(Exec, 0.7), (Fork, 0.7), (Cpu, 0.6), (Io, 0.3), (Csw, 0.8)])),
        ("memory", levels(&[(Mem, 0.7), (Stall, 0.5)])),
        ("lossy", levels(&[(Rx, 0.5), (Retx, 0.6)])),
        ("all", [Some(1.0); SignalId::COUNT]),
    ]
}
