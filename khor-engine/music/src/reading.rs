//! The input of the layers: features, each smoothed at its own speed and quantised with hysteresis,
//! and the streams that stand out.

use khor_signal::{Lanes, SignalId};

use super::{
    feature::{Feature, Pace},
    mapping::{Input, Mapping, Route},
    quantise::Quantiser,
    stream::VoiceStream,
};

/// Number of ranks: half octaves of deviation, up to 12 octaves.
const RANKS: u8 = 24;
const OCTAVES_OF_RANKS: f32 = 12.0;
/// Steps of surprise.
const SURPRISE_STEPS: u8 = 4;
/// Time without any signal after which the source counts as lost, seconds.
const LOST_S: f32 = 3.0;
/// The same for a source that has not delivered any signal yet.
const NEVER_KNOWN_S: f32 = 10.0;

/// A feature that is mapped.
#[derive(Clone, Debug)]
struct FeatureState {
    route: Route,
    position: f32,
    quantiser: Quantiser,
}

impl FeatureState {
    /// How far it is from rest, quantised, 0..=1.
    fn quantised(&self) -> f32 {
        f32::from(self.quantiser.get()) / f32::from(self.route.steps())
    }
}

/// Smoothed and quantised view of the lanes, advanced once per step. Its values are stable: a tiny
/// change of an input changes no note.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    features: [Option<FeatureState>; Feature::COUNT],
    ranks: [Quantiser; SignalId::COUNT],
    surprises: [Quantiser; SignalId::COUNT],
    unknown_s: f32,
    ever_known: bool,
}

/// Moves `value` towards `target` with time constant `tau_s` over `elapsed_s`.
pub(super) fn approach(value: &mut f32, target: f32, tau_s: f32, elapsed_s: f32) {
    *value += (target - *value) * (1.0 - (-elapsed_s / tau_s.max(1e-3)).exp());
}

impl Reading {
    pub(super) fn new(mapping: &Mapping) -> Self {
        let mut reading = Self {
            features: [const { None }; Feature::COUNT],
            ranks: [const { Quantiser::new(RANKS) }; SignalId::COUNT],
            surprises: [const { Quantiser::new(SURPRISE_STEPS) }; SignalId::COUNT],
            unknown_s: 0.0,
            ever_known: false,
        };
        reading.remap(mapping);
        reading
    }

    /// Takes another mapping; features that go on keep their position.
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

    /// Takes the lanes of one step of `elapsed_s`. The voices read `solo`, if there is one, and
    /// everything else reads `lanes`. `smoothing` 0..=1 scales all time constants.
    pub(super) fn update(&mut self, lanes: &Lanes, solo: Option<&Lanes>, smoothing: f32, elapsed_s: f32) {
        let voiced = solo.unwrap_or(lanes);
        for state in self.features.iter_mut().flatten() {
            let is_voice = state.route.to.stream().is_some();
            let target = state.route.position(if is_voice { voiced } else { lanes });
            let rising = target > state.position;
            let tau_s = match (state.route.to.pace(), rising) {
                (Pace::Slow, true) => 3.0 + 4.0 * smoothing,
                (Pace::Slow, false) => 4.0 + 10.0 * smoothing,
                (Pace::Quick, true) => 0.02 + 0.4 * smoothing,
                (Pace::Quick, false) => 0.2 + 2.0 * smoothing,
            };
            approach(&mut state.position, target, tau_s, elapsed_s);
            state.quantiser.update(state.position);
        }
        for (i, lane) in voiced.iter().enumerate() {
            let lane = lane.unwrap_or_default();
            let finite = |x: f32| if x.is_finite() { x } else { 0.0 };
            self.ranks[i].update(finite(lane.deviation) / OCTAVES_OF_RANKS);
            self.surprises[i].update(finite(lane.surprise));
        }
        if lanes.iter().any(Option::is_some) {
            (self.unknown_s, self.ever_known) = (0.0, true);
        } else {
            self.unknown_s += elapsed_s;
        }
    }

