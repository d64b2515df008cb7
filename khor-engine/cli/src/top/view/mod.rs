//! Draws a frame of `khor top` from the state. The frame has a header, a body, the cues and the
//! keys. The body shows the lanes and the score, or the hosts of a site. On a small terminal, the
//! least important parts are omitted.

mod cues;
mod header;
mod help;
mod hosts;
mod lanes;
mod primitives;
mod score;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::Widget,
};

use self::primitives::put;
use super::{
    keys::KEYS,
    state::{Link, State},
    theme::{DIM, STRONG, Theme},
};

/// If the area has at least this many columns, the score is shown next to the lanes.
const SCORE_FROM: u16 = 64;
/// Height that is reserved for cues below the lanes or the hosts, in rows.
const CUES: u16 = 4;
/// On the view of a site, the cues are shown below the hosts only if the hosts keep at least this
/// many rows.
const HOSTS: u16 = 8;
/// Maximum height of one lane, in rows.
const LANE_ROWS: u16 = 3;

/// Draws a whole frame.
pub(super) fn draw(area: Rect, buffer: &mut Buffer, state: &State, theme: Theme) {
    let header_rows = match area.height {
        0..6 => 1,
        6..12 => 2,
        _ => 3,
    };
    let footer_rows = u16::from(area.height >= 8);
    let [header, body, footer] = Layout::vertical([
        Constraint::Length(header_rows),
        Constraint::Fill(1),
        Constraint::Length(footer_rows),
    ])
    .areas(area);
    header::draw(header, buffer, state, theme);
    if state.shows_hosts() {
        draw_site(body, buffer, state, theme);
    } else {
        draw_body(body, buffer, state, theme);
    }
    if state.link != Link::Up {
        // Without a connection, the values are out of date, so they are dimmed.
        buffer.set_style(body, DIM);
    }
    draw_footer(footer, buffer, state);
    if state.help {
        help::draw(area, buffer, state, theme);
    }
}

fn draw_body(area: Rect, buffer: &mut Buffer, state: &State, theme: Theme) {
    let lanes = state.lanes.len().max(1) as u16;
    // Subtract two rows for the headings of the lanes and of the cues.
    let lane_rows = (area.height.saturating_sub(2 + CUES) / lanes).clamp(1, LANE_ROWS);
    let picture_rows = (1 + lanes * lane_rows).min(area.height);
    let [picture, cues] =
        Layout::vertical([Constraint::Length(picture_rows), Constraint::Fill(1)]).areas(area);
    let score_columns = if area.width >= SCORE_FROM { area.width * 2 / 5 } else { 0 };
    let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(score_columns)])
        .spacing(u16::from(score_columns > 0))
        .areas(picture);
    lanes::draw(left, buffer, state, theme, lane_rows);
    if score_columns > 0 {
        score::draw(right, buffer, state, theme);
    }
    if cues.height >= 2 {
        cues::draw(cues, buffer, state, theme);
    }
}

fn draw_site(area: Rect, buffer: &mut Buffer, state: &State, theme: Theme) {
    let cue_rows = if area.height >= HOSTS + CUES { 1 + CUES } else { 0 };
    let [hosts, cues] = Layout::vertical([Constraint::Fill(1), Constraint::Length(cue_rows)]).areas(area);
    hosts::draw(hosts, buffer, state, theme);
    if cue_rows > 0 {
        cues::draw(cues, buffer, state, theme);
    }
}

/// Draws the result of the last key press while it is visible. Otherwise draws the list of keys.
fn draw_footer(area: Rect, buffer: &mut Buffer, state: &State) {
    if let Some(message) = state.message() {
        put(buffer, area, &format!(" {message}"), STRONG);
        return;
    }
    let keys = KEYS.iter().flat_map(|(key, word, _)| {
        [Span::styled(format!(" {key}"), STRONG), Span::styled(format!(" {word} "), DIM)]
    });
    keys.collect::<Line<'_>>().render(area, buffer);
}
