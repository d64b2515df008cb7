//! The signal task: it converts the source's frames to lanes, and publishes them to the state and
//! to OSC.

mod single_host;
mod site;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use khor_fleet::Name;
use khor_music::{CueSound, SiteMode};
use khor_output::osc;
use khor_proto::Scope;
use khor_signal::{Catalogue, Frame, PerSignal, Pipeline, Reading};
use khor_source::{BaselineFile, SourceEvent, SourceInfo, SourceKind};
use khor_system::words::counted;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use tracing::debug;

use super::{
    conductor::{Command, Conductor},
    original_rates::{in_osc_order, original_rates},
    settings::SignalSettings,
    sources::InputEvent,
    stage::Stage,
    state::{SharedState, SourceState},
};

/// Shortest time between two `/khor/metrics` messages.
const METRICS_INTERVAL: Duration = Duration::from_millis(100);

/// Time between two writes of the baseline.
const SAVE_INTERVAL: Duration = Duration::from_mins(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BaselineCommand {
    /// Freezes the baseline, or resumes learning.
    Freeze(bool),
    /// Resets the baseline, and learns a new one.
    Reset,
    Save,
}

pub(super) struct SignalTask {
    state: Arc<SharedState>,
    osc: osc::OscOutput,
    settings: watch::Receiver<SignalSettings>,
    pipeline: Pipeline,
    enabled: PerSignal<bool>,
    /// When `/khor/metrics` was last sent.
    metrics_at: Option<Instant>,
    commands: mpsc::UnboundedReceiver<(BaselineCommand, oneshot::Sender<()>)>,
    baseline_file: BaselineFile,
    conductor: Conductor,
    /// The scope of this machine whose baseline is stored. `None` for the demo, captures and sites,
    /// which have no stored baseline.
    subject: Option<Scope>,
    /// The kind of the current source, or of the last one if there is none now.
    kind: Option<SourceKind>,
    /// The host of a site that plays as if it were this machine. `None` plays all hosts.
    single_host: Option<Name>,
    /// The mode in which the hosts of a site play.
    mode: SiteMode,
    stage: Stage,
    /// When the baseline was last saved.
    saved_at: Instant,
}

impl SignalTask {
    pub(super) fn new(
        state: Arc<SharedState>,
        osc: osc::OscOutput,
        mut settings: watch::Receiver<SignalSettings>,
        commands: mpsc::UnboundedReceiver<(BaselineCommand, oneshot::Sender<()>)>,
        baseline_file: BaselineFile,
        conductor: Conductor,
    ) -> Self {
        let SignalSettings { scaling, enabled, single_host, mode } = settings.borrow_and_update().clone();
        state.lock().enabled_signals = enabled;
        let pipeline = Pipeline::new(scaling);
        let saved_at = Instant::now();
        Self {
            state,
            osc,
            settings,
            pipeline,
            enabled,
            metrics_at: None,
            commands,
            baseline_file,
            conductor,
            subject: None,
            kind: None,
            single_host,
            mode,
            stage: Stage::default(),
            saved_at,
        }
    }

    /// Handles the events of the source until the source ends.
    pub(super) async fn run(mut self, mut events: mpsc::Receiver<InputEvent>) {
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                Some((command, done)) = self.commands.recv() => {
                    self.execute(command).await;
                    // Ignore the error: sending fails if the caller no longer waits.
                    done.send(()).ok();
                    continue;
                }
                // Apply settings even while the source is unavailable.
                Ok(()) = self.settings.changed() => {
                    self.apply_settings();
                    continue;
                }
            };
            let Some(event) = event else { return };
            self.apply_pending_settings();
            let event = match event {
                InputEvent::Source(event) => event,
                InputEvent::Fleet(event) => {
                    self.fleet_event(event);
                    continue;
                }
            };
            match event {
                SourceEvent::Up(info) => self.source_up(info).await,
                SourceEvent::Down(shortfall) => self.source_changed(SourceState::Down(shortfall)),
                SourceEvent::Described(info) => self.state.lock().source = SourceState::Up(info),
                SourceEvent::Lanes(catalogue) => self.set_catalogue(catalogue),
                SourceEvent::Frame(frame) => self.frame(frame),
                SourceEvent::Cue(cue) => self.cue(&cue, None),
                SourceEvent::Lost { cues } => {
                    debug!("{} lost: too many cues arrived at once", counted(cues, "cue"));
                    self.state.lock().cues_lost += cues;
                }
            }
        }
    }

    fn apply_pending_settings(&mut self) {
        if self.settings.has_changed().unwrap_or(false) {
            self.apply_settings();
        }
    }

    fn apply_settings(&mut self) {
        let SignalSettings { scaling, enabled, single_host, mode } =
            self.settings.borrow_and_update().clone();
        self.state.lock().enabled_signals = enabled;
        (self.enabled, self.mode) = (enabled, mode);
        self.pipeline.configure(scaling);
        self.select_host(single_host);
    }

    async fn execute(&mut self, command: BaselineCommand) {
        match command {
            BaselineCommand::Freeze(frozen) => self.pipeline.freeze(frozen),
            BaselineCommand::Reset => {
                self.pipeline.restore(&BTreeMap::new());
                self.save().await;
            }
            BaselineCommand::Save => self.save().await,
        }
        self.state.lock().baseline_frozen = self.pipeline.is_frozen();
    }

    /// Handles a new source and loads its baseline. Each scope of this machine has its own
    /// baseline. The demo, captures and sites have no stored baseline.
    async fn source_up(&mut self, info: SourceInfo) {
        let real = matches!(info.kind, SourceKind::Collector | SourceKind::Proc);
        let subject = real.then(|| info.scope.clone());
        if subject != self.subject || subject.is_none() {
            self.save().await;
            self.pipeline
                .restore(&subject.as_ref().map_or_else(BTreeMap::new, |it| self.baseline_file.load(it)));
            let mut state = self.state.lock();
            state.history.clear();
            if subject != self.subject {
                // Clear the cues, because they belong to the previous scope.
                state.cues.clear();
            }
            self.subject = subject;
        }
        // Play a cue when the source switches between the collector and /proc, because /proc has
        // fewer counters.
        let (was, is) = (self.kind.replace(info.kind), info.kind);
        match was {
            Some(SourceKind::Collector) if is == SourceKind::Proc => {
                self.conductor.send(Command::Cue(CueSound::Lost));
            }
            Some(SourceKind::Proc) if is == SourceKind::Collector => {
                self.conductor.send(Command::Cue(CueSound::Found));
            }
            _ => {}
        }
        self.source_changed(SourceState::Up(info));
    }

    /// Starts to save the baseline. Returns `None` if there is nothing to save.
    fn start_save(&mut self) -> Option<JoinHandle<()>> {
        self.saved_at = Instant::now();
        self.baseline_file.save_later(self.subject.as_ref()?, self.pipeline.learnt())
    }

    /// Saves the baseline. Waits for the disk.
    async fn save(&mut self) {
        if let Some(writing) = self.start_save() {
            // The only possible error is a panic, which is already logged.
            drop(writing.await);
        }
    }

    /// Handles a lost or new source. The catalogue contains only the kernel's signals until the
    /// source sends its own lanes.
    fn source_changed(&mut self, source: SourceState) {
        self.pipeline.reset();
        self.pipeline.set_catalogue(Catalogue::kernel());
        self.state.lock().source_changed(source);
    }

    fn set_catalogue(&mut self, catalogue: Catalogue) {
        self.pipeline.set_catalogue(catalogue.clone());
        self.state.lock().set_catalogue(catalogue);
    }

    fn frame(&mut self, frame: Frame) {
        let now = Instant::now();
        let frame = frame.keep_enabled(&self.enabled);
        let counters = frame.counters;
        let reading = self.pipeline.push(frame);
        if let Some(reading) = &reading {
            self.send_osc(reading, now);
        }
        self.state.lock().add_reading(&counters, reading, now);
        if now.duration_since(self.saved_at) >= SAVE_INTERVAL {
            self.start_save();
        }
    }

    fn send_osc(&mut self, reading: &Reading, now: Instant) {
        let catalogue = self.pipeline.catalogue().clone();
        self.osc.send(osc::OscEvent::Lanes(catalogue, reading.lanes.clone()));
        if self.metrics_at.is_none_or(|at| now.duration_since(at) >= METRICS_INTERVAL) {
            self.metrics_at = Some(now);
            self.osc.send(osc::OscEvent::Metrics(in_osc_order(&original_rates(reading))));
        }
    }
}
