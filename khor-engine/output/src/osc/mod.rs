//! Sends notes, signals, cues and rates to other programs as OSC over UDP, in the formats of the
//! original khor.
//!
//! | address | types | meaning |
//! |---|---|---|
//! | `/khor/note` | `iiff` | channel, MIDI note, velocity 0..1, duration s; the bundle's time tag is the onset |
//! | `/khor/signal` | `sf` | name of the lane, level 0..1; on change, at most 50 a second each |
//! | `/khor/deviation` | `sf` | name of the lane, octaves above its baseline; on change, at most 50 a second each |
//! | `/khor/cue` | `ssi` | kind of the cue, name of the process (empty if unknown), its id (0 if unknown) |
//! | `/khor/metrics` | `fffffffff` | exec/s, rx kB/s, tx kB/s, csw/s, read kB/s, write kB/s, retx/s, irq/s, mem %; ten a second |

mod destination;
mod target;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use khor_api::{Health, TargetHealth};
use khor_music::Note;
use khor_own_traffic::OwnTraffic;
use khor_signal::{Catalogue, Lane, LaneId, LaneInfo, Lanes, PerLane};
use parking_lot::Mutex;
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};
use tracing::debug;

use self::destination::Destination;
pub use self::target::OscTarget;

/// Capacity of the event queue. While it is full, events are dropped.
const QUEUE_EVENTS: usize = 1024;
/// A note is sent this long before its onset. A receiver that uses time tags needs this time to
/// prepare the note. The time is the same for all notes, so a receiver that ignores time tags plays
/// in rhythm. Notes are composed 40 to 50 ms ahead.
const LEAD: Duration = Duration::from_millis(20);
/// Minimum change of a level. If a level differs by less from the last sent one, it counts as
/// unchanged.
const LEVEL_CHANGE: f32 = 1e-3;
/// Minimum change of a deviation, octaves. If a deviation differs by less from the last sent one,
/// it counts as unchanged.
const DEVIATION_CHANGE: f32 = 0.02;
/// Minimum time between two values of one lane. It allows 50 values a second, even if the timer
/// jitters.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(18);

/// An event for the OSC thread.
#[derive(Clone, Debug)]
pub enum OscEvent {
    /// The new targets. An empty list switches OSC off.
    Targets(Vec<OscTarget>),
    /// A note and the wall-clock time of its onset.
    Note(Note, SystemTime),
    /// The lanes of a catalogue. Levels are sent as `/khor/signal` and deviations as
    /// `/khor/deviation`. Only changed values are sent.
    Lanes(Catalogue, Lanes),
    /// A cue: its kind, the name of its process (empty if unknown), and the process id (0 if
    /// unknown).
    Cue(&'static str, String, u32),
    /// The nine values of `/khor/metrics`, in the order of the message.
    Metrics([f32; 9]),
}

/// The current destinations, shared with the health report.
type Destinations = Arc<Mutex<Vec<Arc<Destination>>>>;

/// The OSC output: a thread that sends messages to every target.
#[derive(Clone)]
pub struct OscOutput {
    events: SyncSender<OscEvent>,
    destinations: Destinations,
    /// Whether any target is configured. [`Self::send`] updates and reads this value.
    has_target: Arc<AtomicBool>,
}

impl OscOutput {
    /// Starts the thread that sends the messages. The thread adds the traffic of its datagrams to
    /// `own`. It ends when the last clone of the output is dropped.
    pub fn start(targets: Vec<OscTarget>, own: Arc<OwnTraffic>) -> std::io::Result<Self> {
        let (events, receiver) = mpsc::sync_channel(QUEUE_EVENTS);
        let destinations = Destinations::default();
        let has_target = Arc::new(AtomicBool::new(!targets.is_empty()));
        let mut sender = Sender::new(Arc::clone(&destinations), own);
        thread::Builder::new().name("khor-osc".into()).spawn(move || {
            sender.set_targets(targets);
            sender.run(&receiver);
        })?;
        Ok(Self { events, destinations, has_target })
    }

    /// Sends an event to the thread. Never blocks: if the queue is full, drops the event. If there
    /// is no target, also drops the event, because it would wake the thread for nothing, seventy
    /// times a second.
    pub fn send(&self, event: OscEvent) {
        match &event {
            OscEvent::Targets(targets) => self.has_target.store(!targets.is_empty(), Relaxed),
            _ if !self.has_target.load(Relaxed) => return,
            _ => {}
        }
        if self.events.try_send(event).is_err() {
            debug!("osc: dropped an event, because the queue of the sending thread is full");
        }
    }

    /// The health of the output. If one target fails, the output counts as failing, but the other
    /// targets still receive all messages.
    pub fn health(&self) -> Health {
        destination::combined_health(&self.targets())
    }

