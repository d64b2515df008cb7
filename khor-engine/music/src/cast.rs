//! Defines the cast: which hosts of a site play the pulse and the voices. There are three kinds of
//! pulse: all hosts share one pulse, each section has its own pulse, or the hosts play in turn.

use khor_signal::Lanes;

use super::{note::Role, preset::Motion, scale::Register, stream::VoiceStream};

/// Maximum number of soloists. A soloist is a host whose lanes the voices play. If there are two
/// soloists, each has one voice.
pub const SOLOISTS: usize = 2;
/// Maximum number of sections that play at the same time. Listeners could not distinguish more
/// (docs/ear.md).
pub const SECTIONS: usize = 4;
/// Velocity factor of a soloist while sections play. It makes the soloist's voice stand out from
/// the sections' pulses.
const SOLO_OVER_SECTIONS: f32 = 1.2;
/// Maximum number of turns in a roll call. A bar has two turns, so this is sixteen bars, or 35 s at
/// 110 bpm.
pub const MAX_TURNS: usize = 32;

/// The hosts that play. By default, there is a single host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cast {
    /// The hosts whose lanes the voices play. A soloist keeps its position in the array while it
    /// plays. Without soloists, the voices play the lanes of all hosts.
    pub soloists: [Option<Soloist>; SOLOISTS],
    /// Which hosts play the pulse.
    pub pulse: PulseCast,
}

/// Which hosts play the pulse.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PulseCast {
    /// All hosts share the preset's pulse.
    #[default]
    Together,
    /// Each section has its own pulse, with the part of the same index in [`SectionPart::ALL`].
    /// `None` means that the part is unused.
    Sections([Option<Lanes>; SECTIONS]),
    /// The hosts play in turn, half a bar each. Turns beyond [`MAX_TURNS`] are ignored.
    RollCall(Vec<RollCallTurn>),
}

/// A host whose lanes the voices play.
#[derive(Clone, Debug, PartialEq)]
pub struct Soloist {
    /// Lanes of the host.
    pub lanes: Lanes,
    /// Pan and pitch offset of the voices.
    pub placement: HostPlacement,
}

/// One turn of a roll call.
#[derive(Clone, Debug, PartialEq)]
pub struct RollCallTurn {
    /// Identifies the host. It is the same in all rounds of the roll call.
    pub id: u64,
    /// Lanes of the host. `None` means that the host is missing, so its turn is silent.
    pub lanes: Option<Lanes>,
    /// Pan and pitch offset of the turn's notes.
    pub placement: HostPlacement,
}

/// The pan and the pitch offset of a host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostPlacement {
    /// Pan, from -1 (left) to 1 (right).
    pub pan: f32,
    /// Number of semitones by which the host's pitches are moved from the middle of their register.
    pub lean: i32,
}

/// The part of a section: timbre, register, pan and motion of its pulse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SectionPart {
    /// Role, which selects the timbre.
    pub role: Role,
    /// Register of the section's pulse.
    pub register: Register,
    /// Pan of the section's pulse, from -1 (left) to 1 (right).
    pub pan: f32,
    /// How the pulse chooses pitches within its register.
    pub(super) motion: Motion,
    /// Number of onsets per bar at full work and density 0.5.
    pub(super) max_onsets: u8,
}

impl SectionPart {
    /// All parts, in the order in which they are assigned to sections. Outer voices come first,
    /// because they are easier to hear than inner voices.
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

impl HostPlacement {
    /// The placement of a host. It depends only on the host's name.
    pub fn of_host(name: &str) -> Self {
        const PANS: [f32; 3] = [-0.65, 0.0, 0.65];
        const LEANS: [i32; 3] = [-4, 0, 4];
        let index = name_hash(name) as usize % (PANS.len() * LEANS.len());
        Self { pan: PANS[index % PANS.len()], lean: LEANS[index / PANS.len()] }
    }

