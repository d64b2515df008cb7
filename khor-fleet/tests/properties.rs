//! Tests that the messages of a host can be written and read without a change, that they stay
//! within their maximum length, and that the reader never panics.

use khor_fleet::{
    AddedLane, Cue, Frame, MAX_CUE_BYTES, MAX_FRAME_BYTES, MAX_READ_BYTES, Message, Name, ReadError, SIGNALS,
    Signal, Source,
};
use khor_proto::inert::is_inert;
use proptest::{collection::vec, option, prelude::*};

fn name() -> impl Strategy<Value = Name> {
    vec(proptest::sample::select(&b"abcXYZ019-_"[..]), 1..=Name::MAX_LEN)
        .prop_map(|bytes| Name::new(String::from_utf8(bytes).unwrap()).unwrap())
}

fn signal() -> impl Strategy<Value = Signal> {
    (0.0f32..=f32::MAX, 0.0f32..1e12, any::<i16>(), any::<u8>(), any::<u8>()).prop_map(
        |(rate, baseline, deviation, level, surprise)| Signal { rate, baseline, deviation, level, surprise },
    )
}

fn frame() -> impl Strategy<Value = Frame> {
    let identity = (name(), option::of(name()), any::<Option<[u8; 16]>>(), any::<u32>(), any::<u64>());
    let state = ("[ -~]{0,16}", any::<u8>(), any::<u8>(), vec(option::of(signal()), 0..=SIGNALS.len()));
    (identity, any::<(u64, u64)>(), state).prop_map(|(identity, (monotonic_ms, wall_ms), state)| {
        let (host, section, boot_id, instance, seq) = identity;
        let (version, source, learnt, signals) = state;
        let source = Source::from(source);
        Frame {
            host,
            section,
            boot_id,
            instance,
            seq,
            monotonic_ms,
            wall_ms,
            version,
            source,
            learnt,
            signals,
            added: Vec::new(),
        }
    })
}

fn added() -> impl Strategy<Value = AddedLane> {
    let texts = ("[a-z0-9_.-]{1,32}", "[ -~]{0,48}", "[ -~]{0,16}");
    (texts, any::<(u8, u8)>(), 0.001f32..1e9, signal()).prop_map(
        |((name, label, unit), (family, voice), grain, signal)| AddedLane {
            name,
            label,
            family,
            unit,
            voice,
            grain,
            signal,
        },
    )
}

fn cue() -> impl Strategy<Value = Cue> {
    let event = ("[a-z]{0,16}", any::<Option<u32>>(), option::of("[ -~]{0,48}"), any::<Option<u32>>());
    (name(), any::<(u32, u64, u64)>(), event).prop_map(|(host, (instance, monotonic_ms, wall_ms), event)| {
        let (kind, pid, comm, detail) = event;
        Cue { host, instance, monotonic_ms, wall_ms, kind, pid, comm, detail }
    })
}

