//! Text and headings that all parts of a frame use.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::Line,
    widgets::Widget,
};

use crate::top::theme::{DIM, Theme};

/// Text at the left of the first row, cut off at the edge.
pub(super) fn put(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    Line::styled(text, style).render(area, buffer);
}

/// A heading: a rule across the first row, with words in it. Returns the rows below.
pub(super) fn heading(buffer: &mut Buffer, area: Rect, theme: Theme, words: &str) -> Rect {
    let [rule, below] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    put(buffer, rule, &theme.symbols.rule.repeat(rule.width.into()), DIM);
    put(buffer, inset(rule, 1), &format!(" {words} "), DIM);
    below
}

/// Without so many columns at the left.
pub(super) fn inset(area: Rect, columns: u16) -> Rect {
    let columns = columns.min(area.width);
    Rect { x: area.x + columns, width: area.width - columns, ..area }
}
