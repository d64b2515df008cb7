//! Measures determinism. The same machine and seed must give the same notes and samples. If every
//! rate changes by up to a millionth, no note may change.

use anyhow::Result;

use super::Figure;
use crate::{
    adapter::{Options, PlayedNote, Render},
    parallel,
    plan::Plan,
    scenario::{self, LENGTH_S, Load, LoadClass, STEP_NS, SimulatedMachine},
};

/// The loads that are rendered, each with the size of its machine.
const PLAYED: [(LoadClass, f64); 4] =
    [(LoadClass::Compile, 1.0), (LoadClass::Storm, 8.0), (LoadClass::Lossy, 1.0), (LoadClass::Memory, 8.0)];

/// Number of renders of each load: two with identical rates, and one whose rates differ by up to a
/// millionth.
const TIMES: usize = 3;

/// Compares the renders of each load. Returns a hash (FNV-1a) of the notes of all loads.
pub(super) fn compare(preset: &str, plan: &Plan, figures: &mut Vec<Figure>) -> Result<String> {
    let jobs: Vec<(usize, usize)> =
        (0..PLAYED.len()).flat_map(|what| (0..TIMES).map(move |time| (what, time))).collect();
    let renders = parallel::map(&format!("{preset}: determinism"), &jobs, |(what, time)| {
        let (class, size) = PLAYED[*what];
        let seed = plan.seed(10 + *what as u64);
        let machine = SimulatedMachine::new(size, seed);
        let machine = if *time == 2 { machine.with_jitter(seed) } else { machine };
        Ok(digest(&play(preset, machine, class, seed)?))
    })?;
    let (mut notes, mut samples, mut disturbed) = (0, 0, 0);
    for same in renders.chunks(TIMES) {
        notes += usize::from(same[0].notes != same[1].notes);
        samples += usize::from(same[0].samples != same[1].samples);
        disturbed += same[0].differing_from(&same[2]);
    }
    figures.push(Figure::new("same_notes", notes as f64, ""));
    figures.push(Figure::new("same_pcm", samples as f64, ""));
    figures.push(Figure::new("jitter", disturbed as f64, ""));
    Ok(format!("{:016x}", fnv(renders.iter().step_by(TIMES).flat_map(|render| render.notes.concat()))))
}

fn play(preset: &str, mut machine: SimulatedMachine, class: LoadClass, seed: u64) -> Result<Render> {
    let mut player = scenario::player_with_baseline(preset, Options { seed, density: None }, &mut machine)?;
    for _ in 0..(LENGTH_S * 1e9) as u64 / STEP_NS {
        player.play(machine.advance(STEP_NS, class.parts(), 1.0));
    }
    Ok(player.into_render(0.0))
}

/// The properties of a render that are compared.
struct Digest {
    /// Each note encoded as bytes, with times in microseconds.
    notes: Vec<Vec<u8>>,
    samples: u64,
}

impl Digest {
    /// Number of notes that differ between two renders. The notes that appear only in the first
    /// render and those that appear only in the second are counted separately. The result is the
    /// higher of the two numbers.
    fn differing_from(&self, other: &Self) -> usize {
        let only = |one: &Self, two: &Self| one.notes.iter().filter(|note| !two.notes.contains(note)).count();
        only(self, other).max(only(other, self))
    }
}

fn digest(heard: &Render) -> Digest {
    let samples = fnv(heard.samples.iter().flat_map(|sample| sample.to_bits().to_le_bytes()));
    Digest { notes: heard.notes.iter().map(bytes).collect(), samples }
}

fn bytes(note: &PlayedNote) -> Vec<u8> {
    let PlayedNote { onset_s, duration_s, midi, velocity, layer, channel, brightness, instrument, signal } =
        *note;
    let mut bytes = ((onset_s * 1e6).round() as u64).to_le_bytes().to_vec();
    bytes.extend(((f64::from(duration_s) * 1e6).round() as u64).to_le_bytes());
    // Velocities are compared in steps of 1/250, because a smaller difference is inaudible.
    bytes.extend([midi, (velocity * 250.0).round() as u8, layer as u8, channel]);
    bytes.extend([(brightness * 16.0).round() as i8 as u8, instrument as u8]);
    bytes.push(signal.map_or(0, |signal| 1 + signal.index() as u8));
    bytes
}

fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::{Instrument, Layer};

    #[test]
    fn a_changed_pitch_is_one_difference() {
        let note = |midi| PlayedNote {
            onset_s: 1.0,
            duration_s: 0.5,
            midi,
            velocity: 0.5,
            layer: Layer::Pulse,
            channel: 1,
            brightness: 0.0,
            instrument: Instrument::Melody,
            signal: None,
        };
        let of = |midi: &[u8]| {
            digest(&Render { samples: vec![0.0, 0.1], notes: midi.iter().map(|m| note(*m)).collect() })
        };
        assert_eq!(of(&[60, 62]).differing_from(&of(&[60, 62])), 0);
        assert_eq!(of(&[60, 62]).differing_from(&of(&[60, 63])), 1);
        assert_eq!(of(&[60, 62]).differing_from(&of(&[60])), 1);
        assert_eq!(of(&[60]).samples, of(&[61]).samples);
    }

    /// Checks the hash against a published test value.
    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv(b"foobar".iter().copied()), 0x8594_4171_f739_67e8);
    }
}
