//! The thread that owns the MIDI port: opens the port, and passes due messages to the kernel.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use alsa::seq::Addr;
use khor_api::Health;
use khor_music::{Note, Role};
use khor_signal::{Levels, SignalId};
use parking_lot::Mutex;
use tracing::{info, warn};

use super::{
    clock::{self, Clock},
    event::{MidiEvent, MidiSettings},
    port::{MessageKind, Port, PortError},
    queue::TimeMap,
    schedule::{Due, Message, Schedule},
};

/// Time between two attempts to open the sequencer while it is missing.
const OPEN_RETRY: Duration = Duration::from_secs(5);
/// A message is passed to the kernel this long before it is due. So the thread may be late by at
/// most this time. The time must be below 40 ms, because notes are composed at least 40 ms ahead.
/// Then no new note is due before a message that the kernel already has.
const LOOK_AHEAD: Duration = Duration::from_millis(30);
/// khor withdraws a message from the kernel only if the message is due at least this long from now.
/// The kernel may send an earlier message before khor can withdraw it.
const WITHDRAW_MARGIN: Duration = Duration::from_millis(5);
/// Time between two attempts to pass an essential message to the kernel while its queue is full.
const FULL_RETRY: Duration = Duration::from_millis(5);
/// khor waits this long before it first reads a new queue's clock. The queue's first tick may come
/// up to a millisecond too early, if other programs use the same timer.
const QUEUE_WARM_UP: Duration = Duration::from_millis(10);
/// Number of readings of a new queue's clock. khor uses the most exact reading.
const CLOCK_READINGS: usize = 8;
/// Time between two readings of the queue's clock and of the list of subscribers.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum wait for the last note-offs before the port closes.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(200);
/// Time between two checks whether the last note-offs were sent.
const CLOSE_CHECK_INTERVAL: Duration = Duration::from_millis(2);
/// Number of the first controller that carries a signal. The other signals follow in order.
const FIRST_SIGNAL_CC: u8 = 20;
/// The signals that are sent as controllers, in the order of the original khor.
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
/// Controller of the filter cutoff. It carries the music's brightness.
const CUTOFF_CC: u8 = 74;
/// The channel on which all controllers are sent.
const CC_CHANNEL: u8 = 1;
/// The controller that ends a channel's notes as if their keys were released.
const ALL_NOTES_OFF_CC: u8 = 123;
/// The controller that ends a channel's sound immediately.
const ALL_SOUND_OFF_CC: u8 = 120;
const CHANNELS: std::ops::RangeInclusive<u8> = 1..=16;

/// An open port, its clock and its subscribers.
struct Connection {
    port: Port,
    time: TimeMap,
    polled_at: Instant,
    /// Channels on which notes were sent; bit 0 is channel 1.
    used_channels: u16,
    /// The value that was last sent on each controller.
    controllers: [Option<u8>; 128],
    clock: Clock,
    subscribers: BTreeSet<Addr>,
    /// Subscribers that have not received the clock's start message yet.
    new_subscribers: Vec<Addr>,
}

impl Connection {
    fn open(settings: &MidiSettings) -> Result<Self, PortError> {
        let port = Port::open(&settings.port)?;
        thread::sleep(QUEUE_WARM_UP);
        let mut reading = port.read_time()?;
        for _ in 1..CLOCK_READINGS {
            reading = reading.sharper(port.read_time()?);
        }
        let time = TimeMap::new(reading);
        Ok(Self {
            port,
            time,
            polled_at: Instant::now(),
            used_channels: 0,
            controllers: [None; 128],
            clock: Clock::new(settings.clock),
            subscribers: BTreeSet::new(),
            new_subscribers: Vec::new(),
        })
    }

    fn poll(&mut self) -> Result<(), PortError> {
        if self.polled_at.elapsed() >= POLL_INTERVAL {
            self.time.follow(self.port.read_time()?);
            self.polled_at = Instant::now();
            self.update_subscribers();
        }
        Ok(())
    }

    /// Reads the list of subscribers. If there are new ones, all controllers are sent again.
    fn update_subscribers(&mut self) {
        let subscribers = self.port.subscribers();
        self.new_subscribers.retain(|subscriber| subscribers.contains(subscriber));
        let known = self.new_subscribers.len();
        self.new_subscribers.extend(subscribers.difference(&self.subscribers));
        if self.new_subscribers.len() > known {
            self.controllers = [None; 128];
        }
        self.subscribers = subscribers;
    }

    fn step(&mut self, step: clock::Step, schedule: &mut Schedule) {
        if step.bar_start && self.clock != Clock::Off {
            self.update_subscribers();
        }
        self.clock.step(step, &mut self.new_subscribers, schedule);
    }

    /// Estimates the queue's time from the system clock, without asking the kernel.
    fn now(&self) -> Duration {
        self.time.queue(Instant::now())
    }

