//! The system calls that serving needs, each with its reason. Any other kills the process.
//!
//! An attacker who takes over the process is limited to them. It cannot start programs, write
//! files, make memory executable, reach the network or use BPF.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

/// Allowed with any arguments.
const ALLOWED: &[(libc::c_long, &str)] = &[
    (libc::SYS_accept4, "new clients"),
    (libc::SYS_bind, "the socket, if its file was removed"),
    (libc::SYS_brk, "memory"),
    (libc::SYS_clock_gettime, "the time, where the vDSO has no clock"),
    (libc::SYS_close, "clients that leave"),
    (libc::SYS_connect, "the bus"),
    (libc::SYS_epoll_create1, "the runtime"),
    (libc::SYS_epoll_ctl, "watching clients and cues"),
    (libc::SYS_epoll_pwait, "waiting for all of them"),
    (libc::SYS_eventfd2, "the runtime"),
    (libc::SYS_exit, "the end"),
    (libc::SYS_exit_group, "the end"),
    (libc::SYS_fcntl, "non-blocking, close-on-exec and copied descriptors"),
    (libc::SYS_fstat, "files"),
    (libc::SYS_futex, "locks, and waiting for the next samples"),
    (libc::SYS_getcwd, "paths in a backtrace, should khor have a bug"),
    (libc::SYS_getegid, "signing on to the bus"),
    (libc::SYS_geteuid, "signing on to the bus"),
    (libc::SYS_getgid, "signing on to the bus"),
    (libc::SYS_getpeername, "the bus"),
    (libc::SYS_getpid, "the log, and signing on to the bus"),
    (libc::SYS_getrandom, "seeds of hash tables"),
    (libc::SYS_getsockname, "sockets"),
    (libc::SYS_getsockopt, "who is on the other end (SO_PEERCRED)"),
    (libc::SYS_gettid, "the end, by abort"),
    (libc::SYS_getuid, "signing on to the bus"),
    (libc::SYS_listen, "the socket, if its file was removed"),
    (libc::SYS_lseek, "files"),
    (libc::SYS_madvise, "memory"),
    (libc::SYS_mremap, "memory"),
    (libc::SYS_munmap, "memory"),
    (libc::SYS_newfstatat, "cgroups, and the socket's file"),
    (libc::SYS_ppoll, "start and end of the runtime"),
    (libc::SYS_pread64, "pressure and page faults"),
    (libc::SYS_read, "files, signals and the runtime's own descriptors"),
    (libc::SYS_readlinkat, "paths"),
    (libc::SYS_recvfrom, "what clients say"),
    (libc::SYS_recvmsg, "the bus"),
    (libc::SYS_restart_syscall, "waiting, after a stop and a continue"),
    (libc::SYS_rseq, "the C library"),
    (libc::SYS_rt_sigaction, "signals"),
    (libc::SYS_rt_sigprocmask, "signals"),
    (libc::SYS_rt_sigreturn, "signals"),
    (libc::SYS_sched_getaffinity, "how many CPUs there are"),
    (libc::SYS_sched_yield, "locks"),
    (libc::SYS_sendmsg, "the bus, and systemd"),
    (libc::SYS_sendto, "samples and cues, and systemd"),
    (libc::SYS_setsockopt, "the bus"),
    (libc::SYS_shutdown, "clients that are given up"),
    (libc::SYS_sigaltstack, "the end of a thread"),
    (libc::SYS_socket, "the bus and systemd; see `families`"),
    (libc::SYS_socketpair, "signals, in the runtime"),
    (libc::SYS_statx, "cgroups, and the socket's file"),
    (libc::SYS_tgkill, "the end, by abort"),
    (libc::SYS_umask, "the socket, if its file was removed"),
    (libc::SYS_uname, "signing on to the bus"),
    (libc::SYS_unlinkat, "the socket's file at the end"),
    (libc::SYS_write, "the log, and the runtime's own descriptors"),
    (libc::SYS_writev, "the log"),
];

/// Also allowed on architectures that still have them.
#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: &[(libc::c_long, &str)] = &[
    (libc::SYS_epoll_wait, "waiting for clients and cues"),
    (libc::SYS_poll, "start and end of the runtime"),
    (libc::SYS_readlink, "paths"),
    (libc::SYS_stat, "cgroups"),
    (libc::SYS_lstat, "paths"),
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[(libc::c_long, &str)] = &[];

/// The bit that `O_TMPFILE` has beyond `O_DIRECTORY`.
const NOT_NAMED: libc::c_int = libc::O_TMPFILE & !libc::O_DIRECTORY;

/// Why the filter could not be set.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilterError {
    #[error("this processor architecture is not supported")]
    Architecture,
    #[error(transparent)]
    Build(#[from] seccompiler::BackendError),
    #[error(transparent)]
    Apply(#[from] seccompiler::Error),
}

/// Applies the filters to all threads, permanently.
pub(super) fn apply() -> Result<(), FilterError> {
    apply_filter_all_threads(&families()?)?;
    Ok(apply_filter_all_threads(&filter()?)?)
}

/// Denies all sockets except those of the bus and of systemd. The denied call fails and does not
/// kill the process, because the bus may have a misconfigured address of another kind.
fn families() -> Result<BpfProgram, FilterError> {
    let others = SeccompCondition::new(
        0,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Ne,
        u64::from(libc::AF_UNIX.unsigned_abs()),
    )?;
    let rules = BTreeMap::from([(libc::SYS_socket, vec![SeccompRule::new(vec![others])?])]);
    let denied = SeccompAction::Errno(libc::EAFNOSUPPORT.unsigned_abs());
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, denied, architecture()?)?.try_into()?)
}