    /// The health of each target, in the configured order.
    pub fn targets(&self) -> Vec<TargetHealth> {
        let destinations = self.destinations.lock();
        destinations.iter().map(|destination| destination.health()).collect()
    }
}

/// The last value that was sent for each lane, and the time at which it was sent.
type Sent = PerLane<Option<(f32, Instant)>>;

/// A note and the time at which it must be sent.
struct PendingNote {
    due: Instant,
    onset: SystemTime,
    note: Note,
}

struct Sender {
    shared: Destinations,
    own: Arc<OwnTraffic>,
    destinations: Vec<Arc<Destination>>,
    /// The address that each destination had when lanes were last sent.
    reached: Vec<Option<SocketAddr>>,
    buffer: Vec<u8>,
    /// The catalogue that defines the lanes of `levels` and `deviations`.
    catalogue: Catalogue,
    levels: Sent,
    deviations: Sent,
    /// Pending notes. The one that is due next comes first.
    pending: VecDeque<PendingNote>,
}

impl Sender {
    fn new(shared: Destinations, own: Arc<OwnTraffic>) -> Self {
        Self {
            shared,
            own,
            destinations: Vec::new(),
            reached: Vec::new(),
            buffer: Vec::with_capacity(1024),
            catalogue: Catalogue::kernel(),
            levels: Sent::NONE,
            deviations: Sent::NONE,
            pending: VecDeque::with_capacity(64),
        }
    }

