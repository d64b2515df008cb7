//! The collector as a child process with root's rights. This process may not signal it.
//!
//! A signal through `sudo kill` could ask for the password again hours later. So a shell with
//! root's rights runs beside the collector. It ends the collector when its input closes: on
//! purpose, or because `cargo xtask run` was killed.

use std::{
    os::unix::{net::UnixStream, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::events::{Event, Events};
use crate::process::{is_root, root};

/// How long the collector may take until its socket answers.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long the collector may take to end.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(50);

/// Runs its arguments until they end, or until its input closes.
const SUPERVISOR: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null &
collector=$!
(read -r _ <&3; kill "$collector") 2>/dev/null &
watcher=$!
exec 3<&-
wait "$collector"
status=$?
kill "$watcher" 2>/dev/null
exit "$status"
"#;

/// A running collector. Dropping it closes the input of its shell, which ends it.
pub(super) struct Collector(Child);

impl Collector {
    /// Starts the collector and waits until it answers. Returns `None` if khor must run without it,
    /// and prints the reason.
    pub(super) fn start(programs: &Path, socket: &Path, events: &Events) -> Result<Option<Self>> {
        println!("starting the collector (this is what needs root: it loads eBPF programs)");
        if !is_root() {
            authenticate()?;
        }
        let mut child = supervisor()
            .arg(programs.join("khor-collector"))
            .arg("--socket")
            .arg(socket)
            .args(["--no-dbus", "--group", &nix::unistd::getgid().to_string(), "--trust", &user()])
            .spawn()
            .context("starting khor-collector; without root: cargo xtask run --no-collector")?;
        let begun = Instant::now();
        while UnixStream::connect(socket).is_err() {
            if let Some(status) = child.try_wait()? {
                println!("the collector ended ({status}): khor goes on with /proc");
                return Ok(None);
            }
            if begun.elapsed() > PATIENCE {
                println!("the collector doesn't answer: khor goes on with /proc");
                break;
            }
            if let Some(Event::Stop) = events.next_within(LOOK) {
                events.remember_stop();
                break;
            }
        }
        Ok(Some(Self(child)))
    }

    /// Ends the collector. Prints an error if it does not end.
    pub(super) fn stop(mut self) {
        drop(self.0.stdin.take());
        let begun = Instant::now();
        while self.is_running() {
            if begun.elapsed() > STOP_PATIENCE {
                println!("the collector has not ended; to see it: ps -o pid,args -C khor-collector");
                return;
            }
            std::thread::sleep(LOOK);
        }
    }

    fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None::<ExitStatus>))
    }
}

/// The number of the user who runs the engine, even if `sudo` started this process.
fn user() -> String {
    let own = nix::unistd::getuid();
    let by_sudo = std::env::var("SUDO_UID").ok().filter(|uid| own.is_root() && uid.parse::<u32>().is_ok());
    by_sudo.unwrap_or_else(|| own.to_string())
}

/// A socket in a directory that only root can create. It is safe from other users, and its path is
/// short enough for a socket.
pub(super) fn socket_path() -> PathBuf {
    PathBuf::from(format!("/run/khor-{}/collector.sock", nix::unistd::getuid()))
}

/// Asks for the password while sudo may still use the terminal.
fn authenticate() -> Result<()> {
    let status = Command::new("sudo").arg("--validate").status();
    if !status.context("starting sudo; without root: cargo xtask run --no-collector")?.success() {
        bail!("sudo refused; without root: cargo xtask run --no-collector");
    }
    Ok(())
}

/// The shell, in its own process group: Ctrl-C then ends only `cargo xtask run`, and sudo does not
/// change the terminal.
fn supervisor() -> Command {
    let mut command = if is_root() {
        Command::new("sh")
    } else {
        let mut command = Command::new("sudo");
        command.args(["--non-interactive", "sh"]);
        command
    };
    command.args(["-c", SUPERVISOR, "sh"]).current_dir(root()).stdin(Stdio::piped()).process_group(0);
    command
}
