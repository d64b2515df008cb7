//! Measures whether the filter finds the cues in the sound while all loads run at once. Also
//! measures how similar the sound is to a cue when no cue plays.

use anyhow::{Context, Result};

use super::Figure;
use crate::{
    adapter::{CueSound, Layer, OfflinePlayer, Options, PlayedNote, Render},
    cues::{Pattern, Spectrogram},
    features::mid,
    parallel,
    plan::Plan,
    scenario::{self, LEAD_IN_S, STEP_NS, SimulatedMachine},
};

/// Time between two cues, seconds. This is enough time for every cue to start and to end.
const CUE_INTERVAL_S: f64 = 5.0;
/// The filter searches for a cue from this many seconds before the cue's onset to this many seconds
/// after it.
const ONSET_TOLERANCE_S: f64 = 0.05;
/// Factor by which the rates of all loads are multiplied. It is the largest factor of the training
/// clips, whose factors are 0.5 to 2.
const INTENSITY: f64 = 2.0;

/// Number of times that each pair of cues is played. The value must not exceed
/// [`Plan::cue_rounds`].
const PAIR_ROUNDS: usize = 2;
/// Time between two pairs of cues, seconds.
const PAIR_INTERVAL_S: f64 = 8.0;

/// A cue that was rendered on an idle machine.
struct IsolatedCue {
    /// Spectrogram of the cue alone, from its onset.
    sound: Spectrogram,
    /// Number of notes in the cue.
    notes: usize,
}

