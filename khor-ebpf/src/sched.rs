//! `sched_switch`: context switches, the hottest tracepoint of all. Kernel 5.5 and later.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::Slot;

use crate::counters::add;

/// Counts one. Plain: runs with interrupts off, under the run queue's lock.
#[btf_tracepoint(function = "sched_switch")]
fn sched_switch(_: BtfTracePointContext) -> i32 {
    add([(Slot::Switches, 1)]);
    0
}
