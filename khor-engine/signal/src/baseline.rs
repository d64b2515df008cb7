//! Learns the baseline of each lane: robust quantiles that adapt slowly. Learning pauses during
//! incidents.
//!
//! Each lane's median and 99th percentile are estimated by stochastic approximation (Robbins &
//! Monro 1951). An estimate takes a step up if the new value is above the estimate, and a step down
//! if the value is below. The quantile determines the ratio of the two steps. A lane therefore
//! needs only two numbers and no history, and a large spike has no more effect than a small one.
//! The steps become smaller over time, down to two octaves per hour.
//!
//! While a lane is clearly above its usual band, it has an incident, and khor does not learn its
//! values. After half an hour, khor learns the values even though the incident continues.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Catalogue, LaneId, LaneInfo, PerLane, Scale, is_lane_name};

/// Learning time after which the baseline no longer depends on the prior, seconds.
const LEARNING_S: f64 = 600.0;
/// The quantile at the band's upper edge. Timers and agents of an idle host work in short bursts,
/// and the band must include these bursts.
const HIGH_QUANTILE: f64 = 0.99;
/// Minimum distance between the edges of the band, octaves. Without this minimum, every small event
/// would stand out on a host that is always idle.
const MIN_BAND_OCTAVES: f64 = 0.5;
/// Slowest speed of adaptation, octaves per second. It is two octaves per hour.
const SLOWEST_OCTAVES_PER_S: f64 = 2.0 / 3600.0;
/// Determines the initial speed of adaptation. The speed, in octaves per second, is this value
/// divided by the learning time so far plus 10 s.
const INITIAL_OCTAVES: f64 = 6.0;
/// An incident begins when the average of a lane over [`INCIDENT_TAU_S`] is this many octaves above
/// the lane's usual band.
const INCIDENT_OCTAVES: f64 = 1.0;
/// The value of [`INCIDENT_OCTAVES`] before khor has learned anything. Until then, the band comes
/// mostly from the prior, which describes a small idle host. So this threshold must be high:
/// otherwise, the usual load of a large host would count as an incident.
const INCIDENT_LEARNING_OCTAVES: f64 = 3.0;
const INCIDENT_TAU_S: f64 = 5.0;
/// Duration of an incident after which khor learns the lane's values even though the incident
/// continues, seconds.
const MAX_INCIDENT_S: f64 = 1800.0;
/// Longest learning time that a single interval adds, seconds. During a longer gap, the values are
/// unknown.
const MAX_STEP_S: f64 = 1.0;
/// Maximum number of baselines kept for lanes that are missing from the catalogue.
const MAX_WAITING: usize = 256;

/// The usual range of one lane, octaves above its grain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Band {
    /// Median of the lane's rate, in octaves above the lane's grain.
    pub(super) middle: f64,
    /// 99th percentile, at least half an octave above the median.
    pub(super) high: f64,
}

/// The learned baseline of one lane. khor saves it for the next start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearntBaseline {
    /// Median, octaves above the lane's grain.
    pub middle_octaves: f64,
    /// 99th percentile, octaves above the lane's grain.
    pub high_octaves: f64,
    /// Learning time so far, seconds.
    pub learnt_s: f64,
}

impl LearntBaseline {
    fn is_valid(&self) -> bool {
        let is_in_range = |x: f64| x.is_finite() && (0.0..64.0).contains(&x);
        is_in_range(self.middle_octaves)
            && is_in_range(self.high_octaves)
            && self.learnt_s.is_finite()
            && self.learnt_s >= 0.0
    }
}

/// Learns the baseline of one lane.
#[derive(Clone, Debug)]
struct Learner {
    name: Arc<str>,
    scale: Scale,
    learnt: Option<LearntBaseline>,
    /// Average of the lane's rate over [`INCIDENT_TAU_S`], octaves above the grain.
    average: f64,
    /// Duration of the current incident, seconds.
    incident_s: f64,
}

impl Learner {
    fn new(lane: &LaneInfo, learnt: Option<LearntBaseline>) -> Self {
        Self { name: Arc::clone(&lane.name), scale: lane.scale, learnt, average: 0.0, incident_s: 0.0 }
    }

