//! The rooms at work, live: source → signals → music → sound, MIDI and OSC.
//!
//! The [`listener`] task turns the source's frames into levels, the [`conductor`] thread turns levels into
//! notes and hands them out, the [`state`] holds what can be seen of it all, and [`report`] puts that into the
//! shapes of the API. This file starts them and applies changes of the configuration to them.

mod clips;
mod conductor;
mod editing;
mod ending;
mod explain;
mod forbidden;
mod library;
mod listener;
mod on_desktop;
mod receiving;
mod renders;
mod report;
mod silence;
mod sources;
mod stage;
mod staging;
mod state;
#[cfg(test)]
pub(crate) mod tests;
mod totals;
mod understood;
mod wanted;
mod watching;

pub use clips::{CLIP_S, CLIPS, Clip, Played};
pub use editing::EditError;
pub use ending::{Ended, Ending};
pub use explain::Explanation;
pub use explain::{WORTH_A_LINE, amount, is_nothing, times};
pub use library::{Library, read as read_preset};
pub use on_desktop::OnDesktop;
pub use receiving::Receiving;
pub use renders::{RenderError, Rendered, Renders};
pub use report::{
    ControlsReport, FleetReport, HealthReport, HostReport, HostState, Measures, MetricsReport, SectionReport,
    SignalReport, SubSiteReport, Table,
};
pub use silence::{SilenceReason, SilenceReport};
pub use stage::{Seated, Solo, Stage, Staged};
pub use state::Since;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use serde_json::{Value, json};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tracing::warn;

use self::{
    conductor::{Command, Conductor},
    forbidden::forbid,
    listener::{BaselineWish, Listener, SignalSettings},
    sources::SourceChoice,
    state::State,
    understood::understood,
    wanted::{audio_wanted, midi_wanted, osc_wanted, signal_settings, source_choice},
};
use crate::config::{
    Config, ConfigStore, Desktop, NotSaved, Update, UpdateError, baseline_path, presets_dir, recordings_dir,
};
use khor_music::Preset;
use khor_output::{audio, midi, osc, recorder::Recorder};
use khor_own_traffic::OwnTraffic;
use khor_source::{BaselineFile, Playback};
use khor_system::clock::now_unix_ms;
use khor_system::local_time::{self, Local};

/// Source events that may wait for the listener.
const SOURCE_QUEUE: usize = 16;

/// A running engine.
pub struct Engine {
    store: Mutex<ConfigStore>,
    shown: RwLock<Arc<Shown>>,
    state: Arc<State>,
    audio: audio::AudioOutput,
    recorder: Recorder,
    renders: Renders,
    osc: osc::OscOutput,
    midi: midi::MidiOutput,
    own: Arc<OwnTraffic>,
    conductor: Conductor,
    source: watch::Sender<SourceChoice>,
    signals: watch::Sender<SignalSettings>,
    /// The port to be steered by OSC on.
    osc_port: watch::Sender<Option<u16>>,
    /// What is wanted on the session bus.
    desktop: watch::Sender<Desktop>,
    /// Told when somebody mutes, unmutes or snoozes, or sets other quiet hours.
    silence_changed: Arc<Notify>,
    baseline: mpsc::UnboundedSender<(BaselineWish, oneshot::Sender<()>)>,
    library: RwLock<Arc<Library>>,
    /// Held while the presets are read again.
    refreshing: Mutex<()>,
    /// The unsaved preset that plays.
    previewing: Mutex<Option<Preset>>,
    socket: PathBuf,
    capture: Option<Playback>,
    /// When it started, milliseconds since 1970.
    started_ts_ms: u64,
}

/// What readers see of the configuration: they never wait for a writer that waits for the disk.
struct Shown {
    config: Config,
    path: PathBuf,
    warnings: Vec<String>,
}

impl Shown {
    fn of(store: &ConfigStore) -> Arc<Self> {
        let (config, path) = (store.config().clone(), store.path().to_owned());
        Arc::new(Self { config, path, warnings: store.warnings() })
    }
}

