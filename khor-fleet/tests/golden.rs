//! The bytes of each message are fixed: other versions and third parties read them.

use khor_fleet::{
    Change, Cue, Frame, LaneSketches, Message, Name, Section, Sections, Signal, SignalSketches, SiteFrame,
    Source, sketch::Sketch,
};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn a_frame_has_these_bytes() {
    let signal = Signal { rate: 1.5, baseline: 1.0, deviation: -150, level: 7, surprise: 255 };
    let frame = Frame {
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
        signals: vec![Some(signal), None],
    };
    let expected = "6b460100057765622d3101037765620109090909090909090909090909090909fc70110100fb2c01\
                    05fd006c50c4a001000005302e312e3001c802010000c03f0000803ffb2b0107ff00";
    assert_eq!(hex(&frame.write().unwrap()), expected);
}

#[test]
fn a_cue_has_these_bytes() {
    let cue = Cue {
        host: name("web-1"),
        instance: 7,
        monotonic_ms: 1_000_000,
        wall_ms: 1_790_000_000_000,
        kind: "oom".into(),
        pid: Some(4711),
        comm: Some("postgres".into()),
        detail: None,
    };
    let expected = "6b430100057765622d3107fc40420f00fd006c50c4a0010000036f6f6d01fb67120108706f737467\
                    72657300";
    assert_eq!(hex(&cue.write().unwrap()), expected);
}

#[test]
fn a_site_frame_has_these_bytes() {
    let sketch = |bins: &[(u32, u32)]| Sketch { bins: bins.to_vec() };
    let lane =
        LaneSketches { deviation: sketch(&[(300, 2)]), level: sketch(&[]), surprise: sketch(&[(1, 1)]) };
    let rate = sketch(&[(2, 1), (3, 4)]);
    let signal = SignalSketches { rate: rate.clone(), baseline: rate, lane: lane.clone() };
    let section = Section { name: None, hosts: 3, signals: vec![None, Some(lane)] };
    let frame = SiteFrame {
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
        signals: vec![Some(signal), None],
        deviant: vec![b"kF".to_vec()],
        changes: vec![Change { name: name("web-1"), is_back: true, wall_ms: 5 }],
        sections: Some(Sections { parts: 8, groups: vec![section] }),
    };
    let expected = "6b530101067261636b2d310701fd006c50c4a0010000c805302e312e300103010210011f03020102\
                    02010304020201030401fb2c0102000101010001026b4601057765622d3101050108010003020001\
                    01fb2c010200010101";
    assert_eq!(hex(&frame.write().unwrap()), expected);
}