    /// The host's own band. Until khor has learned enough, the band is a blend with the prior.
    fn band(&self) -> Band {
        let (prior_middle, prior_high) = self.scale.prior_octaves();
        let own = self.progress();
        let learnt = self.learnt.unwrap_or(LearntBaseline {
            middle_octaves: prior_middle,
            high_octaves: prior_high,
            learnt_s: 0.0,
        });
        let middle = prior_middle + own * (learnt.middle_octaves - prior_middle);
        let high = prior_high + own * (learnt.high_octaves - prior_high);
        Band { middle, high: high.max(middle + MIN_BAND_OCTAVES) }
    }

    /// Share of the band that comes from the host's own values, 0..=1. The remainder comes from the
    /// prior.
    fn progress(&self) -> f64 {
        self.learnt.map_or(0.0, |learnt| (learnt.learnt_s / LEARNING_S).min(1.0))
    }

    fn push(&mut self, x: f64, dt_s: f64, frozen: bool) {
        self.average += (x - self.average) * (1.0 - (-dt_s / INCIDENT_TAU_S).exp());
        let margin =
            INCIDENT_LEARNING_OCTAVES + self.progress() * (INCIDENT_OCTAVES - INCIDENT_LEARNING_OCTAVES);
        let incident = self.average > self.band().high + margin;
        self.incident_s = if incident { self.incident_s + dt_s } else { 0.0 };
        if frozen || (incident && self.incident_s < MAX_INCIDENT_S) {
            return;
        }
        let learnt =
            self.learnt.get_or_insert(LearntBaseline { middle_octaves: x, high_octaves: x, learnt_s: 0.0 });
        let step = (INITIAL_OCTAVES / (learnt.learnt_s + 10.0)).max(SLOWEST_OCTAVES_PER_S) * dt_s;
        let towards = |held: f64, quantile: f64| {
            let step = step * if x > held { quantile } else { quantile - 1.0 };
            // A step never overshoots the input `x`. If the input is constant, the estimate
            // therefore becomes exactly equal to the input.
            if step > 0.0 { (held + step).min(x) } else { (held + step).max(x) }
        };
        learnt.middle_octaves = towards(learnt.middle_octaves, 0.5);
        learnt.high_octaves = towards(learnt.high_octaves, HIGH_QUANTILE).max(learnt.middle_octaves);
        learnt.learnt_s += dt_s;
    }
}

/// The baselines of all lanes.
#[derive(Clone, Debug)]
pub(super) struct Baseline {
    /// One learner for each lane, in the order of the catalogue.
    learners: Vec<Learner>,
    /// Baselines of lanes that are not in the catalogue, by name. They are kept because the lanes
    /// may return.
    waiting: BTreeMap<String, LearntBaseline>,
    frozen: bool,
}