    fn mark_channel_used(&mut self, message: Message) {
        if let Message::NoteOn { channel, .. } = message {
            self.used_channels |= 1 << (channel - 1);
        }
    }
}

/// The state of the MIDI thread.
pub(super) struct Sender {
    health: Arc<Mutex<Health>>,
    settings: Option<MidiSettings>,
    connection: Option<Connection>,
    schedule: Schedule,
    retry_at: Instant,
    /// When to pass messages to the kernel again. Set after the kernel's queue was full.
    full_until: Option<Instant>,
    /// Number of messages that were dropped since the thread started, because the kernel's queue
    /// was full.
    dropped: u64,
}

impl Sender {
    pub(super) fn new(health: Arc<Mutex<Health>>) -> Self {
        Self {
            health,
            settings: None,
            connection: None,
            schedule: Schedule::default(),
            retry_at: Instant::now(),
            full_until: None,
            dropped: 0,
        }
    }

    pub(super) fn run(&mut self, events: &Receiver<MidiEvent>) {
        loop {
            if self.needs_port() && Instant::now() >= self.retry_at {
                self.open();
            }
            let event = match self.next_wake() {
                Some(at) => events.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match event {
                Ok(MidiEvent::Stop) | Err(RecvTimeoutError::Disconnected) => return self.close(),
                Ok(event) => self.handle(event),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.send_due();
        }
    }

    /// Whether the settings request a port but none is open.
    fn needs_port(&self) -> bool {
        self.settings.is_some() && self.connection.is_none()
    }

    fn next_wake(&self) -> Option<Instant> {
        let Some(connection) = &self.connection else { return self.needs_port().then_some(self.retry_at) };
        let due = self.schedule.next_due()?.saturating_sub(LOOK_AHEAD);
        Some(connection.time.instant(due)).max(self.full_until)
    }

    fn handle(&mut self, event: MidiEvent) {
        match event {
            MidiEvent::Settings(settings) => self.set_settings(settings),
            MidiEvent::AllNotesOff | MidiEvent::Stop => self.silence(false),
            MidiEvent::Panic => self.silence(true),
            MidiEvent::Note(note, onset) => self.note(&note, onset),
            MidiEvent::Step { at, length, bar_start } => {
                let Some(connection) = &mut self.connection else { return };
                let step = clock::Step { at: connection.time.queue(at), length, bar_start };
                connection.step(step, &mut self.schedule);
            }
            MidiEvent::Levels(levels, brightness) => self.controllers(&levels, brightness),
        }
    }

    /// Applies settings. Opens another port only if the port's name has changed.
    pub(super) fn set_settings(&mut self, settings: Option<MidiSettings>) {
        let name = |settings: &Option<MidiSettings>| settings.as_ref().map(|settings| settings.port.clone());
        let keeps_port = name(&self.settings) == name(&settings);
        if !keeps_port {
            self.close();
            self.retry_at = Instant::now();
        }
        let clock = settings.as_ref().is_some_and(|settings| settings.clock);
        self.settings = settings;
        if self.settings.is_none() {
            self.publish_health(Health::off());
        }
        match &mut self.connection {
            Some(_) if !clock => self.stop_clock(),
            Some(connection) if connection.clock == Clock::Off => connection.clock = Clock::new(clock),
            _ => {}
        }
    }

    fn open(&mut self) {
        let Some(settings) = &self.settings else { return };
        match Connection::open(settings) {
            Ok(connection) => {
                info!("midi: sequencer port {}", settings.port);
                self.connection = Some(connection);
                self.publish_health(Health::working());
            }
            Err(error) => self.port_failed(&error),
        }
    }

    /// Closes the port after an error, and drops all scheduled messages. Sends no note-offs,
    /// because the kernel reports the closed port to the subscribers.
    fn port_failed(&mut self, error: &PortError) {
        self.connection = None;
        self.schedule.clear();
        self.full_until = None;
        self.retry_at = Instant::now() + OPEN_RETRY;
        self.publish_health(Health::failing(error.to_string(), error.fix()));
    }

    /// Publishes the health. Logs each new failure once.
    fn publish_health(&self, health: Health) {
        let mut published = self.health.lock();
        if let Some(error) = health.error().filter(|_| *published != health) {
            warn!("midi: {error}; trying again every {} s", OPEN_RETRY.as_secs());
        }
        *published = health;
    }

    fn note(&mut self, note: &Note, onset: Instant) {
        let Some(connection) = &self.connection else { return };
        let channel = match (note.role, &self.settings) {
            (Role::Melody, Some(settings)) => settings.melody_channel,
            (role, _) => role.midi_channel(),
        };
        let velocity = to_7_bit(note.velocity).max(1);
        let on = connection.time.queue(onset);
        let length = Duration::from_secs_f32(note.duration_s.clamp(0.01, 600.0));
        self.schedule.note(channel, note.midi, velocity, on, on + length);
    }

    fn controllers(&mut self, levels: &Levels, brightness: f32) {
        let Some(connection) = &mut self.connection else { return };
        let now = connection.now();
        let signals = std::iter::zip(FIRST_SIGNAL_CC.., SIGNAL_CCS)
            .filter_map(|(cc, signal)| Some((cc, levels[signal.index()]?)));
        for (cc, value) in signals.chain([(CUTOFF_CC, brightness)]) {
            let value = to_7_bit(value);
            if connection.controllers[usize::from(cc)].replace(value) != Some(value) {
                let message = Message::Controller { channel: CC_CHANNEL, controller: cc, value };
                self.schedule.add(now, message);
            }
        }
    }

    /// Passes all messages that are due within [`LOOK_AHEAD`] to the kernel.
    fn send_due(&mut self) {
        if let Err(error) = self.try_send_due() {
            self.port_failed(&error);
        }
    }

    fn try_send_due(&mut self) -> Result<(), PortError> {
        self.full_until = None;
        let Some(connection) = &mut self.connection else { return Ok(()) };
        connection.poll()?;
        let now = connection.now();
        self.schedule.forget_played(now);
        while let (Some(connection), Some(due)) = (&mut self.connection, self.schedule.next(now + LOOK_AHEAD))
        {
            match connection.port.put(due.message, due.at) {
                Ok(()) => {
                    connection.mark_channel_used(due.message);
                    self.schedule.accepted(due);
                }
                Err(error) if error.is_full() && due.message.is_essential() => {
                    self.full_until = Some(Instant::now() + FULL_RETRY);
                    break;
                }
                Err(error) if error.is_full() => self.drop_message(due),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Drops a message because the kernel's queue is full.
    fn drop_message(&mut self, due: Due) {
        self.schedule.drop_message(due);
        if let (Message::Controller { controller, .. }, Some(connection)) =
            (due.message, &mut self.connection)
        {
            connection.controllers[usize::from(controller)] = None;
        }
        self.dropped += 1;
        if self.dropped.is_power_of_two() {
            warn!("midi: the kernel's queue is full; messages dropped so far: {}", self.dropped);
        }
    }

    /// Ends all notes, and sends "all notes off" on the used channels. If `at_once`, also sends
    /// "all sound off" on all channels.
    fn silence(&mut self, at_once: bool) {
        let Some(connection) = &self.connection else { return };
        let used_channels = CHANNELS.filter(|channel| connection.used_channels >> (channel - 1) & 1 == 1);
        let all = CHANNELS.filter(|_| at_once);
        match withdraw(&connection.port, MessageKind::Notes) {
            Ok((cut, reached)) => {
                self.schedule.silence(cut, reached);
                let offs = used_channels.map(|channel| (channel, ALL_NOTES_OFF_CC));
                for (channel, controller) in offs.chain(all.map(|channel| (channel, ALL_SOUND_OFF_CC))) {
                    self.schedule.add(cut, Message::Controller { channel, controller, value: 0 });
                }
                self.send_due();
            }
            Err(error) => self.port_failed(&error),
        }
    }

    fn stop_clock(&mut self) {
        let Some(connection) = self.connection.as_mut().filter(|connection| connection.clock != Clock::Off)
        else {
            return;
        };
        match withdraw(&connection.port, MessageKind::Transport) {
            Ok((cut, _)) => {
                connection.clock.stop(cut, &mut self.schedule);
                self.send_due();
            }
            Err(error) => self.port_failed(&error),
        }
    }

    /// Ends all notes and the clock, then closes the port. Waits until the kernel has sent the last
    /// messages, because closing the port drops queued messages.
    fn close(&mut self) {
        self.silence(false);
        self.stop_clock();
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        while Instant::now() < deadline && self.has_unsent() {
            thread::sleep(CLOSE_CHECK_INTERVAL);
            self.send_due();
        }
        self.connection = None;
        self.schedule.clear();
    }

    fn has_unsent(&self) -> bool {
        let waiting = |connection: &Connection| connection.port.waiting().is_ok_and(|count| count > 0);
        self.connection
            .as_ref()
            .is_some_and(|connection| self.schedule.next_due().is_some() || waiting(connection))
    }
}

/// Withdraws queued messages of this kind from the kernel. Returns two queue times. The first is
/// the cut: all messages that are due at the cut or later are withdrawn. The second is the queue's
/// time after the withdrawal.
fn withdraw(port: &Port, kind: MessageKind) -> Result<(Duration, Duration), PortError> {
    let cut = port.read_time()?.queue + WITHDRAW_MARGIN;
    port.withdraw(kind, cut)?;
    Ok((cut, port.read_time()?.queue))
}

fn to_7_bit(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 127.0).round() as u8
}
