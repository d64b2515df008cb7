//! The port of the ALSA sequencer, and the port's queue. The kernel sends each message in the queue
//! when it is due.

use std::{
    collections::BTreeSet,
    ffi::CString,
    time::{Duration, Instant},
};

use alsa::{
    Direction,
    seq::{
        Addr, EvCtrl, EvNote, EvQueueControl, Event, EventType, PortCap, PortInfo, PortSubscribeIter,
        PortType, QuerySubsType, Remove, RemoveEvents, Seq,
    },
};
use nix::errno::Errno;

use super::{queue::Reading, schedule::Message};

/// The kinds of queued messages. Each kind can be withdrawn separately. Its number is the tag of
/// its messages in the queue.
#[derive(Clone, Copy, Debug)]
pub(super) enum MessageKind {
    /// Notes and controllers.
    Notes = 1,
    /// MIDI clock, start and stop messages. They synchronise the devices that follow khor's clock.
    Transport = 2,
}

/// A port to which other programs may subscribe. Dropping the port drops its queued messages.
pub(super) struct Port {
    seq: Seq,
    own: Addr,
    queue: i32,
}

/// An error of the sequencer.
#[derive(Debug, thiserror::Error)]
#[error("the ALSA sequencer: {0}")]
pub(super) struct PortError(#[from] alsa::Error);

impl PortError {
    /// Whether the error means that the kernel's queue is full. If so, the caller can try again
    /// later.
    pub(super) fn is_full(&self) -> bool {
        Errno::from_raw(self.0.errno()) == Errno::EAGAIN
    }

    /// How the user can fix the error.
    pub(super) fn fix(&self) -> &'static str {
        match Errno::from_raw(self.0.errno()) {
            Errno::ENOENT | Errno::ENODEV => "load the kernel's sequencer: sudo modprobe snd-seq",
            Errno::EACCES => {
                "allow this user to open /dev/snd/seq: sudo usermod -aG audio $USER, then log in again"
            }
            _ => "run aconnect -l to check whether the sequencer works",
        }
    }
}

impl Port {
    pub(super) fn open(name: &str) -> Result<Self, PortError> {
        // Without this handler, alsa-lib prints an error to stderr if the sequencer is missing.
        let _quiet = alsa::Output::local_error_handler().ok();
        let name = CString::new(name.replace('\0', "")).unwrap_or_default();
        let seq = Seq::open(None, Some(Direction::Playback), true)?;
        seq.set_client_name(&name)?;
        let mut info = PortInfo::empty()?;
        info.set_name(&name);
        info.set_capability(PortCap::READ | PortCap::SUBS_READ);
        info.set_type(PortType::MIDI_GENERIC | PortType::APPLICATION);
        seq.create_port(&info)?;
        let queue = seq.alloc_named_queue(&name)?;
        seq.control_queue(queue, EventType::Start, 0, None)?;
        seq.drain_output()?;
        let own = Addr { client: seq.client_id()?, port: info.get_port() };
        Ok(Self { seq, own, queue })
    }

    /// Reads the queue's time.
    pub(super) fn read_time(&self) -> Result<Reading, PortError> {
        let before = Instant::now();
        let queue = self.seq.get_queue_status(self.queue)?.get_real_time();
        Ok(Reading { before, queue, after: Instant::now() })
    }

    /// Number of queued messages that the kernel has not sent yet.
    pub(super) fn waiting(&self) -> Result<i32, PortError> {
        Ok(self.seq.get_queue_status(self.queue)?.get_events())
    }

    /// The current subscribers.
    pub(super) fn subscribers(&self) -> BTreeSet<Addr> {
        let subscriptions = PortSubscribeIter::new(&self.seq, self.own, QuerySubsType::READ);
        subscriptions.map(|subscription| subscription.get_dest()).collect()
    }

    /// Puts a message on the queue. The kernel sends it to the subscribers when the queue's time is
    /// `at`, or immediately if this time has passed. Never blocks.
    pub(super) fn put(&self, message: Message, at: Duration) -> Result<(), PortError> {
        let mut event = event(message);
        let kind = if message.is_transport() { MessageKind::Transport } else { MessageKind::Notes };
        event.set_tag(kind as u8);
        event.set_source(self.own.port);
        match message {
            Message::StartFor(subscriber) => event.set_dest(subscriber),
            _ => event.set_subs(),
        }
        event.schedule_real(self.queue, false, at);
        self.seq.event_output_direct(&mut event)?;
        Ok(())
    }

    /// Removes messages of this kind from the queue if they are due at `from` or later.
    pub(super) fn withdraw(&self, kind: MessageKind, from: Duration) -> Result<(), PortError> {
        let condition = RemoveEvents::new()?;
        condition.set_condition(Remove::OUTPUT | Remove::TIME_AFTER | Remove::TAG_MATCH);
        condition.set_queue(self.queue);
        condition.set_time(from);
        condition.set_tag(kind as u8);
        Ok(self.seq.remove_events(condition)?)
    }
}

/// Converts a message to an event of the sequencer. Channels count from 1 in khor, and from 0 in
/// the event.
fn event(message: Message) -> Event<'static> {
    // This field matters only if a queue follows an external clock. Subscribers ignore it.
    let transport = EvQueueControl { queue: 0, value: () };
    match message {
        Message::Stop => Event::new(EventType::Stop, &transport),
        Message::Start | Message::StartFor(_) => Event::new(EventType::Start, &transport),
        Message::Clock => Event::new(EventType::Clock, &transport),
        Message::NoteOn { channel, note, velocity } => {
            Event::new(EventType::Noteon, &note_event(channel, note, velocity))
        }
        Message::NoteOff { channel, note } => Event::new(EventType::Noteoff, &note_event(channel, note, 0)),
        Message::Controller { channel, controller, value } => {
            let data = EvCtrl { channel: channel - 1, param: controller.into(), value: value.into() };
            Event::new(EventType::Controller, &data)
        }
    }
}

fn note_event(channel: u8, note: u8, velocity: u8) -> EvNote {
    EvNote { channel: channel - 1, note, velocity, off_velocity: 0, duration: 0 }
}
