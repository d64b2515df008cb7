//! Defines the mapping: which signal controls which feature of the music, over which range, and in
//! which direction. Mappings are read from files. Checks ensure that listeners can understand a
//! mapping (design §7, docs/ear.md).

use khor_signal::{Lane, Lanes, SIGNALS, SignalId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    feature::Feature,
    problem::{Problem, Problems},
};

/// The range of a feature must contain at least this number of audible steps.
const MIN_STEPS: f32 = 8.0;
/// Maximum number of rows in a mapping. A valid mapping is shorter, because each feature has at
/// most one row, and the number of features is below this limit.
pub(super) const MAX_ROUTES: u32 = 64;
/// Weight of each signal in total work, which is 1 - Π(1 - weight · level).
const WORK_WEIGHT: f32 = 0.75;
/// Signals that count as work. Switches and interrupts are excluded, because all other work causes
/// them.
const WORK: [SignalId; 11] = {
    use SignalId::{Cpu, Exec, Fault, Fork, Io, Local, Mem, Retx, Rx, Stall, Tx};
    [Exec, Fork, Rx, Tx, Retx, Io, Stall, Mem, Fault, Cpu, Local]
};

/// The input of a route: a signal, or total work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// One kernel signal.
    Signal(SignalId),
    /// Total work, 0..=1. It combines the levels of all signals that count as work.
    Work,
}

/// Selects one of the three values of a signal: level, deviation or surprise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Of")]
#[expect(missing_docs, reason = "`khor_signal::Lane` documents these names")]
pub enum LaneValue {
    #[default]
    Level,
    Deviation,
    Surprise,
}

/// The shape of the curve from the input to the feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Curve {
    /// The feature moves in proportion to the input.
    #[default]
    Linear,
    /// The feature moves slowly at low inputs and fast at high inputs.
    Square,
    /// The feature moves fast at low inputs and slowly at high inputs.
    Root,
}

/// Direction in which the feature moves when the signal grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Polarity {
    /// The feature grows with the signal.
    #[default]
    Up,
    /// The feature shrinks when the signal grows.
    Down,
}

/// One row of the mapping: an input, and the feature that it controls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Route {
    /// The input: a signal, or total work.
    pub input: Input,
    /// Which value of the signal controls the feature.
    pub of: LaneValue,
    /// Input values for the ends of the feature's range. Inputs outside of these values do not move
    /// the feature further.
    pub from: (f32, f32),
    /// The feature that the route controls.
    pub to: Feature,
    /// The shape of the curve from the input to the feature.
    pub curve: Curve,
    /// Lowest and highest value of the feature, in the feature's unit.
    pub range: (f32, f32),
    /// Direction in which the feature moves when the input grows.
    pub polarity: Polarity,
}

/// A row of the mapping as it is written in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Route")]
pub(super) struct RouteText {
    /// Name of a signal, or `work` for total work.
    signal: String,
    /// Which value of the signal controls the feature: level, deviation or surprise. The default is
    /// `level`.
    #[serde(default)]
    of: LaneValue,
    /// Input values between which the feature moves. The default is 0 to 1, or 1 to 6 octaves if
    /// the input is a deviation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<(f32, f32)>,
    /// Name of the feature that the row controls.
    to: String,
    /// The shape of the curve from the input to the feature; default `linear`.
    #[serde(default)]
    curve: Curve,
    /// Lowest and highest value of the feature, in the feature's unit.
    range: (f32, f32),
    /// Direction in which the feature moves when the input grows; default `up`.
    #[serde(default)]
    polarity: Polarity,
}

impl From<&Route> for RouteText {
    fn from(route: &Route) -> Self {
        let Route { input, of, from, to, curve, range, polarity } = *route;
        Self { signal: input.name().into(), of, from: Some(from), to: to.name(), curve, range, polarity }
    }
}

/// The complete mapping. Each feature has at most one route.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    routes: Vec<Route>,
}

impl Route {
    /// The feature's position within its range, 0..=1, before the polarity is applied. A missing
    /// signal counts as 0.
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