fn architecture() -> Result<TargetArch, FilterError> {
    TargetArch::try_from(std::env::consts::ARCH).map_err(|_| FilterError::Architecture)
}

fn filter() -> Result<BpfProgram, FilterError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().chain(ALLOWED_HERE).map(|(call, _)| (*call, Vec::new())).collect();
    rules.extend(conditional()?);
    Ok(SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, architecture()?)?
        .try_into()?)
}

/// Allowed with some arguments only.
fn conditional() -> Result<[(i64, Vec<SeccompRule>); 5], FilterError> {
    let unset = |argument, mask: libc::c_int| {
        let mask = u64::from(mask.unsigned_abs());
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), 0)
    };
    let is = |argument, value: libc::c_int| {
        let value = u64::from(value.unsigned_abs());
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)
    };
    let rule = |condition| -> Result<_, FilterError> { Ok(vec![SeccompRule::new(vec![condition])?]) };
    Ok([
        // Memory that is not executable.
        (libc::SYS_mmap, rule(unset(2, libc::PROT_EXEC)?)?),
        (libc::SYS_mprotect, rule(unset(2, libc::PROT_EXEC)?)?),
        // Files of pressure, processes and cgroups, opened only for reading.
        (libc::SYS_openat, rule(unset(2, libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | NOT_NAMED)?)?),
        // Non-blocking sockets, and no commands to a terminal.
        (libc::SYS_ioctl, rule(is(1, libc::FIONBIO as libc::c_int)?)?),
        // The runtime sets names of threads.
        (libc::SYS_prctl, rule(is(0, libc::PR_SET_NAME)?)?),
    ])
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{File, OpenOptions},
        net::TcpListener,
        os::unix::process::ExitStatusExt,
        process::Command,
    };

    use nix::{
        fcntl::OFlag,
        sys::mman::{MapFlags, ProtFlags, mmap_anonymous},
    };

    use super::*;

    /// What the child tries, by name.
    const TRIES: [(&str, bool); 10] = [
        ("read a file", true),
        ("write a file", false),
        ("start a program", false),
        ("open a network, in vain", true),
        ("make a file", false),
        ("talk to a terminal", false),
        ("map memory", true),
        ("map executable memory", false),
        ("become somebody", false),
        ("load BPF", false),
    ];

    fn attempt(what: &str) {
        const PAGE: std::num::NonZeroUsize = std::num::NonZeroUsize::new(4096).unwrap();
        let map = |access| {
            // SAFETY: new memory that nothing uses.
            let _ = unsafe { mmap_anonymous(None, PAGE, access, MapFlags::MAP_PRIVATE) };
        };
        match what {
            "read a file" => drop(File::open("/proc/self/stat")),
            "write a file" => drop(OpenOptions::new().write(true).open("/dev/null")),
            "start a program" => drop(Command::new("/bin/true").status()),
            "open a network, in vain" => assert!(TcpListener::bind("127.0.0.1:0").is_err()),
            // The options of the standard library never create a file without write access.
            "make a file" => {
                let flags = OFlag::O_RDONLY | OFlag::O_CREAT;
                drop(nix::fcntl::open("/tmp/khor-made", flags, nix::sys::stat::Mode::empty()));
            }
            // SAFETY: no pointer is passed that the kernel would follow.
            "talk to a terminal" => _ = unsafe { libc::ioctl(0, libc::TIOCSTI, 0) },
            "map memory" => map(ProtFlags::PROT_READ),
            "map executable memory" => map(ProtFlags::PROT_EXEC),
            "become somebody" => drop(nix::unistd::setuid(nix::unistd::getuid())),
            // SAFETY: an unknown command, which the kernel would refuse.
            "load BPF" => _ = unsafe { libc::syscall(libc::SYS_bpf, 9999, 0, 0) },
            other => panic!("{other}"),
        }
    }

    #[test]
    #[ignore = "a child of the next test, which does not survive everything"]
    fn child() {
        nix::sys::prctl::set_no_new_privs().unwrap();
        let what = std::env::var("KHOR_SECCOMP_TRY").unwrap();
        apply().unwrap();
        attempt(&what);
        // The test harness would make forbidden system calls.
        std::process::exit(42);
    }

    #[test]
    fn forbidden_calls_kill_and_needed_calls_work() {
        for (what, allowed) in TRIES {
            let this = ["--exact", "privilege::seccomp::tests::child", "--ignored", "--test-threads=1"];
            let mut child = Command::new(std::env::current_exe().unwrap());
            let ended = child.args(this).env("KHOR_SECCOMP_TRY", what).output().unwrap().status;
            if allowed {
                assert_eq!(ended.code(), Some(42), "{what}: {ended}");
            } else {
                assert_eq!(ended.signal(), Some(libc::SIGSYS), "{what}: {ended}");
            }
        }
    }

    #[test]
    fn each_call_is_listed_once() {
        let mut calls: Vec<_> = ALLOWED.iter().chain(ALLOWED_HERE).map(|(call, _)| *call).collect();
        calls.extend(conditional().unwrap().map(|(call, _)| call));
        let all = calls.len();
        calls.sort_unstable();
        calls.dedup();
        assert_eq!(calls.len(), all);
    }
}
