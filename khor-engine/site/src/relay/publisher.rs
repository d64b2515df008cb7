//! `khor relay`: publishes this machine's readings and cues.
//!
//! The relay learns the baseline, so an engine needs only the newest frame. While the server is
//! unavailable, the relay drops frames instead of queueing them. The gaps in the frame numbers show
//! how many frames it dropped.

use std::{io, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use khor_fleet::{Cue, Frame, Message, Name, subject};
use khor_own_traffic::{CountedAt, OwnTraffic};
use khor_proto::Scope;
use khor_signal::{Catalogue, Pipeline, Reading, Scaling};
use khor_source::{BaselineFile, MachineSettings, ScopeChoice, SourceEvent, SourceInfo, SourceKind, machine};
use khor_system::words::counted;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tracing::{info, warn};

use super::progress::{Progress, RelayError, ticks};
use crate::{
    added_lanes,
    codec::{self, Clocks, Identity},
    nats::{Link, NatsSettings},
};

/// The sample interval, milliseconds. This is the shortest interval that the collector grants an
/// untrusted user.
const SAMPLE_INTERVAL_MS: u16 = 100;
/// The sample interval for frame rates above [`MAX_SLOW_RATE_HZ`], milliseconds.
const SHORT_SAMPLE_INTERVAL_MS: u16 = 50;
/// Highest frame rate for which [`SAMPLE_INTERVAL_MS`] suffices, hertz. Up to this rate, every
/// frame contains a new sample.
const MAX_SLOW_RATE_HZ: u8 = 10;
/// Time between two writes of the baseline file.
const SAVE_INTERVAL: Duration = Duration::from_mins(5);
/// Maximum number of source events in their queue.
const SOURCE_QUEUE: usize = 16;

/// The settings of a relay.
#[derive(Clone, Debug)]
pub struct RelaySettings {
    /// The site that this host belongs to.
    pub site: Name,
    /// The name of this host in the site.
    pub host: Name,
    /// The section of this host.
    pub section: Option<Name>,
    /// The server.
    pub nats: NatsSettings,
    /// Whether to redact messages: cues then lack the process's id and name, and frames lack the
    /// boot id.
    pub redact: bool,
    /// Frames per second, 1..=20.
    pub rate_hz: u8,
    /// The collector's socket; `None` to read only `/proc`.
    pub socket: Option<PathBuf>,
    /// The baseline file.
    pub baseline: PathBuf,
    /// Counts the network traffic of this relay.
    pub own: Arc<OwnTraffic>,
}

/// Publishes until `stopped` is ready. Calls `show` after each frame.
pub async fn publish(
    settings: &RelaySettings,
    stopped: impl Future<Output = io::Result<()>>,
    mut show: impl FnMut(&Progress),
) -> Result<Progress, RelayError> {
    let link = Link::open(&settings.nats).await?;
    let live = MachineSettings {
        socket: settings.socket.clone().unwrap_or_default(),
        use_collector: settings.socket.is_some(),
        scope: ScopeChoice::default(),
        interval_ms: sample_interval_ms(settings.rate_hz),
        exec_cues: false,
    };
    let (_sender, live) = watch::channel(live);
    let (sender, mut events) = mpsc::channel(SOURCE_QUEUE);
    let own = Arc::clone(&settings.own);
    tokio::spawn(async move { machine(live, &sender, &own).await });
    let mut publisher = Publisher::new(settings, link);
    let mut frames = ticks(Duration::from_secs(1) / u32::from(settings.rate_hz.clamp(1, 20)));
    let mut saves = ticks(SAVE_INTERVAL);
    let mut stopped = std::pin::pin!(stopped);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => publisher.take(event).await,
                None => return Err(RelayError::SourceEnded),
            },
            _ = frames.tick() => {
                publisher.send_frame().await;
                show(&publisher.progress);
            }
            _ = saves.tick() => publisher.save_baseline().await,
            stopped = &mut stopped => {
                stopped?;
                publisher.save_baseline().await;
                publisher.link.close().await;
                return Ok(publisher.progress);
            }
        }
    }
}

fn sample_interval_ms(rate_hz: u8) -> u16 {
    if rate_hz > MAX_SLOW_RATE_HZ { SHORT_SAMPLE_INTERVAL_MS } else { SAMPLE_INTERVAL_MS }
}

/// A running relay.
struct Publisher {
    link: Link,
    own: Arc<OwnTraffic>,
    /// This client's IP address, and the network devices that count the relay's traffic: the last
    /// result of [`Self::route`].
    route: (Option<IpAddr>, CountedAt),
    identity: Identity,
    frame_subject: String,
    cue_subject: String,
    redact: bool,
    pipeline: Pipeline,
    baseline_file: BaselineFile,
    kind: Option<SourceKind>,
    reading: Option<Reading>,
    seq: u64,
    progress: Progress,
    /// The largest number of added lanes that any frame so far had no room for.
    most_lanes_left_out: u64,
    /// Whether the relay was sending frames at the last call of [`Self::follow_link`].
    sends: bool,
    begun: Instant,
}

