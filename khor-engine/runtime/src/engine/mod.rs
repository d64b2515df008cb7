//! Runs the live engine: source → signals → music → sound, MIDI and OSC.
//!
//! The [`signal_task`] converts the source's frames to levels. The [`conductor`] thread composes
//! notes from the levels and sends them to the outputs. The [`state`] holds the values that clients
//! can read, and [`report`] converts them to the types of the API. [`start`] starts these parts.
//! This file implements the actions of clients, and applies changes of the configuration.

mod clips;
mod conductor;
mod config_snapshot;
mod desktop_health;
mod explain;
mod file_watch;
mod library;
mod mute;
mod normalize;
mod original_rates;
mod preset_editing;
mod queries;
mod quiet_hours;
mod renders;
mod report;
mod settings;
mod signal_task;
mod silence;
mod site_stage;
mod sources;
mod stage;
mod start;
mod state;
mod supervisor;
#[cfg(test)]
pub(crate) mod tests;
mod totals;
mod update_policy;

pub use clips::{CLIP_S, CLIPS, Clip, PlayedClip};
pub use explain::{NOTABLE_OCTAVES, amount, is_zero_amount, times};
pub use library::{Library, read as read_preset};
pub use preset_editing::EditError;
pub use renders::{ClipRenderer, RenderError, RenderedClip};
pub use report::{Measures, WrittenPoint};
pub(crate) use settings::{nats_settings, osc_targets};
pub use settings::{offline_settings, scope_choice};
pub use stage::{SectionPulse, Solo, Stage, StagePlan};
pub use state::ReadPosition;
pub use supervisor::{EndReason, Supervisor};

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use khor_api::{DesktopHealth, OscInputHealth};
use khor_config::{
    Config, ConfigError, ConfigPatch, ConfigStore, ConfigUpdate, Desktop, SaveError, UpdateError,
};
use khor_music::Preset;
use khor_output::{audio, midi, osc, recorder::Recorder};
use khor_own_traffic::OwnTraffic;
use khor_source::Playback;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use self::{
    conductor::{Command, Conductor},
    config_snapshot::ConfigSnapshot,
    normalize::{DEFAULT_DEVICE, normalized},
    settings::{
        SignalSettings, audio_settings, disk_limits, midi_settings, music_settings, signal_settings,
        source_choice, volume,
    },
    signal_task::BaselineCommand,
    sources::SourceChoice,
    state::SharedState,
    update_policy::check_change,
};

/// A running engine.
pub struct Engine {
    store: Mutex<ConfigStore>,
    config: RwLock<Arc<ConfigSnapshot>>,
    state: Arc<SharedState>,
    audio: audio::AudioOutput,
    recorder: Recorder,
    renders: ClipRenderer,
    osc: osc::OscOutput,
    midi: midi::MidiOutput,
    own: Arc<OwnTraffic>,
    conductor: Conductor,
    source: watch::Sender<SourceChoice>,
    signals: watch::Sender<SignalSettings>,
    /// The port on which khor receives OSC commands.
    osc_port: watch::Sender<Option<u16>>,
    /// The settings of the parts that use the session bus.
    desktop: watch::Sender<Desktop>,
    /// Notified when a client mutes, unmutes or snoozes the sound device, or changes the quiet
    /// hours.
    silence_changed: Arc<Notify>,
    baseline: mpsc::UnboundedSender<(BaselineCommand, oneshot::Sender<()>)>,
    library: RwLock<Arc<Library>>,
    /// Locked while the presets are reloaded.
    preset_refresh: Mutex<()>,
    /// The unsaved preset that currently plays instead of the configured one.
    preview: Mutex<Option<Preset>>,
    /// The collector's socket.
    socket: PathBuf,
    /// The capture that plays instead of a live source.
    capture: Option<Playback>,
    /// When the engine started, in milliseconds since 1970.
    started_ts_ms: u64,
}

/// Why an action is rejected.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// A value is outside its range.
    #[error("{0}")]
    Range(String),
    /// No output is ready to play a note.
    #[error(
        "no output plays: sound device, MIDI and OSC are off or failing, and no listener is connected; see GET /api/health"
    )]
    NoOutput,
}

impl Engine {
    /// The available presets.
    pub fn library(&self) -> Arc<Library> {
        Arc::clone(&self.library.read())
    }

    /// Freezes the baseline, or resumes learning.
    pub async fn freeze_baseline(&self, frozen: bool) {
        self.send_baseline_command(BaselineCommand::Freeze(frozen)).await;
    }

    /// Resets the baseline and learns a new one.
    pub async fn reset_baseline(&self) {
        self.send_baseline_command(BaselineCommand::Reset).await;
    }

