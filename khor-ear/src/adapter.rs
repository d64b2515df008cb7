//! The judge's only interface to the engine. The judge sends frames and receives sound and notes.
//!
//! This module uses these parts of the engine: `Offline::{new, learn, frame, cue, last_notes,
//! set_preset}`, `music::{Preset, Note, Layer, Settings, Scale}` and `signal::{Frame, Counter,
//! SignalId, Family}`. For sites, it also uses `OfflineSite`, `Stage`, `Performance` and
//! `Pipeline`. The other modules of the judge use only the types of this module.

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

/// The properties of a note that the judge compares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlayedNote {
    /// Start, seconds after the first rendered sample.
    pub onset_s: f64,
    /// Time from onset to release, seconds.
    pub duration_s: f32,
    /// Pitch, MIDI note number, 0..=127.
    pub midi: u8,
    /// Velocity, 0..=1.
    pub velocity: f32,
    /// Layer of the note.
    pub layer: Layer,
    /// MIDI channel. Each musical role has its own channel.
    pub channel: u8,
    /// Filter offset of this note, octaves above the patch's cutoff.
    pub brightness: f32,
    /// Instrument, which selects the timbre. Each voice has its own instrument.
    pub instrument: Instrument,
    /// The kernel signal that the note represents; `None` if the note represents no signal.
    pub signal: Option<SignalId>,
}

impl PlayedNote {
    /// Family of the note's signal; `None` if the note has no signal.
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

/// Settings that differ from the engine's defaults.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Seed of the music's random choices.
    pub seed: u64,
    /// The density setting, 0..=1. With `None`, the default density applies.
    pub density: Option<f32>,
}

/// Plays frames through the offline engine, and collects the sound and the notes.
pub struct OfflinePlayer {
    offline: Offline,
    /// The collected sound, interleaved stereo.
    samples: Vec<f32>,
    notes: Vec<PlayedNote>,
}

/// The sound and the notes of one render.
pub struct Render {
    /// The sound, interleaved stereo at [`RATE_HZ`].
    pub samples: Vec<f32>,
    /// All notes that sound in the render. A note's onset is relative to the first sample, so it is
    /// negative if the note began earlier.
    pub notes: Vec<PlayedNote>,
}

impl Render {
    /// Length of the render, seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / 2.0 / f64::from(RATE_HZ)
    }

    /// Drops the first `from_s` seconds. Onsets become relative to the new start.
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

    /// The notes that begin within the render.
    pub fn begun(&self) -> impl Iterator<Item = &PlayedNote> {
        self.notes.iter().filter(|note| note.onset_s >= 0.0)
    }

    /// Note onsets per second in all layers except the bed.
    pub fn onsets_per_s(&self) -> f64 {
        self.begun().filter(|note| note.layer != Layer::Bed).count() as f64 / self.seconds().max(1e-3)
    }
}

impl OfflinePlayer {
    /// Creates an offline engine with default settings and the named preset.
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

    /// Updates the signals and baselines from a frame, without rendering sound.
    pub fn learn(&mut self, frame: Frame) {
        self.offline.learn(frame);
    }

    /// Renders the sound up to the frame's time, then updates the signals from the frame.
    pub fn play(&mut self, frame: Frame) {
        let samples = &mut self.samples;
        let _ = self.offline.frame::<Infallible>(frame, &mut |block| {
            samples.extend(block.interleaved());
            ControlFlow::Continue(())
        });
        self.notes.extend(self.offline.last_notes().iter().map(PlayedNote::from_note));
    }

    /// Requests a cue, as the engine does for a kernel event.
    pub fn cue(&mut self, kind: CueSound) {
        self.offline.cue(kind);
    }

    /// Switches to another preset without interrupting the music.
    pub fn switch(&mut self, preset: &str) -> Result<()> {
        self.offline.set_preset(find(preset)?);
        Ok(())
    }

    /// Takes the samples that were rendered since the last call, interleaved stereo.
    pub fn take_samples(&mut self) -> Vec<f32> {
        std::mem::take(&mut self.samples)
    }

    /// Ends the render and returns its sound and notes, without the first `from_s` seconds.
    pub fn into_render(self, from_s: f64) -> Render {
        Render { samples: self.samples, notes: self.notes }.skip_to(from_s)
    }
}

/// A host of a site, with its own signal pipeline. On a real site, the relay runs the pipeline.
#[derive(Clone, Debug)]
pub struct HostPipeline {
    name: String,
    section: String,
    pipeline: Pipeline,
    reading: Option<Reading>,
}

impl HostPipeline {
    /// Creates a host that has no reading yet.
    pub fn new(name: String, section: &str) -> Self {
        let pipeline = Pipeline::new(Scaling::default());
        Self { name, section: section.to_owned(), pipeline, reading: None }
    }

    /// Processes a frame of the host's counters.
    pub fn push(&mut self, frame: Frame) {
        if let Some(reading) = self.pipeline.push(frame) {
            self.reading = Some(reading);
        }
    }
}

/// The composer's input for a site: the values of all lanes, and the cast, which assigns musical
/// parts to hosts. An input applies until the next one is set.
#[derive(Clone, Debug)]
pub struct ComposerInput {
    lanes: Lanes,
    cast: Arc<Cast>,
}

/// Receives the readings of a site's hosts, and assigns musical parts to the hosts.
pub struct SiteListener {
    offline_site: OfflineSite,
    stage: Stage,
}

impl SiteListener {
    /// Creates a listener for `hosts`. `relays` selects whether each host has its own relay, or one
    /// relay aggregates all hosts.
    ///
    /// # Errors
    ///
    /// Returns an error if the name of a host or section is invalid.
    pub fn new(hosts: &[HostPipeline], relays: RelayMode) -> Result<Self> {
        let named = hosts.iter().map(|host| (host.name.as_str(), host.section.as_str()));
        Ok(Self { offline_site: OfflineSite::new(named, relays)?, stage: Stage::default() })
    }

    /// Publishes the readings of all hosts at the site time `at`, and returns the composer's input.
    /// `hosts` must be in the same order as in [`Self::new`].
    pub fn push(&mut self, at: Duration, hosts: &[HostPipeline], mode: SiteMode) -> ComposerInput {
        let site = self.offline_site.publish(at, hosts.iter().map(|host| host.reading.as_ref()));
        let staged = self.stage.update_for_site(mode, &site, &[true; SignalId::COUNT]);
        let lanes = staged.reading.map_or(Lanes::NONE, |reading| reading.lanes);
        ComposerInput { lanes, cast: staged.cast }
    }
}

/// Plays a site with default settings. Each input applies for `step_ns`.
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

/// Whether each of the twelve pitch classes, from C to B, belongs to the key and scale of the
/// default settings.
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
    let known = || format!("unknown preset {preset}; the presets are {}", presets().join(", "));
    Preset::find(preset).cloned().with_context(known)
}
