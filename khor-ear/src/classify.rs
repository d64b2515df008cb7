//! A fixed, simple classifier that uses the three nearest neighbours. Before distances are
//! computed, each feature is divided by its standard deviation within the classes.
//!
//! Each feature is divided by its deviation within the classes, not by its deviation over all
//! clips. Otherwise a useless feature would get the same weight as the best feature; the tests
//! below show the difference. The method was chosen with invented feature vectors, before any music
//! was judged. The classifier only guards against regressions. It notices differences that people
//! miss, and misses differences that people notice.

use crate::{features, scenario::LoadClass};

/// Number of nearest neighbours that vote on the class of a clip.
const NEIGHBOURS: usize = 3;
/// Number of parts (folds) of the cross-validation.
const FOLDS: usize = 5;
/// Lower limit of the deviation by which a feature is divided, in steps. Listeners cannot hear a
/// difference below one step, so a feature with a smaller deviation gets no additional weight.
const LEAST_DEVIATION: f64 = 1.0;

/// Features of a clip in whole steps, from [`features::SoundFeatures::rough`].
pub type Vector = [f64; features::COUNT];

/// A clip whose class is known, with `N` features.
#[derive(Clone, Copy, Debug)]
pub struct Labelled<L = LoadClass, const N: usize = { features::COUNT }> {
    /// Class of the clip.
    pub class: L,
    /// Features of the clip.
    pub vector: [f64; N],
}

/// Classifies clips by their nearest labelled clips.
pub struct Classifier<L = LoadClass, const N: usize = { features::COUNT }> {
    known: Vec<Labelled<L, N>>,
    /// Standard deviation of each feature within the classes, in steps.
    deviation: [f64; N],
}

impl<L: Copy + PartialEq, const N: usize> Classifier<L, N> {
    /// Creates a classifier from the labelled clips `known`. At least one clip is needed.
    pub fn new(known: Vec<Labelled<L, N>>) -> Self {
        let mut means: Vec<(L, [f64; N])> = Vec::new();
        for clip in &known {
            if means.iter().all(|(class, _)| *class != clip.class) {
                means.push((clip.class, mean(known.iter().filter(|other| other.class == clip.class))));
            }
        }
        let mean_of = |class: L| means.iter().find(|(theirs, _)| *theirs == class).map(|(_, mean)| mean);
        let mut squares = [0.0; N];
        for clip in &known {
            let mean = mean_of(clip.class).expect("every class has a mean");
            for (sum, (feature, mean)) in squares.iter_mut().zip(clip.vector.iter().zip(mean)) {
                *sum += (feature - mean).powi(2);
            }
        }
        let deviation = squares.map(|sum| (sum / known.len() as f64).sqrt().max(LEAST_DEVIATION));
        Self { known, deviation }
    }

    /// Classifies a clip by the most frequent class among its neighbours. If all neighbours have
    /// different classes, the nearest neighbour decides.
    pub fn classify(&self, vector: &[f64; N]) -> L {
        let distance = |clip: &Labelled<L, N>| {
            let apart = |i: usize| (vector[i] - clip.vector[i]) / self.deviation[i];
            (0..N).map(|i| apart(i).powi(2)).sum::<f64>()
        };
        let mut near: Vec<(f64, L)> = self.known.iter().map(|clip| (distance(clip), clip.class)).collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        near.truncate(NEIGHBOURS);
        let votes = |class| near.iter().filter(|(_, theirs)| *theirs == class).count();
        let twice = near.iter().find(|(_, class)| votes(*class) > 1);
        twice.unwrap_or(&near[0]).1
    }
}

fn mean<'a, L: 'a, const N: usize>(clips: impl Iterator<Item = &'a Labelled<L, N>>) -> [f64; N] {
    let (mut sum, mut count) = ([0.0; N], 0.0);
    for clip in clips {
        count += 1.0;
        for (sum, feature) in sum.iter_mut().zip(clip.vector) {
            *sum += feature;
        }
    }
    sum.map(|sum| sum / f64::max(count, 1.0))
}

/// A confusion matrix. Each row is an actual class, each column a predicted class, and each entry a
/// number of clips.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Confusion([[u32; LoadClass::ALL.len()]; LoadClass::ALL.len()]);

impl Confusion {
    /// Counts a clip of class `is` that was classified as `taken_for`.
    pub fn count(&mut self, is: LoadClass, taken_for: LoadClass) {
        self.0[is.index()][taken_for.index()] += 1;
    }

    /// Share of the clips that were classified correctly, 0..=1.
    pub fn accuracy(&self) -> f64 {
        let right: u32 = (0..LoadClass::ALL.len()).map(|i| self.0[i][i]).sum();
        let all: u32 = self.0.iter().flatten().sum();
        f64::from(right) / f64::from(all.max(1))
    }

    /// The class with the lowest share of correctly classified clips, and that share.
    pub fn worst(&self) -> (LoadClass, f64) {
        let share = |class: LoadClass| {
            let row = &self.0[class.index()];
            f64::from(row[class.index()]) / f64::from(row.iter().sum::<u32>().max(1))
        };
        let tested =
            LoadClass::ALL.into_iter().filter(|class| self.0[class.index()].iter().any(|count| *count > 0));
        let worst = tested.map(|class| (class, share(class))).min_by(|a, b| a.1.total_cmp(&b.1));
        worst.unwrap_or((LoadClass::Idle, 0.0))
    }

