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
    signal::{Lanes, PerSignal, SIGNALS, SignalId},
};

/// Events that may wait for the sending thread; when it is full, events are dropped.
const QUEUE_EVENTS: usize = 1024;
/// A level that moved less than this has not changed.
const CHANGE: f32 = 1e-3;
/// A deviation that moved less than this has not changed, octaves.
const DEVIATION_CHANGE: f32 = 0.02;
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
    /// Lanes: levels as `/khor/signal`, deviations as `/khor/deviation`; what did not change is not sent.
    Lanes(Lanes),
    /// A cue: its kind, the name of its process (empty where unknown) and its pid (0 where unknown).
    Cue(&'static str, String, u32),
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
            _ if !self.wanted.load(Relaxed) => return,
            _ => {}
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

/// What was sent last of each signal, and when.
type Sent = PerSignal<Option<(f32, Instant)>>;

struct Sender {
    health: Arc<Mutex<Health>>,
    target: Option<Target>,
    socket: Option<(UdpSocket, SocketAddr)>,
    buffer: Vec<u8>,
    levels: Sent,
    deviations: Sent,
    retry_at: Instant,
}

impl Sender {
    fn new(health: Arc<Mutex<Health>>) -> Self {
        Self {
            health,
            target: None,
            socket: None,
            buffer: Vec::with_capacity(1024),
            levels: [None; SignalId::COUNT],
            deviations: [None; SignalId::COUNT],
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
        self.levels = [None; SignalId::COUNT];
        self.deviations = [None; SignalId::COUNT];
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
            Event::Cue(kind, comm, pid) => {
                let pid = OscType::Int(pid.try_into().unwrap_or(i32::MAX));
                let args = vec![OscType::String(kind.to_owned()), OscType::String(comm), pid];
                self.send_packet(&message("/khor/cue", args));
            }
            Event::Lanes(lanes) => self.send_lanes(&lanes, Instant::now()),
        }
    }

    fn send_lanes(&mut self, lanes: &Lanes, now: Instant) {
        for info in &SIGNALS {
            let i = info.id.index();
            let lane = lanes[i];
            if due(&mut self.levels[i], lane.map(|lane| lane.level), CHANGE, now) {
                self.send_value("/khor/signal", info.name, lane.map_or(0.0, |lane| lane.level));
            }
            if due(&mut self.deviations[i], lane.map(|lane| lane.deviation), DEVIATION_CHANGE, now) {
                self.send_value("/khor/deviation", info.name, lane.map_or(0.0, |lane| lane.deviation));
            }
        }
    }

    fn send_value(&mut self, address: &str, name: &str, value: f32) {
        self.send_packet(&message(address, vec![OscType::String(name.to_owned()), OscType::Float(value)]));
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

/// Whether a value is to be sent now; notes that it is. What is absent is not sent, and when it returns it is news.
fn due(sent: &mut Option<(f32, Instant)>, value: Option<f32>, change: f32, now: Instant) -> bool {
    let Some(value) = value else {
        *sent = None;
        return false;
    };
    let due = sent
        .is_none_or(|(held, at)| (value - held).abs() >= change && now.duration_since(at) >= SIGNAL_INTERVAL);
    if due {
        *sent = Some((value, now));
    }
    due
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
    use crate::{
        music::{Layer, Role},
        signal::Lane,
    };

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
        let mut lanes = [None; SignalId::COUNT];
        lanes[SignalId::Rx.index()] = Some(Lane { level: 0.5, deviation: 3.0, surprise: 0.0 });
        output.send(Event::Lanes(lanes));
        output.send(Event::Lanes(lanes));
        output.send(Event::Cue("crash", "sh".into(), 7));
        output.send(Event::Metrics([1.0; 9]));
        let OscPacket::Message(first) = receive(&socket) else { panic!() };
        assert_eq!(
            (first.addr.as_str(), first.args[0].clone()),
            ("/khor/signal", OscType::String("rx".into()))
        );
        let next = |address: &str| {
            let OscPacket::Message(message) = receive(&socket) else { panic!() };
            assert_eq!(message.addr, address);
            message.args
        };
        assert_eq!(next("/khor/deviation"), [OscType::String("rx".into()), OscType::Float(3.0)]);
        let cue = [OscType::String("crash".into()), OscType::String("sh".into()), OscType::Int(7)];
        assert_eq!(next("/khor/cue"), cue);
        assert_eq!(next("/khor/metrics").len(), 9);
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
