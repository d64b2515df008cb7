//! The thread that owns the port: opens it, and hands the kernel what is due soon.

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
use parking_lot::Mutex;
use tracing::{info, warn};

use super::{
    Event, Wanted,
    clock::{self, Clock},
    port::{Kind, Port, PortError},
    queue::TimeMap,
    schedule::{Due, Message, Schedule},
};
use crate::Health;
use khor_music::{Note, Role};
use khor_signal::{Levels, SignalId};

/// How often a sequencer that isn't there is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How long before it is due a message is handed to the kernel. As much as this thread may sleep too long, and less
/// than what notes come ahead, 40 ms at least: so what comes next belongs behind all that was handed over.
const LOOK_AHEAD: Duration = Duration::from_millis(30);
/// How long before they are due messages can still be withdrawn for certain.
const GUARD: Duration = Duration::from_millis(5);
/// Until a full kernel is offered a note-off again.
const FULL: Duration = Duration::from_millis(5);
/// A queue's clock is ahead by up to a tick, a millisecond, after its first one, if others use the same timer.
const WARM_UP: Duration = Duration::from_millis(10);
/// Of so many readings of a new queue's clock the sharpest counts.
const READINGS: usize = 8;
/// Between two looks at the queue's clock, and at who has subscribed.
const MEASURE: Duration = Duration::from_secs(1);
/// How long the last note-offs may take before the port closes, and between two looks whether they are out.
const FAREWELL: Duration = Duration::from_millis(200);
const LOOK: Duration = Duration::from_millis(2);
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
/// Ends a channel's notes as if their keys were released.
const ALL_NOTES_OFF_CC: u8 = 123;
/// Ends a channel's sound at once.
const ALL_SOUND_OFF_CC: u8 = 120;
const CHANNELS: std::ops::RangeInclusive<u8> = 1..=16;

/// An open port and its clock.
struct Line {
    port: Port,
    time: TimeMap,
    measured_at: Instant,
    /// Channels that notes were sent on, bit 0 for channel 1.
    used: u16,
    /// What each controller was set to last.
    controllers: [Option<u8>; 128],
    clock: Clock,
    listeners: BTreeSet<Addr>,
    /// Listeners who may not have been told where the clock's bars begin.
    newcomers: Vec<Addr>,
}

impl Line {
    fn open(wanted: &Wanted) -> Result<Self, PortError> {
        let port = Port::open(&wanted.port)?;
        thread::sleep(WARM_UP);
        let mut reading = port.read_time()?;
        for _ in 1..READINGS {
            reading = reading.sharper(port.read_time()?);
        }
        let time = TimeMap::new(reading);
        Ok(Self {
            port,
            time,
            measured_at: Instant::now(),
            used: 0,
            controllers: [None; 128],
            clock: Clock::new(wanted.clock),
            listeners: BTreeSet::new(),
            newcomers: Vec::new(),
        })
    }

    fn look_around(&mut self) -> Result<(), PortError> {
        if self.measured_at.elapsed() >= MEASURE {
            self.time.follow(self.port.read_time()?);
            self.measured_at = Instant::now();
            self.meet();
        }
        Ok(())
    }

    /// Looks who has subscribed. For those who are new, every controller is to be sent again.
    fn meet(&mut self) {
        let listeners = self.port.listeners();
        self.newcomers.retain(|newcomer| listeners.contains(newcomer));
        let known = self.newcomers.len();
        self.newcomers.extend(listeners.difference(&self.listeners));
        if self.newcomers.len() > known {
            self.controllers = [None; 128];
        }
        self.listeners = listeners;
    }

    fn step(&mut self, step: clock::Step, schedule: &mut Schedule) {
        if step.bar_start && self.clock != Clock::Off {
            self.meet();
        }
        self.clock.step(step, &mut self.newcomers, schedule);
    }

    /// The queue's time, as well as is known without asking.
    fn now(&self) -> Duration {
        self.time.queue(Instant::now())
    }

    fn mark_used(&mut self, message: Message) {
        if let Message::NoteOn { channel, .. } = message {
            self.used |= 1 << (channel - 1);
        }
    }
}

