//! Reads facts about a process from `/proc`: its start, owner, cgroup and page faults.

use khor_proto::kernel_text;

/// The fields of `/proc/PID/stat` that khor needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatFields {
    pub(crate) minor_faults: u64,
    pub(crate) major_faults: u64,
    /// Clock ticks from boot to the start of the process. Together with the process number, they
    /// identify a process uniquely.
    pub(crate) start_ticks: u64,
    /// Whether the process has ended and only waits for its parent.
    pub(crate) zombie: bool,
}

/// Reads the fields at their positions in `proc_pid_stat(5)`. The process's name may contain
/// anything, and ends at the last parenthesis.
pub(crate) fn stat_fields(text: &str) -> Option<StatFields> {
    const AFTER_NAME: usize = 3;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |position: usize| fields.get(position - AFTER_NAME)?.parse().ok();
    Some(StatFields {
        minor_faults: number(10)?,
        major_faults: number(12)?,
        start_ticks: number(22)?,
        zombie: matches!(*fields.first()?, "Z" | "X"),
    })
}

/// Clock ticks from boot to the start of process `pid`; `None` if it has ended or /proc hides it.
pub(super) fn start_ticks(pid: u32) -> Option<u64> {
    let fields = stat_fields(&kernel_text::read(format!("/proc/{pid}/stat")).ok()?)?;
    (!fields.zombie).then_some(fields.start_ticks)
}

/// The process that thread `pid` belongs to. For a process, this is `pid` itself.
pub(super) fn process_of(pid: u32) -> Option<u32> {
    let status = kernel_text::read(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}

/// The owner of a process. Its real, effective, saved and file system user ids must all be equal.
/// `None` if they differ, as in a running setuid program.
pub(super) fn owner(pid: u32) -> Option<u32> {
    owner_in(&kernel_text::read(format!("/proc/{pid}/status")).ok()?)
}

fn owner_in(status: &str) -> Option<u32> {
    let mut ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace();
    let first: u32 = ids.next()?.parse().ok()?;
    let mut rest = ids.map(|id| id.parse::<u32>().ok());
    let same = rest.by_ref().take(3).filter(|id| *id == Some(first)).count() == 3;
    same.then_some(first)
}

/// Path of the process's cgroup in the unified hierarchy. Bytes that are not UTF-8 become U+FFFD.
pub(super) fn cgroup_of(pid: u32) -> Option<String> {
    let cgroups = kernel_text::read(format!("/proc/{pid}/cgroup")).ok()?;
    cgroups.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt, process::Command};

    use khor_e2e::wait_until;

    use super::*;

    #[test]
    fn parentheses_in_name_shift_no_field() {
        let text = "7 (a ) b) S 1 7 7 0 -1 4194560 100 200 30 400 5 6 7 8 20 0 1 0 4711 1 1 1";
        let fields = stat_fields(text).unwrap();
        assert_eq!((fields.minor_faults, fields.major_faults, fields.start_ticks), (100, 30, 4711));
        assert!(!fields.zombie);
        assert!(stat_fields("7 (cut").is_none());
        assert!(start_ticks(std::process::id()).is_some());
        assert!(start_ticks(u32::MAX).is_none());
    }

    /// The name of this process contains a parenthesis and bytes that are not UTF-8.
    #[test]
    fn process_with_non_utf8_name_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join(OsStr::from_bytes(b"\xff) \xfe"));
        std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
        let mut child = Command::new(&program).arg("1000").spawn().unwrap();
        // `spawn` may return before the kernel sets the name.
        wait_until("the child's name", || {
            std::fs::read(format!("/proc/{}/comm", child.id())).unwrap() == b"\xff) \xfe\n"
        });
        let (process, started, cgroup) =
            (process_of(child.id()), start_ticks(child.id()), cgroup_of(child.id()));
        let faults = crate::polled::Polled::process(child.id()).read(0)[3];
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!((process, cgroup), (Some(child.id()), cgroup_of(std::process::id())));
        assert!(started.is_some() && faults.is_some(), "{started:?} {faults:?}");
    }

    #[test]
    fn owner_requires_equal_ids() {
        assert_eq!(owner_in("Name:\tUid:\nUid:\t7\t7\t7\t7\n"), Some(7));
        for mixed in ["7\t0\t0\t0", "7\t7\t0\t7", "7\t7\t7\t0", "7\t7\t7", "", "x\tx\tx\tx"] {
            assert_eq!(owner_in(&format!("Name:\tsu\nUid:\t{mixed}\n")), None, "{mixed}");
        }
        assert_eq!(owner(std::process::id()), Some(nix::unistd::getuid().as_raw()));
        assert_eq!(owner(u32::MAX), None);
    }

    #[test]
    fn thread_differs_from_process() {
        let itself = std::process::id();
        assert_eq!(process_of(itself), Some(itself));
        let thread = std::thread::spawn(|| nix::unistd::gettid().as_raw()).join().unwrap();
        assert_ne!(process_of(nix::unistd::gettid().as_raw() as u32), None);
        assert!(thread as u32 != itself && nix::unistd::gettid().as_raw() as u32 != itself);
        assert_eq!(process_of(nix::unistd::gettid().as_raw() as u32), Some(itself));
    }
}
