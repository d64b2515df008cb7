//! Workloads that use memory, and processes that crash or are killed.
//!
//! A memory workload runs in a child process, in a cgroup with a memory limit. The child runs this
//! program again. An environment variable selects the workload.

use std::{
    fs::{self, File},
    io::Write,
    num::NonZero,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use khor_e2e::Cgroup;
use nix::{
    libc::SIGSEGV,
    sys::mman::{MapFlags, ProtFlags, mmap},
};

use crate::scenario::Stage;

/// Environment variable that names the load of a child process.
const ROLE: &str = "KHOR_CAPTURES_ROLE";
/// Environment variable with the path of the folder that contains the file for the load `touch`.
const PLACE: &str = "KHOR_CAPTURES_PLACE";
/// Environment variable with the directory of the cgroup that the child joins.
const CGROUP: &str = "KHOR_CAPTURES_CGROUP";
const LIMIT_BYTES: u64 = 48 << 20;
const FILE_BYTES: usize = 96 << 20;
const PAGE_BYTES: usize = 4096;
const TOUCHING_THREADS: u64 = 8;
/// Time between two crashes or kills.
const APART: Duration = Duration::from_secs(8);
/// Directory of the memory controller on systems with cgroup v1.
const VERSION_1: &str = "/sys/fs/cgroup/memory";

/// The load that this process was started for; `None` in the process that records.
pub(crate) fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// Runs the load `role`.
pub(crate) fn play(role: &str) -> Result<()> {
    match role {
        "fill" => fill(),
        "touch" => touch(Path::new(&std::env::var(PLACE)?)),
        _ => bail!("{ROLE} is {role}; allowed are fill and touch"),
    }
}

/// Creates a file that is larger than the cgroup's memory limit.
pub(crate) fn prepare(dir: &Path) -> Result<()> {
    let mut file = File::create(dir.join("large"))?;
    let piece: Vec<u8> = (0..1 << 20).map(|byte| (byte % 251) as u8).collect();
    (0..FILE_BYTES / piece.len()).try_for_each(|_| file.write_all(&piece))?;
    file.sync_all()?;
    // The kernel charges cached pages to the cgroup that read them first. Drop these pages from the
    // cache. When the load reads them again, they are charged to the cgroup with the limit.
    fs::write("/proc/sys/vm/drop_caches", "1").context("dropping the page cache")
}

pub(crate) fn pressure(stage: &Stage) -> Result<()> {
    let limit = Limit::new("khor-pressure")?;
    let mut child = start("touch", stage.dir, &limit)?;
    thread::sleep(stage.left());
    let ended = child.try_wait()?;
    child.kill()?;
    child.wait()?;
    ensure!(ended.is_none(), "the process that reads the file ended too early: {ended:?}");
    Ok(())
}

pub(crate) fn crashes(stage: &Stage) -> Result<()> {
    while stage.is_running() {
        // Use a shell, because this program's Rust runtime would handle the first SIGSEGV.
        let status = Command::new("sh").args(["-c", "kill -SEGV $$"]).status()?;
        ensure!(status.signal() == Some(SIGSEGV), "the shell did not end by SIGSEGV: {status}");
        thread::sleep(APART.min(stage.left()));
    }
    Ok(())
}

pub(crate) fn kills(stage: &Stage) -> Result<()> {
    while stage.is_running() {
        let begun = Instant::now();
        let limit = Limit::new("khor-oom")?;
        let status = start("fill", stage.dir, &limit)?.wait()?;
        ensure!(!status.success(), "the process was not killed, although it used more memory than the limit");
        thread::sleep((begun + APART).saturating_duration_since(Instant::now()).min(stage.left()));
    }
    Ok(())
}

fn start(role: &str, place: &Path, limit: &Limit) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env(ROLE, role).env(PLACE, place).env(CGROUP, limit.directory());
    command.spawn().context("starting a process")
}

fn join_cgroup() -> Result<()> {
    let directory = PathBuf::from(std::env::var(CGROUP)?);
    fs::write(directory.join("cgroup.procs"), std::process::id().to_string()).context("joining the cgroup")
}

/// Allocates memory until the kernel kills this process. Gives up after allocating twice the limit.
fn fill() -> Result<()> {
    join_cgroup()?;
    let mut taken = Vec::new();
    for _ in 0..(2 * LIMIT_BYTES) >> 20 {
        taken.push(vec![0x5a_u8; 1 << 20]);
        thread::sleep(Duration::from_millis(8));
    }
    drop(taken);
    Ok(())
}

/// Reads random pages of a mapped file, until this process is killed.
fn touch(dir: &Path) -> Result<()> {
    join_cgroup()?;
    let file = File::open(dir.join("large"))?;
    let length = NonZero::new(FILE_BYTES).context("the file's length is 0")?;
    // SAFETY: this creates a new mapping at an address that the kernel chooses. No other process
    // changes or truncates the file.
    let mapped = unsafe { mmap(None, length, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, &file, 0)? };
    let start = mapped.as_ptr() as usize;
    let threads: Vec<_> =
        (1..=TOUCHING_THREADS).map(|seed| thread::spawn(move || touch_pages(start, seed))).collect();
    for thread in threads {
        drop(thread.join());
    }
    Ok(())
}

fn touch_pages(start: usize, seed: u64) {
    let mut random = seed;
    loop {
        // The quality of the random numbers does not matter, so use a simple generator: a linear
        // congruential one, with Knuth's MMIX constants.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let page = (random >> 33) as usize % (FILE_BYTES / PAGE_BYTES);
        let address = (start + page * PAGE_BYTES) as *const u8;
        // SAFETY: the address is within the mapping, which is never unmapped.
        unsafe { address.read_volatile() };
    }
}

/// A cgroup with a limit on memory.
enum Limit {
    Version1(PathBuf),
    Unified(Cgroup),
}

impl Limit {
    fn new(name: &str) -> Result<Self> {
        let limit = if Path::new(VERSION_1).is_dir() {
            let directory = Path::new(VERSION_1).join(name);
            fs::create_dir_all(&directory)?;
            Self::Version1(directory)
        } else {
            let cgroup =
                Cgroup::make(&format!("/{name}")).context("no unified cgroup hierarchy is mounted")?;
            ensure!(cgroup.enable("memory"), "the memory controller cannot be enabled");
            Self::Unified(cgroup)
        };
        let file = match &limit {
            Self::Version1(_) => "memory.limit_in_bytes",
            Self::Unified(_) => "memory.max",
        };
        fs::write(limit.directory().join(file), LIMIT_BYTES.to_string()).context("limiting memory")?;
        Ok(limit)
    }

    fn directory(&self) -> PathBuf {
        match self {
            Self::Version1(directory) => directory.clone(),
            Self::Unified(cgroup) => cgroup.directory(),
        }
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        if let Self::Version1(directory) = self {
            // A cgroup is busy until the last of its processes has been reaped.
            for _ in 0..100 {
                if fs::remove_dir(&*directory).is_ok() {
                    return;
                }
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}