    /// Wrong classifications, most frequent first. Each entry has the actual class, the predicted
    /// class, and the share of the actual class's clips that were classified in this way.
    pub fn mistakes(&self) -> Vec<(LoadClass, LoadClass, f64)> {
        let mut found = Vec::new();
        for is in LoadClass::ALL {
            let all = self.0[is.index()].iter().sum::<u32>().max(1);
            for taken_for in LoadClass::ALL.into_iter().filter(|other| *other != is) {
                let count = self.0[is.index()][taken_for.index()];
                if count > 0 {
                    found.push((is, taken_for, f64::from(count) / f64::from(all)));
                }
            }
        }
        found.sort_by(|a, b| b.2.total_cmp(&a.2));
        found
    }
}

/// Runs a cross-validation: classifies the clips of each part with a classifier trained on the
/// other parts. Each part has about the same number of clips of each class.
pub fn cross_validate(clips: &[Labelled], seed: u64) -> Confusion {
    let fold_of = folds(clips, seed);
    let mut confusion = Confusion::default();
    for fold in 0..FOLDS {
        let of = |inside: bool| {
            let chosen = clips.iter().zip(&fold_of).filter(move |(_, theirs)| (**theirs == fold) == inside);
            chosen.map(|(clip, _)| *clip)
        };
        let known: Vec<Labelled> = of(false).collect();
        if known.is_empty() {
            continue;
        }
        let classifier = Classifier::new(known);
        for clip in of(true) {
            confusion.count(clip.class, classifier.classify(&clip.vector));
        }
    }
    confusion
}

/// Trains a classifier on the clips `train`, and tests it on the clips `test`.
pub fn transfer(train: &[Labelled], test: &[Labelled]) -> Confusion {
    let classifier = Classifier::new(train.to_vec());
    let mut confusion = Confusion::default();
    for clip in test {
        confusion.count(clip.class, classifier.classify(&clip.vector));
    }
    confusion
}

/// Assigns each clip to a part of the cross-validation. Returns the index of the part for each
/// clip.
fn folds(clips: &[Labelled], seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..clips.len()).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut order);
    let mut seen = [0; LoadClass::ALL.len()];
    let mut fold_of = vec![0; clips.len()];
    for index in order {
        let of_class = &mut seen[clips[index].class.index()];
        fold_of[index] = *of_class % FOLDS;
        *of_class += 1;
    }
    fold_of
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random clips of all classes. Only two features depend on the class. In one or both of them,
    /// the means of two classes are at least `apart` steps apart. Each feature has a deviation of
    /// about one step.
    fn clips(apart: f64, per_class: usize) -> Vec<Labelled> {
        let mut random = fastrand::Rng::with_seed(3);
        let mut clips = Vec::new();
        for class in LoadClass::ALL {
            for _ in 0..per_class {
                let mut vector: Vector = std::array::from_fn(|_| (4.0 * (random.f64() - 0.5)).round());
                vector[1] += apart * (class.index() % 4) as f64;
                vector[3] += apart * (class.index() / 4) as f64;
                clips.push(Labelled { class, vector });
            }
        }
        clips
    }

    #[test]
    fn distant_classes_are_always_recognised() {
        let confusion = cross_validate(&clips(20.0, 20), 1);
        assert_eq!((confusion.accuracy(), confusion.mistakes().len()), (1.0, 0));
    }

    #[test]
    fn identical_classes_are_recognised_by_chance() {
        let accuracy = cross_validate(&clips(0.0, 40), 1).accuracy();
        assert!((0.04..0.22).contains(&accuracy), "chance is 0.125: {accuracy}");
    }

    #[test]
    fn close_classes_are_recognised_partly() {
        let accuracy = cross_validate(&clips(3.0, 40), 1).accuracy();
        assert!((0.4..0.95).contains(&accuracy), "{accuracy}");
    }

    #[test]
    fn folds_are_even_in_every_class() {
        let clips = clips(1.0, 10);
        let folds = folds(&clips, 1);
        for class in LoadClass::ALL {
            for fold in 0..FOLDS {
                let both = |(clip, theirs): &(&Labelled, &usize)| clip.class == class && **theirs == fold;
                assert_eq!(clips.iter().zip(&folds).filter(both).count(), 2);
            }
        }
    }

    #[test]
    fn mistakes_count_per_class() {
        let mut confusion = Confusion::default();
        for (is, taken_for) in [
            (LoadClass::Disk, LoadClass::Disk),
            (LoadClass::Disk, LoadClass::Memory),
            (LoadClass::Idle, LoadClass::Idle),
        ] {
            confusion.count(is, taken_for);
        }
        assert_eq!(confusion.mistakes(), [(LoadClass::Disk, LoadClass::Memory, 0.5)]);
        assert_eq!(confusion.worst(), (LoadClass::Disk, 0.5));
        assert!((confusion.accuracy() - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_majority_of_three_decides() {
        let at = |class, x: f64| -> Labelled {
            Labelled { class, vector: std::array::from_fn(|i| if i == 0 { x } else { 0.0 }) }
        };
        let known = vec![
            at(LoadClass::Disk, 1.0),
            at(LoadClass::Lossy, 2.0),
            at(LoadClass::Lossy, 3.0),
            at(LoadClass::Idle, 99.0),
        ];
        assert_eq!(Classifier::new(known).classify(&at(LoadClass::Idle, 0.0).vector), LoadClass::Lossy);
    }
}
