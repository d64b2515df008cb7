//! `tcp_retransmit_skb` and `tcp_retransmit_synack`: segments sent again, counted as `RetransSegs` does.
//! Kernel 5.5 and later.

use aya_ebpf::Global;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::Slot;

use crate::counters::add_atomic;
use crate::field;

#[unsafe(no_mangle)]
static SKB_GSO_SEGS_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static RETRANSMIT_HAS_RESULT: Global<u32> = Global::new(0);

/// Counts the segments of one buffer. Atomic: a timer may retransmit on a CPU whose task does so too.
#[btf_tracepoint(function = "tcp_retransmit_skb")]
fn tcp_retransmit_skb(ctx: BtfTracePointContext) -> i32 {
    // Before there was a result to tell, the tracepoint stayed silent on failure. The branch not taken is never
    // verified, so an argument that does not exist is no error.
    if RETRANSMIT_HAS_RESULT.load() != 0 && gave_up(ctx.arg(2)) {
        return 0;
    }
    // SAFETY: argument 1 is a `struct sk_buff *`, and `tcp_gso_segs` lies within its `cb`.
    let segments: u16 = unsafe { field::read(ctx.arg(1), &SKB_GSO_SEGS_OFFSET) };
    add_atomic(Slot::Retransmits, u64::from(segments));
    0
}

/// Counts one: an answer to a connection request is never segmented.
#[btf_tracepoint(function = "tcp_retransmit_synack")]
fn tcp_retransmit_synack(_: BtfTracePointContext) -> i32 {
    add_atomic(Slot::Retransmits, 1);
    0
}

/// Whether the kernel gave up before it tried to send and, with that, before it added to `RetransSegs`.
#[inline(always)]
fn gave_up(result: i32) -> bool {
    const EAGAIN: i32 = -11; // the peer's window is closed
    const ENOMEM: i32 = -12; // no memory to split the buffer
    const EBUSY: i32 = -16; // the original is still queued in this host
    const EINVAL: i32 = -22; // nothing left to send
    const EHOSTUNREACH: i32 = -113; // no route any more
    matches!(result, EAGAIN | ENOMEM | EBUSY | EINVAL | EHOSTUNREACH)
}
