//! Renders the plan's clips once, and compares their loudness, density, register and sharpness.

use anyhow::Result;
use serde_json::{Value, json};

use super::Figure;
use crate::{
    adapter::{self, Layer, PlayedNote, Render},
    features::{SoundFeatures, Spectrum, mid},
    loudness, parallel,
    plan::Plan,
    scenario::{self, Load, LoadClass, LoadClip, STEP_NS, SimulatedMachine},
};

/// Length of the sound in which the bed is measured, seconds.
const BED_S: u32 = 60;
/// A load counts as audible if it is at least this many LU louder than idle. It also counts as
/// audible if it has at least `DENSER_PER_S` more onsets per second than idle.
const LOUDER_LU: f64 = 2.0;
const DENSER_PER_S: f64 = 2.0;
/// Upper limit of the reported ratio of a load's onsets to the onsets of an idle machine. Without
/// onsets on the idle machine, the ratio would be infinite.
const MOST_RATIO: f64 = 99.0;
/// Range of pitches that design.md §13 requires, as MIDI note numbers.
const REGISTER: std::ops::RangeInclusive<u8> = 36..=96;
/// Frequency above which power counts as sharpness, Hz.
const SHARP_HZ: f64 = 6000.0;

/// The measurements of a clip.
#[derive(Clone, Debug)]
pub(super) struct MeasuredClip {
    pub(super) clip: LoadClip<LoadClass>,
    pub(super) features: SoundFeatures,
    /// Note onsets per second in all layers except the bed.
    pub(super) onsets_per_s: f64,
    /// True peak, dBTP. It is measured only for the first clip of each class and size.
    pub(super) true_peak: Option<f64>,
    notes: usize,
    in_register: usize,
    bed: usize,
    bed_in_scale: usize,
}

impl MeasuredClip {
    fn measure(heard: &Render, clip: LoadClip<LoadClass>, with_peak: bool) -> Result<Self> {
        let scale = adapter::scale();
        let count = |is: &dyn Fn(&PlayedNote) -> bool| heard.begun().filter(|note| is(note)).count();
        let in_bed = |note: &PlayedNote| note.layer == Layer::Bed;
        Ok(Self {
            clip,
            features: SoundFeatures::measure(&heard.samples)?,
            onsets_per_s: heard.onsets_per_s(),
            true_peak: with_peak.then(|| loudness::true_peak(&heard.samples)).transpose()?,
            notes: count(&|_| true),
            in_register: count(&|note| REGISTER.contains(&note.midi)),
            bed: count(&in_bed),
            bed_in_scale: count(&|note| in_bed(note) && scale[usize::from(note.midi % 12)]),
        })
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "class": self.clip.what.name(),
            "size": self.clip.size,
            "intensity": self.clip.intensity,
            "seed": self.clip.seed,
            "features": self.features.rough(),
            "lufs": self.features.level_lufs,
            "onsets_per_s": self.onsets_per_s,
        })
    }
}

pub(super) fn all(preset: &str, plan: &Plan) -> Result<Vec<MeasuredClip>> {
    let clips = plan.clips();
    let first = |clip: &LoadClip<LoadClass>| {
        clips.iter().find(|other| other.what == clip.what && other.size == clip.size) == Some(clip)
    };
    parallel::map(&format!("{preset}: clips"), &clips, |clip| {
        MeasuredClip::measure(&scenario::perform(preset, *clip)?, *clip, first(clip))
    })
}

pub(super) fn compare(
    preset: &str,
    plan: &Plan,
    clips: &[MeasuredClip],
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let ends = [
        clips.iter().filter(|one| one.clip.is_small()).collect::<Vec<_>>(),
        clips.iter().filter(|one| one.clip.is_big()).collect::<Vec<_>>(),
    ];
    stand_out(&ends, figures);
    density(&ends, figures);
    bed(preset, plan, figures)?;
    loudness_span(clips, figures);
    let sum = |of: fn(&MeasuredClip) -> usize| clips.iter().map(of).sum::<usize>() as f64;
    let share = |part: f64, of: f64| if of > 0.0 { 100.0 * part / of } else { 100.0 };
    figures.push(Figure::new("register", share(sum(|c| c.in_register), sum(|c| c.notes)), ""));
    figures.push(Figure::new("scale", share(sum(|c| c.bed_in_scale), sum(|c| c.bed)), ""));
    Ok(())
}

