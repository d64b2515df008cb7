//! Another client of the sequencer: subscribes to a port and records what arrives, with the kernel's time for it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use alsa::seq::{
    Addr, ClientIter, EvCtrl, EvNote, EventType, PortCap, PortInfo, PortIter, PortSubscribe, PortType, Seq,
};
use khor_e2e::wait_until;

use crate::SETTLE;

/// As many events as a client may have waiting.
const POOL: u32 = 2000;

/// A message; channels 1..=16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    On(u8, u8),
    Off(u8, u8),
    Controller(u8, u8, u8),
    Start,
    Stop,
    Clock,
}

/// A message and when the kernel delivered it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    pub(crate) at: Instant,
    pub(crate) message: Message,
}

pub(crate) struct Recorder {
    seq: Seq,
    own: Addr,
    queue: i32,
    /// When its queue's time was zero.
    zero: Instant,
    heard: Vec<Heard>,
}

impl Recorder {
    pub(crate) fn open() -> alsa::Result<Self> {
        // alsa-lib would print what it thinks of a missing sequencer to stderr.
        let _quiet = alsa::Output::local_error_handler();
        let seq = Seq::open(None, None, true)?;
        seq.set_client_name(c"khor's test")?;
        seq.set_client_pool_input(POOL)?;
        let mut info = PortInfo::empty()?;
        info.set_name(c"ear");
        info.set_capability(PortCap::WRITE | PortCap::SUBS_WRITE);
        info.set_type(PortType::MIDI_GENERIC | PortType::APPLICATION);
        seq.create_port(&info)?;
        let queue = seq.alloc_queue()?;
        seq.control_queue(queue, EventType::Start, 0, None)?;
        seq.drain_output()?;
        let own = Addr { client: seq.client_id()?, port: info.get_port() };
        let zero = zero(&seq, queue)?;
        Ok(Self { seq, own, queue, zero, heard: Vec::new() })
    }

    /// Listens to the port of that name, of a client of that name.
    pub(crate) fn subscribe(&mut self, name: &str) {
        let mut sender = None;
        wait_until(&format!("port {name}"), || {
            sender = self.find(name);
            sender.is_some()
        });
        let subscription = PortSubscribe::empty().unwrap();
        subscription.set_sender(sender.expect("waited for"));
        subscription.set_dest(self.own);
        subscription.set_queue(self.queue);
        subscription.set_time_update(true);
        subscription.set_time_real(true);
        self.seq.subscribe_port(&subscription).expect("a subscription");
    }

    /// A port that anybody may listen to.
    pub(crate) fn find(&self, name: &str) -> Option<Addr> {
        let clients = ClientIter::new(&self.seq).filter(|client| client.get_name() == Ok(name));
        let mut ports = clients.flat_map(|client| PortIter::new(&self.seq, client.get_client()));
        let readable = PortCap::READ | PortCap::SUBS_READ;
        let is_it = |port: &PortInfo| port.get_name() == Ok(name) && port.get_capability().contains(readable);
        ports.find(is_it).map(|port| port.addr())
    }

    /// Everything that arrived so far.
    pub(crate) fn heard(&mut self) -> &[Heard] {
        let mut input = self.seq.input();
        // It ends with an error when nothing is left.
        while let Ok(event) = input.event_input() {
            let note = event.get_data::<EvNote>().unwrap_or_default();
            let control = event.get_data::<EvCtrl>().unwrap_or_default();
            let message = match event.get_type() {
                EventType::Noteon => Message::On(note.channel + 1, note.note),
                EventType::Noteoff => Message::Off(note.channel + 1, note.note),
                EventType::Controller => {
                    Message::Controller(control.channel + 1, control.param as u8, control.value as u8)
                }
                EventType::Start => Message::Start,
                EventType::Stop => Message::Stop,
                EventType::Clock => Message::Clock,
                // The kernel's word that the port is gone.
                EventType::PortUnsubscribed => continue,
                other => panic!("nobody sends {other:?}"),
            };
            self.heard.push(Heard { at: self.zero + event.get_time().expect("a real time"), message });
        }
        &self.heard
    }

    /// Listens for that long, at least.
    pub(crate) fn listen(&mut self, length: Duration) -> &[Heard] {
        let until = Instant::now() + length;
        while Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
            self.heard();
        }
        self.heard()
    }

    /// Listens until `enough` returns true, and then for [`SETTLE`].
    pub(crate) fn listen_until(&mut self, what: &str, mut enough: impl FnMut(&[Heard]) -> bool) -> &[Heard] {
        wait_until(what, || enough(self.heard()));
        self.listen(SETTLE)
    }

    /// Listens until that arrives.
    pub(crate) fn wait_for(&mut self, message: Message) -> Heard {
        let mut found = None;
        wait_until(&format!("{message:?}"), || {
            found = self.heard().iter().find(|heard| heard.message == message).copied();
            found.is_some()
        });
        found.expect("waited for")
    }
}

/// When the queue's time was zero, by the least vague of many readings.
fn zero(seq: &Seq, queue: i32) -> alsa::Result<Instant> {
    // The first tick of a timer that others use too may come early.
    std::thread::sleep(Duration::from_millis(10));
    let mut best: Option<(Duration, Instant)> = None;
    for _ in 0..50 {
        let before = Instant::now();
        let time = seq.get_queue_status(queue)?.get_real_time();
        let took = before.elapsed();
        if best.is_none_or(|(least, _)| took < least) {
            best = Some((took, (before + took / 2).checked_sub(time).expect("later than boot")));
        }
    }
    Ok(best.expect("readings").1)
}

/// Messages alone.
pub(crate) fn messages(heard: &[Heard]) -> Vec<Message> {
    heard.iter().map(|heard| heard.message).collect()
}

/// Asserts that each note-on is followed by its note-off before the next on of the same note, and that there is no other
/// off; returns how many notes there were.
pub(crate) fn assert_matched(heard: &[Heard]) -> usize {
    let (mut sounding, mut notes) = (BTreeSet::new(), 0);
    for (i, Heard { message, .. }) in heard.iter().enumerate() {
        let is_matched = match *message {
            Message::On(channel, note) => sounding.insert((channel, note)),
            Message::Off(channel, note) => sounding.remove(&(channel, note)),
            _ => true,
        };
        assert!(is_matched, "message {i}, {message:?}");
        notes += usize::from(matches!(message, Message::On(..)));
    }
    assert!(sounding.is_empty(), "these hang: {sounding:?}");
    notes
}
