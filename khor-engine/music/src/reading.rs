//! Computes the input of the layers from the lanes. The input consists of features and of the ranks
//! of the voice streams. Each feature is smoothed at its own speed and quantised with hysteresis.

use std::sync::Arc;

use khor_signal::{LaneId, Lanes, PerLane};

use super::{
    feature::{Feature, Pace},
    lane_rank::LaneRank,
    mapping::{Input, Mapping, Route},
    quantise::Quantiser,
    stream::VoiceStream,
};

/// Number of quantiser steps for the activity of a voice's added lanes.
const ADDED_STEPS: u8 = 16;
/// Number of onsets per bar of a voice whose added lanes are fully active. It applies only if no
/// row of the mapping controls the voice's density.
const UNMAPPED_ONSETS: f32 = 8.0;
/// If no lane is available for this number of seconds, the source counts as lost.
const LOST_S: f32 = 3.0;
/// If the source delivers no lane within this number of seconds after the start, it counts as lost.
const NEVER_KNOWN_S: f32 = 10.0;

/// The state of a mapped feature.
#[derive(Clone, Debug)]
struct FeatureState {
    route: Route,
    position: f32,
    quantiser: Quantiser,
}

impl FeatureState {
    /// How far the feature has moved from its resting value, 0..=1, after quantisation.
    fn quantised(&self) -> f32 {
        f32::from(self.quantiser.get()) / f32::from(self.route.steps())
    }
}

/// Activity of a voice's added lanes. It is the highest level of these lanes, smoothed and
/// quantised.
#[derive(Clone, Debug)]
struct AddedActivity {
    position: f32,
    quantiser: Quantiser,
}

impl AddedActivity {
    const IDLE: Self = Self { position: 0.0, quantiser: Quantiser::new(ADDED_STEPS) };

    /// Quantised activity, 0..=1.
    fn quantised(&self) -> f32 {
        f32::from(self.quantiser.get()) / f32::from(ADDED_STEPS)
    }
}

/// The values of all features, and the ranks of all lanes. They are smoothed, quantised and updated
/// once per step, so a tiny change of an input changes no note.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    features: [Option<FeatureState>; Feature::COUNT],
    ranks: PerLane<LaneRank>,
    /// The voice that plays each added lane, in catalogue order.
    added_voices: Arc<[VoiceStream]>,
    added_activity: [AddedActivity; VoiceStream::ALL.len()],
    unknown_s: f32,
    ever_known: bool,
}

/// Moves `value` towards `target`. `tau_s` is the time constant, and `elapsed_s` is the time since
/// the last call.
pub(super) fn approach(value: &mut f32, target: f32, tau_s: f32, elapsed_s: f32) {
    *value += (target - *value) * (1.0 - (-elapsed_s / tau_s.max(1e-3)).exp());
}

/// Time constant of a feature, seconds. `smoothing` is 0..=1.
fn tau_s(pace: Pace, rising: bool, smoothing: f32) -> f32 {
    match (pace, rising) {
        (Pace::Slow, true) => 3.0 + 4.0 * smoothing,
        (Pace::Slow, false) => 4.0 + 10.0 * smoothing,
        (Pace::Quick, true) => 0.02 + 0.4 * smoothing,
        (Pace::Quick, false) => 0.2 + 2.0 * smoothing,
    }
}

impl Reading {
    pub(super) fn new(mapping: &Mapping) -> Self {
        let mut reading = Self {
            features: [const { None }; Feature::COUNT],
            ranks: PerLane::default(),
            added_voices: Arc::default(),
            added_activity: [const { AddedActivity::IDLE }; VoiceStream::ALL.len()],
            unknown_s: 0.0,
            ever_known: false,
        };
        reading.remap(mapping);
        reading
    }

    /// Replaces the mapping. Features that are in both mappings keep their position.
    pub(super) fn remap(&mut self, mapping: &Mapping) {
        let mut before = std::mem::replace(&mut self.features, [const { None }; Feature::COUNT]);
        for route in mapping.routes() {
            let i = route.to.index();
            let position = before[i].take().map_or(0.0, |state| state.position);
            let mut quantiser = Quantiser::new(route.steps());
            quantiser.update(position);
            self.features[i] = Some(FeatureState { route: *route, position, quantiser });
        }
    }

    /// Sets the voice that plays each added lane. If `keeps_ids` is set, the previous lanes keep
    /// their ids and their ranks.
    pub(super) fn set_added(&mut self, voices: Arc<[VoiceStream]>, keeps_ids: bool) {
        if !keeps_ids {
            self.ranks.added.clear();
        }
        self.ranks.added.resize(voices.len());
        self.added_voices = voices;
    }

