//! Whether the cues are heard while everything happens at once, and none where there is none.

use anyhow::{Context, Result};

use super::Figure;
use crate::{
    adapter::{CueKind, Heard, Layer, Options, Player},
    cues::{Pattern, Spectrogram},
    features::mid,
    parallel,
    plan::Plan,
    scenario::{self, LEAD_IN_S, Machine, STEP_NS},
};

/// Time from one event to the next, seconds: longer than the longest cue and its wait for the beat.
const EVERY_S: f64 = 5.0;
/// How far from its onset a cue may be found, seconds.
const NEAR_S: f64 = 0.05;
/// Loads are this many times what they are in a clip.
const INTENSITY: f64 = 2.0;

/// One load with cues, one without.
struct Round {
    found: usize,
    told: usize,
    /// The most that a pattern was like the load without cues, and the least that a cue was like its own.
    closest: (f32, f32),
    missed: Vec<&'static str>,
}

pub(super) fn listen(preset: &str, plan: &Plan, figures: &mut Vec<Figure>) -> Result<()> {
    let seeds: Vec<u64> = (0..plan.cue_rounds).map(|round| plan.seed(200 + round)).collect();
    let alone = parallel::map(&CueKind::ALL, |kind| alone(preset, *kind, plan.seed(199)))?;
    let rounds = parallel::map(&seeds, |seed| round(preset, &alone, *seed))?;
    let sum = |of: fn(&Round) -> usize| rounds.iter().map(of).sum::<usize>();
    let (found, told) = (sum(|round| round.found), sum(|round| round.told));
    let nothing = rounds.iter().map(|round| round.closest.0).fold(-1.0, f32::max);
    let worst = rounds.iter().map(|round| round.closest.1).fold(1.0, f32::min);
    let mut missed: Vec<_> = rounds.iter().flat_map(|round| round.missed.iter().copied()).collect();
    missed.sort_unstable();
    missed.dedup();
    let note = match &missed[..] {
        [] => format!("{told}, {worst:.2}:{nothing:.2}"),
        missed => format!("of {told}; {}", missed.join(" ")),
    };
    figures.push(Figure::new("cues", 100.0 * found as f64 / told.max(1) as f64, note));
    Ok(())
}

/// What a cue adds to an idle machine's sound, from its onset on.
fn alone(preset: &str, kind: CueKind, seed: u64) -> Result<Spectrogram> {
    let render = |cue: bool| -> Result<Heard> {
        let mut machine = Machine::new(1.0, seed);
        let mut player = scenario::learnt(preset, Options { seed, density: None }, &mut machine)?;
        for step in 0..steps(LEAD_IN_S + EVERY_S) {
            if cue && step == steps(LEAD_IN_S) {
                player.cue(kind);
            }
            player.play(machine.advance(STEP_NS, &[], 0.0));
        }
        Ok(player.heard(LEAD_IN_S))
    };
    let (with, without) = (render(true)?, render(false)?);
    let onset_s = onsets(&with).next().context("the cue was not played")?;
    let from = (onset_s * f64::from(crate::adapter::RATE_HZ)) as usize;
    let cue: Vec<f32> = mid(&with.samples).iter().zip(mid(&without.samples)).map(|(a, b)| a - b).collect();
    Ok(Spectrogram::of(&cue[from..]))
}

/// Every kind in turn on top of everything, and the same without: a cue is found where it is more like its own
/// pattern than like any other, and than anything is where there is none.
fn round(preset: &str, alone: &[Spectrogram], seed: u64) -> Result<Round> {
    let without = Spectrogram::of(&mid(&loaded(preset, seed, &|_, _| ())?.samples));
    let patterns: Vec<Pattern> = alone.iter().map(|cue| Pattern::of(cue, &without)).collect();
    let last_s = EVERY_S * CueKind::ALL.len() as f64;
    let nothing: Vec<f32> = patterns.iter().map(|pattern| without.likeness(pattern, 0.0, last_s)).collect();
    let heard = loaded(preset, seed, &|step, player| {
        if step % steps(EVERY_S) == 0
            && let Some(kind) = CueKind::ALL.get(step / steps(EVERY_S))
        {
            player.cue(*kind);
        }
    })?;
    let sound = Spectrogram::of(&mid(&heard.samples));
    let mut round = Round { found: 0, told: 0, closest: (-1.0, 1.0), missed: Vec::new() };
    for (at, kind) in CueKind::ALL.into_iter().enumerate() {
        let from_s = EVERY_S * at as f64;
        round.told += 1;
        let onset_s = onsets(&heard).find(|onset_s| (from_s..from_s + EVERY_S).contains(onset_s));
        let onset_s = onset_s.with_context(|| format!("{} was not played", kind.name()))?;
        let like = |pattern| sound.likeness(pattern, onset_s - NEAR_S, onset_s + NEAR_S);
        let likeness: Vec<f32> = patterns.iter().map(like).collect();
        let others = (0..patterns.len()).filter(|other| *other != at).map(|other| likeness[other]);
        if likeness[at] > nothing[at] && others.fold(-1.0, f32::max) < likeness[at] {
            round.found += 1;
        } else {
            round.missed.push(kind.name());
        }
        round.closest = (round.closest.0.max(nothing[at]), round.closest.1.min(likeness[at]));
    }
    Ok(round)
}

/// Everything at once, at the highest density, for as long as the cues take; `meanwhile` gets every step of it.
fn loaded(preset: &str, seed: u64, meanwhile: &dyn Fn(usize, &mut Player)) -> Result<Heard> {
    let everything = scenario::everything();
    let mut machine = Machine::new(1.0, seed);
    let mut player = scenario::learnt(preset, Options { seed, density: Some(1.0) }, &mut machine)?;
    for step in 0..steps(LEAD_IN_S + EVERY_S * (CueKind::ALL.len() + 1) as f64) {
        if let Some(step) = step.checked_sub(steps(LEAD_IN_S)) {
            meanwhile(step, &mut player);
        }
        player.play(machine.advance(STEP_NS, &everything, INTENSITY));
    }
    Ok(player.heard(LEAD_IN_S))
}

fn steps(seconds: f64) -> usize {
    (seconds * 1e9 / STEP_NS as f64).round() as usize
}

/// When the notes of cues begin.
fn onsets(heard: &Heard) -> impl Iterator<Item = f64> {
    heard.begun().filter(|note| note.layer == Layer::Cues).map(|note| note.onset_s)
}
