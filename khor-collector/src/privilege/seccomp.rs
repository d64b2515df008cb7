//! Installs a filter that allows only the system calls that serving needs. The tables in this
//! module state why each call is needed. Any other call kills the process.
//!
//! The filter also limits an attacker who controls the process. The attacker cannot start programs,
//! write files, make memory executable, reach the network or use BPF.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

/// System calls that are allowed with any arguments. The text describes what each call is needed
/// for.
const ALLOWED: &[(libc::c_long, &str)] = &[
    (libc::SYS_accept4, "new clients"),
    (libc::SYS_bind, "creating the socket again after its file was removed"),
    (libc::SYS_brk, "memory"),
    (libc::SYS_clock_gettime, "reading the clocks if the vDSO cannot read them"),
    (libc::SYS_close, "clients that disconnect"),
    (libc::SYS_connect, "the bus"),
    (libc::SYS_epoll_create1, "the runtime"),
    (libc::SYS_epoll_ctl, "watching clients and cues"),
    (libc::SYS_epoll_pwait, "waiting for clients and cues"),
    (libc::SYS_eventfd2, "the runtime"),
    (libc::SYS_exit, "threads that end"),
    (libc::SYS_exit_group, "the process's end"),
    (libc::SYS_fcntl, "making descriptors non-blocking or close-on-exec, and copying them"),
    (libc::SYS_fstat, "files"),
    (libc::SYS_futex, "locking, and waiting for the next samples"),
    (libc::SYS_getcwd, "paths in the backtrace of a panic"),
    (libc::SYS_getegid, "authentication on the bus"),
    (libc::SYS_geteuid, "authentication on the bus"),
    (libc::SYS_getgid, "authentication on the bus"),
    (libc::SYS_getpeername, "the bus"),
    (libc::SYS_getpid, "writing the log, and authentication on the bus"),
    (libc::SYS_getrandom, "random seeds of hash tables"),
    (libc::SYS_getsockname, "sockets"),
    (libc::SYS_getsockopt, "reading the client's user (SO_PEERCRED)"),
    (libc::SYS_gettid, "abort"),
    (libc::SYS_getuid, "authentication on the bus"),
    (libc::SYS_listen, "creating the socket again after its file was removed"),
    (libc::SYS_lseek, "files"),
    (libc::SYS_madvise, "memory"),
    (libc::SYS_mremap, "memory"),
    (libc::SYS_munmap, "memory"),
    (libc::SYS_newfstatat, "checking cgroups and the socket's file"),
    (libc::SYS_ppoll, "starting and ending the async runtime"),
    (libc::SYS_pread64, "reading pressure and page faults"),
    (libc::SYS_read, "reading files, signals and the runtime's own descriptors"),
    (libc::SYS_readlinkat, "paths"),
    (libc::SYS_recvfrom, "messages of clients"),
    (libc::SYS_recvmsg, "the bus"),
    (libc::SYS_restart_syscall, "continuing to wait after SIGSTOP and SIGCONT"),
    (libc::SYS_rseq, "the C library"),
    (libc::SYS_rt_sigaction, "signals"),
    (libc::SYS_rt_sigprocmask, "signals"),
    (libc::SYS_rt_sigreturn, "signals"),
    (libc::SYS_sched_getaffinity, "reading the number of CPUs"),
    (libc::SYS_sched_yield, "locks"),
    (libc::SYS_sendmsg, "messages to the bus and to systemd"),
    (libc::SYS_sendto, "sending samples and cues to clients, and messages to systemd"),
    (libc::SYS_setsockopt, "the bus"),
    (libc::SYS_shutdown, "disconnecting clients that do not read"),
    (libc::SYS_sigaltstack, "threads that end"),
    (libc::SYS_socket, "connections to the bus and to systemd; see `families`"),
    (libc::SYS_socketpair, "signals that the runtime handles"),
    (libc::SYS_statx, "checking cgroups and the socket's file"),
    (libc::SYS_tgkill, "abort"),
    (libc::SYS_umask, "creating the socket again after its file was removed"),
    (libc::SYS_uname, "authentication on the bus"),
    (libc::SYS_unlinkat, "removing the socket's file at the end"),
    (libc::SYS_write, "writing to the log and to the runtime's own descriptors"),
    (libc::SYS_writev, "the log"),
];

