//! Tests the result when a command ends early, the disk is full, or the output is closed.
//! Recordings must be playable, a failed write must keep the old file, and no command may panic.

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
/// Shell script that runs a program whose writes to files all fail, as on a full disk.
const ON_A_FULL_DISK: &str = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
/// Shell script that runs a program with SIGHUP ignored, as `nohup` does.
const WITHOUT_HANGUPS: &str = "trap '' HUP; exec \"$@\"";
/// Bytes of one second of 24-bit stereo at 48 kHz.
const SECOND_BYTES: usize = 6 * 48_000;

fn khor() -> Command {
    Command::new(program("khor"))
}

/// A command that runs khor through a shell script.
fn khor_through(script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(program("khor"));
    shell
}

fn output(mut command: Command) -> Output {
    progress(format!("running {command:?}"));
    command.output().expect("running the command")
}

fn text_of(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The names of the files in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("reading the folder");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry of the folder").file_name().into_string().expect("a UTF-8 name"))
        .collect();
    names.sort();
    names
}

/// The length of a file; 0 if it does not exist.
fn bytes(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}

/// A command that runs until it receives a signal; killed when dropped.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Self {
        progress(format!("starting {command:?}"));
        Self(command.stdout(Stdio::null()).spawn().expect("starting the command"))
    }

    fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id() as i32), signal).expect("sending the signal to the command");
    }

    fn end(&mut self) -> ExitStatus {
        wait_for("the command to exit", || self.0.try_wait().expect("the command's process state"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The length of a WAV file's samples in bytes: according to the header, and in the file.
fn wav_lengths(path: &Path) -> (usize, usize) {
    let wav = fs::read(path).expect("reading the WAV file");
    let Some(data) = wav.windows(4).position(|chunk| chunk == b"data") else { return (0, 0) };
    let length = wav[data + 4..data + 8].try_into().expect("a length of four bytes");
    (u32::from_le_bytes(length) as usize, wav.len() - data - 8)
}

/// Starts an engine and records at least `seconds` seconds into a WAV file.
fn recording(seconds: f64) -> (Engine, PathBuf) {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    let (status, started) = engine.post("/api/recording/start?format=wav");
    assert_eq!(status, 200, "{started}");
    let file = started["file"].as_str().expect("the recording's file").into();
    wait_until(&format!("{seconds} s of recording"), || engine.recording().seconds >= seconds);
    (engine, file)
}

#[test]
fn sighup_closes_the_recording_of_the_engine() {
    let (engine, file) = recording(0.5);
    let (status, _dir) = engine.stop_by(Signal::SIGHUP);
    assert!(status.success(), "{status}");
    let (by_header, actual) = wav_lengths(&file);
    assert!(
        by_header == actual && actual >= SECOND_BYTES / 2,
        "the header contains a length of {by_header} bytes, the file has {actual}"
    );
}

#[test]
fn recording_plays_after_engine_is_killed() {
    let (engine, file) = recording(3.0);
    kill(Pid::from_raw(engine.pid() as i32), Signal::SIGKILL).expect("killing the engine");
    // A zombie process has an empty command line.
    let cmdline = format!("/proc/{}/cmdline", engine.pid());
    wait_until("the process to end", || fs::read(&cmdline).is_ok_and(|words| words.is_empty()));
    let (by_header, actual) = wav_lengths(&file);
    assert!(
        by_header >= 2 * SECOND_BYTES && by_header <= actual,
        "the header contains a length of {by_header} bytes, the file has {actual}"
    );
}

#[test]
fn sighup_ends_all_other_commands_cleanly() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let at = |name: &str| dir.path().join(name);
    let start = |words: &[&str]| {
        let mut command = khor();
        command.args(words).current_dir(dir.path());
        Running::start(command)
    };
    let mut record = start(&["record", "x.khor", "--demo"]);
    wait_until("the first block of the capture", || bytes(&at("x.khor")) > 100);
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
    wait_until("rendered samples", || names(dir.path()).iter().any(|name| bytes(&at(name)) > 48_000));
    render.send(Signal::SIGHUP);
    assert!(render.end().success());
    let (by_header, actual) = wav_lengths(&at("x.wav"));
    assert!(
        by_header == actual && actual > 0,
        "the header contains a length of {by_header} bytes, the file has {actual}"
    );

    // `khor play` fails if `khor record` did not end its capture properly. So this checks `record`
    // too.
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut play =
        start(&["play", "x.khor", "--loop", "--no-audio", "--config", "c.json", "--listen", &listen]);
    wait_until("the page to be served", || std::net::TcpStream::connect(&listen).is_ok());
    play.send(Signal::SIGHUP);
    assert!(play.end().success(), "khor play failed; the capture may have no end");

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
    wait_until("the relay to handle SIGHUP", || caught(relay.0.id()) & 1 == 1);
    relay.send(Signal::SIGHUP);
    assert!(relay.end().success());

    let address = format!("127.0.0.1:{}", free_port());
    let top =
        Terminal::run(&program("khor"), &["top", "--config", "c.json", "--listen", &address], (60, 12), &[]);
    top.wait_for(&["no engine answers"]);
    kill(Pid::from_raw(top.pid()), Signal::SIGHUP).expect("sending SIGHUP to khor top");
    assert_eq!(top.wait(), (0, true), "{}", top.text());
}

/// The signals that a process handles, as a bit mask. The lowest bit stands for SIGHUP.
fn caught(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// Closing a terminal sends SIGHUP. Later writes to the terminal fail.
#[test]
fn closing_the_terminal_closes_the_recording() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let capture = dir.path().join("x.khor");
    let words = ["record", capture.to_str().expect("a UTF-8 path"), "--demo"];
    let terminal = Terminal::run(&program("khor"), &words, (100, 20), &[]);
    wait_until("the first block of the capture", || bytes(&capture) > 100);
    let cmdline = format!("/proc/{}/cmdline", terminal.pid());
    drop(terminal);
    wait_until("the process to end", || fs::read(&cmdline).map_or(true, |words| words.is_empty()));
    let mut render = khor();
    render.args(["render", "x.khor", "-o", "x.mid"]).current_dir(dir.path());
    let rendered = output(render);
    assert!(rendered.status.success() && !text_of(&rendered).contains("cut short"), "{}", text_of(&rendered));
}

#[test]
fn ignored_sighup_stays_ignored() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let capture = dir.path().join("x.khor");
    let mut command = khor_through(WITHOUT_HANGUPS);
    command.args(["record", "x.khor", "--demo"]).current_dir(dir.path());
    let mut record = Running::start(command);
    wait_until("the first block of the capture", || bytes(&capture) > 100);
    record.send(Signal::SIGHUP);
    let before = bytes(&capture);
    wait_until("another block of the capture", || bytes(&capture) > before + 100);
    record.send(Signal::SIGTERM);
    assert!(record.end().success());

    let engine = Engine::start_through(
        &["sh", "-c", WITHOUT_HANGUPS, "sh"],
        NO_SOCKET.as_ref(),
        &["--fake", "--no-audio"],
        &[],
    );
    kill(Pid::from_raw(engine.pid() as i32), Signal::SIGHUP).expect("sending SIGHUP to the engine");
    engine.get("/api/health");
    assert!(engine.stop().0.success());
}

#[test]
fn full_disk_keeps_the_old_file() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let old = ["x.wav", "x.flac", "x.mid", "x.khor", "khor.1"];
    for name in old {
        fs::write(dir.path().join(name), "old").expect("writing the old file");
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
    assert!(left.is_empty(), "failed commands left files behind: {left:?}");
}

#[test]
fn render_replaces_old_file_when_complete() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let at = |name: &str| dir.path().join(name);
    fs::write(at("real.wav"), "old").expect("writing the old file");
    fs::set_permissions(at("real.wav"), fs::Permissions::from_mode(0o640)).expect("the old file's mode");
    symlink("real.wav", at("x.wav")).expect("creating the link");
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
    let mut killed = Running::start(render("31536000"));
    let part = || names(dir.path()).into_iter().find(|name| name.starts_with("real.part-"));
    wait_until("rendered samples", || part().is_some_and(|name| bytes(&at(&name)) > 480_000));
    killed.send(Signal::SIGKILL);
    killed.end();
    assert_eq!(fs::read_to_string(at("real.wav")).expect("reading the old file"), "old");
    let (by_header, actual) = wav_lengths(&at(&part().expect("the file of the killed render")));
    assert!(
        by_header <= actual && by_header > actual / 2,
        "the header contains a length of {by_header} bytes, the file has {actual}"
    );

    let rendered = output(render("2"));
    assert!(rendered.status.success(), "{}", text_of(&rendered));
    assert!(at("x.wav").is_symlink());
    let (by_header, actual) = wav_lengths(&at("real.wav"));
    assert!(
        by_header == actual && actual > 0,
        "the header contains a length of {by_header} bytes, the file has {actual}"
    );
    assert_eq!(at("real.wav").metadata().expect("the new file's mode").mode() & 0o7777, 0o640);
}

