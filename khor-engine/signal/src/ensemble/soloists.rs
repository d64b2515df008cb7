//! Who has the voices: the one or two machines that stand out most, each in the same place for as long as it has them.

use super::{Lanes, standing};

/// Octaves above its own baseline from which a machine may take a solo, and below which it gives it back.
const TAKE: f32 = 1.5;
const GIVE_BACK: f32 = 1.0;
/// How many octaves further than a soloist another must be to take its place.
const REPLACE: f32 = 1.0;
/// How many octaves less far than the other a second soloist may be, and beyond which it gives the solo back: a machine
/// that is far out says more with both voices.
const BESIDE: f32 = 2.0;
const NOT_BESIDE: f32 = 3.0;

/// The soloists: they stay until they calm down or another is clearly further.
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
    /// Chooses among all that are heard.
    pub fn choose<'a, B>(&mut self, heard: impl Iterator<Item = (&'a B, &'a Lanes)>) -> &[Option<Id>; 2]
    where
        B: ToOwned<Owned = Id> + PartialEq<Id> + ?Sized + 'a,
    {
        let mut held = [None; 2];
        let mut others: [Option<(&B, f32)>; 2] = [None; 2];
        for (id, lanes) in heard {
            let Some((_, octaves)) = standing(lanes) else { continue };
            if let Some(place) = self.now.iter().position(|now| now.as_ref().is_some_and(|now| id == now)) {
                held[place] = Some(octaves);
            } else if others[0].is_none_or(|(_, most)| octaves > most) {
                others = [Some((id, octaves)), others[0]];
            } else if others[1].is_none_or(|(_, most)| octaves > most) {
                others[1] = Some((id, octaves));
            }
        }
        self.leave(&mut held, others[0].map(|(_, octaves)| octaves));
        for (id, octaves) in others.into_iter().flatten() {
            if let Some(place) = place_for(octaves, held) {
                (self.now[place], held[place]) = (Some(id.to_owned()), Some(octaves));
            }
        }
        &self.now
    }

    /// Whoever calmed down, went away or is far less than another gives the solo back.
    fn leave(&mut self, held: &mut [Option<f32>; 2], best_other: Option<f32>) {
        let most =
            held.iter().chain([&best_other]).flatten().fold(0.0_f32, |most, octaves| most.max(*octaves));
        for (now, held) in self.now.iter_mut().zip(held) {
            if held.is_none_or(|octaves| octaves < GIVE_BACK || octaves < most - NOT_BESIDE) {
                (*now, *held) = (None, None);
            }
        }
    }
}

/// Where one so far out may take the solo.
fn place_for(octaves: f32, held: [Option<f32>; 2]) -> Option<usize> {
    if octaves < TAKE {
        return None;
    }
    match held {
        [None, None] => Some(0),
        [Some(other), None] => (octaves >= other - BESIDE).then_some(1),
        [None, Some(other)] => (octaves >= other - BESIDE).then_some(0),
        [Some(a), Some(b)] => {
            let (weakest, least) = if b < a { (1, b) } else { (0, a) };
            (octaves >= least + REPLACE).then_some(weakest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lane, SignalId};

    fn lanes(deviation: f32) -> Lanes {
        let mut lanes = [Some(Lane::default()); SignalId::COUNT];
        lanes[SignalId::Rx.index()] = Some(Lane { level: 0.5, deviation, surprise: 0.0 });
        lanes
    }

    /// Who has the solo, by the names a, b, c, … of machines that stand out so far.
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
