//! A PipeWire of the test's own, with the session manager and the PulseAudio side that desktops have, and a null sink.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{Bus, pulse::Recording, wait_until};

/// What makes up a PipeWire, in order of start.
const PROGRAMS: [&str; 3] = ["pipewire", "wireplumber", "pipewire-pulse"];
const PATIENCE: Duration = Duration::from_secs(20);

/// Running servers; killed when dropped.
#[derive(Debug)]
pub struct PipeWire {
    children: Vec<Child>,
    /// The session manager wants one.
    bus: Bus,
    dir: TempDir,
}

impl PipeWire {
    /// Starts the servers; `None` where one of them is not installed.
    pub fn start() -> Option<Self> {
        let bus = Bus::start(false)?;
        let mut pipewire = Self { children: Vec::new(), bus, dir: TempDir::new().expect("a directory") };
        pipewire.restart().then_some(pipewire)
    }

    /// Starts the servers again, after [`Self::kill`].
    pub fn restart(&mut self) -> bool {
        for program in PROGRAMS {
            let mut command = self.client(program);
            let Ok(child) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else { return false };
            self.children.push(child);
            if program == PROGRAMS[0] {
                let socket = self.dir.path().join("pipewire-0");
                wait_until("PipeWire", PATIENCE, || socket.exists());
            }
        }
        let pactl = |arguments: &[&str]| {
            let mut command = self.client("pactl");
            command
                .args(arguments)
                .stderr(Stdio::null())
                .output()
                .ok()
                .filter(|output| output.status.success())
        };
        wait_until("PipeWire's PulseAudio side", PATIENCE, || pactl(&["info"]).is_some());
        let sink = ["load-module", "module-null-sink", "sink_name=null", "rate=48000", "channels=2"];
        assert!(pactl(&sink).is_some(), "no null sink");
        wait_until("the session manager to choose the sink", PATIENCE, || {
            pactl(&["get-default-sink"]).is_some_and(|output| output.stdout == b"null\n")
        });
        true
    }

    /// Kills the servers.
    pub fn kill(&mut self) {
        for mut child in self.children.drain(..).rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The environment that leads a program to these servers: nothing in it lets anybody in.
    pub fn environment(&self) -> [(&str, &str); 1] {
        [("XDG_RUNTIME_DIR", self.dir.path().to_str().expect("a plain path"))]
    }

    /// Records what is played, for that long.
    pub fn record(&self, length: Duration) -> Recording {
        Recording::of_null_sink(self.client("parec"), length)
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
