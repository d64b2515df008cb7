//! Tests that adding sketches loses nothing, that their values are within the stated error, and
//! that no site frame makes a reader panic.

use khor_fleet::{
    Change, Frame, LaneSketches, MAX_READ_SITE_BYTES, MAX_SITE_BYTES, Message, Name, ReadError, SIGNALS,
    Section, Sections, SignalSketches, SiteFrame,
    sketch::{self, MAX_PARTS, MAX_STEPS, Quantity, Sketch},
};
use proptest::{collection::vec, prelude::*};

fn parts() -> impl Strategy<Value = u8> {
    proptest::sample::select(&[1u8, 2, 4, 8, 16][..])
}

/// Generates numbers of steps, from small to very large.
fn steps() -> impl Strategy<Value = u64> {
    (0u64..=MAX_STEPS, 0u32..=60).prop_map(|(steps, shift)| steps >> shift)
}

fn sketch_of(mut values: Vec<u64>, parts: u8) -> Sketch {
    values.sort_unstable();
    Sketch::of(values.into_iter().map(|steps| (steps, 1)), parts)
}

/// Adds sketches. The middle of each bin stands for the values in the bin.
fn sum(sketches: &[Sketch], parts: u8) -> Sketch {
    let mut values: Vec<_> = sketches.iter().flat_map(|sketch| sketch.values(parts)).collect();
    values.sort_unstable();
    Sketch::of(values.into_iter(), parts)
}

fn site(parts: u8, sketch: &Sketch) -> SiteFrame {
    let lane = LaneSketches { deviation: sketch.clone(), level: sketch.clone(), surprise: sketch.clone() };
    let all = SignalSketches { rate: sketch.clone(), baseline: sketch.clone(), lane };
    SiteFrame {
        site: Name::new("rack-1").unwrap(),
        instance: 7,
        seq: 1,
        wall_ms: 2,
        window_ms: 200,
        version: "0.1.0".into(),
        levels: SiteFrame::LEVELS,
        hosts: 3,
        silent: 1,
        refused: 0,
        parts,
        learnt: sketch.clone(),
        signals: vec![Some(all), None],
        deviant: vec![b"kF".to_vec()],
        changes: vec![Change { name: Name::new("web-1").unwrap(), is_back: false, wall_ms: 5 }],
        sections: None,
    }
}

/// Creates a section that has three hosts but no values of signals.
fn section(name: Option<&str>) -> Section {
    Section { name: name.map(|name| Name::new(name).unwrap()), hosts: 3, signals: vec![None] }
}

proptest! {
    #[test]
    fn a_bin_is_within_its_error(steps in steps(), parts in parts()) {
        let bin = sketch::bin(steps, parts);
        let middle = sketch::middle(bin, parts);
        prop_assert_eq!(sketch::bin(middle, parts), bin);
        let off = (middle as f64 - steps as f64).abs();
        prop_assert!(off <= steps as f64 * sketch::relative_error(parts), "{} is in a bin with the middle {}", steps, middle);
        prop_assert!(sketch::bin(steps + 1, parts) >= bin);
    }

    /// The sum of several sketches depends neither on how the values are divided among the
    /// sketches, nor on the order of the sketches.
    #[test]
    fn shares_add_up_to_the_whole(shares in vec(vec(steps(), 0..40), 1..6), parts in parts()) {
        let whole = sketch_of(shares.concat(), parts);
        let shares: Vec<Sketch> = shares.into_iter().map(|share| sketch_of(share, parts)).collect();
        prop_assert_eq!(&sum(&shares, parts), &whole);
        let (one, others) = shares.split_first().unwrap();
        prop_assert_eq!(&sum(&[sum(others, parts), one.clone()], parts), &whole, "the sum in two steps");
    }

    #[test]
    fn values_round_trip_through_steps(rate in 1e-4f64..1e12, octaves in -15.0f64..15.0, share in 0.0f64..=1.0) {
        let again = |quantity: Quantity, value| quantity.value(quantity.steps(value));
        prop_assert!((again(Quantity::Rate, rate) - rate).abs() <= 1e-6 + rate * 1e-15);
        prop_assert!((again(Quantity::Deviation, octaves) - octaves).abs() < 0.05);
        prop_assert!((again(Quantity::Share, share) - share).abs() <= 0.5 / 255.0 + 1e-9);
    }

    #[test]
    fn site_frames_round_trip(values in vec(steps(), 0..200), parts in parts()) {
        let mut frame = site(parts, &sketch_of(values.clone(), parts));
        let lane = LaneSketches { level: sketch_of(values, 4), ..LaneSketches::default() };
        let groups = vec![section(Some("db")), Section { signals: vec![Some(lane)], ..section(None) }];
        frame.sections = Some(Sections { parts: 4, groups });
        prop_assert_eq!(SiteFrame::read(&frame.write().unwrap()), Ok(frame));
    }

    /// A site frame of version 1.0 has no field for sections.
    #[test]
    fn an_older_minor_version_is_read(values in vec(steps(), 0..200), share in 0.0..1.0f64) {
        let frame = site(MAX_PARTS, &sketch_of(values, MAX_PARTS));
        let mut bytes = frame.write().unwrap();
        prop_assert_eq!(bytes.pop(), Some(0), "no sections");
        prop_assert!(SiteFrame::read(&bytes).is_err(), "version 1.1 requires the field");
        bytes[3] = 0;
        prop_assert_eq!(SiteFrame::read(&bytes), Ok(frame));
        prop_assert!(SiteFrame::read(&bytes[..(bytes.len() as f64 * share) as usize]).is_err());
    }

    #[test]
    fn random_bytes_break_nothing(mut bytes in vec(any::<u8>(), 0..4_000), as_ours: bool, at: prop::sample::Index, byte: u8) {
        if as_ours && bytes.len() >= 4 {
            bytes[..4].copy_from_slice(b"kS\x01\x00");
        }
        let _ = SiteFrame::read(&bytes);
        let mut bytes = site(16, &sketch_of(vec![1, 100, 10_000], 16)).write().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(frame) = SiteFrame::read(&bytes) {
            // Reading all values must not panic.
            let _ = frame.learnt.values(frame.parts).count();
        }
    }
}

