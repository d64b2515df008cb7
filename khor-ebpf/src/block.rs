//! Counts requests, bytes, errors and latency of block devices (`block_rq_issue`,
//! `block_rq_complete`). The counts have the same categories as /proc/diskstats. Kernel 5.5 and
//! later.
//!
//! A request counts once, at the disk that does the work. The requests of loop devices and of
//! request-based device-mapper targets (multipath) are carried out by other disks. So the programs
//! count only the errors of these devices. Other stacked drivers (md, bcache, most of
//! device-mapper) pass I/O on before it becomes a request.
//!
//! Additions are atomic, because requests are issued and completed in task context and in
//! interrupts.

use aya_ebpf::Global;
use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::LruHashMap;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::global::UNKNOWN;
use khor_layout::{CueKind, Slot, Wish};

use crate::counters::Cpu;
use crate::cues::{self, Subject};
use crate::scopes::credit_cgroup;
use crate::{field, owner};

#[unsafe(no_mangle)]
static REQUEST_CMD_FLAGS_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static REQUEST_DATA_LEN_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static REQUEST_STATE_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static REQUEST_FLUSH_SEQUENCE: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static REQUEST_DISK_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static QUEUE_DISK_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static DISK_NAME_OFFSET: Global<u32> = Global::new(0);

/// The time at which each request was issued, in nanoseconds. The key is the address of the `struct
/// request`.
///
/// A full map drops the least recently used element. So it never fills up with requests whose
/// completion the programs miss. A dropped request is not timed, which does not distort the mean
/// time of the other requests. The collector sets the number of elements.
#[map]
static ISSUED: LruHashMap<u64, u64> = LruHashMap::with_max_entries(1, 0);

/// The kinds of requests that khor distinguishes.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Read,
    Write,
    /// Flushes and discards, which transfer no data.
    Control,
    /// Commands from user space or from the driver. The kernel's statistics do not include them.
    Passthrough,
}

/// Stores the time at which a request is issued (since Linux 5.11). The program does not count
/// requests here, because a request is issued again if its device has no room for it.
#[btf_tracepoint(function = "block_rq_issue")]
fn block_rq_issue(ctx: BtfTracePointContext) -> i32 {
    issued(ctx.arg(0));
    0
}

/// Like [`block_rq_issue`], for kernels before 5.11, where the request queue is the first argument.
/// The collector loads one of the two programs.
#[btf_tracepoint(function = "block_rq_issue")]
fn block_rq_issue_queue_first(ctx: BtfTracePointContext) -> i32 {
    issued(ctx.arg(1));
    0
}

/// Counts the completed bytes and requests. A request may complete in several parts, and only the
/// last part counts as a request. A write between two flushes, as in a journal, completes twice:
/// with its data, and after the second flush without data. Only the second completion counts as a
/// request.
#[btf_tracepoint(function = "block_rq_complete")]
fn block_rq_complete(ctx: BtfTracePointContext) -> i32 {
    let request: *const u8 = ctx.arg(0);
    let (error, done_bytes): (u32, u32) = (ctx.arg(1), ctx.arg(2));
    let (bytes, requests) = match kind(request) {
        Kind::Read => (Slot::ReadBytes, Slot::ReadRequests),
        Kind::Write => (Slot::WriteBytes, Slot::WriteRequests),
        Kind::Control if error != 0 => return failed(request),
        Kind::Control | Kind::Passthrough => return 0,
    };
    if is_stacked(request) {
        return if error != 0 { failed(request) } else { 0 };
    }
    // SAFETY: argument 0 is a `struct request *`.
    let left_bytes: u32 = unsafe { field::read(request, &REQUEST_DATA_LEN_OFFSET) };
    // SAFETY: argument 0 is a `struct request *`.
    let state: u32 = unsafe { field::read(request, &REQUEST_STATE_OFFSET) };
    let completed = done_bytes >= left_bytes && state & REQUEST_FLUSH_SEQUENCE.load() == 0;
    let latency_ns = if completed { latency_ns(request) } else { 0 };
    count(request, [
        (bytes, u64::from(done_bytes)),
        (requests, u64::from(completed)),
        (Slot::LatencyNs, latency_ns),
        (Slot::TimedRequests, u64::from(latency_ns != 0)),
    ]);
    if error != 0 { failed(request) } else { 0 }
}

