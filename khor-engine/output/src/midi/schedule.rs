//! The pending messages, sorted by time. Every note-on has exactly one note-off.
//!
//! All times are times of the sequencer's queue, so the order of messages is certain even if the
//! queue's clock drifts. A message is passed to the kernel shortly before it is due. Until then it
//! can be dropped without withdrawing it from the kernel.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

use alsa::seq::Addr;

/// How long a message is remembered after its due time. This is longer than the error of the
/// estimated queue time.
const KEEP_SENT: Duration = Duration::from_millis(100);

/// A MIDI message. Channels are 1..=16, other numbers are 0..=127. If several messages are due at
/// the same time, they are sent in the order of these variants. So a note-off precedes the next
/// note-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Message {
    /// Stops the clock's followers.
    Stop,
    /// Starts the clock's followers. The next clock message is on a bar line.
    Start,
    /// Starts a single follower that subscribed after the others were started.
    StartFor(Addr),
    /// A clock message: a 24th of a quarter note has passed.
    Clock,
    NoteOff {
        channel: u8,
        note: u8,
    },
    Controller {
        channel: u8,
        controller: u8,
        value: u8,
    },
    NoteOn {
        channel: u8,
        note: u8,
        velocity: u8,
    },
}

impl Message {
    /// Channel and number of the note. `None` if the message does not belong to a note.
    fn key(self) -> Option<Key> {
        match self {
            Self::NoteOff { channel, note } | Self::NoteOn { channel, note, .. } => Some((channel, note)),
            Self::Controller { .. } | Self::Stop | Self::Start | Self::StartFor(_) | Self::Clock => None,
        }
    }

    fn is_off(self) -> bool {
        matches!(self, Self::NoteOff { .. })
    }

    /// Whether the message is part of the MIDI clock.
    pub(super) fn is_transport(self) -> bool {
        matches!(self, Self::Stop | Self::Start | Self::StartFor(_) | Self::Clock)
    }

    /// Whether the message must be sent even if it is late. If it were dropped, a note would never
    /// end, or a follower of the clock would never start or stop.
    pub(super) fn is_essential(self) -> bool {
        matches!(self, Self::NoteOff { .. } | Self::Stop | Self::Start | Self::StartFor(_))
    }
}

/// Channel and number of a note. Only one note with the same key sounds at a time.
type Key = (u8, u8);

/// A message and the queue's time at which it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) at: Duration,
    pub(super) message: Message,
    /// Number of the note to which the message belongs. A note-off is outdated if a later note with
    /// the same key has begun.
    id: u64,
}

/// Pending messages and sounding notes.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    queue: BinaryHeap<Reverse<Due>>,
    /// Notes of which the kernel has received the note-on, but not the note-off.
    sounding: BTreeMap<Key, u64>,
    /// The note-ons and note-offs that the kernel has received, oldest first. They are kept for
    /// [`KEEP_SENT`] after they were due.
    sent: Vec<Due>,
    next_id: u64,
}

impl Schedule {
    /// Adds a note.
    pub(super) fn note(&mut self, channel: u8, note: u8, velocity: u8, on: Duration, off: Duration) {
        self.next_id += 1;
        self.add(on, Message::NoteOn { channel, note, velocity });
        self.add(off, Message::NoteOff { channel, note });
    }

    /// Adds a message that is due at `at`. To add the two messages of a note, call [`Self::note`],
    /// which gives both messages a new id.
    pub(super) fn add(&mut self, at: Duration, message: Message) {
        self.queue.push(Reverse(Due { at, message, id: self.next_id }));
    }

