//! Draws the header: the machine, the source, the sound device, and a sentence about the current
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
    // If the row is short, omit the progress of learning and show only why khor is silent.
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

/// Returns why the sound device is muted, or an empty text if it is not muted.
fn silence(state: &State) -> String {
    let Some(controls) = &state.controls else { return String::new() };
    let left_min = |until_ms: u64| until_ms.saturating_sub(state.ts_ms).div_ceil(60_000);
    match (controls.snoozed_until_ts_ms, controls.quiet_until_ts_ms) {
        (None, None) if controls.muted => "MUTED".to_owned(),
        (None, None) => String::new(),
        // If several causes mute the device, show the manual mute, because it does not end by
        // itself.
        _ if controls.silence.as_ref().is_some_and(|silence| silence.reason == SilenceReason::Muted) => {
            "MUTED".to_owned()
        }
        (snooze, Some(quiet)) if snooze.is_none_or(|snooze| snooze <= quiet) => {
            format!("QUIET HOURS for {} min", left_min(quiet))
        }
        (snooze, _) => format!("SILENT for {} min", left_min(snooze.unwrap_or_default())),
    }
}

/// Returns the progress of learning the baseline, or an empty text if the baseline is complete.
fn learning(state: &State) -> String {
    let Some(HealthReport { baseline, .. }) = state.health.as_deref() else { return String::new() };
    if baseline.frozen {
        "the baseline is frozen".to_owned()
    } else if baseline.learning == Some(true) {
        format!("learning the baseline, {:.0} % done", 100.0 * baseline.learnt.unwrap_or_default())
    } else {
        String::new()
    }
}

fn draw_parts(row: Rect, buffer: &mut Buffer, health: &HealthReport, theme: Theme) {
    let (source, source_is_well) = source_text(&health.source);
    let (audio, audio_is_well) = audio_text(&health.audio);
    let style = |is_well| if is_well { DIM } else { theme.bad() };
    // The row shows the source and the sound device. If one of them fails, show it first, because a
    // short row cuts off the second one.
    let mut parts = [(source, source_is_well), (audio, audio_is_well)];
    parts.sort_by_key(|(_, is_well)| *is_well);
    let [first, second] = parts.map(|(words, is_well)| Span::styled(words, style(is_well)));
    let between = Span::styled(format!(" {} ", theme.symbols.between), DIM);
    Line::from(vec![Span::raw(" "), first, between, second]).render(row, buffer);
}

/// Returns a text about the source, and true if the source works.
fn source_text(source: &SourceReport) -> (String, bool) {
    let words = match source.kind {
        Some(SourceKind::Collector) => "counts from the collector".to_owned(),
        Some(SourceKind::Proc) => "counts from /proc, without the collector".to_owned(),
        Some(SourceKind::Demo) => "synthetic demo, not this machine".to_owned(),
        Some(SourceKind::Site) => "hosts of a site, through their relays".to_owned(),
        Some(SourceKind::Capture) => "a capture, not this machine".to_owned(),
        None => "no source yet".to_owned(),
    };
    match (&source.trouble, source.interval_ms) {
        (Some(trouble), _) if !source.ok => (format!("! no source: {}", trouble.error), false),
        (_, Some(interval_ms)) => (format!("{words}, every {interval_ms} ms"), true),
        _ => (words, true),
    }
}

/// Returns a text about the sound device, and false if an enabled device does not work.
fn audio_text(audio: &AudioReport) -> (String, bool) {
    if !audio.health.enabled {
        return ("sound is off".to_owned(), true);
    }
    if !audio.health.ok {
        let reason = audio.health.error().unwrap_or("the sound device has not started");
        return (format!("! no sound: {reason}"), false);
    }
    let device = audio.device.as_deref().unwrap_or("a device");
    let backend = audio.backend.as_ref().map_or_else(String::new, |backend| format!(" ({backend})"));
    (format!("sound on {device}{backend}"), true)
}

fn draw_sentence(row: Rect, buffer: &mut Buffer, state: &State, theme: Theme) {
    match &state.link {
        Link::Up => put(buffer, row, &format!(" {}", state.sentence), STRONG),
        Link::Connecting => put(buffer, row, " Connecting to the engine.", STRONG),
        Link::Lost(why) => put(buffer, row, &format!(" ! Trying again: {why}"), theme.bad()),
    }
}