    /// Updates all features and ranks from the lanes of one step. The step lasts `elapsed_s`. If
    /// `solo` is given, the voices use the lanes in `solo` instead of `lanes`. Higher `smoothing`,
    /// 0..=1, lengthens all time constants.
    pub(super) fn update(&mut self, lanes: &Lanes, solo: Option<&Lanes>, smoothing: f32, elapsed_s: f32) {
        let voiced = solo.unwrap_or(lanes);
        for state in self.features.iter_mut().flatten() {
            let is_voice = state.route.to.stream().is_some();
            let target = state.route.position(if is_voice { voiced } else { lanes });
            let tau_s = tau_s(state.route.to.pace(), target > state.position, smoothing);
            approach(&mut state.position, target, tau_s, elapsed_s);
            state.quantiser.update(state.position);
        }
        self.update_ranks(voiced);
        self.update_added(voiced, smoothing, elapsed_s);
        if lanes.values().any(Option::is_some) {
            (self.unknown_s, self.ever_known) = (0.0, true);
        } else {
            self.unknown_s += elapsed_s;
        }
    }

    fn update_ranks(&mut self, lanes: &Lanes) {
        for (rank, lane) in self.ranks.kernel.iter_mut().zip(lanes.kernel) {
            rank.update(lane);
        }
        let added = lanes.added.values().copied().chain(std::iter::repeat(None));
        for (rank, lane) in self.ranks.added.values_mut().zip(added) {
            rank.update(lane);
        }
    }

    /// Updates the activity of each voice's added lanes.
    fn update_added(&mut self, lanes: &Lanes, smoothing: f32, elapsed_s: f32) {
        let mut targets = [0.0_f32; VoiceStream::ALL.len()];
        for (lane, voice) in lanes.added.values().zip(&*self.added_voices) {
            let level = lane.map_or(0.0, |lane| lane.level);
            let target = &mut targets[voice.index()];
            *target = target.max(if level.is_finite() { level.clamp(0.0, 1.0) } else { 0.0 });
        }
        for (activity, target) in self.added_activity.iter_mut().zip(targets) {
            let tau_s = tau_s(Pace::Quick, target > activity.position, smoothing);
            approach(&mut activity.position, target, tau_s, elapsed_s);
            activity.quantiser.update(activity.position);
        }
    }

    /// Whether the source is lost, which means that no lane was available for [`LOST_S`]. If no
    /// lane was ever available, the limit is [`NEVER_KNOWN_S`] instead.
    pub(super) fn is_lost(&self) -> bool {
        self.unknown_s >= if self.ever_known { LOST_S } else { NEVER_KNOWN_S }
    }

    /// The value of a feature in its unit; `None` if nothing controls the feature.
    pub(super) fn value(&self, feature: Feature) -> Option<f32> {
        let added = self.added_position(feature);
        match &self.features[feature.index()] {
            Some(state) => Some(state.route.value(state.quantised().max(added))),
            None => (added > 0.0).then_some(UNMAPPED_ONSETS * added),
        }
    }

    /// How far a feature has moved from its resting value, 0..=1.
    pub(super) fn position(&self, feature: Feature) -> f32 {
        let mapped = self.features[feature.index()].as_ref().map_or(0.0, FeatureState::quantised);
        mapped.max(self.added_position(feature))
    }

    /// How far added lanes move a feature from its resting value, 0..=1. Added lanes only move the
    /// density of their voices.
    fn added_position(&self, feature: Feature) -> f32 {
        match feature {
            Feature::Density(stream) => self.added_activity[stream.index()].quantised(),
            _ => 0.0,
        }
    }

    /// Computes a feature from the given lanes, without smoothing. Returns its quantised value in
    /// the feature's unit, and how far this value is from the resting value, 0..=1.
    pub(super) fn sample(&self, feature: Feature, lanes: &Lanes) -> Option<(f32, f32)> {
        let route = self.features[feature.index()].as_ref()?.route;
        let steps = f32::from(route.steps());
        let position = (route.position(lanes) * steps).round() / steps;
        Some((route.value(position), position))
    }

    /// How far the features of a voice have moved from their resting values, 0..=1. The result is
    /// the position of the feature that has moved most.
    pub(super) fn activity(&self, stream: VoiceStream) -> f32 {
        let of_stream = |state: &&FeatureState| state.route.to.stream() == Some(stream);
        let added = self.added_position(Feature::Density(stream));
        self.features.iter().flatten().filter(of_stream).map(FeatureState::quantised).fold(added, f32::max)
    }

    /// A feature's value before quantisation, for continuous parameters.
    pub(super) fn smooth_value(&self, feature: Feature) -> Option<f32> {
        let state = self.features[feature.index()].as_ref()?;
        Some(state.route.value(state.position))
    }

    /// The rank of a voice, 0..=24. It is the highest rank of the voice's lanes, in half octaves
    /// above the baseline.
    pub(super) fn rank(&self, stream: VoiceStream) -> u8 {
        self.lanes_of(stream).map(|lane| self.lane_rank(lane)).max().unwrap_or(0)
    }

    /// The lane that a voice represents, which is the voice's lane with the highest rank. Among
    /// lanes of equal rank, the first one in the mapping is used. Added lanes come last.
    pub(super) fn leader(&self, stream: VoiceStream) -> Option<LaneId> {
        self.lanes_of(stream)
            .reduce(|best, lane| if self.lane_rank(lane) > self.lane_rank(best) { lane } else { best })
    }