fn mean(clips: &[&MeasuredClip], class: LoadClass, of: fn(&MeasuredClip) -> f64) -> f64 {
    let values: Vec<f64> = clips.iter().filter(|one| one.clip.what == class).map(|one| of(one)).collect();
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Counts the loads whose music is louder or has more onsets than that of an idle machine. Each
/// load is counted twice: once on the smallest machines, and once on the biggest.
fn stand_out(ends: &[Vec<&MeasuredClip>; 2], figures: &mut Vec<Figure>) {
    let (mut audible, mut not_quieter, mut inaudible) = (0, 0, Vec::new());
    for (end, size) in ends.iter().zip(["", "×8"]) {
        let lufs = |class| mean(end, class, |one| one.features.level_lufs);
        let onsets = |class| mean(end, class, |one| one.onsets_per_s);
        for class in LoadClass::ALL.into_iter().filter(|class| *class != LoadClass::Idle) {
            let louder = lufs(class) - lufs(LoadClass::Idle);
            let denser = onsets(class) - onsets(LoadClass::Idle);
            if louder >= LOUDER_LU || denser >= DENSER_PER_S {
                audible += 1;
            } else {
                inaudible.push(format!("{}{size}", class.name()));
            }
            not_quieter += i32::from(louder >= 0.0);
        }
    }
    figures.push(Figure::new("stress_heard", f64::from(audible), inaudible.join(" ")));
    figures.push(Figure::new("not_quieter", f64::from(not_quieter), ""));
}

fn density(ends: &[Vec<&MeasuredClip>; 2], figures: &mut Vec<Figure>) {
    let onsets = |end: &[&MeasuredClip], class| mean(end, class, |one| one.onsets_per_s);
    let idle = ends.iter().map(|end| onsets(end, LoadClass::Idle)).fold(0.0, f64::max);
    let ratio = |end: &Vec<&MeasuredClip>| {
        let busiest = LoadClass::ALL.map(|class| onsets(end, class)).into_iter().fold(0.0, f64::max);
        (busiest / onsets(end, LoadClass::Idle).max(1e-3)).min(MOST_RATIO)
    };
    figures.push(Figure::new("idle_onsets", idle, ""));
    figures.push(Figure::new("busiest_to_idle", ends.iter().map(ratio).fold(MOST_RATIO, f64::min), ""));
}

/// Measures loudness and sharpness of the bed on two idle machines: the smallest and the biggest.
/// The table shows the worse of the two loudness values, which is farther from the target, and the
/// higher of the two sharpness values.
fn bed(preset: &str, plan: &Plan, figures: &mut Vec<Figure>) -> Result<()> {
    let beds = parallel::map(&format!("{preset}: beds"), &[1.0, 8.0], |size| {
        let seed = plan.seed(*size as u64);
        let mut machine = SimulatedMachine::new(*size, seed);
        let options = adapter::Options { seed, density: None };
        let mut player = scenario::player_with_baseline(preset, options, &mut machine)?;
        let steps = |seconds: u32| u64::from(seconds) * 1_000_000_000 / STEP_NS;
        let lead_in_s = scenario::LEAD_IN_S as u32;
        (0..steps(lead_in_s + BED_S)).for_each(|_| player.play(machine.advance(STEP_NS, &[], 0.0)));
        let samples = player.into_render(scenario::LEAD_IN_S).samples;
        let sharp = Spectrum::measure(&mid(&samples)).share_above(SHARP_HZ);
        Ok((loudness::integrated(&samples)?.max(-99.0), 100.0 * sharp))
    })?;
    let off = |lufs: f64| (lufs + 23.0).abs();
    let lufs = beds.iter().map(|bed| bed.0).fold(-23.0, |a, b| if off(b) > off(a) { b } else { a });
    figures.push(Figure::new("bed_lufs", lufs, ""));
    figures.push(Figure::new("sharpness", beds.iter().map(|bed| bed.1).fold(0.0, f64::max), ""));
    Ok(())
}

fn loudness_span(clips: &[MeasuredClip], figures: &mut Vec<Figure>) {
    let all: Vec<&MeasuredClip> = clips.iter().collect();
    let lufs = LoadClass::ALL.map(|class| (mean(&all, class, |one| one.features.level_lufs), class.name()));
    let most = lufs.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default();
    let least = lufs.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default();
    figures.push(Figure::new("span", most.0 - least.0, format!("{} - {}", most.1, least.1)));
    let peak = clips.iter().filter_map(|one| one.true_peak).fold(-99.0, f64::max);
    figures.push(Figure::new("true_peak", peak, ""));
}
