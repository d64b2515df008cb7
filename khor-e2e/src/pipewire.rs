//! A PipeWire server for one test, with a session manager, a PulseAudio server and a null sink, as
//! on a desktop.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{Bus, pulse::SoundRecording, wait_until};

/// The programs of a PipeWire desktop, in the order in which they start.
const PROGRAMS: [&str; 3] = ["pipewire", MANAGER, "pipewire-pulse"];
const MANAGER: &str = "wireplumber";

/// The running programs of a PipeWire desktop; killed when dropped.
#[derive(Debug)]
pub struct PipeWire {
    children: Vec<Child>,
    /// A message bus, which the session manager needs.
    bus: Bus,
    dir: TempDir,
}

impl PipeWire {
    /// Starts the servers; `None` if one of them is not installed.
    pub fn start() -> Option<Self> {
        Command::new("pactl").arg("--version").stdout(Stdio::null()).status().ok()?;
        let bus = Bus::start(false)?;
        let mut pipewire =
            Self { children: Vec::new(), bus, dir: TempDir::new().expect("creating a temporary directory") };
        pipewire.restart().then_some(pipewire)
    }

    /// Restarts the servers after [`Self::kill`]. Returns false if one cannot be started.
    pub fn restart(&mut self) -> bool {
        let socket = self.socket();
        for program in PROGRAMS {
            let Some(child) = self.spawn(program) else { return false };
            self.children.push(child);
            wait_until("PipeWire's socket", || socket.exists());
        }
        wait_until("PipeWire's PulseAudio server", || self.pactl(&["info"]).is_some());
        // The sink must not exist before the session manager starts, because the session manager
        // never chooses an older sink.
        wait_until("the session manager to connect", || self.is_managed());
        let sink = ["load-module", "module-null-sink", "sink_name=null", "rate=48000", "channels=2"];
        assert!(self.pactl(&sink).is_some(), "pactl cannot create the null sink");
        wait_until("the session manager to choose the sink", || {
            self.pactl(&["get-default-sink"]).is_some_and(|sink| sink == "null\n")
        });
        true
    }

    /// Whether the session manager is connected. Restarts the session manager if it has ended, as
    /// systemd does. A session manager ends if PipeWire does not answer yet.
    fn is_managed(&mut self) -> bool {
        let manager = PROGRAMS
            .iter()
            .position(|program| *program == MANAGER)
            .expect("the session manager's place in PROGRAMS");
        if self.children[manager].try_wait().is_ok_and(|ended| ended.is_some())
            && let Some(child) = self.spawn(MANAGER)
        {
            self.children[manager] = child;
        }
        self.pactl(&["list", "short", "clients"]).is_some_and(|clients| clients.contains(MANAGER))
    }

    fn spawn(&self, program: &str) -> Option<Child> {
        self.client(program).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
    }

    /// The output of `pactl`; `None` if it fails.
    fn pactl(&self, arguments: &[&str]) -> Option<String> {
        let output = self.client("pactl").args(arguments).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Kills the servers.
    pub fn kill(&mut self) {
        for mut child in self.children.drain(..).rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // A killed server does not remove its socket. Remove it, because `restart` waits until a
        // new socket exists.
        let _ = std::fs::remove_file(self.socket());
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("pipewire-0")
    }

    /// Environment variables with which a program finds these servers. No cookie is needed.
    pub fn environment(&self) -> [(&str, &str); 1] {
        [("XDG_RUNTIME_DIR", self.dir.path().to_str().expect("a UTF-8 path"))]
    }

    /// Records the played sound for `length`.
    pub fn record(&self, length: Duration) -> SoundRecording {
        SoundRecording::of_null_sink(self.client("parec"), length)
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("HOME", self.dir.path()).env("DBUS_SESSION_BUS_ADDRESS", self.bus.address());
        for variable in ["PULSE_SERVER", "PULSE_COOKIE", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
            command.env_remove(variable);
        }
        command.envs(self.environment());
        command
    }
}

impl Drop for PipeWire {
    fn drop(&mut self) {
        self.kill();
    }
}
