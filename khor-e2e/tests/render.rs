//! Tests recording, rendering and playing captures. Each capture always gives the same sound, and a
//! damaged capture gives a clear error.

use std::{
    path::Path,
    process::{Command, Output},
};

use khor_e2e::{engine::program, free_port, wait_until};
use khor_patience::progress;
use tempfile::TempDir;

fn khor(arguments: &[&str], dir: &Path) -> Output {
    progress(format!("running khor {arguments:?}"));
    Command::new(program("khor")).args(arguments).current_dir(dir).output().expect("starting khor")
}

/// Everything that a command printed.
fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn same_recording_renders_identically() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let recorded = khor(&["record", "x.khor", "--no-bpf", "--seconds", "3"], dir.path());
    assert!(recorded.status.success(), "{}", text(&recorded));
    for (preset, name) in [("ambient", "a.wav"), ("ambient", "b.wav"), ("arp", "c.wav")] {
        let rendered = khor(&["render", "x.khor", "-o", name, "--preset", preset], dir.path());
        assert!(rendered.status.success(), "{}", text(&rendered));
    }
    let read = |name| std::fs::read(dir.path().join(name)).expect("reading the rendered file");
    assert_eq!(read("a.wav"), read("b.wav"), "two renders of the same capture, preset and seed differ");
    assert_ne!(read("a.wav"), read("c.wav"), "two presets give the same sound");
    let samples = &read("a.wav")[44..];
    assert!(samples.iter().any(|byte| *byte != 0), "the render is silent");
}

#[test]
fn demo_renders_every_preset_without_clipping() {
    let dir = TempDir::new().expect("creating a temporary directory");
    for preset in ["ambient", "percussive", "arp", "drone"] {
        let arguments = ["render", "--demo", "-o", "x.wav", "--preset", preset, "--seconds", "40", "--json"];
        let rendered = khor(&arguments, dir.path());
        assert!(rendered.status.success(), "{}", text(&rendered));
        let report: serde_json::Value = serde_json::from_slice(&rendered.stdout).expect("a report in JSON");
        let peak_dbfs = report["peak_dbfs"].as_f64().expect("a peak in the report");
        assert!((-40.0..=-1.0).contains(&peak_dbfs), "{preset}: {report}");
        assert!(report["notes"].as_u64().expect("a number of notes") > 10, "{preset}: {report}");
    }
}

#[test]
fn render_writes_each_format_and_stems() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let render = |more: &[&str]| khor(&[&["render", "--demo", "--seconds", "20"], more].concat(), dir.path());
    let read = |name: &str| std::fs::read(dir.path().join(name)).expect(name);
    for more in [&["-o", "x.wav", "--stems"][..], &["-o", "x.flac"], &["-o", "x.mid"]] {
        let rendered = render(more);
        assert!(rendered.status.success(), "{}", text(&rendered));
    }
    assert!(read("x.flac").starts_with(b"fLaC") && read("x.mid").starts_with(b"MThd"));
    let whole = read("x.wav");
    assert!(read("x.flac").len() < whole.len() * 2 / 3, "the FLAC file is not compressed");
    let stems = ["melody", "bass", "chords", "percussion"].map(|role| read(&format!("x.{role}.wav")));
    assert!(
        stems.iter().all(|stem| stem.len() == whole.len() && *stem != whole),
        "a stem has another length than the whole, or equals it"
    );
    assert!(render(&["-o", "y.wav"]).status.success());
    assert!(read("y.wav") == whole, "the whole differs when stems are rendered");
    for (wrong, reason) in [
        (&["-o", "x.mp3"][..], "expected a name that ends in .wav, .flac or .mid"),
        (&["-o", "x.mid", "--stems"], "a .mid file has a track for each role"),
    ] {
        let rejected = render(wrong);
        assert!(!rejected.status.success() && text(&rejected).contains(reason), "{}", text(&rejected));
    }
}

/// The samples of a 24-bit WAV file, as integers.
fn samples_of(wav: &[u8]) -> Vec<i32> {
    let data = wav.windows(4).position(|chunk| chunk == b"data").expect("a data chunk in the file") + 8;
    wav[data..].chunks_exact(3).map(|le| i32::from_le_bytes([0, le[0], le[1], le[2]]) >> 8).collect()
}

