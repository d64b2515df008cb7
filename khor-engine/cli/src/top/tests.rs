//! Tests frames of `khor top` that are drawn from recorded answers of real engines.
//!
//! `recorded.jsonl` contains answers of an engine that played a capture. They were read with `curl`
//! from /api/metrics, /api/stream, /api/health and /api/explain. `recorded-site.json` is the answer
//! to /api/fleet of an engine with three relays, one of which was killed. Some fields were added to
//! it later.

use std::fs;

use khor_api::{Explanation, HealthReport};
use khor_engine::engine::times;
use ratatui::{
    Terminal,
    backend::TestBackend,
    buffer::{Buffer, Cell},
    layout::Rect,
    style::Color,
};
use serde_json::Value;

use super::{
    feed::EngineEvent,
    state::{Link, State},
    theme::{ASCII, FAMILIES, Theme, UNICODE},
    view,
};

const RECORDED: &str = include_str!("recorded.jsonl");
const SITE: &str = include_str!("recorded-site.json");
const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide.md");

const COLOURED: Theme = Theme { colours: true, symbols: &UNICODE };
const PLAIN: Theme = Theme { colours: false, symbols: &ASCII };

fn events() -> Vec<EngineEvent> {
    let event = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let (kind, value) = line.as_object().unwrap().iter().next().unwrap();
        let value = value.clone();
        match kind.as_str() {
            "arrived" => EngineEvent::Connected(serde_json::from_value(value).unwrap()),
            "event" => EngineEvent::Metrics(serde_json::from_value(value).unwrap()),
            "health" => EngineEvent::Health(serde_json::from_value(value).unwrap()),
            "explain" => {
                EngineEvent::Sentence(serde_json::from_value::<Explanation>(value).unwrap().sentence)
            }
            other => panic!("{other}"),
        }
    };
    RECORDED.lines().map(event).collect()
}

/// Returns the health report of the recorded engine.
pub(crate) fn recorded_health() -> HealthReport {
    *recorded().health.expect("recorded.jsonl has a health report")
}

fn recorded() -> State {
    let mut state = State::new();
    for event in events() {
        state.apply(event);
    }
    state
}

/// Draws a frame for a terminal of this size.
fn frame(state: &State, theme: Theme, (columns, rows): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| view::draw(frame.area(), frame.buffer_mut(), state, theme)).unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(buffer.area.width.max(1).into());
    let row = |cells: &[Cell]| cells.iter().map(Cell::symbol).collect::<String>();
    rows.map(|cells| row(cells).trim_end().to_owned() + "\n").collect()
}

#[test]
fn the_guide_shows_a_frame() {
    let frame = text(&frame(&recorded(), COLOURED, (80, 24)));
    assert!(
        fs::read_to_string(GUIDE).unwrap().contains(&frame),
        "docs/guide.md must show this frame:\n{frame}"
    );
}

