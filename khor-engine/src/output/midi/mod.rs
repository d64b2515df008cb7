//! MIDI through the ALSA sequencer: a port other programs can subscribe to.
//!
//! Notes go out on their role's channel (melody as configured, bass 2, chords 3, percussion 10), signals as
//! controllers on channel 1. A thread owns the port and the [`schedule`] of what is still to be sent.

mod port;
mod schedule;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::{Duration, Instant},
};

use tracing::{debug, info, warn};

use self::{
    port::{Port, PortError},
    schedule::{Message, Schedule},
};
use super::Health;
use crate::{
    music::{Note, Role},
    signal::{Levels, SignalId},
};

/// Events that may wait for the thread; when it is full, events are dropped.
const QUEUE_EVENTS: usize = 1024;
/// How often a sequencer that isn't there is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// First of the controllers that carry signals, and their order (as in the original khor).
const FIRST_SIGNAL_CC: u8 = 20;
const SIGNAL_CCS: [SignalId; 8] = [
    SignalId::Exec,
    SignalId::Rx,
    SignalId::Tx,
    SignalId::Csw,
    SignalId::Io,
    SignalId::Retx,
    SignalId::Irq,
    SignalId::Mem,
];
/// Controller of the filter cutoff: the music's brightness.
const CUTOFF_CC: u8 = 74;
/// Controllers go out on the first channel.
const CC_CHANNEL: u8 = 1;

/// What is wanted of MIDI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Name of client and port.
    pub port: String,
    /// Channel of the melody, 1..=16.
    pub melody_channel: u8,
}

/// What can be sent.
#[derive(Clone, Debug)]
pub enum Event {
    /// Open such a port, or none.
    Wanted(Option<Wanted>),
    /// A note and when it begins.
    Note(Note, Instant),
    /// Levels and brightness (0..=1); what did not change is not sent.
    Levels(Levels, f32),
    /// Ends every note.
    AllNotesOff,
    /// Ends every note and the thread.
    Stop,
}

/// The MIDI output: a thread with a sequencer port. Dropping the last clone ends all notes.
#[derive(Clone)]
pub struct Output {
    events: SyncSender<Event>,
    health: Arc<Mutex<Health>>,
    /// Whether a port is wanted; written and read by `send` alone.
    wanted: Arc<AtomicBool>,
    ended: Arc<Mutex<Receiver<()>>>,
}

impl Output {
    /// Starts the thread.
    pub fn start(wanted: Option<Wanted>) -> std::io::Result<Self> {
        let (events, receiver) = mpsc::sync_channel(QUEUE_EVENTS);
        let (end, ended) = mpsc::sync_channel(1);
        let health = Arc::new(Mutex::new(Health::off()));
        let port_wanted = Arc::new(AtomicBool::new(wanted.is_some()));
        let mut sender = Sender::new(Arc::clone(&health));
        thread::Builder::new().name("khor-midi".into()).spawn(move || {
            sender.want(wanted);
            sender.run(&receiver);
            let _ = end.send(());
        })?;
        Ok(Self { events, health, wanted: port_wanted, ended: Arc::new(Mutex::new(ended)) })
    }

    /// Hands an event to the thread. Never blocks; a full queue drops it. Without a port the thread is left
    /// asleep: twenty times a second it would wake only to drop what it was given.
    pub fn send(&self, event: Event) {
        match &event {
            Event::Wanted(wanted) => self.wanted.store(wanted.is_some(), Relaxed),
            Event::Note(..) | Event::Levels(..) if !self.wanted.load(Relaxed) => return,
            Event::Note(..) | Event::Levels(..) | Event::AllNotesOff | Event::Stop => {}
        }
        if self.events.try_send(event).is_err() {
            debug!("midi: an event was dropped, the sending thread is behind");
        }
    }

    /// Whether it works.
    pub fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends all notes and the thread, waiting at most `patience`.
    pub fn stop(self, patience: Duration) {
        self.send(Event::Stop);
        let _ = self.ended.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(patience);
    }
}

struct Sender {
    health: Arc<Mutex<Health>>,
    wanted: Option<Wanted>,
    port: Option<Port>,
    schedule: Schedule,
    controllers: [Option<u8>; 128],
    retry_at: Instant,
}

