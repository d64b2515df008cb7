//! Builds frames of hosts and sites for tests.

use khor_fleet::{Frame, Name, SiteFrame, Source, sketch::Sketch};

/// Creates a host's frame without signals. Its time follows from `seq`, for a host that sends five
/// frames a second.
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
        added: Vec::new(),
    }
}

/// Creates the frame of a site with 40 live and 2 silent hosts. The frame contains no values of
/// signals.
pub(crate) fn plain_site_frame(site: &str, instance: u32, seq: u64) -> SiteFrame {
    SiteFrame {
        site: Name::new(site).unwrap(),
        instance,
        seq,
        wall_ms: 1_000,
        window_ms: 200,
        version: "0.1.0".into(),
        levels: SiteFrame::LEVELS,
        hosts: 40,
        silent: 2,
        refused: 3,
        parts: 16,
        learnt: Sketch::default(),
        signals: Vec::new(),
        deviant: Vec::new(),
        changes: Vec::new(),
        sections: None,
    }
}
