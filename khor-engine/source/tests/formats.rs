//! Tests that files in the released formats are read, and that khor still writes the same contents.
//! The files in `fixtures` are named after their format and version, and never change.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use khor_proto::{Availability, Cue, CueKind, Scope, Selector};
use khor_signal::{
    Catalogue, Counter, Family, Frame, LaneDefinition, LearntBaseline, LevelCurve, Prior, Scale, VoiceHint,
};
use khor_source::{BaselineFile, CaptureReader, CaptureWriter, MachineInfo, Origin, Recorded, SourceKind};

const CAPTURE_2: &[u8] = include_bytes!("fixtures/capture-2.khor");
/// A capture with the content of [`CAPTURE_2`] and an added lane.
const CAPTURE_2_LANES: &[u8] = include_bytes!("fixtures/capture-2-lanes.khor");
const BASELINE_1: &str = include_str!("fixtures/baseline-1.json");

/// Creates the origin of a source of this kind. The counter `Execs` is missing. Only the origin of
/// a collector contains a machine.
fn origin(kind: SourceKind) -> Origin {
    let mut availability = Counter::ALL.map(|_| Availability::Available);
    availability[Counter::Execs.index()] = Availability::Absent { reason: "not counted".into() };
    let machine = MachineInfo { kernel_release: "6.1.0".into(), boot_id: "a-b".into(), cpus: 8 };
    Origin {
        kind: Some(kind),
        machine: (kind == SourceKind::Collector).then_some(machine),
        interval_ms: 100,
        recorder: "0.1.0".into(),
        availability,
    }
}

/// The frame of a step. Each counter grows by a different number in each step. `Execs` is always
/// missing, and `Forks` is missing in every seventh frame.
fn frame(step: u64) -> Frame {
    let mut counters = Counter::ALL.map(|counter| Some(step * (counter.index() as u64 + 1)));
    counters[Counter::Execs.index()] = None;
    if step % 7 == 6 {
        counters[Counter::Forks.index()] = None;
    }
    Frame::new(5_000_000_000 + step * 100_000_000, counters)
}

fn cue(kind: CueKind, t_ns: u64) -> Cue {
    let is_exec = kind == CueKind::Exec;
    Cue {
        kind,
        t_ns,
        pid: is_exec.then_some(77),
        comm: is_exec.then(|| "sh".into()),
        cgroup_id: is_exec.then_some(u64::MAX),
        detail: (!is_exec).then_some(11),
    }
}

/// The content of the capture: two sources of 1.2 s each, with a cue of each kind, and lost cues.
fn pieces() -> Vec<Recorded> {
    let mut pieces = Vec::new();
    for (number, kind) in [SourceKind::Collector, SourceKind::Demo].into_iter().enumerate() {
        pieces.push(Recorded::Start(origin(kind)));
        for step in 0..12 {
            let frame = frame(step + 20 * number as u64);
            let t_ns = frame.t_ns;
            pieces.push(Recorded::Frame(frame));
            if let Some(kind) = CueKind::ALL.get(step as usize) {
                pieces.push(Recorded::Cue(cue(*kind, t_ns - 5)));
            }
        }
        pieces.push(Recorded::Lost { cues: 300 });
    }
    pieces
}

/// The content of [`pieces`] with a lane that is added in the middle of each source. The lane's
/// value is missing in every fifth frame.
fn pieces_with_lane() -> Vec<Recorded> {
    let mut catalogue = Catalogue::kernel();
    let lane = LaneDefinition {
        name: "mail.queue".into(),
        label: "mails that wait".into(),
        family: Family::Network,
        unit: "mails".into(),
        scale: Scale {
            grain: 1.0,
            ceiling: 1000.0,
            prior: Prior { median: 1.0, p99: 5.0 },
            curve: LevelCurve::Log { unit: 0.5 },
        },
        voice: VoiceHint::Send,
    };
    let id = catalogue.add(lane).unwrap();
    let mut with_lane = Vec::new();
    let mut frames = 0;
    for piece in pieces() {
        match piece {
            Recorded::Frame(mut frame) => {
                if frames % 12 == 6 {
                    with_lane.push(Recorded::Lanes(catalogue.clone()));
                }
                if frames % 12 >= 6 && frames % 5 != 4 {
                    frame.added.set(id, Some(f64::from(frames) * 0.75));
                }
                frames += 1;
                with_lane.push(Recorded::Frame(frame));
            }
            other => with_lane.push(other),
        }
    }
    with_lane
}

