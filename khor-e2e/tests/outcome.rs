//! Tests what remains when a command ends early, the disk is full, or the output is closed:
//! playable files, the old file instead of half a new one, and an error instead of a panic.

use std::{
    fs::{self, File},
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
};

use khor_e2e::{Engine, Terminal, engine::program, free_port, wait_for, wait_until};
use khor_patience::progress;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

const NO_SOCKET: &str = "/nonexistent/collector.sock";
/// Runs a program that cannot write any byte to a file, as on a full disk.
const ON_A_FULL_DISK: &str = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
/// Runs a program that ignores SIGHUP, as `nohup` does.
const WITHOUT_HANGUPS: &str = "trap '' HUP; exec \"$@\"";
/// One second of 24-bit stereo at 48 kHz, bytes.
const SECOND_BYTES: usize = 6 * 48_000;

fn khor() -> Command {
    Command::new(program("khor"))
}

/// Runs khor through a shell script.
fn khor_through(script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(program("khor"));
    shell
}

fn output(mut command: Command) -> Output {
    progress(format!("running {command:?}"));
    command.output().expect("running it")
}

fn text_of(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

fn bytes(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}

/// A command that works until a signal; killed when dropped.
struct Working(Child);

impl Working {
    fn start(mut command: Command) -> Self {
        progress(format!("starting {command:?}"));
        Self(command.stdout(Stdio::null()).spawn().expect("starting it"))
    }

    fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id() as i32), signal).expect("signalling it");
    }

    fn end(&mut self) -> ExitStatus {
        wait_for("the command to exit", || self.0.try_wait().expect("its state"))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Bytes of samples: according to the header of a WAV file, and actually in the file.
fn wav_lengths(path: &Path) -> (usize, usize) {
    let wav = fs::read(path).expect("the file");
    let Some(data) = wav.windows(4).position(|chunk| chunk == b"data") else { return (0, 0) };
    let length = wav[data + 4..data + 8].try_into().expect("four bytes");
    (u32::from_le_bytes(length) as usize, wav.len() - data - 8)
}

/// Starts an engine and records at least `seconds` seconds into a WAV file.
fn recording(seconds: f64) -> (Engine, PathBuf) {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    let (status, started) = engine.post("/api/recording/start?format=wav");
    assert_eq!(status, 200, "{started}");
    let file = started["file"].as_str().expect("a file").into();
    wait_until("the recording", || engine.recording().seconds >= seconds);
    (engine, file)
}

#[test]
fn sighup_closes_the_recording_of_the_engine() {
    let (engine, file) = recording(0.5);
    let (status, _dir) = engine.stop_by(Signal::SIGHUP);
    assert!(status.success(), "{status}");
    let (by_header, there) = wav_lengths(&file);
    assert!(by_header == there && there >= SECOND_BYTES / 2, "{by_header} of {there}");
}

#[test]
fn recording_plays_after_engine_is_killed() {
    let (engine, file) = recording(3.0);
    kill(Pid::from_raw(engine.pid() as i32), Signal::SIGKILL).expect("signalling it");
    // A zombie process has an empty command line.
    let cmdline = format!("/proc/{}/cmdline", engine.pid());
    wait_until("its end", || fs::read(&cmdline).is_ok_and(|words| words.is_empty()));
    let (by_header, there) = wav_lengths(&file);
    assert!(by_header >= 2 * SECOND_BYTES && by_header <= there, "{by_header} of {there}");
}

#[test]
fn sighup_ends_every_other_command_cleanly() {
    let dir = TempDir::new().expect("a directory");
    let at = |name: &str| dir.path().join(name);
    let start = |words: &[&str]| {
        let mut command = khor();
        command.args(words).current_dir(dir.path());
        Working::start(command)
    };
    let mut record = start(&["record", "x.khor", "--demo"]);
    wait_until("a block", || bytes(&at("x.khor")) > 100);
    record.send(Signal::SIGHUP);
    assert!(record.end().success());

    let mut render = start(&[
        "render",
        "--demo",
        "-o",
        "x.wav",
        "--sample-rate",
        "8000",
        "--seconds",
        "31536000",
        "--force",
    ]);
    wait_until("samples", || names(dir.path()).iter().any(|name| bytes(&at(name)) > 48_000));
    render.send(Signal::SIGHUP);
    assert!(render.end().success());
    let (by_header, there) = wav_lengths(&at("x.wav"));
    assert!(by_header == there && there > 0, "{by_header} of {there}");

    // This also checks that `record` has closed its capture.
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut play =
        start(&["play", "x.khor", "--loop", "--no-audio", "--config", "c.json", "--listen", &listen]);
    wait_until("the page", || std::net::TcpStream::connect(&listen).is_ok());
    play.send(Signal::SIGHUP);
    assert!(play.end().success(), "a capture without an end would be an error");

    let mut relay = start(&[
        "relay",
        "--site",
        "home",
        "--no-bpf",
        "--nats",
        "nats://127.0.0.1:1",
        "--baseline",
        "b.json",
    ]);
    // The relay installs its signal handler before it first tries to connect.
    wait_until("the signal handler", || caught(relay.0.id()) & 1 == 1);
    relay.send(Signal::SIGHUP);
    assert!(relay.end().success());

    let address = format!("127.0.0.1:{}", free_port());
    let top =
        Terminal::run(&program("khor"), &["top", "--config", "c.json", "--listen", &address], (60, 12), &[]);
    top.wait_for(&["no engine answers"]);
    kill(Pid::from_raw(top.pid()), Signal::SIGHUP).expect("signalling it");
    assert_eq!(top.wait(), (0, true), "{}", top.text());
}

/// The signals that a process handles, as bits; SIGHUP is the lowest.
fn caught(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// A closed terminal sends SIGHUP, and printing to it fails.
#[test]
fn closing_the_terminal_closes_the_recording() {
    let dir = TempDir::new().expect("a directory");
    let capture = dir.path().join("x.khor");
    let words = ["record", capture.to_str().expect("UTF-8"), "--demo"];
    let terminal = Terminal::run(&program("khor"), &words, (100, 20), &[]);
    wait_until("a block", || bytes(&capture) > 100);
    let cmdline = format!("/proc/{}/cmdline", terminal.pid());
    drop(terminal);
    wait_until("its end", || fs::read(&cmdline).map_or(true, |words| words.is_empty()));
    let mut render = khor();
    render.args(["render", "x.khor", "-o", "x.mid"]).current_dir(dir.path());
    let rendered = output(render);
    assert!(rendered.status.success() && !text_of(&rendered).contains("cut short"), "{}", text_of(&rendered));
}

#[test]
fn an_ignored_sighup_stays_ignored() {
    let dir = TempDir::new().expect("a directory");
    let capture = dir.path().join("x.khor");
    let mut command = khor_through(WITHOUT_HANGUPS);
    command.args(["record", "x.khor", "--demo"]).current_dir(dir.path());
    let mut record = Working::start(command);
    wait_until("a block", || bytes(&capture) > 100);
    record.send(Signal::SIGHUP);
    let before = bytes(&capture);
    wait_until("more", || bytes(&capture) > before + 100);
    record.send(Signal::SIGTERM);
    assert!(record.end().success());

    let engine = Engine::start_through(
        &["sh", "-c", WITHOUT_HANGUPS, "sh"],
        NO_SOCKET.as_ref(),
        &["--fake", "--no-audio"],
        &[],
    );
    kill(Pid::from_raw(engine.pid() as i32), Signal::SIGHUP).expect("signalling it");
    engine.get("/api/health");
    assert!(engine.stop().0.success());
}

#[test]
fn a_full_disk_keeps_the_old_file() {
    let dir = TempDir::new().expect("a directory");
    let old = ["x.wav", "x.flac", "x.mid", "x.khor", "khor.1"];
    for name in old {
        fs::write(dir.path().join(name), "old").expect("writing");
    }
    let render = |name| vec!["render", "--demo", "--seconds", "20", "--sample-rate", "8000", "-o", name];
    let commands = [
        render("x.wav"),
        render("x.flac"),
        render("x.mid"),
        vec!["record", "x.khor", "--demo", "--seconds", "1"],
        vec!["man", "--dir", "."],
    ];
    for words in commands {
        let mut command = khor_through(ON_A_FULL_DISK);
        command.args(&words).current_dir(dir.path());
        let failed = output(command);
        assert_eq!(failed.status.code(), Some(1), "{words:?}: {}", text_of(&failed));
        assert!(!text_of(&failed).contains("panicked"), "{words:?}: {}", text_of(&failed));
    }
    for name in old {
        assert_eq!(fs::read_to_string(dir.path().join(name)).expect(name), "old", "{name}");
    }
    let left: Vec<String> =
        names(dir.path()).into_iter().filter(|name| !old.contains(&name.as_str())).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn render_replaces_old_file_when_complete() {
    let dir = TempDir::new().expect("a directory");
    let at = |name: &str| dir.path().join(name);
    fs::write(at("real.wav"), "old").expect("writing");
    fs::set_permissions(at("real.wav"), fs::Permissions::from_mode(0o640)).expect("its mode");
    symlink("real.wav", at("x.wav")).expect("a link");
    let render = |seconds: &str| {
        let mut command = khor();
        command.args([
            "render",
            "--demo",
            "-o",
            "x.wav",
            "--sample-rate",
            "8000",
            "--seconds",
            seconds,
            "--force",
        ]);
        command.current_dir(dir.path());
        command
    };
    let mut killed = Working::start(render("31536000"));
    let part = || names(dir.path()).into_iter().find(|name| name.starts_with("real.part-"));
    wait_until("samples", || part().is_some_and(|name| bytes(&at(&name)) > 480_000));
    killed.send(Signal::SIGKILL);
    killed.end();
    assert_eq!(fs::read_to_string(at("real.wav")).expect("the file"), "old");
    let (by_header, there) = wav_lengths(&at(&part().expect("the partial render")));
    assert!(by_header <= there && by_header > there / 2, "{by_header} of {there}");

    let rendered = output(render("2"));
    assert!(rendered.status.success(), "{}", text_of(&rendered));
    assert!(at("x.wav").is_symlink());
    let (by_header, there) = wav_lengths(&at("real.wav"));
    assert!(by_header == there && there > 0, "{by_header} of {there}");
    assert_eq!(at("real.wav").metadata().expect("the file").mode() & 0o7777, 0o640);
}

/// Commands that print and need no engine.
const PRINTING: [&[&str]; 8] = [
    &["--help"],
    &["--version"],
    &["record", "--help"],
    &["man"],
    &["completions", "bash"],
    &["presets"],
    &["presets", "--json"],
    &["devices", "--json"],
];
/// Commands that query an engine and print.
const ASKING: [&[&str]; 8] = [
    &["status"],
    &["status", "--json"],
    &["explain"],
    &["explain", "--json"],
    &["mute", "on"],
    &["snooze", "0"],
    &["config"],
    &["config", "music.bpm"],
];

/// Calls `run` for each command that prints. `run` sets the output of the command.
fn printing(mut run: impl FnMut(&[&str], Command)) {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    let address = engine.url().trim_start_matches("http://").to_owned();
    let dir = TempDir::new().expect("a directory");
    let command = |words: &[&str]| {
        let mut command = khor();
        command.args(words).current_dir(dir.path()).env("HOME", dir.path());
        command
    };
    for words in PRINTING {
        run(words, command(words));
    }
    for words in ASKING {
        let mut command = command(words);
        command.args(["--listen", &address, "--config", "c.json"]);
        run(words, command);
    }
    let mut doctor = command(&["doctor", "--config", "c.json", "--listen"]);
    doctor.arg(&address);
    run(&["doctor"], doctor);
    run(&["record"], command(&["record", "x.khor", "--demo", "--seconds", "0.5"]));
    run(&["render"], command(&["render", "x.khor", "-o", "x.mid"]));
    run(&["play"], command(&["play", "x.khor", "--no-http", "--no-audio", "--config", "c.json"]));
}

#[test]
fn printing_to_full_disk_is_error() {
    printing(|words, mut command| {
        command.stdout(File::options().write(true).open("/dev/full").expect("the device"));
        let failed = output(command);
        let said = text_of(&failed);
        assert_eq!(failed.status.code(), Some(1), "{words:?}: {said}");
        assert!(said.contains("cannot write to the standard output"), "{words:?}: {said}");
        assert!(!said.contains("panicked"), "{words:?}: {said}");
    });
}

#[test]
fn printing_to_closed_pipe_is_no_error() {
    printing(|words, mut command| {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        command.stdout(writer);
        let ended = output(command);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!said.contains("panicked") && !said.contains("cannot write"), "{words:?}: {said}");
        // `status` and `doctor` may find a fault of this machine.
        let finds_faults = ["status", "doctor"].contains(&words[0]);
        assert!(ended.status.code() == Some(0) || finds_faults, "{words:?}: {:?} {said}", ended.status);
    });
}

#[test]
fn logging_to_full_disk_is_no_error() {
    let dir = TempDir::new().expect("a directory");
    for words in
        [&["record", "x.khor", "--demo", "--seconds", "0.5"][..], &["render", "x.khor", "-o", "x.mid"]]
    {
        let mut command = khor();
        command.args(words).current_dir(dir.path()).stdout(Stdio::null());
        command.stderr(File::options().write(true).open("/dev/full").expect("the device"));
        progress(format!("running {words:?}"));
        assert!(command.status().expect("khor").success(), "{words:?}");
    }
}

#[test]
fn a_dumb_terminal_gets_no_escape_sequences() {
    let dir = TempDir::new().expect("a directory");
    let capture = dir.path().join("x.khor").display().to_string();
    let run = |words: &[&str], term| Terminal::run(&program("khor"), words, (100, 20), &[("TERM", term)]);
    for (term, reason) in [("dumb", "TERM=dumb"), ("", "TERM is not set")] {
        let top = run(&["top", "--config", "/nonexistent/c.json"], term);
        assert_eq!(top.wait().0, 1, "{}", top.text());
        assert!(top.text().contains(reason) && top.text().contains("khor status"), "{}", top.text());
        let record = run(&["record", &capture, "--demo", "--seconds", "1"], term);
        assert_eq!(record.wait().0, 0, "{}", record.text());
        assert!(!top.has_escapes() && !record.has_escapes(), "{term}");
    }
    let record = run(&["record", &capture, "--demo", "--seconds", "1"], "xterm");
    assert_eq!(record.wait().0, 0, "{}", record.text());
    assert!(record.has_escapes(), "xterm shows progress");
}