/// With one bin in each doubling, every site frame without sections fits. This holds even with full
/// bins in all sketches, the longest names and the longest frames of hosts.
#[test]
fn the_coarsest_frame_always_fits() {
    let name = || Name::new("m".repeat(Name::MAX_LEN)).unwrap();
    let full = |quantity: Quantity| Sketch {
        bins: (0..=sketch::bin(quantity.max_steps(), 1)).map(|bin| (u32::from(bin > 0), u32::MAX)).collect(),
    };
    let mut frame = site(1, &full(Quantity::Share));
    frame.site = name();
    (frame.seq, frame.wall_ms, frame.refused) = (u64::MAX, u64::MAX, u64::MAX);
    frame.version = "9".repeat(SiteFrame::MAX_VERSION_LEN);
    let lane = LaneSketches {
        deviation: full(Quantity::Deviation),
        level: full(Quantity::Share),
        surprise: full(Quantity::Share),
    };
    let signal = SignalSketches { rate: full(Quantity::Rate), baseline: full(Quantity::Rate), lane };
    frame.signals = vec![Some(signal); SIGNALS.len()];
    frame.deviant = vec![vec![255; Frame::MAX_BYTES]; SiteFrame::MAX_DEVIANT];
    frame.changes = vec![Change { name: name(), is_back: true, wall_ms: u64::MAX }; SiteFrame::MAX_CHANGES];
    let length = frame.write().unwrap().len();
    println!("the longest site frame with one bin in each doubling has {length} bytes");
    assert!(length <= MAX_SITE_BYTES);
}

#[test]
fn invalid_frames_are_refused_with_a_reason() {
    let good = site(MAX_PARTS, &sketch_of(vec![1, 5, 900], MAX_PARTS));
    let refused = |change: fn(&mut SiteFrame), why: &str| {
        let mut frame = good.clone();
        change(&mut frame);
        let error = SiteFrame::read(&frame.write().unwrap()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    refused(|frame| frame.parts = 3, "parts");
    refused(|frame| frame.parts = 32, "parts");
    refused(|frame| frame.learnt.bins[1].0 = 0, "sketch");
    refused(|frame| frame.learnt.bins[1].0 = u32::MAX, "sketch");
    refused(|frame| frame.deviant = vec![vec![]; 9], "deviant");
    let none = || section(None);
    let named = |name| section(Some(name));
    for groups in [vec![], vec![none(); 2], vec![none(), named("a")], vec![named("b"), named("a")]] {
        let frame = SiteFrame { sections: Some(Sections { parts: 8, groups }), ..good.clone() };
        let error = SiteFrame::read(&frame.write().unwrap()).unwrap_err().to_string();
        assert!(error.contains("sections"), "{error}");
    }
    let oversized = ReadError::Oversized { bytes: MAX_READ_SITE_BYTES + 1, most: MAX_READ_SITE_BYTES };
    assert_eq!(SiteFrame::read(&vec![0; MAX_READ_SITE_BYTES + 1]), Err(oversized));
    let (parent, child) = (Name::new("home").unwrap(), Name::new("rack-1").unwrap());
    let subject = khor_fleet::subject::of_host(&parent, &child, khor_fleet::subject::Kind::Site);
    assert_eq!(subject, "khor.v1.home.rack-1.site");
}
