//! Defines the clips to render and the seeds of a run. Both were fixed before any music was judged.

use crate::scenario::{LoadClass, LoadClip, UntrainedLoad};

/// Range of intensities for training and testing, as factors of the load's rates.
const INTENSITIES: (f64, f64) = (0.5, 2.0);
/// Intensities that are used only for testing, never for training.
const UNSEEN: [f64; 2] = [0.25, 4.0];
/// Sizes of the machines between the smallest and the biggest.
const BETWEEN: [f64; 4] = [2.0, 3.0, 4.0, 6.0];
/// Size of the biggest machine.
const BIG: f64 = 8.0;
/// Base of all seeds. Each seed is this number plus an offset.
const SEED: u64 = 0x006b_686f_7200;

/// How much work a run does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Number of clips per class on machines of size 1, and also on machines of the biggest size.
    pub at_ends: usize,
    /// Number of clips per class on medium-sized machines.
    pub between: usize,
    /// Number of ramps per signal. Each ramp has its own seed.
    pub ramps: u64,
    /// Number of clips for each pair of a class and an untrained intensity. Each untrained load
    /// gets twice this number of clips.
    pub untrained: usize,
    /// Length of the sound that is searched for clicks, minutes.
    pub stress_min: usize,
    /// Number of rounds in the search for cues. Each round plays every kind of cue while all loads
    /// run.
    pub cue_rounds: u64,
    /// Number of sites. Each site is judged once for each pair of load and section.
    pub sites: u64,
    /// Length of the drift test on an idle machine, hours. `None` skips the test.
    pub hours: Option<f64>,
}

impl Plan {
    /// The complete run, whose figures must pass the gates.
    pub const FULL: Self = Self {
        at_ends: 8,
        between: 4,
        ramps: 3,
        untrained: 2,
        stress_min: 10,
        cue_rounds: 20,
        sites: 3,
        hours: None,
    };
    /// A short run that gives a first impression.
    pub const QUICK: Self = Self {
        at_ends: 4,
        between: 2,
        ramps: 1,
        untrained: 1,
        stress_min: 1,
        cue_rounds: 2,
        sites: 2,
        hours: None,
    };

    /// The clips that are used for training and testing.
    pub fn clips(&self) -> Vec<LoadClip<LoadClass>> {
        let ends = [1.0, BIG].into_iter().flat_map(|size| vec![size; self.at_ends]);
        let sizes: Vec<f64> = ends.chain(BETWEEN.into_iter().cycle().take(self.between)).collect();
        let mut clips = Vec::new();
        for what in LoadClass::ALL {
            for (index, &size) in sizes.iter().enumerate() {
                let seed = SEED + 1000 * what.index() as u64 + index as u64;
                let (low, high): (f64, f64) = INTENSITIES;
                let intensity = low * (high / low).powf(fastrand::Rng::with_seed(seed).f64());
                clips.push(LoadClip { what, size, intensity, seed });
            }
        }
        clips
    }

    /// Clips of the trained loads at intensities that are never used for training.
    pub fn unseen(&self) -> Vec<LoadClip<LoadClass>> {
        let mut clips = Vec::new();
        for what in LoadClass::ALL.into_iter().filter(|class| *class != LoadClass::Idle) {
            for (at, intensity) in UNSEEN.into_iter().enumerate() {
                for index in 0..self.untrained {
                    let seed = SEED + 100_000 + 1000 * what.index() as u64 + (10 * at + index) as u64;
                    clips.push(LoadClip { what, size: [1.0, BIG][index % 2], intensity, seed });
                }
            }
        }
        clips
    }

    /// The clips of the untrained loads.
    pub fn untrained(&self) -> Vec<LoadClip<UntrainedLoad>> {
        let mut clips = Vec::new();
        for (at, what) in UntrainedLoad::ALL.into_iter().enumerate() {
            for index in 0..2 * self.untrained {
                let seed = SEED + 200_000 + 1000 * at as u64 + index as u64;
                clips.push(LoadClip { what, size: [1.0, BIG][index % 2], intensity: 1.0, seed });
            }
        }
        clips
    }

    /// Seeds of the ramps.
    pub fn ramp_seeds(&self) -> Vec<u64> {
        (0..self.ramps).map(|index| SEED + 300_000 + index).collect()
    }

    /// Seed of the simulated machines of the site with number `rack`. The music of clip n of this
    /// site uses this seed plus n.
    pub fn site_seed(&self, rack: u64) -> u64 {
        SEED + 500_000 + 1000 * rack
    }

    /// Returns seed number `of` for a measurement that renders its own sound. These seeds differ
    /// from those of the plan's clips, ramps and sites.
    pub fn seed(&self, of: u64) -> u64 {
        SEED + 400_000 + of
    }
}

impl<U> LoadClip<U> {
    /// Whether the machine has the smallest size.
    pub fn is_small(&self) -> bool {
        self.size <= 1.0
    }

    /// Whether the machine has the biggest size.
    pub fn is_big(&self) -> bool {
        self.size >= BIG
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_seed_is_used_twice() {
        for plan in [Plan::FULL, Plan::QUICK] {
            let mut seeds: Vec<u64> = plan.clips().iter().map(|clip| clip.seed).collect();
            seeds.extend(plan.unseen().iter().map(|clip| clip.seed));
            seeds.extend(plan.untrained().iter().map(|clip| clip.seed));
            seeds.extend(plan.ramp_seeds());
            assert_eq!(seeds.iter().collect::<BTreeSet<_>>().len(), seeds.len());
        }
    }

    #[test]
    fn unseen_clips_lie_outside_the_training() {
        let trained = Plan::FULL.clips();
        for clip in Plan::FULL.unseen() {
            assert!(
                trained.iter().all(|other| (other.intensity / clip.intensity).log2().abs() >= 1.0 - 1e-9)
            );
        }
        assert!(trained.iter().filter(|clip| clip.is_small()).count() >= 5 * LoadClass::ALL.len());
    }
}