/// Commands that print their result and need no engine.
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
/// Commands that send a request to an engine and print the result.
const QUERYING: [&[&str]; 8] = [
    &["status"],
    &["status", "--json"],
    &["explain"],
    &["explain", "--json"],
    &["mute", "on"],
    &["snooze", "0"],
    &["config"],
    &["config", "music.bpm"],
];

/// Calls `run` for each command that prints a result. `run` chooses where the output goes, and runs
/// the command.
fn for_each_printing_command(mut run: impl FnMut(&[&str], Command)) {
    let engine = Engine::start(NO_SOCKET.as_ref(), &["--fake", "--no-audio"], &[]);
    let address = engine.url().trim_start_matches("http://").to_owned();
    let dir = TempDir::new().expect("creating a temporary directory");
    let command = |words: &[&str]| {
        let mut command = khor();
        command.args(words).current_dir(dir.path()).env("HOME", dir.path());
        command
    };
    for words in PRINTING {
        run(words, command(words));
    }
    for words in QUERYING {
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
    for_each_printing_command(|words, mut command| {
        command.stdout(File::options().write(true).open("/dev/full").expect("opening /dev/full"));
        let failed = output(command);
        let printed = text_of(&failed);
        assert_eq!(failed.status.code(), Some(1), "{words:?}: {printed}");
        assert!(printed.contains("cannot write to the standard output"), "{words:?}: {printed}");
        assert!(!printed.contains("panicked"), "{words:?}: {printed}");
    });
}

#[test]
fn printing_to_closed_pipe_is_no_error() {
    for_each_printing_command(|words, mut command| {
        let (reader, writer) = std::io::pipe().expect("creating a pipe");
        drop(reader);
        command.stdout(writer);
        let ended = output(command);
        let printed = String::from_utf8_lossy(&ended.stderr);
        assert!(!printed.contains("panicked") && !printed.contains("cannot write"), "{words:?}: {printed}");
        // `status` and `doctor` may report a problem of this machine.
        let may_fail = ["status", "doctor"].contains(&words[0]);
        assert!(ended.status.code() == Some(0) || may_fail, "{words:?}: {:?} {printed}", ended.status);
    });
}

#[test]
fn logging_to_full_disk_is_no_error() {
    let dir = TempDir::new().expect("creating a temporary directory");
    for words in
        [&["record", "x.khor", "--demo", "--seconds", "0.5"][..], &["render", "x.khor", "-o", "x.mid"]]
    {
        let mut command = khor();
        command.args(words).current_dir(dir.path()).stdout(Stdio::null());
        command.stderr(File::options().write(true).open("/dev/full").expect("opening /dev/full"));
        progress(format!("running {words:?}"));
        assert!(command.status().expect("starting khor").success(), "{words:?}");
    }
}

#[test]
fn dumb_terminal_gets_no_escape_sequences() {
    let dir = TempDir::new().expect("creating a temporary directory");
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
    assert!(record.has_escapes(), "khor record shows no progress in an xterm");
}
