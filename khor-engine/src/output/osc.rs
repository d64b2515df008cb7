//! OSC over UDP: notes, signals and rates for other people's tools, in the forms of the original khor.
//!
//! | address | types | meaning |
//! |---|---|---|
//! | `/khor/note` | `iiff` | channel, MIDI note, velocity 0..1, duration s; the bundle's time tag is the onset |
//! | `/khor/signal` | `sf` | name, level 0..1; on change, at most 50 a second each |
//! | `/khor/metrics` | `fffffffff` | exec/s, rx kB/s, tx kB/s, csw/s, read kB/s, write kB/s, retx/s, irq/s, mem %; ten a second |

use std::{
    net::{SocketAddr, ToSocketAddrs, UdpSocket},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};
use tracing::{debug, warn};

use super::Health;
use crate::{
    music::Note,
    signal::{Levels, PerSignal, SIGNALS, SignalId},
};

/// Events that may wait for the sending thread; when it is full, events are dropped.
const QUEUE_EVENTS: usize = 1024;
/// A level that moved less than this has not changed.
const CHANGE: f32 = 1e-3;
/// Shortest time between two values of one signal: 50 a second, with room for a timer's jitter.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(18);
/// How often a name that did not resolve is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Where to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    /// UDP port.
    pub port: u16,
}

/// What can be sent.
#[derive(Clone, Debug)]
pub enum Event {
    /// Send there from now on, or nowhere.
    Target(Option<Target>),
    /// A note and the wall-clock time it begins.
    Note(Note, SystemTime),
    /// Levels; what did not change is not sent.
    Levels(Levels),
    /// The nine rates of `/khor/metrics`, in its order.
    Metrics([f32; 9]),
}

/// The OSC output: a thread with a socket.
#[derive(Clone)]
pub struct Output {
    events: SyncSender<Event>,
    health: Arc<Mutex<Health>>,
    /// Whether there is a target; written and read by `send` alone.
    wanted: Arc<AtomicBool>,
}

impl Output {
    /// Starts the thread; it ends when the last clone is dropped.
    pub fn start(target: Option<Target>) -> std::io::Result<Self> {
        let (events, receiver) = mpsc::sync_channel(QUEUE_EVENTS);
        let health = Arc::new(Mutex::new(Health::off()));
        let wanted = Arc::new(AtomicBool::new(target.is_some()));
        let mut sender = Sender::new(Arc::clone(&health));
        thread::Builder::new().name("khor-osc".into()).spawn(move || {
            sender.set_target(target);
            sender.run(&receiver);
        })?;
        Ok(Self { events, health, wanted })
    }

    /// Hands an event to the thread. Never blocks; a full queue drops it. Without a target the thread is left
    /// asleep: seventy times a second it would wake only to drop what it was given.
    pub fn send(&self, event: Event) {
        match &event {
            Event::Target(target) => self.wanted.store(target.is_some(), Relaxed),
            Event::Note(..) | Event::Levels(_) | Event::Metrics(_) if !self.wanted.load(Relaxed) => return,
            Event::Note(..) | Event::Levels(_) | Event::Metrics(_) => {}
        }
        if self.events.try_send(event).is_err() {
            debug!("osc: an event was dropped, the sending thread is behind");
        }
    }

    /// Whether it works.
    pub fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Sender {
    health: Arc<Mutex<Health>>,
    target: Option<Target>,
    socket: Option<(UdpSocket, SocketAddr)>,
    buffer: Vec<u8>,
    sent: PerSignal<Option<(f32, Instant)>>,
    pending: Levels,
    retry_at: Instant,
}

impl Sender {
    fn new(health: Arc<Mutex<Health>>) -> Self {
        Self {
            health,
            target: None,
            socket: None,
            buffer: Vec::with_capacity(1024),
            sent: [None; SignalId::COUNT],
            pending: [None; SignalId::COUNT],
            retry_at: Instant::now(),
        }
    }