#[test]
fn a_large_frame_shows_everything() {
    let state = recorded();
    for (size, theme) in [((80, 24), COLOURED), ((80, 24), PLAIN), ((140, 45), COLOURED), ((200, 60), PLAIN)]
    {
        let text = text(&frame(&state, theme, size));
        println!("{text}");
        for lane in &state.lanes {
            assert!(text.contains(&format!("{} {}", theme.shape(lane.now.family), lane.name)), "{text}");
        }
        let host = &state.health.as_ref().unwrap().host.name;
        for word in [host, "bpm", &state.sentence, "usual", "voices", "pulse", "bed", "cues", "q quit"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        let cue = state.cues.back().unwrap();
        let pid = format!("pid {}", cue.pid.unwrap());
        assert!(text.contains(cue.comm.as_ref().unwrap()) && text.contains(&pid), "{text}");
    }
}

#[test]
fn frames_fit_every_size() {
    let mut state = recorded();
    for help in [false, true] {
        state.help = help;
        for columns in (0..40).chain([63, 64, 65, 79, 80, 139, 300]) {
            for rows in (0..30).chain([45, 100]) {
                let text = text(&frame(&state, PLAIN, (columns, rows)));
                assert!(
                    help || columns < 30 || rows < 8 || text.contains("q quit"),
                    "{columns} {rows}: {text}"
                );
            }
        }
    }
    // Check that drawing a frame before the first event does not panic.
    frame(&State::new(), COLOURED, (80, 24));
}

#[test]
fn frames_are_readable_without_colours() {
    let state = recorded();
    let coloured = frame(&state, COLOURED, (80, 24));
    let plain = frame(&state, Theme { colours: false, ..COLOURED }, (80, 24));
    assert_eq!(text(&coloured), text(&plain));
    assert!(plain.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert!(coloured.content.iter().any(|cell| cell.fg != Color::Reset));
    for theme in [COLOURED, PLAIN] {
        let mut shapes = FAMILIES.map(|family| theme.shape(family)).to_vec();
        shapes.sort_unstable();
        shapes.dedup();
        assert_eq!(shapes.len(), FAMILIES.len());
    }
    assert!(text(&frame(&state, PLAIN, (140, 45))).is_ascii());
}

#[test]
fn repeated_notes_are_kept_once() {
    let mut state = recorded();
    let (notes, cues) = (state.notes.len(), state.cues.len());
    assert!(notes > 0 && cues > 0);
    for event in events().into_iter().skip(1) {
        state.apply(event);
    }
    assert_eq!((state.notes.len(), state.cues.len()), (notes, cues));
    state.apply(EngineEvent::Disconnected("the event stream ended".into()));
    let lost = text(&frame(&state, COLOURED, (80, 24)));
    assert!(
        state.link == Link::Lost("the event stream ended".into()) && lost.contains("Trying again"),
        "{lost}"
    );
    state.apply(events().remove(0));
    assert_eq!(state.link, Link::Up);
    assert!(state.notes.len() <= notes, "only the notes of the reconnected engine remain");
}

#[test]
fn numbers_change_twice_a_second() {
    let (mut state, mut changes, mut shown) = (State::new(), 0, None);
    let (mut first_ms, mut levels) = (0, 0);
    for event in events() {
        state.apply(event);
        first_ms = if first_ms == 0 { state.ts_ms } else { first_ms };
        let rate = state.lanes.iter().find(|lane| lane.name == "csw").unwrap().now.rate;
        changes += u64::from(shown.is_some() && shown != Some(rate));
        shown = Some(rate);
        levels = state.lanes[0].past.len();
    }
    let most = (state.ts_ms - first_ms) / 500 + 1;
    assert!(
        (1..=most).contains(&changes),
        "the numbers changed {changes} times in {} ms",
        state.ts_ms - first_ms
    );
    assert!(levels > 50, "the drawn history has only {levels} levels");
}

#[test]
fn sites_show_their_hosts_first() {
    let mut state = recorded();
    state.apply(EngineEvent::Fleet(serde_json::from_str(SITE).unwrap()));
    for (theme, voices) in [(COLOURED, "♪ voices"), (PLAIN, "> voices")] {
        let text = text(&frame(&state, theme, (80, 24)));
        println!("{text}");
        let stands_out = format!("{} usual disk traffic", times(9.433_594));
        for words in ["site home", "web-2", &stands_out, voices, "silent for 7 s", "cues", "f fleet"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let row = |name: &str| text.lines().position(|line| line.contains(name));
        assert!(row("web-2 ") < row("web-1 ") && row("web-1 ") < row(" db"), "{text}");
    }
    let coloured = frame(&state, COLOURED, (80, 24));
    let plain = frame(&state, Theme { colours: false, ..COLOURED }, (80, 24));
    assert_eq!(text(&coloured), text(&plain), "colours must not change the text");
    let small = text(&frame(&state, COLOURED, (60, 4)));
    assert!(small.contains("1 of 2 hosts") && small.contains("silent: db"), "{small}");
    for columns in [0, 1, 3, 20, 65, 66, 80, 200] {
        for rows in 0..30 {
            frame(&state, PLAIN, (columns, rows));
        }
    }
    state.hosts = Some(false);
    assert!(
        text(&frame(&state, COLOURED, (80, 24))).contains("softirq"),
        "the signals must be visible after the user chose them"
    );
}

#[test]
fn smallest_frame_shows_the_mute() {
    let mut state = recorded();
    state.controls.as_mut().unwrap().muted = true;
    for size in [(24, 1), (40, 8), (80, 24)] {
        let text = text(&frame(&state, COLOURED, size));
        assert!(text.contains("MUTED") && text.contains("vm"), "{text}");
        assert_eq!(text.contains("learning"), size.0 == 80, "{text}");
    }
}

#[test]
fn small_frames_keep_the_most_deviant_lanes() {
    let mut state = recorded();
    let mut most = 0;
    for (number, lane) in state.lanes.iter_mut().enumerate() {
        lane.now.deviation = Some(0.1);
        if lane.name == "lat" {
            lane.now.reason = Some("no disk here".into());
        }
        if lane.name == "irq" {
            lane.now.deviation = Some(5.0);
            most = number;
        }
    }
    let whole = text(&frame(&state, COLOURED, (80, 24)));
    assert!(whole.contains("lat     missing: no disk here"), "{whole}");
    let small = text(&frame(&state, COLOURED, (60, 7)));
    assert!(small.contains(&state.lanes[most].name) && small.contains("32 x"), "{small}");
    let mut buffer = Buffer::empty(Rect::new(0, 0, 60, 7));
    view::draw(buffer.area, &mut buffer, &state, PLAIN);
    assert!(text(&buffer).contains("of 14"), "the heading must show the number of all lanes");
}
