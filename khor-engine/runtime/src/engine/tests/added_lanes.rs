//! Tests lanes that a source adds while it runs. khor must play, explain and report such a lane,
//! and store it in the history.

use khor_config::Config;
use khor_fleet::{Message, Name};
use khor_music::{Preset, Settings, SiteMode};
use khor_output::{audio, midi, osc};
use khor_proto::{Availability, Scope};
use khor_signal::{
    Catalogue, Counter, Frame, LaneId, PerAdded, Scaling, SignalId, deviating_reading, test_lane,
};
use khor_site::{Clocks, FleetEvent, Identity, Site, SiteTracker};
use khor_source::{BaselineFile, SourceEvent, SourceInfo, SourceKind};
use serde_json::json;
use tokio::sync::{mpsc, watch};

use super::super::{
    conductor::{Command, Conductor, Outputs},
    explain::explain,
    report,
    settings::SignalSettings,
    signal_task::SignalTask,
    sources::InputEvent,
    state::{HISTORY_INTERVAL, SharedState},
};
use super::*;

/// Time between two frames, in nanoseconds.
const FRAME_NS: u64 = 20_000_000;

/// A signal task and a conductor without a sound device. The test acts as their source.
struct Fixture {
    state: Arc<SharedState>,
    conductor: Conductor,
    events: mpsc::Sender<InputEvent>,
    next_frame: u64,
    _settings: watch::Sender<SignalSettings>,
    _audio: audio::AudioOutput,
}

impl Fixture {
    fn new() -> Self {
        let settings = audio::AudioSettings { enabled: false, ..audio::AudioSettings::default() };
        let (audio, player) = audio::AudioOutput::start(settings).unwrap();
        let osc = osc::OscOutput::start(Vec::new(), Arc::default()).unwrap();
        let outputs = Outputs { player, osc: osc.clone(), midi: midi::MidiOutput::start(None).unwrap() };
        let (state, preset) = (Arc::new(SharedState::new()), Preset::builtin()[0].clone());
        let conductor = Conductor::start(outputs, Arc::clone(&state), Settings::default(), preset).unwrap();
        let settings = SignalSettings {
            scaling: Scaling::default(),
            enabled: [true; SignalId::COUNT],
            single_host: None,
            mode: SiteMode::default(),
        };
        let (settings, signal_settings) = watch::channel(settings);
        let (_, commands) = mpsc::unbounded_channel();
        let baseline = BaselineFile::new(PathBuf::from("/nonexistent/baseline.json"));
        let task =
            SignalTask::new(Arc::clone(&state), osc, signal_settings, commands, baseline, conductor.clone());
        let (events, receiver) = mpsc::channel(1);
        tokio::spawn(task.run(receiver));
        Self { state, conductor, events, next_frame: 0, _settings: settings, _audio: audio }
    }

    async fn send(&self, event: SourceEvent) {
        self.events.send(InputEvent::Source(event)).await.unwrap();
    }

    /// Sends `count` frames of an idle machine. `added` contains the values of its added lanes.
    async fn send_frames(&mut self, count: u64, added: &[Option<f64>]) {
        for _ in 0..count {
            let added: PerAdded<Option<f64>> = added.iter().copied().collect();
            let frame = Frame::new(self.next_frame * FRAME_NS, [Some(0); Counter::ALL.len()]);
            self.next_frame += 1;
            self.send(SourceEvent::Frame(Frame { added, ..frame })).await;
        }
    }

    async fn begin_source(&self, kind: SourceKind) {
        let info = SourceInfo {
            kind,
            detail: "a test".into(),
            shortfall: None,
            machine: None,
            scope: Scope::Machine,
            interval_ms: 20,
            limit: None,
            availability: Counter::ALL.map(|_| Availability::Available),
        };
        self.send(SourceEvent::Up(info)).await;
    }

    /// Starts a `/proc` source, and sends the frames of two idle seconds.
    async fn begin(&mut self) {
        self.begin_source(SourceKind::Proc).await;
        self.send_frames(100, &[]).await;
    }

    /// Adds the lane `queue`, which is idle for one second and then stands out.
    async fn add_busy_lane(&mut self) {
        let mut catalogue = Catalogue::kernel();
        catalogue.add(test_lane("queue")).unwrap();
        self.send(SourceEvent::Lanes(catalogue)).await;
        self.send_frames(50, &[Some(1.0)]).await;
        self.send_frames(50, &[Some(900.0)]).await;
    }

    fn metrics(&self) -> serde_json::Value {
        let report = report::metrics(&Config::default(), &self.state.lock(), None, true);
        serde_json::to_value(report).unwrap()
    }

    async fn wait_for_note(&self) {
        let has_note = || self.state.lock().notes.iter().any(|note| note.lane.as_deref() == Some("queue"));
        khor_e2e::wait_until_async("a note of the lane", has_note).await;
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.conductor.send(Command::Stop);
    }
}