/// Why an action was refused.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// A value is outside its range.
    #[error("{0}")]
    Range(String),
    /// No output would play a note.
    #[error(
        "there is no output: no sound device plays, MIDI and OSC are off or fail, and nobody listens; GET /api/health says why"
    )]
    NoOutput,
}

impl Engine {
    /// Starts everything the configuration asks for. Whatever fails is a state, not an error; only a machine
    /// that has no more threads makes this fail. With a `capture` that is played instead of this machine. That it
    /// ends by itself is told to `ending`. Must be called within a tokio runtime.
    pub fn start(
        store: ConfigStore,
        socket: PathBuf,
        capture: Option<Playback>,
        ending: &Ending,
    ) -> std::io::Result<Arc<Self>> {
        let config = store.config().clone();
        let state = Arc::new(State::new());
        let library = Library::open(presets_dir(store.path()));
        library.problems().iter().for_each(|problem| warn!("preset {problem}"));
        let (audio, player) = audio::AudioOutput::start(audio_wanted(&config))?;
        let recorder =
            Recorder::new(audio.tap().clone(), recordings_dir(store.path()), config.recordings.disk_limits());
        let own = Arc::<OwnTraffic>::default();
        let osc = osc::OscOutput::start(osc_wanted(&config), Arc::clone(&own))?;
        let midi = midi::MidiOutput::start(midi_wanted(&config))?;
        let conductor = Conductor::start(
            conductor::Outputs { player, osc: osc.clone(), midi: midi.clone() },
            Arc::clone(&state),
            config.music_settings(),
            preset(&config, &library),
        )?;
        conductor.send(Command::Volume(config.volume()));
        let (source, source_settings) = watch::channel(source_choice(&config, &socket, capture.as_ref()));
        let (signals, signal_settings) = watch::channel(signal_settings(&config));
        let (osc_port, _) = watch::channel(config.osc.receive_port());
        let (desktop, _) = watch::channel(config.desktop);
        let (events, receiver) = mpsc::channel(SOURCE_QUEUE);
        let (baseline, wishes) = mpsc::unbounded_channel();
        let baseline_file = BaselineFile::new(baseline_path(store.path()));
        let (seen, told) = (Arc::clone(&state), conductor.clone());
        let listener = Listener::new(seen, osc.clone(), signal_settings, wishes, baseline_file, told);
        // The other end of its settings goes with the engine.
        let was_told = {
            let settings = source_settings.clone();
            move || settings.has_changed().is_err()
        };
        let source_runs = sources::run(source_settings, events, Arc::clone(&own));
        ending.follow_source(source_runs, listener.run(receiver), capture.is_some(), was_told);
        let shown = RwLock::new(Shown::of(&store));
        let store = Mutex::new(store);
        let library = RwLock::new(Arc::new(library));
        let engine = Arc::new(Self {
            store,
            shown,
            state,
            audio,
            recorder,
            renders: Renders::default(),
            osc,
            midi,
            own,
            conductor,
            source,
            signals,
            osc_port,
            desktop,
            silence_changed: Arc::default(),
            baseline,
            library,
            refreshing: Mutex::default(),
            previewing: Mutex::default(),
            socket,
            capture,
            started_ts_ms: now_unix_ms(),
        });
        if let Some(problem) = Local::now().problem {
            warn!("{}; {}", problem.error, problem.fix);
        }
        engine.pass_time(&local_time::now());
        let changed = Arc::clone(&engine.silence_changed);
        ending.follow("keeping the quiet hours", silence::follow_the_clock(Arc::downgrade(&engine), changed));
        ending.follow("watching the user's files", watching::watch(Arc::downgrade(&engine)));
        Ok(engine)
    }

    /// The presets there are.
    pub fn library(&self) -> Arc<Library> {
        Arc::clone(&self.library.read())
    }

    /// What is sounding and why, in words.
    pub fn explain(&self) -> Explanation {
        explain::explain(&self.state.lock())
    }

    /// Stops or resumes learning what is ordinary.
    pub async fn freeze_baseline(&self, frozen: bool) {
        self.wish(BaselineWish::Freeze(frozen)).await;
    }

    /// Forgets what is ordinary, and learns it anew.
    pub async fn forget_baseline(&self) {
        self.wish(BaselineWish::Forget).await;
    }

