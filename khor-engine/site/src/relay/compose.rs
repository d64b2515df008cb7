//! What a relay says: this machine's readings and cues in the shapes of the wire.

use khor_fleet::{Cue, Frame, Name, Signal, Source};
use nix::time::{ClockId, clock_gettime};

use crate::WIRE_ORDER;
use khor_signal::{Lane, Reading, SignalId};
use khor_source::SourceKind;
use khor_system::clock::now_unix_ms;

/// Who speaks.
#[derive(Clone, Debug)]
pub struct Identity {
    host: Name,
    section: Option<Name>,
    instance: u32,
    pub(super) boot_id: Option<[u8; 16]>,
}

impl Identity {
    /// A relay that has just started.
    pub fn new(host: Name, section: Option<Name>) -> Self {
        Self { host, section, instance: fastrand::u32(..), boot_id: None }
    }

    /// A frame; without a source or a reading of it every signal is absent.
    pub fn frame(
        &self,
        seq: u64,
        Clocks { monotonic_ms, wall_ms }: Clocks,
        kind: Option<SourceKind>,
        reading: Option<&Reading>,
    ) -> Frame {
        let signal = |id| reading.and_then(|reading| signal(reading, id));
        let mut version = env!("CARGO_PKG_VERSION").to_owned();
        version.truncate(Frame::MAX_VERSION_LEN);
        Frame {
            host: self.host.clone(),
            section: self.section.clone(),
            boot_id: self.boot_id,
            instance: self.instance,
            seq,
            monotonic_ms,
            wall_ms,
            version,
            source: match kind {
                Some(SourceKind::Collector) => Source::Collector,
                Some(SourceKind::Demo | SourceKind::Capture) => Source::Demo,
                Some(SourceKind::Proc | SourceKind::Site) | None => Source::Proc,
            },
            learnt: reading.map_or(0, |reading| of_255(reading.learnt)),
            signals: WIRE_ORDER.into_iter().map(signal).collect(),
        }
    }

    /// A cue; `redacted` it says what happened, and not to whom.
    pub fn cue(&self, cue: &khor_proto::Cue, redacted: bool) -> Cue {
        Cue {
            host: self.host.clone(),
            instance: self.instance,
            monotonic_ms: cue.t_ns / 1_000_000,
            wall_ms: Clocks::now().wall_ms,
            kind: cue.kind.name().to_owned(),
            pid: cue.pid.filter(|_| !redacted),
            comm: cue.comm.clone().filter(|comm| !redacted && comm.len() <= Cue::MAX_COMM_LEN),
            detail: cue.detail,
        }
    }
}

fn signal(reading: &Reading, id: SignalId) -> Option<Signal> {
    let i = id.index();
    let Lane { level, deviation, surprise } = reading.lanes[i]?;
    Some(Signal {
        rate: reading.rates[i]? as f32,
        baseline: reading.baselines[i]? as f32,
        deviation: (deviation * Signal::PARTS_OF_OCTAVE).round() as i16,
        level: of_255(level),
        surprise: of_255(surprise),
    })
}

fn of_255(share: f32) -> u8 {
    (share * 255.0).round() as u8
}

/// When it is.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// `CLOCK_BOOTTIME`, as the collector's samples have it.
    pub monotonic_ms: u64,
    /// Since 1970.
    pub wall_ms: u64,
}

impl Clocks {
    /// The current times.
    pub fn now() -> Self {
        let monotonic_ms = clock_gettime(ClockId::CLOCK_BOOTTIME)
            .map_or(0, |t| t.tv_sec() as u64 * 1000 + t.tv_nsec() as u64 / 1_000_000);
        Self { monotonic_ms, wall_ms: now_unix_ms() }
    }
}

/// The 16 bytes of a boot id as the kernel writes it.
pub(super) fn boot_id(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&digits, 16).ok()?;
    (digits.len() == 32).then(|| number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use khor_fleet::Message;

    use super::*;
    use khor_signal::{Pipeline, SIGNALS, Scaling};
    use khor_source::DemoSource;

    #[test]
    fn a_frame_says_what_the_reading_says() {
        let (mut demo, mut pipeline) = (DemoSource::new(1), Pipeline::new(Scaling::default()));
        let reading = (0..1250).filter_map(|_| pipeline.push(demo.advance(20_000_000))).last().unwrap();
        let host = Name::new("web-1").unwrap();
        let frame =
            Identity::new(host, None).frame(7, Clocks::now(), Some(SourceKind::Collector), Some(&reading));
        let bytes = frame.write().unwrap();
        println!("an ordinary frame has {} bytes", bytes.len());
        let read = Frame::read(&bytes).unwrap();
        for (name, signal) in khor_fleet::SIGNALS.iter().zip(&read.signals) {
            let info = SIGNALS.iter().find(|info| info.name == *name).unwrap();
            let (signal, lane) = (signal.unwrap(), reading.lanes[info.id.index()].unwrap());
            assert!((f32::from(signal.deviation) / Signal::PARTS_OF_OCTAVE - lane.deviation).abs() < 0.01);
            assert!((f32::from(signal.level) / 255.0 - lane.level).abs() < 0.01);
        }
        assert!(read.monotonic_ms > 0 && read.wall_ms > read.monotonic_ms);
    }

    #[test]
    fn what_is_redacted_is_not_there() {
        let cue = khor_proto::Cue {
            kind: khor_proto::CueKind::Crash,
            t_ns: 5_000_000,
            pid: Some(7),
            comm: Some("secret".into()),
            cgroup_id: Some(9),
            detail: Some(11),
        };
        let identity = Identity::new(Name::new("web-1").unwrap(), None);
        let (whole, redacted) = (identity.cue(&cue, false), identity.cue(&cue, true));
        assert_eq!((whole.pid, whole.comm.as_deref()), (Some(7), Some("secret")));
        assert_eq!((redacted.pid, redacted.comm, redacted.detail), (None, None, Some(11)));
    }

    #[test]
    fn a_boot_id_is_sixteen_bytes() {
        let id = boot_id("0f000000-0000-0000-0000-0000000000ff\n").unwrap();
        assert_eq!((id[0], id[15]), (15, 255));
        assert_eq!(boot_id(""), None);
    }
}