fn write(pieces: &[Recorded], path: &Path) {
    let Some((Recorded::Start(first), rest)) = pieces.split_first() else { panic!("no source") };
    let mut writer = CaptureWriter::create(path, first, false).unwrap();
    for piece in rest {
        match piece {
            Recorded::Start(origin) => writer.source_changed(origin).unwrap(),
            Recorded::Lanes(catalogue) => writer.lanes(catalogue).unwrap(),
            Recorded::Frame(frame) => writer.push(frame).unwrap(),
            Recorded::Cue(cue) => writer.cue(cue).unwrap(),
            Recorded::Lost { cues } => writer.lost(*cues).unwrap(),
        }
    }
    writer.finish().unwrap();
}

#[test]
fn capture_2_is_read() {
    let read = |file| CaptureReader::new(file).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(read(CAPTURE_2), pieces());
    assert_eq!(read(CAPTURE_2_LANES), pieces_with_lane());
}

/// Returns the heading of a capture and its decompressed blocks. Tests do not compare the
/// compressed bytes, because these may change with the compression library.
fn unpacked(file: &[u8]) -> Vec<Vec<u8>> {
    let (heading, mut rest) = file.split_at(8);
    let mut parts = vec![heading.to_vec()];
    while let Some(([m0, m1, m2, m3, p0, p1, _, _, _, _, _, _], packed)) = rest.split_first_chunk() {
        assert_eq!([*m0, *m1, *m2, *m3], *b"\xf5khr");
        let (packed, next) = packed.split_at(u16::from_le_bytes([*p0, *p1]).into());
        parts.push(miniz_oxide::inflate::decompress_to_vec(packed).unwrap());
        rest = next;
    }
    parts
}

#[test]
fn capture_2_is_written_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    for (pieces, expected) in [(pieces(), CAPTURE_2), (pieces_with_lane(), CAPTURE_2_LANES)] {
        let path = dir.path().join("capture.khor");
        write(&pieces, &path);
        assert_eq!(unpacked(&fs::read(path).unwrap()), unpacked(expected));
    }
}

/// The baselines of the whole machine in the fixture.
fn machine_baselines() -> BTreeMap<String, LearntBaseline> {
    let learnt =
        |middle_octaves, high_octaves, learnt_s| LearntBaseline { middle_octaves, high_octaves, learnt_s };
    BTreeMap::from([
        ("csw".to_owned(), learnt(13.25, 14.5, 86_400.0)),
        ("rx".to_owned(), learnt(1.5, 2.5, 600.0)),
    ])
}

fn baseline_file(dir: &Path) -> (BaselineFile, PathBuf) {
    let path = dir.join("baseline.json");
    fs::write(&path, BASELINE_1).unwrap();
    (BaselineFile::new(path.clone()), path)
}

#[test]
fn baseline_1_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let (file, _) = baseline_file(dir.path());
    assert_eq!(file.load(&Scope::Machine), machine_baselines());
    let unit = Scope::only(Selector::Cgroup("/system.slice/nginx.service".into()));
    assert_eq!(file.load(&unit)["io"].learnt_s, 42.0);
}

#[tokio::test]
async fn baseline_1_is_written_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let (file, path) = baseline_file(dir.path());
    file.save_later(&Scope::Machine, machine_baselines()).expect("there are baselines").await.unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), BASELINE_1);
}
