//! Reads the number of missed events. The kernel does not pass an event to a program that is
//! already running on the same CPU.
//!
//! The kernel shows the number of missed events in the `fdinfo` file of a program's descriptor.
//! Once the file is open, reading it needs neither a capability nor `bpf()`.

use std::{
    io,
    path::{Path, PathBuf},
};

use khor_proto::Availability;

use super::file::Kept;

/// The open `fdinfo` files of all programs, or the reason why they cannot be read.
#[derive(Debug)]
pub(crate) struct Missed(Result<Vec<Kept>, String>);

impl Missed {
    /// Opens the `fdinfo` files of `programs`. These are the programs' descriptors, which must stay
    /// open.
    pub(crate) fn open(programs: impl IntoIterator<Item = i32>) -> Self {
        Self::open_files(
            programs.into_iter().map(|descriptor| format!("/proc/self/fdinfo/{descriptor}").into()),
        )
    }

    /// Opens the `fdinfo` files at `paths`.
    pub(super) fn open_files(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(paths.into_iter().map(|path| open_one(&path)).collect())
    }

    /// Reports the count as absent, with `reason`.
    pub(super) fn absent(reason: &str) -> Self {
        Self(Err(reason.to_owned()))
    }

    /// Whether the count is available.
    pub(super) fn availability(&self) -> Availability {
        match &self.0 {
            Ok(_) => Availability::Available,
            Err(reason) => Availability::Absent { reason: reason.clone() },
        }
    }

    /// Reads the total number of missed events of all programs.
    pub(crate) fn read(&self, buffer: &mut Vec<u8>) -> Option<u64> {
        let programs = self.0.as_ref().ok()?;
        programs.iter().map(|program| recursion_misses(&program.read(buffer).ok()?)).sum()
    }
}

fn open_one(path: &Path) -> Result<Kept, String> {
    // Before Linux 5.14, a process that has changed its user cannot open its own `fdinfo`.
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "this kernel does not count missed events, or shows them only to root: use kernel 5.14 or later"
                .to_owned()
        }
        _ => format!("cannot read {}: {error}", path.display()),
    };
    let file = Kept::open(path).map_err(unreadable)?;
    let misses = recursion_misses(&file.read(&mut Vec::new()).map_err(unreadable)?);
    misses
        .map(|_| file)
        .ok_or_else(|| "this kernel does not count missed events: use kernel 5.12 or later".into())
}

fn recursion_misses(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("recursion_misses:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::fd::AsRawFd};

    use super::*;

    #[test]
    fn missing_line_names_kernel_as_cause() {
        let text = "pos:\t0\nprog_id:\t7\nrun_cnt:\t5\nrecursion_misses:\t12\nverified_insns:\t9\n";
        assert_eq!(recursion_misses(text), Some(12));
        let no_program = File::open("/dev/null").unwrap();
        let missed = Missed::open([no_program.as_raw_fd()]);
        assert_eq!(missed.read(&mut Vec::new()), None);
        let Availability::Absent { reason } = missed.availability() else { panic!("{missed:?}") };
        assert!(reason.contains("5.12"), "{reason}");
        let Availability::Absent { reason } = Missed::open([-1]).availability() else { panic!("-1 is open") };
        assert!(reason.contains("/proc/self/fdinfo/-1"), "{reason}");
    }

    #[test]
    fn no_program_misses_nothing() {
        assert_eq!(Missed::open([]).read(&mut Vec::new()), Some(0));
    }
}
