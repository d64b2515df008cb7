//! Gives up privileges in three steps. Step 1 drops all capabilities except the two that are needed
//! to load programs. Step 2 drops these two. Step 3 forbids every system call that serving does not
//! need.
//!
//! Each thread has its own capabilities, so dropping them (steps 1 and 2) fails unless the process
//! has only one thread. The system call filter applies to all threads.

mod seccomp;

use std::{fs, path::Path};

use caps::{CapSet, Capability, CapsHashSet};
use khor_proto::kernel_text;
use nix::{
    sys::{
        prctl,
        resource::{RLIM_INFINITY, Resource, setrlimit},
    },
    unistd::{Gid, Group, Uid, User, setgroups, setresgid, setresuid},
};

/// The capabilities that are needed to load and attach BTF tracepoints.
const NEEDED: [Capability; 2] = [Capability::CAP_BPF, Capability::CAP_PERFMON];

/// The additional capabilities that root needs to become another user.
const NEEDED_BY_ROOT: [Capability; 2] = [Capability::CAP_SETUID, Capability::CAP_SETGID];
/// Target of the link /proc/self/ns/user in the initial user namespace. The number never changes,
/// because it is part of the kernel's interface.
const FIRST_USER_NAMESPACE: &str = "user:[4026531837]";

/// Why privileges are missing or cannot be given up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrivilegeError {
    #[error(
        "missing {missing}: start the program as root or with khor-collector.service, or give it the \
         capabilities as root: `chown root:khor PROGRAM && chmod 0750 PROGRAM && setcap \
         cap_bpf,cap_perfmon=ep PROGRAM` (kernel 5.8 or later)"
    )]
    Missing { missing: String },
    #[error(
        "root has no {missing} here: allow the missing capabilities in the unit or container (systemd: \
         CapabilityBoundingSet=; containers: `--cap-add BPF --cap-add PERFMON`)"
    )]
    MissingForRoot { missing: String },
    #[error(
        "this process is in a user namespace, where no capability allows loading programs: start the collector \
         outside it (systemd: PrivateUsers=no; containers: not rootless, without user remapping)"
    )]
    UserNamespace,
    #[error(
        "root has no {missing} here, so it cannot become the user {user}: allow the missing capabilities \
         (systemd: CapabilityBoundingSet=), start the program as that user with CAP_BPF and CAP_PERFMON, or \
         stay root with `--user root`"
    )]
    CannotBecome { missing: String, user: String },
    #[error("cannot give up privileges: {doing} failed: {reason}")]
    GiveUp { doing: &'static str, reason: String },
    #[error("cannot give up privileges: {field} in /proc/self/status is {value}, not 0")]
    Kept { field: &'static str, value: String },
}

/// Fails unless the process has the capabilities that loading needs.
pub(crate) fn require() -> Result<(), PrivilegeError> {
    if fs::read_link("/proc/self/ns/user").is_ok_and(|namespace| namespace != Path::new(FIRST_USER_NAMESPACE))
    {
        return Err(PrivilegeError::UserNamespace);
    }
    match missing(&NEEDED)? {
        Some(missing) if Uid::effective().is_root() => Err(PrivilegeError::MissingForRoot { missing }),
        Some(missing) => Err(PrivilegeError::Missing { missing }),
        None => Ok(()),
    }
}

/// The names of the capabilities in `needed` that the process lacks.
fn missing(needed: &[Capability]) -> Result<Option<String>, PrivilegeError> {
    let held = caps::read(None, CapSet::Permitted).map_err(give_up("reading capabilities"))?;
    let missing: Vec<_> =
        needed.iter().filter(|needed| !held.contains(needed)).map(ToString::to_string).collect();
    Ok((!missing.is_empty()).then(|| missing.join(" and ")))
}

/// The error if an option names a user or a group that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("--{option} {value}: {reason}")]
pub(crate) struct UsageError {
    option: &'static str,
    value: String,
    reason: String,
}

/// Finds the user that the process becomes. This is the user `name`. Without a name, it is `khor`
/// or, if that user does not exist, `nobody`. `None` if the process is not root, because it then
/// cannot change its user.
pub(crate) fn target_user(name: Option<&str>) -> Result<Option<User>, UsageError> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let names = name.map_or_else(|| vec!["khor", "nobody"], |name| vec![name]);
    let user = names.iter().find_map(|name| find_user(name));
    user.map(Some).ok_or_else(|| UsageError {
        option: "user",
        value: names.join(", "),
        reason: "no such user; create it with `useradd --system khor`".into(),
    })
}

/// Finds a user by name or number in the user database.
pub(crate) fn find_user(name: &str) -> Option<User> {
    match name.parse() {
        Ok(uid) => User::from_uid(Uid::from_raw(uid)).ok().flatten(),
        Err(_) => User::from_name(name).ok().flatten(),
    }
}

/// Finds the group whose members may connect. This is the group `name`, which must exist. Without a
/// name, it is the group `khor`, or `None` if that group does not exist.
pub(crate) fn client_group(name: Option<&str>) -> Result<Option<Gid>, UsageError> {
    let Some(name) = name else {
        return Ok(Group::from_name("khor").ok().flatten().map(|group| group.gid));
    };
    if let Ok(gid) = name.parse() {
        return Ok(Some(Gid::from_raw(gid)));
    }
    let group = Group::from_name(name).ok().flatten().map(|group| group.gid);
    group.map(Some).ok_or_else(|| UsageError {
        option: "group",
        value: name.into(),
        reason: "no such group; create it with `groupadd --system khor`".into(),
    })
}