    fn run(&mut self, events: &Receiver<OscEvent>) {
        loop {
            let next = match self.send_due(Instant::now()) {
                Some(wait) => events.recv_timeout(wait),
                None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(OscEvent::Targets(targets)) => self.set_targets(targets),
                Ok(event) => self.send(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Sends the notes that are due. Returns the time until the next one.
    fn send_due(&mut self, now: Instant) -> Option<Duration> {
        while let Some(next) = self.pending.front() {
            if next.due > now {
                return Some(next.due - now);
            }
            let (onset, message) = (next.onset, note_message(&next.note));
            self.pending.pop_front();
            self.send_bundle(onset, message);
        }
        None
    }

    /// Stores a note, which is sent [`LEAD`] before its onset.
    fn queue_note(&mut self, note: Note, onset: SystemTime) {
        let until_onset = onset.duration_since(SystemTime::now()).unwrap_or_default();
        let due = Instant::now() + until_onset.saturating_sub(LEAD);
        let place = self.pending.iter().rposition(|other| other.due <= due).map_or(0, |before| before + 1);
        self.pending.insert(place, PendingNote { due, onset, note });
    }

    fn set_targets(&mut self, targets: Vec<OscTarget>) {
        let before = std::mem::take(&mut self.destinations);
        let kept = |target: &OscTarget| before.iter().find(|known| known.target() == target).map(Arc::clone);
        let open = |target| Destination::open(target, Arc::clone(&self.own));
        self.destinations =
            targets.into_iter().map(|target| kept(&target).unwrap_or_else(|| open(target))).collect();
        self.shared.lock().clone_from(&self.destinations);
        self.reset_sent();
    }

    /// Makes the thread send all values again, because a target has not received the last ones.
    fn reset_sent(&mut self) {
        (self.levels, self.deviations) = (Sent::NONE, Sent::NONE);
    }

    fn send(&mut self, event: OscEvent) {
        match event {
            OscEvent::Targets(_) => {}
            OscEvent::Note(note, onset) => self.queue_note(note, onset),
            OscEvent::Metrics(rates) => {
                let args = rates.into_iter().map(OscType::Float).collect();
                self.send_packet(&message("/khor/metrics", args));
            }
            OscEvent::Cue(kind, comm, pid) => {
                let pid = OscType::Int(pid.try_into().unwrap_or(i32::MAX));
                let args = vec![OscType::String(kind.to_owned()), OscType::String(comm), pid];
                self.send_packet(&message("/khor/cue", args));
            }
            OscEvent::Lanes(catalogue, lanes) => self.send_lanes(&catalogue, &lanes, Instant::now()),
        }
    }

    fn send_lanes(&mut self, catalogue: &Catalogue, lanes: &Lanes, now: Instant) {
        self.set_catalogue(catalogue);
        let reached = self.destinations.iter().map(|destination| destination.reached()).collect();
        if std::mem::replace(&mut self.reached, reached) != self.reached {
            self.reset_sent();
        }
        // khor keeps sending to a destination that fails.
        if !self.destinations.iter().any(|destination| destination.is_open()) {
            return;
        }
        for info in catalogue.iter() {
            self.send_lane(info, lanes.value(info.id), now);
        }
    }

    fn send_lane(&mut self, info: &LaneInfo, lane: Option<Lane>, now: Instant) {
        let level = lane.map(|lane| lane.level);
        if due(&mut self.levels, info.id, level, LEVEL_CHANGE, now) {
            self.send_value("/khor/signal", &info.name, level.unwrap_or_default());
        }
        let deviation = lane.map(|lane| lane.deviation);
        if due(&mut self.deviations, info.id, deviation, DEVIATION_CHANGE, now) {
            self.send_value("/khor/deviation", &info.name, deviation.unwrap_or_default());
        }
    }

    /// Sets the catalogue. If it does not extend the previous one, the same id may now mean another
    /// lane. The values of all added lanes are then sent again.
    fn set_catalogue(&mut self, catalogue: &Catalogue) {
        if !catalogue.extends(&self.catalogue) {
            self.levels.added.clear();
            self.deviations.added.clear();
        }
        self.catalogue = catalogue.clone();
    }

    fn send_value(&mut self, address: &str, name: &str, value: f32) {
        self.send_packet(&message(address, vec![OscType::String(name.to_owned()), OscType::Float(value)]));
    }

    fn send_bundle(&mut self, time: SystemTime, content: OscPacket) {
        let Ok(timetag) = OscTime::try_from(time) else { return };
        self.send_packet(&OscPacket::Bundle(OscBundle { timetag, content: vec![content] }));
    }

    fn send_packet(&mut self, packet: &OscPacket) {
        self.buffer.clear();
        let mut out = encoder::WriteOutput(std::io::Cursor::new(&mut self.buffer));
        if encoder::encode_into(packet, &mut out).is_ok() {
            self.destinations.iter().for_each(|destination| destination.send(&self.buffer));
        }
    }
}

/// Whether the value of a lane must be sent now. If so, stores the value and the time. A missing
/// value is never sent. The first value after a missing one is always sent.
fn due(sent: &mut Sent, lane: LaneId, value: Option<f32>, change: f32, now: Instant) -> bool {
    let held = sent.value(lane);
    let Some(value) = value else {
        if held.is_some() {
            sent.set(lane, None);
        }
        return false;
    };
    let due = held
        .is_none_or(|(held, at)| (value - held).abs() >= change && now.duration_since(at) >= SIGNAL_INTERVAL);
    if due {
        sent.set(lane, Some((value, now)));
    }
    due
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
    use std::net::UdpSocket;

    use khor_music::{Layer, Role};
    use khor_signal::{SignalId, test_lane};

    use super::*;

    fn receiver() -> (UdpSocket, OscTarget) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(khor_patience::hang_timeout())).unwrap();
        let port = socket.local_addr().unwrap().port();
        (socket, OscTarget { host: "127.0.0.1".into(), port })
    }

    fn receive(socket: &UdpSocket) -> OscPacket {
        let mut buffer = [0; 2048];
        let length = socket.recv(&mut buffer).unwrap();
        rosc::decoder::decode_udp(&buffer[..length]).unwrap().1
    }

    #[test]
    fn a_note_bundle_carries_its_onset() {
        let (socket, target) = receiver();
        let output = OscOutput::start(vec![target], Arc::default()).unwrap();
        let onset = SystemTime::now() + Duration::from_millis(100);
        let note = Note {
            onset_s: 1.0,
            duration_s: 0.5,
            midi: 62,
            velocity: 0.25,
            pan: 0.0,
            brightness: 0.0,
            role: Role::Bass,
            instrument: khor_music::Instrument::Bass,
            layer: Layer::Pulse,
            signal: None,
        };
        output.send(OscEvent::Note(note, onset));
        let OscPacket::Bundle(bundle) = receive(&socket) else { panic!("expected a bundle") };
        let tag: SystemTime = bundle.timetag.into();
        let off = tag.duration_since(onset).unwrap_or_else(|early| early.duration());
        assert!(off < Duration::from_micros(1), "{off:?}");
        let expected = [OscType::Int(2), OscType::Int(62), OscType::Float(0.25), OscType::Float(0.5)];
        assert_eq!(bundle.content, [message("/khor/note", expected.to_vec())]);
    }

    #[test]
    fn only_changed_values_are_sent() {
        let (socket, target) = receiver();
        let output = OscOutput::start(vec![target], Arc::default()).unwrap();
        let mut lanes = Lanes::NONE;
        lanes[SignalId::Rx] = Some(Lane { level: 0.5, deviation: 3.0, surprise: 0.0 });
        output.send(OscEvent::Lanes(Catalogue::kernel(), lanes.clone()));
        output.send(OscEvent::Lanes(Catalogue::kernel(), lanes));
        output.send(OscEvent::Cue("crash", "sh".into(), 7));
        output.send(OscEvent::Metrics([1.0; 9]));
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
    fn added_lanes_are_sent_by_name() {
        let (socket, target) = receiver();
        let output = OscOutput::start(vec![target], Arc::default()).unwrap();
        let lane = |level| Some(Lane { level, deviation: 2.0, surprise: 0.0 });
        let send = |names: &[&str]| {
            let (mut catalogue, mut lanes) = (Catalogue::kernel(), Lanes::NONE);
            for name in names {
                lanes.set(catalogue.add(test_lane(name)).unwrap(), lane(0.5));
            }
            output.send(OscEvent::Lanes(catalogue, lanes));
        };
        send(&["queue"]);
        send(&["queue", "jobs"]);
        // The lane `mails` now has the id that `queue` had.
        send(&["mails"]);
        let sent = |_| match receive(&socket) {
            OscPacket::Message(OscMessage { addr, args }) => (addr, args[0].clone().string().unwrap()),
            OscPacket::Bundle(_) => panic!("expected a message"),
        };
        let expected = ["queue", "jobs", "mails"].map(|name| {
            ["/khor/signal", "/khor/deviation"].map(|address| (address.to_owned(), name.to_owned()))
        });
        assert_eq!((0..6).map(sent).collect::<Vec<_>>(), expected.concat());
    }

    #[test]
    fn an_unresolved_target_does_not_block_others() {
        let (first, one) = receiver();
        let (second, another) = receiver();
        let lost = OscTarget { host: "no.such.host.invalid".into(), port: 9000 };
        let output = OscOutput::start(vec![one, lost, another], Arc::default()).unwrap();
        // Both targets receive this message immediately, before the look-up of the unresolved name
        // ends.
        output.send(OscEvent::Metrics([2.0; 9]));
        assert_eq!(receive(&first), receive(&second));
        khor_e2e::wait_until("an error", || output.health().trouble.is_some());
        let health = output.health();
        assert!(!health.ok && health.fix().unwrap().contains("osc.targets"), "{health:?}");
        assert!(health.error().unwrap().starts_with("no.such.host.invalid:9000: "));
        let works: Vec<bool> = output.targets().iter().map(|target| target.ok).collect();
        assert_eq!(works, [true, false, true]);
    }

    #[test]
    fn a_recovered_target_receives_all_values() {
        let (socket, _) = receiver();
        let mut lanes = Lanes::NONE;
        lanes[SignalId::Rx] = Some(Lane { level: 0.5, deviation: 3.0, surprise: 0.0 });
        let destination =
            Arc::new(Destination::new(OscTarget { host: "studio.local".into(), port: 9000 }, Arc::default()));
        let mut sender = Sender::new(Destinations::default(), Arc::default());
        sender.destinations = vec![Arc::clone(&destination)];
        // Sending to this address fails, because its port is 0.
        destination.set_addresses(Ok(vec![([127, 0, 0, 1], 0).into()]));
        sender.send_lanes(&Catalogue::kernel(), &lanes, Instant::now());
        assert!(!destination.health().ok);
        destination.set_addresses(Ok(vec![socket.local_addr().unwrap()]));
        sender.send(OscEvent::Metrics([1.0; 9]));
        sender.send_lanes(&Catalogue::kernel(), &lanes, Instant::now());
        let received = [receive(&socket), receive(&socket), receive(&socket)].map(|packet| match packet {
            OscPacket::Message(message) => message.addr,
            OscPacket::Bundle(_) => panic!("expected a message"),
        });
        assert_eq!(received, ["/khor/metrics", "/khor/signal", "/khor/deviation"]);
        assert!(destination.health().ok);
    }

    #[test]
    fn an_added_target_receives_all_values() {
        let (first, one) = receiver();
        let (second, another) = receiver();
        let output = OscOutput::start(vec![one], Arc::default()).unwrap();
        let mut lanes = Lanes::NONE;
        lanes[SignalId::Rx] = Some(Lane { level: 0.5, deviation: 3.0, surprise: 0.0 });
        output.send(OscEvent::Lanes(Catalogue::kernel(), lanes.clone()));
        let received = [receive(&first), receive(&first)];
        output.send(OscEvent::Targets(vec![another]));
        output.send(OscEvent::Lanes(Catalogue::kernel(), lanes));
        assert_eq!(received, [receive(&second), receive(&second)]);
        first.set_nonblocking(true).unwrap();
        assert!(first.recv(&mut [0; 64]).is_err(), "the removed target receives no more messages");
        output.send(OscEvent::Targets(Vec::new()));
        khor_e2e::wait_until("the output to be off", || output.health() == Health::off());
    }
}
