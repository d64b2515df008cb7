//! The thread that owns the stream: opens it, watches it, opens it again.

use std::{
    io,
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rtrb::RingBuffer;
use tracing::{info, warn};

use super::{
    Player,
    device::{self, Choice, OpenStream},
    link::{Link, Meters},
    pacer::Pacer,
    priority::{Priority, Promotion},
    renderer::{Lease, Renderer},
    tap::Tap,
};
use crate::Health;

/// Room for commands between two callbacks: far more than a bar of notes at the busiest.
const QUEUE_COMMANDS: usize = 1024;
/// How often the stream is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// A callback that is silent for this long is dead, whatever the backend says.
const WATCHDOG: Duration = Duration::from_secs(2);
/// But not in a stream's first seconds: PulseAudio without a card renders two seconds of silence ahead, and asks for no more
/// until they are over. Whoever opens the stream anew instead, waits for two seconds more, for ever.
const SETTLING: Duration = Duration::from_secs(5);
/// A short burst of errors heals by itself; one that goes on for this many looks doesn't.
const STORM_LOOKS: u32 = 3;
/// A fade, and a block that was rendered before it began.
const FADE: Duration = Duration::from_millis(70);
/// No device is waited for longer.
const LONGEST_FADE: Duration = Duration::from_millis(400);
/// How long a renderer may take to come home from a stream that ends as it should.
const COMING_HOME: Duration = Duration::from_millis(50);
/// Waits between attempts to open: the first, and the longest.
const FIRST_RETRY: Duration = Duration::from_millis(300);
const LAST_RETRY: Duration = Duration::from_secs(2);
/// How long a sound server may take to come, or to come back, before khor takes the sound card itself, which the server
/// could then not open.
const SERVER_PATIENCE: Duration = Duration::from_secs(5);

/// What is wanted of the sound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Play at all.
    pub enabled: bool,
    /// `pulseaudio`, `alsa`, or empty for the first that answers.
    pub backend: String,
    /// `id:…`, or empty for the default device.
    pub device: String,
    /// Hertz.
    pub sample_rate_hz: u32,
}

/// How the sound is.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Works, or why not.
    pub health: Health,
    /// Backend in use.
    pub backend: Option<String>,
    /// Device in use, for people.
    pub device: Option<String>,
    /// Rate agreed with the device.
    pub sample_rate_hz: Option<u32>,
    /// Times the stream was opened again after it had played.
    pub restarts: u32,
    /// Gaps that the backends have reported since the engine started. `None` while the backend
    /// reports no gaps, such as cpal's client of sound servers.
    pub xruns: Option<u64>,
    /// Of the thread that plays; `None` until that is known.
    pub priority: Option<Priority>,
}

/// The sound output.
pub struct Output {
    commands: Sender<Wanted>,
    status: Arc<Mutex<Status>>,
    link: Arc<Link>,
    tap: Tap,
}

impl Output {
    /// Starts the threads; the [`Player`] feeds the sound.
    pub fn start(wanted: Wanted) -> io::Result<(Self, Player)> {
        let link = Arc::new(Link::new(wanted.sample_rate_hz));
        let (tap, feed) = Tap::start(wanted.sample_rate_hz)?;
        let (producer, consumer) = RingBuffer::new(QUEUE_COMMANDS);
        let renderer = Box::new(Renderer::new(wanted.sample_rate_hz, consumer, Arc::clone(&link), feed));
        let status = Arc::new(Mutex::new(Status::default()));
        let (commands, receiver) = mpsc::channel();
        let supervisor = Supervisor {
            wanted,
            commands: receiver,
            status: Arc::clone(&status),
            link: Arc::clone(&link),
            tap: tap.clone(),
            home: mpsc::sync_channel(1),
            idle: Some(renderer),
            pacer: None,
            stream: None,
            retry: FIRST_RETRY,
            played: false,
            xruns_before: 0,
            server_until: server_until(),
        };
        // It ends when the output is dropped; nobody waits for it, since a sound server may hang.
        thread::Builder::new().name("khor-audio".into()).spawn(move || supervisor.run())?;
        let player = Player::new(producer, Arc::clone(&link));
        Ok((Self { commands, status, link, tap }, player))
    }

    /// Where to listen to what the device is given. With no device, the music plays for the listeners alone.
    pub fn tap(&self) -> &Tap {
        &self.tap
    }

    /// Changes what is wanted.
    pub fn want(&self, wanted: Wanted) {
        // The thread ends only when this sender does.
        drop(self.commands.send(wanted));
    }

    /// Fades out whatever sounds and returns once that has been heard; there is silence until the next stream.
    pub fn fade_out(&self) {
        fade_out(&self.link);
    }