/// System calls that are allowed in addition to [`ALLOWED`] and that not every architecture has.
#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: &[(libc::c_long, &str)] = &[
    (libc::SYS_epoll_wait, "waiting for clients and cues"),
    (libc::SYS_poll, "starting and ending the async runtime"),
    (libc::SYS_readlink, "paths"),
    (libc::SYS_stat, "cgroups"),
    (libc::SYS_lstat, "paths"),
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[(libc::c_long, &str)] = &[];

/// The bit of `O_TMPFILE` (unnamed file) that `O_DIRECTORY` does not contain.
const NOT_NAMED: libc::c_int = libc::O_TMPFILE & !libc::O_DIRECTORY;

/// Why the system call filter could not be installed.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilterError {
    #[error("this processor architecture is not supported")]
    Architecture,
    #[error(transparent)]
    Build(#[from] seccompiler::BackendError),
    #[error(transparent)]
    Apply(#[from] seccompiler::Error),
}

/// Installs the filters for all threads. They cannot be removed.
pub(super) fn apply() -> Result<(), FilterError> {
    apply_filter_all_threads(&families()?)?;
    Ok(apply_filter_all_threads(&filter()?)?)
}

/// Allows only Unix sockets, which the bus and systemd need. Other sockets fail instead of killing
/// the process, because the configured address of the bus may be of another kind.
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

/// System calls that are allowed only with some arguments.
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
        // Mapping executable memory is forbidden.
        (libc::SYS_mmap, rule(unset(2, libc::PROT_EXEC)?)?),
        (libc::SYS_mprotect, rule(unset(2, libc::PROT_EXEC)?)?),
        // The collector may open files only for reading. It reads the files of pressure, processes
        // and cgroups.
        (libc::SYS_openat, rule(unset(2, libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | NOT_NAMED)?)?),
        // Only FIONBIO is allowed, which makes sockets non-blocking. Terminal ioctls are forbidden.
        (libc::SYS_ioctl, rule(is(1, libc::FIONBIO as libc::c_int)?)?),
        // Only PR_SET_NAME is allowed, with which the async runtime names its threads.
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

    /// The actions that the child process tries, each with whether the filter allows it.
    const TRIES: [(&str, bool); 10] = [
        ("read a file", true),
        ("write a file", false),
        ("start a program", false),
        ("bind a network socket and fail", true),
        ("create a file", false),
        ("insert terminal input", false),
        ("map memory", true),
        ("map executable memory", false),
        ("change the user", false),
        ("load BPF", false),
    ];

    fn attempt(what: &str) {
        const PAGE: std::num::NonZeroUsize = std::num::NonZeroUsize::new(4096).unwrap();
        let map = |access| {
            // SAFETY: the memory is new, and nothing uses it.
            let _ = unsafe { mmap_anonymous(None, PAGE, access, MapFlags::MAP_PRIVATE) };
        };
        match what {
            "read a file" => drop(File::open("/proc/self/stat")),
            "write a file" => drop(OpenOptions::new().write(true).open("/dev/null")),
            "start a program" => drop(Command::new("/bin/true").status()),
            "bind a network socket and fail" => assert!(TcpListener::bind("127.0.0.1:0").is_err()),
            // The standard library cannot create a file without write access, so the test calls
            // `open` directly.
            "create a file" => {
                let flags = OFlag::O_RDONLY | OFlag::O_CREAT;
                drop(nix::fcntl::open("/tmp/khor-made", flags, nix::sys::stat::Mode::empty()));
            }
            // SAFETY: the kernel follows no pointer of this call.
            "insert terminal input" => _ = unsafe { libc::ioctl(0, libc::TIOCSTI, 0) },
            "map memory" => map(ProtFlags::PROT_READ),
            "map executable memory" => map(ProtFlags::PROT_EXEC),
            "change the user" => drop(nix::unistd::setuid(nix::unistd::getuid())),
            // SAFETY: the command is unknown, and the kernel would reject it.
            "load BPF" => _ = unsafe { libc::syscall(libc::SYS_bpf, 9999, 0, 0) },
            other => panic!("{other}"),
        }
    }

    #[test]
    #[ignore = "the next test starts this test as a process, which the filter may kill"]
    fn child() {
        nix::sys::prctl::set_no_new_privs().unwrap();
        let what = std::env::var("KHOR_SECCOMP_TRY").unwrap();
        apply().unwrap();
        attempt(&what);
        // Exit here, because the test harness would make forbidden system calls.
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
