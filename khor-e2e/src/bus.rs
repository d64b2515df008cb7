//! A message bus of the test's own.

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

/// How long to wait for a line before the loop checks whether it hangs.
const LOOK: Duration = Duration::from_millis(500);

/// A bus of the test's own.
#[derive(Debug)]
pub struct Bus {
    dir: TempDir,
    daemon: Option<Child>,
}

impl Bus {
    /// A bus that allows everything, or one with the policy of real ones and the files in
    /// `system.d`.
    pub fn start(strict: bool) -> Option<Self> {
        let mut bus = Self { dir: TempDir::new().expect("a directory"), daemon: None };
        // Not only root looks for it.
        std::fs::set_permissions(bus.dir.path(), PermissionsExt::from_mode(0o755)).expect("its mode");
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
        std::fs::create_dir(&included).expect("a directory");
        let config = format!(
            "<busconfig><type>system</type><listen>{}</listen><auth>EXTERNAL</auth>\
             <policy context='default'>{policy}</policy><includedir>{}</includedir></busconfig>",
            bus.address(),
            included.display()
        );
        std::fs::write(bus.dir.path().join("bus.conf"), config).expect("the configuration");
        bus.restart().then_some(bus)
    }

    /// For `DBUS_SYSTEM_BUS_ADDRESS` and `DBUS_SESSION_BUS_ADDRESS`.
    pub fn address(&self) -> String {
        format!("unix:path={}", self.dir.path().join("bus").display())
    }

    /// Starts the daemon again, after [`Self::kill`].
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

    /// Puts a policy where packages put theirs, and has the bus read it.
    pub fn install(&self, name: &str, policy: &str) {
        std::fs::write(self.dir.path().join("system.d").join(name), policy).expect("a policy");
        let daemon = self.daemon.as_ref().expect("the bus").id();
        kill(Pid::from_raw(daemon as i32), Signal::SIGHUP).expect("the bus");
    }

    /// What `busctl` answers; `None` when it fails.
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

    /// Receives all messages from and to `name` from now on. A program must own the name.
    pub fn monitor(&self, name: &str) -> Monitor {
        let mut child = Command::new("busctl")
            .arg(format!("--address={}", self.address()))
            .args(["monitor", "--json=short", name])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("busctl");
        let said = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut wait = Wait::new(&format!("the monitor of {name}"));
        // The monitor does not report that it is ready, so send messages until it prints one.
        while lines.recv_timeout(Duration::from_millis(50)).is_err() {
            let _ = self.busctl(&["call", name, "/", "org.freedesktop.DBus.Peer", "Ping"]);
            wait.check(String::new);
        }
        Monitor { child, lines }
    }
}

/// All messages that arrive without a request.
#[derive(Debug)]
pub struct Monitor {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Monitor {
    /// The first message from now on that fits.
    pub fn wait_for(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut wait = Wait::new(&format!("a message on {what}"));
        loop {
            match self.lines.recv_timeout(LOOK).map(|line| serde_json::from_str(&line)) {
                Ok(Ok(message)) if fits(&message) => return message,
                Err(mpsc::RecvTimeoutError::Disconnected) => panic!("busctl ended before {what} came"),
                _ => wait.check(String::new),
            }
        }
    }

    /// The next value of a property of `interface` that fits.
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
