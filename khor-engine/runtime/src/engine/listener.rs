//! The task that turns the source's frames into lanes, and tells them to the state and to OSC.

mod alone;
mod fleet;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use khor_fleet::Name;
use khor_proto::Scope;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use tracing::warn;

use super::{
    conductor::{Command, Conductor},
    sources::InputEvent,
    stage::Stage,
    state::{SourceState, State},
};
use crate::config::SiteMode;
use khor_music::CueSound;
use khor_output::osc;
use khor_signal::{Counter, Frame, PerSignal, Pipeline, Reading, Scaling};
use khor_source::{BaselineFile, SourceEvent, SourceInfo, SourceKind};
use khor_system::words::counted;

/// Time between two `/khor/metrics` messages.
const METRICS_INTERVAL: Duration = Duration::from_millis(100);

/// Time between two writes of what was learnt.
const KEEP_INTERVAL: Duration = Duration::from_mins(5);

/// What is asked about what is ordinary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BaselineWish {
    /// Learn no more, or again.
    Freeze(bool),
    /// Begin anew.
    Forget,
    /// Write it down now.
    Keep,
}

/// What the pipeline is told, and may be told again.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SignalSettings {
    pub(super) scaling: Scaling,
    pub(super) heard: PerSignal<bool>,
    /// The host of a site that is heard as if it were this machine.
    pub(super) alone: Option<Name>,
    /// How a site is played.
    pub(super) mode: SiteMode,
}

pub(super) struct Listener {
    state: Arc<State>,
    osc: osc::OscOutput,
    settings: watch::Receiver<SignalSettings>,
    pipeline: Pipeline,
    heard: PerSignal<bool>,
    metrics_at: Option<Instant>,
    wishes: mpsc::UnboundedReceiver<(BaselineWish, oneshot::Sender<()>)>,
    baseline_file: BaselineFile,
    conductor: Conductor,
    /// Whose activity is heard on this machine, which teaches what is ordinary; `None` for the demo and captures.
    subject: Option<Scope>,
    kind: Option<SourceKind>,
    /// Of a site, the host that is heard as if it were this machine.
    alone: Option<Name>,
    /// How a site is played, and who of it has which place.
    mode: SiteMode,
    stage: Stage,
    kept_at: Instant,
}

impl Listener {
    pub(super) fn new(
        state: Arc<State>,
        osc: osc::OscOutput,
        mut settings: watch::Receiver<SignalSettings>,
        wishes: mpsc::UnboundedReceiver<(BaselineWish, oneshot::Sender<()>)>,
        baseline_file: BaselineFile,
        conductor: Conductor,
    ) -> Self {
        let SignalSettings { scaling, heard, alone, mode } = settings.borrow_and_update().clone();
        state.lock().heard = heard;
        let pipeline = Pipeline::new(scaling);
        let kept_at = Instant::now();
        Self {
            state,
            osc,
            settings,
            pipeline,
            heard,
            metrics_at: None,
            wishes,
            baseline_file,
            conductor,
            subject: None,
            kind: None,
            alone,
            mode,
            stage: Stage::default(),
            kept_at,
        }
    }

