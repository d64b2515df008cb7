//! The thread that owns the sound stream: opens, watches and reopens it.

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

use khor_api::{Health, Priority};
use parking_lot::Mutex;
use rtrb::RingBuffer;
use tracing::{info, warn};

use super::{
    Player,
    callback_state::{AudioMeters, CallbackState},
    device::{self, DeviceChoice, OpenStream},
    pacer::Pacer,
    priority::Promotion,
    renderer::{Lease, Renderer},
    tap::Tap,
};

/// Capacity of the command queue. Between two callbacks, even the busiest bar sends far fewer
/// notes.
const QUEUE_COMMANDS: usize = 1024;
/// Time between two checks of the stream.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// If the callback has not run for this long, the stream counts as lost, whatever the backend
/// reports.
const WATCHDOG: Duration = Duration::from_secs(2);
/// For this long after a stream was opened, [`WATCHDOG`] does not apply. PulseAudio without a sound
/// card first buffers two seconds of silence, and requests no samples meanwhile. Reopening the
/// stream would repeat this wait forever.
const STARTUP_GRACE: Duration = Duration::from_secs(5);
/// The stream is reopened after this number of consecutive checks with new errors. From a shorter
/// burst of errors, the stream recovers by itself.
const MAX_ERROR_CHECKS: u32 = 3;
/// A requested fade is complete after the callback has rendered this length of sound: the rest of
/// the current block, then the fade itself.
const FADE: Duration = Duration::from_millis(70);
/// Maximum wait until a device has played a fade.
const MAX_FADE: Duration = Duration::from_millis(400);
/// Maximum time that khor waits for a closed stream to return its renderer.
const RETURN_TIMEOUT: Duration = Duration::from_millis(50);
/// Wait between the first two attempts to open the stream. It doubles with each attempt.
const FIRST_RETRY: Duration = Duration::from_millis(300);
/// Maximum wait between two attempts to open the stream.
const LAST_RETRY: Duration = Duration::from_secs(2);
/// How long khor waits for a sound server to start or restart. After that, khor opens the sound
/// card itself, and the server can no longer open the card.
const SERVER_GRACE: Duration = Duration::from_secs(5);

/// Settings of the sound output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AudioSettings {
    /// Whether to play on a device.
    pub enabled: bool,
    /// Name of the backend, `pulseaudio` or `alsa`. If it is empty, khor uses the first backend
    /// that answers.
    pub backend: String,
    /// Id of the device, which begins with `id:`. If it is empty, khor uses the default device.
    pub device: String,
    /// Preferred sample rate, hertz.
    pub sample_rate_hz: u32,
}

/// State of the sound output.
#[derive(Clone, Debug, Default)]
pub struct AudioStatus {
    /// Whether the output works, or why it does not.
    pub health: Health,
    /// The backend in use.
    pub backend: Option<String>,
    /// The readable name of the device in use.
    pub device: Option<String>,
    /// Sample rate of the stream, hertz.
    pub sample_rate_hz: Option<u32>,
    /// Number of times that the stream was reopened after it had played.
    pub restarts: u32,
    /// Number of gaps in the sound that the backends have reported since the engine started. `None`
    /// if the backend cannot report gaps. cpal cannot report them for sound servers.
    pub xruns: Option<u64>,
    /// The priority of the thread that plays the sound; `None` until it is known.
    pub priority: Option<Priority>,
}

/// The sound output.
pub struct AudioOutput {
    commands: Sender<AudioSettings>,
    status: Arc<Mutex<AudioStatus>>,
    callback: Arc<CallbackState>,
    tap: Tap,
}

