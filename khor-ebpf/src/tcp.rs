//! Counts retransmitted TCP segments, like the kernel's `RetransSegs` (`tcp_retransmit_skb`,
//! `tcp_retransmit_synack`). Kernel 5.5 and later.

use aya_ebpf::Global;
use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::Array;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::{BURST_SEGMENTS, BURST_WINDOW_NS, CueKind, Slot};

use crate::counters::{Cpu, add_atomic};
use crate::cues::{self, Subject};
use crate::scopes::credit_cgroup;
use crate::{field, owner};

#[unsafe(no_mangle)]
static SKB_GSO_SEGS_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static RETRANSMIT_HAS_RESULT: Global<u32> = Global::new(0);

/// The current time window, which all CPUs share. In a race between CPUs, one burst may be reported
/// twice.
#[map]
static WINDOW: Array<Window> = Array::with_max_entries(1, 0);

#[repr(C)]
struct Window {
    begun_ns: u64,
    segments: u64,
    reported: u64,
}

/// Counts the TCP segments in a socket buffer that TCP retransmits.
#[btf_tracepoint(function = "tcp_retransmit_skb")]
fn tcp_retransmit_skb(ctx: BtfTracePointContext) -> i32 {
    // On some kernels the tracepoint has no result argument. On these kernels it fires only if the
    // transmission succeeded, and the verifier does not check the call of `ctx.arg(2)`, which is
    // never reached.
    if RETRANSMIT_HAS_RESULT.load() != 0 && gave_up(ctx.arg(2)) {
        return 0;
    }
    // SAFETY: argument 1 is a `struct sk_buff *`, and `tcp_gso_segs` lies within its `cb`.
    let segments: u16 = unsafe { field::read(ctx.arg(1), &SKB_GSO_SEGS_OFFSET) };
    retransmitted(ctx.arg(0), u64::from(segments));
    0
}

/// Counts a retransmitted answer to a connection request. It is always a single segment.
#[btf_tracepoint(function = "tcp_retransmit_synack")]
fn tcp_retransmit_synack(ctx: BtfTracePointContext) -> i32 {
    retransmitted(ctx.arg(0), 1);
    0
}

/// Counts retransmitted segments. The addition is atomic, because a timer may interrupt a task that
/// is retransmitting on the same CPU.
#[inline(always)]
fn retransmitted(sock: *const u8, segments: u64) {
    let Some(cpu) = Cpu::this() else { return };
    cpu.add_atomic(Slot::Retransmits, segments);
    let cgroup = owner::cgroup_of_sock(cpu, sock);
    let owners = credit_cgroup(cpu, cgroup, [(Slot::Retransmits, segments)]);
    let so_far = completes_burst(segments);
    if so_far != 0 {
        cues::send(cpu, CueKind::RetransmitBurst, &Subject::cgroup(cgroup, owners), so_far as u32);
    }
}

/// Adds `segments` to the current window. Returns the number of segments in the window if they are
/// a burst that was not reported yet, and otherwise 0.
#[inline(always)]
fn completes_burst(segments: u64) -> u64 {
    // SAFETY: this call takes no argument and always succeeds.
    let now_ns = unsafe { bpf_ktime_get_ns() };
    let Some(window) = WINDOW.get_ptr_mut(0) else { return 0 };
    // SAFETY: this is the only element of the map, which lives as long as the program. Races are
    // harmless (see `WINDOW`).
    let window = unsafe { &mut *window };
    if now_ns.wrapping_sub(window.begun_ns) > BURST_WINDOW_NS {
        *window = Window { begun_ns: now_ns, segments: 0, reported: 0 };
    }
    // SAFETY: `segments` is 8 aligned bytes of the element.
    unsafe { add_atomic(&raw mut window.segments, segments) };
    // SAFETY: `segments` is 8 aligned bytes of the element. The value read may include segments
    // that other CPUs added after this CPU.
    let so_far = unsafe { (&raw const window.segments).read_volatile() };
    if so_far < BURST_SEGMENTS || window.reported != 0 {
        return 0;
    }
    window.reported = 1;
    so_far
}

/// Whether the kernel gave up before it sent the segment. The kernel does not count such a segment
/// in `RetransSegs`.
#[inline(always)]
fn gave_up(result: i32) -> bool {
    const EAGAIN: i32 = -11; // the peer's window is closed
    const ENOMEM: i32 = -12; // no memory to split the buffer
    const EBUSY: i32 = -16; // the original is still queued in this host
    const EINVAL: i32 = -22; // nothing left to send
    const EHOSTUNREACH: i32 = -113; // no route any more
    matches!(result, EAGAIN | ENOMEM | EBUSY | EINVAL | EHOSTUNREACH)
}
