//! Draws the lanes. Each lane shows the level over the last minute, the rate, and the deviation
//! from the baseline.

use khor_engine::engine::{NOTABLE_OCTAVES, amount as amount_of, is_zero_amount, times};
use ratatui::{
    buffer::Buffer,
    layout::{Alignment, Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Sparkline, Widget},
};

use super::primitives::{heading, put};
use crate::top::{
    state::{HISTORY_MS, Lane, State},
    theme::{DIM, STRONG, Theme},
};

/// If the area has at least this many columns, labels and long words are also shown.
const ROOMY: u16 = 66;
/// Number of columns before a name: the shape of the family, and the space around the shape.
const MARK: u16 = 4;
/// Minimum width of a shape with its name, in columns. The names of all signals fit into this
/// width.
const SHORTEST_NAME: u16 = 11;
/// Maximum width of a shape with its name, in columns. It limits added lanes, whose names may be
/// long.
const LONGEST_NAME: u16 = 20;
/// If the area has at least this many columns, the level over time is also shown.
const PICTURE_FROM: u16 = 34;

/// The width of each part of a lane, in columns.
struct Columns {
    name: u16,
    label: u16,
    picture: Constraint,
    rate: u16,
    deviation: u16,
}

impl Columns {
    /// Computes the widths for an area of `width` columns and names of at most `longest_name`
    /// bytes.
    fn of(width: u16, longest_name: usize) -> Self {
        let is_roomy = width >= ROOMY;
        let longest = if is_roomy { LONGEST_NAME } else { SHORTEST_NAME };
        Self {
            name: (MARK + longest_name as u16).clamp(SHORTEST_NAME, longest),
            label: if is_roomy { 16 } else { 0 },
            picture: if width >= PICTURE_FROM { Constraint::Fill(1) } else { Constraint::Length(0) },
            rate: 11,
            deviation: if is_roomy { 14 } else { 8 },
        }
    }
}

pub(super) fn draw(area: Rect, buffer: &mut Buffer, state: &State, theme: Theme, rows: u16) {
    let room = usize::from(area.height.saturating_sub(1) / rows);
    let lanes = visible_lanes(&state.lanes, room);
    let words = match state.lanes.len() {
        0 => "signals".to_owned(),
        all if all > lanes.len() => format!("signals, {} of {all}", lanes.len()),
        _ => "signals, the last minute".to_owned(),
    };
    let below = heading(buffer, area, theme, &words);
    let longest_name = state.lanes.iter().map(|lane| lane.name.len()).max().unwrap_or(0);
    let columns = Columns::of(below.width, longest_name);
    for (number, lane) in lanes.into_iter().enumerate() {
        let rect = Rect { y: below.y + rows * number as u16, height: rows, ..below };
        draw_lane(rect.intersection(below), buffer, lane, &columns, state.ts_ms, theme);
    }
}

/// Selects the lanes with the largest deviations, at most `room` of them. Returns them in the order
/// of `lanes`.
fn visible_lanes(lanes: &[Lane], room: usize) -> Vec<&Lane> {
    let mut by_deviation: Vec<usize> = (0..lanes.len()).collect();
    let deviation = |i: &usize| lanes[*i].now.deviation.unwrap_or(f32::NEG_INFINITY);
    by_deviation.sort_by(|a, b| deviation(b).total_cmp(&deviation(a)));
    by_deviation.truncate(room);
    by_deviation.sort_unstable();
    by_deviation.into_iter().map(|i| &lanes[i]).collect()
}

fn draw_lane(area: Rect, buffer: &mut Buffer, lane: &Lane, columns: &Columns, ts_ms: u64, theme: Theme) {
    let [name, label, picture, rate, deviation] = Layout::horizontal([
        Constraint::Length(columns.name),
        Constraint::Length(columns.label),
        columns.picture,
        Constraint::Length(columns.rate),
        Constraint::Length(columns.deviation),
    ])
    .areas(area);
    let family = theme.family(lane.now.family);
    let shape = Span::styled(format!(" {} ", theme.shape(lane.now.family)), family);
    let missing = lane.now.reason.as_ref();
    let stands_out = lane.now.deviation.is_some_and(|deviation| deviation >= NOTABLE_OCTAVES);
    let weight = match missing {
        Some(_) => DIM,
        None if stands_out => STRONG,
        None => Style::new(),
    };
    Line::from(vec![shape, Span::styled(lane.name.as_str(), weight)]).render(name, buffer);
    put(buffer, label, &lane.now.label, DIM);
    if let Some(reason) = missing {
        put(buffer, picture.union(deviation), &format!("missing: {reason}"), DIM);
        return;
    }
    draw_picture(picture, buffer, lane, ts_ms, theme, family);
    let amount = lane.now.rate.map_or_else(String::new, |rate| amount_of(&lane.now.unit, rate));
    right(rate, buffer, &amount, weight);
    let usual = lane.now.baseline.map(|baseline| amount_of(&lane.now.unit, baseline));
    let is_new = usual.is_some_and(|usual| is_zero_amount(&usual));
    let words = lane
        .now
        .deviation
        .map_or_else(String::new, |octaves| deviation_text(octaves, columns.label > 0, is_new));
    right(deviation, buffer, &words, if stands_out { STRONG } else { DIM });
}

/// Writes a text that compares a lane with its baseline. `is_roomy` selects the long form. `is_new`
/// is true if the baseline reads as zero, so that no factor can be given.
fn deviation_text(octaves: f32, is_roomy: bool, is_new: bool) -> String {
    match (octaves.abs() < NOTABLE_OCTAVES, is_roomy) {
        (true, true) => "as usual".to_owned(),
        (true, false) => "usual".to_owned(),
        (false, true) if is_new && octaves > 0.0 => "usually none".to_owned(),
        (false, false) if is_new && octaves > 0.0 => "new".to_owned(),
        (false, true) => format!("{} usual", times(octaves)),
        (false, false) => times(octaves),
    }
}

fn right(area: Rect, buffer: &mut Buffer, text: &str, style: Style) {
    Line::styled(text, style).alignment(Alignment::Right).render(area, buffer);
}

/// Draws the level over time. Each column shows the highest level of its interval. The intervals
/// start at fixed times, so a drawn column moves but does not change.
fn draw_picture(area: Rect, buffer: &mut Buffer, lane: &Lane, ts_ms: u64, theme: Theme, style: Style) {
    let columns = u64::from(area.width);
    if columns == 0 {
        return;
    }
    let column_ms = HISTORY_MS / columns;
    let first = (ts_ms / column_ms + 1).saturating_sub(columns);
    let mut highest: Vec<Option<f32>> = vec![None; usize::from(area.width)];
    for (at_ms, level) in &lane.past {
        let (Some(column), Some(level)) = ((at_ms / column_ms).checked_sub(first), *level) else { continue };
        if let Some(highest) = highest.get_mut(column as usize) {
            *highest = Some(highest.map_or(level, |before| before.max(level)));
        }
    }
    // A level of 0 is drawn one eighth of a row high, to distinguish it from a missing level.
    let most = 8 * u64::from(area.height);
    let eighths = |level: f32| 1 + (level.clamp(0.0, 1.0) * (most - 1) as f32).round() as u64;
    Sparkline::default()
        .data(highest.into_iter().map(|level| level.map(eighths)))
        .max(most)
        .bar_set(theme.symbols.bars.clone())
        .absent_value_symbol(" ")
        .style(style)
        .render(area, buffer);
}
