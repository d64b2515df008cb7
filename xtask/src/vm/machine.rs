//! Boots a machine, shows what its console says, and ends it.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::{
    kernel::Files,
    report::{End, Outcome},
};

/// How long a small machine may take: one that shares two processors with another needs a minute.
pub(super) const PATIENCE: Duration = Duration::from_mins(5);
/// The console's last words, before how the tests ended.
pub(super) const END_MARK: &str = "khor-vm: the tests ended with";
/// Share of the ordinary amounts of work that tests ask for.
pub(super) const LOAD_SCALE: &str = "KHOR_LOAD_SCALE";
/// What an emulated machine does for certain in the time that a test gives it.
pub(super) const DEFAULT_LOAD_SCALE: &str = "0.05";
/// Between two looks whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Mitigations are for real processors, and flush the emulated one's caches at each system call; for the same reason
/// the kernel may not give up the processor's clock for a slow emulated one. A fault in the kernel ends the machine.
const KERNEL_COMMAND_LINE: &str =
    "console=ttyS0 quiet panic=-1 oops=panic psi=1 mitigations=off tsc=reliable";
/// Emulation only, whatever the machine could do. Without `cmpxchg16b`, after which qemu 7.2 at times has the flags
/// wrong: one boot in six of kernel 6.12 failed in its memory allocator. In one thread, because the kernel changes its own
/// code where tracepoints are switched on, and a processor emulated by another thread ran into half of such a change.
const QEMU_OPTIONS: &str = "-nodefaults -no-user-config -no-reboot -display none -monitor none -serial stdio \
     -accel tcg,thread=single -cpu max,cx16=off -smp 2";

/// Set by a signal: all machines are to end.
static STOP: AtomicBool = AtomicBool::new(false);

/// What a machine is made of.
pub(super) struct Setup {
    /// The kernel's series.
    pub(super) name: &'static str,
    pub(super) kernel: Files,
    /// Holds all that follows.
    pub(super) folder: PathBuf,
    pub(super) initramfs: PathBuf,
    pub(super) disk: PathBuf,
    /// Whether what the machine writes stays on the disk; else it is gone when the machine is.
    pub(super) keeps_disk: bool,
    pub(super) memory_mib: u32,
    /// What the kernel and its first processes are told besides.
    pub(super) command_line: &'static str,
    /// How long it may take.
    pub(super) patience: Duration,
}

impl Setup {
    fn qemu(&self) -> Command {
        let mut qemu = Command::new("qemu-system-x86_64");
        qemu.args(QEMU_OPTIONS.split_whitespace());
        qemu.arg("-kernel").arg(self.kernel.image()).arg("-initrd").arg(&self.initramfs);
        let snapshot = if self.keeps_disk { "off" } else { "on" };
        let disk = self.disk.display();
        qemu.arg("-drive").arg(format!("file={disk},format=raw,if=virtio,cache=unsafe,snapshot={snapshot}"));
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

/// Ctrl-C and the like end the machines before this process, and leave a report.
pub(super) fn end_on_signals() -> Result<()> {
    ctrlc::set_handler(|| STOP.store(true, Relaxed)).context("handling signals")
}

/// Boots a machine and waits for its end.
pub(super) fn run(setup: &Setup) -> Outcome {
    let begun = Instant::now();
    let mut outcome = Outcome::new(setup.name, &setup.kernel.release);
    if STOP.load(Relaxed) {
        return outcome;
    }
    outcome.end = match Machine::boot(setup) {
        Ok(machine) => machine.watch(begun, setup.patience, &mut outcome),
        Err(error) => End::Vanished(format!("{error:#}")),
    };
    outcome.took = begun.elapsed();
    outcome
}

/// A running machine; killed when dropped.
struct Machine {
    qemu: Child,
    lines: Receiver<String>,
}

impl Machine {
    fn boot(setup: &Setup) -> Result<Self> {
        // In a process group of its own: Ctrl-C is for this process, which ends qemu.
        let mut qemu = setup.qemu();
        qemu.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let mut qemu = qemu.spawn().context("starting qemu")?;
        let console = qemu.stdout.take().context("its console")?;
        Ok(Self { qemu, lines: lines(console) })
    }

    /// Shows the console and gathers results from it, until the machine is off or must be.
    fn watch(self, begun: Instant, patience: Duration, outcome: &mut Outcome) -> End {
        loop {
            if STOP.load(Relaxed) {
                break End::Stopped;
            }
            if begun.elapsed() > patience {
                break End::TimedOut;
            }
            match self.lines.recv_timeout(LOOK) {
                Ok(line) => {
                    println!("{:>5} | {line}", outcome.series);
                    outcome.take(line);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break outcome.end_by_console(),
            }
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // An error says that it is gone already.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

/// The lines of a console, which ends them with CR LF, as they come.
fn lines(console: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut console = BufReader::new(console);
        let mut line = Vec::new();
        while console.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}
