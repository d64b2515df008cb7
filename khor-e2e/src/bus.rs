//! A D-Bus message bus for one test.

use std::{
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use khor_patience::progress;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::Wait;

/// Longest wait for a line before the loop checks whether the test hangs.
const LOOK: Duration = Duration::from_millis(500);

/// A running message bus; killed when dropped.
#[derive(Debug)]
pub struct Bus {
    dir: TempDir,
    daemon: Option<Child>,
}

impl Bus {
    /// Starts a bus. A `strict` bus has the policy of a real system bus plus the files in
    /// `system.d`; any other bus allows everything. `None` if `dbus-daemon` is not installed.
    pub fn start(strict: bool) -> Option<Self> {
        let mut bus = Self { dir: TempDir::new().expect("creating a temporary directory"), daemon: None };
        // Users other than root must be able to find the socket.
        std::fs::set_permissions(bus.dir.path(), PermissionsExt::from_mode(0o755))
            .expect("the mode of the bus's directory");
        let policy = if strict {
            "<allow user='*'/><deny own='*'/><deny send_type='method_call'/><allow send_type='signal'/>\
             <allow send_requested_reply='true' send_type='method_return'/>\
             <allow send_requested_reply='true' send_type='error'/><allow receive_type='method_call'/>\
             <allow receive_type='method_return'/><allow receive_type='error'/><allow receive_type='signal'/>\
             <allow send_destination='org.freedesktop.DBus'/>"
        } else {
            "<allow user='*'/><allow own='*'/><allow send_destination='*' eavesdrop='true'/>\
             <allow eavesdrop='true'/>"
        };
        let included = bus.dir.path().join("system.d");
        std::fs::create_dir(&included).expect("creating the directory system.d");
        let config = format!(
            "<busconfig><type>system</type><listen>{}</listen><auth>EXTERNAL</auth>\
             <policy context='default'>{policy}</policy><includedir>{}</includedir></busconfig>",
            bus.address(),
            included.display()
        );
        std::fs::write(bus.dir.path().join("bus.conf"), config).expect("writing bus.conf");
        bus.restart().then_some(bus)
    }

    /// The bus address, for `DBUS_SYSTEM_BUS_ADDRESS` and `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> String {
        format!("unix:path={}", self.dir.path().join("bus").display())
    }

    /// Restarts the daemon after [`Self::kill`]. Returns false if it cannot be started.
    pub fn restart(&mut self) -> bool {
        let daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", self.dir.path().join("bus.conf").display()))
            .args(["--nofork", "--nopidfile"])
            .spawn();
        self.daemon = daemon.ok();
        self.daemon.is_some()
    }

    /// Kills the daemon.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }

    /// Writes a policy file into `system.d`, where packages install theirs, and makes the bus read
    /// it.
    pub fn install(&self, name: &str, policy: &str) {
        std::fs::write(self.dir.path().join("system.d").join(name), policy).expect("writing the policy");
        let daemon = self.daemon.as_ref().expect("a running bus").id();
        kill(Pid::from_raw(daemon as i32), Signal::SIGHUP).expect("sending SIGHUP to the bus");
    }

    /// The output of `busctl`; `None` if it fails.
    pub fn busctl(&self, arguments: &[&str]) -> Option<String> {
        progress(format!("running busctl {arguments:?}"));
        let output = Command::new("busctl")
            .arg(format!("--address={}", self.address()))
            .args(arguments)
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Starts to receive all messages from and to the bus name `name`. Some program must already
    /// own this name.
    pub fn monitor(&self, name: &str) -> Monitor {
        let mut child = Command::new("busctl")
            .arg(format!("--address={}", self.address()))
            .args(["monitor", "--json=short", name])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starting busctl");
        let output = BufReader::new(child.stdout.take().expect("the output of busctl"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut wait = Wait::new(&format!("busctl to monitor {name}"));
        // The monitor does not report that it is ready, so send messages until it prints one.
        while lines.recv_timeout(Duration::from_millis(50)).is_err() {
            let _ = self.busctl(&["call", name, "/", "org.freedesktop.DBus.Peer", "Ping"]);
            wait.check(String::new);
        }
        Monitor { child, lines }
    }
}

/// A running `busctl monitor`; killed when dropped.
#[derive(Debug)]
pub struct Monitor {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Monitor {
    /// Waits for the next message for which `fits` returns true. `what` names it in errors.
    pub fn wait_for(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut wait = Wait::new(&format!("a bus message: {what}"));
        loop {
            match self.lines.recv_timeout(LOOK).map(|line| serde_json::from_str(&line)) {
                Ok(Ok(message)) if fits(&message) => return message,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    panic!("busctl ended before this message arrived: {what}")
                }
                _ => wait.check(String::new),
            }
        }
    }

    /// Waits until a property of `interface` changes to a value for which `fits` returns true.
    pub fn wait_for_property(&self, interface: &str, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let value = |message: &Value| message["payload"]["data"][1][name]["data"].clone();
        let message = self.wait_for(name, |message| {
            message["member"] == "PropertiesChanged"
                && message["payload"]["data"][0] == interface
                && message["payload"]["data"][1].get(name).is_some()
                && fits(&value(message))
        });
        value(&message)
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.kill();
    }
}
