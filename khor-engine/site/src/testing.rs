//! A host's frame, for tests.

use khor_fleet::{Frame, Name, Source};

/// One that says nothing but whose it is, five a second.
pub(crate) fn plain_frame(host: &str, seq: u64) -> Frame {
    Frame {
        host: Name::new(host).unwrap(),
        section: None,
        boot_id: None,
        instance: 1,
        seq,
        monotonic_ms: seq * 200,
        wall_ms: 0,
        version: "0.1.0".into(),
        source: Source::Proc,
        learnt: 255,
        signals: Vec::new(),
    }
}
