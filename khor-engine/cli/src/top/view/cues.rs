//! Draws the cues, which are events that the kernel reported. The newest cue comes first.

use khor_api::CueReport;
use khor_signal::Family;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use super::primitives::{heading, put};
use crate::top::{
    state::State,
    theme::{DIM, Theme},
};

pub(super) fn draw(area: Rect, buffer: &mut Buffer, state: &State, theme: Theme) {
    let below = heading(buffer, area, theme, "cues, reported by the kernel");
    if state.cues.is_empty() {
        put(buffer, below, "   none so far", DIM);
    }
    for (row, cue) in below.rows().zip(state.cues.iter().rev()) {
        draw_cue(row, buffer, cue, state.ts_ms, theme);
    }
}

fn draw_cue(row: Rect, buffer: &mut Buffer, cue: &CueReport, ts_ms: u64, theme: Theme) {
    let style = match cue.kind.as_str() {
        "exec" => theme.family(Family::Process),
        "retx" => theme.family(Family::Network),
        _ => theme.bad(),
    };
    let pid = cue.pid.map_or_else(String::new, |pid| format!("  pid {pid}"));
    let at = cue.host.as_ref().map_or_else(String::new, |host| format!("  at {host}"));
    Line::from(vec![
        Span::styled(format!(" {} ", theme.symbols.cue), style),
        Span::styled(format!("{:>10}  ", ago(ts_ms.saturating_sub(cue.ts_ms) / 1000)), DIM),
        Span::styled(format!("{:<8}", cue.kind), style),
        Span::styled(cue.comm.as_deref().unwrap_or_default(), Style::new()),
        Span::styled(pid, DIM),
        Span::styled(at, DIM),
    ])
    .render(row, buffer);
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        _ => format!("{} h ago", seconds / 3600),
    }
}