    async fn wish(&self, wish: BaselineWish) {
        let (done, is_done) = oneshot::channel();
        if self.baseline.send((wish, done)).is_ok() {
            // The listener goes only when the engine does.
            drop(is_done.await);
        }
    }

    /// A number that grows as long as music is made.
    pub fn heartbeat(&self) -> u64 {
        self.conductor.ticks()
    }

    /// When it started, milliseconds since 1970.
    pub fn started_ts_ms(&self) -> u64 {
        self.started_ts_ms
    }

    /// The configuration now.
    pub fn config(&self) -> Config {
        self.shown().config.clone()
    }

    /// The file of the configuration.
    pub fn config_path(&self) -> PathBuf {
        self.shown().path.clone()
    }

    /// This engine's own network traffic.
    pub(crate) fn own_traffic(&self) -> &Arc<OwnTraffic> {
        &self.own
    }

    /// The collector's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Changes any part of the configuration, applies the change and writes the file. If the write
    /// fails, the change lasts until khor ends. Waits for the disk, and for the sound server if the
    /// change names a device.
    pub fn update_config(&self, change: &Value) -> Result<Update, UpdateError> {
        self.change(change, None, ConfigStore::update)
    }

    /// Likewise, if the configuration still is the one of one of these `tags`.
    pub fn update_config_of(&self, change: &Value, tags: &[&str]) -> Result<Update, UpdateError> {
        self.change(change, Some(tags), ConfigStore::update)
    }

    /// Like [`Self::update_config`], but written only by [`Self::keep_config`]: for a fader that moves.
    pub fn adjust_config(&self, change: &Value) -> Result<Update, UpdateError> {
        self.change(change, None, |store, change| Ok(store.adjust(change)?))
    }

    /// Writes what was adjusted. Waits for the disk.
    pub fn keep_config(&self) -> Result<(), NotSaved> {
        let mut store = self.store.lock();
        self.refresh_config(&mut store);
        let kept = store.keep();
        self.show(&store);
        kept
    }

    fn show(&self, store: &ConfigStore) {
        *self.shown.write() = Shown::of(store);
    }

    fn change(
        &self,
        change: &Value,
        tags: Option<&[&str]>,
        make: impl FnOnce(&mut ConfigStore, &Value) -> Result<Update, UpdateError>,
    ) -> Result<Update, UpdateError> {
        let mut store = self.store.lock();
        self.refresh_config(&mut store);
        let before = store.config().clone();
        if tags.is_some_and(|tags| !tags.contains(&before.tag().as_str())) {
            return Err(UpdateError::Changed);
        }
        let change = understood(change, &before);
        forbid(&change, &before, &self.library())?;
        let update = make(&mut store, &change)?;
        self.show(&store);
        self.apply(&before, &update.config);
        Ok(update)
    }

    /// Makes another preset the current one; what was previewed is over.
    pub fn select_preset(&self, name: &str) -> Result<Update, UpdateError> {
        let update = self.update_config(&json!({"music": {"preset": name}}))?;
        self.end_preview();
        Ok(update)
    }

    /// Makes another device the current one; empty and `default` are the default device.
    pub fn select_device(&self, device: &str) -> Result<Update, UpdateError> {
        self.update_config(&json!({"audio": {"device": device}}))
    }

    /// Ends every note on the sound device and on all MIDI channels. The music goes on.
    pub fn panic(&self) {
        self.conductor.send(Command::Panic);
    }

    /// Listens to what the sound device is given, from now on; with no device the music plays for the listeners
    /// alone.
    pub fn listen(&self) -> Result<broadcast::Receiver<audio::Block>, audio::TapFull> {
        self.audio.tap().listen()
    }

    /// Records what the sound device is given.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The port to be steered by OSC on, as the configuration has it; `None` is off.
    pub fn osc_port(&self) -> watch::Receiver<Option<u16>> {
        self.osc_port.subscribe()
    }

    /// Tells how being steered by OSC goes.
    pub(crate) fn receiving(&self, tell: impl FnOnce(&mut Receiving)) {
        tell(&mut self.state.lock().receiving);
    }

