//! The mapping: which signal controls which feature of the music, how far and in which direction.
//! It is data, read from files. The checks keep it understandable (design §7, docs/ear.md).

use khor_signal::{Lane, Lanes, SIGNALS, SignalId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    feature::Feature,
    problem::{Problem, Problems},
};

/// Steps a feature must at least cover to say anything.
const MIN_STEPS: f32 = 8.0;
/// Most lines of a mapping. Each feature has at most one line, and there are fewer features.
pub(super) const MAX_ROUTES: u32 = 64;
/// How much of the remaining silence one signal at full level takes away from `work`.
const WORK_WEIGHT: f32 = 0.75;
/// Signals that count as work. Switches and interrupts are left out: they follow everything else.
const WORK: [SignalId; 11] = {
    use SignalId::{Cpu, Exec, Fault, Fork, Io, Local, Mem, Retx, Rx, Stall, Tx};
    [Exec, Fork, Rx, Tx, Retx, Io, Stall, Mem, Fault, Cpu, Local]
};

/// The input of a route: one signal, or the sum of all work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A signal.
    Signal(SignalId),
    /// All work together: 1 - Π(1 - 0.75 level).
    Work,
}

/// Which of a signal's three numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Of")]
#[expect(missing_docs, reason = "the names are those of signal::Lane, documented there")]
pub enum LaneValue {
    #[default]
    Level,
    Deviation,
    Surprise,
}

/// Shape of the way from input to feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Curve {
    /// Even.
    #[default]
    Linear,
    /// Slow at first.
    Square,
    /// Quick at first.
    Root,
}

/// Whether more of the signal is more of the feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Polarity {
    /// More is more.
    #[default]
    Up,
    /// More is less.
    Down,
}

/// One line of the contract.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Route {
    /// The signal or sum that the route reads.
    pub input: Input,
    /// The value of the signal that the route reads.
    pub of: LaneValue,
    /// Input values between which the feature moves, in the number's own unit.
    pub from: (f32, f32),
    /// The feature that the route moves.
    pub to: Feature,
    /// Curve from the input to the feature.
    pub curve: Curve,
    /// The feature's lowest and highest value, in its own unit.
    pub range: (f32, f32),
    /// In which direction.
    pub polarity: Polarity,
}

/// A line of the mapping as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Route")]
pub(super) struct RouteText {
    /// A signal, or `work`.
    signal: String,
    /// The value of the signal that the route reads; default `level`.
    #[serde(default)]
    of: LaneValue,
    /// Input values between which the feature moves; the usual ones where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<(f32, f32)>,
    /// The feature.
    to: String,
    /// Curve from the input to the feature; default `linear`.
    #[serde(default)]
    curve: Curve,
    /// The feature's lowest and highest value, in its own unit.
    range: (f32, f32),
    /// Direction of the feature; default `up`.
    #[serde(default)]
    polarity: Polarity,
}

impl From<&Route> for RouteText {
    fn from(route: &Route) -> Self {
        let Route { input, of, from, to, curve, range, polarity } = *route;
        Self { signal: input.name().into(), of, from: Some(from), to: to.name(), curve, range, polarity }
    }
}

/// The whole contract: at most one route to each feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    routes: Vec<Route>,
}

impl Route {
    /// The position of the feature within its range that these lanes give, 0..=1, before the
    /// polarity is applied. A missing signal counts as 0.
    pub(super) fn position(&self, lanes: &Lanes) -> f32 {
        let value = match self.input {
            Input::Work => work(lanes),
            Input::Signal(signal) => lanes[signal].map_or(0.0, |lane| self.number(lane)),
        };
        let (low, high) = self.from;
        let position = ((value - low) / (high - low)).clamp(0.0, 1.0);
        let position = if position.is_finite() { position } else { 0.0 };
        match self.curve {
            Curve::Linear => position,
            Curve::Square => position * position,
            Curve::Root => position.sqrt(),
        }
    }

    fn number(&self, lane: Lane) -> f32 {
        match self.of {
            LaneValue::Level => lane.level,
            LaneValue::Deviation => lane.deviation,
            LaneValue::Surprise => lane.surprise,
        }
    }

    /// The feature's value at a position 0..=1.
    pub(super) fn value(&self, position: f32) -> f32 {
        let (low, high) = self.range;
        match self.polarity {
            Polarity::Up => low + position * (high - low),
            Polarity::Down => high - position * (high - low),
        }
    }

    /// Audible steps the range covers.
    pub fn steps(&self) -> u8 {
        ((self.range.1 - self.range.0) / self.to.audible_step()).round().clamp(1.0, 64.0) as u8
    }
}

