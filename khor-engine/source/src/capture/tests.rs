//! Tests of captures: complete captures, captures that were cut or changed at every byte, and
//! random bytes.

use khor_proto::{Availability, Cue, CueKind};
use khor_signal::{Counter, Frame};

use super::{
    CaptureError, CaptureReader, CaptureWriter, HEADING, Origin, Recorded,
    block::{MAX_BYTES, pack},
};
use crate::{DemoSource, MachineInfo, SourceKind};

pub(super) fn origin(kind: SourceKind) -> Origin {
    let mut availability = DemoSource::availability();
    availability[Counter::Execs.index()] = Availability::Absent { reason: "not for you".into() };
    Origin {
        kind: Some(kind),
        machine: Some(MachineInfo { kernel_release: "6.1.0".into(), boot_id: "a-b".into(), cpus: 8 }),
        interval_ms: 100,
        recorder: "0.1.0".into(),
        availability,
    }
}

fn cue(t_ns: u64) -> Cue {
    Cue {
        kind: CueKind::Crash,
        t_ns,
        pid: Some(77),
        comm: Some("victim".into()),
        cgroup_id: Some(u64::MAX),
        detail: Some(11),
    }
}

/// Creates a capture with all kinds of events. The capture has two sources, each of which lasts
/// `seconds`.
fn pieces(seconds: u64) -> Vec<Recorded> {
    let mut pieces = Vec::new();
    for kind in [SourceKind::Collector, SourceKind::Proc] {
        pieces.push(Recorded::Start(origin(kind)));
        let mut demo = DemoSource::new(1);
        for step in 0..seconds * 10 {
            let mut frame = demo.advance(100_000_000 + step * 1000);
            frame.counters[0] = (step % 7 != 0).then_some(step);
            let t_ns = frame.t_ns;
            pieces.push(Recorded::Frame(frame));
            if step % 10 == 4 {
                pieces.push(Recorded::Cue(cue(t_ns - 5)));
                pieces.push(Recorded::Lost { cues: step });
            }
        }
    }
    pieces
}

pub(super) fn written(pieces: &[Recorded], redact: bool) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.khor");
    let mut writer = None;
    for piece in pieces {
        match (piece, &mut writer) {
            (Recorded::Start(origin), None) => {
                writer = Some(CaptureWriter::create(&path, origin, redact).unwrap());
            }
            (Recorded::Start(origin), Some(writer)) => writer.source_changed(origin).unwrap(),
            (Recorded::Lanes(catalogue), Some(writer)) => writer.lanes(catalogue).unwrap(),
            (Recorded::Frame(frame), Some(writer)) => writer.push(frame).unwrap(),
            (Recorded::Cue(cue), Some(writer)) => writer.cue(cue).unwrap(),
            (Recorded::Lost { cues }, Some(writer)) => writer.lost(*cues).unwrap(),
            (_, None) => panic!("no source"),
        }
    }
    let bytes = writer.unwrap().finish().unwrap();
    let file = std::fs::read(path).unwrap();
    assert_eq!(file.len() as u64, bytes);
    file
}

/// Returns the readable parts of a capture, and the errors that occur while it is read.
pub(super) fn read(file: &[u8]) -> (Vec<Recorded>, Vec<CaptureError>) {
    let (mut pieces, mut errors) = (Vec::new(), Vec::new());
    match CaptureReader::new(file) {
        Ok(reader) => reader.for_each(|piece| match piece {
            Ok(piece) => pieces.push(piece),
            Err(error) => errors.push(error),
        }),
        Err(error) => errors.push(error),
    }
    (pieces, errors)
}

/// Returns the positions of the blocks, and the position of the end of the file.
pub(super) fn block_starts(file: &[u8]) -> Vec<usize> {
    let (mut at, mut starts) = (HEADING.len(), vec![HEADING.len()]);
    while at < file.len() {
        at += 12 + usize::from(u16::from_le_bytes([file[at + 4], file[at + 5]]));
        starts.push(at);
    }
    starts
}