impl Baseline {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        let learners = catalogue.iter().map(|lane| Learner::new(lane, None)).collect();
        Self { learners, waiting: BTreeMap::new(), frozen: false }
    }

    /// Replaces the catalogue. A lane keeps its baseline if a lane of the previous catalogue has
    /// the same name and the same scale.
    pub(super) fn set_catalogue(&mut self, catalogue: &Catalogue) {
        let mut before = std::mem::take(&mut self.learners);
        for lane in catalogue.iter() {
            let known = before.iter().position(|learner| learner.name == lane.name);
            let known = known.map(|index| before.swap_remove(index));
            let learner = match known {
                Some(learner) if learner.scale == lane.scale => learner,
                // The scale has changed, which makes the octaves of the old baseline invalid. So
                // khor learns a new baseline.
                Some(_) => Learner::new(lane, None),
                None => Learner::new(lane, self.waiting.remove(&*lane.name)),
            };
            self.learners.push(learner);
        }
        let removed =
            before.into_iter().filter_map(|gone| Some((gone.name.as_ref().to_owned(), gone.learnt?)));
        let room = MAX_WAITING.saturating_sub(self.waiting.len());
        self.waiting.extend(removed.take(room));
    }

    /// Learns from the smoothed rates of one interval. The rates are in catalogue order, each in
    /// its lane's unit.
    pub(super) fn push(&mut self, rates: &PerLane<Option<f64>>, interval_s: f64) {
        let dt_s = interval_s.min(MAX_STEP_S);
        for (learner, rate) in self.learners.iter_mut().zip(rates.values()) {
            if let Some(rate) = rate.filter(|rate| rate.is_finite()) {
                learner.push(learner.scale.octaves(rate), dt_s, self.frozen);
            }
        }
    }

    /// The usual range of a lane; `None` if the lane is not in the catalogue.
    pub(super) fn band(&self, lane: LaneId) -> Option<Band> {
        self.learners.get(lane.index()).map(Learner::band)
    }

    /// The median as a rate in the lane's unit; `None` if the lane is not in the catalogue.
    pub(super) fn rate(&self, lane: LaneId) -> Option<f64> {
        let learner = self.learners.get(lane.index())?;
        Some(learner.scale.rate_at(learner.band().middle))
    }

    /// Progress of learning, 0..=1, as an average over the selected lanes. It is the share of a
    /// baseline that comes from the host's own values. `is_selected` is in catalogue order.
    pub(super) fn progress(&self, is_selected: impl Iterator<Item = bool>) -> f32 {
        let selected = self.learners.iter().zip(is_selected).filter(|(_, is_selected)| *is_selected);
        let (sum, count) =
            selected.fold((0.0, 0), |(sum, count), (lane, _)| (sum + lane.progress(), count + 1));
        (sum / f64::from(count.max(1))) as f32
    }

    /// Freezes or resumes learning.
    pub(super) fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen;
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// The learned baselines by name, including those of lanes that are not in the catalogue.
    pub(super) fn learnt(&self) -> BTreeMap<String, LearntBaseline> {
        let known =
            self.learners.iter().filter_map(|lane| Some((lane.name.as_ref().to_owned(), lane.learnt?)));
        self.waiting.clone().into_iter().chain(known).collect()
    }

    /// Replaces all baselines. Invalid ones are ignored. An empty map resets all baselines.
    /// Baselines of unknown lanes are kept until a lane with that name is added.
    pub(super) fn restore(&mut self, known: &BTreeMap<String, LearntBaseline>) {
        let mut valid: BTreeMap<String, LearntBaseline> = known
            .iter()
            .filter(|(name, learnt)| is_lane_name(name) && learnt.is_valid())
            .map(|(name, learnt)| (name.clone(), *learnt))
            .collect();
        for learner in &mut self.learners {
            let learnt = valid.remove(&*learner.name);
            *learner = Learner { learnt, average: 0.0, incident_s: 0.0, ..learner.clone() };
        }
        self.waiting = valid.into_iter().take(MAX_WAITING).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SignalId, test_lane};

    const RX: usize = SignalId::Rx.index();

    fn baseline() -> Baseline {
        Baseline::new(&Catalogue::kernel())
    }

    fn rx(rate: f64) -> PerLane<Option<f64>> {
        let mut rates = PerLane::NONE;
        rates[SignalId::Rx] = Some(rate);
        rates
    }

    fn band(baseline: &Baseline) -> Band {
        baseline.band(SignalId::Rx.into()).unwrap()
    }

    fn rate(baseline: &Baseline) -> f64 {
        baseline.rate(SignalId::Rx.into()).unwrap()
    }

    /// Pushes a rate ten times per simulated second, for `seconds`. `rate` computes each rate from
    /// the number of rates before it.
    fn live(baseline: &mut Baseline, seconds: u32, rate: impl Fn(u32) -> f64) {
        for i in 0..seconds * 10 {
            baseline.push(&rx(rate(i)), 0.1);
        }
    }

    /// A pseudo-random factor from 0.5 to 1.5, determined by `i`.
    fn jitter(i: u32) -> f64 {
        0.5 + f64::from(i.wrapping_mul(2_654_435_761) >> 8) / f64::from(1_u32 << 24)
    }

    #[test]
    fn the_baseline_is_learned_within_ten_minutes() {
        let mut baseline = baseline();
        live(&mut baseline, 600, |i| 150e3 * jitter(i));
        let (band, own) = (band(&baseline), rate(&baseline));
        assert!((own / 150e3).log2().abs() < 0.25, "{own}");
        assert!((band.high - SignalId::Rx.scale().octaves(218e3)).abs() < 0.3, "{band:?}");
        assert!(baseline.learners[RX].progress() > 0.99);
    }

    #[test]
    fn only_a_lasting_incident_moves_the_baseline() {
        let mut baseline = baseline();
        live(&mut baseline, 900, |i| 30e3 * jitter(i));
        let before = rate(&baseline);
        live(&mut baseline, 1700, |_| 20e6);
        assert!((rate(&baseline) / before).log2().abs() < 0.1);
        live(&mut baseline, 8 * 3600, |_| 20e6);
        assert!((rate(&baseline) / 20e6).log2().abs() < 0.5, "{}", rate(&baseline));
    }

    #[test]
    fn freeze_and_reset_control_the_baseline() {
        let mut baseline = baseline();
        live(&mut baseline, 600, |i| 100e3 * jitter(i));
        let learnt = baseline.learnt();
        baseline.freeze(true);
        live(&mut baseline, 600, |i| 20e3 * jitter(i));
        assert_eq!(baseline.learnt(), learnt);
        baseline.restore(&BTreeMap::new());
        assert_eq!(band(&baseline).middle, SignalId::Rx.scale().prior_octaves().0);
        baseline.restore(&learnt);
        assert_eq!(baseline.learnt(), learnt);
    }

    #[test]
    fn invalid_saved_baselines_are_not_restored() {
        let mut baseline = baseline();
        let invalid = LearntBaseline { middle_octaves: f64::NAN, high_octaves: 3.0, learnt_s: 9.0 };
        baseline
            .restore(&BTreeMap::from([("rx".to_owned(), invalid), ("no such signal".to_owned(), invalid)]));
        assert!(baseline.learnt().is_empty());
    }

    #[test]
    fn added_lanes_are_learned_by_name() {
        let mut catalogue = Catalogue::kernel();
        let queue = catalogue.add(test_lane("queue")).unwrap();
        let mut baseline = Baseline::new(&catalogue);
        let mut rates = PerLane::NONE;
        rates.set(queue, Some(16.0));
        (0..7000).for_each(|_| baseline.push(&rates, 0.1));
        let learnt = baseline.learnt();
        assert!((baseline.rate(queue).unwrap() / 16.0 - 1.0).abs() < 0.1);
        assert!(learnt.keys().eq(["queue"]));
        baseline.set_catalogue(&Catalogue::kernel());
        assert_eq!(
            (baseline.band(queue), baseline.learnt()),
            (None, learnt.clone()),
            "kept while the lane is missing"
        );
        let mut other = Catalogue::kernel();
        other.add(test_lane("first")).unwrap();
        let moved = other.add(test_lane("queue")).unwrap();
        baseline.set_catalogue(&other);
        assert!((baseline.rate(moved).unwrap() / 16.0 - 1.0).abs() < 0.1);
        let mut restarted = Baseline::new(&Catalogue::kernel());
        restarted.restore(&learnt);
        restarted.set_catalogue(&other);
        assert_eq!(restarted.band(moved), baseline.band(moved));
    }

    #[test]
    fn another_scale_resets_the_baseline() {
        let mut catalogue = Catalogue::kernel();
        let queue = catalogue.add(test_lane("queue")).unwrap();
        let mut baseline = Baseline::new(&catalogue);
        let mut rates = PerLane::NONE;
        rates.set(queue, Some(64.0));
        baseline.push(&rates, 0.1);
        let (mut other, lane) = (Catalogue::kernel(), test_lane("queue"));
        other.add(crate::LaneDefinition { scale: Scale { grain: 10.0, ..lane.scale }, ..lane }).unwrap();
        baseline.set_catalogue(&other);
        assert!(baseline.learnt().is_empty());
    }

    #[test]
    fn the_baseline_ignores_the_sample_interval() {
        let run = |interval_s: f64| {
            let mut baseline = baseline();
            for i in 0..(700.0 / interval_s) as u32 {
                baseline.push(&rx(60e3 * jitter(i)), interval_s);
            }
            rate(&baseline)
        };
        assert!((run(0.02) / run(0.2)).log2().abs() < 0.2, "{} and {}", run(0.02), run(0.2));
    }
}