/// All work together, 0..=1.
fn work(lanes: &Lanes) -> f32 {
    let level = |id: &SignalId| lanes[*id].map_or(0.0, |lane| lane.level);
    let level = |id| Some(level(id)).filter(|l: &f32| l.is_finite()).map_or(0.0, |l| l.clamp(0.0, 1.0));
    1.0 - WORK.iter().map(|id| 1.0 - WORK_WEIGHT * level(id)).product::<f32>()
}

impl Mapping {
    /// Checks lines against the rules.
    pub(super) fn check(lines: &[RouteText]) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        if lines.len() > MAX_ROUTES as usize {
            found.require(false, "map", &format!("{MAX_ROUTES} lines"));
            return found.into_result(Self { routes: Vec::new() });
        }
        // With their places, which are the lines' as long as every line makes sense.
        let mut routes: Vec<(usize, Route)> = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            match parse_route(line) {
                Ok(route) => routes.push((index, route)),
                Err((field, problem)) => found.add(format!("map[{index}].{field}"), problem),
            }
        }
        for (place, (index, route)) in routes.iter().enumerate() {
            if let Some((_, other)) = routes[..place].iter().find(|(_, other)| other.to == route.to) {
                let (to, first, second) = (route.to.name(), other.input.name(), route.input.name());
                let problem = format!(
                    "{to} is moved by {first} already: no two signals on one feature, {second} needs another"
                );
                found.add(format!("map[{index}].to"), problem);
            }
            let carried = |(_, other): &(_, Route)| other.input == route.input && other.to.carries_alone();
            // An invalid line might carry the signal, so this check needs all lines to be valid.
            if routes.len() == lines.len() && !routes.iter().any(carried) {
                let problem = format!(
                    "{} is carried by {} alone: reverb, delay and resonance are not heard well enough for that",
                    route.input.name(),
                    route.to.name()
                );
                found.add(format!("map[{index}].to"), problem);
            }
        }
        found.into_result(Self { routes: routes.into_iter().map(|(_, route)| route).collect() })
    }

    /// The mapping without the routes to a voice.
    #[cfg(test)]
    pub(super) fn without(&self, stream: super::stream::VoiceStream) -> Self {
        let others = self.routes.iter().filter(|route| route.to.stream() != Some(stream));
        Self { routes: others.copied().collect() }
    }

    /// All routes, in the order of the file.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }
}

impl Input {
    /// Name in mappings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signal(signal) => signal.info().name,
            Self::Work => "work",
        }
    }
}

/// One line, by the rules that concern it alone; or which field breaks one, and how.
fn parse_route(text: &RouteText) -> Result<Route, (&'static str, String)> {
    let RouteText { signal, of, from, to, curve, range, polarity } = text;
    let input = if signal == "work" {
        Input::Work
    } else {
        let found = SIGNALS.iter().find(|info| info.name == signal);
        let known = || SIGNALS.iter().map(|info| info.name).collect::<Vec<_>>().join(", ");
        Input::Signal(
            found
                .ok_or_else(|| {
                    ("signal", format!("there is no signal {signal}, expected one of {}, work", known()))
                })?
                .id,
        )
    };
    let feature = Feature::from_name(to).ok_or_else(|| {
        let known = Feature::all().map(Feature::name).collect::<Vec<_>>().join(", ");
        ("to", format!("there is no feature {to}, expected one of {known}"))
    })?;
    if matches!(input, Input::Signal(SignalId::Csw | SignalId::Irq)) && *of != LaneValue::Deviation {
        let problem = format!("{signal} is high on any machine: only its deviation says something");
        return Err(("of", problem));
    }
    if input == Input::Work && *of != LaneValue::Level {
        return Err(("of", "work has a level only".into()));
    }
    let from = from.unwrap_or(match of {
        LaneValue::Level | LaneValue::Surprise => (0.0, 1.0),
        LaneValue::Deviation => (1.0, 6.0),
    });
    if !(from.0.is_finite() && from.1.is_finite() && from.0 < from.1) {
        let problem = format!(
            "[{}, {}] is no range of the input, expected two numbers, the lower first",
            from.0, from.1
        );
        return Err(("from", problem));
    }
    let ((low, high), step) = (feature.bounds(), feature.audible_step());
    if !(range.0 >= low && range.1 <= high && range.0 < range.1) {
        let unit = feature.unit();
        let problem = format!("the range of {to} must be within [{low}, {high}] {unit}, the lower first");
        return Err(("range", problem));
    }
    let steps = (range.1 - range.0) / step;
    if steps < MIN_STEPS {
        let problem = format!(
            "the range of {to} has {steps:.1} audible steps, expected at least {MIN_STEPS} (of {step} {})",
            feature.unit()
        );
        return Err(("range", problem));
    }
    Ok(Route { input, of: *of, from, to: feature, curve: *curve, range: *range, polarity: *polarity })
}
