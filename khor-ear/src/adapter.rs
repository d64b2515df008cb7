//! The only module that knows the engine: frames in, sound and notes out.
//!
//! It uses `Offline::{new, learn, frame, cue, last_notes, set_preset}`, `music::{Preset, Note,
//! Layer, Settings, Scale}`, and `signal::{Frame, Counter, SignalId, Family}`. For a site it uses
//! `OfflineSite`, `Stage`, `Performance` and `Pipeline`. The rest of the judge uses the types of
//! this file.

use std::{convert::Infallible, ops::ControlFlow, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use khor_engine::engine::Stage;
pub use khor_music::SiteMode;
use khor_music::{Cast, Preset};
pub use khor_music::{CueSound, Instrument, Layer};
pub use khor_signal::{Counter, Family, SIGNALS, SignalId};
use khor_signal::{Frame, LaneId, Lanes, Pipeline, Reading, Scaling};
use khor_synth::{Offline, OfflineSettings, Performance, RenderMode, Volume};

use crate::offline_site::OfflineSite;
pub use crate::offline_site::RelayMode;

/// Sample rate of every render, Hz.
pub const RATE_HZ: u32 = 48_000;

/// A note as the judge sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlayedNote {
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
    /// Its MIDI channel, which shows its role.
    pub channel: u8,
    /// Filter opening of this note alone, octaves.
    pub brightness: f32,
    /// Its timbre, which shows its voice.
    pub instrument: Instrument,
    /// The kernel's signal that the note represents; `None` if it represents none.
    pub signal: Option<SignalId>,
}

impl PlayedNote {
    /// The family of the signal that it represents, if it is one.
    pub fn family(&self) -> Option<Family> {
        self.signal.map(|signal| signal.info().family)
    }

    fn from_note(note: &khor_music::Note) -> Self {
        Self {
            onset_s: note.onset_s,
            duration_s: note.duration_s,
            midi: note.midi,
            velocity: note.velocity,
            layer: note.layer,
            channel: note.role.midi_channel(),
            brightness: note.brightness,
            instrument: note.instrument,
            signal: note.signal.and_then(LaneId::signal),
        }
    }
}

/// Differences from the default configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Seed of the music.
    pub seed: u64,
    /// Onsets for the same work, 0..=1; `None` is the default.
    pub density: Option<f32>,
}

/// The engine, offline, with everything it played so far.
pub struct OfflinePlayer {
    offline: Offline,
    /// Left and right in turn.
    samples: Vec<f32>,
    notes: Vec<PlayedNote>,
}

/// Sound and notes of one render.
pub struct Render {
    /// Left and right in turn, at [`RATE_HZ`].
    pub samples: Vec<f32>,
    /// All notes that sound in it. Onsets count from the first sample, and are negative if a note
    /// began before.
    pub notes: Vec<PlayedNote>,
}

impl Render {
    /// Length, seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / 2.0 / f64::from(RATE_HZ)
    }

    /// The sound from `from_s` seconds on. Onsets count from there.
    #[must_use]
    pub fn skip_to(mut self, from_s: f64) -> Self {
        let from = 2 * (from_s * f64::from(RATE_HZ)) as usize;
        self.samples.drain(..from.min(self.samples.len()));
        self.notes.retain(|note| note.onset_s + f64::from(note.duration_s) >= from_s);
        for note in &mut self.notes {
            note.onset_s -= from_s;
        }
        self
    }

    /// The notes that begin in it.
    pub fn begun(&self) -> impl Iterator<Item = &PlayedNote> {
        self.notes.iter().filter(|note| note.onset_s >= 0.0)
    }

    /// Onsets per second outside the bed, by the list of notes.
    pub fn onsets_per_s(&self) -> f64 {
        self.begun().filter(|note| note.layer != Layer::Bed).count() as f64 / self.seconds().max(1e-3)
    }
}

