//! A client of the sequencer for tests: subscribes to a port, and records each message with the
//! time at which the kernel delivered it.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use alsa::seq::{
    Addr, ClientIter, EvCtrl, EvNote, EventType, PortCap, PortInfo, PortIter, PortSubscribe, PortType, Seq,
};
use khor_e2e::wait_until;

use crate::SETTLE;

/// Number of events that the kernel may queue for this client. This is the maximum that the kernel
/// allows.
const POOL: u32 = 2000;

/// A MIDI message. Channels are 1..=16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    On(u8, u8),
    Off(u8, u8),
    Controller(u8, u8, u8),
    Start,
    Stop,
    Clock,
}

/// A message, and the time at which the kernel delivered it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received {
    pub(crate) at: Instant,
    pub(crate) message: Message,
}

pub(crate) struct Recorder {
    seq: Seq,
    own: Addr,
    queue: i32,
    /// The instant at which the queue's time was zero.
    zero: Instant,
    received: Vec<Received>,
}

impl Recorder {
    pub(crate) fn open() -> alsa::Result<Self> {
        // Without this handler, alsa-lib prints an error to stderr if the sequencer is missing.
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
        Ok(Self { seq, own, queue, zero, received: Vec::new() })
    }

    /// Subscribes to the port `name` of the client `name`.
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

    /// Finds the port `name` of the client `name`, if every client may subscribe to it.
    pub(crate) fn find(&self, name: &str) -> Option<Addr> {
        let clients = ClientIter::new(&self.seq).filter(|client| client.get_name() == Ok(name));
        let mut ports = clients.flat_map(|client| PortIter::new(&self.seq, client.get_client()));
        let readable = PortCap::READ | PortCap::SUBS_READ;
        let matches =
            |port: &PortInfo| port.get_name() == Ok(name) && port.get_capability().contains(readable);
        ports.find(matches).map(|port| port.addr())
    }

    /// Returns all messages received so far.
    pub(crate) fn received(&mut self) -> &[Received] {
        let mut input = self.seq.input();
        // When no event is left, the call returns an error, which ends the loop.
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
                // The kernel reports that the port was closed.
                EventType::PortUnsubscribed => continue,
                other => panic!("unexpected event {other:?}"),
            };
            self.received.push(Received { at: self.zero + event.get_time().expect("a real time"), message });
        }
        &self.received
    }

    /// Records for at least this long. Returns all messages so far.
    pub(crate) fn record(&mut self, length: Duration) -> &[Received] {
        let until = Instant::now() + length;
        while Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
            self.received();
        }
        self.received()
    }

    /// Records until `enough` returns true, and then for [`SETTLE`]. Returns all messages so far.
    pub(crate) fn record_until(
        &mut self,
        what: &str,
        mut enough: impl FnMut(&[Received]) -> bool,
    ) -> &[Received] {
        wait_until(what, || enough(self.received()));
        self.record(SETTLE)
    }

    /// Records until this message has arrived.
    pub(crate) fn wait_for(&mut self, message: Message) -> Received {
        let mut found = None;
        wait_until(&format!("{message:?}"), || {
            found = self.received().iter().find(|received| received.message == message).copied();
            found.is_some()
        });
        found.expect("waited for")
    }
}

/// Estimates the instant at which the queue's time was zero. Uses the most exact of 50 readings,
/// which is the one that took the least time.
fn zero(seq: &Seq, queue: i32) -> alsa::Result<Instant> {
    // Wait for the queue's first tick, which may be too early if other programs use the same timer.
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

/// The messages without their times.
pub(crate) fn messages(received: &[Received]) -> Vec<Message> {
    received.iter().map(|received| received.message).collect()
}

/// Asserts that each note-on has a note-off before the next note-on of the same note, and that
/// there are no other note-offs. Returns the number of notes.
pub(crate) fn assert_matched(received: &[Received]) -> usize {
    let (mut sounding, mut notes) = (BTreeSet::new(), 0);
    for (i, Received { message, .. }) in received.iter().enumerate() {
        let is_matched = match *message {
            Message::On(channel, note) => sounding.insert((channel, note)),
            Message::Off(channel, note) => sounding.remove(&(channel, note)),
            _ => true,
        };
        assert!(is_matched, "message {i}, {message:?}");
        notes += usize::from(matches!(message, Message::On(..)));
    }
    assert!(sounding.is_empty(), "these notes never end: {sounding:?}");
    notes
}