/// Returns the number of events in each block.
fn block_pieces(file: &[u8]) -> Vec<usize> {
    let readable = |end: &usize| read(&file[..*end]).0.len();
    let totals: Vec<usize> = block_starts(file).iter().map(readable).collect();
    totals.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn written_capture_reads_back() {
    let pieces = pieces(3);
    let (read, errors) = read(&written(&pieces, false));
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(read, pieces);
}

#[test]
fn redacted_capture_names_nobody() {
    let (read, _) = read(&written(&pieces(1), true));
    for piece in read {
        match piece {
            Recorded::Cue(cue) => {
                assert_eq!((cue.pid, cue.comm, cue.cgroup_id, cue.detail), (None, None, None, Some(11)));
            }
            Recorded::Start(origin) => {
                let machine = origin.machine.unwrap();
                assert_eq!((machine.boot_id.as_str(), machine.kernel_release.as_str()), ("", "6.1.0"));
            }
            _ => {}
        }
    }
}

#[test]
fn a_cut_damages_at_most_one_block() {
    let pieces = pieces(2);
    let file = written(&pieces, false);
    let (starts, counts) = (block_starts(&file), block_pieces(&file));
    assert!(counts.len() >= 4, "{counts:?}");
    for at in 0..file.len() {
        let (read, mut errors) = read(&file[..at]);
        let whole = starts.iter().skip(1).take_while(|end| **end <= at).count();
        let kept: usize = counts[..whole].iter().sum();
        assert_eq!(read, pieces[..kept], "cut at {at}");
        let error = errors.pop().expect("every cut is an error").to_string();
        assert!(errors.is_empty(), "more than one error: {errors:?}");
        if at >= HEADING.len() {
            let frames = read.iter().filter(|piece| matches!(piece, Recorded::Frame(_))).count();
            assert!(error.starts_with(&format!("cut short after {frames} samples (")), "{at}: {error}");
        }
    }
}

#[test]
fn a_flipped_byte_damages_one_block() {
    let pieces = pieces(2);
    let file = written(&pieces, false);
    let (starts, counts) = (block_starts(&file), block_pieces(&file));
    for at in HEADING.len()..file.len() {
        for flip in [0xff, 1, 0x80] {
            let mut flipped = file.clone();
            flipped[at] ^= flip;
            let (mut read, errors) = read(&flipped);
            assert_eq!(errors.len(), 1, "at {at}: {errors:?}");
            let broken = starts.iter().filter(|start| **start <= at).count() - 1;
            let lost_from: usize = counts[..broken].iter().sum();
            let lost_to = lost_from + counts[broken];
            // If the block with a source's description was lost, the next block still shows that
            // another source has begun.
            let is_start = |piece: &Recorded| matches!(piece, Recorded::Start(_));
            if pieces[lost_from..lost_to].iter().any(is_start) && read.len() > lost_from {
                assert_eq!(read.remove(lost_from), Recorded::Start(Origin::unknown()), "at {at}");
            }
            let kept = [&pieces[..lost_from], &pieces[lost_to..]].concat();
            assert_eq!(read, kept, "flipped at {at}, {broken} of {}", counts.len());
        }
    }
}

#[test]
fn the_error_for_other_files_is_clear() {
    let error = |bytes: &[u8]| read(bytes).1.pop().unwrap().to_string();
    assert!(error(b"RIFFxxxxWAVE").starts_with("not a khor capture"), "{}", error(b"RIFFxxxxWAVE"));
    assert!(error(b"").starts_with("not a khor capture"));
    let expected = "a capture of format 3; this version of khor reads only format 2";
    assert_eq!(error(b"khorcap\x03..."), expected);
}

#[test]
fn any_frames_round_trip() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..50 {
        let number = |random: &mut fastrand::Rng| random.u64(..) >> random.u32(0..64);
        let mut pieces = vec![Recorded::Start(origin(SourceKind::Demo))];
        for _ in 0..random.usize(0..60) {
            pieces.push(match random.u8(0..10) {
                0 => Recorded::Start(origin(SourceKind::Collector)),
                1 => Recorded::Lost { cues: number(&mut random) },
                2 => Recorded::Cue(Cue {
                    kind: random.choice(CueKind::ALL).unwrap(),
                    t_ns: number(&mut random),
                    pid: random.bool().then(|| random.u32(..)),
                    comm: random.bool().then(|| "ä \u{fffd}b".into()),
                    cgroup_id: random.bool().then(|| number(&mut random)),
                    detail: random.bool().then(|| random.u32(..)),
                }),
                _ => Recorded::Frame(Frame::new(
                    number(&mut random),
                    Counter::ALL.map(|_| random.bool().then(|| number(&mut random))),
                )),
            });
        }
        let (read, errors) = read(&written(&pieces, false));
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(read, pieces);
    }
}