#[test]
fn stems_sum_to_whole_within_rounding() {
    let dir = TempDir::new().expect("creating a temporary directory");
    // These presets use all effects, and the limiter is active at this loudness.
    for preset in ["percussive", "choir"] {
        let loud = ["--preset", preset, "--gain", "1", "--loudness", "-16"];
        let rendered =
            khor(&[&["render", "--demo", "--stems", "-o", "x.wav"], &loud[..]].concat(), dir.path());
        assert!(rendered.status.success(), "{}", text(&rendered));
        let read = |name: &str| samples_of(&std::fs::read(dir.path().join(name)).expect(name));
        let whole = read("x.wav");
        let stems = ["melody", "bass", "chords", "percussion"].map(|role| read(&format!("x.{role}.wav")));
        assert!(stems.iter().all(|stem| stem.len() == whole.len()));
        let loudest = whole.iter().map(|sample| sample.abs()).max().expect("at least one sample");
        assert!(
            loudest > 7_000_000,
            "{preset}: the loudest sample is {loudest}, so the limiter does not work"
        );
        let off =
            |(at, sample): (usize, &i32)| (stems.iter().map(|stem| stem[at]).sum::<i32>() - sample).abs();
        let worst = whole.iter().enumerate().map(off).max().expect("at least one sample");
        println!("{preset}: the sum of the stems differs by at most {worst}");
        assert!(worst <= stems.len() as i32, "{preset}: the sum of the stems differs by {worst}");
    }
}

#[test]
fn cut_capture_renders_up_to_cut() {
    let dir = TempDir::new().expect("creating a temporary directory");
    assert!(khor(&["record", "x.khor", "--demo", "--seconds", "2"], dir.path()).status.success());
    let whole = std::fs::read(dir.path().join("x.khor")).expect("reading the capture");
    std::fs::write(dir.path().join("cut.khor"), &whole[..whole.len() / 2]).expect("writing the file");
    let rendered = khor(&["render", "cut.khor", "-o", "cut.wav"], dir.path());
    assert!(rendered.status.success(), "{}", text(&rendered));
    assert!(text(&rendered).contains("cut short after"), "{}", text(&rendered));

    std::fs::write(dir.path().join("x.txt"), "hello").expect("writing the file");
    let rejected = khor(&["render", "x.txt", "-o", "x.wav"], dir.path());
    assert_eq!(rejected.status.code(), Some(1));
    assert!(text(&rejected).contains("not a khor capture"), "{}", text(&rejected));
    assert!(!dir.path().join("x.wav").exists(), "the failed render left a file behind");
    for wrong in [&["render", "-o", "x.wav"][..], &["render", "--demo", "-o", "x.wav", "--bpm", "fast"]] {
        assert_eq!(khor(wrong, dir.path()).status.code(), Some(2), "{wrong:?}");
    }
    let range = khor(&["render", "--demo", "-o", "x.wav", "--bpm", "5"], dir.path());
    assert!(
        text(&range).contains("'5' for '--bpm <BPM>': expected a number from 20 to 300"),
        "{}",
        text(&range)
    );
}

#[test]
fn capture_plays_to_end_or_reports_damage() {
    let dir = TempDir::new().expect("creating a temporary directory");
    assert!(khor(&["record", "x.khor", "--demo", "--seconds", "2"], dir.path()).status.success());
    let play = |name| khor(&["play", name, "--no-http", "--no-audio", "--config", "none.json"], dir.path());
    let played = play("x.khor");
    assert!(played.status.success() && text(&played).contains("the synthetic demo"), "{}", text(&played));

    let whole = std::fs::read(dir.path().join("x.khor")).expect("reading the capture");
    std::fs::write(dir.path().join("cut.khor"), &whole[..whole.len() - 1]).expect("writing the file");
    let played = play("cut.khor");
    assert_eq!(played.status.code(), Some(1));
    assert!(text(&played).contains("cut.khor is cut short after"), "{}", text(&played));
    std::fs::write(dir.path().join("x.txt"), "hello").expect("writing the file");
    let rejected = play("x.txt");
    assert_eq!(rejected.status.code(), Some(1));
    assert!(text(&rejected).contains("cannot play x.txt") && text(&rejected).contains("not a khor capture"));
}

#[test]
fn capture_is_labelled_everywhere() {
    let dir = TempDir::new().expect("creating a temporary directory");
    assert!(khor(&["record", "x.khor", "--demo", "--seconds", "1"], dir.path()).status.success());
    let port = free_port();
    let mut child = Command::new(program("khor"))
        .args(["play", "x.khor", "--loop", "--no-audio", "--config", "none.json"])
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .current_dir(dir.path())
        .spawn()
        .expect("starting khor play");
    let health = || {
        let mut answer = ureq::get(format!("http://127.0.0.1:{port}/api/health")).call().ok()?;
        serde_json::from_str::<serde_json::Value>(&answer.body_mut().read_to_string().ok()?).ok()
    };
    wait_until("the capture in /api/health", || {
        health()
            .is_some_and(|health| health["source"]["kind"] == "capture" && health["bpf"]["enabled"] == false)
    });
    child.kill().expect("killing khor play");
    child.wait().expect("waiting for khor play");
}