impl Publisher {
    fn new(settings: &RelaySettings, link: Link) -> Self {
        let RelaySettings { site, host, section, redact, baseline, own, .. } = settings;
        let baseline_file = BaselineFile::new(baseline.clone());
        let mut pipeline = Pipeline::new(Scaling::default());
        pipeline.restore(&baseline_file.load(&Scope::Machine));
        Self {
            link,
            own: Arc::clone(own),
            route: (None, CountedAt::Edge),
            identity: Identity::new(host.clone(), section.clone()),
            frame_subject: subject::of_host(site, host, subject::Kind::Frame),
            cue_subject: subject::of_host(site, host, subject::Kind::Cue),
            redact: *redact,
            pipeline,
            baseline_file,
            kind: None,
            reading: None,
            seq: 0,
            progress: Progress::default(),
            most_lanes_left_out: 0,
            sends: false,
            begun: Instant::now(),
        }
    }

    async fn take(&mut self, event: SourceEvent) {
        match event {
            SourceEvent::Up(info) => self.source_up(info),
            SourceEvent::Described(_) => {}
            SourceEvent::Lanes(catalogue) => self.pipeline.set_catalogue(catalogue),
            SourceEvent::Frame(frame) => {
                if let Some(reading) = self.pipeline.push(frame) {
                    self.reading = Some(reading);
                }
            }
            SourceEvent::Cue(cue) => self.send_cue(&cue).await,
            SourceEvent::Lost { cues } => {
                warn!("{} lost: there were more events than the collector can report", counted(cues, "cue"));
            }
            SourceEvent::Down(shortfall) => {
                warn!("{}", shortfall.error);
                self.source_gone();
            }
        }
    }

    fn source_up(&mut self, info: SourceInfo) {
        info!("relaying from {}", info.detail);
        self.source_gone();
        self.kind = Some(info.kind);
        let boot_id = info.machine.map(|machine| machine.boot_id).filter(|_| !self.redact);
        self.identity.boot_id = boot_id.and_then(|text| codec::boot_id(&text));
    }

    /// Resets the state of the source. The last reading is out of date, and the counters of the
    /// next source start at other values.
    fn source_gone(&mut self) {
        self.pipeline.reset();
        self.pipeline.set_catalogue(Catalogue::kernel());
        self.kind = None;
        self.reading = None;
    }

    /// Sends the last reading as a frame. If there is no source, every signal is missing in the
    /// frame.
    async fn send_frame(&mut self) {
        let reading = self.reading.as_ref().map(|reading| (reading, self.pipeline.catalogue()));
        let frame = self.identity.frame(self.seq, Clocks::now(), self.kind, reading);
        self.seq += 1;
        self.count_lanes(&frame);
        let sent = self.send::<Frame>(&frame).await;
        *(if sent { &mut self.progress.frames } else { &mut self.progress.dropped }) += 1;
        self.follow_link();
    }

    /// Counts the lanes that did not fit into the frame. Logs the number only if it is larger than
    /// ever before, so that lanes that appear and disappear do not flood the log.
    fn count_lanes(&mut self, frame: &Frame) {
        let all = self.reading.as_ref().map_or(0, added_lanes::count);
        let left_out = all.saturating_sub(frame.added.len()) as u64;
        self.progress.lanes_left_out = left_out;
        if left_out > self.most_lanes_left_out {
            self.most_lanes_left_out = left_out;
            let lanes = counted(left_out, "lane");
            warn!("{lanes} dropped: they do not fit into a frame; send fewer lanes, or shorten their labels");
        }
    }

    async fn send_cue(&mut self, cue: &khor_proto::Cue) {
        let cue = self.identity.cue(cue, self.redact);
        self.progress.cues += u64::from(self.send::<Cue>(&cue).await);
    }

    async fn send<M: Message>(&mut self, message: &M) -> bool {
        let subject = if M::WORD == Frame::WORD { &self.frame_subject } else { &self.cue_subject };
        let subject = subject.clone();
        match message.write() {
            Ok(bytes) => self.publish(&subject, bytes).await,
            Err(error) => {
                warn!("cannot publish {subject}: {error}");
                false
            }
        }
    }

    /// Returns this client's IP address, and which network devices count the traffic between the
    /// relay and the server.
    fn route(&mut self) -> (Option<IpAddr>, CountedAt) {
        let local = self.link.local_address();
        if self.route.0 != local {
            self.route = (local, local.map_or(CountedAt::Edge, CountedAt::of_local_address));
        }
        self.route
    }

    async fn publish(&mut self, subject: &str, bytes: Vec<u8>) -> bool {
        let length = self.link.length_on_wire(subject, bytes.len());
        let sent = self.link.send(subject, bytes).await;
        if sent {
            let (local, place) = self.route();
            self.own.sent_message(place, length, local);
        }
        sent
    }

    /// Logs when the relay starts or stops sending frames. The link logs the reason.
    fn follow_link(&mut self) {
        self.progress.connected = self.link.is_up();
        let sends = self.progress.connected && !self.link.drops_long_messages();
        self.progress.trouble = if sends { None } else { self.link.trouble() };
        if std::mem::replace(&mut self.sends, sends) != sends {
            let Progress { frames, dropped, .. } = self.progress;
            let after_s = self.begun.elapsed().as_secs();
            if sends {
                info!("sending to {} (frames dropped before: {dropped})", self.frame_subject);
            } else {
                warn!(
                    "stopped sending ({} sent in {after_s} s); frames are dropped until the server accepts them",
                    counted(frames, "frame")
                );
            }
        }
    }

    /// Writes the baseline file.
    async fn save_baseline(&self) {
        if let Some(saving) = self.baseline_file.save_later(&Scope::Machine, self.pipeline.learnt()) {
            // The task fails only if it panics, and panics are logged.
            drop(saving.await);
        }
    }
}
