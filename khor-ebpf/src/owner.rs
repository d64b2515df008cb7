//! Finds the owner of an event: the cgroup of a task, of a socket, or of a block request.
//!
//! The running task is the owner only of events that it causes itself. An unknown owner is a null
//! pointer and not `None`. With an `Option`, the compiler may emit code that loads uninitialised
//! memory, which the verifiers before Linux 6.3 reject.

use core::ptr::null;

use aya_ebpf::Global;
use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::helpers::generated::bpf_get_current_task;

use crate::counters::Cpu;
use crate::field::{follow, probe};

#[unsafe(no_mangle)]
static TASK_CGROUPS_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static CSS_SET_CGROUP_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static SOCK_CGROUP_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static SOCK_STATE_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static SOCK_LISTENER_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static CGROUP_ROOT_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static CGROUP_ROOT_ID_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static REQUEST_BIO_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static BIO_BLKG_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static BLKG_BLKCG_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static BLKCG_CGROUP_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static CGROUP_KN_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static KERNFS_ID_OFFSET: Global<u32> = Global::new(0);

type Pointer = *const u8;

/// Number of the running task's process (thread group).
#[inline(always)]
pub fn current_process() -> u32 {
    (bpf_get_current_pid_tgid() >> 32) as u32
}

/// Returns the `struct cgroup *` of the running task in the unified hierarchy.
#[inline(always)]
pub fn cgroup_of_current() -> Pointer {
    // SAFETY: this call takes no argument and always succeeds.
    cgroup_of_task(unsafe { bpf_get_current_task() } as Pointer)
}

/// Returns the `struct cgroup *` of `task`, which is a `struct task_struct *`.
#[inline(always)]
pub fn cgroup_of_task(task: Pointer) -> Pointer {
    follow(follow(task, &TASK_CGROUPS_OFFSET), &CSS_SET_CGROUP_OFFSET)
}

/// Returns the full socket that belongs to `sock`, a `struct sock *`. For a connection request,
/// this is the listener. Null for a connection in TIME_WAIT, which no longer has a full socket.
#[inline(always)]
pub fn full_sock(sock: Pointer) -> Pointer {
    // In these two TCP states, the kernel allocates only the start of a `struct sock`.
    const TCP_TIME_WAIT: u8 = 6;
    const TCP_NEW_SYN_RECV: u8 = 12;
    match probe(sock, &SOCK_STATE_OFFSET) {
        TCP_TIME_WAIT => null(),
        TCP_NEW_SYN_RECV => follow(sock, &SOCK_LISTENER_OFFSET),
        _ => sock,
    }
}

/// The `struct cgroup *` in which a `struct sock *` was created; null if unknown.
#[inline(always)]
pub fn cgroup_of_sock(cpu: Cpu, sock: Pointer) -> Pointer {
    // Before Linux 5.15, this word may contain a class id or priority (net_cls, net_prio) instead
    // of the pointer. Then one of the two lowest bits is set.
    const TAGS: usize = 3;
    let word = follow(full_sock(sock), &SOCK_CGROUP_OFFSET);
    if word as usize & TAGS == 0 {
        return word;
    }
    cpu.note_tagged_socket();
    null()
}

/// The cgroup (`struct cgroup *`) to which the I/O controller charges the block request `request`.
/// Null if this cgroup is in an old hierarchy (cgroup v1), because a cgroup in the unified
/// hierarchy could have the same id.
#[inline(always)]
pub fn cgroup_of_request(request: Pointer) -> Pointer {
    let bio = follow(request, &REQUEST_BIO_OFFSET);
    let group = follow(bio, &BIO_BLKG_OFFSET);
    let controller = follow(group, &BLKG_BLKCG_OFFSET);
    let cgroup = follow(controller, &BLKCG_CGROUP_OFFSET);
    // The kernel's number of the unified hierarchy. /proc/PID/cgroup shows it in the first column.
    const UNIFIED: u32 = 0;
    let root = follow(cgroup, &CGROUP_ROOT_OFFSET);
    if root.is_null() || probe::<u32>(root, &CGROUP_ROOT_ID_OFFSET) != UNIFIED { null() } else { cgroup }
}

/// Id of a `struct cgroup *`, which is the inode number of its directory. 0 if unknown.
#[inline(always)]
pub fn cgroup_id(cgroup: Pointer) -> u64 {
    probe(follow(cgroup, &CGROUP_KN_OFFSET), &KERNFS_ID_OFFSET)
}
