//! Draws the help over the frame. It lists the keys and the shape of each family of signals.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Rect},
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph, Widget},
};

use crate::top::{
    keys::KEYS,
    state::State,
    theme::{FAMILIES, STRONG, Theme},
};

/// Width of the help, in columns.
const COLUMNS: u16 = 52;

pub(super) fn draw(area: Rect, buffer: &mut Buffer, state: &State, theme: Theme) {
    let keys = KEYS.iter().map(|(key, _, meaning)| {
        Line::from(vec![Span::styled(format!("  {key}  "), STRONG), Span::raw(*meaning)])
    });
    let shapes = FAMILIES.into_iter().map(|family| {
        let lanes = state.lanes.iter().filter(|lane| lane.now.family == family);
        let names = lanes.map(|lane| lane.name.as_str()).collect::<Vec<_>>().join(", ");
        Line::from(vec![
            Span::styled(format!("  {}  ", theme.shape(family)), theme.family(family)),
            Span::raw(names),
        ])
    });
    let lines: Vec<Line<'_>> = keys.chain([Line::default()]).chain(shapes).collect();
    let rows = lines.len() as u16 + 2;
    let place = area.centered(Constraint::Length(COLUMNS), Constraint::Length(rows));
    Clear.render(place, buffer);
    let block = Block::bordered().border_set(theme.symbols.border).title(" khor top ");
    Paragraph::new(lines).block(block).render(place, buffer);
}
