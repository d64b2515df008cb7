//! Attack: a small capture that claims to be hours long.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output},
};

use flate2::{Compression, Crc, write::DeflateEncoder};
use khor_e2e::engine::program;
use khor_patience::progress;
use tempfile::TempDir;

const HEADING: &[u8] = b"khorcap\x02";
/// Time between the samples of the hostile capture, ns: a quarter of an hour.
const STEP_NS: u64 = 900_000_000_000;
/// Largest allowed size of the rendered file.
const MOST_BYTES: u64 = 1_000_000;
/// Index of the capture's only source. Each block begins with this number (see docs/captures.md).
const SOURCE_NUMBER: u8 = 1;
/// First byte of an entry for a frame.
const FRAME: u8 = 1;
/// First byte of the entry that ends a capture.
const END: u8 = 6;

fn khor(arguments: &[&str], dir: &Path) -> Output {
    progress(format!("running khor {arguments:?}"));
    Command::new(program("khor"))
        .args(arguments)
        .current_dir(dir)
        .env("HOME", dir)
        .output()
        .expect("starting khor")
}

/// Encodes a non-negative number as a zigzag LEB128.
fn signed(number: u64) -> Vec<u8> {
    let (mut rest, mut bytes) = (number << 1, Vec::new());
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

/// Packs `raw`, the unpacked content of a block, into a block of a capture.
fn block(raw: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(raw).expect("compressing in memory");
    let packed = encoder.finish().expect("compressing in memory");
    let lengths = [packed.len(), raw.len()].map(|length| (length as u16).to_le_bytes()).concat();
    let mut sum = Crc::new();
    sum.update(&lengths);
    sum.update(&packed);
    [b"\xf5khr", &lengths[..], &sum.sum().to_le_bytes(), &packed].concat()
}

/// A capture with the source of a real capture, and with two samples that are far apart in time.
fn hostile(real: &[u8]) -> Vec<u8> {
    let length = |at: usize| usize::from(u16::from_le_bytes([real[at], real[at + 1]]));
    let first = &real[..HEADING.len() + 12 + length(HEADING.len() + 4)];
    let mut raw = vec![SOURCE_NUMBER];
    // A frame's entry contains how much its step (the time since the previous frame) differs from
    // the previous frame's step.
    for step in [1_000_000_000, STEP_NS - 1_000_000_000] {
        raw.push(FRAME);
        raw.extend(signed(step));
        raw.push(0); // No counter changes.
    }
    [first, &block(&raw), &block(&[SOURCE_NUMBER, END])].concat()
}

#[test]
fn long_gap_is_skipped_and_reported() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let recorded = khor(&["record", "real.khor", "--demo", "--seconds", "0.1"], dir.path());
    assert!(recorded.status.success(), "{recorded:?}");
    let capture = hostile(&fs::read(dir.path().join("real.khor")).expect("reading the capture"));
    assert!(capture.len() < 1000, "the capture has {} bytes", capture.len());
    fs::write(dir.path().join("tiny.khor"), capture).expect("writing the capture");
    let rendered = khor(&["render", "tiny.khor", "-o", "x.wav"], dir.path());
    let text = String::from_utf8_lossy(&rendered.stderr).into_owned();
    assert!(rendered.status.success(), "{text}");
    let bytes = fs::metadata(dir.path().join("x.wav")).map_or(0, |file| file.len());
    let is_announced = text.contains("skipped a gap of 15.0 min");
    println!("{bytes} bytes, {}: {text}", rendered.status);
    assert!(bytes < MOST_BYTES && is_announced, "{bytes} bytes: {text}");
    // A render of the first two seconds succeeds.
    let short = khor(&["render", "tiny.khor", "-o", "short.wav", "--seconds", "2"], dir.path());
    assert!(short.status.success() && dir.path().join("short.wav").exists(), "{short:?}");
}