    /// Runs until the source ends.
    pub(super) async fn run(mut self, mut events: mpsc::Receiver<InputEvent>) {
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                Some((wish, done)) = self.wishes.recv() => {
                    self.obey(wish).await;
                    // Whoever asked may have gone.
                    done.send(()).ok();
                    continue;
                }
                // Also while the source is away: what is wanted then is shown.
                Ok(()) = self.settings.changed() => {
                    self.take_settings();
                    continue;
                }
            };
            let Some(event) = event else { return };
            self.follow_settings();
            let event = match event {
                InputEvent::Source(event) => event,
                InputEvent::Fleet(event) => {
                    self.fleet(event);
                    continue;
                }
            };
            match event {
                SourceEvent::Up(info) => self.source_up(info).await,
                SourceEvent::Down(shortfall) => self.source_changed(SourceState::Down(shortfall)),
                SourceEvent::Described(info) => self.state.lock().source = SourceState::Up(info),
                SourceEvent::Frame(frame) => self.frame(frame),
                SourceEvent::Cue(cue) => self.cue(&cue, None),
                SourceEvent::Lost { cues } => {
                    warn!("{} lost: more happened than can be reported one by one", counted(cues, "cue"));
                    self.state.lock().cues_lost += cues;
                }
            }
        }
    }

    fn follow_settings(&mut self) {
        if self.settings.has_changed().unwrap_or(false) {
            self.take_settings();
        }
    }

    fn take_settings(&mut self) {
        let SignalSettings { scaling, heard, alone, mode } = self.settings.borrow_and_update().clone();
        self.state.lock().heard = heard;
        (self.heard, self.mode) = (heard, mode);
        self.pipeline.configure(scaling);
        self.hear(alone);
    }

    async fn obey(&mut self, wish: BaselineWish) {
        match wish {
            BaselineWish::Freeze(frozen) => self.pipeline.freeze(frozen),
            BaselineWish::Forget => {
                self.pipeline.restore(&BTreeMap::new());
                self.kept().await;
            }
            BaselineWish::Keep => self.kept().await,
        }
        self.state.lock().baseline_frozen = self.pipeline.is_frozen();
    }

    /// Another source may be another machine, or another part of this one: what is ordinary is theirs, and of the demo
    /// nothing is kept.
    async fn source_up(&mut self, info: SourceInfo) {
        let real = matches!(info.kind, SourceKind::Collector | SourceKind::Proc);
        let subject = real.then(|| info.scope.clone());
        if subject != self.subject || subject.is_none() {
            self.kept().await;
            self.pipeline
                .restore(&subject.as_ref().map_or_else(BTreeMap::new, |it| self.baseline_file.load(it)));
            let mut seen = self.state.lock();
            seen.history.clear();
            if subject != self.subject {
                // These cues come from outside of the new scope.
                seen.cues.clear();
            }
            self.subject = subject;
        }
        // While the collector is away /proc says less: that is heard, and so is its return.
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

    /// Begins to write down what was learnt.
    fn keep(&mut self) -> Option<JoinHandle<()>> {
        self.kept_at = Instant::now();
        self.baseline_file.save_later(self.subject.as_ref()?, self.pipeline.learnt())
    }

    /// Writes it down.
    async fn kept(&mut self) {
        if let Some(writing) = self.keep() {
            // It can only panic, and that is logged.
            drop(writing.await);
        }
    }

    fn source_changed(&mut self, source: SourceState) {
        self.pipeline.reset();
        self.state.lock().source_changed(source);
    }

    fn frame(&mut self, frame: Frame) {
        let now = Instant::now();
        let frame = frame.keep_enabled(&self.heard);
        let reading = self.pipeline.push(frame);
        self.state.lock().read(&frame.counters, reading, now);
        if now.duration_since(self.kept_at) >= KEEP_INTERVAL {
            self.keep();
        }
        let Some(reading) = reading else { return };
        self.osc.send(osc::OscEvent::Lanes(reading.lanes));
        if self.metrics_at.is_none_or(|at| now.duration_since(at) >= METRICS_INTERVAL) {
            self.metrics_at = Some(now);
            self.osc.send(osc::OscEvent::Metrics(
                original_rates(&reading).map(|(_, rate)| rate.unwrap_or(0.0) as f32),
            ));
        }
    }
}

/// The nine rates of the original khor by name, in the order of `/khor/metrics`. `rx_kbs` and
/// `tx_kbs` are the rates of the signals `rx` and `tx`. `mem_pct` is memory pressure: the share of
/// time some task waited for memory.
pub(super) fn original_rates(reading: &Reading) -> [(&'static str, Option<f64>); 9] {
    original_rates_of(|counter| reading.counter_rates[counter.index()])
}

/// The same from any table of counter rates per second.
pub(super) fn original_rates_of(rate: impl Fn(Counter) -> Option<f64>) -> [(&'static str, Option<f64>); 9] {
    const BYTES_PER_KB: f64 = 1000.0;
    const PCT_PER_US: f64 = 100.0 / 1e6;
    let scaled = |counter, by: f64| rate(counter).map(|rate| rate * by);
    [
        ("exec_s", rate(Counter::Execs)),
        ("rx_kbs", scaled(Counter::EdgeRxBytes, 1.0 / BYTES_PER_KB)),
        ("tx_kbs", scaled(Counter::EdgeTxBytes, 1.0 / BYTES_PER_KB)),
        ("csw_s", rate(Counter::Switches)),
        ("blk_r_kbs", scaled(Counter::ReadBytes, 1.0 / BYTES_PER_KB)),
        ("blk_w_kbs", scaled(Counter::WriteBytes, 1.0 / BYTES_PER_KB)),
        ("retx_s", rate(Counter::Retransmits)),
        ("irq_s", rate(Counter::Irqs)),
        ("mem_pct", scaled(Counter::MemStallUs, PCT_PER_US)),
    ]
}
