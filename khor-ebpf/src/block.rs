//! `block_rq_issue` and `block_rq_complete`: requests, bytes and errors of block devices, sorted as
//! /proc/diskstats sorts them. Kernel 5.5 and later.
//!
//! Atomic adds: requests are issued and completed in task context as well as in interrupts.

use aya_ebpf::Global;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::Slot;

use crate::counters::add_atomic;
use crate::field;

#[unsafe(no_mangle)]
static REQUEST_CMD_FLAGS_OFFSET: Global<u32> = Global::new(0);

/// What a request is, as far as khor tells them apart.
#[derive(PartialEq)]
enum Kind {
    Read,
    Write,
    /// Flushes and discards: no data moves.
    Control,
    /// Commands from user space or the driver itself, which the kernel's statistics leave out.
    Passthrough,
}

/// Counts a request, on kernels since 5.11.
#[btf_tracepoint(function = "block_rq_issue")]
fn block_rq_issue(ctx: BtfTracePointContext) -> i32 {
    issued(ctx.arg(0));
    0
}

/// The same where the request queue comes first, before 5.11; the collector loads one of the two.
#[btf_tracepoint(function = "block_rq_issue")]
fn block_rq_issue_queue_first(ctx: BtfTracePointContext) -> i32 {
    issued(ctx.arg(1));
    0
}

/// Counts the bytes done; a request may complete in several parts.
#[btf_tracepoint(function = "block_rq_complete")]
fn block_rq_complete(ctx: BtfTracePointContext) -> i32 {
    let (error, done_bytes): (u32, u32) = (ctx.arg(1), ctx.arg(2));
    let kind = kind(ctx.arg(0));
    if kind == Kind::Passthrough {
        return 0;
    }
    if error != 0 {
        add_atomic(Slot::IoErrors, 1);
    }
    match kind {
        Kind::Read => add_atomic(Slot::ReadBytes, u64::from(done_bytes)),
        Kind::Write => add_atomic(Slot::WriteBytes, u64::from(done_bytes)),
        Kind::Control | Kind::Passthrough => {}
    }
    0
}

#[inline(always)]
fn issued(request: *const u8) {
    match kind(request) {
        Kind::Read => add_atomic(Slot::ReadRequests, 1),
        Kind::Write => add_atomic(Slot::WriteRequests, 1),
        Kind::Control | Kind::Passthrough => {}
    }
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
        // Whatever sends data to the device is odd (`op_is_write` in the kernel).
        operation if operation & 1 == 1 => Kind::Write,
        _ => Kind::Control,
    }
}