#[tokio::test]
async fn an_added_lane_plays_and_is_reported() {
    let mut fixture = Fixture::new();
    fixture.begin().await;
    assert_eq!(fixture.metrics()["signals"].as_object().unwrap().len(), SignalId::COUNT);
    fixture.add_busy_lane().await;
    fixture.wait_for_note().await;
    tokio::time::sleep(HISTORY_INTERVAL).await;
    fixture.send_frames(1, &[Some(900.0)]).await;
    let newest_level = || fixture.metrics()["history"].as_array()?.last()?["levels"]["queue"].as_f64();
    khor_e2e::wait_until_async("a point of the history", || newest_level() > Some(0.3)).await;
    let metrics = fixture.metrics();
    let lane = &metrics["signals"]["queue"];
    assert!(lane["level"].as_f64().unwrap() > 0.3 && lane["available"] == json!(true), "{lane}");
    assert_eq!((&lane["label"], &lane["unit"]), (&json!("queue per second"), &json!("1/s")));
    assert!(metrics["signals"]["rx"]["level"].is_number(), "the signals of the kernel continue");
    let history = metrics["history"].as_array().unwrap();
    assert!(history[0]["levels"].get("queue").is_none(), "the first point is older than the lane");
    assert!(history.last().unwrap()["rates"]["queue"].as_f64().unwrap() > 100.0);
    let names = metrics["notes"].as_array().unwrap().iter().filter_map(|note| note["signal"].as_str());
    assert!(names.clone().all(|name| name == "queue") && names.count() > 0);
    let explanation = explain(&fixture.state.lock());
    assert_eq!(explanation.standing_out.first().map(|lane| lane.signal.as_str()), Some("queue"));
    assert_eq!(explanation.sentence, "This machine is doing more than usual: queue per second.");
    let voice = explanation.heard.iter().find(|part| part.layer == "voice").unwrap();
    assert_eq!(voice.because, "queue per second");
}

#[tokio::test]
async fn a_lane_without_value_is_reported_missing() {
    let mut fixture = Fixture::new();
    fixture.begin().await;
    fixture.add_busy_lane().await;
    fixture.wait_for_note().await;
    fixture.send_frames(2, &[]).await;
    let level = || fixture.state.lock().lanes().value(LaneId::of_added(0).unwrap());
    khor_e2e::wait_until_async("a frame without the lane", || level().is_none()).await;
    let lane = fixture.metrics()["signals"]["queue"].clone();
    assert_eq!((&lane["level"], &lane["available"]), (&json!(null), &json!(false)));
    assert_eq!(lane["reason"], "the source sends no value for this signal now");
    fixture.begin().await;
    let metrics = fixture.metrics();
    assert!(metrics["signals"].get("queue").is_none(), "the next source has not added it");
    assert!(metrics["notes"].as_array().unwrap().iter().any(|note| note["signal"] == json!("queue")));
}

/// Creates a site whose host `web-1` has the lane `queue`, which stands out.
fn site() -> Arc<Site> {
    let mut catalogue = Catalogue::kernel();
    let queue = catalogue.add(test_lane("queue")).unwrap();
    let mut reading = deviating_reading(queue, 8.0);
    for (id, _) in reading.lanes.clone().iter() {
        reading.rates.set(id, Some(if id == queue { 500.0 } else { 0.0 }));
        reading.baselines.set(id, Some(1.0));
    }
    let (site, host) = (Name::new("home").unwrap(), Name::new("web-1").unwrap());
    let clocks = Clocks { monotonic_ms: 0, wall_ms: 0 };
    let frame = Identity::new(host, None).frame(0, clocks, None, Some((&reading, &catalogue)));
    let (mut tracker, now) =
        (SiteTracker::new(site, tokio::time::Instant::now()), tokio::time::Instant::now());
    tracker.host_frame("khor.v1.home.web-1.frame", &frame.write().unwrap(), now, 0);
    tracker.snapshot(now, 0)
}

#[tokio::test]
async fn a_lane_of_a_host_plays() {
    let fixture = Fixture::new();
    fixture.begin_source(SourceKind::Site).await;
    fixture.events.send(InputEvent::Fleet(FleetEvent::Site(site()))).await.unwrap();
    fixture.wait_for_note().await;
    let metrics = fixture.metrics();
    assert_eq!(metrics["soloists"][0]["signal"], "queue");
    let lane = &metrics["signals"]["queue"];
    assert!(lane["deviation"].as_f64().unwrap() > 7.0 && lane["available"] == json!(true), "{lane}");
    let fleet = serde_json::to_value(report::fleet(&fixture.state.lock())).unwrap();
    assert_eq!(
        (&fleet["hosts"][0]["signal"], &fleet["hosts"][0]["left_out"]),
        (&json!("queue"), &json!(null))
    );
    let explanation = explain(&fixture.state.lock());
    assert_eq!(explanation.sentence, "Of 1 host, web-1 is doing more than usual: queue per second.");
}
