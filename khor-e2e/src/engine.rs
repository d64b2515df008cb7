//! Runs the built engine with its own configuration, port and log, and calls its API.

use std::{
    fs::File,
    io::Read,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use khor_api::{Explanation, FleetReport, HealthReport, MetricsReport, RecordingStatus};
use khor_patience::{hang_timeout, progress};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Wait, free_port, pulse::SoundRecording, wait_for, wait_until};

const LOOPBACK: &str = "127.0.0.1";

/// A running engine; killed when dropped.
#[derive(Debug)]
pub struct Engine {
    child: Child,
    port: u16,
    dir: TempDir,
    agent: ureq::Agent,
}

impl Engine {
    /// Starts `khor engine` on the collector's `socket`, with a new directory as home and
    /// additional environment variables. Waits until its API answers.
    pub fn start(socket: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_in(
            TempDir::new().expect("creating a temporary directory"),
            socket,
            arguments,
            environment,
        )
    }

    /// Like `start`, with a home that may contain an earlier configuration (`config.json`).
    pub fn start_in(dir: TempDir, socket: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let at = (LOOPBACK, free_port());
        Self::run(Command::new(program("khor")), at, dir, socket, arguments, environment)
    }

    /// Like `start`, on the port `port`.
    pub fn start_at(port: u16, socket: &Path, arguments: &[&str]) -> Self {
        let dir = TempDir::new().expect("creating a temporary directory");
        Self::run(Command::new(program("khor")), (LOOPBACK, port), dir, socket, arguments, &[])
    }

    /// Like `start`, without a collector and without sound. The engine subscribes to the site
    /// `home` with these options.
    pub fn of_site(options: &[String]) -> Self {
        let site = ["--site", "home", "--no-audio"];
        let arguments: Vec<&str> = site.into_iter().chain(options.iter().map(String::as_str)).collect();
        Self::start("/nonexistent/collector.sock".as_ref(), &arguments, &[])
    }

    /// Like `start`, without a collector, on an address that other machines can reach. The
    /// configuration in `dir` must name a token file.
    pub fn start_for_others(dir: TempDir, arguments: &[&str]) -> Self {
        let nowhere = dir.path().join("no.sock");
        let at = ("0.0.0.0", free_port());
        Self::run(Command::new(program("khor")), at, dir, &nowhere, arguments, &[])
    }

    /// Like `start`, through another program that runs the engine in its own process, for example
    /// `setpriv`.
    pub fn start_through(
        starter: &[&str],
        socket: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = Command::new(starter[0]);
        command.args(&starter[1..]).arg(program("khor"));
        let dir = TempDir::new().expect("creating a temporary directory");
        Self::run(command, (LOOPBACK, free_port()), dir, socket, arguments, environment)
    }

    fn run(
        mut khor: Command,
        (host, port): (&str, u16),
        dir: TempDir,
        socket: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut wait = Wait::new("the engine to answer");
        let log = File::create(dir.path().join("log")).expect("creating the log file");
        let child = khor
            .arg("engine")
            .args(["--listen", &format!("{host}:{port}")])
            .arg("--socket")
            .arg(socket)
            .arg("--config")
            .arg(dir.path().join("config.json"))
            .args(arguments)
            .env("HOME", dir.path())
            .envs(environment.iter().copied())
            .stderr(log)
            .spawn()
            .expect("starting khor engine");
        let mut engine = Self { child, port, dir, agent: agent() };
        while engine.try_get("/api/health").is_err() {
            let ended = engine.child.try_wait().expect("the engine's process state");
            assert!(ended.is_none(), "the engine did not start ({ended:?}): {}", engine.log());
            wait.pause(|| engine.log());
        }
        engine
    }

    /// The URL of the engine's page, without a path.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The engine's process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The path of the engine's configuration file.
    pub fn config_path(&self) -> PathBuf {
        self.dir.path().join("config.json")
    }