    /// What is wanted on the session bus, as the configuration has it.
    pub fn desktop(&self) -> watch::Receiver<Desktop> {
        self.desktop.subscribe()
    }

    /// Tells how it goes there.
    pub(crate) fn on_desktop(&self, tell: impl FnOnce(&mut OnDesktop)) {
        tell(&mut self.state.lock().on_desktop);
    }

    /// What happens in the kernel, as it comes; who is too slow misses the oldest.
    pub fn cues(&self) -> broadcast::Receiver<khor_proto::Cue> {
        self.state.cues()
    }

    /// Plays one note with the melody's timbre: MIDI note 0..=127, velocity 0..=1, duration
    /// 0.01..=10 s. Rejected if there is no output.
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

    /// Whether an output would play a note: a device, a listener, MIDI or OSC.
    fn has_output(&self) -> bool {
        let plays = self.audio.status().health.ok || self.audio.tap().listeners() > 0;
        plays || self.midi.health().ok || self.osc.targets().iter().any(|target| target.error.is_none())
    }

    /// Health of every part.
    pub fn health(&self) -> HealthReport {
        let shown = self.shown();
        report::health(
            &shown,
            &self.library(),
            &self.state.lock(),
            &self.audio,
            &self.recorder,
            &self.osc,
            &self.midi.health(),
        )
    }

    /// Rates, signals, controls, and the notes and cues since `since` (all that are kept when `None`).
    pub fn metrics(&self, since: Option<Since>, with_history: bool) -> MetricsReport {
        let shown = self.shown();
        report::metrics(&shown.config, &self.state.lock(), since, with_history)
    }

    /// What can be steered.
    pub fn controls(&self) -> ControlsReport {
        let shown = self.shown();
        report::controls(&shown.config, &self.state.lock())
    }

    /// Ends all notes everywhere, and the threads that play them; keeps what was learnt. Waits for the disk.
    pub fn stop(self: Arc<Self>) {
        self.conductor.send(Command::Stop);
        let (done, is_done) = oneshot::channel();
        if self.baseline.send((BaselineWish::Keep, done)).is_ok() {
            drop(is_done.blocking_recv());
        }
        self.midi.clone().stop(Duration::from_millis(500));
        self.audio.fade_out();
        self.recorder.finish();
    }

    fn shown(&self) -> Arc<Shown> {
        Arc::clone(&self.shown.read())
    }

    fn apply(&self, before: &Config, now: &Config) {
        if now.music_settings() != before.music_settings() {
            self.conductor.send(Command::Settings(now.music_settings()));
        }
        if now.music.preset != before.music.preset {
            self.previewing.lock().take();
            self.conductor.send(Command::Preset(Box::new(preset(now, &self.library()))));
        }
        if now.volume() != before.volume() {
            self.conductor.send(Command::Volume(now.volume()));
        }
        if audio_wanted(now) != audio_wanted(before) {
            self.audio.set_settings(audio_wanted(now));
        }
        if osc_wanted(now) != osc_wanted(before) {
            self.osc.send(osc::OscEvent::Targets(osc_wanted(now)));
        }
        if midi_wanted(now) != midi_wanted(before) {
            self.midi.send(midi::MidiEvent::Settings(midi_wanted(now)));
        }
        self.osc_port.send_if_modified(|held| {
            std::mem::replace(held, now.osc.receive_port()) != now.osc.receive_port()
        });
        if now.quiet != before.quiet {
            self.quiet_hours_changed();
        }
        self.recorder.set_disk_limits(now.recordings.disk_limits());
        self.desktop.send_if_modified(|held| std::mem::replace(held, now.desktop) != now.desktop);
        let choice = source_choice(now, &self.socket, self.capture.as_ref());
        self.source.send_if_modified(|held| std::mem::replace(held, choice.clone()) != choice);
        self.signals.send_replace(signal_settings(now));
    }
}

/// The preset that is to play; if its file is gone, the first is better than silence, and the report says so.
fn preset(config: &Config, library: &Library) -> Preset {
    library.find(&config.music.preset).unwrap_or(&Preset::builtin()[0]).clone()
}
