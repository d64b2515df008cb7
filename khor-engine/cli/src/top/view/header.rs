//! The header: the machine and its source, whether it sounds, and a sentence about the current
//! activity.

use khor_api::{AudioReport, HealthReport, SilenceReason, SourceReport};
use khor_signal::SourceKind;
use ratatui::{
    buffer::Buffer,
    layout::{Alignment, Rect},
    text::{Line, Span},
    widgets::Widget,
};

use super::primitives::put;
use crate::top::{
    state::{Link, State},
    theme::{DIM, STRONG, Theme},
};

pub(super) fn draw(area: Rect, buffer: &mut Buffer, state: &State, theme: Theme) {
    let mut rows = area.rows();
    if let Some(row) = rows.next() {
        draw_title(row, buffer, state, theme);
    }
    if area.height > 2
        && let (Some(row), Some(health)) = (rows.next(), &state.health)
    {
        draw_parts(row, buffer, health, theme);
    }
    if let Some(row) = rows.next() {
        draw_sentence(row, buffer, state, theme);
    }
}

fn draw_title(row: Rect, buffer: &mut Buffer, state: &State, theme: Theme) {
    let between = || Span::styled(format!(" {} ", theme.symbols.between), DIM);
    let host = state.health.as_ref().map_or("khor", |health| &health.host.name);
    let name = state.site().map_or_else(|| host.to_owned(), |site| format!("site {site}"));
    let mut title = Line::from(vec![Span::raw(" "), Span::styled(name, STRONG)]);
    if let Some(controls) = &state.controls {
        title.extend([between(), Span::raw(&controls.preset)]);
        title.extend([between(), Span::raw(format!("{} bpm", controls.bpm))]);
    }
    let (silence, learning) = (silence(state), learning(state));
    let columns = |text: &str| text.chars().count() + 2;
    // Without room for both, the silence is more important.
    let is_roomy = title.width() + columns(&silence) + columns(&learning) <= row.width.into();
    let badges = match (silence.is_empty(), learning.is_empty() || !is_roomy) {
        (_, true) => silence,
        (true, false) => learning,
        (false, false) => format!("{silence}, {learning}"),
    };
    let room = row.width.saturating_sub(columns(&badges) as u16);
    title.render(Rect { width: room, ..row }, buffer);
    let style = if state.link == Link::Up { STRONG } else { DIM };
    Line::styled(format!("{badges} "), style).alignment(Alignment::Right).render(row, buffer);
}

/// Why the sound device is silent; empty if it is not.
fn silence(state: &State) -> String {
    let Some(controls) = &state.controls else { return String::new() };
    let left_min = |until_ms: u64| until_ms.saturating_sub(state.ts_ms).div_ceil(60_000);
    match (controls.snoozed_until_ts_ms, controls.quiet_until_ts_ms) {
        (None, None) if controls.muted => "MUTED".to_owned(),
        (None, None) => String::new(),
        // A mute by hand lasts longer than a snooze and quiet hours.
        _ if controls.silence.as_ref().is_some_and(|silence| silence.reason == SilenceReason::Muted) => {
            "MUTED".to_owned()
        }
        (snooze, Some(quiet)) if snooze.is_none_or(|snooze| snooze <= quiet) => {
            format!("QUIET HOURS for {} min", left_min(quiet))
        }
        (snooze, _) => format!("SILENT for {} min", left_min(snooze.unwrap_or_default())),
    }
}

/// How much of the baseline is learnt.
fn learning(state: &State) -> String {
    let Some(HealthReport { baseline, .. }) = state.health.as_deref() else { return String::new() };
    if baseline.frozen {
        "learning is frozen".to_owned()
    } else if baseline.learning == Some(true) {
        format!("learning, {:.0} % known", 100.0 * baseline.learnt.unwrap_or_default())
    } else {
        String::new()
    }
}

fn draw_parts(row: Rect, buffer: &mut Buffer, health: &HealthReport, theme: Theme) {
    let (source, source_is_well) = source_text(&health.source);
    let (audio, audio_is_well) = audio_text(&health.audio);
    let style = |is_well| if is_well { DIM } else { theme.bad() };
    // A failing part comes first, because both may not fit.
    let mut parts = [(source, source_is_well), (audio, audio_is_well)];
    parts.sort_by_key(|(_, is_well)| *is_well);
    let [first, second] = parts.map(|(words, is_well)| Span::styled(words, style(is_well)));
    let between = Span::styled(format!(" {} ", theme.symbols.between), DIM);
    Line::from(vec![Span::raw(" "), first, between, second]).render(row, buffer);
}

/// Words for the source, and whether it works.
fn source_text(source: &SourceReport) -> (String, bool) {
    let words = match source.kind {
        Some(SourceKind::Collector) => "heard through the collector".to_owned(),
        Some(SourceKind::Proc) => "heard through /proc, without the collector".to_owned(),
        Some(SourceKind::Demo) => "synthetic demo, not this machine".to_owned(),
        Some(SourceKind::Site) => "many machines, heard through their relays".to_owned(),
        Some(SourceKind::Capture) => "a capture, not this machine now".to_owned(),
        None => "no source yet".to_owned(),
    };
    match (&source.trouble, source.interval_ms) {
        (Some(trouble), _) if !source.ok => (format!("! no source: {}", trouble.error), false),
        (_, Some(interval_ms)) => (format!("{words}, every {interval_ms} ms"), true),
        _ => (words, true),
    }
}

fn audio_text(audio: &AudioReport) -> (String, bool) {
    if !audio.health.enabled {
        return ("sound is off".to_owned(), true);
    }
    if !audio.health.ok {
        return (format!("! no sound: {}", audio.health.error().unwrap_or("it has not started")), false);
    }
    let device = audio.device.as_deref().unwrap_or("a device");
    let backend = audio.backend.as_ref().map_or_else(String::new, |backend| format!(" ({backend})"));
    (format!("sound on {device}{backend}"), true)
}

fn draw_sentence(row: Rect, buffer: &mut Buffer, state: &State, theme: Theme) {
    match &state.link {
        Link::Up => put(buffer, row, &format!(" {}", state.sentence), STRONG),
        Link::Connecting => put(buffer, row, " Looking for the engine.", STRONG),
        Link::Lost(why) => put(buffer, row, &format!(" ! Trying again: {why}"), theme.bad()),
    }
}