    fn run(&mut self, events: &Receiver<Event>) {
        loop {
            let is_missing = self.target.is_some() && self.socket.is_none();
            if is_missing && Instant::now() >= self.retry_at {
                self.connect();
            }
            let event = if is_missing {
                events.recv_timeout(self.retry_at.saturating_duration_since(Instant::now()))
            } else {
                events.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match event {
                Ok(Event::Target(target)) => self.set_target(target),
                Ok(event) => self.send(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn set_target(&mut self, target: Option<Target>) {
        self.target = target;
        self.sent = [None; SignalId::COUNT];
        self.connect();
    }

    fn connect(&mut self) {
        self.socket = None;
        self.retry_at = Instant::now() + RETRY;
        let health = match &self.target {
            None => Health::off(),
            Some(target) => match open(target) {
                Ok(socket) => {
                    self.socket = Some(socket);
                    Health::working()
                }
                Err(error) => Health::failing(
                    format!("{}: {error}", target.host),
                    "set osc.host to a name or address that this machine can reach",
                ),
            },
        };
        let mut shown = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = health.error.as_ref().filter(|_| *shown != health) {
            warn!("osc: {error}; trying again");
        }
        *shown = health;
    }

    fn send(&mut self, event: Event) {
        if self.socket.is_none() {
            return;
        }
        match event {
            Event::Target(_) => {}
            Event::Note(note, onset) => self.send_bundle(onset, note_message(&note)),
            Event::Metrics(rates) => {
                let args = rates.into_iter().map(OscType::Float).collect();
                self.send_packet(&message("/khor/metrics", args));
            }
            Event::Levels(levels) => {
                self.pending = levels;
                self.send_levels(Instant::now());
            }
        }
    }

    fn send_levels(&mut self, now: Instant) {
        for info in &SIGNALS {
            let i = info.id.index();
            let Some(level) = self.pending[i] else {
                self.sent[i] = None;
                continue;
            };
            let due = self.sent[i].is_none_or(|(sent, at)| {
                (level - sent).abs() >= CHANGE && now.duration_since(at) >= SIGNAL_INTERVAL
            });
            if due {
                self.sent[i] = Some((level, now));
                let args = vec![OscType::String(info.name.to_owned()), OscType::Float(level)];
                self.send_packet(&message("/khor/signal", args));
            }
        }
    }

    fn send_bundle(&mut self, time: SystemTime, content: OscPacket) {
        let Ok(timetag) = OscTime::try_from(time) else { return };
        self.send_packet(&OscPacket::Bundle(OscBundle { timetag, content: vec![content] }));
    }

    fn send_packet(&mut self, packet: &OscPacket) {
        let Some((socket, address)) = &self.socket else { return };
        self.buffer.clear();
        let mut out = encoder::WriteOutput(std::io::Cursor::new(&mut self.buffer));
        if encoder::encode_into(packet, &mut out).is_ok() {
            // UDP: a datagram nobody takes is no error of ours.
            drop(socket.send_to(&self.buffer, address));
        }
    }
}

fn open(target: &Target) -> std::io::Result<(UdpSocket, SocketAddr)> {
    let address = (target.host.as_str(), target.port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| std::io::Error::other("the name has no address"))?;
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

fn note_message(note: &Note) -> OscPacket {
    let args = vec![
        OscType::Int(note.role.midi_channel().into()),
        OscType::Int(note.midi.into()),
        OscType::Float(note.velocity),
        OscType::Float(note.duration_s),
    ];
    message("/khor/note", args)
}

fn message(addr: &str, args: Vec<OscType>) -> OscPacket {
    OscPacket::Message(OscMessage { addr: addr.to_owned(), args })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::{Layer, Role};

    fn receiver() -> (UdpSocket, Target) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let port = socket.local_addr().unwrap().port();
        (socket, Target { host: "127.0.0.1".into(), port })
    }

    fn receive(socket: &UdpSocket) -> OscPacket {
        let mut buffer = [0; 2048];
        let length = socket.recv(&mut buffer).unwrap();
        rosc::decoder::decode_udp(&buffer[..length]).unwrap().1
    }

    #[test]
    fn a_note_is_a_bundle_timed_at_its_onset() {
        let (socket, target) = receiver();
        let output = Output::start(Some(target)).unwrap();
        let onset = SystemTime::now() + Duration::from_millis(100);
        let note = Note {
            onset_s: 1.0,
            duration_s: 0.5,
            midi: 62,
            velocity: 0.25,
            pan: 0.0,
            brightness: 0.0,
            role: Role::Bass,
            instrument: crate::music::Instrument::Bass,
            layer: Layer::Pulse,
            signal: None,
        };
        output.send(Event::Note(note, onset));
        let OscPacket::Bundle(bundle) = receive(&socket) else { panic!("expected a bundle") };
        let tag: SystemTime = bundle.timetag.into();
        let off = tag.duration_since(onset).unwrap_or_else(|early| early.duration());
        assert!(off < Duration::from_micros(1), "{off:?}");
        let expected = [OscType::Int(2), OscType::Int(62), OscType::Float(0.25), OscType::Float(0.5)];
        assert_eq!(bundle.content, [message("/khor/note", expected.to_vec())]);
    }

    #[test]
    fn only_what_changed_is_sent() {
        let (socket, target) = receiver();
        let output = Output::start(Some(target)).unwrap();
        let mut levels = [None; SignalId::COUNT];
        levels[SignalId::Rx.index()] = Some(0.5);
        output.send(Event::Levels(levels));
        output.send(Event::Levels(levels));
        output.send(Event::Metrics([1.0; 9]));
        let OscPacket::Message(first) = receive(&socket) else { panic!() };
        assert_eq!(
            (first.addr.as_str(), first.args[0].clone()),
            ("/khor/signal", OscType::String("rx".into()))
        );
        let OscPacket::Message(second) = receive(&socket) else { panic!() };
        assert_eq!((second.addr.as_str(), second.args.len()), ("/khor/metrics", 9));
    }

    #[test]
    fn a_name_without_address_is_a_state_with_a_fix() {
        let target = Target { host: "no.such.host.invalid".into(), port: 9000 };
        let output = Output::start(Some(target)).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while output.health().error.is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        let health = output.health();
        assert!(!health.ok && health.fix.unwrap().contains("osc.host"), "{:?}", health.error);
    }
}
