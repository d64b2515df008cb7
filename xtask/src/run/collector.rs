//! Runs the collector as root, as a child of a root shell. This process itself may not be allowed
//! to send signals to root's processes.
//!
//! If xtask stopped the collector with `sudo kill`, sudo could ask for the password again, hours
//! after the start. Instead, a root shell stops the collector as soon as the shell's input closes.
//! This process closes the input to stop the collector. The kernel closes the input if `cargo xtask
//! run` is killed.

use std::{
    os::unix::{net::UnixStream, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::events::{Event, Events};
use crate::process::{is_root, root};

/// Longest wait for the collector's socket to answer.
const START_TIMEOUT: Duration = Duration::from_mins(1);
/// Longest wait for the collector to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// Time between two checks of whether the collector answers or has ended.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Shell script that runs its arguments as a command. If the script's standard input closes, the
/// script stops the command. The script ends when the command has ended.
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

/// A running collector. Dropping it closes the input of its shell, which stops the collector.
pub(super) struct Collector(Child);

impl Collector {
    /// Starts the collector and waits until it answers. Returns `None` and prints the reason if
    /// khor must run without it.
    pub(super) fn start(programs: &Path, socket: &Path, events: &Events) -> Result<Option<Self>> {
        println!("starting the collector, which needs root to load eBPF programs");
        if !is_root() {
            authenticate()?;
        }
        let mut child = supervisor()
            .arg(programs.join("khor-collector"))
            .arg("--socket")
            .arg(socket)
            .args(["--no-dbus", "--group", &nix::unistd::getgid().to_string(), "--trust", &user()])
            .spawn()
            .context("cannot start khor-collector; without root, use cargo xtask run --no-collector")?;
        let begun = Instant::now();
        while UnixStream::connect(socket).is_err() {
            if let Some(status) = child.try_wait()? {
                println!("the collector ended ({status}): khor uses /proc instead");
                return Ok(None);
            }
            if begun.elapsed() > START_TIMEOUT {
                println!("the collector does not answer: khor uses /proc until it does");
                break;
            }
            if let Some(Event::Stop) = events.next_within(CHECK_INTERVAL) {
                events.remember_stop();
                break;
            }
        }
        Ok(Some(Self(child)))
    }

    /// Stops the collector. Prints an error if it does not end in time.
    pub(super) fn stop(mut self) {
        drop(self.0.stdin.take());
        let begun = Instant::now();
        while self.is_running() {
            if begun.elapsed() > STOP_TIMEOUT {
                println!("the collector has not ended; find it with ps -o pid,args -C khor-collector");
                return;
            }
            std::thread::sleep(CHECK_INTERVAL);
        }
    }

    fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None::<ExitStatus>))
    }
}

/// The ID of the user who runs the engine. If xtask runs under sudo, this is the user who called
/// sudo.
fn user() -> String {
    let own = nix::unistd::getuid();
    let by_sudo = std::env::var("SUDO_UID").ok().filter(|uid| own.is_root() && uid.parse::<u32>().is_ok());
    by_sudo.unwrap_or_else(|| own.to_string())
}

/// The path of the socket. Only root can create its folder, so other users cannot replace the
/// socket. The path is within the length limit of Unix sockets.
pub(super) fn socket_path() -> PathBuf {
    PathBuf::from(format!("/run/khor-{}/collector.sock", nix::unistd::getuid()))
}

/// Makes sudo ask for the password now, while sudo can still use the terminal.
fn authenticate() -> Result<()> {
    let status = Command::new("sudo").arg("--validate").status();
    if !status.context("cannot start sudo; without root, use cargo xtask run --no-collector")?.success() {
        bail!("sudo did not accept this user; without root, use cargo xtask run --no-collector");
    }
    Ok(())
}

/// The command that starts the root shell. The shell has its own process group, so Ctrl-C in the
/// terminal ends only `cargo xtask run`, and sudo does not change the terminal's settings.
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