    /// Whether any lane of the voice is changing unexpectedly.
    pub(super) fn is_surprising(&self, stream: VoiceStream) -> bool {
        self.lanes_of(stream).any(|lane| self.ranks.get(lane).is_some_and(LaneRank::is_surprising))
    }

    fn lane_rank(&self, lane: LaneId) -> u8 {
        self.ranks.get(lane).map_or(0, LaneRank::rank)
    }

    /// All routes of the mapping. The number after each route is how far its feature has moved from
    /// its resting value, 0..=1, after quantisation.
    pub(super) fn feature_positions(&self) -> impl Iterator<Item = (Route, f32)> {
        self.features.iter().flatten().map(|state| (state.route, state.quantised()))
    }

    /// The lanes that a voice plays. Lanes from the mapping come first, followed by added lanes.
    fn lanes_of(&self, stream: VoiceStream) -> impl Iterator<Item = LaneId> {
        let mapped = self.features.iter().flatten().filter_map(move |state| match state.route.input {
            Input::Signal(signal) if state.route.to.stream() == Some(stream) => Some(signal.into()),
            _ => None,
        });
        let added = self.added_voices.iter().enumerate().filter(move |(_, voice)| **voice == stream);
        mapped.chain(added.filter_map(|(index, _)| LaneId::of_added(index)))
    }
}

#[cfg(test)]
mod tests {
    use khor_signal::{Lane, SignalId};

    use super::*;
    use crate::Preset;

    fn reading() -> Reading {
        Reading::new(&Preset::builtin()[0].mapping)
    }

    fn one(signal: SignalId, level: f32) -> Lanes {
        let mut lanes: Lanes = [Some(Lane::default()); SignalId::COUNT].into();
        lanes[signal] = Some(Lane { level, deviation: 8.0 * level, surprise: 0.0 });
        lanes
    }

    #[test]
    fn a_signal_moves_its_voice_and_pulse() {
        let mut reading = reading();
        for _ in 0..200 {
            reading.update(&one(SignalId::Rx, 0.8), None, 0.5, 0.1);
        }
        let density = |stream| reading.position(Feature::Density(stream));
        assert!(density(VoiceStream::Receive) > 0.6 && density(VoiceStream::Send) == 0.0);
        assert!(reading.position(Feature::PulseDensity) > 0.3);
        assert_eq!(reading.leader(VoiceStream::Receive), Some(SignalId::Rx.into()));
        assert!(reading.rank(VoiceStream::Receive) > reading.rank(VoiceStream::Disk));
    }

    #[test]
    fn a_soloist_controls_only_the_voices() {
        let mut reading = reading();
        let idle = [Some(Lane::default()); SignalId::COUNT].into();
        for _ in 0..200 {
            reading.update(&idle, Some(&one(SignalId::Rx, 0.8)), 0.5, 0.1);
        }
        assert!(reading.position(Feature::Density(VoiceStream::Receive)) > 0.6);
        assert!(reading.rank(VoiceStream::Receive) > 0);
        assert_eq!(reading.position(Feature::PulseDensity), 0.0);
    }

    #[test]
    fn tension_is_slower_than_voice_density() {
        let (mut mood, mut work) = (reading(), reading());
        for _ in 0..10 {
            mood.update(&one(SignalId::Mem, 1.0), None, 0.5, 0.1);
            work.update(&one(SignalId::Rx, 1.0), None, 0.5, 0.1);
        }
        let (tension, density) =
            (mood.position(Feature::BedTension), work.position(Feature::Density(VoiceStream::Receive)));
        assert!(tension < 0.4 && density > 0.8, "{tension} {density}");
    }

    #[test]
    fn a_source_without_signals_becomes_lost() {
        let mut reading = reading();
        let none = Lanes::NONE;
        for _ in 0..39 {
            reading.update(&none, None, 0.5, 0.25);
        }
        assert!(!reading.is_lost());
        reading.update(&none, None, 0.5, 0.25);
        assert!(reading.is_lost());
        reading.update(&one(SignalId::Rx, 0.0), None, 0.5, 0.1);
        for _ in 0..29 {
            reading.update(&none, None, 0.5, 0.1);
        }
        assert!(!reading.is_lost());
        reading.update(&none, None, 0.5, 0.2);
        assert!(reading.is_lost());
    }

    #[test]
    fn non_finite_levels_give_finite_features() {
        let mut reading = reading();
        let bad = Lane { level: f32::NAN, deviation: f32::INFINITY, surprise: f32::NAN };
        let mut lanes: Lanes = [Some(bad); SignalId::COUNT].into();
        lanes.set(LaneId::of_added(0).unwrap(), Some(bad));
        reading.set_added(Arc::new([VoiceStream::Send]), true);
        reading.update(&lanes, None, 0.5, 0.1);
        assert!(Feature::all().all(|feature| reading.value(feature).is_none_or(f32::is_finite)));
    }
}
