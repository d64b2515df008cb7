//! Tests of captures with added lanes: round trips, damage, hostile content, and reading by an
//! older khor.

use khor_signal::{
    Catalogue, Counter, Family, Frame, LaneDefinition, LaneId, LevelCurve, Prior, Scale, VoiceHint,
};
use proptest::{collection::vec, prelude::*};

use super::{
    HEADING, Recorded,
    block::pack,
    bytes::put_number,
    lanes::{LaneValues, put_definitions},
    tags::{kind, part, tag},
    tests::{block_starts, origin, read, written},
};
use crate::SourceKind;

fn definition(name: &str) -> LaneDefinition {
    LaneDefinition {
        name: name.to_owned(),
        label: format!("the lane \"{name}\""),
        family: Family::Disk,
        unit: "1/s".to_owned(),
        scale: Scale {
            grain: 0.5,
            ceiling: 1e6,
            prior: Prior { median: 1.0, p99: 5.0 },
            curve: LevelCurve::Log { unit: 0.25 },
        },
        voice: VoiceHint::Disk,
    }
}

/// Creates a catalogue with this number of added lanes.
fn catalogue(added: usize) -> Catalogue {
    let mut catalogue = Catalogue::kernel();
    for number in 0..added {
        catalogue.add(definition(&format!("lane-{number}"))).unwrap();
    }
    catalogue
}

/// Creates the frame at `step` × 100 ms, with values of `added` lanes. Every fifth value of a lane
/// is missing.
fn frame(step: u64, added: usize) -> Frame {
    let mut frame = Frame::new(step * 100_000_000, Counter::ALL.map(|_| Some(step)));
    for number in (0..added).filter(|number| !(step as usize + number).is_multiple_of(5)) {
        let value = step as f64 * 0.1 + number as f64;
        frame.added.set(LaneId::of_added(number).unwrap(), Some(value));
    }
    frame
}

/// A capture of two sources. The first source begins without added lanes. Later it has two added
/// lanes, and then three. The second source has one added lane.
fn pieces() -> Vec<Recorded> {
    let mut pieces = vec![Recorded::Start(origin(SourceKind::Collector))];
    let frames = |steps: std::ops::Range<u64>, added| steps.map(move |step| frame(step, added));
    pieces.extend(frames(0..15, 0).map(Recorded::Frame));
    pieces.push(Recorded::Lanes(catalogue(2)));
    pieces.extend(frames(15..35, 2).map(Recorded::Frame));
    pieces.push(Recorded::Lanes(catalogue(3)));
    pieces.extend(frames(35..60, 3).map(Recorded::Frame));
    pieces.push(Recorded::Start(origin(SourceKind::Demo)));
    pieces.push(Recorded::Lanes(catalogue(1)));
    pieces.extend(frames(60..75, 1).map(Recorded::Frame));
    pieces
}

#[test]
fn lanes_and_values_round_trip() {
    let pieces = pieces();
    let (read, errors) = read(&written(&pieces, false));
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(read, pieces);
}

/// Returns the frames of a capture, each with its catalogue.
fn frames(pieces: &[Recorded]) -> Vec<(Frame, Catalogue)> {
    let mut catalogue = Catalogue::kernel();
    let mut frames = Vec::new();
    for piece in pieces {
        match piece {
            Recorded::Start(_) => catalogue = Catalogue::kernel(),
            Recorded::Lanes(lanes) => catalogue = lanes.clone(),
            Recorded::Frame(frame) => frames.push((frame.clone(), catalogue.clone())),
            Recorded::Cue(_) | Recorded::Lost { .. } => {}
        }
    }
    frames
}

#[test]
fn a_damaged_block_changes_no_other_values() {
    let (file, whole) = (written(&pieces(), false), frames(&pieces()));
    for start in block_starts(&file).iter().rev().skip(1) {
        let mut flipped = file.clone();
        flipped[start + 20] ^= 1;
        let (read, errors) = read(&flipped);
        assert_eq!(errors.len(), 1, "{errors:?}");
        let read = frames(&read);
        assert!(read.len() + 12 >= whole.len(), "{} of {}", read.len(), whole.len());
        for frame in read {
            assert!(whole.contains(&frame), "a frame changed: {frame:?}");
        }
    }
}

#[test]
fn values_of_undefined_lanes_are_dropped() {
    let mut pieces = vec![Recorded::Start(origin(SourceKind::Collector)), Recorded::Lanes(catalogue(1))];
    pieces.push(Recorded::Frame(frame(1, 3)));
    pieces.push(Recorded::Frame(frame(2, 3)));
    let (read, errors) = read(&written(&pieces, false));
    assert!(errors.is_empty(), "{errors:?}");
    let added = frames(&read).into_iter().map(|(frame, _)| frame.added);
    let expected = [frame(1, 1), frame(2, 1)].map(|frame| frame.added);
    assert!(added.eq(expected), "{read:?}");
}

#[test]
fn infinite_values_and_nan_are_missing() {
    let first = LaneId::of_added(0).unwrap();
    for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut frame = frame(1, 2);
        frame.added.set(first, Some(broken));
        let start = [Recorded::Start(origin(SourceKind::Demo)), Recorded::Lanes(catalogue(2))];
        let (read, _) = read(&written(&[&start[..], &[Recorded::Frame(frame)]].concat(), false));
        assert_eq!(frames(&read)[0].0.added.get(first), Some(&None));
    }
}

/// Creates a capture that contains one block of source 1 with these bytes.
fn file(block: &[u8]) -> Vec<u8> {
    let mut raw = vec![1];
    raw.extend_from_slice(block);
    [&HEADING[..], &pack(&raw)].concat()
}

