//! The one place that knows the engine: frames in, sound and notes out.
//!
//! Needed of it: `Offline::{new, learn, frame, cue, last_notes, set_preset}`, `music::{Preset, Note, Layer, Settings, Scale}`,
//! `signal::{Frame, Counter, SignalId, Family}`; of a site's, `Rehearsal`, `Stage`, `Performance` and `Pipeline`. Everything else of the
//! judge speaks in the types of this file.

use std::{convert::Infallible, ops::ControlFlow, sync::Arc, time::Duration};

use anyhow::{Context, Result};
pub use khor_engine::config::SiteMode;
use khor_engine::engine::Stage;
use khor_music::{Cast, Preset};
pub use khor_music::{CueKind, Instrument, Layer};
pub use khor_signal::{Counter, Family, SIGNALS, SignalId};
use khor_signal::{Frame, Lanes, Pipeline, Reading, Scaling};
use khor_synth::{Offline, OfflineSettings, Performance, Sounding, Volume};

use crate::rehearsal::Rehearsal;
pub use crate::rehearsal::Relays;

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

    fn of(note: &khor_music::Note) -> Self {
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

    /// What is heard from `from_s` seconds on; the onsets count from there.
    #[must_use]
    pub fn from(mut self, from_s: f64) -> Self {
        let from = 2 * (from_s * f64::from(RATE_HZ)) as usize;
        self.samples.drain(..from.min(self.samples.len()));
        self.notes.retain(|note| note.onset_s + f64::from(note.duration_s) >= from_s);
        for note in &mut self.notes {
            note.onset_s -= from_s;
        }
        self
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
        let defaults = khor_music::Settings::default();
        let density = options.density.unwrap_or(defaults.density);
        let settings = OfflineSettings {
            scaling: Scaling::default(),
            music: khor_music::Settings { seed: options.seed, density, ..defaults },
            volume: Volume::default(),
            sample_rate_hz: RATE_HZ,
            sounding: Sounding::Mix,
        };
        let offline = Offline::new(&settings, find(preset)?);
        Ok(Self { offline, samples: Vec::new(), notes: Vec::new() })
    }

    /// Lets the signals learn from a frame without a sound.
    pub fn learn(&mut self, frame: Frame) {
        self.offline.learn(frame);
    }

    /// Plays up to a frame, and takes it.
    pub fn play(&mut self, frame: Frame) {
        let samples = &mut self.samples;
        let _ = self.offline.frame::<Infallible>(frame, &mut |block| {
            samples.extend(block.interleaved());
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
    pub fn heard(self, from_s: f64) -> Heard {
        Heard { samples: self.samples, notes: self.notes }.from(from_s)
    }
}

/// A host of a site: what its relay makes of its frames.
#[derive(Clone, Debug)]
pub struct Host {
    name: String,
    section: String,
    pipeline: Pipeline,
    reading: Option<Reading>,
}

impl Host {
    /// A host that was not heard yet.
    pub fn new(name: String, section: &str) -> Self {
        let pipeline = Pipeline::new(Scaling::default());
        Self { name, section: section.to_owned(), pipeline, reading: None }
    }

    /// Takes a frame.
    pub fn hear(&mut self, frame: Frame) {
        if let Some(reading) = self.pipeline.push(frame) {
            self.reading = Some(reading);
        }
    }
}

/// What the composer of a site is told at one time, and until the next.
#[derive(Clone, Debug)]
pub struct Told {
    lanes: Lanes,
    cast: Arc<Cast>,
}

/// Who of a site plays.
pub struct Listener {
    rehearsal: Rehearsal,
    stage: Stage,
}

impl Listener {
    /// Listens to hosts that are told of one by one, or together by a relay that aggregates.
    ///
    /// # Errors
    ///
    /// Of a name that no host or section may have.
    pub fn new(hosts: &[Host], relays: Relays) -> Result<Self> {
        let named = hosts.iter().map(|host| (host.name.as_str(), host.section.as_str()));
        Ok(Self { rehearsal: Rehearsal::new(named, relays)?, stage: Stage::default() })
    }

    /// Hears all hosts, in the order in which it was given them, at that time of the site.
    pub fn hear(&mut self, at: Duration, hosts: &[Host], mode: SiteMode) -> Told {
        let site = self.rehearsal.publish(at, hosts.iter().map(|host| host.reading.as_ref()));
        let staged = self.stage.update_for_site(mode, &site, &[true; SignalId::COUNT]);
        let lanes = staged.reading.map_or([None; SignalId::COUNT], |reading| reading.lanes);
        Told { lanes, cast: staged.cast }
    }
}

/// Plays a site with default settings; each of what was told lasts `step_ns`.
pub fn play_site(preset: &str, seed: u64, told: &[Told], step_ns: u64) -> Result<Heard> {
    let settings = khor_music::Settings { seed, ..khor_music::Settings::default() };
    let (preset, volume) = (find(preset)?, Volume::default());
    let mut performance = Performance::new(settings, preset, RATE_HZ, volume, Sounding::Mix);
    let mut heard = Heard { samples: Vec::new(), notes: Vec::new() };
    for (step, Told { lanes, cast }) in told.iter().enumerate() {
        performance.composer().set_cast(Arc::clone(cast));
        let until_s = (step as u64 + 1) as f64 * step_ns as f64 * 1e-9;
        while performance.seconds() < until_s - 1e-6 {
            heard.samples.extend(performance.block(lanes).interleaved());
            heard.notes.extend(performance.notes().iter().map(Note::of));
        }
    }
    Ok(heard)
}

/// Names of the built-in presets.
pub fn presets() -> Vec<String> {
    Preset::builtin().iter().map(|preset| preset.name.clone()).collect()
}

/// Whether each pitch class belongs to the key and scale of the default settings.
pub fn scale() -> [bool; 12] {
    let settings = khor_music::Settings::default();
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