    /// The engine's log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// The first aggregated site of `/api/fleet`; null if there is none.
    pub fn first_site(&self) -> Value {
        let sites = self.get("/api/fleet")["sites"].clone();
        sites.as_array().and_then(|sites| sites.first().cloned()).unwrap_or_default()
    }

    /// Number of recent notes for which `holds` returns true.
    pub fn notes(&self, holds: impl Fn(&Value) -> bool) -> usize {
        let metrics = self.get("/api/metrics");
        metrics["notes"].as_array().expect("a list of notes").iter().filter(|note| holds(note)).count()
    }

    /// Number of pulse notes since `since_ms` that have the role `role` and a MIDI number in
    /// `midi`.
    pub fn pulse_notes(&self, since_ms: u64, role: &str, midi: RangeInclusive<u64>) -> usize {
        self.notes(|note| {
            note["ts_ms"].as_u64() > Some(since_ms)
                && note["layer"] == "pulse"
                && note["role"] == role
                && note["midi"].as_u64().is_some_and(|number| midi.contains(&number))
        })
    }

    /// Changes `site.mode`. Returns a time after which all notes are in this mode, in milliseconds
    /// since 1970.
    pub fn play_site(&self, mode: &str) -> u64 {
        /// The length of two bars at 110 bpm. This is long enough, because a change takes effect
        /// when the next bar begins.
        const BARS_MS: u64 = 2 * 2_182;
        let (status, answer) = self.change(&json!({ "site": { "mode": mode } }));
        assert_eq!((status, &answer["site"]["mode"]), (200, &Value::from(mode)), "{answer:#}");
        wait_until("the mode to be selected", || self.get("/api/fleet")["mode"] == mode);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        since.as_millis() as u64 + BARS_MS
    }

    /// The sections that have a part of their own, in order: name, timbre, number of hosts.
    pub fn sections(&self) -> Vec<(String, String, u64)> {
        let sections = self.fleet().sections.into_iter();
        sections
            .map(|one| (one.name.unwrap_or_default(), one.timbre.name().to_owned(), one.hosts as u64))
            .collect()
    }

    /// The hosts of all recent cues of this kind.
    pub fn hosts_of_cues(&self, kind: &str) -> Vec<String> {
        let of_kind = self.metrics().cues.into_iter().filter(|cue| cue.kind == kind);
        of_kind.filter_map(|cue| cue.host).collect()
    }

    /// The response to a GET request, as JSON.
    pub fn get(&self, path: &str) -> Value {
        self.try_get(path).unwrap_or_else(|error| panic!("GET {path}: {error}\n{}", self.log()))
    }

    /// The response of `/api/health`: the health of every part.
    pub fn health(&self) -> HealthReport {
        self.get_as("/api/health")
    }

    /// The response of `/api/metrics`: rates, signals, notes, cues and the history.
    pub fn metrics(&self) -> MetricsReport {
        self.get_as("/api/metrics")
    }

    /// The response of `/api/fleet`: the hosts of the site.
    pub fn fleet(&self) -> FleetReport {
        self.get_as("/api/fleet")
    }

    /// The response of `/api/explain`: what plays and why.
    pub fn explain(&self) -> Explanation {
        self.get_as("/api/explain")
    }

    /// The response of `/api/recording`: the current or last recording.
    pub fn recording(&self) -> RecordingStatus {
        self.get_as("/api/recording")
    }

    /// The response to a GET request, decoded as its API type.
    pub fn get_as<T: DeserializeOwned>(&self, path: &str) -> T {
        let answer = self.get(path);
        T::deserialize(&answer).unwrap_or_else(|error| panic!("GET {path}: {error} in {answer:#}"))
    }

    /// Records sound for `length` from `/api/listen.wav`. Waits until the recording is complete,
    /// even on a slow machine.
    pub fn listen(&self, length: Duration) -> SoundRecording {
        const HEADER_BYTES: usize = 44;
        const BYTES_PER_S: f64 = 4.0 * 48_000.0;
        let sound_bytes = (length.as_secs_f64() * BYTES_PER_S) as usize;
        let bytes = self.read("/api/listen.wav", HEADER_BYTES + sound_bytes);
        assert!(bytes.len() >= HEADER_BYTES + sound_bytes, "the sound ended after {} bytes", bytes.len());
        assert_eq!(
            (&bytes[..4], &bytes[8..12]),
            (b"RIFF".as_slice(), b"WAVE".as_slice()),
            "/api/listen.wav does not begin like a WAV file"
        );
        SoundRecording::of(&bytes[HEADER_BYTES..])
    }