impl OfflinePlayer {
    /// An engine with default settings that plays `preset`.
    pub fn new(preset: &str, options: Options) -> Result<Self> {
        let defaults = khor_music::Settings::default();
        let density = options.density.unwrap_or(defaults.density);
        let settings = OfflineSettings {
            scaling: Scaling::default(),
            music: khor_music::Settings { seed: options.seed, density, ..defaults },
            volume: Volume::default(),
            sample_rate_hz: RATE_HZ,
            mode: RenderMode::Mix,
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
        self.notes.extend(self.offline.last_notes().iter().map(PlayedNote::from_note));
    }

    /// The kernel reports something.
    pub fn cue(&mut self, kind: CueSound) {
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

    /// Sound and notes from `from_s` seconds on. Onsets count from there.
    pub fn heard(self, from_s: f64) -> Render {
        Render { samples: self.samples, notes: self.notes }.skip_to(from_s)
    }
}

/// A host of a site: what its relay makes of its frames.
#[derive(Clone, Debug)]
pub struct HostPipeline {
    name: String,
    section: String,
    pipeline: Pipeline,
    reading: Option<Reading>,
}

impl HostPipeline {
    /// A host without a reading.
    pub fn new(name: String, section: &str) -> Self {
        let pipeline = Pipeline::new(Scaling::default());
        Self { name, section: section.to_owned(), pipeline, reading: None }
    }

    /// Takes a frame.
    pub fn push(&mut self, frame: Frame) {
        if let Some(reading) = self.pipeline.push(frame) {
            self.reading = Some(reading);
        }
    }
}

/// The input of a site's composer at one time, until the next.
#[derive(Clone, Debug)]
pub struct ComposerInput {
    lanes: Lanes,
    cast: Arc<Cast>,
}

/// Receives the hosts of a site and composes the cast.
pub struct SiteListener {
    offline_site: OfflineSite,
    stage: Stage,
}

impl SiteListener {
    /// Receives hosts one by one, or through a relay that aggregates them.
    ///
    /// # Errors
    ///
    /// A host or section has an invalid name.
    pub fn new(hosts: &[HostPipeline], relays: RelayMode) -> Result<Self> {
        let named = hosts.iter().map(|host| (host.name.as_str(), host.section.as_str()));
        Ok(Self { offline_site: OfflineSite::new(named, relays)?, stage: Stage::default() })
    }

    /// Takes the readings of all hosts, in the order of [`Self::new`], at that time of the site.
    pub fn push(&mut self, at: Duration, hosts: &[HostPipeline], mode: SiteMode) -> ComposerInput {
        let site = self.offline_site.publish(at, hosts.iter().map(|host| host.reading.as_ref()));
        let staged = self.stage.update_for_site(mode, &site, &[true; SignalId::COUNT]);
        let lanes = staged.reading.map_or(Lanes::NONE, |reading| reading.lanes);
        ComposerInput { lanes, cast: staged.cast }
    }
}

/// Plays a site with default settings; each input lasts `step_ns`.
pub fn play_site(preset: &str, seed: u64, inputs: &[ComposerInput], step_ns: u64) -> Result<Render> {
    let settings = khor_music::Settings { seed, ..khor_music::Settings::default() };
    let (preset, volume) = (find(preset)?, Volume::default());
    let mut performance = Performance::new(settings, preset, RATE_HZ, volume, RenderMode::Mix);
    let mut heard = Render { samples: Vec::new(), notes: Vec::new() };
    for (step, ComposerInput { lanes, cast }) in inputs.iter().enumerate() {
        performance.composer().set_cast(Arc::clone(cast));
        let until_s = (step as u64 + 1) as f64 * step_ns as f64 * 1e-9;
        while performance.seconds() < until_s - 1e-6 {
            heard.samples.extend(performance.block(lanes).interleaved());
            heard.notes.extend(performance.notes().iter().map(PlayedNote::from_note));
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
