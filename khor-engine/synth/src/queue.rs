//! A queue of notes that wait for their onset. It has a fixed capacity, is sorted by onset, and is
//! allocated once.

use khor_music::{Instrument, Role};

/// Maximum number of notes in the queue. Further notes are dropped and counted.
pub(super) const CAPACITY: usize = 512;

/// A note whose times are in frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SynthNote {
    /// First frame of the note, counted from the start of the synth. If this frame is in the past,
    /// the note starts immediately.
    pub onset_frame: u64,
    /// Number of frames from onset to release.
    pub duration_frames: u64,
    /// Pitch, MIDI note number, 0..=127.
    pub midi: u8,
    /// Velocity, 0..=1.
    pub velocity: f32,
    /// Pan, from -1 (left) to 1 (right).
    pub pan: f32,
    /// Shift of this note's filter cutoff, octaves, -3..=3.
    pub brightness: f32,
    /// Instrument of the note. It selects the patch.
    pub instrument: Instrument,
    /// Role of the note. It selects the stem.
    pub role: Role,
}

/// The queue of waiting notes. The note with the latest onset comes first, so that the next note
/// can be popped from the end.
#[derive(Debug)]
pub(super) struct NoteQueue {
    notes: Vec<SynthNote>,
    dropped: u64,
}

impl NoteQueue {
    /// Creates an empty queue, and allocates all its memory.
    pub(super) fn new() -> Self {
        Self { notes: Vec::with_capacity(CAPACITY), dropped: 0 }
    }

    /// Adds a note. Notes with the same onset keep their order of arrival. Real-time safe.
    pub(super) fn push(&mut self, note: SynthNote) {
        if self.notes.len() >= CAPACITY {
            self.dropped += 1;
            return;
        }
        let at = self.notes.partition_point(|waiting| waiting.onset_frame > note.onset_frame);
        // The note is inserted before other notes with the same onset, because notes are popped
        // from the end.
        self.notes.insert(at, note);
    }

    /// Removes and returns the next note if its onset is before `frame`. Real-time safe.
    pub(super) fn pop_before(&mut self, frame: u64) -> Option<SynthNote> {
        if self.next_frame()? < frame { self.notes.pop() } else { None }
    }

    /// Onset of the next note; `None` if the queue is empty. Real-time safe.
    pub(super) fn next_frame(&self) -> Option<u64> {
        self.notes.last().map(|note| note.onset_frame)
    }

    /// Drops all waiting notes. Real-time safe.
    pub(super) fn clear(&mut self) {
        self.notes.clear();
    }

    /// Number of notes that were dropped because the queue was full. Real-time safe.
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
