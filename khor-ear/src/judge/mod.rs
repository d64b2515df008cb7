//! Runs all measurements for one preset.

mod clips;
mod cues;
mod determinism;
mod drift;
mod recognition;
mod site;
mod stress;

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

pub use self::site::SiteScenes;
use crate::{
    picture,
    plan::Plan,
    rank::{self, SignalCorrelation},
    scenario,
};

/// The value of one row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Name of the row in `thresholds.toml`.
    pub row: &'static str,
    /// The measured value, in the row's unit.
    pub value: f64,
    /// A short note for the table, such as the worst load or the number of clips.
    pub note: String,
}

/// All results of one preset.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Name of the preset.
    pub preset: String,
    /// The figures, in the order of the table.
    pub figures: Vec<Figure>,
    /// Lines of text that are printed after the table.
    pub remarks: Vec<String>,
    /// Results that only the JSON output contains, for example the features of each clip.
    pub details: Value,
}

impl Figure {
    /// Creates a figure for the row with this name.
    pub fn new(row: &'static str, value: f64, note: impl Into<String>) -> Self {
        Self { row, value, note: note.into() }
    }
}

/// Judges a preset. The search for clicks also switches between this preset and `others`. Pictures
/// are written to `folder`.
pub fn judge(
    preset: &str,
    others: &[String],
    sites: &SiteScenes,
    plan: &Plan,
    folder: &Path,
) -> Result<Verdict> {
    let mut figures = Vec::new();
    picture::draw(preset, &scenario::tour(preset, plan.seed(9))?, folder)?;
    let clips = clips::all(preset, plan)?;
    let (known, mut remarks) = recognition::recognise(&clips, plan, &mut figures);
    let correlations = rank::correlate(preset, &plan.ramp_seeds())?;
    add_correlations(&correlations, &mut figures);
    clips::compare(preset, plan, &clips, &mut figures)?;
    stress::search(preset, others, plan, &mut figures)?;
    cues::listen(preset, plan, &mut figures)?;
    let heard = site::listen(preset, sites, &mut figures)?;
    remarks.extend(heard.remarks);
    if let Some(hours) = plan.hours {
        drift::listen(preset, plan, hours, &mut figures)?;
    }
    let notes_hash = determinism::compare(preset, plan, &mut figures)?;
    remarks.extend(recognition::judge_untrained(preset, plan, known)?);
    remarks.extend(correlations.iter().map(describe));
    let details = json!({
        "notes_hash": notes_hash,
        "clips": clips.iter().map(clips::MeasuredClip::to_json).collect::<Vec<_>>(),
        "sites": heard.details,
        "signals": correlations.iter().map(|one| json!({
            "signal": one.signal.info().name,
            "rho": one.rho,
            "own_steps": one.own_steps,
            "other": one.other_steps.map(|(feature, steps)| json!({"feature": format!("{feature:?}"), "steps": steps})),
        })).collect::<Vec<_>>(),
    });
    Ok(Verdict { preset: preset.to_owned(), figures, remarks, details })
}

/// Judges only the music of sites, and returns only the rows of the table that concern sites.
pub fn judge_sites(preset: &str, sites: &SiteScenes) -> Result<Verdict> {
    let mut figures = Vec::new();
    let heard = site::listen(preset, sites, &mut figures)?;
    let details = json!({ "sites": heard.details });
    Ok(Verdict { preset: preset.to_owned(), figures, remarks: heard.remarks, details })
}

fn add_correlations(correlations: &[SignalCorrelation], figures: &mut Vec<Figure>) {
    let least =
        |of: fn(&SignalCorrelation) -> f64| correlations.iter().min_by(|a, b| of(a).total_cmp(&of(b)));
    let share = |row, is: fn(&SignalCorrelation) -> bool| {
        let count = correlations.iter().filter(|one| is(one)).count();
        let percent = 100.0 * count as f64 / correlations.len().max(1) as f64;
        Figure::new(row, percent, format!("{count} of {}", correlations.len()))
    };
    for (row, of) in [
        ("rank_median", SignalCorrelation::median as fn(&SignalCorrelation) -> f64),
        ("rank_worst", SignalCorrelation::worst),
    ] {
        if let Some(one) = least(of) {
            figures.push(Figure::new(row, of(one), one.signal.info().name));
        }
    }
    figures.push(share("isolated", SignalCorrelation::is_isolated));
    figures.push(share("polarity", SignalCorrelation::has_its_polarity));
}

fn describe(one: &SignalCorrelation) -> String {
    let other =
        one.other_steps.map_or_else(String::new, |(feature, steps)| format!("; {feature:?} {steps:.1}"));
    format!(
        "{:6} rank correlation {:+.2} (worst {:+.2}), changes by {:.1} steps{other}",
        one.signal.info().name,
        one.median(),
        one.worst(),
        one.own_steps,
    )
}