#[test]
fn random_blocks_are_reported_as_damage() {
    let mut random = fastrand::Rng::with_seed(7);
    let tail = written(&pieces(1), false);
    for _ in 0..3000 {
        // About half of the random bytes are below 8, because such bytes are often valid tags and
        // numbers. So reading often fails only after a few valid entries.
        let length = random.usize(0..200);
        let noise: Vec<u8> =
            (0..length).map(|_| if random.bool() { random.u8(0..8) } else { random.u8(..) }).collect();
        let file = [&HEADING[..], &pack(&noise), &tail[HEADING.len()..]].concat();
        let (read, errors) = read(&file);
        assert!(read.len() <= 200 + 100 && errors.len() <= 2, "{} {errors:?}", read.len());
    }
}

#[test]
fn a_block_longer_than_declared_is_damage() {
    let packed = miniz_oxide::deflate::compress_to_vec(&vec![0; 100 << 20], 6);
    assert!(packed.len() > MAX_BYTES, "a hundred megabytes do not fit even if compressed");
    let mut bomb = pack(&[1; 1000]);
    let bytes = miniz_oxide::deflate::compress_to_vec(&vec![0; 10 << 20], 6);
    bomb.truncate(12);
    bomb[4..6].copy_from_slice(&(bytes.len() as u16).to_le_bytes());
    let mut sum = crc32fast::Hasher::new();
    sum.update(&bomb[4..8]);
    sum.update(&bytes);
    bomb[8..12].copy_from_slice(&sum.finalize().to_le_bytes());
    let (read, errors) = read(&[&HEADING[..], &bomb, &bytes].concat());
    assert!(read.is_empty());
    assert_eq!(
        errors[0].to_string(),
        "damaged after 0 samples (0.0 s): a block cannot be decompressed",
        "{errors:?}"
    );
}

fn frame_times(pieces: &[Recorded]) -> Vec<u64> {
    let time = |piece: &Recorded| if let Recorded::Frame(frame) = piece { Some(frame.t_ns) } else { None };
    pieces.iter().filter_map(time).collect()
}

#[test]
fn concatenated_captures_are_read_in_sequence() {
    let pieces = pieces(2);
    let file = written(&pieces, false);
    let (read, errors) = read(&[file.as_slice(), &file, &file].concat());
    assert!(errors.is_empty(), "{errors:?}");
    let is_start = |piece: &&Recorded| matches!(piece, Recorded::Start(_));
    assert_eq!(read.iter().filter(is_start).count(), 6);
    assert_eq!(read[..pieces.len()], pieces);
    let (times, alone) = (frame_times(&read), frame_times(&pieces));
    for (number, second) in times.chunks(alone.len()).enumerate().skip(1) {
        // The second capture follows 100 ms after the first one, which is the interval of its
        // source. The times between its frames are unchanged.
        let shift = second[0] - alone[0];
        assert_eq!(second[0] - times[number * alone.len() - 1], 100_000_000);
        assert!(second.iter().zip(&alone).all(|(time, own)| time - own == shift));
    }
}

#[test]
fn capture_after_truncated_one_is_read() {
    let pieces = pieces(2);
    let file = written(&pieces, false);
    let (starts, counts) = (block_starts(&file), block_pieces(&file));
    for at in (HEADING.len()..file.len()).step_by(7).chain(starts[..starts.len() - 1].iter().copied()) {
        let (read, errors) = read(&[&file[..at], &file].concat());
        assert_eq!(errors.len(), 1, "cut at {at}: {errors:?}");
        let whole = starts.iter().skip(1).take_while(|end| **end <= at).count();
        let kept: usize = counts[..whole].iter().sum();
        assert_eq!(read.len(), kept + pieces.len(), "cut at {at}");
        let (before, after) = (frame_times(&read[..kept]), frame_times(&read[kept..]));
        assert!(before.last().is_none_or(|last| after[0] - last == 100_000_000), "cut at {at}");
    }
}

#[test]
fn other_data_after_the_end_is_an_error() {
    let pieces = pieces(1);
    let file = written(&pieces, false);
    for (tail, expected) in [
        (&b"\n"[..], "the data after the end of the capture is not a capture"),
        (&[0; 5000], "the data after the end of the capture is not a capture"),
        (b"khorcap\x03more", "a capture of format 3"),
        (b"khorcap\x02", "cut short after"),
    ] {
        let (read, errors) = read(&[&file, tail].concat());
        assert_eq!(read, pieces);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].to_string().contains(expected), "{}", errors[0]);
    }
}

#[test]
fn problems_within_a_capture_are_sentences() {
    let failed = CaptureError::from(std::io::Error::other("the disk failed"));
    assert_eq!(failed.sentence("x.khor"), "cannot read x.khor to its end: the disk failed");
    let cut = CaptureError::Truncated { frames: 3, seconds: 0.3 };
    assert_eq!(cut.sentence("x.khor"), "x.khor is cut short after 3 samples (0.3 s)");
}