#[inline(always)]
fn issued(request: *const u8) {
    if !matches!(kind(request), Kind::Read | Kind::Write) || is_stacked(request) {
        return;
    }
    // SAFETY: this call takes no argument and always succeeds.
    let now_ns = unsafe { bpf_ktime_get_ns() };
    let _ = ISSUED.insert(request as u64, now_ns, 0); // without room, the request is not timed
}

/// Adds `amounts` to the counts of the machine and of all scopes that `request` belongs to.
#[inline(always)]
fn count<const N: usize>(request: *const u8, amounts: [(Slot, u64); N]) {
    let Some(cpu) = Cpu::this() else { return };
    for (slot, amount) in amounts {
        cpu.add_atomic(slot, amount);
    }
    if cpu.wish().has(Wish::SCOPES) {
        credit_cgroup(cpu, owner::cgroup_of_request(request), amounts);
    }
}

/// Counts an error and sends a cue. It is not inlined, so that the verifier checks this long code
/// only once and not at each caller.
#[inline(never)]
fn failed(request: *const u8) -> i32 {
    let Some(cpu) = Cpu::this() else { return 0 };
    cpu.add_atomic(Slot::IoErrors, 1);
    let cgroup = owner::cgroup_of_request(request);
    let owners = credit_cgroup(cpu, cgroup, [(Slot::IoErrors, 1)]);
    cues::send(cpu, CueKind::BlockError, &Subject::cgroup(cgroup, owners), 0);
    0
}

/// Returns the time in nanoseconds from the issue of a completed request until now. It is 0 if the
/// time of issue is unknown, and otherwise at least 1.
#[inline(always)]
fn latency_ns(request: *const u8) -> u64 {
    // SAFETY: the value is copied at once.
    let Some(&issued_ns) = (unsafe { ISSUED.get(request as u64) }) else { return 0 };
    let _ = ISSUED.remove(request as u64);
    // SAFETY: this call takes no argument and always succeeds.
    unsafe { bpf_ktime_get_ns() }.saturating_sub(issued_ns).max(1)
}

/// Whether other disks carry out the request's work.
///
/// The program recognises loop devices and device-mapper disks by their names. Only the kernel sets
/// the names of disks, so they are reliable. The kernel also has a list of underlying disks, but
/// Linux 5.10 lacks it. If `disk` is null, the name reads as zeros, which match neither `loop` nor
/// `dm-`.
#[inline(always)]
fn is_stacked(request: *const u8) -> bool {
    const LOOP: u32 = u32::from_ne_bytes(*b"loop");
    const DEVICE_MAPPER: u32 = u32::from_ne_bytes(*b"dm-\0");
    const THREE_LETTERS: u32 = u32::from_ne_bytes([0xff, 0xff, 0xff, 0]);
    // SAFETY: callers pass the tracepoint's `struct request *`.
    let mut disk: *const u8 = unsafe { field::read(request, &REQUEST_DISK_OFFSET) };
    if QUEUE_DISK_OFFSET.load() != UNKNOWN {
        // SAFETY: if `QUEUE_DISK_OFFSET` is known, `disk` is still a `struct request_queue *` here.
        disk = unsafe { field::read(disk, &QUEUE_DISK_OFFSET) };
    }
    // SAFETY: `disk` is a `struct gendisk *`, in which the name is an array of bytes.
    let name: u32 = unsafe { field::read(disk, &DISK_NAME_OFFSET) };
    name == LOOP || name & THREE_LETTERS == DEVICE_MAPPER
}

#[inline(always)]
fn kind(request: *const u8) -> Kind {
    const OPERATION_MASK: u32 = 0xff;
    const READ: u32 = 0;
    const DISCARD: u32 = 3;
    const SECURE_ERASE: u32 = 5;
    const FIRST_PASSTHROUGH: u32 = 32;
    // SAFETY: callers pass the tracepoint's `struct request *`.
    let flags: u32 = unsafe { field::read(request, &REQUEST_CMD_FLAGS_OFFSET) };
    match flags & OPERATION_MASK {
        FIRST_PASSTHROUGH.. => Kind::Passthrough,
        READ => Kind::Read,
        DISCARD | SECURE_ERASE => Kind::Control,
        // Operations that send data to the device have odd numbers (`op_is_write` in the kernel).
        operation if operation & 1 == 1 => Kind::Write,
        _ => Kind::Control,
    }
}