/// Becomes `user` and drops all capabilities except the two that loading needs. Afterwards the
/// process cannot gain privileges.
pub(crate) fn restrict(user: Option<&User>) -> Result<(), PrivilegeError> {
    require_single_thread()?;
    // Before Linux 5.11, BPF maps and programs count towards RLIMIT_MEMLOCK, the limit of locked
    // memory. Only root may raise the limit. For other users, `setrlimit` fails and the limit
    // stays.
    let _ = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY);
    let keep: CapsHashSet = NEEDED.into_iter().collect();
    cut_bounding_set(&keep)?;
    if let Some(user) = user.filter(|user| !user.uid.is_root()) {
        become_user(user)?;
    }
    // The permitted capabilities may only shrink, and must include the effective ones. So empty the
    // effective set first, and fill it after the permitted set has shrunk.
    caps::set(None, CapSet::Effective, &CapsHashSet::new()).map_err(give_up("lowering capabilities"))?;
    caps::set(None, CapSet::Permitted, &keep).map_err(give_up("shrinking capabilities"))?;
    caps::set(None, CapSet::Effective, &keep).map_err(give_up("raising the two needed capabilities"))?;
    caps::clear(None, CapSet::Inheritable).map_err(give_up("clearing inheritable capabilities"))?;
    caps::clear(None, CapSet::Ambient).map_err(give_up("clearing ambient capabilities"))?;
    prctl::set_no_new_privs().map_err(give_up("setting no_new_privs"))
}

/// Gives up the last capabilities, then reads the capability sets back to check that all are empty.
pub(crate) fn drop_all() -> Result<(), PrivilegeError> {
    require_single_thread()?;
    // Clear the bounding set before the other sets, because clearing the bounding set needs
    // CAP_SETPCAP. Only a process that stays root still has this capability.
    cut_bounding_set(&CapsHashSet::new())?;
    for set in [CapSet::Effective, CapSet::Permitted, CapSet::Inheritable, CapSet::Ambient] {
        caps::clear(None, set).map_err(give_up("dropping the last capabilities"))?;
        let left = caps::read(None, set).map_err(give_up("reading capabilities"))?;
        if !left.is_empty() {
            return Err(PrivilegeError::Kept { field: "a capability set", value: format!("{left:?}") });
        }
    }
    verify_status(&kernel_text::read("/proc/self/status").map_err(give_up("reading /proc/self/status"))?)
}

/// Permits only the system calls that serving needs, in all threads, from now on. Any other system
/// call kills the process.
pub(crate) fn confine() -> Result<(), PrivilegeError> {
    seccomp::apply().map_err(give_up("filtering system calls"))
}

fn verify_status(status: &str) -> Result<(), PrivilegeError> {
    for field in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let value = line.map_or("missing", str::trim);
        if u64::from_str_radix(value, 16) != Ok(0) {
            return Err(PrivilegeError::Kept { field, value: value.into() });
        }
    }
    Ok(())
}

/// Shrinks the bounding set. This needs `CAP_SETPCAP`. Without this capability the function changes
/// nothing, because the parent process, such as systemd, has already limited the set. Once
/// `no_new_privs` is set, the bounding set has no effect.
fn cut_bounding_set(keep: &CapsHashSet) -> Result<(), PrivilegeError> {
    let effective = caps::read(None, CapSet::Effective).map_err(give_up("reading capabilities"))?;
    if !effective.contains(&Capability::CAP_SETPCAP) {
        return Ok(());
    }
    for capability in caps::runtime::thread_all_supported().difference(keep) {
        caps::drop(None, CapSet::Bounding, *capability).map_err(give_up("shrinking the bounding set"))?;
    }
    Ok(())
}

fn become_user(user: &User) -> Result<(), PrivilegeError> {
    if let Some(missing) = missing(&NEEDED_BY_ROOT)? {
        return Err(PrivilegeError::CannotBecome { missing, user: user.name.clone() });
    }
    caps::securebits::set_keepcaps(true)
        .map_err(give_up("keeping capabilities across the change of user"))?;
    setgroups(&[]).map_err(give_up("leaving all groups"))?;
    setresgid(user.gid, user.gid, user.gid).map_err(give_up("changing the group"))?;
    setresuid(user.uid, user.uid, user.uid).map_err(give_up("changing the user"))?;
    caps::securebits::set_keepcaps(false).map_err(give_up("resetting keepcaps"))
}

fn require_single_thread() -> Result<(), PrivilegeError> {
    let threads = fs::read_dir("/proc/self/task").map_err(give_up("counting threads"))?.count();
    if threads == 1 {
        return Ok(());
    }
    Err(PrivilegeError::GiveUp {
        doing: "checking that the process has only one thread",
        reason: format!("there are {threads}"),
    })
}

fn give_up<E: std::fmt::Display>(doing: &'static str) -> impl FnOnce(E) -> PrivilegeError {
    move |error| PrivilegeError::GiveUp { doing, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_must_be_all_zero_and_complete() {
        let zero = "CapInh:\t0\nCapPrm:\t0000000000000000\nCapEff:\t0\nCapBnd:\tff\nCapAmb:\t0\n";
        assert!(verify_status(zero).is_ok());
        assert!(verify_status(&zero.replace("CapEff:\t0", "CapEff:\t8000000000")).is_err());
        assert!(verify_status("").is_err());
    }
}