    /// The feature's value for a position of 0..=1.
    pub(super) fn value(&self, position: f32) -> f32 {
        let (low, high) = self.range;
        match self.polarity {
            Polarity::Up => low + position * (high - low),
            Polarity::Down => high - position * (high - low),
        }
    }

    /// Number of audible steps in the feature's range.
    pub fn steps(&self) -> u8 {
        ((self.range.1 - self.range.0) / self.to.audible_step()).round().clamp(1.0, 64.0) as u8
    }
}

/// Computes the total work of the host, 0..=1.
fn work(lanes: &Lanes) -> f32 {
    let level = |id: &SignalId| lanes[*id].map_or(0.0, |lane| lane.level);
    let level = |id| Some(level(id)).filter(|l: &f32| l.is_finite()).map_or(0.0, |l| l.clamp(0.0, 1.0));
    1.0 - WORK.iter().map(|id| 1.0 - WORK_WEIGHT * level(id)).product::<f32>()
}

impl Mapping {
    /// Reads the rows of a mapping, and checks that they follow the rules.
    pub(super) fn check(lines: &[RouteText]) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        if lines.len() > MAX_ROUTES as usize {
            found.require(false, "map", &format!("a list of at most {MAX_ROUTES} rows"));
            return found.into_result(Self { routes: Vec::new() });
        }
        // The valid routes, each with the index of its row.
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
                    "{first} already controls {to}; a feature can have only one signal, so choose another feature for {second}"
                );
                found.add(format!("map[{index}].to"), problem);
            }
            let carried = |(_, other): &(_, Route)| other.input == route.input && other.to.carries_alone();
            // The rule that a signal must control a noticeable feature is not checked if any row is
            // invalid. The invalid row might be the one that gives the signal such a feature.
            if routes.len() == lines.len() && !routes.iter().any(carried) {
                let (input, to) = (route.input.name(), route.to.name());
                let problem = format!(
                    "{input} controls only {to}, which few listeners notice; add a row that gives {input} another feature"
                );
                found.add(format!("map[{index}].to"), problem);
            }
        }
        found.into_result(Self { routes: routes.into_iter().map(|(_, route)| route).collect() })
    }

    /// Returns the mapping without the routes that control this voice.
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
    /// Name of the input in mappings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Signal(signal) => signal.info().name,
            Self::Work => "work",
        }
    }
}

/// Reads one row, and checks the rules that concern a single row. An error consists of the field
/// and the problem.
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
                    ("signal", format!("unknown signal {signal}; the signals are {}, work", known()))
                })?
                .id,
        )
    };
    let feature = Feature::from_name(to).ok_or_else(|| {
        let known = Feature::all().map(Feature::name).collect::<Vec<_>>().join(", ");
        ("to", format!("unknown feature {to}; the features are {known}"))
    })?;
    if matches!(input, Input::Signal(SignalId::Csw | SignalId::Irq)) && *of != LaneValue::Deviation {
        let problem = format!("the level of {signal} is high on every host; use its deviation instead");
        return Err(("of", problem));
    }
    if input == Input::Work && *of != LaneValue::Level {
        return Err(("of", "must be `level`, because the input `work` has no deviation or surprise".into()));
    }
    let from = from.unwrap_or(match of {
        LaneValue::Level | LaneValue::Surprise => (0.0, 1.0),
        LaneValue::Deviation => (1.0, 6.0),
    });
    if !(from.0.is_finite() && from.1.is_finite() && from.0 < from.1) {
        let problem =
            format!("[{}, {}] is not a range; it must be two numbers, the lower first", from.0, from.1);
        return Err(("from", problem));
    }
    let ((low, high), step) = (feature.bounds(), feature.audible_step());
    if !(range.0 >= low && range.1 <= high && range.0 < range.1) {
        let unit = feature.unit();
        let problem = format!("must be two numbers from {low} to {high} {unit}, the lower first");
        return Err(("range", problem));
    }
    let steps = (range.1 - range.0) / step;
    if steps < MIN_STEPS {
        let problem = format!(
            "the range has {steps:.1} audible steps of size {step}; it must have at least {MIN_STEPS}"
        );
        return Err(("range", problem));
    }
    Ok(Route { input, of: *of, from, to: feature, curve: *curve, range: *range, polarity: *polarity })
}
