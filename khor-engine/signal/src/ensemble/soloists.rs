//! Chooses the soloists: the one or two machines that stand out most. Each keeps its place while it
//! is a soloist.

use super::{Lanes, largest_deviation};

/// Deviation at which a machine may become a soloist, and below which it stops being one, octaves.
const TAKE_OCTAVES: f32 = 1.5;
const GIVE_BACK_OCTAVES: f32 = 1.0;
/// How much further than a soloist another machine must be to replace it, octaves.
const REPLACE_OCTAVES: f32 = 1.0;
/// How much less than the first soloist the second one may deviate, octaves. Beyond the second
/// limit it stops being one, because a machine with a much larger deviation needs both voices.
const SECOND_TAKE_OCTAVES: f32 = 2.0;
const SECOND_LEAVE_OCTAVES: f32 = 3.0;

/// The soloists. They stay until they calm down, or until another machine is clearly further.
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
    /// Chooses among all selected machines.
    pub fn choose<'a, B>(&mut self, heard: impl Iterator<Item = (&'a B, &'a Lanes)>) -> &[Option<Id>; 2]
    where
        B: ToOwned<Owned = Id> + PartialEq<Id> + ?Sized + 'a,
    {
        let mut held = [None; 2];
        let mut others: [Option<(&B, f32)>; 2] = [None; 2];
        for (id, lanes) in heard {
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

    /// Removes soloists that have calmed down, are gone, or deviate far less than another machine.
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

/// The place for a machine with this deviation, if it may become a soloist.
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

    /// Chooses soloists among the machines a, b, c and d with given deviations.
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
        assert_eq!(stage.at([1.0, 0.0, 0.0]), "--", "nobody stands out");
        assert_eq!(stage.at([3.0, 2.0, 0.0]), "ab");
        assert_eq!(stage.at([3.0, 2.0, 2.9]), "ab", "not by so little");
        assert_eq!(stage.at([3.0, 2.0, 3.1]), "ac");
        assert_eq!(stage.at([1.2, 0.0, 3.1]), "ac", "it still is louder than usual");
        assert_eq!(stage.at([0.5, 0.0, 3.1]), "-c", "each stays in its place");
        assert_eq!(stage.at([0.5, 4.0, 3.1]), "bc");
        assert_eq!(stage.at([0.5, 0.5, 0.5]), "--");
    }

    #[test]
    fn an_extreme_machine_has_both_voices() {
        let mut stage = Stage(Soloists::default());
        assert_eq!(stage.at([6.0, 2.0]), "a-");
        assert_eq!(stage.at([4.0, 2.5]), "ab");
        assert_eq!(stage.at([5.0, 2.5]), "ab", "not by so little");
        assert_eq!(stage.at([6.0, 2.5]), "a-");
        assert_eq!(stage.at([2.0, 6.0]), "b-", "the first goes, and its place is taken");
    }

    #[test]
    fn a_missing_machine_loses_its_solo() {
        let mut stage = Stage(Soloists::default());
        assert_eq!(stage.at([3.0, 3.5]), "ba");
        assert_eq!(stage.at([3.0]), "-a");
    }
}
