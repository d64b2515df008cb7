//! Chooses the soloists: the one or two hosts that deviate most. A soloist keeps its slot.

use super::{Lanes, largest_deviation};

/// A host may become a soloist when its deviation is at least this many octaves.
const TAKE_OCTAVES: f32 = 1.5;
/// A host's solo ends when its deviation falls below this many octaves.
const GIVE_BACK_OCTAVES: f32 = 1.0;
/// A host replaces a soloist when the host's deviation exceeds the soloist's deviation by at least
/// this many octaves.
const REPLACE_OCTAVES: f32 = 1.0;
/// A second host may become a soloist if its deviation is at most this many octaves below that of
/// the first soloist.
const SECOND_TAKE_OCTAVES: f32 = 2.0;
/// A solo ends when another host's deviation exceeds the soloist's deviation by more than this many
/// octaves. The remaining soloist then has both voices.
const SECOND_LEAVE_OCTAVES: f32 = 3.0;

/// The soloists. A solo ends when the host's deviation becomes small, or when another host deviates
/// clearly more.
#[derive(Clone, Debug)]
pub struct Soloists<Id> {
    now: [Option<Id>; 2],
}

impl<Id> Default for Soloists<Id> {
    fn default() -> Self {
        Self { now: [None, None] }
    }
}

impl<Id: Clone + PartialEq> Soloists<Id> {
    /// Chooses the soloists among `hosts`, which must be all enabled hosts. Returns the ids of the
    /// soloists.
    pub fn choose<'a, B>(&mut self, hosts: impl Iterator<Item = (&'a B, &'a Lanes)>) -> &[Option<Id>; 2]
    where
        B: ToOwned<Owned = Id> + PartialEq<Id> + ?Sized + 'a,
    {
        let mut held = [None; 2];
        let mut others: [Option<(&B, f32)>; 2] = [None; 2];
        for (id, lanes) in hosts {
            let Some((_, octaves)) = largest_deviation(lanes) else { continue };
            if let Some(slot) = self.now.iter().position(|now| now.as_ref().is_some_and(|now| id == now)) {
                held[slot] = Some(octaves);
            } else if others[0].is_none_or(|(_, most)| octaves > most) {
                others = [Some((id, octaves)), others[0]];
            } else if others[1].is_none_or(|(_, most)| octaves > most) {
                others[1] = Some((id, octaves));
            }
        }
        self.release_solos(&mut held, others[0].map(|(_, octaves)| octaves));
        for (id, octaves) in others.into_iter().flatten() {
            if let Some(slot) = slot_for(octaves, held) {
                (self.now[slot], held[slot]) = (Some(id.to_owned()), Some(octaves));
            }
        }
        &self.now
    }

    /// Removes each soloist that is missing, that deviates little, or that deviates far less than
    /// another host.
    fn release_solos(&mut self, held: &mut [Option<f32>; 2], best_other: Option<f32>) {
        let most =
            held.iter().chain([&best_other]).flatten().fold(0.0_f32, |most, octaves| most.max(*octaves));
        for (now, held) in self.now.iter_mut().zip(held) {
            if held.is_none_or(|octaves| octaves < GIVE_BACK_OCTAVES || octaves < most - SECOND_LEAVE_OCTAVES)
            {
                (*now, *held) = (None, None);
            }
        }
    }
}

/// The slot that a host with this deviation gets; `None` if the host must not become a soloist.
fn slot_for(octaves: f32, held: [Option<f32>; 2]) -> Option<usize> {
    if octaves < TAKE_OCTAVES {
        return None;
    }
    match held {
        [None, None] => Some(0),
        [Some(other), None] => (octaves >= other - SECOND_TAKE_OCTAVES).then_some(1),
        [None, Some(other)] => (octaves >= other - SECOND_TAKE_OCTAVES).then_some(0),
        [Some(a), Some(b)] => {
            let (weakest, least) = if b < a { (1, b) } else { (0, a) };
            (octaves >= least + REPLACE_OCTAVES).then_some(weakest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lane, SignalId};

    fn lanes(deviation: f32) -> Lanes {
        let mut lanes: Lanes = [Some(Lane::default()); SignalId::COUNT].into();
        lanes[SignalId::Rx] = Some(Lane { level: 0.5, deviation, surprise: 0.0 });
        lanes
    }

    /// Chooses soloists among the hosts a, b, c and d. Each test gives the deviations of the hosts.
    struct Stage(Soloists<String>);

    impl Stage {
        fn at<const N: usize>(&mut self, deviations: [f32; N]) -> String {
            let lanes = deviations.map(lanes);
            let names = ["a", "b", "c", "d"];
            let now = self.0.choose(names.into_iter().zip(&lanes));
            now.iter().map(|now| now.as_deref().unwrap_or("-")).collect()
        }
    }

    #[test]
    fn soloists_stay_until_clearly_exceeded() {
        let mut stage = Stage(Soloists::default());
        assert_eq!(stage.at([1.0, 0.0, 0.0]), "--", "no host stands out");
        assert_eq!(stage.at([3.0, 2.0, 0.0]), "ab");
        assert_eq!(stage.at([3.0, 2.0, 2.9]), "ab", "the difference is too small");
        assert_eq!(stage.at([3.0, 2.0, 3.1]), "ac");
        assert_eq!(stage.at([1.2, 0.0, 3.1]), "ac", "a still deviates enough");
        assert_eq!(stage.at([0.5, 0.0, 3.1]), "-c", "c keeps its slot");
        assert_eq!(stage.at([0.5, 4.0, 3.1]), "bc");
        assert_eq!(stage.at([0.5, 0.5, 0.5]), "--");
    }

    #[test]
    fn an_extreme_host_has_both_voices() {
        let mut stage = Stage(Soloists::default());
        assert_eq!(stage.at([6.0, 2.0]), "a-");
        assert_eq!(stage.at([4.0, 2.5]), "ab");
        assert_eq!(stage.at([5.0, 2.5]), "ab", "the difference is too small");
        assert_eq!(stage.at([6.0, 2.5]), "a-");
        assert_eq!(stage.at([2.0, 6.0]), "b-", "b takes the slot of a");
    }

    #[test]
    fn a_missing_host_loses_its_solo() {
        let mut stage = Stage(Soloists::default());
        assert_eq!(stage.at([3.0, 3.5]), "ba");
        assert_eq!(stage.at([3.0]), "-a");
    }
}
