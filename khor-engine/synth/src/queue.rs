//! Notes waiting for their frame: bounded, ordered, allocated once.

use khor_music::{Instrument, Role};

/// Notes that can wait; one more is dropped and counted.
pub(super) const CAPACITY: usize = 512;

/// A note in the synth's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SynthNote {
    /// First frame, counted from the synth's start; in the past means now.
    pub onset_frame: u64,
    /// Frames from onset to release.
    pub duration_frames: u64,
    /// MIDI note number, 0..=127.
    pub midi: u8,
    /// 0..=1.
    pub velocity: f32,
    /// -1 (left) ..=1 (right).
    pub pan: f32,
    /// Filter opening of this note alone, octaves, -3..=3.
    pub brightness: f32,
    /// Whose patch it is played with.
    pub instrument: Instrument,
    /// Whose stem it is in.
    pub role: Role,
}

/// The queue, latest note first, so that the next one is popped from the end.
#[derive(Debug)]
pub(super) struct NoteQueue {
    notes: Vec<SynthNote>,
    dropped: u64,
}

impl NoteQueue {
    /// Allocates all it will ever need.
    pub(super) fn new() -> Self {
        Self { notes: Vec::with_capacity(CAPACITY), dropped: 0 }
    }

    /// Adds a note, keeping notes of the same frame in order of arrival. Audio thread; no allocation.
    pub(super) fn push(&mut self, note: SynthNote) {
        if self.notes.len() >= CAPACITY {
            self.dropped += 1;
            return;
        }
        let at = self.notes.partition_point(|waiting| waiting.onset_frame > note.onset_frame);
        // `at` is the first of those not later; equal ones must be popped (from the end) before this one.
        self.notes.insert(at, note);
    }

    /// The next note if it begins before `frame`. Audio thread; no allocation.
    pub(super) fn pop_before(&mut self, frame: u64) -> Option<SynthNote> {
        if self.next_frame()? < frame { self.notes.pop() } else { None }
    }

    /// Onset of the next note. Audio thread; no allocation.
    pub(super) fn next_frame(&self) -> Option<u64> {
        self.notes.last().map(|note| note.onset_frame)
    }

    /// Forgets all notes. Audio thread; no allocation.
    pub(super) fn clear(&mut self) {
        self.notes.clear();
    }

    /// Notes dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(onset_frame: u64, midi: u8) -> SynthNote {
        SynthNote {
            onset_frame,
            duration_frames: 1,
            midi,
            velocity: 1.0,
            pan: 0.0,
            brightness: 0.0,
            instrument: Instrument::Melody,
            role: Role::Melody,
        }
    }

    #[test]
    fn notes_leave_by_onset_then_by_arrival() {
        let mut queue = NoteQueue::new();
        for (frame, midi) in [(30, 1), (10, 2), (20, 3), (10, 4), (30, 5)] {
            queue.push(note(frame, midi));
        }
        assert_eq!(queue.pop_before(10), None);
        let order: Vec<u8> = std::iter::from_fn(|| queue.pop_before(u64::MAX)).map(|n| n.midi).collect();
        assert_eq!(order, [2, 4, 3, 1, 5]);
    }

    #[test]
    fn a_full_queue_drops_and_counts_notes() {
        let mut queue = NoteQueue::new();
        let before = queue.notes.capacity();
        for i in 0..CAPACITY + 7 {
            queue.push(note(i as u64, 60));
        }
        assert_eq!((queue.dropped(), queue.notes.len(), queue.notes.capacity()), (7, CAPACITY, before));
    }
}