/// What the thread works with.
pub(super) struct Sender {
    health: Arc<Mutex<Health>>,
    wanted: Option<Wanted>,
    line: Option<Line>,
    schedule: Schedule,
    retry_at: Instant,
    /// Until when a note-off waits for a full kernel.
    full_until: Option<Instant>,
    /// Messages lost to a full kernel since the thread began.
    dropped: u64,
}

impl Sender {
    pub(super) fn new(health: Arc<Mutex<Health>>) -> Self {
        Self {
            health,
            wanted: None,
            line: None,
            schedule: Schedule::default(),
            retry_at: Instant::now(),
            full_until: None,
            dropped: 0,
        }
    }

    pub(super) fn run(&mut self, events: &Receiver<Event>) {
        loop {
            if self.is_missing() && Instant::now() >= self.retry_at {
                self.open();
            }
            let event = match self.wake_at() {
                Some(at) => events.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match event {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return self.close(),
                Ok(event) => self.take(event),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.hand_over();
        }
    }

    /// A port is wanted and there is none.
    fn is_missing(&self) -> bool {
        self.wanted.is_some() && self.line.is_none()
    }

    fn wake_at(&self) -> Option<Instant> {
        let Some(line) = &self.line else { return self.is_missing().then_some(self.retry_at) };
        let due = self.schedule.next_due()?.saturating_sub(LOOK_AHEAD);
        Some(line.time.instant(due)).max(self.full_until)
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Wanted(wanted) => self.want(wanted),
            Event::AllNotesOff | Event::Stop => self.silence(false),
            Event::Panic => self.silence(true),
            Event::Note(note, onset) => self.note(&note, onset),
            Event::Step { at, length, bar_start } => {
                let Some(line) = &mut self.line else { return };
                let step = clock::Step { at: line.time.queue(at), length, bar_start };
                line.step(step, &mut self.schedule);
            }
            Event::Levels(levels, brightness) => self.controllers(&levels, brightness),
        }
    }

    /// Everything but the port's name can change while it is open.
    pub(super) fn want(&mut self, wanted: Option<Wanted>) {
        let name = |wanted: &Option<Wanted>| wanted.as_ref().map(|wanted| wanted.port.clone());
        let keeps_port = name(&self.wanted) == name(&wanted);
        if !keeps_port {
            self.close();
            self.retry_at = Instant::now();
        }
        let clock = wanted.as_ref().is_some_and(|wanted| wanted.clock);
        self.wanted = wanted;
        if self.wanted.is_none() {
            self.show(Health::off());
        }
        match &mut self.line {
            Some(_) if !clock => self.stop_clock(),
            Some(line) if line.clock == Clock::Off => line.clock = Clock::new(clock),
            _ => {}
        }
    }

    fn open(&mut self) {
        let Some(wanted) = &self.wanted else { return };
        match Line::open(wanted) {
            Ok(line) => {
                info!("midi: sequencer port {}", wanted.port);
                self.line = Some(line);
                self.show(Health::working());
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Without a port nobody hears what was scheduled, and who had subscribed knows that it is gone.
    fn failed(&mut self, error: &PortError) {
        self.line = None;
        self.schedule.clear();
        self.full_until = None;
        self.retry_at = Instant::now() + RETRY;
        self.show(Health::failing(error.to_string(), error.fix()));
    }

    /// Publishes the health; a new failure is logged once.
    fn show(&self, health: Health) {
        let mut shown = self.health.lock();
        if let Some(error) = health.error.as_ref().filter(|_| *shown != health) {
            warn!("midi: {error}; trying again every {} s", RETRY.as_secs());
        }
        *shown = health;
    }

    fn note(&mut self, note: &Note, onset: Instant) {
        let Some(line) = &self.line else { return };
        let channel = match (note.role, &self.wanted) {
            (Role::Melody, Some(wanted)) => wanted.melody_channel,
            (role, _) => role.midi_channel(),
        };
        let velocity = to_7_bit(note.velocity).max(1);
        let on = line.time.queue(onset);
        let length = Duration::from_secs_f32(note.duration_s.clamp(0.01, 600.0));
        self.schedule.note(channel, note.midi, velocity, on, on + length);
    }

    fn controllers(&mut self, levels: &Levels, brightness: f32) {
        let Some(line) = &mut self.line else { return };
        let now = line.now();
        let signals = std::iter::zip(FIRST_SIGNAL_CC.., SIGNAL_CCS)
            .filter_map(|(cc, signal)| Some((cc, levels[signal.index()]?)));
        for (cc, value) in signals.chain([(CUTOFF_CC, brightness)]) {
            let value = to_7_bit(value);
            if line.controllers[usize::from(cc)].replace(value) != Some(value) {
                let message = Message::Controller { channel: CC_CHANNEL, controller: cc, value };
                self.schedule.add(now, message);
            }
        }
    }

    /// Hands the kernel what is due within [`LOOK_AHEAD`].
    fn hand_over(&mut self) {
        if let Err(error) = self.try_hand_over() {
            self.failed(&error);
        }
    }

    fn try_hand_over(&mut self) -> Result<(), PortError> {
        self.full_until = None;
        let Some(line) = &mut self.line else { return Ok(()) };
        line.look_around()?;
        let now = line.now();
        self.schedule.forget_played(now);
        while let (Some(line), Some(due)) = (&mut self.line, self.schedule.next(now + LOOK_AHEAD)) {
            match line.port.put(due.message, due.at) {
                Ok(()) => {
                    line.mark_used(due.message);
                    self.schedule.accepted(due);
                }
                Err(error) if error.is_full() && due.message.must_come() => {
                    self.full_until = Some(Instant::now() + FULL);
                    break;
                }
                Err(error) if error.is_full() => self.lose(due),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The kernel has no room for it.
    fn lose(&mut self, due: Due) {
        self.schedule.lost(due);
        if let (Message::Controller { controller, .. }, Some(line)) = (due.message, &mut self.line) {
            line.controllers[usize::from(controller)] = None;
        }
        self.dropped += 1;
        if self.dropped.is_power_of_two() {
            warn!("midi: the kernel's queue is full; messages dropped so far: {}", self.dropped);
        }
    }

    /// Ends every note, and tells the channels in use so; those of all channels sound no more if it is to be `at_once`.
    fn silence(&mut self, at_once: bool) {
        let Some(line) = &self.line else { return };
        let used = CHANNELS.filter(|channel| line.used >> (channel - 1) & 1 == 1);
        let all = CHANNELS.filter(|_| at_once);
        match withdraw(&line.port, Kind::Notes) {
            Ok((cut, reached)) => {
                self.schedule.silence(cut, reached);
                let offs = used.map(|channel| (channel, ALL_NOTES_OFF_CC));
                for (channel, controller) in offs.chain(all.map(|channel| (channel, ALL_SOUND_OFF_CC))) {
                    self.schedule.add(cut, Message::Controller { channel, controller, value: 0 });
                }
                self.hand_over();
            }
            Err(error) => self.failed(&error),
        }
    }

    fn stop_clock(&mut self) {
        let Some(line) = self.line.as_mut().filter(|line| line.clock != Clock::Off) else { return };
        match withdraw(&line.port, Kind::Transport) {
            Ok((cut, _)) => {
                line.clock.stop(cut, &mut self.schedule);
                self.hand_over();
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Ends every note and the clock, and waits until that is out: what waits in the queue is gone with the port.
    fn close(&mut self) {
        self.silence(false);
        self.stop_clock();
        let deadline = Instant::now() + FAREWELL;
        while Instant::now() < deadline && self.has_more() {
            thread::sleep(LOOK);
            self.hand_over();
        }
        self.line = None;
        self.schedule.clear();
    }

    fn has_more(&self) -> bool {
        let waiting = |line: &Line| line.port.waiting().is_ok_and(|count| count > 0);
        self.line.as_ref().is_some_and(|line| self.schedule.next_due().is_some() || waiting(line))
    }
}

/// Withdraws what waits in the queue; from which time of the queue on, and what time it was then.
fn withdraw(port: &Port, kind: Kind) -> Result<(Duration, Duration), PortError> {
    let cut = port.read_time()?.queue + GUARD;
    port.withdraw(kind, cut)?;
    Ok((cut, port.read_time()?.queue))
}

fn to_7_bit(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 127.0).round() as u8
}
