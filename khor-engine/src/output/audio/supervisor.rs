//! The thread that owns the stream: opens it, watches it, opens it again.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::Ordering::Relaxed,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use rtrb::RingBuffer;
use tracing::{info, warn};

use super::{
    Player,
    device::{self, Choice, OpenStream},
    link::{Link, Meters},
    renderer::{Lease, Renderer},
};
use crate::output::Health;

/// Room for commands between two callbacks: far more than a bar of notes at the busiest.
const QUEUE_COMMANDS: usize = 1024;
/// How often the stream is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// A callback that is silent for this long is dead, whatever the backend says.
const WATCHDOG: Duration = Duration::from_secs(2);
/// A short burst of errors heals by itself; one that goes on for this many looks doesn't.
const STORM_LOOKS: u32 = 3;
/// Waits between attempts to open: the first, and the longest.
const FIRST_RETRY: Duration = Duration::from_millis(300);
const LAST_RETRY: Duration = Duration::from_secs(2);

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
    /// Gaps the backend reported on this stream.
    pub xruns: u64,
}

/// The sound output.
pub struct Output {
    commands: Sender<Wanted>,
    status: Arc<Mutex<Status>>,
    link: Arc<Link>,
}

impl Output {
    /// Starts the supervising thread; the [`Player`] feeds the sound.
    pub fn start(wanted: Wanted) -> (Self, Player) {
        let link = Arc::new(Link::new(wanted.sample_rate_hz));
        let (producer, consumer) = RingBuffer::new(QUEUE_COMMANDS);
        let renderer = Box::new(Renderer::new(wanted.sample_rate_hz, consumer, Arc::clone(&link)));
        let status = Arc::new(Mutex::new(Status::default()));
        let (commands, receiver) = mpsc::channel();
        let supervisor = Supervisor {
            wanted,
            commands: receiver,
            status: Arc::clone(&status),
            link: Arc::clone(&link),
            home: mpsc::sync_channel(1),
            stream: None,
            retry: FIRST_RETRY,
            played: false,
        };
        // It ends when the output is dropped; nobody waits for it, since a sound server may hang.
        let thread = thread::Builder::new().name("khor-audio".into()).spawn(move || supervisor.run(renderer));
        if let Err(error) = thread {
            warn!("no thread for the sound: {error}");
        }
        let player = Player { commands: producer, link: Arc::clone(&link), clock: super::Clock::default() };
        (Self { commands, status, link }, player)
    }

    /// Changes what is wanted.
    pub fn want(&self, wanted: Wanted) {
        // The thread ends only when this sender does.
        drop(self.commands.send(wanted));
    }

    /// How the sound is.
    pub fn status(&self) -> Status {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How the callback is doing.
    pub fn meters(&self) -> Meters {
        self.link.meters()
    }
}

struct Supervisor {
    wanted: Wanted,
    commands: Receiver<Wanted>,
    status: Arc<Mutex<Status>>,
    link: Arc<Link>,
    home: (mpsc::SyncSender<Box<Renderer>>, Receiver<Box<Renderer>>),
    stream: Option<Watched>,
    retry: Duration,
    played: bool,
}

/// A stream and what was last seen of it.
struct Watched {
    open: OpenStream,
    opened_at: Instant,
    transient: u64,
    /// Looks in a row at which there were new errors.
    stormy_looks: u32,
}

impl Supervisor {
    fn run(mut self, renderer: Box<Renderer>) {
        let mut idle = Some(renderer);
        let mut next_attempt = Instant::now();
        loop {
            if let Some(renderer) = idle.take_if(|_| self.wanted.enabled && Instant::now() >= next_attempt) {
                self.open(renderer);
                next_attempt = Instant::now() + self.retry;
                self.retry = (self.retry * 2).min(LAST_RETRY);
            }
            if let Some(renderer) = &mut idle {
                renderer.idle();
            }
            if !self.wanted.enabled {
                self.set(|status| *status = Status { restarts: status.restarts, ..Status::default() });
            }
            match self.commands.recv_timeout(LOOK) {
                Ok(wanted) if wanted != self.wanted => {
                    self.wanted = wanted;
                    (self.retry, next_attempt, self.played) = (FIRST_RETRY, Instant::now(), false);
                    self.close(None);
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => self.look(),
                Err(RecvTimeoutError::Disconnected) => return self.close(None),
            }
            idle = idle.or_else(|| self.home.1.try_recv().ok());
        }
    }

    fn open(&mut self, renderer: Box<Renderer>) {
        let choice = Choice { backend: self.wanted.backend.clone(), device: self.wanted.device.clone() };
        let home = self.home.0.clone();
        // Wherever opening fails, the renderer must come home: before a lease exists it is in `kept`.
        let mut kept = Some(renderer);
        let link = Arc::clone(&self.link);
        let opened = device::open(&choice, self.wanted.sample_rate_hz, |rate_hz| {
            link.opened(rate_hz);
            let mut renderer = kept.take().expect("taken once");
            renderer.prepare(rate_hz);
            Lease::new(renderer, home)
        });
        match opened {
            Ok((open, sample_rate_hz)) => self.opened(open, sample_rate_hz),
            Err(error) => self.failed(&error.to_string()),
        }
        if let Some(renderer) = kept {
            drop(self.home.0.try_send(renderer));
        }
    }

    fn opened(&mut self, open: OpenStream, sample_rate_hz: u32) {
        info!("sound: {} through {} at {sample_rate_hz} Hz", open.device, open.backend);
        let (backend, device) = (Some(open.backend.clone()), Some(open.device.clone()));
        let (sample_rate_hz, again) = (Some(sample_rate_hz), self.played);
        self.set(|status| {
            let restarts = status.restarts + u32::from(again);
            *status =
                Status { health: Health::starting(), backend, device, sample_rate_hz, restarts, xruns: 0 };
        });
        self.stream = Some(Watched { open, opened_at: Instant::now(), transient: 0, stormy_looks: 0 });
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
        let (transient, xruns) = (faults.transient.load(Relaxed), faults.xruns.load(Relaxed));
        watched.stormy_looks = if transient > watched.transient { watched.stormy_looks + 1 } else { 0 };
        watched.transient = transient;
        let storm = watched.stormy_looks >= STORM_LOOKS;
        let silent_for = self.link.silence().unwrap_or_else(|| watched.opened_at.elapsed());
        if faults.fatal.load(Relaxed) {
            self.lost("the sound server or the device went away");
        } else if storm {
            self.lost("the device keeps reporting errors");
        } else if silent_for > WATCHDOG {
            self.lost("the device stopped asking for samples");
        } else if self.link.silence().is_some() {
            self.retry = FIRST_RETRY;
            self.played = true;
            self.set(|status| (status.health, status.xruns) = (Health::working(), xruns));
        }
    }

    fn lost(&mut self, error: &str) {
        self.close(Some(Health::failing(error, "khor opens it again by itself as soon as it answers")));
    }

    /// Drops the stream, if there is one; its renderer comes home. `why` is logged when it is news.
    fn close(&mut self, why: Option<Health>) {
        self.stream = None;
        self.link.closed();
        let Some(health) = why else { return };
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if status.health != health {
            warn!("sound: {}; trying again", health.error.as_deref().unwrap_or("lost"));
        }
        *status = Status { health, restarts: status.restarts, ..Status::default() };
    }

    fn set(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
