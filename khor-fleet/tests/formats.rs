//! Tests that the bytes of each message do not change, because other versions and other programs
//! read them. Each file in `fixtures` was written by the version of the format that its name
//! states, and never changes.

use khor_fleet::{
    AddedLane, Change, Cue, Frame, LaneSketches, Message, Name, Section, Sections, Signal, SignalSketches,
    SiteFrame, Source, sketch::Sketch,
};

const FRAME_1_0: &[u8] = include_bytes!("fixtures/frame-1.0.bin");
const FRAME_1_1: &[u8] = include_bytes!("fixtures/frame-1.1.bin");
const CUE_1_0: &[u8] = include_bytes!("fixtures/cue-1.0.bin");
const SITE_1_0: &[u8] = include_bytes!("fixtures/site-1.0.bin");
const SITE_1_1: &[u8] = include_bytes!("fixtures/site-1.1.bin");

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// The signals of the fixture. Each signal differs from the others, and every fourth one is
/// missing.
fn signals() -> Vec<Option<Signal>> {
    let signal = |number: u8| Signal {
        rate: 1.5 * f32::from(number),
        baseline: 1.0 + f32::from(number),
        deviation: 100 - 37 * i16::from(number),
        level: 17 * number,
        surprise: 255 - number,
    };
    (0..15).map(|number| (number % 4 != 3).then(|| signal(number))).collect()
}

/// The frame of the fixtures, without added lanes, as in version 1.0.
fn frame() -> Frame {
    Frame {
        host: name("web-1"),
        section: Some(name("web")),
        boot_id: Some([9; 16]),
        instance: 70_000,
        seq: 300,
        monotonic_ms: 5,
        wall_ms: 1_790_000_000_000,
        version: "0.1.0".into(),
        source: Source::Proc,
        learnt: 200,
        signals: signals(),
        added: Vec::new(),
    }
}

fn added() -> Vec<AddedLane> {
    vec![AddedLane {
        name: "queue".into(),
        label: "jobs that wait".into(),
        family: 0,
        unit: "jobs".into(),
        voice: 6,
        grain: 0.5,
        signal: Signal { rate: 12.0, baseline: 3.0, deviation: 512, level: 128, surprise: 3 },
    }]
}

fn cue() -> Cue {
    Cue {
        host: name("web-1"),
        instance: 7,
        monotonic_ms: 1_000_000,
        wall_ms: 1_790_000_000_000,
        kind: "oom".into(),
        pid: Some(4711),
        comm: Some("postgres".into()),
        detail: None,
    }
}

/// The site frame of the fixtures, without sections, as in version 1.0.
fn site_frame() -> SiteFrame {
    let sketch = |bins: &[(u32, u32)]| Sketch { bins: bins.to_vec() };
    let lane =
        LaneSketches { deviation: sketch(&[(300, 2)]), level: sketch(&[]), surprise: sketch(&[(1, 1)]) };
    let rate = sketch(&[(2, 1), (3, 4)]);
    SiteFrame {
        site: name("rack-1"),
        instance: 7,
        seq: 1,
        wall_ms: 1_790_000_000_000,
        window_ms: 200,
        version: "0.1.0".into(),
        levels: SiteFrame::LEVELS,
        hosts: 3,
        silent: 1,
        refused: 2,
        parts: 16,
        learnt: sketch(&[(31, 3)]),
        signals: vec![Some(SignalSketches { rate: rate.clone(), baseline: rate, lane }), None],
        deviant: vec![FRAME_1_0.to_vec()],
        changes: vec![Change { name: name("web-1"), is_back: true, wall_ms: 5 }],
        sections: None,
    }
}

fn sections() -> Sections {
    let lane = site_frame().signals[0].clone().unwrap().lane;
    Sections { parts: 8, groups: vec![Section { name: None, hosts: 3, signals: vec![None, Some(lane)] }] }
}

#[test]
fn frame_1_0_is_read() {
    assert_eq!(Frame::read(FRAME_1_0), Ok(frame()));
}

/// A frame of version 1.1 without added lanes is one byte longer than the same frame in version
/// 1.0.
#[test]
fn frame_1_1_matches_its_fixture() {
    let frame_of = |added| Frame { added, ..frame() };
    assert_eq!(Frame::read(FRAME_1_1), Ok(frame_of(added())));
    assert_eq!(frame_of(added()).write().unwrap(), FRAME_1_1);
    let mut bytes = [FRAME_1_0, &[0]].concat();
    bytes[3] = 1;
    assert_eq!(frame().write().unwrap(), bytes);
}

/// A reader of version 1.0 skips the bytes that version 1.1 has appended.
#[test]
fn frame_1_1_extends_1_0() {
    assert_eq!(FRAME_1_1[4..FRAME_1_0.len()], FRAME_1_0[4..]);
    assert!(FRAME_1_1.len() <= khor_fleet::MAX_READ_BYTES);
}

#[test]
fn cue_matches_its_fixture() {
    assert_eq!(Cue::read(CUE_1_0), Ok(cue()));
    assert_eq!(cue().write().unwrap(), CUE_1_0);
}

#[test]
fn site_frame_1_0_is_read() {
    assert_eq!(SiteFrame::read(SITE_1_0), Ok(site_frame()));
}

#[test]
fn site_frame_1_1_matches_its_fixture() {
    let frame = SiteFrame { sections: Some(sections()), ..site_frame() };
    assert_eq!(SiteFrame::read(SITE_1_1), Ok(frame.clone()));
    assert_eq!(frame.write().unwrap(), SITE_1_1);
}