impl AudioOutput {
    /// Starts the threads. Returns the output, and the [`Player`] that sends notes to it.
    pub fn start(settings: AudioSettings) -> io::Result<(Self, Player)> {
        let callback = Arc::new(CallbackState::new(settings.sample_rate_hz));
        let (tap, feed) = Tap::start(settings.sample_rate_hz)?;
        let (producer, consumer) = RingBuffer::new(QUEUE_COMMANDS);
        let renderer =
            Box::new(Renderer::new(settings.sample_rate_hz, consumer, Arc::clone(&callback), feed));
        let status = Arc::new(Mutex::new(AudioStatus::default()));
        let (commands, receiver) = mpsc::channel();
        let supervisor = Supervisor {
            settings,
            commands: receiver,
            status: Arc::clone(&status),
            callback: Arc::clone(&callback),
            tap: tap.clone(),
            returns: mpsc::sync_channel(1),
            idle: Some(renderer),
            pacer: None,
            stream: None,
            retry: FIRST_RETRY,
            has_played: false,
            earlier_xruns: 0,
            server_deadline: server_deadline(),
        };
        // The thread ends when the output is dropped. Nothing waits for the thread, because a sound
        // server may hang.
        thread::Builder::new().name("khor-audio".into()).spawn(move || supervisor.run())?;
        let player = Player::new(producer, Arc::clone(&callback));
        Ok((Self { commands, status, callback, tap }, player))
    }

    /// The tap that sends the device's sound to listeners. While no device plays, khor renders the
    /// sound for the listeners alone.
    pub fn tap(&self) -> &Tap {
        &self.tap
    }

    /// Changes the settings.
    pub fn set_settings(&self, settings: AudioSettings) {
        // The thread ends only after this sender is dropped, so sending cannot fail.
        drop(self.commands.send(settings));
    }

    /// Fades out all sound, and waits until the device has played the fade. The output is then
    /// silent until the next stream.
    pub fn fade_out(&self) {
        fade_out(&self.callback);
    }

    /// The state of the output.
    pub fn status(&self) -> AudioStatus {
        self.status.lock().clone()
    }

    /// The latest measurements that the audio callback has published.
    pub fn meters(&self) -> AudioMeters {
        self.callback.meters()
    }
}

impl Drop for AudioOutput {
    fn drop(&mut self) {
        self.tap.close();
    }
}

/// Fades out, and waits until the device has played the fade. Does not wait if the device requests
/// no samples.
fn fade_out(callback: &CallbackState) {
    let faded = callback.frames() + (FADE.as_secs_f64() * f64::from(callback.sample_rate_hz())) as u64;
    let given_up = Instant::now() + MAX_FADE;
    callback.fade();
    while callback.running_stream().is_some() && callback.frames() < faded && Instant::now() < given_up {
        thread::sleep(Duration::from_millis(5));
    }
    if let Some(latency_s) = callback.meters().latency_s {
        thread::sleep(Duration::try_from_secs_f32(latency_s).unwrap_or_default().min(MAX_FADE));
    }
}

struct Supervisor {
    settings: AudioSettings,
    commands: Receiver<AudioSettings>,
    status: Arc<Mutex<AudioStatus>>,
    callback: Arc<CallbackState>,
    tap: Tap,
    /// The channel through which a stream or the pacer returns the renderer.
    returns: (mpsc::SyncSender<Box<Renderer>>, Receiver<Box<Renderer>>),
    /// The renderer while neither a stream nor the pacer uses it.
    idle: Option<Box<Renderer>>,
    /// The pacer. It uses the renderer while there are listeners but no running device.
    pacer: Option<Pacer>,
    stream: Option<WatchedStream>,
    retry: Duration,
    has_played: bool,
    /// Number of gaps in the sound of earlier streams.
    earlier_xruns: u64,
    /// If the default device is chosen: until this time, khor waits for a sound server and does not
    /// open a sound card directly.
    server_deadline: Option<Instant>,
}

/// When khor stops waiting for the sound server. `None` if no server exists.
fn server_deadline() -> Option<Instant> {
    device::has_server().then(|| Instant::now() + SERVER_GRACE)
}

/// A stream and the results of its last check.
struct WatchedStream {
    open: OpenStream,
    opened_at: Instant,
    transient: u64,
    /// Number of consecutive checks that found new errors.
    error_checks: u32,
    /// The request for real-time priority; `None` until the stream's thread is known.
    promotion: Option<Promotion>,
}

