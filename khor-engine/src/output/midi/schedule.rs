//! What is still to be sent, in order of time, with every note-on matched by exactly one note-off.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Instant,
};

/// A MIDI message; channels 1..=16, the rest 0..=127.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Message {
    NoteOff { channel: u8, note: u8 },
    NoteOn { channel: u8, note: u8, velocity: u8 },
    Controller { channel: u8, controller: u8, value: u8 },
}

/// Something due at a time. Offs sort before ons of the same instant, so a repeated note is heard again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Instant,
    message: Message,
    /// The note this belongs to; an off whose note was struck again meanwhile is out of date.
    id: u64,
}

/// Notes to come and notes that sound.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    queue: BinaryHeap<Reverse<Due>>,
    sounding: BTreeMap<(u8, u8), u64>,
    next_id: u64,
    repeated: Option<Due>,
}

impl Schedule {
    /// Adds a note.
    pub(super) fn note(&mut self, channel: u8, note: u8, velocity: u8, on: Instant, off: Instant) {
        self.next_id += 1;
        let id = self.next_id;
        self.queue.push(Reverse(Due { at: on, message: Message::NoteOn { channel, note, velocity }, id }));
        self.queue.push(Reverse(Due { at: off, message: Message::NoteOff { channel, note }, id }));
    }

    /// When the next message is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.repeated.or_else(|| self.queue.peek().map(|due| due.0)).map(|due| due.at)
    }

    /// The next message that is due at `now`. A note that still sounds is ended before it is struck again.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Message> {
        loop {
            let due = match self.repeated.take() {
                Some(due) => due,
                None if self.queue.peek()?.0.at <= now => self.queue.pop()?.0,
                None => return None,
            };
            match due.message {
                Message::NoteOn { channel, note, .. } => {
                    if self.sounding.remove(&(channel, note)).is_some() {
                        self.repeated = Some(due);
                        return Some(Message::NoteOff { channel, note });
                    }
                    self.sounding.insert((channel, note), due.id);
                    return Some(due.message);
                }
                Message::NoteOff { channel, note } => {
                    if self.sounding.get(&(channel, note)) == Some(&due.id) {
                        self.sounding.remove(&(channel, note));
                        return Some(due.message);
                    }
                }
                Message::Controller { .. } => return Some(due.message),
            }
        }
    }

    /// Forgets what is to come and returns the offs of what sounds.
    pub(super) fn silence(&mut self) -> Vec<Message> {
        self.queue.clear();
        self.repeated = None;
        std::mem::take(&mut self.sounding)
            .into_keys()
            .map(|(channel, note)| Message::NoteOff { channel, note })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn drain(schedule: &mut Schedule, now: Instant) -> Vec<Message> {
        std::iter::from_fn(|| schedule.pop_due(now)).collect()
    }

    const ON: Message = Message::NoteOn { channel: 1, note: 60, velocity: 90 };
    const OFF: Message = Message::NoteOff { channel: 1, note: 60 };

    #[test]
    fn a_repeated_note_is_ended_first_and_the_old_off_does_not_cut_it() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut schedule = Schedule::default();
        schedule.note(1, 60, 90, at(0), at(100));
        schedule.note(1, 60, 90, at(50), at(200));
        assert_eq!(drain(&mut schedule, at(60)), [ON, OFF, ON]);
        assert_eq!(drain(&mut schedule, at(150)), [], "the first note's off is out of date");
        assert_eq!(drain(&mut schedule, at(200)), [OFF]);
        assert_eq!(schedule.next_due(), None);
    }

    #[test]
    fn silence_ends_what_sounds_and_drops_what_is_to_come() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        schedule.note(1, 60, 90, start, start + Duration::from_secs(9));
        schedule.note(2, 40, 90, start + Duration::from_secs(1), start + Duration::from_secs(2));
        assert_eq!(drain(&mut schedule, start), [ON]);
        assert_eq!(schedule.silence(), [OFF]);
        assert_eq!(drain(&mut schedule, start + Duration::from_secs(10)), []);
    }

    #[test]
    fn ons_and_offs_balance_in_any_order() {
        let mut random = fastrand::Rng::with_seed(7);
        let start = Instant::now();
        let mut schedule = Schedule::default();
        for _ in 0..2000 {
            let on = start + Duration::from_millis(random.u64(0..5000));
            let off = on + Duration::from_millis(random.u64(1..400));
            schedule.note(random.u8(1..4), random.u8(50..60), 90, on, off);
        }
        let mut sounding = std::collections::BTreeSet::new();
        for message in drain(&mut schedule, start + Duration::from_secs(10)) {
            match message {
                Message::NoteOn { channel, note, .. } => assert!(sounding.insert((channel, note))),
                Message::NoteOff { channel, note } => assert!(sounding.remove(&(channel, note))),
                Message::Controller { .. } => {}
            }
        }
        assert!(sounding.is_empty());
    }
}
