//! Starts the engine: its threads, its tasks and its source.

use std::{path::PathBuf, sync::Arc};

use khor_config::{ConfigStore, baseline_path, presets_dir, recordings_dir};
use khor_output::{audio, midi, osc, recorder::Recorder};
use khor_own_traffic::OwnTraffic;
use khor_source::{BaselineFile, Playback};
use khor_system::{
    clock::now_unix_ms,
    local_time::{self, Local},
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, watch};
use tracing::warn;

use super::{
    ClipRenderer, Engine,
    conductor::{self, Command, Conductor},
    config_snapshot::ConfigSnapshot,
    file_watch,
    library::Library,
    mute,
    settings::{
        audio_settings, disk_limits, midi_settings, music_settings, osc_targets, signal_settings,
        source_choice, volume,
    },
    signal_task::SignalTask,
    sources,
    state::SharedState,
    supervisor::Supervisor,
};

/// Maximum number of source events that wait for the signal task.
const SOURCE_QUEUE: usize = 16;

impl Engine {
    /// Starts all parts that the configuration enables. The health report lists parts that fail. If
    /// `capture` is given, the engine plays it instead of this machine. `supervisor` watches the
    /// parts. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// Fails if the system cannot start a thread.
    pub fn start(
        store: ConfigStore,
        socket: PathBuf,
        capture: Option<Playback>,
        supervisor: &Supervisor,
    ) -> std::io::Result<Arc<Self>> {
        let config = store.config().clone();
        let state = Arc::new(SharedState::new());
        let library = Library::open(presets_dir(store.path()));
        library.problems().iter().for_each(|problem| warn!("preset {problem}"));
        let (audio, player) = audio::AudioOutput::start(audio_settings(&config))?;
        let recorder =
            Recorder::new(audio.tap().clone(), recordings_dir(store.path()), disk_limits(&config.recordings));
        let own = Arc::<OwnTraffic>::default();
        let osc = osc::OscOutput::start(osc_targets(&config), Arc::clone(&own))?;
        let midi = midi::MidiOutput::start(midi_settings(&config))?;
        let conductor = Conductor::start(
            conductor::Outputs { player, osc: osc.clone(), midi: midi.clone() },
            Arc::clone(&state),
            music_settings(&config),
            library.playable(&config.music.preset),
        )?;
        conductor.send(Command::Volume(volume(&config)));
        let (source, source_settings) = watch::channel(source_choice(&config, &socket, capture.as_ref()));
        let (signals, signal_settings) = watch::channel(signal_settings(&config));
        let (osc_port, _) = watch::channel(config.osc.receive_port());
        let (desktop, _) = watch::channel(config.desktop);
        let (events, receiver) = mpsc::channel(SOURCE_QUEUE);
        let (baseline, baseline_commands) = mpsc::unbounded_channel();
        let baseline_file = BaselineFile::new(baseline_path(store.path()));
        let signal_task = SignalTask::new(
            Arc::clone(&state),
            osc.clone(),
            signal_settings,
            baseline_commands,
            baseline_file,
            conductor.clone(),
        );
        // If the engine is dropped, the sender of the source's settings is dropped too. The source
        // then ends, which is not a failure.
        let may_end = {
            let settings = source_settings.clone();
            move || settings.has_changed().is_err()
        };
        let source_runs = sources::run(source_settings, events, Arc::clone(&own));
        supervisor.spawn_source(source_runs, signal_task.run(receiver), capture.is_some(), may_end);
        let config = RwLock::new(ConfigSnapshot::of(&store));
        let store = Mutex::new(store);
        let library = RwLock::new(Arc::new(library));
        let engine = Arc::new(Self {
            store,
            config,
            state,
            audio,
            recorder,
            renders: ClipRenderer::default(),
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
            preset_refresh: Mutex::default(),
            preview: Mutex::default(),
            socket,
            capture,
            started_ts_ms: now_unix_ms(),
        });
        if let Some(problem) = Local::now().problem {
            warn!("{}; {}", problem.error, problem.fix);
        }
        engine.apply_time(&local_time::now());
        let changed = Arc::clone(&engine.silence_changed);
        supervisor.spawn(
            "the task that applies the quiet hours",
            mute::run_mute_clock(Arc::downgrade(&engine), changed),
        );
        supervisor.spawn(
            "the task that watches the user's files",
            file_watch::watch_files(Arc::downgrade(&engine)),
        );
        Ok(engine)
    }
}
