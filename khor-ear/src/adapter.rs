//! The one place that knows the engine: frames in, sound and notes out.
//!
//! Needed of it: `Offline::{new, learn, frame, cue, last_notes, set_preset}`, `music::{Preset, Note, Layer, Settings, Scale}`,
//! `signal::{Frame, Counter, SignalId, Family}`. Everything else of the judge speaks in the types of this file.

use std::{convert::Infallible, ops::ControlFlow};

use anyhow::{Context, Result};
use khor_engine::{
    config::Config,
    engine::Offline,
    music::{self, Preset},
    signal::Frame,
};
pub use khor_engine::{
    music::{CueKind, Instrument, Layer},
    signal::{Counter, Family, SIGNALS, SignalId},
};

/// Sample rate of every render, Hz.
pub const RATE_HZ: u32 = 48_000;

/// A note as the judge sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// Start, seconds since the first sample that was rendered.
    pub onset_s: f64,
    /// Time from onset to release, seconds.
    pub duration_s: f32,
    /// MIDI note number, 0..=127.
    pub midi: u8,
    /// Loudness, 0..=1.
    pub velocity: f32,
    /// Its layer.
    pub layer: Layer,
    /// Its MIDI channel, which says its role.
    pub channel: u8,
    /// Filter opening of this note alone, octaves.
    pub brightness: f32,
    /// Its timbre, which says which voice it is.
    pub instrument: Instrument,
    /// The signal it speaks for, where it is one.
    pub signal: Option<SignalId>,
}

impl Note {
    /// The family of signals it speaks for, where it is one.
    pub fn family(&self) -> Option<Family> {
        self.signal.map(|signal| signal.info().family)
    }

    fn of(note: &music::Note) -> Self {
        Self {
            onset_s: note.onset_s,
            duration_s: note.duration_s,
            midi: note.midi,
            velocity: note.velocity,
            layer: note.layer,
            channel: note.role.midi_channel(),
            brightness: note.brightness,
            instrument: note.instrument,
            signal: note.signal,
        }
    }
}

/// What differs from the defaults of the configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Seed of the music.
    pub seed: u64,
    /// Onsets for the same work, 0..=1, where it isn't the default.
    pub density: Option<f32>,
}

/// The engine, offline, with everything it played so far.
pub struct Player {
    offline: Offline,
    /// Left and right in turn.
    samples: Vec<f32>,
    notes: Vec<Note>,
}

/// Sound and notes of one render.
pub struct Heard {
    /// Left and right in turn, at [`RATE_HZ`].
    pub samples: Vec<f32>,
    /// All notes that sound in it; onsets count from the first sample, and are negative where a note began before.
    pub notes: Vec<Note>,
}

impl Heard {
    /// Length, seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / 2.0 / f64::from(RATE_HZ)
    }

    /// The notes that begin in it.
    pub fn begun(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(|note| note.onset_s >= 0.0)
    }

    /// Onsets per second outside the bed, by the list of notes.
    pub fn onsets_per_s(&self) -> f64 {
        self.begun().filter(|note| note.layer != Layer::Bed).count() as f64 / self.seconds().max(1e-3)
    }
}

impl Player {
    /// An engine with default settings that plays `preset`.
    pub fn new(preset: &str, options: Options) -> Result<Self> {
        let mut config = Config::default();
        config.music.seed = options.seed;
        config.music.density = options.density.unwrap_or(config.music.density);
        let offline = Offline::new(&config, find(preset)?, RATE_HZ);
        Ok(Self { offline, samples: Vec::new(), notes: Vec::new() })
    }

    /// Lets the signals learn from a frame without a sound.
    pub fn learn(&mut self, frame: Frame) {
        self.offline.learn(frame);
    }

    /// Plays up to a frame, and takes it.
    pub fn play(&mut self, frame: Frame) {
        let samples = &mut self.samples;
        let _ = self.offline.frame::<Infallible>(frame, &mut |left, right| {
            samples.extend(left.iter().zip(right).flat_map(|(&l, &r)| [l, r]));
            ControlFlow::Continue(())
        });
        self.notes.extend(self.offline.last_notes().iter().map(Note::of));
    }

    /// The kernel reports something.
    pub fn cue(&mut self, kind: CueKind) {
        self.offline.cue(kind);
    }

    /// Goes on with another preset.
    pub fn switch(&mut self, preset: &str) -> Result<()> {
        self.offline.set_preset(find(preset)?);
        Ok(())
    }

    /// Sound since the last call, left and right in turn.
    pub fn take_samples(&mut self) -> Vec<f32> {
        std::mem::take(&mut self.samples)
    }

    /// What was played from `from_s` seconds on; the onsets count from there.
    pub fn heard(mut self, from_s: f64) -> Heard {
        let from = 2 * (from_s * f64::from(RATE_HZ)) as usize;
        self.samples.drain(..from.min(self.samples.len()));
        self.notes.retain(|note| note.onset_s + f64::from(note.duration_s) >= from_s);
        for note in &mut self.notes {
            note.onset_s -= from_s;
        }
        Heard { samples: self.samples, notes: self.notes }
    }
}

/// Names of the built-in presets.
pub fn presets() -> Vec<String> {
    Preset::builtin().iter().map(|preset| preset.name.clone()).collect()
}

/// Whether each pitch class belongs to the key and scale of the default settings.
pub fn scale() -> [bool; 12] {
    let settings = music::Settings::default();
    let key = settings.key_midi % 12;
    let mut within = [false; 12];
    for interval in settings.scale.intervals() {
        within[usize::from((key + interval) % 12)] = true;
    }
    within
}

fn find(preset: &str) -> Result<Preset> {
    let known = || format!("no preset {preset}; there are {}", presets().join(", "));
    Preset::find(preset).cloned().with_context(known)
}