/// The result for two cues that were requested in the same step.
struct Pair {
    names: [&'static str; 2],
    /// Whether the patterns that are most similar to the sound at the two onsets are those of the
    /// two cues.
    recognised: bool,
    /// Time from the end of the first cue's last note to the onset of the second cue, seconds.
    gap_s: f64,
}

/// The result of playing the loads once with all cues and once without cues.
struct Round {
    found: usize,
    sent: usize,
    /// The highest similarity of any pattern to the sound without cues, and the lowest similarity
    /// of any played cue to its own pattern.
    closest: (f32, f32),
    missed: Vec<&'static str>,
}

pub(super) fn listen(preset: &str, plan: &Plan, figures: &mut Vec<Figure>) -> Result<()> {
    let seeds: Vec<u64> = (0..plan.cue_rounds).map(|round| plan.seed(200 + round)).collect();
    let isolated = parallel::map(&format!("{preset}: cues alone"), &CueSound::ALL, |kind| {
        isolated(preset, *kind, plan.seed(199))
    })?;
    let rounds =
        parallel::map(&format!("{preset}: cues under load"), &seeds, |seed| round(preset, &isolated, *seed))?;
    let sum = |of: fn(&Round) -> usize| rounds.iter().map(of).sum::<usize>();
    let (found, sent) = (sum(|round| round.found), sum(|round| round.sent));
    let nothing = rounds.iter().map(|round| round.closest.0).fold(-1.0, f32::max);
    let worst = rounds.iter().map(|round| round.closest.1).fold(1.0, f32::min);
    let mut missed: Vec<_> = rounds.iter().flat_map(|round| round.missed.iter().copied()).collect();
    missed.sort_unstable();
    missed.dedup();
    let note = match &missed[..] {
        [] => format!("{sent}, {worst:.2}:{nothing:.2}"),
        missed => format!("of {sent}; {}", missed.join(" ")),
    };
    figures.push(Figure::new("cues", 100.0 * found as f64 / sent.max(1) as f64, note));
    judge_pairs(preset, &isolated, &seeds[..PAIR_ROUNDS], figures)
}

/// Measures how many pairs of cues are recognised when both cues are requested in the same step.
fn judge_pairs(
    preset: &str,
    isolated: &[IsolatedCue],
    seeds: &[u64],
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let rounds =
        parallel::map(&format!("{preset}: pairs of cues"), seeds, |seed| pairs(preset, isolated, *seed))?;
    let pairs: Vec<Pair> = rounds.into_iter().flatten().collect();
    let unrecognised: Vec<String> =
        pairs.iter().filter(|pair| !pair.recognised).map(|pair| pair.names.join("+")).collect();
    let percent = 100.0 * (pairs.len() - unrecognised.len()) as f64 / pairs.len() as f64;
    figures.push(Figure::new("cue_pairs", percent, format!("of {} {}", pairs.len(), unrecognised.join(" "))));
    let closest =
        pairs.iter().min_by(|a, b| a.gap_s.total_cmp(&b.gap_s)).context("no pairs of cues were rendered")?;
    figures.push(Figure::new("cue_gap", closest.gap_s, closest.names.join("+")));
    Ok(())
}

/// Renders a cue on an idle machine, and subtracts a render without the cue.
fn isolated(preset: &str, kind: CueSound, seed: u64) -> Result<IsolatedCue> {
    let render = |cue: bool| -> Result<Render> {
        let mut machine = SimulatedMachine::new(1.0, seed);
        let mut player =
            scenario::player_with_baseline(preset, Options { seed, density: None }, &mut machine)?;
        for step in 0..steps(LEAD_IN_S + CUE_INTERVAL_S) {
            if cue && step == steps(LEAD_IN_S) {
                player.cue(kind);
            }
            player.play(machine.advance(STEP_NS, &[], 0.0));
        }
        Ok(player.into_render(LEAD_IN_S))
    };
    let (with, without) = (render(true)?, render(false)?);
    let onset_s = cues(&with).next().context("the music has no note of the cue")?.onset_s;
    let from = (onset_s * f64::from(crate::adapter::RATE_HZ)) as usize;
    let cue: Vec<f32> = mid(&with.samples).iter().zip(mid(&without.samples)).map(|(a, b)| a - b).collect();
    Ok(IsolatedCue { sound: Spectrogram::measure(&cue[from..]), notes: cues(&with).count() })
}

/// Plays each kind of cue in turn while all loads run. Renders the same loads without cues for
/// comparison. A cue is found if its pattern meets two conditions. At the onset of the cue, the
/// pattern must be more similar to the sound than any other pattern. This similarity must also
/// exceed the pattern's similarity to every part of the sound without cues.
fn round(preset: &str, isolated: &[IsolatedCue], seed: u64) -> Result<Round> {
    let last_s = CUE_INTERVAL_S * CueSound::ALL.len() as f64;
    let without = Spectrogram::measure(&mid(&loaded(preset, seed, last_s, &|_, _| ())?.samples));
    let patterns = patterns(isolated, &without);
    let nothing: Vec<f32> = patterns.iter().map(|pattern| without.likeness(pattern, 0.0, last_s)).collect();
    let heard = loaded(preset, seed, last_s, &|step, player| {
        if step % steps(CUE_INTERVAL_S) == 0
            && let Some(kind) = CueSound::ALL.get(step / steps(CUE_INTERVAL_S))
        {
            player.cue(*kind);
        }
    })?;
    let sound = Spectrogram::measure(&mid(&heard.samples));
    let mut round = Round { found: 0, sent: 0, closest: (-1.0, 1.0), missed: Vec::new() };
    for (at, kind) in CueSound::ALL.into_iter().enumerate() {
        let from_s = CUE_INTERVAL_S * at as f64;
        round.sent += 1;
        let note = cues(&heard).find(|note| (from_s..from_s + CUE_INTERVAL_S).contains(&note.onset_s));
        let onset_s =
            note.with_context(|| format!("the music has no note of the cue {}", kind.name()))?.onset_s;
        let likeness =
            sound.likeness(&patterns[at], onset_s - ONSET_TOLERANCE_S, onset_s + ONSET_TOLERANCE_S);
        if likeness > nothing[at] && most_like(&sound, &patterns, onset_s).0 == at {
            round.found += 1;
        } else {
            round.missed.push(kind.name());
        }
        round.closest = (round.closest.0.max(nothing[at]), round.closest.1.min(likeness));
    }
    Ok(round)
}

/// Plays every pair of cues while all loads run. The two cues of a pair are requested in the same
/// step.
fn pairs(preset: &str, isolated: &[IsolatedCue], seed: u64) -> Result<Vec<Pair>> {
    let count = isolated.len();
    let requested: Vec<[usize; 2]> = (0..count).flat_map(|a| (a + 1..count).map(move |b| [a, b])).collect();
    let length_s = PAIR_INTERVAL_S * requested.len() as f64;
    let patterns =
        patterns(isolated, &Spectrogram::measure(&mid(&loaded(preset, seed, length_s, &|_, _| ())?.samples)));
    let heard = loaded(preset, seed, length_s, &|step, player| {
        if step % steps(PAIR_INTERVAL_S) == 0
            && let Some(pair) = requested.get(step / steps(PAIR_INTERVAL_S))
        {
            for kind in pair {
                player.cue(CueSound::ALL[*kind]);
            }
        }
    })?;
    let sound = Spectrogram::measure(&mid(&heard.samples));
    let pair = |(at, kinds): (usize, &[usize; 2])| {
        let from_s = PAIR_INTERVAL_S * at as f64;
        let notes: Vec<&PlayedNote> =
            cues(&heard).filter(|note| (from_s..from_s + PAIR_INTERVAL_S).contains(&note.onset_s)).collect();
        let most_like = |onset_s: f64| most_like(&sound, &patterns, onset_s).0;
        let first = most_like(notes.first().context("the music has no note of either cue")?.onset_s);
        let (first_notes, second_notes) = notes.split_at(isolated[first].notes.min(notes.len()));
        let second_s =
            second_notes.first().context("the music has the notes of only one of two cues")?.onset_s;
        let ends_s =
            first_notes.iter().map(|note| note.onset_s + f64::from(note.duration_s)).fold(0.0, f64::max);
        let mut recognised = [first, most_like(second_s)];
        recognised.sort_unstable();
        let names = kinds.map(|kind| CueSound::ALL[kind].name());
        Ok(Pair { names, recognised: recognised == *kinds, gap_s: second_s - ends_s })
    };
    requested.iter().enumerate().map(pair).collect()
}

/// Finds the pattern that is most similar to the sound at an onset. Returns its index and its
/// similarity.
fn most_like(sound: &Spectrogram, patterns: &[Pattern], onset_s: f64) -> (usize, f32) {
    let like = |pattern| sound.likeness(pattern, onset_s - ONSET_TOLERANCE_S, onset_s + ONSET_TOLERANCE_S);
    let likeness = patterns.iter().map(like).enumerate();
    likeness.fold((0, -1.0), |most, this| if this.1 > most.1 { this } else { most })
}

fn patterns(isolated: &[IsolatedCue], load: &Spectrogram) -> Vec<Pattern> {
    isolated.iter().map(|cue| Pattern::new(&cue.sound, load)).collect()
}

/// Renders all loads at once, at the highest density. Before each step, calls `meanwhile` with the
/// number of the step and the player.
fn loaded(
    preset: &str,
    seed: u64,
    length_s: f64,
    meanwhile: &dyn Fn(usize, &mut OfflinePlayer),
) -> Result<Render> {
    let everything = scenario::everything();
    let mut machine = SimulatedMachine::new(1.0, seed);
    let mut player =
        scenario::player_with_baseline(preset, Options { seed, density: Some(1.0) }, &mut machine)?;
    for step in 0..steps(LEAD_IN_S + length_s + CUE_INTERVAL_S) {
        if let Some(step) = step.checked_sub(steps(LEAD_IN_S)) {
            meanwhile(step, &mut player);
        }
        player.play(machine.advance(STEP_NS, &everything, INTENSITY));
    }
    Ok(player.into_render(LEAD_IN_S))
}

fn steps(seconds: f64) -> usize {
    (seconds * 1e9 / STEP_NS as f64).round() as usize
}

/// The notes of the cue layer, in order of onset.
fn cues(heard: &Render) -> impl Iterator<Item = &PlayedNote> {
    heard.begun().filter(|note| note.layer == Layer::Cues)
}