    /// The source is lost: no signal is known. A source that was never known has more time to start.
    pub(super) fn is_lost(&self) -> bool {
        self.unknown_s >= if self.ever_known { LOST_S } else { NEVER_KNOWN_S }
    }

    /// A feature's value in its own unit; `None` where nothing moves it.
    pub(super) fn value(&self, feature: Feature) -> Option<f32> {
        let state = self.features[feature.index()].as_ref()?;
        Some(state.route.value(state.quantised()))
    }

    /// How far a feature is from rest, 0 (rest) ..=1.
    pub(super) fn position(&self, feature: Feature) -> f32 {
        self.features[feature.index()].as_ref().map_or(0.0, FeatureState::quantised)
    }

    /// A feature's value and how far it is from rest, 0..=1, by these lanes as they are now: in whole steps, but unsmoothed.
    pub(super) fn sample(&self, feature: Feature, lanes: &Lanes) -> Option<(f32, f32)> {
        let route = self.features[feature.index()].as_ref()?.route;
        let steps = f32::from(route.steps());
        let position = (route.position(lanes) * steps).round() / steps;
        Some((route.value(position), position))
    }

    /// How far the furthest of a voice's features is from rest, 0..=1.
    pub(super) fn activity(&self, stream: VoiceStream) -> f32 {
        let of_stream = |state: &&FeatureState| state.route.to.stream() == Some(stream);
        self.features.iter().flatten().filter(of_stream).map(FeatureState::quantised).fold(0.0, f32::max)
    }

    /// A feature's continuous value, for what glides anyway.
    pub(super) fn smooth_value(&self, feature: Feature) -> Option<f32> {
        let state = self.features[feature.index()].as_ref()?;
        Some(state.route.value(state.position))
    }

    /// How far a voice stands out, half octaves above its baseline, 0..=24: the highest of its signals.
    pub(super) fn rank(&self, stream: VoiceStream) -> u8 {
        self.signals_of(stream).map(|signal| self.ranks[signal.index()].get()).max().unwrap_or(0)
    }

    /// The signal that a voice represents: the one that stands out most. Of equal signals, the
    /// first in the mapping.
    pub(super) fn leader(&self, stream: VoiceStream) -> Option<SignalId> {
        self.signals_of(stream).reduce(|best, signal| {
            if self.ranks[signal.index()].get() > self.ranks[best.index()].get() { signal } else { best }
        })
    }

    /// Whether something unexpected happens to a voice's signals.
    pub(super) fn is_surprising(&self, stream: VoiceStream) -> bool {
        self.signals_of(stream).any(|signal| self.surprises[signal.index()].get() > 1)
    }

    /// What moves a feature, and how far, 0..=1.
    pub(super) fn feature_positions(&self) -> impl Iterator<Item = (Route, f32)> {
        self.features.iter().flatten().map(|state| (state.route, state.quantised()))
    }

    fn signals_of(&self, stream: VoiceStream) -> impl Iterator<Item = SignalId> {
        self.features.iter().flatten().filter_map(move |state| match state.route.input {
            Input::Signal(signal) if state.route.to.stream() == Some(stream) => Some(signal),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use khor_signal::Lane;

    use super::*;
    use crate::Preset;

    fn reading() -> Reading {
        Reading::new(&Preset::builtin()[0].mapping)
    }

    fn one(signal: SignalId, level: f32) -> Lanes {
        let mut lanes = [Some(Lane::default()); SignalId::COUNT];
        lanes[signal.index()] = Some(Lane { level, deviation: 8.0 * level, surprise: 0.0 });
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
        assert_eq!(reading.leader(VoiceStream::Receive), Some(SignalId::Rx));
        assert!(reading.rank(VoiceStream::Receive) > reading.rank(VoiceStream::Disk));
    }

    #[test]
    fn a_soloist_controls_only_the_voices() {
        let mut reading = reading();
        let idle = [Some(Lane::default()); SignalId::COUNT];
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
        let none = [None; SignalId::COUNT];
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
        reading.update(&[Some(bad); SignalId::COUNT], None, 0.5, 0.1);
        assert!(Feature::all().all(|feature| reading.value(feature).is_none_or(f32::is_finite)));
    }
}
