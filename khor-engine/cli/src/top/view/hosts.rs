//! Draws the hosts of a site, the largest deviation first. Shows which hosts the voices play, which
//! hosts are silent, and the problems of each host.

use khor_api::{FleetReport, HostReport, HostState};
use khor_engine::engine::{NOTABLE_OCTAVES, times};
use khor_system::words::counted;
use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::Widget,
};

use super::primitives::{heading, put};
use crate::top::{
    state::State,
    theme::{DIM, STRONG, Theme},
};

/// If the area has at least this many columns, sections and bars are also shown.
const ROOMY: u16 = 66;
/// Length of the longest bar, in columns.
const BAR: u16 = 8;
/// If a host deviates by at least this many octaves, its bar has its full length.
const WHOLE_BAR: f32 = 10.0;
/// Number of silent hosts that the last row names. The others are counted as "and N more".
const NAMED: usize = 4;

pub(super) fn draw(area: Rect, buffer: &mut Buffer, state: &State, theme: Theme) {
    let Some(fleet) = &state.fleet else {
        heading(buffer, area, theme, "hosts");
        return;
    };
    let room = usize::from(area.height.saturating_sub(1));
    let silent: Vec<&HostReport> = fleet.hosts.iter().filter(|host| is_silent(host)).collect();
    let is_cut = fleet.hosts.len() > room;
    // If not all hosts fit and some are silent, reserve the last row for the names of the silent
    // hosts.
    let rows = if is_cut && !silent.is_empty() { room.saturating_sub(1) } else { room };
    let visible = rows.min(fleet.hosts.len() - silent.len());
    let words = match (&fleet.site, fleet.live as usize > visible) {
        (None, _) => "hosts".to_owned(),
        (_, true) => {
            format!("{visible} of {}, the largest deviation first", counted(fleet.live.into(), "host"))
        }
        (_, false) => "hosts, the largest deviation first".to_owned(),
    };
    let mut below = heading(buffer, area, theme, &words);
    if fleet.hosts.is_empty() {
        let trouble = fleet.trouble.as_ref();
        let [row, fix] = Layout::vertical([Constraint::Length(1); 2]).areas(below);
        put(
            buffer,
            row,
            &format!(" {}", trouble.map_or("no host has sent a message yet", |trouble| &trouble.error)),
            STRONG,
        );
        let words = trouble.and_then(|trouble| trouble.fix.as_deref()).unwrap_or_default();
        put(buffer, fix, &format!(" {words}"), DIM);
        return;
    }
    for host in in_order(fleet).into_iter().filter(|host| !is_cut || !is_silent(host)).take(rows) {
        draw_host(Rect { height: 1, ..below }.intersection(below), buffer, host, state, fleet, theme);
        below = Rect { y: below.y + 1, height: below.height.saturating_sub(1), ..below };
    }
    if is_cut && !silent.is_empty() {
        put(buffer, below, &format!(" {} silent: {}", theme.symbols.silent, named(&silent)), theme.bad());
    }
}

/// Returns the hosts in the order of their rows: first unusual hosts in the engine's order, then
/// usual hosts, then silent hosts. Usual hosts and silent hosts are sorted by name, so that their
/// rows do not move.
fn in_order(fleet: &FleetReport) -> Vec<&HostReport> {
    let mut hosts: Vec<&HostReport> = fleet.hosts.iter().collect();
    hosts.sort_by_key(|host| match unusual(host) {
        Some(_) => (0, ""),
        None => (1 + u8::from(is_silent(host)), host.name.as_str()),
    });
    hosts
}

/// Returns the host's deviation in octaves, if the deviation is notable.
fn unusual(host: &HostReport) -> Option<f32> {
    host.deviation.filter(|octaves| *octaves >= NOTABLE_OCTAVES && !is_silent(host))
}

fn is_silent(host: &HostReport) -> bool {
    host.state == HostState::Silent
}

fn named(hosts: &[&HostReport]) -> String {
    let names: Vec<&str> = hosts.iter().take(NAMED).map(|host| host.name.as_str()).collect();
    let more = hosts.len().saturating_sub(NAMED);
    if more == 0 { names.join(", ") } else { format!("{} and {more} more", names.join(", ")) }
}

fn draw_host(
    row: Rect,
    buffer: &mut Buffer,
    host: &HostReport,
    state: &State,
    fleet: &FleetReport,
    theme: Theme,
) {
    let signal = host.signal.as_ref().and_then(|name| state.signal(name));
    let is_roomy = row.width >= ROOMY;
    let [sign, name, section, bar, words] = Layout::horizontal([
        Constraint::Length(3),
        Constraint::Length(if is_roomy { 16 } else { 14 }),
        Constraint::Length(if is_roomy { 9 } else { 0 }),
        Constraint::Length(if is_roomy { BAR + 1 } else { 0 }),
        Constraint::Fill(1),
    ])
    .areas(row);
    let has_voices = fleet.soloists.contains(&host.name);
    let is_alone = fleet.alone.as_ref().is_some_and(|alone| alone.host == host.name);
    let octaves = unusual(host);
    let family = signal.map(|signal| signal.family);
    let (mark, style) = match (octaves.and(family), is_silent(host)) {
        (_, true) => (theme.symbols.silent, theme.bad()),
        (Some(family), false) => (theme.shape(family), theme.family(family)),
        (None, false) => (theme.symbols.between, DIM),
    };
    put(buffer, sign, &format!(" {mark} "), style);
    put(buffer, name, &host.name, if octaves.is_some() { STRONG } else { Style::new() });
    put(buffer, section, host.section.as_deref().unwrap_or_default(), DIM);
    let columns = octaves.map_or(0.0, |octaves| (octaves / WHOLE_BAR).min(1.0) * f32::from(BAR));
    put(buffer, bar, &theme.symbols.bars.full.repeat(columns.round() as usize), style);
    let mut spans = vec![Span::styled(
        state_text(host, octaves, signal.map_or("", |signal| &signal.label)),
        if octaves.is_some() { STRONG } else { DIM },
    )];
    if is_alone {
        spans.push(Span::styled("  plays alone", STRONG));
    } else if has_voices {
        spans.push(Span::styled(format!("  {} voices", theme.symbols.voices), STRONG));
    }
    spans
        .extend(problem(host).into_iter().map(|problem| Span::styled(format!("  ! {problem}"), theme.bad())));
    Line::from(spans).render(words, buffer);
}

fn state_text(host: &HostReport, octaves: Option<f32>, label: &str) -> String {
    match octaves {
        _ if is_silent(host) => format!("silent for {}", duration_text(host.seen_ms_ago)),
        Some(octaves) => format!("{} usual {label}", times(octaves)),
        None => "as usual".to_owned(),
    }
}

/// Returns the problem with a host's messages, if any: a duplicate name or a wrong clock.
fn problem(host: &HostReport) -> Option<String> {
    let way = if host.clock_behind_ms > 0 { "behind" } else { "ahead" };
    if host.used_twice {
        Some("two relays use this name".to_owned())
    } else if host.clock_off {
        Some(format!("clock {} {way}", duration_text(host.clock_behind_ms.unsigned_abs())))
    } else {
        None
    }
}

fn duration_text(ms: u64) -> String {
    match ms / 1000 {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7200 => format!("{} min", s / 60),
        s => format!("{} h", s / 3600),
    }
}
