//! Measures whether each signal changes its own features in the documented direction, and hardly
//! changes the features of other signals.

mod measure;
mod spearman;

use anyhow::Result;

pub use self::{measure::measure, spearman::spearman};
use crate::{
    adapter::SignalId,
    mapping::{MAPPING, MappingRow, MeasuredFeature},
    parallel,
    scenario::{self, Ramp, WINDOW_S},
};

/// Number of windows that are averaged at the start and at the end of a ramp. The difference
/// between the two averages is the movement of a feature.
const END_WINDOWS: usize = 3;
/// Minimum number of windows in which the feature could be measured. With fewer windows,
/// correlation and movement count as 0.
const MIN_WINDOWS: usize = 5;

/// How closely one of a signal's features follows the signal.
#[derive(Clone, Debug)]
pub struct SignalCorrelation {
    /// The signal that the feature must follow.
    pub signal: SignalId,
    /// Rank correlation between signal and feature, one for each seed. It is positive if the
    /// feature moved in the declared direction.
    pub rho: Vec<f64>,
    /// Number of audible steps by which the feature moved, as the median over the seeds.
    pub own_steps: f64,
    /// The feature that moved most, of all features that belong to other signals, and its movement
    /// in audible steps.
    pub other_steps: Option<(MeasuredFeature, f64)>,
}

impl SignalCorrelation {
    /// Median of the correlations of all seeds.
    pub fn median(&self) -> f64 {
        median(&self.rho)
    }

    /// Lowest correlation of all seeds.
    pub fn worst(&self) -> f64 {
        self.rho.iter().copied().fold(1.0, f64::min)
    }

    /// Whether the feature moved by at least one step, while no feature of another signal moved by
    /// more than half as many steps.
    pub fn is_isolated(&self) -> bool {
        self.own_steps >= 1.0 && self.other_steps.is_none_or(|(_, steps)| steps <= 0.5 * self.own_steps)
    }

    /// Whether the feature moved in the declared direction for every seed.
    pub fn has_its_polarity(&self) -> bool {
        self.rho.iter().all(|rho| *rho > 0.0)
    }
}

/// Renders a ramp for each row of the mapping and each seed. Measures how the features follow the
/// ramps.
pub fn correlate(preset: &str, seeds: &[u64]) -> Result<Vec<SignalCorrelation>> {
    let jobs: Vec<(&MappingRow, u64)> =
        MAPPING.iter().flat_map(|row| seeds.iter().map(move |seed| (row, *seed))).collect();
    let measured = parallel::map(&format!("{preset}: ramps"), &jobs, |(row, seed)| {
        Ok(RampResult::measure(row, &scenario::ramp(preset, row.0, *seed)?))
    })?;
    Ok(measured
        .chunks(seeds.len().max(1))
        .zip(MAPPING)
        .map(|(results, row)| signal_correlation(row, results))
        .collect())
}

/// The measurements of one ramp.
struct RampResult {
    rho: f64,
    /// Movement of each row's feature, in audible steps.
    steps: Vec<f64>,
}

impl RampResult {
    fn measure(row: &MappingRow, ramp: &Ramp) -> Self {
        let values = |feature| -> Vec<Option<f64>> {
            (0..ramp.grew.len())
                .map(|i| measure(feature, &ramp.heard, i as f64 * WINDOW_S, WINDOW_S))
                .collect()
        };
        let steps = MAPPING.iter().map(|(_, feature, _)| moved(&values(*feature)) / feature.step()).collect();
        Self { rho: row.2 * correlation(&ramp.grew, &values(row.1)), steps }
    }
}

fn signal_correlation(row: &MappingRow, results: &[RampResult]) -> SignalCorrelation {
    let steps = |at: usize| median(&results.iter().map(|result| result.steps[at]).collect::<Vec<_>>());
    let (mut own_steps, mut other_steps) = (0.0, None);
    for (at, other) in MAPPING.iter().enumerate() {
        let (steps, feature) = (steps(at), &other.1);
        if other == row {
            own_steps = steps;
        } else if other.0 != row.0 && other_steps.is_none_or(|(_, most)| steps > most) {
            other_steps = Some((*feature, steps));
        }
    }
    SignalCorrelation {
        signal: row.0,
        rho: results.iter().map(|result| result.rho).collect(),
        own_steps,
        other_steps,
    }
}

fn correlation(truth: &[f64], values: &[Option<f64>]) -> f64 {
    let known: Vec<(f64, f64)> = truth.iter().zip(values).filter_map(|(t, v)| Some((*t, (*v)?))).collect();
    if known.len() < MIN_WINDOWS { 0.0 } else { spearman(&known) }
}

/// How far a feature moved from the start to the end of a ramp. Windows in which the feature cannot
/// be measured are skipped. For example, a silent voice has no pitch.
fn moved(values: &[Option<f64>]) -> f64 {
    let known: Vec<f64> = values.iter().filter_map(|value| *value).collect();
    if known.len() < MIN_WINDOWS {
        return 0.0;
    }
    let mean = |end: &[f64]| end.iter().sum::<f64>() / end.len() as f64;
    (mean(&known[known.len() - END_WINDOWS..]) - mean(&known[..END_WINDOWS])).abs()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparse_values_have_no_correlation() {
        let truth: Vec<f64> = (0..15).map(f64::from).collect();
        let rising: Vec<Option<f64>> = truth.iter().map(|t| Some(t * t)).collect();
        assert!((correlation(&truth, &rising) - 1.0).abs() < 1e-9);
        let mut sparse = vec![None; 15];
        sparse[..4].copy_from_slice(&rising[..4]);
        assert_eq!(correlation(&truth, &sparse), 0.0);
    }

    #[test]
    fn movement_compares_first_and_last_windows() {
        let values = [Some(1.0), None, Some(3.0), Some(2.0), Some(99.0), Some(5.0), Some(5.0), Some(5.0)];
        assert_eq!(moved(&values), 3.0);
        let late = [None, None, None, Some(1.0), Some(1.0), Some(1.0), Some(2.0), Some(2.0), Some(2.0)];
        assert_eq!(moved(&late), 1.0);
        assert_eq!(moved(&late[..7]), 0.0, "too few windows");
    }

    #[test]
    fn isolation_compares_audible_steps() {
        let signal_correlation = |own_steps, other| SignalCorrelation {
            signal: SignalId::Rx,
            rho: vec![0.9, -0.1],
            own_steps,
            other_steps: Some((MeasuredFeature::Level, other)),
        };
        assert!(signal_correlation(8.0, 4.0).is_isolated() && !signal_correlation(8.0, 4.1).is_isolated());
        assert!(!signal_correlation(0.5, 0.0).is_isolated(), "a feature that does not move is not isolated");
        assert!(
            !signal_correlation(8.0, 0.0).has_its_polarity() && signal_correlation(8.0, 0.0).worst() < 0.0
        );
    }
}
