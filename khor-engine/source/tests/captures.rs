//! Tests of the captures that are part of the release: each is complete, and its counts match its
//! name.

use std::path::{Path, PathBuf};

use khor_proto::{Availability, CueKind};
use khor_signal::{Counter, Frame};
use khor_source::{CaptureReader, Recorded};

/// Length of the first part of each capture, in which the machine is idle, seconds.
const LEAD_S: f64 = 12.0;
/// In each capture, the load lasts at least until this many seconds after the first frame.
const LOAD_UNTIL_S: f64 = 30.0;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures").join(name).with_extension("khor")
}

struct Capture {
    name: &'static str,
    frames: Vec<Frame>,
    cues: Vec<CueKind>,
}

impl Capture {
    fn read(name: &'static str) -> Self {
        let (mut frames, mut cues) = (Vec::new(), Vec::new());
        let reader = CaptureReader::open(&path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for piece in reader {
            match piece.unwrap_or_else(|error| panic!("{name} is {error}")) {
                Recorded::Frame(frame) => frames.push(frame),
                Recorded::Cue(cue) => {
                    assert_eq!((cue.pid, cue.comm, cue.cgroup_id), (None, None, None), "{name} is redacted");
                    cues.push(cue.kind);
                }
                Recorded::Start(origin) => assert_eq!(origin.machine.unwrap().boot_id, "", "{name}"),
                Recorded::Lanes(_) => panic!("{name} has added lanes"),
                Recorded::Lost { cues } => panic!("{name} lost {cues} cues"),
            }
        }
        let capture = Self { name, frames, cues };
        for counter in Counter::ALL {
            let [lead, load] = [(1.0, LEAD_S), (LEAD_S + 1.0, LOAD_UNTIL_S)].map(|(from_s, to_s)| {
                capture.rate(counter, from_s, to_s).map_or("?".into(), |rate| format!("{rate:.1}"))
            });
            println!("{name:16} {:16} {lead:>14} {load:>14}", counter.name());
        }
        capture
    }

    fn seconds(&self) -> f64 {
        (self.frames.last().unwrap().t_ns - self.frames[0].t_ns) as f64 * 1e-9
    }

    /// The counter's mean increase per second between `from_s` and `to_s`, which are seconds after
    /// the first frame.
    fn rate(&self, counter: Counter, from_s: f64, to_s: f64) -> Option<f64> {
        let at = |s: f64| {
            let t_ns = self.frames[0].t_ns + (s * 1e9) as u64;
            self.frames.iter().find(|frame| frame.t_ns >= t_ns).or(self.frames.last()).unwrap()
        };
        let (from, to) = (at(from_s), at(to_s));
        let count = to.counters[counter.index()]? - from.counters[counter.index()]?;
        Some(count as f64 / ((to.t_ns - from.t_ns) as f64 * 1e-9))
    }

    fn load_rate(&self, counter: Counter) -> f64 {
        self.rate(counter, LEAD_S + 1.0, LOAD_UNTIL_S).unwrap_or_else(|| panic!("{} counts it", self.name))
    }

    fn lead_rate(&self, counter: Counter) -> f64 {
        self.rate(counter, 1.0, LEAD_S).unwrap_or_else(|| panic!("{} counts it", self.name))
    }

    /// Asserts that the rate during the load is at least `per_s`, and at least ten times the rate
    /// before the load.
    fn rises_to(&self, counter: Counter, per_s: f64) {
        let (lead, load) = (self.lead_rate(counter), self.load_rate(counter));
        assert!(load >= per_s && load >= 10.0 * lead, "{}: {} {lead} to {load}", self.name, counter.name());
    }

    fn has_cues(&self, kind: CueKind, at_least: usize) {
        let count = self.cues.iter().filter(|cue| **cue == kind).count();
        assert!(count >= at_least, "{}: {:?}", self.name, self.cues);
    }
}

#[test]
fn idle_captures_are_long_and_quiet() {
    for (name, seconds) in [("idle", 39.0), ("idle-long", 180.0)] {
        let idle = Capture::read(name);
        assert!(idle.seconds() >= seconds, "{} s", idle.seconds());
        assert!(idle.load_rate(Counter::EdgeRxBytes) < 1e6 && idle.load_rate(Counter::Execs) < 20.0);
        assert!(idle.cues.is_empty(), "{:?}", idle.cues);
    }
}

#[test]
fn storm_starts_more_programs_than_compile() {
    let storm = Capture::read("exec-storm");
    storm.rises_to(Counter::Execs, 200.0);
    let compile = Capture::read("compile");
    compile.rises_to(Counter::Execs, 2.0);
    assert!(compile.load_rate(Counter::Execs) < storm.load_rate(Counter::Execs) / 4.0);
    assert!(compile.load_rate(Counter::Faults) > 1000.0);
}

#[test]
fn download_receives_and_upload_sends() {
    let (download, upload) = (Capture::read("download"), Capture::read("upload"));
    download.rises_to(Counter::EdgeRxBytes, 10e6);
    upload.rises_to(Counter::EdgeTxBytes, 5e6);
    assert!(download.load_rate(Counter::EdgeRxBytes) > 10.0 * download.load_rate(Counter::EdgeTxBytes));
    assert!(upload.load_rate(Counter::EdgeTxBytes) > 10.0 * upload.load_rate(Counter::EdgeRxBytes));
}

/// These captures were recorded before khor had edge counters.
#[test]
fn totals_replace_edge_and_local_is_missing() {
    let reader = CaptureReader::open(&path("download")).unwrap();
    let (mut frames, mut starts) = (0, 0);
    for piece in reader {
        match piece.unwrap() {
            Recorded::Frame(Frame { counters, .. }) => {
                let count = |counter: Counter| counters[counter.index()];
                assert_eq!(count(Counter::EdgeRxBytes), count(Counter::RxBytes));
                assert_eq!(count(Counter::EdgeTxPackets), count(Counter::TxPackets));
                assert_eq!([Counter::LocalBytes, Counter::LocalPackets].map(count), [None; 2]);
                frames += usize::from(count(Counter::EdgeRxBytes).is_some());
            }
            Recorded::Start(origin) => {
                let of = |counter: Counter| &origin.availability[counter.index()];
                assert_eq!(of(Counter::EdgeRxBytes), &Availability::Available);
                match of(Counter::LocalBytes) {
                    Availability::Absent { reason } => {
                        assert!(reason.contains("received and sent"), "{reason}");
                    }
                    Availability::Available => panic!("local traffic must be missing"),
                }
                starts += 1;
            }
            _ => {}
        }
    }
    assert!(frames > 500 && starts == 1, "{frames} {starts}");
}

#[test]
fn disk_capture_has_reads_and_writes() {
    let disk = Capture::read("disk");
    disk.rises_to(Counter::ReadBytes, 5e6);
    disk.rises_to(Counter::WriteBytes, 5e6);
    assert!(disk.load_rate(Counter::IoStallUs) > 50e3);
}

#[test]
fn lossy_capture_has_retransmits() {
    let retransmits = Capture::read("retransmits");
    retransmits.rises_to(Counter::Retransmits, 10.0);
    retransmits.has_cues(CueKind::RetransmitBurst, 1);
}

#[test]
fn memory_capture_has_stalls() {
    let pressure = Capture::read("memory-pressure");
    pressure.rises_to(Counter::MemStallUs, 50e3);
    pressure.rises_to(Counter::MajorFaults, 100.0);
}

#[test]
fn captures_of_failures_have_cues() {
    Capture::read("crash").has_cues(CueKind::Crash, 2);
    Capture::read("oom").has_cues(CueKind::Oom, 2);
}

#[test]
fn captures_are_small_together() {
    let bytes: u64 = std::fs::read_dir(path("idle").parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes <= 400 * 1024, "{bytes}");
}
