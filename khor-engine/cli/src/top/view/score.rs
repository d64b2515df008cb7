//! Draws the score: the notes of the last bars, with one band for each layer, and the cues on top.
//! Time runs to the right, and the right edge is the current time. Each column is an eighth or a
//! sixteenth of a bar. A drawn note therefore moves to the left by whole columns, and keeps its
//! length.

use khor_api::NoteReport;
use khor_music::Layer;
use khor_signal::Family;
use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Position, Rect},
    style::{Modifier, Style},
};

use super::primitives::{heading, inset, put};
use crate::top::{
    state::State,
    theme::{DIM, Theme},
};

/// Width of the names of the layers, in columns.
const NAMES: u16 = 8;
/// Number of steps in a bar.
const STEPS: u32 = 16;
/// If the area has at least this many columns, each column shows one step of the music. In a
/// narrower area, it shows two steps.
const STEPS_FROM: u16 = 64;

/// Converts times to columns of the score.
struct Grid {
    column_ms: f64,
    columns_per_bar: u32,
    bar_ts_ms: f64,
    /// Number of columns from the start of the bar to the current time.
    now: i64,
    columns: u16,
}

impl Grid {
    fn of(state: &State, columns: u16) -> Option<Self> {
        let music = state.music?;
        let steps = if columns >= STEPS_FROM { 1 } else { 2 };
        let mut grid = Self {
            column_ms: music.step_ms.max(1.0) * f64::from(steps),
            columns_per_bar: STEPS / steps,
            bar_ts_ms: music.bar_ts_ms as f64,
            now: 0,
            columns,
        };
        grid.now = grid.count(state.ts_ms as f64);
        Some(grid)
    }

    /// Returns the number of columns from the start of the current bar to a time. It is negative
    /// for times before the bar.
    fn count(&self, ts_ms: f64) -> i64 {
        // Add a millionth, so that a rounding error does not move a note at the start of a column
        // into the column before.
        ((ts_ms - self.bar_ts_ms) / self.column_ms + 1e-6).floor() as i64
    }

    /// Returns the column of a time, counted from the left edge. It is negative for times before
    /// the left edge, and `None` for times after the current time.
    fn column(&self, ts_ms: f64) -> Option<i64> {
        let before_now = self.now - self.count(ts_ms);
        (before_now >= 0).then_some(i64::from(self.columns) - 1 - before_now)
    }

    /// Returns the columns in which bars start.
    fn bars(&self) -> impl Iterator<Item = i64> {
        let bar = i64::from(self.columns_per_bar);
        let newest = i64::from(self.columns) - 1 - self.now.rem_euclid(bar);
        (0..).map(move |back| newest - back * bar).take_while(|column| *column >= 0)
    }
}

pub(super) fn draw(area: Rect, buffer: &mut Buffer, state: &State, theme: Theme) {
    let grid = Grid::of(state, area.width.saturating_sub(NAMES));
    let bars = grid.as_ref().map_or(0, |grid| grid.bars().count());
    let words = if bars < 2 { "score".to_owned() } else { format!("score, the last {bars} bars") };
    let below = heading(buffer, area, theme, &words);
    let bands = Layout::vertical([
        Constraint::Max(if below.height >= 20 { 2 } else { 1 }),
        Constraint::Fill(5),
        Constraint::Fill(3),
        Constraint::Fill(4),
    ])
    .areas::<4>(below);
    let layers =
        [(Layer::Cues, "cues"), (Layer::Voices, "voices"), (Layer::Pulse, "pulse"), (Layer::Bed, "bed")];
    for ((layer, name), band) in layers.into_iter().zip(bands) {
        put(buffer, inset(band, 1), name, DIM);
        let Some(grid) = &grid else { continue };
        let roll = inset(band, NAMES);
        draw_bars(roll, buffer, grid, theme);
        draw_notes(roll, buffer, state, grid, theme, layer);
    }
    if let (Some(grid), Some(row)) = (&grid, inset(bands[0], NAMES).rows().next()) {
        let columns = state.cues.iter().filter_map(|cue| grid.column(cue.ts_ms as f64));
        for column in columns {
            mark(row, buffer, column, 0, theme.symbols.cue, theme.bad());
        }
    }
}

fn draw_bars(roll: Rect, buffer: &mut Buffer, grid: &Grid, theme: Theme) {
    for column in grid.bars() {
        for row in 0..roll.height {
            mark(roll, buffer, column, row, theme.symbols.bar, DIM);
        }
    }
}

/// Draws the notes of a layer. The starts of all notes are drawn last, so that a long note does not
/// cover the start of another note.
fn draw_notes(roll: Rect, buffer: &mut Buffer, state: &State, grid: &Grid, theme: Theme, layer: Layer) {
    let left = |note: &NoteReport| grid.column(note.ts_ms as f64);
    let end_ms = |note: &NoteReport| note.ts_ms as f64 + 1e3 * f64::from(note.duration_s);
    let right = |note: &NoteReport| grid.column(end_ms(note)).unwrap_or(i64::from(grid.columns) - 1);
    let notes: Vec<&NoteReport> = state
        .notes
        .iter()
        .filter(|note| note.layer == layer && left(note).is_some() && right(note) >= 0)
        .collect();
    let range = Range::of(&notes);
    let family = |note: &NoteReport| -> Option<Family> { Some(state.signal(note.signal.as_ref()?)?.family) };
    let style = |note: &NoteReport| {
        let style = match family(note) {
            Some(family) => theme.family(family),
            None if layer == Layer::Cues => theme.bad(),
            None => Style::new(),
        };
        let sounds = end_ms(note) > state.ts_ms as f64;
        if sounds { style.add_modifier(Modifier::BOLD) } else { style }
    };
    for note in &notes {
        for column in left(note).unwrap_or(0).max(0)..=right(note) {
            mark(roll, buffer, column, range.row(note.midi, roll.height), theme.symbols.hold, style(note));
        }
    }
    for note in &notes {
        let sign = match family(note) {
            Some(family) => theme.shape(family),
            None if layer == Layer::Cues => theme.symbols.cue,
            None => theme.symbols.note,
        };
        mark(roll, buffer, left(note).unwrap_or(-1), range.row(note.midi, roll.height), sign, style(note));
    }
}

/// The MIDI notes that the lowest and the highest row show.
struct Range {
    low: u8,
    high: u8,
}

impl Range {
    /// Returns a range that contains these notes. It has at least two whole octaves, so that it
    /// rarely changes.
    fn of(notes: &[&NoteReport]) -> Self {
        let low = notes.iter().map(|note| note.midi).min().unwrap_or(48) / 12 * 12;
        let high = notes.iter().map(|note| note.midi).max().unwrap_or(72);
        Self { low, high: (high / 12 * 12).saturating_add(12).max(low.saturating_add(24)) }
    }

    /// Returns the row of a MIDI note, counted from the top.
    fn row(&self, midi: u8, rows: u16) -> u16 {
        let height = f32::from(midi.saturating_sub(self.low)) / f32::from(self.high - self.low);
        (f32::from(rows.saturating_sub(1)) * (1.0 - height.min(1.0))).round() as u16
    }
}

/// Draws one character, unless its position is outside the area.
fn mark(roll: Rect, buffer: &mut Buffer, column: i64, row: u16, sign: &str, style: Style) {
    let Ok(column) = u16::try_from(column) else { return };
    let at = Position::new(roll.x.saturating_add(column), roll.y.saturating_add(row));
    if roll.contains(at)
        && let Some(cell) = buffer.cell_mut(at)
    {
        cell.set_symbol(sign).set_style(style);
    }
}