    /// Reads a response that may never end. Returns after `enough` bytes, or at the end of the
    /// response.
    pub fn read(&self, path: &str, enough: usize) -> Vec<u8> {
        progress(format!("reading {path}"));
        let mut answer = ureq::get(format!("{}{path}", self.url())).call().expect("a response");
        let mut reader = answer.body_mut().as_reader();
        let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
        while bytes.len() < enough {
            progress(format!("reading {path} after {} bytes", bytes.len()));
            match reader.read(&mut buffer).expect("reading the response") {
                0 => break,
                read => bytes.extend_from_slice(&buffer[..read]),
            }
        }
        bytes
    }

    /// Sends a POST request without a body. Returns the status and the response.
    pub fn post(&self, path: &str) -> (u16, Value) {
        self.send("POST", path, b"", &[])
    }

    /// Changes settings. Returns the status and the response.
    pub fn change(&self, settings: &Value) -> (u16, Value) {
        self.send("PATCH", "/api/config", settings.to_string().as_bytes(), &[])
    }

    /// Sends a request with a JSON body. Returns the status and the response.
    pub fn send(&self, method: &str, path: &str, body: &[u8], headers: &[(&str, &str)]) -> (u16, Value) {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url()))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = self.agent.run(request.body(body).expect("a valid request")).expect("a response");
        let text = answer.body_mut().read_to_string().expect("reading the response's body");
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"));
        (answer.status().as_u16(), json)
    }

    /// A signal's current level; `None` while it is missing.
    pub fn level(&self, signal: &str) -> Option<f32> {
        self.metrics().signals.get(signal)?.level
    }

    /// Waits until the engine receives data from a source of this kind. Returns the time that it
    /// took.
    pub fn wait_for_source(&self, kind: &str) -> Duration {
        wait_until(&format!("data from the source {kind}"), || {
            let source = &self.get("/api/health")["source"];
            source["kind"] == kind && source["ok"] == true && self.level("csw").is_some()
        })
    }

    /// Stops the engine by SIGTERM, and waits for its exit. Returns its status and its home.
    pub fn stop(self) -> (ExitStatus, TempDir) {
        self.stop_by(Signal::SIGTERM)
    }

    /// Stops the engine by `signal`, and waits for its exit. Returns its status and its home.
    pub fn stop_by(mut self, signal: Signal) -> (ExitStatus, TempDir) {
        kill(Pid::from_raw(self.pid() as i32), signal).expect("sending the signal to the engine");
        let status =
            wait_for("the engine to stop", || self.child.try_wait().expect("the engine's process state"));
        let dir = std::mem::replace(&mut self.dir, TempDir::new().expect("creating a temporary directory"));
        (status, dir)
    }

    fn try_get(&self, path: &str) -> Result<Value, String> {
        let answer = self.agent.get(format!("{}{path}", self.url())).call();
        let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
        serde_json::from_str(&text.map_err(|error| error.to_string())?).map_err(|error| error.to_string())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of a program of this workspace that `cargo build --workspace` has built.
pub fn program(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("this program's path");
    // A test is at target/<profile>/deps/<test>, any other program at target/<profile>/<program>.
    let folder = this.ancestors().skip(1).find(|folder| !folder.ends_with("deps")).expect("target/<profile>");
    let program = folder.join(name);
    assert!(program.exists(), "{} is missing: run `cargo build --workspace` first", program.display());
    program
}

/// An HTTP client that opens a new connection for each request. A kept connection would break when
/// the engine restarts.
fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_idle_connections(0)
        .timeout_global(Some(hang_timeout()))
        .build();
    config.into()
}