impl WatchedStream {
    /// The priority of the stream's thread; `None` until it is known. The first call requests
    /// real-time priority.
    fn priority(&mut self) -> Option<Priority> {
        let tid = self.open.faults.tid.load(Relaxed);
        (tid != 0).then(|| self.promotion.get_or_insert_with(|| Promotion::ask(tid)).answer())?
    }
}

impl Supervisor {
    fn run(mut self) {
        let mut next_attempt = Instant::now();
        loop {
            self.idle = self.idle.take().or_else(|| self.returns.1.try_recv().ok());
            let ready = self.stream.is_none() && (self.idle.is_some() || self.pacer.is_some());
            if self.settings.enabled && ready && Instant::now() >= next_attempt {
                self.open();
                next_attempt = Instant::now() + self.retry;
                self.retry = (self.retry * 2).min(LAST_RETRY);
            }
            self.update_pacer();
            if let Some(renderer) = &mut self.idle {
                renderer.idle();
            }
            if !self.settings.enabled {
                self.update_status(|status| {
                    *status = AudioStatus { restarts: status.restarts, ..AudioStatus::default() }
                });
            }
            match self.commands.recv_timeout(CHECK_INTERVAL) {
                Ok(settings) if settings != self.settings => {
                    self.settings = settings;
                    (self.retry, next_attempt, self.has_played) = (FIRST_RETRY, Instant::now(), false);
                    if self.stream.is_some() {
                        fade_out(&self.callback);
                    }
                    self.close(None);
                    self.server_deadline = self.server_deadline.max(server_deadline());
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => self.check_stream(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.pacer.take().into_iter().for_each(Pacer::stop);
                    return self.close(None);
                }
            }
        }
    }

    fn open(&mut self) {
        let AudioSettings { backend, device, .. } = self.settings.clone();
        let unchosen = backend.is_empty() && device.is_empty();
        let server_only = unchosen && self.server_deadline.is_some_and(|until| Instant::now() < until);
        let choice = DeviceChoice { backend, device, server_only };
        let (lease, handover) = Lease::new(self.returns.0.clone());
        match device::open(&choice, self.settings.sample_rate_hz, lease) {
            Ok((open, sample_rate_hz)) => {
                // Take the renderer from the pacer only now. The pacer played for the tap's
                // listeners while the device was being opened.
                self.idle = self
                    .prepare_renderer(sample_rate_hz)
                    .and_then(|renderer| handover.give_renderer(renderer));
                self.opened(open, sample_rate_hz);
            }
            Err(error) => self.open_failed(&error.to_string()),
        }
    }

    /// Starts the pacer if the tap has listeners but no device plays. Stops it otherwise.
    fn update_pacer(&mut self) {
        let must_pace = self.stream.is_none() && self.tap.listeners() > 0;
        match (must_pace, &self.pacer) {
            (true, None) => self.start_pacer(),
            (false, Some(_)) => {
                self.idle = self.take_renderer();
                self.callback.closed();
            }
            _ => {}
        }
    }

    fn start_pacer(&mut self) {
        let played_at =
            self.idle.as_ref().filter(|_| self.has_played).map(|renderer| renderer.sample_rate_hz());
        let sample_rate_hz = played_at.unwrap_or(self.settings.sample_rate_hz);
        let Some(renderer) = self.prepare_renderer(sample_rate_hz) else { return };
        let (lease, handover) = Lease::new(self.returns.0.clone());
        self.idle = handover.give_renderer(renderer);
        match Pacer::start(lease, sample_rate_hz) {
            Ok(pacer) => self.pacer = Some(pacer),
            Err(error) => warn!("sound: cannot start the thread that plays for listeners: {error}"),
        }
    }

    /// Prepares the renderer for a new stream of this sample rate. Returns `None` while a closed
    /// stream still holds the renderer.
    fn prepare_renderer(&mut self, sample_rate_hz: u32) -> Option<Box<Renderer>> {
        let mut renderer = self.take_renderer()?;
        self.callback.opened(sample_rate_hz);
        renderer.prepare(sample_rate_hz);
        Some(renderer)
    }

    fn take_renderer(&mut self) -> Option<Box<Renderer>> {
        self.pacer.take().into_iter().for_each(Pacer::stop);
        self.idle.take().or_else(|| self.returns.1.try_recv().ok())
    }

    fn opened(&mut self, open: OpenStream, sample_rate_hz: u32) {
        info!("sound: {} through {} at {sample_rate_hz} Hz", open.device, open.backend);
        let (backend, device) = (Some(open.backend.clone()), Some(open.device.clone()));
        let (sample_rate_hz, is_restart) = (Some(sample_rate_hz), self.has_played);
        self.update_status(|status| {
            let restarts = status.restarts + u32::from(is_restart);
            let health = Health::starting();
            *status =
                AudioStatus { health, backend, device, sample_rate_hz, restarts, ..AudioStatus::default() };
        });
        self.stream = Some(WatchedStream {
            open,
            opened_at: Instant::now(),
            transient: 0,
            error_checks: 0,
            promotion: None,
        });
    }

    fn open_failed(&mut self, error: &str) {
        let fix = if self.settings.device.is_empty() {
            "start PipeWire or PulseAudio in this session, or plug in a sound card; other outputs are not affected"
        } else {
            "choose another device (khor devices lists them), or plug this one in again"
        };
        self.close(Some(Health::failing(error, fix)));
    }

    /// Checks whether the open stream still plays. Closes the stream if it has failed; otherwise
    /// updates the status.
    fn check_stream(&mut self) {
        let Some(watched) = &mut self.stream else { return };
        let faults = &watched.open.faults;
        let transient = faults.transient.load(Relaxed);
        let xruns = (!watched.open.by_server).then(|| self.earlier_xruns + faults.xruns.load(Relaxed));
        watched.error_checks = if transient > watched.transient { watched.error_checks + 1 } else { 0 };
        watched.transient = transient;
        let keeps_failing = watched.error_checks >= MAX_ERROR_CHECKS;
        let silent_for = self.callback.time_since_callback().unwrap_or_else(|| watched.opened_at.elapsed());
        if faults.fatal.load(Relaxed) {
            self.lose_stream("the sound server has ended, or the device was removed");
        } else if keeps_failing {
            self.lose_stream("the device keeps reporting errors");
        } else if silent_for > WATCHDOG && watched.opened_at.elapsed() > STARTUP_GRACE {
            self.lose_stream("the device stopped requesting samples");
        } else if self.callback.time_since_callback().is_some() {
            self.retry = FIRST_RETRY;
            self.has_played = true;
            let priority = watched.priority();
            self.update_status(|status| {
                (status.health, status.xruns, status.priority) = (Health::working(), xruns, priority);
            });
        }
    }

    fn lose_stream(&mut self, error: &str) {
        self.close(Some(Health::failing(
            error,
            "no action is needed: khor reopens the device when it answers again",
        )));
    }

    /// Drops the stream, if there is one, and takes back its renderer. Publishes `health`, and logs
    /// it if it has changed.
    fn close(&mut self, health: Option<Health>) {
        if let Some(health) = health {
            self.publish_health(health);
        }
        let Some(watched) = self.stream.take() else { return };
        self.earlier_xruns += watched.open.faults.xruns.load(Relaxed);
        if watched.open.by_server {
            self.server_deadline = Some(Instant::now() + SERVER_GRACE);
        }
        self.callback.closed();
        // Dropping a stream waits for the server, which may hang. So another thread drops the
        // stream, and returns the renderer afterwards.
        if thread::Builder::new().name("khor-audio-end".into()).spawn(move || drop(watched)).is_ok() {
            self.idle = self.idle.take().or_else(|| self.returns.1.recv_timeout(RETURN_TIMEOUT).ok());
        }
    }

    fn publish_health(&self, health: Health) {
        let mut status = self.status.lock();
        if status.health != health {
            warn!("sound: {}; trying again", health.error().unwrap_or("lost"));
        }
        *status = AudioStatus { health, restarts: status.restarts, ..AudioStatus::default() };
    }

    fn update_status(&self, change: impl FnOnce(&mut AudioStatus)) {
        change(&mut self.status.lock());
    }
}
