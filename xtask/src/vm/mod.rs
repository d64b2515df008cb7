//! `cargo xtask vm`: the tests that need a kernel, on kernels other than this machine's.
//!
//! Debian's kernels boot in qemu, with nothing but the tests and what they need beside them, so that a kernel takes
//! seconds and no root. qemu emulates even where /dev/kvm exists: nested virtual machines, which continuous integration
//! often is, may hang on it. A whole Debian takes longer to make and to boot, so there is only one, for what needs one
//! ([`e2e`]); kernels built from source would be nobody's. What is downloaded and unpacked stays below `target/vm`;
//! remove it for newer kernels.
//!
//! In this order: [`kernel`] gets kernels ([`apt`] downloads), [`tests`] builds the tests, [`initramfs`] and [`disk`]
//! pack them, [`machine`] boots and listens, [`report`] tells what came out.

mod apt;
mod disk;
mod e2e;
mod initramfs;
mod kernel;
mod machine;
mod modules;
mod report;
mod tests;

use std::{
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use self::{kernel::Kernel, machine::Setup, report::Outcome};
use crate::{packages, process::target};

/// Machines at work at the same time; each has two processors, which idle in part.
const AT_ONCE: usize = 2;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct VmArgs {
    #[command(subcommand)]
    what: Option<What>,
    /// Which kernels, of 5.10, 6.1, 6.12, and the one with sound
    #[arg(long, value_delimiter = ',', default_values = kernel::BY_DEFAULT, value_parser = kernel::find)]
    kernels: Vec<&'static Kernel>,
    /// Only tests whose names contain this
    #[arg(long, value_name = "FILTER", global = true)]
    only: Option<String>,
    /// Keep what the machines were made of, and tell how to boot one by hand
    #[arg(long, global = true)]
    keep: bool,
    /// Debian mirror [default: the one in this machine's apt configuration]
    #[arg(long, value_name = "URL", global = true)]
    mirror: Option<String>,
}

#[derive(Clone, Copy, Subcommand)]
enum What {
    /// Instead of kernels alone: a whole Debian under systemd, with what was built installed (needs root to make it)
    E2e,
    /// Both
    All,
}

/// All machines: the kernels that are tested unless others are named, and the whole Debian.
pub(crate) fn all() -> Result<()> {
    let kernels = kernel::BY_DEFAULT.iter().map(|series| kernel::find(series)).collect::<Result<_, _>>()?;
    run(&VmArgs { what: Some(What::All), kernels, only: None, keep: false, mirror: None })
}

pub(crate) fn run(args: &VmArgs) -> Result<()> {
    let mut setups = Vec::new();
    if let None | Some(What::All) = args.what {
        setups.extend(small_machines(args)?);
    }
    // Last, and so beside few others: it listens to itself, and has the most to do.
    if let Some(What::E2e | What::All) = args.what {
        setups.push(whole_debian(args)?);
    }
    test(args, setups)
}

fn test(args: &VmArgs, setups: Vec<Setup>) -> Result<()> {
    machine::end_on_signals()?;
    let outcomes = boot_all(&setups);
    for setup in &setups {
        if args.keep {
            println!("\n{} again, by hand:\n{}", setup.name, setup.by_hand());
        } else {
            fs::remove_dir_all(&setup.folder).context("removing what the machine was made of")?;
        }
    }
    report::conclude(&outcomes)
}

fn whole_debian(args: &VmArgs) -> Result<Setup> {
    packages::install(&[packages::BUILD, packages::VM, packages::DEBIAN])?;
    e2e::prepare(args).context("preparing a whole Debian")
}

fn small_machines(args: &VmArgs) -> Result<Vec<Setup>> {
    packages::install(&[packages::BUILD, packages::VM])?;
    println!("building the tests");
    let prepare = |kernel: &&'static Kernel| {
        let setup = prepare(kernel, args);
        setup.with_context(|| format!("preparing a machine with kernel {}", kernel.series))
    };
    args.kernels.iter().map(prepare).collect()
}

/// All that is needed to boot one kernel.
fn prepare(kernel: &Kernel, args: &VmArgs) -> Result<Setup> {
    let suite = kernel.suite;
    let built = tests::build(suite.tests)?;
    let files = kernel.get(args.mirror.as_deref())?;
    let folder = home().join(kernel.series);
    fs::create_dir_all(&folder)?;
    let modules = modules::load_all(&files, &[&modules::DISK, suite.modules].concat())?;
    let initramfs = initramfs::pack(&folder, &modules, &built, suite, args.only.as_deref())?;
    let disk = disk::make(&folder, &built)?;
    Ok(Setup {
        name: kernel.series,
        kernel: files,
        folder,
        initramfs,
        disk,
        keeps_disk: true,
        memory_mib: 768,
        command_line: "",
        patience: machine::PATIENCE,
    })
}

/// Boots all of them, a few at once; what came out of each is in the same place as the machine.
fn boot_all(setups: &[Setup]) -> Vec<Outcome> {
    let waiting = Mutex::new(setups.iter().enumerate());
    let mut outcomes: Vec<_> = thread::scope(|scope| {
        let work = || {
            let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            std::iter::from_fn(next).map(|(place, setup)| (place, machine::run(setup))).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Where kernels and machines are kept.
fn home() -> PathBuf {
    target().join("vm")
}