impl Sender {
    fn new(health: Arc<Mutex<Health>>) -> Self {
        Self {
            health,
            wanted: None,
            port: None,
            schedule: Schedule::default(),
            controllers: [None; 128],
            retry_at: Instant::now(),
        }
    }

    fn run(&mut self, events: &Receiver<Event>) {
        loop {
            if self.is_missing() && Instant::now() >= self.retry_at {
                self.open();
            }
            let retry_at = self.is_missing().then_some(self.retry_at);
            let wake_at = self.schedule.next_due().into_iter().chain(retry_at).min();
            let event = match wake_at {
                Some(at) => events.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match event {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return self.silence(),
                Ok(event) => self.take(event),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.play_due();
        }
    }

    /// A port is wanted and there is none.
    fn is_missing(&self) -> bool {
        self.wanted.is_some() && self.port.is_none()
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Wanted(wanted) => self.want(wanted),
            Event::AllNotesOff | Event::Stop => self.silence(),
            _ if self.port.is_none() => {}
            Event::Note(note, onset) => {
                let channel = self.channel_of(note.role);
                let velocity = to_7_bit(note.velocity).max(1);
                let length = Duration::from_secs_f32(note.duration_s.clamp(0.01, 600.0));
                self.schedule.note(channel, note.midi, velocity, onset, onset + length);
            }
            Event::Levels(levels, brightness) => self.controllers(&levels, brightness),
        }
    }

    fn want(&mut self, wanted: Option<Wanted>) {
        self.silence();
        self.wanted = wanted;
        self.port = None;
        self.retry_at = Instant::now();
        if self.wanted.is_none() {
            self.show(Health::off());
        }
    }

    fn open(&mut self) {
        let Some(wanted) = &self.wanted else { return };
        match Port::open(&wanted.port) {
            Ok(port) => {
                info!("midi: sequencer port {}", wanted.port);
                self.port = Some(port);
                self.controllers = [None; 128];
                self.show(Health::working());
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &PortError) {
        self.port = None;
        self.retry_at = Instant::now() + RETRY;
        self.show(Health::failing(error.to_string(), error.fix()));
    }

    /// Publishes the health; a new failure is logged once.
    fn show(&self, health: Health) {
        let mut shown = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = health.error.as_ref().filter(|_| *shown != health) {
            warn!("midi: {error}; trying again every {} s", RETRY.as_secs());
        }
        *shown = health;
    }

    fn channel_of(&self, role: Role) -> u8 {
        match (role, &self.wanted) {
            (Role::Melody, Some(wanted)) => wanted.melody_channel,
            _ => role.midi_channel(),
        }
    }

    fn controllers(&mut self, levels: &Levels, brightness: f32) {
        let signals = std::iter::zip(FIRST_SIGNAL_CC.., SIGNAL_CCS)
            .filter_map(|(cc, signal)| Some((cc, levels[signal.index()]?)));
        for (cc, value) in signals.chain([(CUTOFF_CC, brightness)]) {
            let value = to_7_bit(value);
            if self.controllers[usize::from(cc)].replace(value) != Some(value) {
                self.send(Message::Controller { channel: CC_CHANNEL, controller: cc, value });
            }
        }
    }

    fn play_due(&mut self) {
        while let Some(message) = self.schedule.pop_due(Instant::now()) {
            self.send(message);
        }
    }

    fn silence(&mut self) {
        for message in self.schedule.silence() {
            self.send(message);
        }
    }

    fn send(&mut self, message: Message) {
        let Some(port) = &self.port else { return };
        if let Err(error) = port.send(message) {
            self.failed(&error);
        }
    }
}

fn to_7_bit(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 127.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_works_or_says_what_to_do() {
        let sequencer = std::path::Path::new("/dev/snd/seq");
        let output = Output::start(Some(Wanted { port: "khor".into(), melody_channel: 1 })).unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        while output.health() == Health::off() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        let health = output.health();
        output.stop(Duration::from_secs(2));
        if std::fs::File::options().read(true).write(true).open(sequencer).is_ok() {
            assert_eq!(health, Health::working());
        } else {
            assert!(!health.ok && health.error.is_some(), "{health:?}");
            let fix = health.fix.unwrap();
            assert!(sequencer.exists() || fix.contains("modprobe snd-seq"), "{fix}");
        }
    }
}