proptest! {
    #[test]
    fn messages_are_short_and_round_trip(frame in frame(), cue in cue()) {
        let bytes = frame.write().unwrap();
        prop_assert!(bytes.len() <= MAX_FRAME_BYTES);
        prop_assert_eq!(Frame::read(&bytes), Ok(frame));
        let bytes = cue.write().unwrap();
        prop_assert!(bytes.len() <= MAX_CUE_BYTES);
        prop_assert_eq!(Cue::read(&bytes), Ok(cue));
    }

    #[test]
    fn added_lanes_that_fit_round_trip(mut frame in frame(), added in vec(added(), 0..20)) {
        let bytes_without = frame.write().unwrap().len();
        frame.added.clone_from(&added);
        let removed = frame.fit();
        prop_assert_eq!(&frame.added, &added[..added.len() - removed]);
        let bytes = frame.write().unwrap();
        prop_assert!(bytes.len() <= MAX_READ_BYTES);
        prop_assert_eq!(Frame::read(&bytes), Ok(frame.clone()));
        if let Some(next) = added.get(frame.added.len()) {
            frame.added.push(next.clone());
            prop_assert!(frame.write().is_err() || frame.added.len() > Frame::MAX_ADDED);
        }
        prop_assert!(!added.is_empty() || bytes.len() == bytes_without);
    }

    #[test]
    fn a_newer_minor_version_is_read(frame in frame(), minor: u8, more in vec(any::<u8>(), 0..600)) {
        let mut bytes = frame.write().unwrap();
        bytes[3] = minor;
        bytes.extend(more);
        prop_assert_eq!(Frame::read(&bytes), Ok(frame));
    }

    #[test]
    fn a_truncated_message_is_an_error(frame in frame(), share in 0.0..1.0f64) {
        let bytes = frame.write().unwrap();
        prop_assert!(Frame::read(&bytes[..(bytes.len() as f64 * share) as usize]).is_err());
    }

    #[test]
    fn random_bytes_break_nothing(mut bytes in vec(any::<u8>(), 0..2 * MAX_READ_BYTES), as_ours: bool) {
        if as_ours && bytes.len() >= 4 {
            bytes[..4].copy_from_slice(b"kF\x01\x01");
        }
        if bytes.len() > MAX_READ_BYTES {
            prop_assert_eq!(Frame::read(&bytes), Err(ReadError::Oversized { bytes: bytes.len(), most: MAX_READ_BYTES }));
        } else if let Ok(frame) = Frame::read(&bytes) {
            prop_assert!(frame.signals.iter().flatten().all(|signal| signal.rate.is_finite()));
        }
        let _ = Cue::read(&bytes);
    }

    #[test]
    fn one_wrong_byte_breaks_nothing(frame in frame(), at: prop::sample::Index, byte: u8) {
        let mut bytes = frame.write().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = Frame::read(&bytes);
    }
}

/// A peer may send any text. The reader removes unsafe characters from the texts of a message. If a
/// name is rejected, the error shows its unsafe characters as escapes.
#[test]
fn texts_of_a_peer_are_inert() {
    let clipboard = "\x1b]52;c;cm0=\x07\u{202e}\u{200b}";
    let cue = Cue {
        host: Name::new("web-1").unwrap(),
        instance: 1,
        monotonic_ms: 0,
        wall_ms: 0,
        kind: "cr\x1b[2J".into(),
        pid: None,
        comm: Some(clipboard.into()),
        detail: None,
    };
    let read = Cue::read(&cue.write().unwrap()).unwrap();
    assert_eq!(read.comm.as_deref(), Some("\u{fffd}]52;c;cm0=\u{fffd}\u{fffd}\u{fffd}"));
    assert_eq!(read.kind, "cr\u{fffd}[2J");
    for hostile in [clipboard, &format!("a{clipboard}"), &clipboard.repeat(1000)] {
        let error = Name::new(hostile).unwrap_err().to_string();
        assert!(is_inert(&error) && error.contains("\\u{1b}") && error.len() < 1000, "{error}");
    }
    let mut bytes = cue.write().unwrap();
    let at = bytes.windows(5).position(|bytes| bytes == b"web-1").unwrap();
    bytes[at] = 0x1b;
    let error = Cue::read(&bytes).unwrap_err().to_string();
    assert!(is_inert(&error) && error.contains("malformed"), "{error}");
}