    /// The host's placement while sections play. The pan comes from the section's part, and the
    /// pitch offset from the host.
    #[must_use]
    pub fn within(self, part: &SectionPart) -> Self {
        Self { pan: part.pan, ..self }
    }
}

/// FNV-1a hash of a name. The hash function must never change, because the placement of each host
/// depends on it.
pub fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl Cast {
    /// Whether the music represents a single host, or all hosts as one.
    pub(super) fn is_single_host(&self) -> bool {
        self.pulse == PulseCast::Together && self.soloists.iter().all(Option::is_none)
    }

    /// Returns what the voices of each soloist play. Without soloists, the first element plays the
    /// lanes of all hosts.
    pub(super) fn voices(&self) -> [VoiceSource<'_>; SOLOISTS] {
        const NO_LANES: &Lanes = &Lanes::NONE;
        let count = self.soloists.iter().flatten().count();
        let (mut first, taken_streams) = (true, [false; VoiceStream::ALL.len()]);
        let loudness = if matches!(self.pulse, PulseCast::Sections(_)) { SOLO_OVER_SECTIONS } else { 1.0 };
        self.soloists.each_ref().map(|soloist| {
            let is_first = std::mem::take(&mut first);
            match soloist {
                Some(Soloist { lanes, placement }) => VoiceSource {
                    lanes: Some(lanes),
                    placement: Some(*placement),
                    max_voices: if count == 1 { SOLOISTS } else { 1 },
                    loudness,
                    taken_streams,
                },
                None if count == 0 && is_first => VoiceSource {
                    lanes: None,
                    placement: None,
                    max_voices: SOLOISTS,
                    loudness: 1.0,
                    taken_streams,
                },
                None => VoiceSource {
                    lanes: Some(NO_LANES),
                    placement: None,
                    max_voices: 0,
                    loudness: 1.0,
                    taken_streams,
                },
            }
        })
    }
}

/// The input and the limits of one soloist's voices: lanes, placement, number of voices, loudness
/// and taken streams.
#[derive(Clone, Copy, Debug)]
pub(super) struct VoiceSource<'a> {
    pub(super) lanes: Option<&'a Lanes>,
    pub(super) placement: Option<HostPlacement>,
    pub(super) max_voices: usize,
    /// Factor by which the velocity of the notes is multiplied.
    pub(super) loudness: f32,
    /// Streams that the other soloist plays. The same stream in two voices would add no
    /// information.
    pub(super) taken_streams: [bool; VoiceStream::ALL.len()],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_placements_are_stable_and_spread_out() {
        assert_eq!(name_hash("web-1"), 0x666f_c22e_095c_221f, "the hash must never change");
        let places: Vec<HostPlacement> =
            (0..90).map(|n| HostPlacement::of_host(&format!("web-{n}"))).collect();
        for pan in [-0.65, 0.0, 0.65] {
            for lean in [-4, 0, 4] {
                let there =
                    places.iter().filter(|placement| placement.pan == pan && placement.lean == lean).count();
                assert!((3..20).contains(&there), "{there} at {pan} {lean}");
            }
        }
    }

    #[test]
    fn section_parts_differ_in_timbre_register_pan() {
        for (i, part) in SectionPart::ALL.iter().enumerate() {
            for other in &SectionPart::ALL[i + 1..] {
                assert_ne!(part.role, other.role);
                assert!((part.pan - other.pan).abs() >= 0.4);
                assert!(part.register.middle() != other.register.middle());
            }
        }
    }

    #[test]
    fn two_soloists_share_the_two_voices() {
        let someone = || Some(Soloist { lanes: Lanes::NONE, placement: HostPlacement::of_host("a") });
        let max_voices =
            |soloists| Cast { soloists, ..Cast::default() }.voices().map(|voices| voices.max_voices);
        assert_eq!(max_voices([None, None]), [2, 0]);
        assert_eq!(max_voices([someone(), None]), [2, 0]);
        assert_eq!(max_voices([None, someone()]), [0, 2]);
        assert_eq!(max_voices([someone(), someone()]), [1, 1]);
        assert!(Cast::default().voices()[0].lanes.is_none(), "the lanes of all hosts");
    }
}
