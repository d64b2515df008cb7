//! `cargo xtask vm`: tests khor's counts on kernels other than this machine's.
//!
//! The machines contain only a Debian kernel, the tests and their tools. So booting one takes
//! seconds, and needs no root. qemu always emulates the processor, even if /dev/kvm exists. With
//! /dev/kvm, a virtual machine inside another virtual machine may hang, and continuous integration
//! often runs inside one. A complete Debian system takes longer to install and to boot. So there is
//! only one such system, for the tests that need it ([`debian`]). Downloads stay below `target/vm`;
//! remove this folder to get newer kernels.
//!
//! The modules work in this order: [`kernel`] gets the kernels, which [`apt`] downloads. [`tests`]
//! builds the tests. [`initramfs`] and [`disk`] pack them. [`machine`] boots and watches the
//! machines, with the [`devices`] that the tests need. [`report`] shows the results.

mod apt;
mod debian;
mod devices;
mod disk;
mod folder;
mod initramfs;
mod kernel;
mod machine;
mod modules;
mod report;
mod tests;

use std::{
    fs,
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use self::{folder::home, kernel::Kernel, machine::Setup, report::Outcome};
use crate::{interrupt, packages};

/// Number of processors of each virtual machine.
const PROCESSORS: usize = 2;
/// Memory that qemu needs in addition to the machine's memory, MiB.
const OVERHEAD_MIB: usize = 256;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct VmArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[arg(long, value_name = "NAME", help = kernels_help(), value_delimiter = ',', default_values = kernel::BY_DEFAULT, value_parser = kernel::find)]
    kernels: Vec<&'static Kernel>,
    /// Run only the tests whose names contain this text
    #[arg(long, value_name = "FILTER", global = true)]
    only: Option<String>,
    /// Keep the machines' files, and print how to boot one by hand
    #[arg(long, global = true)]
    keep: bool,
    /// Debian mirror [default: the one in this machine's apt configuration]
    #[arg(long, value_name = "URL", global = true)]
    mirror: Option<String>,
}

#[derive(Clone, Copy, Subcommand)]
enum What {
    /// Test khor's package in a complete Debian system with systemd (needs root)
    Debian,
    /// Test on the kernels and in the complete Debian system
    All,
}

fn kernels_help() -> String {
    format!("Kernels to test on: any of {}", kernel::names())
}

/// Tests khor's counts on one kernel.
pub(crate) fn kernel(name: &str) -> Result<()> {
    run(&VmArgs { what: None, kernels: vec![kernel::find(name)?], only: None, keep: false, mirror: None })
}

/// Runs the tests that need a complete Debian system.
pub(crate) fn debian() -> Result<()> {
    run(&VmArgs { what: Some(What::Debian), kernels: Vec::new(), only: None, keep: false, mirror: None })
}

pub(crate) fn run(args: &VmArgs) -> Result<()> {
    let mut setups = Vec::new();
    if let None | Some(What::All) = args.what {
        setups.extend(small_machines(args)?);
    }
    if let Some(What::Debian | What::All) = args.what {
        setups.push(whole_debian(args)?);
    }
    test(args, setups)
}

fn test(args: &VmArgs, setups: Vec<Setup>) -> Result<()> {
    interrupt::catch();
    let outcomes = boot_all(&setups);
    for setup in &setups {
        if args.keep {
            println!("\nto boot {} again by hand:\n{}", setup.name, setup.by_hand());
        } else {
            fs::remove_dir_all(&setup.folder).context("cannot remove the machine's files")?;
        }
    }
    report::conclude(&outcomes)
}

fn whole_debian(args: &VmArgs) -> Result<Setup> {
    packages::install(&[packages::BUILD, packages::VM, packages::DEBIAN])?;
    debian::prepare(args).context("cannot prepare the Debian system")
}

fn small_machines(args: &VmArgs) -> Result<Vec<Setup>> {
    packages::install(&[packages::BUILD, packages::VM])?;
    println!("building the tests");
    let prepare = |kernel: &&'static Kernel| {
        let setup = prepare(kernel, args);
        setup.with_context(|| format!("cannot prepare a machine with kernel {}", kernel.name))
    };
    args.kernels.iter().map(prepare).collect()
}

/// Creates all files that qemu needs to boot one kernel.
fn prepare(kernel: &Kernel, args: &VmArgs) -> Result<Setup> {
    let built = tests::build(&tests::COUNTS)?;
    let files = kernel.get(args.mirror.as_deref())?;
    let folder = home().join("machines").join(kernel.name);
    fs::create_dir_all(&folder)?;
    let modules = modules::load_all(&files, &[&modules::DISK[..], &tests::MODULES].concat())?;
    let initramfs = initramfs::pack(&folder, &modules, &built, args.only.as_deref())?;
    let disk = disk::make(&folder, &built)?;
    Ok(Setup {
        name: kernel.name,
        kernel: files,
        folder,
        initramfs,
        disk,
        keeps_disk: true,
        memory_mib: 768,
        devices: devices::options(),
        outside: None,
        command_line: kernel.command_line,
    })
}

/// Boots all machines, as many at once as this machine allows. Returns the outcomes in the order of
/// `setups`.
fn boot_all(setups: &[Setup]) -> Vec<Outcome> {
    let waiting = Mutex::new(setups.iter().enumerate());
    let mut outcomes: Vec<_> = thread::scope(|scope| {
        let work = || {
            let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            std::iter::from_fn(next).map(|(place, setup)| (place, machine::run(setup))).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..at_once(setups)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Number of machines that this machine's processors and free memory can run at once.
fn at_once(setups: &[Setup]) -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let each_mib = setups.iter().map(|setup| setup.memory_mib as usize + OVERHEAD_MIB).max().unwrap_or(1);
    let by_memory = available_memory_mib().map_or(1, |available_mib| available_mib / each_mib);
    (processors / PROCESSORS).min(by_memory).max(1)
}

/// Memory that the kernel reports as available to programs, in MiB.
fn available_memory_mib() -> Option<usize> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let kib = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?.split_whitespace().next()?;
    kib.parse::<usize>().ok().map(|kib| kib / 1024)
}
