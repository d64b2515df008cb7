//! Explains in words what plays and why. The text fits on one screen. It is computed from the state
//! that clients can read.

use std::fmt::Write;

use khor_api::{DeviatingSignal, Explanation, SoundPart};
use khor_music::{ActiveVoice, Feature, Input, MusicSnapshot, PulseCast, Route};
use khor_proto::{Scope, inert};
use khor_signal::{Catalogue, LaneId, Reading, SignalId};
use khor_site::Host;
use khor_source::{Shortfall, SourceKind, scope_label};
use khor_system::{clock::now_unix_ms, words::counted};

use super::{
    stage::SectionPulse,
    state::{CueEntry, EngineState, SingleHost, SourceState, reported_deviation},
};

/// A signal stands out if it is at least this many octaves above its baseline.
pub const NOTABLE_OCTAVES: f32 = 1.0;
/// The explanation mentions a resource only if tasks wait for it at least this share of the time,
/// 0..=1.
const MIN_WAIT_SHARE: f64 = 0.05;
/// If tension, darkness or weight (0..=1) has at least this value, the bed is called tense, dark or
/// heavy.
const CLEAR_POSITION: f64 = 0.25;
/// If tension, darkness or weight (0..=1) has at least this value, the bed is called a little
/// tense, dark or heavy.
const SLIGHT_POSITION: f64 = 0.08;
/// Maximum number of signals that the text lists.
const MAX_SIGNALS: usize = 5;
/// Width of the text, in columns.
const COLUMNS: usize = 80;

pub(super) fn explain(state: &EngineState) -> Explanation {
    let soloists = state.plan.soloists_by_deviation();
    let standing_out = match (soloists.first(), &state.reading) {
        (Some(solo), _) => deviating_signals(&solo.reading, &state.catalogue, false),
        (None, Some(reading)) => deviating_signals(reading, &state.catalogue, state.is_of_many()),
        (None, None) => Vec::new(),
    };
    let heard = state.sounding.as_ref().map(|sounding| sound_parts(sounding, state)).unwrap_or_default();
    // The sentence may contain names and errors from other programs. Media players and status bars
    // show it unchanged, so unsafe characters are replaced here.
    let sentence = inert::owned_line(sentence(state, &standing_out));
    let text = text(state, &sentence, &standing_out, &heard);
    Explanation { sentence, standing_out, heard, text }
}

/// Returns the signals that stand out, the largest deviation first.
fn deviating_signals(reading: &Reading, catalogue: &Catalogue, is_of_many: bool) -> Vec<DeviatingSignal> {
    let mut signals: Vec<DeviatingSignal> = catalogue
        .iter()
        .filter_map(|info| {
            let lane = reading.lanes.value(info.id)?;
            let (rate, ordinary) = (reading.rates.value(info.id)?, reading.baselines.value(info.id)?);
            let deviation = reported_deviation(reading, info, is_of_many)?;
            Some(DeviatingSignal {
                signal: info.name.as_ref().to_owned(),
                label: info.label.as_ref().to_owned(),
                rate: amount(&info.unit, rate),
                ordinary: amount(&info.unit, ordinary),
                deviation,
                times: Some(rate / ordinary).filter(|times| times.is_finite() && !is_of_many),
                level: lane.level,
            })
        })
        .filter(|signal| signal.deviation >= NOTABLE_OCTAVES)
        .collect();
    signals.sort_by(|a, b| b.deviation.total_cmp(&a.deviation));
    signals.truncate(MAX_SIGNALS);
    signals
}

/// Returns the audible parts of the music, each with its cause.
fn sound_parts(sounding: &MusicSnapshot, state: &EngineState) -> Vec<SoundPart> {
    let plan = &state.plan;
    let mut heard = vec![bed(sounding, state)];
    match &plan.cast.pulse {
        PulseCast::Together => heard.push(pulse(sounding)),
        PulseCast::Sections(_) => heard.extend(plan.section_pulses.iter().map(section)),
        PulseCast::RollCall(turns) => heard.push(SoundPart {
            layer: "pulse".into(),
            what: format!("{}, half a bar each", counted(turns.len() as u64, "turn")),
            because: "the work of each host or section".into(),
        }),
    }
    for &ActiveVoice { stream, signal, onsets, soloist } in &sounding.voices {
        let of = soloist.and_then(|place| plan.soloists[place].as_ref());
        let of = of.map_or_else(String::new, |solo| format!(" of {}", solo.host));
        heard.push(SoundPart {
            layer: "voice".into(),
            what: format!("{}, {} a bar", stream.name(), counted(onsets.into(), "onset")),
            because: format!("{}{of}", label(state, signal)),
        });
    }
    heard
}