fn put_json(bytes: &mut Vec<u8>, number: u64, json: &str) {
    bytes.extend([tag::CUE, kind::LANE, part::COMM | part::DETAIL, 0]);
    put_number(bytes, json.len() as u64);
    bytes.extend_from_slice(json.as_bytes());
    put_number(bytes, number);
}

#[test]
fn invalid_definitions_are_reported_as_damage() {
    let json = |name: &str| serde_json::to_string(&definition(name)).unwrap();
    let long = json(&"x".repeat(33));
    for (number, text) in [
        (0, "{}"),
        (0, "no JSON"),
        (0, long.as_str()),
        (0, &json("rx")),
        (1, &json("a")),
        (u64::from(u32::MAX), &json("a")),
    ] {
        let mut bytes = Vec::new();
        put_json(&mut bytes, number, text);
        let errors = read(&file(&bytes)).1;
        assert!(errors[0].to_string().contains("a block has invalid content"), "{text}: {errors:?}");
    }
    let mut bytes = Vec::new();
    put_json(&mut bytes, 0, &json("a"));
    put_json(&mut bytes, 0, &json("b"));
    assert_eq!(read(&file(&bytes)).1.len(), 1, "two names for one lane");
}

#[test]
fn too_many_lanes_are_reported_as_damage() {
    let mut bytes = Vec::new();
    for number in 0..=LaneId::MAX_ADDED {
        let json = serde_json::to_string(&definition(&format!("l{number}"))).unwrap();
        put_json(&mut bytes, number as u64, &json);
    }
    let (read, errors) = read(&file(&bytes));
    assert!(!read.iter().any(|piece| matches!(piece, Recorded::Lanes(_))), "{read:?}");
    assert!(errors[0].to_string().contains("a block has invalid content"), "{errors:?}");
}

/// An older khor takes the entries of lanes for cues of unknown kinds, and skips them.
#[test]
fn older_khor_skips_added_lanes() {
    let mut bytes = Vec::new();
    let definitions = catalogue(2);
    put_definitions(&mut bytes, &definitions);
    LaneValues::default().put(&mut bytes, &frame(1, 2).added);
    let (mut rest, mut entries) = (bytes.as_slice(), 0);
    while let [tag::CUE, number, parts, 0, after @ ..] = rest {
        assert!(*number > 100, "no cue has this kind: {number}");
        rest = after;
        if parts & part::COMM != 0 {
            let length = usize::from(rest[0] & 0x7f) + (usize::from(rest[1]) << 7);
            assert!(rest[0] > 0x7f && length <= 1024, "a text whose length takes two bytes");
            rest = &rest[2 + length..];
        }
        if parts & part::CGROUP != 0 {
            rest = &rest[1 + rest.iter().position(|byte| byte & 0x80 == 0).unwrap()..];
        }
        assert_eq!(parts & !(part::COMM | part::CGROUP), part::DETAIL);
        rest = &rest[1..];
        entries += 1;
    }
    assert!(rest.is_empty() && entries == 4, "{entries} entries, then {rest:?}");
}

#[test]
fn longest_definitions_fit() {
    let mut longest = Catalogue::kernel();
    let prior = Prior { median: 1.234_567_890_123_456e-100, p99: 2.345_678_901_234_567e-100 };
    for number in 0..LaneId::MAX_ADDED {
        let lane = LaneDefinition {
            name: format!("{number:x>32}"),
            label: "\u{1f3b5}".repeat(48),
            unit: "\"".repeat(16),
            scale: Scale {
                grain: 1.234_567_890_123_456_7e-100,
                ceiling: 3e-100,
                prior,
                ..definition("a").scale
            },
            ..definition("a")
        };
        longest.add(lane).unwrap();
    }
    let mut pieces = vec![Recorded::Start(origin(SourceKind::Collector)), Recorded::Lanes(longest)];
    pieces.extend((0..30).map(|step| Recorded::Frame(frame(step, LaneId::MAX_ADDED))));
    let (read, errors) = read(&written(&pieces, false));
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(frames(&read).len(), 30);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_values_round_trip(rows in vec(vec((0..9usize, any::<f64>()), 0..9), 0..30)) {
        let mut pieces = vec![Recorded::Start(origin(SourceKind::Demo)), Recorded::Lanes(catalogue(9))];
        for (step, row) in (0..).zip(rows) {
            let mut frame = frame(step, 0);
            for (number, value) in row.into_iter().filter(|(_, value)| value.is_finite()) {
                frame.added.set(LaneId::of_added(number).unwrap(), Some(value));
            }
            pieces.push(Recorded::Frame(frame));
        }
        let (read, errors) = read(&written(&pieces, false));
        prop_assert!(errors.is_empty(), "{errors:?}");
        prop_assert_eq!(read, pieces);
    }

    /// Whatever a block contains, the number of lanes is limited, and their values are finite.
    #[test]
    fn hostile_lanes_break_nothing(
        entries in vec((any::<bool>(), 0u64..80, any::<u64>(), "[a-c]{0,2}"), 0..80),
        noise in vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = Vec::new();
        for (is_value, number, bits, name) in entries {
            if is_value {
                bytes.extend([tag::CUE, kind::LANE_VALUE, part::CGROUP | part::DETAIL, 0]);
                put_number(&mut bytes, bits);
                put_number(&mut bytes, number);
                bytes.extend([tag::FRAME, 0, 0]);
            } else {
                put_json(&mut bytes, number % 4, &serde_json::to_string(&definition(&name)).unwrap());
            }
        }
        bytes.extend(noise);
        for (frame, catalogue) in frames(&read(&file(&bytes)).0) {
            prop_assert!(frame.added.len() <= catalogue.added().len());
            prop_assert!(frame.added.values().flatten().all(|value| value.is_finite()));
        }
    }
}