    /// How the sound is.
    pub fn status(&self) -> Status {
        self.status.lock().clone()
    }

    /// How the callback is doing.
    pub fn meters(&self) -> Meters {
        self.link.meters()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.tap.close();
    }
}

/// Fades out, and waits for the device to have played it. A device that takes no more samples is not waited for.
fn fade_out(link: &Link) {
    let faded = link.frames() + (FADE.as_secs_f64() * f64::from(link.sample_rate_hz())) as u64;
    let given_up = Instant::now() + LONGEST_FADE;
    link.fade();
    while link.running_stream().is_some() && link.frames() < faded && Instant::now() < given_up {
        thread::sleep(Duration::from_millis(5));
    }
    if let Some(latency_s) = link.meters().latency_s {
        thread::sleep(Duration::try_from_secs_f32(latency_s).unwrap_or_default().min(LONGEST_FADE));
    }
}

struct Supervisor {
    wanted: Wanted,
    commands: Receiver<Wanted>,
    status: Arc<Mutex<Status>>,
    link: Arc<Link>,
    tap: Tap,
    /// Where the renderer comes back to from whoever had it on loan.
    home: (mpsc::SyncSender<Box<Renderer>>, Receiver<Box<Renderer>>),
    /// The renderer, while nobody has it on loan.
    idle: Option<Box<Renderer>>,
    /// Has it on loan while no device does and somebody listens at the tap.
    pacer: Option<Pacer>,
    stream: Option<Watched>,
    retry: Duration,
    played: bool,
    /// Gaps on earlier streams.
    xruns_before: u64,
    /// Until when only a sound server is asked for the default device.
    server_until: Option<Instant>,
}

/// Where there is a sound server it is waited for.
fn server_until() -> Option<Instant> {
    device::has_server().then(|| Instant::now() + SERVER_PATIENCE)
}

/// A stream and what was last seen of it.
struct Watched {
    open: OpenStream,
    opened_at: Instant,
    transient: u64,
    /// Looks in a row at which there were new errors.
    stormy_looks: u32,
    /// Asked for once its thread is known.
    promotion: Option<Promotion>,
}

impl Watched {
    /// What its thread was granted; asks when its thread is new.
    fn priority(&mut self) -> Option<Priority> {
        let tid = self.open.faults.tid.load(Relaxed);
        (tid != 0).then(|| self.promotion.get_or_insert_with(|| Promotion::ask(tid)).answer())?
    }
}

