//! Draws text and headings for all parts of a frame.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::Line,
    widgets::Widget,
};

use crate::top::theme::{DIM, Theme};

/// Draws text in the first row of the area. Text that is too long is cut off.
pub(super) fn put(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    Line::styled(text, style).render(area, buffer);
}

/// Draws a heading, which is a horizontal line with words. Returns the area below the heading.
pub(super) fn heading(buffer: &mut Buffer, area: Rect, theme: Theme, words: &str) -> Rect {
    let [rule, below] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    put(buffer, rule, &theme.symbols.rule.repeat(rule.width.into()), DIM);
    put(buffer, inset(rule, 1), &format!(" {words} "), DIM);
    below
}

/// Returns the area without its first `columns` columns.
pub(super) fn inset(area: Rect, columns: u16) -> Rect {
    let columns = columns.min(area.width);
    Rect { x: area.x + columns, width: area.width - columns, ..area }
}
