//! Boots a machine, shows its console, and ends it.
//!
//! A machine counts as hung when its console is silent for too long, never because it is slow: an
//! emulated machine shares this machine's processors. The limit depends on how long the machine
//! took to boot.

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

/// Share of the usual amounts of work that tests use.
pub(super) const LOAD_SCALE: &str = "KHOR_LOAD_SCALE";
/// What an emulated machine does for certain in the time that a test gives it.
pub(super) const DEFAULT_LOAD_SCALE: &str = "0.05";
/// The machine's first process prints a line that starts with this, once the kernel has booted.
const BOOT_MARK: &str = "Linux ";
/// A machine may be silent for as long as this many of its boots take. No step of a test takes as
/// long as three boots.
const BOOTS: u32 = 12;
/// Time between two checks whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Options for an emulated processor. Mitigations would flush the emulator's caches at each system
/// call. On a busy host, emulation is so slow that the kernel would reject the processor's clock
/// (`tsc=reliable`) or a late timer (`no_timer_check`). A kernel fault ends the machine.
const KERNEL_COMMAND_LINE: &str =
    "console=ttyS0 quiet panic=-1 oops=panic psi=1 mitigations=off tsc=reliable no_timer_check";
/// Emulation only, even if the machine has virtualization. Without `cmpxchg16b`, after which qemu
/// 7.2 sometimes has wrong flags: one boot in six of kernel 6.12 failed in its memory allocator.
/// With one thread, because the kernel changes its own code when it switches tracepoints on. A
/// processor that another thread emulated ran into an incomplete change.
const QEMU_OPTIONS: &str = "-nodefaults -no-user-config -no-reboot -display none -monitor none -serial stdio \
     -accel tcg,thread=single -cpu max,cx16=off -smp 2";

/// What a machine is made of.
pub(super) struct Setup {
    /// The kernel's name.
    pub(super) name: &'static str,
    pub(super) kernel: Files,
    /// Holds all that follows.
    pub(super) folder: PathBuf,
    pub(super) initramfs: PathBuf,
    pub(super) disk: PathBuf,
    /// Whether the disk keeps the machine's writes after the machine ends.
    pub(super) keeps_disk: bool,
    pub(super) memory_mib: u32,
    /// Options of qemu for devices other than the disk.
    pub(super) devices: Vec<String>,
    /// Clients that connect to the machine from outside while it runs.
    pub(super) outside: Option<Outside>,
    /// Added to the kernel's command line.
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
        // This must be the first disk: Linux names it `vda`.
        qemu.arg("-drive").arg(options).args(["-device", "virtio-blk-pci,drive=disk"]).args(&self.devices);
        qemu.arg("-append").arg(format!("{KERNEL_COMMAND_LINE} {}", self.command_line));
        qemu.arg("-m").arg(self.memory_mib.to_string());
        qemu
    }

    /// The command that boots it, for a shell.
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

/// Boots a machine and waits for its end.
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

/// A running machine; killed when dropped.
struct Machine {
    qemu: Child,
    console: Receiver<Vec<u8>>,
}

impl Machine {
    fn start(mut qemu: Command) -> Result<Self> {
        // In a process group of its own: Ctrl-C is for this process, which ends qemu.
        qemu.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let mut qemu = qemu.spawn().context("starting qemu")?;
        let console = qemu.stdout.take().context("its console")?;
        Ok(Self { qemu, console: pieces(console) })
    }

    /// Shows the console and collects results from it. Returns when the machine is off, when the
    /// user stops it, or when the console is silent for too long.
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
            match self.console.recv_timeout(LOOK) {
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
        // An error means that it has ended already.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

/// A line of the console as text, without the CR at its end.
fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end().to_owned()
}

/// The console's output as it arrives, not by line: the name of a hung test is in an unfinished
/// line.
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
    fn silent_machine_is_hung_and_its_test_named() {
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