    /// The time at which the next message is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.queue.peek().map(|due| due.0.at)
    }

    /// Returns the next message that is due at `until` or before. The message stays in the schedule
    /// until [`Self::accepted`] or [`Self::drop_message`] is called. If a note-on has the key of a
    /// sounding note, the note-off of the sounding note is returned first. If the kernel has
    /// already received a message with the same key, the returned message is due at the same time
    /// or later.
    pub(super) fn next(&mut self, until: Duration) -> Option<Due> {
        loop {
            let mut due = self.queue.peek()?.0;
            if due.at > until {
                return None;
            }
            let Some(key) = due.message.key() else { return Some(due) };
            let sounding = self.sounding.get(&key).copied();
            match (due.message.is_off(), sounding) {
                (true, Some(id)) if id == due.id => {}
                (true, _) => {
                    self.queue.pop();
                    continue;
                }
                (false, Some(id)) => {
                    due = Due { message: Message::NoteOff { channel: key.0, note: key.1 }, id, ..due };
                }
                (false, None) => {}
            }
            let sent = self.sent.iter().filter(|sent| sent.message.key() == Some(key));
            due.at = sent.map(|sent| sent.at).fold(due.at, Duration::max);
            return Some(due);
        }
    }

    /// Call this when the kernel has accepted the message that [`Self::next`] returned.
    pub(super) fn accepted(&mut self, due: Due) {
        if let Some(key) = due.message.key() {
            self.sent.push(due);
            if due.message.is_off() {
                // The note's own note-off in the queue is now outdated. `next` removes it later.
                self.sounding.remove(&key);
                return;
            }
            self.sounding.insert(key, due.id);
        }
        self.queue.pop();
    }

    /// Drops the message that [`Self::next`] returned. Do not call this for an essential message.
    /// If the message is a note-on, [`Self::next`] later drops its note-off too.
    pub(super) fn drop_message(&mut self, due: Due) {
        debug_assert!(!due.message.is_essential(), "{due:?}");
        self.queue.pop();
    }

    /// Removes messages that the kernel sent more than [`KEEP_SENT`] ago from the list of sent
    /// messages.
    pub(super) fn forget_played(&mut self, now: Duration) {
        self.sent.retain(|sent| sent.at + KEEP_SENT >= now);
    }

    /// Drops pending notes, and schedules the note-offs of sounding notes at `cut`. Before this
    /// call, withdraw from the kernel all note messages that are due at `cut` or later. `reached`
    /// is the queue's time after the withdrawal. If `reached` is later than `cut`, the kernel may
    /// have sent some of these messages before they were withdrawn. So every note that may be
    /// sounding receives a note-off. A superfluous note-off does no harm.
    pub(super) fn silence(&mut self, cut: Duration, reached: Duration) {
        self.queue.retain(|due| due.0.message.key().is_none());
        for sent in self.sent.iter().rev().filter(|sent| sent.at >= cut) {
            let Some(key) = sent.message.key() else { continue };
            if sent.message.is_off() || sent.at <= reached {
                self.sounding.insert(key, sent.id);
            } else {
                self.sounding.remove(&key);
            }
        }
        self.sent.retain(|sent| sent.at < cut);
        let offs =
            self.sounding.iter().map(|(&(channel, note), &id)| (Message::NoteOff { channel, note }, id));
        self.queue.extend(offs.map(|(message, id)| Reverse(Due { at: cut, message, id })));
    }

    /// Drops the clock's pending messages.
    pub(super) fn drop_transport(&mut self) {
        self.queue.retain(|due| !due.0.message.is_transport());
    }

    /// Forgets all messages and notes. Call this when the port is closed.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.sounding.clear();
        self.sent.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: Message = Message::NoteOn { channel: 1, note: 60, velocity: 90 };
    const OFF: Message = Message::NoteOff { channel: 1, note: 60 };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Returns all messages that are due at `until` or before, as if the kernel's queue had room
    /// for all of them.
    fn drain(schedule: &mut Schedule, until: Duration) -> Vec<(Duration, Message)> {
        let mut drained = Vec::new();
        while let Some(due) = schedule.next(until) {
            schedule.accepted(due);
            drained.push((due.at, due.message));
        }
        drained
    }

    #[test]
    fn a_repeated_note_ends_the_first() {
        let mut schedule = Schedule::default();
        schedule.note(1, 60, 90, ms(0), ms(100));
        schedule.note(1, 60, 90, ms(50), ms(200));
        assert_eq!(drain(&mut schedule, ms(60)), [(ms(0), ON), (ms(50), OFF), (ms(50), ON)]);
        assert_eq!(drain(&mut schedule, ms(150)), [], "the first note-off is outdated");
        assert_eq!(drain(&mut schedule, ms(200)), [(ms(200), OFF)]);
        assert_eq!(schedule.next_due(), None);
    }

    #[test]
    fn a_note_never_overtakes_queued_messages() {
        let mut schedule = Schedule::default();
        schedule.note(1, 60, 90, ms(10), ms(30));
        assert_eq!(drain(&mut schedule, ms(30)).len(), 2);
        schedule.note(1, 60, 90, ms(20), ms(90));
        assert_eq!(drain(&mut schedule, ms(30)), [(ms(30), ON)]);
    }

    #[test]
    fn silence_ends_sounding_and_drops_future_notes() {
        let mut schedule = Schedule::default();
        schedule.note(1, 60, 90, ms(0), ms(9000));
        schedule.note(2, 40, 90, ms(1000), ms(2000));
        let controller = Message::Controller { channel: 1, controller: 74, value: 0 };
        schedule.add(ms(10), controller);
        assert_eq!(drain(&mut schedule, ms(0)), [(ms(0), ON)]);
        schedule.silence(ms(5), ms(4));
        assert_eq!(drain(&mut schedule, ms(10_000)), [(ms(5), OFF), (ms(10), controller)]);
    }

    #[test]
    fn possibly_sounding_notes_are_ended_after_withdrawal() {
        let sent = |reached| {
            let mut schedule = Schedule::default();
            schedule.note(1, 60, 90, ms(7), ms(500));
            schedule.note(1, 61, 90, ms(0), ms(9));
            assert_eq!(drain(&mut schedule, ms(30)).len(), 3);
            schedule.silence(ms(5), reached);
            drain(&mut schedule, ms(9)).into_iter().map(|(_, message)| message).collect::<Vec<_>>()
        };
        let other = Message::NoteOff { channel: 1, note: 61 };
        assert_eq!(sent(ms(4)), [other], "note 60 was withdrawn, and so was the note-off of 61");
        assert_eq!(sent(ms(8)), [OFF, other], "note 60 may have begun before the withdrawal");
    }

    #[test]
    fn a_full_kernel_drops_no_note_offs() {
        let mut schedule = Schedule::default();
        schedule.note(1, 60, 90, ms(0), ms(10));
        schedule.note(1, 62, 90, ms(0), ms(10));
        let lost = schedule.next(ms(0)).unwrap();
        schedule.drop_message(lost);
        assert_eq!(drain(&mut schedule, ms(5)).len(), 1);
        let off = schedule.next(ms(10)).unwrap();
        assert_eq!(schedule.next(ms(10)), Some(off), "it stays until it is accepted");
        assert_eq!(drain(&mut schedule, ms(10)), [(ms(10), Message::NoteOff { channel: 1, note: 62 })]);
        assert_eq!(schedule.next_due(), None);
    }

    /// Simulates the kernel's queue, which is sorted by time. Messages that are due at the same
    /// time keep the order in which they arrived.
    #[derive(Default)]
    struct Kernel {
        waiting: Vec<(Duration, Message)>,
        sounding: std::collections::BTreeSet<Key>,
        played: usize,
    }

    impl Kernel {
        fn play(&mut self, now: Duration) {
            self.waiting.sort_by_key(|(at, _)| *at);
            let due = self.waiting.partition_point(|(at, _)| *at <= now);
            for (_, message) in self.waiting.drain(..due) {
                let Some(key) = message.key() else { continue };
                let is_matched =
                    if message.is_off() { self.sounding.remove(&key) } else { self.sounding.insert(key) };
                assert!(is_matched, "{message:?} at {now:?}");
                self.played += 1;
            }
        }
    }

    #[test]
    fn random_operations_keep_notes_matched() {
        let mut random = fastrand::Rng::with_seed(7);
        let (mut schedule, mut kernel) = (Schedule::default(), Kernel::default());
        let mut now = ms(1000);
        for _ in 0..20_000 {
            now += Duration::from_micros(random.u64(0..8000));
            kernel.play(now);
            schedule.forget_played(now);
            for _ in 0..random.u32(0..3) {
                let on = now.saturating_sub(ms(5)) + ms(random.u64(0..70));
                schedule.note(random.u8(1..4), random.u8(50..56), 90, on, on + ms(random.u64(1..400)));
            }
            if random.u32(0..50) == 0 {
                let cut = now + ms(5);
                kernel.waiting.retain(|(at, _)| *at < cut);
                schedule.silence(cut, now);
            }
            while let Some(due) = schedule.next(now + ms(30)) {
                match (random.u32(0..20) == 0, due.message.is_off()) {
                    (true, true) => break,
                    (true, false) => schedule.drop_message(due),
                    (false, _) => {
                        schedule.accepted(due);
                        kernel.waiting.push((due.at, due.message));
                    }
                }
            }
        }
        kernel.waiting.extend(drain(&mut schedule, ms(1_000_000)));
        kernel.play(ms(1_000_000));
        assert!(kernel.sounding.is_empty() && kernel.played > 20_000, "{}", kernel.played);
    }
}
