//! Boots a virtual machine, shows its console, and stops it.
//!
//! A machine counts as hung if its console is silent for too long. The limit is a multiple of the
//! machine's boot time. Emulation is slower on a busy host, and a machine that is only slow must
//! not count as hung.

use std::{
    io::Read,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use khor_patience::{HANG, Patience};

use super::{
    debian::Outside,
    kernel::Files,
    report::{End, Outcome},
};
use crate::interrupt;

/// Environment variable that reduces the work of the tests. Its value is the fraction of the usual
/// amount of work.
pub(super) const LOAD_SCALE: &str = "KHOR_LOAD_SCALE";
/// Default of [`LOAD_SCALE`]. With this fraction, the tests stay within their time limits even on
/// an emulated machine.
pub(super) const DEFAULT_LOAD_SCALE: &str = "0.05";
/// Start of a line that the machine's first process prints once the kernel has booted.
const BOOT_MARK: &str = "Linux ";
/// A machine counts as hung if its console is silent for this many times the boot time. The longest
/// step of a test takes less than three boot times.
const BOOTS: u32 = 12;
/// Interval at which to check whether the machine must stop.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Options for the kernel on an emulated processor. Mitigations would flush the emulator's caches
/// at each system call. On a busy host, emulation is so slow that the kernel would reject the
/// processor's clock (hence `tsc=reliable`) or a late timer (hence `no_timer_check`). A kernel
/// fault ends the machine.
const KERNEL_COMMAND_LINE: &str =
    "console=ttyS0 quiet panic=-1 oops=panic psi=1 mitigations=off tsc=reliable no_timer_check";
/// qemu's options. qemu always emulates, even if this machine supports virtualization.
///
/// `cx16=off`: qemu 7.2 sometimes sets wrong flags for `cmpxchg16b`, so that one in six boots of
/// kernel 6.12 failed in the kernel's memory allocator. `thread=single`: the kernel patches its own
/// code when it enables tracepoints. With a thread for each processor, a processor could execute a
/// half-written patch.
const QEMU_OPTIONS: &str = "-nodefaults -no-user-config -no-reboot -display none -monitor none -serial stdio \
     -accel tcg,thread=single -cpu max,cx16=off -smp 2";

/// The files and options of a virtual machine.
pub(super) struct Setup {
    /// Name of the kernel or of the Debian system, for reports.
    pub(super) name: &'static str,
    pub(super) kernel: Files,
    /// The folder that contains the virtual machine's files.
    pub(super) folder: PathBuf,
    pub(super) initramfs: PathBuf,
    pub(super) disk: PathBuf,
    /// Whether the disk keeps the machine's writes after the machine ends.
    pub(super) keeps_disk: bool,
    pub(super) memory_mib: u32,
    /// Options of qemu for devices other than the disk.
    pub(super) devices: Vec<String>,
    /// Clients on the host that connect to the machine while it runs.
    pub(super) outside: Option<Outside>,
    /// Options that are added to the kernel's command line.
    pub(super) command_line: &'static str,
}

impl Setup {
    fn qemu(&self) -> Command {
        // qemu ends when this process ends, even if this process is killed.
        let mut qemu = Command::new("setpriv");
        qemu.args(["--pdeathsig", "KILL", "qemu-system-x86_64"]).args(QEMU_OPTIONS.split_whitespace());
        qemu.arg("-kernel").arg(self.kernel.image()).arg("-initrd").arg(&self.initramfs);
        let snapshot = if self.keeps_disk { "off" } else { "on" };
        let disk = self.disk.display();
        let options = format!("file={disk},format=raw,if=none,id=disk,cache=unsafe,snapshot={snapshot}");
        // This must be the first disk, because Linux must name it `vda`.
        qemu.arg("-drive").arg(options).args(["-device", "virtio-blk-pci,drive=disk"]).args(&self.devices);
        qemu.arg("-append").arg(format!("{KERNEL_COMMAND_LINE} {}", self.command_line));
        qemu.arg("-m").arg(self.memory_mib.to_string());
        qemu
    }

    /// The shell command with which a user can boot the machine again.
    pub(super) fn by_hand(&self) -> String {
        let qemu = self.qemu();
        let words = std::iter::once(qemu.get_program()).chain(qemu.get_args());
        let quoted = words.map(|word| match word.to_string_lossy() {
            word if word.contains(' ') => format!("'{word}'"),
            word => word.into_owned(),
        });
        quoted.collect::<Vec<_>>().join(" ")
    }
}

/// Boots a virtual machine, and waits until it has ended.
pub(super) fn run(setup: &Setup) -> Outcome {
    let begun = Instant::now();
    let mut outcome = Outcome::new(setup.name, &setup.kernel.release);
    if interrupt::is_set() {
        return outcome;
    }
    let _clients = setup.outside.as_ref().map(Outside::start);
    outcome.end = match Machine::start(setup.qemu()) {
        Ok(machine) => machine.watch(Patience::default(), &mut outcome),
        Err(error) => End::Vanished(format!("{error:#}")),
    };
    outcome.took = begun.elapsed();
    outcome
}

/// A running virtual machine. Dropping this value stops the machine.
struct Machine {
    qemu: Child,
    console: Receiver<Vec<u8>>,
}

impl Machine {
    fn start(mut qemu: Command) -> Result<Self> {
        // qemu has its own process group, so Ctrl-C reaches only this process. This process then
        // stops qemu.
        qemu.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let mut qemu = qemu.spawn().context("cannot start qemu")?;
        let console = qemu.stdout.take().context("qemu has no console")?;
        Ok(Self { qemu, console: pieces(console) })
    }

    /// Shows the console and collects results from it. Returns when the machine is off, when the
    /// user stops the run, or when the console is silent for too long.
    fn watch(self, mut patience: Patience, outcome: &mut Outcome) -> End {
        let (begun, mut has_booted, mut line) = (Instant::now(), false, Vec::new());
        loop {
            if interrupt::is_set() {
                return End::Stopped;
            }
            if patience.is_over() {
                outcome.take(text(&line));
                return End::Hung;
            }
            match self.console.recv_timeout(CHECK_INTERVAL) {
                Ok(piece) => {
                    patience.renew();
                    for byte in piece {
                        if byte != b'\n' {
                            line.push(byte);
                            continue;
                        }
                        let text = text(&std::mem::take(&mut line));
                        if !has_booted && text.starts_with(BOOT_MARK) {
                            has_booted = true;
                            let boot = begun.elapsed().div_f64(khor_patience::slowness());
                            patience = Patience::new(HANG.max(BOOTS * boot));
                        }
                        println!("{:>5} | {text}", outcome.series);
                        outcome.take(text);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return outcome.end_by_console(),
            }
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // An error of `kill` is ignored: it only means that qemu has already ended.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

/// A line of the console as text, without the carriage return at its end.
fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end().to_owned()
}

/// The console's output, in pieces as they arrive. Whole lines would arrive too late: if a test
/// hangs, its name is in an unfinished line.
fn pieces(mut console: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = console.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn watch(script: &str, patience: Patience) -> Outcome {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        let mut outcome = Outcome::new("6.1", "6.1.0-50-cloud-amd64");
        outcome.end = Machine::start(shell).unwrap().watch(patience, &mut outcome);
        outcome
    }

    #[test]
    fn silent_machine_counts_as_hung() {
        let outcome =
            watch("echo test one ... ok; printf 'test two ... '; exec sleep 3600", Patience::new(SECOND));
        assert_eq!(outcome.end, End::Hung);
        assert_eq!(outcome.test.as_deref(), Some("two"));
    }

    #[test]
    fn slow_machine_that_prints_is_not_hung() {
        let script = "for i in 1 2 3 4 5 6; do sleep 0.5; printf .; done; echo; echo test result: ok. 1 passed; \
                      echo khor-vm: the tests ended with 0";
        assert_eq!(watch(script, Patience::new(2 * SECOND)).end, End::Passed);
    }
}