impl Supervisor {
    fn run(mut self) {
        let mut next_attempt = Instant::now();
        loop {
            self.idle = self.idle.take().or_else(|| self.home.1.try_recv().ok());
            let ready = self.stream.is_none() && (self.idle.is_some() || self.pacer.is_some());
            if self.wanted.enabled && ready && Instant::now() >= next_attempt {
                self.open();
                next_attempt = Instant::now() + self.retry;
                self.retry = (self.retry * 2).min(LAST_RETRY);
            }
            self.follow_listeners();
            if let Some(renderer) = &mut self.idle {
                renderer.idle();
            }
            if !self.wanted.enabled {
                self.set(|status| *status = Status { restarts: status.restarts, ..Status::default() });
            }
            match self.commands.recv_timeout(LOOK) {
                Ok(wanted) if wanted != self.wanted => {
                    self.wanted = wanted;
                    (self.retry, next_attempt, self.played) = (FIRST_RETRY, Instant::now(), false);
                    if self.stream.is_some() {
                        fade_out(&self.link);
                    }
                    self.close(None);
                    self.server_until = self.server_until.max(server_until());
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => self.look(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.pacer.take().into_iter().for_each(Pacer::stop);
                    return self.close(None);
                }
            }
        }
    }

    fn open(&mut self) {
        let Wanted { backend, device, .. } = self.wanted.clone();
        let unchosen = backend.is_empty() && device.is_empty();
        let server_only = unchosen && self.server_until.is_some_and(|until| Instant::now() < until);
        let choice = Choice { backend, device, server_only };
        let (lease, handover) = Lease::new(self.home.0.clone());
        match device::open(&choice, self.wanted.sample_rate_hz, lease) {
            Ok((open, sample_rate_hz)) => {
                // Until here whoever listens at the tap heard on.
                self.idle = self.renderer_for(sample_rate_hz).and_then(|renderer| handover.give(renderer));
                self.opened(open, sample_rate_hz);
            }
            Err(error) => self.failed(&error.to_string()),
        }
    }

    /// Plays for the listeners at the tap while no device plays.
    fn follow_listeners(&mut self) {
        let wanted = self.stream.is_none() && self.tap.listeners() > 0;
        match (wanted, &self.pacer) {
            (true, None) => self.pace(),
            (false, Some(_)) => {
                self.idle = self.take_renderer();
                self.link.closed();
            }
            _ => {}
        }
    }

    fn pace(&mut self) {
        let played_at = self.idle.as_ref().filter(|_| self.played).map(|renderer| renderer.sample_rate_hz());
        let sample_rate_hz = played_at.unwrap_or(self.wanted.sample_rate_hz);
        let Some(renderer) = self.renderer_for(sample_rate_hz) else { return };
        let (lease, handover) = Lease::new(self.home.0.clone());
        self.idle = handover.give(renderer);
        match Pacer::start(lease, sample_rate_hz) {
            Ok(pacer) => self.pacer = Some(pacer),
            Err(error) => warn!("no thread for those who listen: {error}"),
        }
    }

    /// The renderer, ready for a new stream of this rate; `None` while a stream that was closed still holds it.
    fn renderer_for(&mut self, sample_rate_hz: u32) -> Option<Box<Renderer>> {
        let mut renderer = self.take_renderer()?;
        self.link.opened(sample_rate_hz);
        renderer.prepare(sample_rate_hz);
        Some(renderer)
    }

    fn take_renderer(&mut self) -> Option<Box<Renderer>> {
        self.pacer.take().into_iter().for_each(Pacer::stop);
        self.idle.take().or_else(|| self.home.1.try_recv().ok())
    }

    fn opened(&mut self, open: OpenStream, sample_rate_hz: u32) {
        info!("sound: {} through {} at {sample_rate_hz} Hz", open.device, open.backend);
        let (backend, device) = (Some(open.backend.clone()), Some(open.device.clone()));
        let (sample_rate_hz, again) = (Some(sample_rate_hz), self.played);
        self.set(|status| {
            let restarts = status.restarts + u32::from(again);
            let health = Health::starting();
            *status = Status { health, backend, device, sample_rate_hz, restarts, ..Status::default() };
        });
        self.stream =
            Some(Watched { open, opened_at: Instant::now(), transient: 0, stormy_looks: 0, promotion: None });
    }

    fn failed(&mut self, error: &str) {
        let fix = if self.wanted.device.is_empty() {
            "start PipeWire or PulseAudio in this session, or plug in a sound card; everything else goes on"
        } else {
            "choose another device (khor devices lists them), or plug it in again"
        };
        self.close(Some(Health::failing(error, fix)));
    }

    /// Looks at a stream that should be playing.
    fn look(&mut self) {
        let Some(watched) = &mut self.stream else { return };
        let faults = &watched.open.faults;
        let transient = faults.transient.load(Relaxed);
        let xruns = (!watched.open.by_server).then(|| self.xruns_before + faults.xruns.load(Relaxed));
        watched.stormy_looks = if transient > watched.transient { watched.stormy_looks + 1 } else { 0 };
        watched.transient = transient;
        let storm = watched.stormy_looks >= STORM_LOOKS;
        let silent_for = self.link.silence().unwrap_or_else(|| watched.opened_at.elapsed());
        if faults.fatal.load(Relaxed) {
            self.lost("the sound server or the device went away");
        } else if storm {
            self.lost("the device keeps reporting errors");
        } else if silent_for > WATCHDOG && watched.opened_at.elapsed() > SETTLING {
            self.lost("the device stopped asking for samples");
        } else if self.link.silence().is_some() {
            self.retry = FIRST_RETRY;
            self.played = true;
            let priority = watched.priority();
            self.set(|status| {
                (status.health, status.xruns, status.priority) = (Health::working(), xruns, priority);
            });
        }
    }

    fn lost(&mut self, error: &str) {
        self.close(Some(Health::failing(error, "khor opens it again by itself as soon as it answers")));
    }

    /// Drops the stream, if there is one; its renderer comes home. `why` is said, and logged when it is news.
    fn close(&mut self, why: Option<Health>) {
        if let Some(health) = why {
            self.say(health);
        }
        let Some(watched) = self.stream.take() else { return };
        self.xruns_before += watched.open.faults.xruns.load(Relaxed);
        if watched.open.by_server {
            self.server_until = Some(Instant::now() + SERVER_PATIENCE);
        }
        self.link.closed();
        // It waits for the server, which may hang; the renderer comes home when it doesn't, sooner or later.
        if thread::Builder::new().name("khor-audio-end".into()).spawn(move || drop(watched)).is_ok() {
            self.idle = self.idle.take().or_else(|| self.home.1.recv_timeout(COMING_HOME).ok());
        }
    }

    fn say(&self, health: Health) {
        let mut status = self.status.lock();
        if status.health != health {
            warn!("sound: {}; trying again", health.error.as_deref().unwrap_or("lost"));
        }
        *status = Status { health, restarts: status.restarts, ..Status::default() };
    }

    fn set(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.lock());
    }
}