/// Returns the label of a lane, or an empty text if the source has just changed and the lane is
/// unknown.
fn label(state: &EngineState, lane: LaneId) -> &str {
    state.catalogue.get(lane).map_or("", |lane| &lane.label)
}

/// Describes the pulse of a section: its timbre and whether it plays on the left or the right.
fn section(pulse: &SectionPulse) -> SoundPart {
    let SectionPulse { section, hosts, part } = pulse;
    let side = match part.pan {
        pan if pan < -0.2 => "left",
        pan if pan > 0.2 => "right",
        _ => "middle",
    };
    SoundPart {
        layer: "pulse".into(),
        what: format!("{}, {side}", part.role.name()),
        because: format!(
            "{} ({})",
            section.as_deref().unwrap_or("other sections"),
            counted(*hosts as u64, "host")
        ),
    }
}

/// Describes the pad: its mood, and the signals that cause the mood.
fn bed(sounding: &MusicSnapshot, state: &EngineState) -> SoundPart {
    if sounding.lost {
        let (what, because) = ("hollow and dull".to_owned(), why_lost(state));
        return SoundPart { layer: "bed".into(), what, because };
    }
    let words = |feature, word: &str| {
        let (route, position) = feature_value(sounding, feature)?;
        let word = match f64::from(position) {
            far if far >= CLEAR_POSITION => word.to_owned(),
            far if far >= SLIGHT_POSITION => format!("a little {word}"),
            _ => return None,
        };
        Some((word, cause(&route)))
    };
    let parts: Vec<(String, String)> = [
        words(Feature::BedTension, "tense"),
        words(Feature::BedBrightness, "dark"),
        words(Feature::BedWeight, "heavy"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        return SoundPart {
            layer: "bed".into(),
            what: "calm".into(),
            because: why_calm(state.reading.as_ref()),
        };
    }
    let (what, because): (Vec<String>, Vec<String>) = parts.into_iter().unzip();
    SoundPart { layer: "bed".into(), what: what.join(", "), because: because.join(", ") }
}

/// Explains why khor has no values to play. The cause may be the source, or a selected cgroup or
/// host that is missing while the source works.
fn why_lost(state: &EngineState) -> String {
    let shortfall = match (&state.source, &state.single_host) {
        (SourceState::Up(_), Some(single_host)) => single_host.shortfall.as_ref(),
        (SourceState::Up(info), None) => info.shortfall.as_ref().filter(|_| info.scope != Scope::Machine),
        (SourceState::Down(shortfall), _) => Some(shortfall),
        (SourceState::Starting, _) => None,
    };
    shortfall.map_or_else(|| "no values have arrived yet".to_owned(), |shortfall| shortfall.error.clone())
}

/// Explains why the bed is calm: no task waits, or tasks wait no more than usual.
fn why_calm(reading: Option<&Reading>) -> String {
    let waits = [SignalId::Cpu, SignalId::Stall, SignalId::Mem];
    let rate = |signal: SignalId| reading.and_then(|reading| reading.rates[signal]).unwrap_or(0.0);
    let waiting: Vec<&str> = waits
        .into_iter()
        .filter(|signal| rate(*signal) >= MIN_WAIT_SHARE)
        .map(|signal| signal.info().label)
        .collect();
    match waiting.as_slice() {
        [] => "no task waits".to_owned(),
        waiting => format!("{}, no more than usual", waiting.join(", ")),
    }
}

fn pulse(sounding: &MusicSnapshot) -> SoundPart {
    let (what, because) = match feature_value(sounding, Feature::PulseDensity) {
        Some((route, position)) if position > 0.0 => {
            (format!("{:.0} of 16 steps", (position * 16.0).ceil()), cause(&route))
        }
        _ => ("no notes".to_owned(), "no more work than usual".to_owned()),
    };
    SoundPart { layer: "pulse".into(), what, because }
}

/// Returns the current value of a feature of the music, 0..=1, and the route of the preset that
/// controls it.
fn feature_value(sounding: &MusicSnapshot, feature: Feature) -> Option<(Route, f32)> {
    sounding.features.iter().find(|(route, _)| route.to == feature).copied()
}

/// Names the input of a route, which is the cause of the sound: total work, or the label of a
/// signal.
fn cause(route: &Route) -> String {
    match route.input {
        Input::Work => "total work".to_owned(),
        Input::Signal(signal) => signal.info().label.to_owned(),
    }
}

/// Writes one sentence about the machine or the site.
fn sentence(state: &EngineState, standing_out: &[DeviatingSignal]) -> String {
    let SourceState::Up(info) = &state.source else {
        return "No source is available now.".to_owned();
    };
    if let (Some(shortfall), Scope::Selected { .. }) = (&info.shortfall, &info.scope) {
        return format!("{}.", capitalised(&shortfall.error));
    }
    if let Some(Shortfall { error, .. }) =
        state.single_host.as_ref().and_then(|single_host| single_host.shortfall.as_ref())
    {
        return format!("{}.", capitalised(error));
    }
    let hosts = state.site.as_ref().map_or(0, |site| site.live);
    if info.kind == SourceKind::Site && state.single_host.is_none() && hosts == 0 {
        return "No host of the site sends data now.".to_owned();
    }
    let subject = match (info.kind, state.plan.soloists_by_deviation().first(), &info.scope) {
        (SourceKind::Demo, ..) => "The demo".to_owned(),
        (SourceKind::Site, ..) if let Some(single_host) = &state.single_host => single_host.host.clone(),
        (SourceKind::Site, Some(solo), _) => format!("Of {}, {}", counted(hosts.into(), "host"), solo.host),
        (SourceKind::Site, None, _) => format!("The site of {}", counted(hosts.into(), "host")),
        (_, _, Scope::Machine) => "This machine".to_owned(),
        (_, _, scope) => capitalised(&scope_label(scope)),
    };
    match standing_out {
        _ if state.reading.is_none() => format!("{subject} has not been measured yet."),
        [] => match (state.plan.soloists_by_deviation().first(), &state.single_host) {
            // The displayed rate of a new soloist rises a moment after its notes start. Until then,
            // name the signal of the soloist.
            (Some(solo), None) => {
                format!("{subject} is doing more than usual: {}.", label(state, solo.signal))
            }
            _ => format!("{subject} is as quiet as usual."),
        },
        [most] => format!("{subject} is doing more than usual: {}.", most.label),
        [most, second, ..] => {
            format!("{subject} is doing more than usual: {} and {}.", most.label, second.label)
        }
    }
}

/// Capitalises the first letter, unless the text begins with the name of a systemd unit.
fn capitalised(text: &str) -> String {
    let is_name = text.split(' ').next().is_some_and(|word| word.contains('.'));
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !is_name => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

/// Writes the whole explanation as text for a terminal.
fn text(
    state: &EngineState,
    sentence: &str,
    standing_out: &[DeviatingSignal],
    heard: &[SoundPart],
) -> String {
    let mut text = format!("{sentence}\n");
    let mut line = |args: std::fmt::Arguments<'_>| {
        text.write_fmt(args).expect("writing to a string cannot fail");
        text.push('\n');
    };
    if let SourceState::Up(info) = &state.source {
        line(format_args!("Source: {}", info.detail));
        if info.scope != Scope::Machine {
            line(format_args!("Scope: only {}", scope_label(&info.scope)));
        }
    }
    if let Some(SingleHost { host, shortfall }) = &state.single_host {
        line(format_args!("Host: only {host}"));
        if let Some(Shortfall { error, fix }) = shortfall {
            line(format_args!("Why: {error}\nFix: {fix}"));
        }
    }
    if let SourceState::Down(shortfall) = &state.source {
        line(format_args!("Why: {}\nFix: {}", shortfall.error, shortfall.fix));
    }
    if state.silence.is_muted() {
        line(format_args!("The sound device is {}", state.silence));
    }
    if let Some(learnt) =
        state.reading.as_ref().map(|reading| reading.learnt).filter(|learnt| *learnt < 0.995)
    {
        line(format_args!("Learning the baseline: {:.0} % learned", 100.0 * learnt));
    }
    if state.baseline_frozen {
        line(format_args!("The baseline is frozen"));
    }
    if !standing_out.is_empty() {
        line(format_args!("\n{:<26}{:>14}{:>14}   factor", "Above usual", "now", "usual"));
        for DeviatingSignal { signal, label, rate, ordinary, deviation, times: factor, .. } in standing_out {
            let times = if is_zero_amount(ordinary) {
                "usually none".to_owned()
            } else {
                factor.map_or_else(|| times(*deviation), as_factor)
            };
            line(format_args!("  {signal:<7} {label:<15} {rate:>14}{ordinary:>14}   {times}"));
        }
    }
    let soloists = state.plan.soloists_by_deviation().into_iter().map(|solo| {
        let section =
            solo.section.as_ref().map_or_else(String::new, |section| format!(" of section {section}"));
        format!("{}{section}", solo.host)
    });
    let soloists = soloists.collect::<Vec<_>>().join(" and ");
    if !soloists.is_empty() {
        line(format_args!("The voices play {soloists}"));
    }
    if let Some(remark) = &state.plan.remark {
        line(format_args!("Mode: {remark}"));
    }
    let is_silent = |host: &&Host| host.silent;
    let silent = state.site.iter().flat_map(|site| &site.hosts).filter(is_silent);
    let silent: Vec<&str> = silent.map(|host| host.name.as_str()).take(4).collect();
    if !silent.is_empty() {
        line(format_args!("Stopped sending: {}", silent.join(", ")));
    }
    if let Some(CueEntry { ts_ms, kind, host, pid, comm, .. }) = state.cues.back() {
        let ago_s = now_unix_ms().saturating_sub(*ts_ms) / 1000;
        let whose = comm.as_ref().map_or_else(String::new, |comm| format!(" of {comm}"));
        let pid = pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
        let at = host.as_ref().map_or_else(String::new, |host| format!(" on {host}"));
        line(format_args!("\nLast cue: {kind}{whose}{pid}{at}, {ago_s} s ago"));
    }
    if !heard.is_empty() {
        line(format_args!("\nWhat you hear"));
        for SoundPart { layer, what, because } in heard {
            line(format_args!("  {layer:<6} {what:<28} {because}"));
        }
    }
    inert::lines(&wrapped(&text)).into_owned()
}

/// Wraps lines that are longer than [`COLUMNS`], for example long errors.
fn wrapped(text: &str) -> String {
    let options = textwrap::Options::new(COLUMNS).subsequent_indent("     ");
    let lines = text.lines().map(|line| match line.chars().count() {
        0..=COLUMNS => line.to_owned(),
        _ => textwrap::fill(line, &options),
    });
    lines.map(|line| line + "\n").collect()
}

/// Returns whether an [`amount`] reads as zero. A deviation from a baseline of zero cannot be given
/// as a factor.
pub fn is_zero_amount(amount: &str) -> bool {
    amount.strip_prefix("0.0").is_some_and(|unit| !unit.starts_with(|c: char| c.is_ascii_digit()))
}

/// Converts a deviation in octaves to a factor, such as `2.0 x`.
pub fn times(deviation: f32) -> String {
    as_factor(f64::from(deviation).exp2())
}

fn as_factor(factor: f64) -> String {
    match factor {
        _ if factor < 9.95 => format!("{factor:.1} x"),
        _ if factor < 999.5 => format!("{factor:.0} x"),
        _ => "> 999 x".to_owned(),
    }
}

/// Formats a rate with its unit, such as `24.1 MB/s`. An added lane may have any unit or none.
pub fn amount(unit: &str, rate: f64) -> String {
    let scaled = |unit: &str| match rate {
        r if r >= 1e9 => format!("{:.1} G{unit}", r / 1e9),
        r if r >= 1e6 => format!("{:.1} M{unit}", r / 1e6),
        r if r >= 1e3 => format!("{:.1} k{unit}", r / 1e3),
        r if (0.005..0.995).contains(&r) => format!("{r:.2} {unit}"),
        r => format!("{r:.1} {unit}"),
    };
    match unit {
        "ratio" => format!("{:.1} %", 100.0 * rate),
        "s" => format!("{:.1} ms", 1e3 * rate),
        "1/s" => scaled("/s").replace(" /s", "/s"),
        unit => scaled(unit).trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests;