    async fn send_baseline_command(&self, command: BaselineCommand) {
        let (done, is_done) = oneshot::channel();
        if self.baseline.send((command, done)).is_ok() {
            // Ignore the error: waiting fails only if the signal task has ended, which means that
            // the engine ends.
            drop(is_done.await);
        }
    }

    /// A number that grows while the conductor's thread runs. It stays the same if the thread
    /// hangs.
    pub fn heartbeat(&self) -> u64 {
        self.conductor.ticks()
    }

    /// When the engine started, in milliseconds since 1970.
    pub fn started_ts_ms(&self) -> u64 {
        self.started_ts_ms
    }

    /// The current configuration.
    pub fn config(&self) -> Config {
        self.config_snapshot().config.clone()
    }

    /// The path of the configuration file.
    pub fn config_path(&self) -> PathBuf {
        self.config_snapshot().path.clone()
    }

    /// The counts of this engine's own network traffic.
    pub(crate) fn own_traffic(&self) -> &Arc<OwnTraffic> {
        &self.own
    }

    /// The collector's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Changes the configuration, applies the change and writes the file. If writing fails, the
    /// change lasts until khor stops. Waits for the disk. If the change selects a sound device,
    /// also waits for the sound server.
    pub fn update_config(&self, change: &ConfigPatch) -> Result<ConfigUpdate, UpdateError> {
        self.change(None, |_| Ok(change.clone()), ConfigStore::update)
    }

    /// Like [`Self::update_config`], for a change in JSON. If `tags` are given, the change is
    /// rejected unless one of them is the tag of the current configuration.
    pub fn update_config_json(
        &self,
        change: &Value,
        tags: Option<&[&str]>,
    ) -> Result<ConfigUpdate, UpdateError> {
        self.change(tags, |store| store.read_change(&normalized(change)), ConfigStore::update)
    }

    /// Like [`Self::update_config`], but does not write the file. Faders send many values, so their
    /// changes are written later by [`Self::save_config`].
    pub fn adjust_config(&self, change: &ConfigPatch) -> Result<ConfigUpdate, UpdateError> {
        self.change(None, |_| Ok(change.clone()), |store, change| Ok(store.adjust(change)?))
    }

    /// Writes the changes made by [`Self::adjust_config`] to the file. Waits for the disk.
    pub fn save_config(&self) -> Result<(), SaveError> {
        let mut store = self.store.lock();
        self.refresh_config(&mut store);
        let saved = store.save();
        self.publish_config(&store);
        saved
    }

    /// Replaces the copy of the configuration that readers use.
    fn publish_config(&self, store: &ConfigStore) {
        *self.config.write() = ConfigSnapshot::of(store);
    }

    /// Changes the configuration. `read` parses the change, and `make` applies it to the
    /// configuration store.
    fn change(
        &self,
        tags: Option<&[&str]>,
        read: impl FnOnce(&ConfigStore) -> Result<ConfigPatch, ConfigError>,
        make: impl FnOnce(&mut ConfigStore, &ConfigPatch) -> Result<ConfigUpdate, UpdateError>,
    ) -> Result<ConfigUpdate, UpdateError> {
        let mut store = self.store.lock();
        self.refresh_config(&mut store);
        let before = store.config().clone();
        store.require_tag(tags)?;
        let change = read(&store)?;
        check_change(&change, &before, &self.library())?;
        let update = make(&mut store, &change)?;
        self.publish_config(&store);
        self.apply(&before, &update.config);
        Ok(update)
    }

    /// Selects another preset and ends a preview.
    pub fn select_preset(&self, name: &str) -> Result<ConfigUpdate, UpdateError> {
        let mut change = ConfigPatch::default();
        change.music.preset = Some(name.to_owned());
        let update = self.update_config(&change)?;
        self.end_preview();
        Ok(update)
    }

    /// Selects another sound device. An empty name or `default` selects the default device.
    pub fn select_device(&self, device: &str) -> Result<ConfigUpdate, UpdateError> {
        let mut change = ConfigPatch::default();
        change.audio.device = Some(if device == DEFAULT_DEVICE { "" } else { device }.to_owned());
        self.update_config(&change)
    }

    /// Ends every sounding note on the sound device and on all MIDI channels. The music continues.
    pub fn panic(&self) {
        self.conductor.send(Command::Panic);
    }

    /// Subscribes to the sound blocks of the engine. Without a sound device, the engine renders
    /// them for the listeners only.
    pub fn listen(&self) -> Result<broadcast::Receiver<audio::Block>, audio::TapFull> {
        self.audio.tap().listen()
    }

    /// The recorder of the engine's sound.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The renderer of clips.
    pub fn renders(&self) -> &ClipRenderer {
        &self.renders
    }

