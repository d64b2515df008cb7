//! Tests the voices with random sequences of operations. Every note must be played or counted as
//! dropped, the voice limit must hold, and all voices must end in silence.

use khor_music::{Patch, Role, Wave};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::{group::Buses, lanes::BLOCK};

const RATE_HZ: f32 = 48_000.0;
/// Longest time from the onset of a note to its release, frames.
const LONGEST_FRAMES: u64 = 20_000;
/// Longest release, milliseconds. A voice needs several times as long to become silent.
const LONGEST_RELEASE_MS: f32 = 100.0;
const SILENT_AFTER_FRAMES: u64 = 48_000;
/// Number of blocks after which a fading voice is silent. It covers the longest fade-out and the
/// block in which the fade-out ends.
const FADE_BLOCKS: usize = (OFF_FADE_S * RATE_HZ) as usize / BLOCK + 2;
/// Number of blocks after which a stolen voice is silent.
const STEAL_BLOCKS: usize = (STEAL_FADE_S * RATE_HZ) as usize / BLOCK + 2;
/// Upper limit for the magnitude of a sample when 24 voices sound.
const LOUDEST: f32 = 100.0;

/// An operation on the voice bank.
#[derive(Clone, Debug)]
enum Op {
    Play {
        wave: Wave,
        release_ms: f32,
        midi: u8,
        frames: u64,
    },
    Limit(usize),
    AllOff,
    /// Renders this many blocks.
    Render(usize),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    use Wave::{Fm, Noise, Pulse, Saw, Sine, Triangle};
    let waves = select(&[Sine, Triangle, Saw, Pulse, Noise, Fm][..]);
    let play = (waves, 5.0..LONGEST_RELEASE_MS, 0u8..=127, 1..LONGEST_FRAMES)
        .prop_map(|(wave, release_ms, midi, frames)| Op::Play { wave, release_ms, midi, frames });
    let op = prop_oneof![
        12 => play,
        1 => (0usize..=30).prop_map(Op::Limit),
        1 => Just(Op::AllOff),
        4 => (1usize..30).prop_map(Op::Render),
    ];
    vec(op, 1..120)
}

/// The voice bank, and counts of its notes.
struct Model {
    bank: VoiceBank,
    frame: u64,
    buses: [Buses; 1],
    played: u64,
    /// Number of notes that were waiting for a fading voice when [`Op::AllOff`] dropped them.
    forgotten: u64,
}

impl Model {
    fn new() -> Self {
        let buses = [Buses::SILENT];
        Self { bank: VoiceBank::new(RATE_HZ), frame: 0, buses, played: 0, forgotten: 0 }
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Play { wave, release_ms, midi, frames } => {
                self.played += 1;
                let patch = Patch { wave, release_ms, ..Patch::default() };
                self.bank.play(NoteStart {
                    patch,
                    midi,
                    velocity: 0.8,
                    pan: 0.5,
                    brightness: 0.0,
                    release_frame: self.frame + frames,
                    phase: 0.25,
                    role: Role::Melody,
                });
            }
            Op::Limit(limit) => self.bank.set_limit(limit),
            Op::AllOff => {
                self.forgotten += self.waiting();
                self.bank.all_off();
            }
            Op::Render(blocks) => (0..blocks).for_each(|_| self.render()),
        }
        self.check();
    }

    fn render(&mut self) {
        self.buses[0].clear();
        self.bank.render(self.frame, BLOCK, 0.0, &mut self.buses, 0);
        self.frame += BLOCK as u64;
        let samples = self.buses[0].straight.as_flattened().as_flattened();
        assert!(
            samples.iter().all(|sample| sample.abs() < LOUDEST),
            "a sample is not finite, or it is too loud"
        );
    }

    /// Number of notes that are waiting for a fading voice.
    fn waiting(&self) -> u64 {
        self.bank.voices.iter().filter(|voice| voice.successor.is_some()).count() as u64
    }

    fn check(&self) {
        let begun = self.bank.serial;
        assert_eq!(self.played, begun + self.waiting() + self.bank.dropped + self.forgotten);
        assert!(self.bank.active() <= VOICES);
        let (lasting, limit) = (self.bank.lasting_voices(), self.bank.limit);
        assert!(lasting <= limit, "{lasting} voices, limit {limit}");
    }

    fn is_silent(&self) -> bool {
        let Buses { straight, sings, .. } = &self.buses[0];
        !sings && straight.as_flattened().as_flattened().iter().all(|sample| *sample == 0.0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_note_is_counted_and_ends(ops in ops()) {
        let mut model = Model::new();
        for op in &ops {
            model.apply(op);
        }
        let until = model.frame + LONGEST_FRAMES + SILENT_AFTER_FRAMES;
        while model.frame < until && !(model.bank.active() == 0 && model.is_silent()) {
            model.render();
            model.check();
        }
        prop_assert!(model.frame < until, "{} voices sound", model.bank.active());
        prop_assert_eq!(model.played, model.bank.serial + model.bank.dropped + model.forgotten);
    }

    #[test]
    fn lower_limit_fades_voices_in_time(ops in ops(), limit in 1usize..=VOICES) {
        let mut model = Model::new();
        for op in &ops {
            model.apply(op);
        }
        (0..FADE_BLOCKS).for_each(|_| model.render()); // completes all fades
        model.apply(&Op::Limit(limit));
        (0..STEAL_BLOCKS).for_each(|_| model.render());
        prop_assert!(model.bank.active() <= limit, "{} voices, limit {limit}", model.bank.active());
    }
}
