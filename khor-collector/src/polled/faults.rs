//! Reads the number of page faults from the kernel's files.
//!
//! khor counts all page faults and, separately, the major ones. It does not count minor page
//! faults, because their number would be the difference of these two counts, and could decrease.
//! The kernel adds a major fault to the count of all faults when the fault begins, but to the count
//! of major faults only when it ends.

use std::path::Path;

use khor_proto::Availability;

use super::file::{Kept, hidden_by_proc, number};
use crate::controllers::Controller;

/// The open file with the counts of all faults and of major faults, or the reason why there is no
/// such file.
#[derive(Debug)]
pub(super) struct Faults(Result<(Kept, Format), String>);

/// The format of the file.
#[derive(Clone, Copy, Debug)]
enum Format {
    /// The file has the lines `pgfault N` and `pgmajfault N`.
    Named,
    /// The file is `/proc/PID/stat` (`proc_pid_stat(5)`).
    Stat,
}

impl Faults {
    /// Opens the file with the page faults of the whole machine.
    pub(super) fn of_machine() -> Self {
        Self::open(Path::new("/proc/vmstat"), Format::Named, || "cannot read /proc/vmstat".into())
    }

    /// Opens the file with the page faults of the cgroup at `directory`.
    pub(super) fn of_cgroup(directory: &Path) -> Self {
        let file = directory.join("memory.stat");
        Self::open(&file, Format::Named, || Controller::Memory.reason_off("in this cgroup"))
    }

    /// Opens the file with the page faults of process `pid`.
    pub(super) fn of_process(pid: u32) -> Self {
        let path = format!("/proc/{pid}/stat");
        Self::open(Path::new(&path), Format::Stat, || format!("cannot read {path}"))
    }

    /// Reports all counts as absent, with `reason`.
    pub(super) fn absent(reason: &str) -> Self {
        Self(Err(reason.to_owned()))
    }

    fn open(path: &Path, format: Format, otherwise: impl FnOnce() -> String) -> Self {
        let reason = |_| hidden_by_proc(path).unwrap_or_else(otherwise);
        Self(Kept::open(path).map(|file| (file, format)).map_err(reason))
    }

    /// Whether the counts are available.
    pub(super) fn availability(&self) -> Availability {
        match &self.0 {
            Ok(_) => Availability::Available,
            Err(reason) => Availability::Absent { reason: reason.clone() },
        }
    }

    /// Reads the number of all page faults and the number of major page faults.
    pub(super) fn read(&self, buffer: &mut Vec<u8>) -> Option<(u64, u64)> {
        let (file, format) = self.0.as_ref().ok()?;
        let text = file.read(buffer).ok()?;
        match format {
            Format::Named => Some((number(&text, "pgfault")?, number(&text, "pgmajfault")?)),
            Format::Stat => {
                let fields = crate::scope::stat_fields(&text)?;
                let (minor, major) = (fields.minor_faults, fields.major_faults);
                Some((minor + major, major))
            }
        }
    }
}