    /// The configured port for OSC commands. `None` if the OSC input is off.
    pub fn osc_port(&self) -> watch::Receiver<Option<u16>> {
        self.osc_port.subscribe()
    }

    /// Updates the health of the OSC input.
    pub(crate) fn update_osc_input_health(&self, update: impl FnOnce(&mut OscInputHealth)) {
        update(&mut self.state.lock().osc_input_health);
    }

    /// Subscribes to the settings of the parts that use the session bus.
    pub fn desktop(&self) -> watch::Receiver<Desktop> {
        self.desktop.subscribe()
    }

    /// Updates the health of the parts that use the session bus.
    pub(crate) fn update_desktop_health(&self, update: impl FnOnce(&mut DesktopHealth)) {
        update(&mut self.state.lock().desktop_health);
    }

    /// Subscribes to the cues of this machine. A slow subscriber loses the oldest cues.
    pub fn cues(&self) -> broadcast::Receiver<khor_proto::Cue> {
        self.state.cues()
    }

    /// Plays one note with the timbre of the melody. The allowed ranges are 0..=127 for `midi`,
    /// 0..=1 for `velocity`, and 0.01..=10 for `duration_s`.
    ///
    /// # Errors
    ///
    /// Fails if a value is outside its range, or if no output would play the note.
    pub fn test_note(&self, midi: u8, velocity: f32, duration_s: f32) -> Result<(), ActionError> {
        let within = |holds: bool, text: String| if holds { Ok(()) } else { Err(ActionError::Range(text)) };
        within(midi <= 127, format!("midi: {midi} is not allowed, expected 0 to 127"))?;
        within((0.0..=1.0).contains(&velocity), format!("vel: {velocity} is not allowed, expected 0 to 1"))?;
        within(
            (0.01..=10.0).contains(&duration_s),
            format!("dur: {duration_s} is not allowed, expected 0.01 to 10"),
        )?;
        if !self.has_output() {
            return Err(ActionError::NoOutput);
        }
        self.conductor.send(Command::TestNote { midi, velocity, duration_s });
        Ok(())
    }

    /// Returns whether a sound device, a listener, MIDI or OSC would play a note.
    fn has_output(&self) -> bool {
        let plays = self.audio.status().health.ok || self.audio.tap().listeners() > 0;
        plays || self.midi.health().ok || self.osc.targets().iter().any(|target| target.error.is_none())
    }

    /// Stops the music and ends all notes on all outputs. Saves the baseline and the current
    /// recording. Waits for the disk.
    pub fn stop(self: Arc<Self>) {
        self.conductor.send(Command::Stop);
        let (done, is_done) = oneshot::channel();
        if self.baseline.send((BaselineCommand::Save, done)).is_ok() {
            drop(is_done.blocking_recv());
        }
        self.midi.clone().stop(Duration::from_millis(500));
        self.audio.fade_out();
        self.recorder.finish();
    }

    /// Applies changes that another program has made in the configuration file. Waits for the disk.
    fn refresh_config(&self, store: &mut ConfigStore) {
        let before = store.config().clone();
        if store.refresh() {
            self.publish_config(store);
            self.apply(&before, store.config());
        }
    }

    fn config_snapshot(&self) -> Arc<ConfigSnapshot> {
        Arc::clone(&self.config.read())
    }

    /// Sends changed settings to the parts of the engine that use them.
    fn apply(&self, before: &Config, now: &Config) {
        if music_settings(now) != music_settings(before) {
            self.conductor.send(Command::Settings(music_settings(now)));
        }
        if now.music.preset != before.music.preset {
            self.preview.lock().take();
            self.conductor.send(Command::Preset(Box::new(self.library().playable(&now.music.preset))));
        }
        if volume(now) != volume(before) {
            self.conductor.send(Command::Volume(volume(now)));
        }
        if audio_settings(now) != audio_settings(before) {
            self.audio.set_settings(audio_settings(now));
        }
        if osc_targets(now) != osc_targets(before) {
            self.osc.send(osc::OscEvent::Targets(osc_targets(now)));
        }
        if midi_settings(now) != midi_settings(before) {
            self.midi.send(midi::MidiEvent::Settings(midi_settings(now)));
        }
        self.osc_port.send_if_modified(|held| {
            std::mem::replace(held, now.osc.receive_port()) != now.osc.receive_port()
        });
        if now.quiet != before.quiet {
            self.quiet_hours_changed();
        }
        self.recorder.set_disk_limits(disk_limits(&now.recordings));
        self.desktop.send_if_modified(|held| std::mem::replace(held, now.desktop) != now.desktop);
        let choice = source_choice(now, &self.socket, self.capture.as_ref());
        self.source.send_if_modified(|held| std::mem::replace(held, choice.clone()) != choice);
        self.signals.send_replace(signal_settings(now));
    }
}