/// The longest frame has all signals, the longest names and the largest numbers.
#[test]
fn the_longest_frame_and_cue_fit() {
    let longest = Name::new("m".repeat(Name::MAX_LEN)).unwrap();
    let most = Signal { rate: f32::MAX, baseline: f32::MAX, deviation: i16::MIN, level: 255, surprise: 255 };
    let frame = Frame {
        host: longest.clone(),
        section: Some(longest.clone()),
        boot_id: Some([255; 16]),
        instance: u32::MAX,
        seq: u64::MAX,
        monotonic_ms: u64::MAX,
        wall_ms: u64::MAX,
        version: "9".repeat(Frame::MAX_VERSION_LEN),
        source: Source::Other(255),
        learnt: 255,
        signals: vec![Some(most); SIGNALS.len()],
        added: Vec::new(),
    };
    let length = frame.write().unwrap().len();
    println!("the longest frame has {length} bytes");
    assert!(length <= MAX_FRAME_BYTES, "{length}");
    let cue = Cue {
        host: longest,
        instance: u32::MAX,
        monotonic_ms: u64::MAX,
        wall_ms: u64::MAX,
        kind: "k".repeat(Cue::MAX_KIND_LEN),
        pid: Some(u32::MAX),
        comm: Some("c".repeat(Cue::MAX_COMM_LEN)),
        detail: Some(u32::MAX),
    };
    assert!(cue.write().unwrap().len() <= MAX_CUE_BYTES);
}

#[test]
fn invalid_messages_are_refused_with_a_reason() {
    let frame = Frame {
        host: Name::new("web-1").unwrap(),
        section: None,
        boot_id: None,
        instance: 1,
        seq: 0,
        monotonic_ms: 0,
        wall_ms: 0,
        version: "0.1.0".into(),
        source: Source::Proc,
        learnt: 0,
        signals: vec![None, Some(Signal { rate: 1.0, baseline: 1.0, deviation: 0, level: 0, surprise: 0 })],
        added: Vec::new(),
    };
    let bytes = frame.write().unwrap();
    assert_eq!(Frame::read(b"hello, world"), Err(ReadError::Foreign));
    assert_eq!(Cue::read(&bytes), Err(ReadError::Foreign), "a frame is no cue");
    assert_eq!(Frame::read(&[b'k', b'F', 2, 0]), Err(ReadError::Version(2)));
    for invalid in [f32::NAN, f32::INFINITY, -1.0] {
        let mut frame = frame.clone();
        frame.signals[1].as_mut().unwrap().rate = invalid;
        let error = Frame::read(&frame.write().unwrap()).unwrap_err();
        assert!(error.to_string().contains("signals[1]"), "{error}");
    }
    let signal = frame.signals[1].unwrap();
    let lane = AddedLane {
        name: "queue".into(),
        label: "jobs that wait".into(),
        family: 0,
        unit: "jobs".into(),
        voice: 0,
        grain: 1.0,
        signal,
    };
    for invalid in [
        AddedLane { name: String::new(), ..lane.clone() },
        AddedLane { name: "A".into(), ..lane.clone() },
        AddedLane { name: "a".repeat(33), ..lane.clone() },
        AddedLane { label: "a".repeat(193), ..lane.clone() },
        AddedLane { unit: "a".repeat(65), ..lane.clone() },
        AddedLane { grain: 0.0, ..lane.clone() },
        AddedLane { grain: f32::NAN, ..lane.clone() },
        AddedLane { signal: Signal { rate: -1.0, ..signal }, ..lane.clone() },
    ] {
        let frame = Frame { added: vec![invalid], ..frame.clone() };
        let error = Frame::read(&frame.write().unwrap()).unwrap_err();
        assert!(error.to_string().contains("added"), "{error}");
    }
}

#[test]
fn a_name_is_one_word_of_subjects() {
    for good in ["a", "web-1", "Rack_7", &"x".repeat(63)] {
        assert!(Name::new(good).is_ok(), "{good}");
    }
    for bad in ["", "web.example", "*", ">", "a b", "ü", &"x".repeat(64)] {
        assert!(Name::new(bad).is_err(), "{bad}");
    }
    let error = Name::new("web.example").unwrap_err().to_string();
    assert!(error.contains("'.'") && error.contains("try \"web-example\""), "{error}");
    let site = Name::new("home").unwrap();
    let host = Name::new("web-1").unwrap();
    let subject = khor_fleet::subject::of_host(&site, &host, khor_fleet::subject::Kind::Cue);
    assert_eq!(subject, "khor.v1.home.web-1.cue");
    assert_eq!(khor_fleet::subject::host(&subject), Ok(host));
}
