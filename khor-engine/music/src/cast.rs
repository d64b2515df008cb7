//! Who plays where several machines are heard: one pulse for all of them, one for each section, or everyone in turn;
//! and who has the voices.

use khor_signal::{Lanes, SignalId};

use super::note::Role;
use super::preset::Motion;
use super::scale::Register;
use super::stream::VoiceStream;

/// Machines that may have the voices at once: each then speaks with one.
pub const SOLOISTS: usize = 2;
/// Sections that may play at once: more could not be told apart (ear.md).
pub const SECTIONS: usize = 4;
/// How much more velocity a soloist has where sections play, so that it stands out of their pulses.
const ABOVE_SECTIONS: f32 = 1.2;
/// Turns of a roll call: two in each of sixteen bars, 35 s at 110 bpm.
pub const TURNS: usize = 32;

/// Who plays. The default is one machine alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cast {
    /// Who has the voices, each in one place of the two for as long as that lasts; nobody: the lanes of all.
    pub soloists: [Option<Soloist>; SOLOISTS],
    /// Whose work is the pulse.
    pub pulse: PulseCast,
}

/// Whose work is the pulse.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PulseCast {
    /// Everybody's together, as the preset has it.
    #[default]
    Together,
    /// Each section's by itself, from its own bench; `None` is an empty one.
    Sections([Option<Lanes>; SECTIONS]),
    /// Everyone's in turn, half a bar each; what is beyond [`TURNS`] is not called.
    RollCall(Vec<Turn>),
}

/// A machine that has the voices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Soloist {
    /// Its lanes.
    pub lanes: Lanes,
    /// Where its voices come from.
    pub place: Place,
}

/// One turn of a roll call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// Names it: a turn is the same one as long as this is.
    pub id: u64,
    /// Its lanes; `None` is a machine that doesn't answer, and its turn a rest.
    pub lanes: Option<Lanes>,
    /// Where it answers from.
    pub place: Place,
}

/// Where somebody is heard from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// -1 (left) ..=1 (right).
    pub pan: f32,
    /// How far from the middle of a register its gestures begin, semitones.
    pub lean: i32,
}

/// Where a section sits: what its pulse is played with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bench {
    /// Its timbre.
    pub role: Role,
    /// Where its pulse lies.
    pub register: Register,
    /// -1 (left) ..=1 (right).
    pub pan: f32,
    /// How its pulse moves there.
    pub(super) motion: Motion,
    /// Onsets per bar at full work and density 0.5.
    pub(super) max_onsets: u8,
}

impl Bench {
    /// All of them, in the order in which they are taken: outer voices are heard better than inner ones.
    pub const ALL: [Self; SECTIONS] = [
        Self::new(Role::Bass, (38, 50), -0.8, Motion::Root, 6),
        Self::new(Role::Percussion, (76, 92), 0.8, Motion::UpDown, 10),
        Self::new(Role::Melody, (60, 74), 0.0, Motion::Walk, 7),
        Self::new(Role::Chords, (52, 66), 0.4, Motion::Walk, 3),
    ];

    const fn new(role: Role, (low, high): (u8, u8), pan: f32, motion: Motion, max_onsets: u8) -> Self {
        Self { role, register: Register { low, high }, pan, motion, max_onsets }
    }
}

impl Place {
    /// A machine's, by its name alone: the same one is always heard from there.
    pub fn of_host(name: &str) -> Self {
        const PANS: [f32; 3] = [-0.65, 0.0, 0.65];
        const LEANS: [i32; 3] = [-4, 0, 4];
        let place = name_hash(name) as usize % (PANS.len() * LEANS.len());
        Self { pan: PANS[place % PANS.len()], lean: LEANS[place / PANS.len()] }
    }

    /// The same machine's where sections play: from its section's bench.
    #[must_use]
    pub fn within(self, bench: &Bench) -> Self {
        Self { pan: bench.pan, ..self }
    }
}

/// FNV-1a of a name: the same on every machine and in every version.
pub fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl Cast {
    /// Whether one machine is heard, or all as one.
    pub(super) fn is_one(&self) -> bool {
        self.pulse == PulseCast::Together && self.soloists == [None; SOLOISTS]
    }

    /// Whose lanes the voices of each of the two places are read from, from where they come, and how many may speak.
    /// `None` are the lanes of all.
    pub(super) fn voices(&self) -> [VoicesOf<'_>; SOLOISTS] {
        const NOBODY: &Lanes = &[None; SignalId::COUNT];
        let count = self.soloists.iter().flatten().count();
        let (mut first, taken) = (true, [false; VoiceStream::ALL.len()]);
        let loudness = if matches!(self.pulse, PulseCast::Sections(_)) { ABOVE_SECTIONS } else { 1.0 };
        self.soloists.each_ref().map(|soloist| {
            let is_first = std::mem::take(&mut first);
            match soloist {
                Some(Soloist { lanes, place }) => VoicesOf {
                    lanes: Some(lanes),
                    place: Some(*place),
                    at_once: if count == 1 { SOLOISTS } else { 1 },
                    loudness,
                    taken,
                },
                None if count == 0 && is_first => {
                    VoicesOf { lanes: None, place: None, at_once: SOLOISTS, loudness: 1.0, taken }
                }
                None => VoicesOf { lanes: Some(NOBODY), place: None, at_once: 0, loudness: 1.0, taken },
            }
        })
    }
}

/// What the voices of one place are.
#[derive(Clone, Copy, Debug)]
pub(super) struct VoicesOf<'a> {
    pub(super) lanes: Option<&'a Lanes>,
    pub(super) place: Option<Place>,
    pub(super) at_once: usize,
    /// Factor of the velocity of its notes.
    pub(super) loudness: f32,
    /// Streams that the other soloist speaks with: the same voice twice at once would say nothing new.
    pub(super) taken: [bool; VoiceStream::ALL.len()],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_placements_are_stable_and_spread_out() {
        assert_eq!(name_hash("web-1"), 0x666f_c22e_095c_221f, "FNV-1a, for ever");
        let places: Vec<Place> = (0..90).map(|n| Place::of_host(&format!("web-{n}"))).collect();
        for pan in [-0.65, 0.0, 0.65] {
            for lean in [-4, 0, 4] {
                let there = places.iter().filter(|place| place.pan == pan && place.lean == lean).count();
                assert!((3..20).contains(&there), "{there} at {pan} {lean}");
            }
        }
    }

    #[test]
    fn section_parts_differ_in_timbre_register_pan() {
        for (i, bench) in Bench::ALL.iter().enumerate() {
            for other in &Bench::ALL[i + 1..] {
                assert_ne!(bench.role, other.role);
                assert!((bench.pan - other.pan).abs() >= 0.4);
                assert!(bench.register.middle() != other.register.middle());
            }
        }
    }

    #[test]
    fn two_soloists_share_the_two_voices() {
        let someone = Some(Soloist { lanes: [None; SignalId::COUNT], place: Place::of_host("a") });
        let at_once = |soloists| Cast { soloists, ..Cast::default() }.voices().map(|voices| voices.at_once);
        assert_eq!(at_once([None, None]), [2, 0]);
        assert_eq!(at_once([someone, None]), [2, 0]);
        assert_eq!(at_once([None, someone]), [0, 2]);
        assert_eq!(at_once([someone, someone]), [1, 1]);
        assert!(Cast::default().voices()[0].lanes.is_none(), "the lanes of all");
    }
}
