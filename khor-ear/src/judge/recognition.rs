//! Measures which loads the classifier recognises. Also reports how it classifies untrained loads.

use anyhow::Result;

use super::{Figure, clips::MeasuredClip};
use crate::{
    capture,
    classify::{Classifier, Confusion, Labelled, cross_validate, transfer},
    features::SoundFeatures,
    parallel,
    plan::Plan,
    scenario::{self, Load, LoadClass, UntrainedLoad},
};

/// Maximum number of wrong classifications that a remark lists.
const NAMED: usize = 4;

/// Measures recognition in two ways: by cross-validation, and by training on small machines and
/// testing on big ones.
pub(super) fn recognise(
    clips: &[MeasuredClip],
    plan: &Plan,
    figures: &mut Vec<Figure>,
) -> (Vec<Labelled>, Vec<String>) {
    let labelled = |is: fn(&MeasuredClip) -> bool| -> Vec<Labelled> {
        let chosen = clips.iter().filter(|one| is(one));
        chosen.map(|one| Labelled { class: one.clip.what, vector: one.features.rough() }).collect()
    };
    let known = labelled(|_| true);
    let all = cross_validate(&known, plan.seed(0));
    let big = transfer(&labelled(|one| one.clip.is_small()), &labelled(|one| one.clip.is_big()));
    figures.push(Figure::new("recognised", all.accuracy(), format!("{} clips", known.len())));
    figures.push(Figure::new("recognised_worst", all.worst().1, all.worst().0.name()));
    figures.push(Figure::new("transfer", big.accuracy(), format!("worst {}", big.worst().0.name())));
    let remarks = vec![
        format!("confused: {}", mistakes(&all)),
        format!("trained x1, tested x8; confused: {}", mistakes(&big)),
    ];
    (known, remarks)
}

fn mistakes(confusion: &Confusion) -> String {
    let name = |(is, taken_for, share): &(LoadClass, LoadClass, f64)| {
        format!("{} as {} {:.0} %", is.name(), taken_for.name(), 100.0 * share)
    };
    let all = confusion.mistakes();
    let named: Vec<String> = all.iter().take(NAMED).map(name).collect();
    let rest = if all.len() > NAMED { format!(", and {} more", all.len() - NAMED) } else { String::new() };
    if named.is_empty() { "nothing".into() } else { named.join(", ") + &rest }
}

/// Classifies untrained loads, and trained loads at untrained intensities. The results are only
/// reported; no gate depends on them.
pub(super) fn judge_untrained(preset: &str, plan: &Plan, known: Vec<Labelled>) -> Result<Vec<String>> {
    let classifier = Classifier::new(known);
    let unseen = plan.unseen();
    let taken = parallel::map(&format!("{preset}: untrained intensities"), &unseen, |clip| {
        let features = SoundFeatures::measure(&scenario::perform(preset, *clip)?.samples)?;
        Ok(classifier.classify(&features.rough()))
    })?;
    let mut confusion = Confusion::default();
    unseen.iter().zip(taken).for_each(|(clip, taken)| confusion.count(clip.what, taken));
    let mut lines = vec![format!(
        "untrained intensities 0.25 and 4: {:.2} of {} clips recognised; confused: {}",
        confusion.accuracy(),
        unseen.len(),
        mistakes(&confusion),
    )];
    let clips = plan.untrained();
    let taken = parallel::map(&format!("{preset}: untrained loads"), &clips, |clip| {
        let features = SoundFeatures::measure(&scenario::perform(preset, *clip)?.samples)?;
        Ok((clip.what, classifier.classify(&features.rough())))
    })?;
    for what in UntrainedLoad::ALL {
        let names: Vec<&str> = taken.iter().filter(|one| one.0 == what).map(|one| one.1.name()).collect();
        lines.push(format!("untrained load: {} classified as {}", what.name(), names.join(", ")));
    }
    lines.push(real(preset, plan, &classifier)?);
    Ok(lines)
}

/// Classifies captures of real machines. The results are only reported; no gate depends on them.
fn real(preset: &str, plan: &Plan, classifier: &Classifier) -> Result<String> {
    let captures = capture::find(&capture::folder())?;
    if captures.is_empty() {
        return Ok("real captures: none found".into());
    }
    let taken = parallel::map(&format!("{preset}: real captures"), &captures, |one| {
        let heard = capture::perform(preset, one, plan.seed(1000 + one.class.index() as u64))?;
        Ok(classifier.classify(&SoundFeatures::measure(&heard.samples)?.rough()))
    })?;
    let mut confusion = Confusion::default();
    captures.iter().zip(taken).for_each(|(one, taken)| confusion.count(one.class, taken));
    let share = confusion.accuracy();
    Ok(format!(
        "real captures: {share:.2} of {} clips recognised; confused: {}",
        captures.len(),
        mistakes(&confusion)
    ))
}
