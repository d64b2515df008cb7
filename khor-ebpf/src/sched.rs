//! `sched_switch`: context switches, the hottest tracepoint of all. Kernel 5.5 and later.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::Slot;

use crate::counters::Cpu;
use crate::scopes::credit_current;

/// Counts one, for the scopes of the task that leaves, which is still the running one. Plain: runs with interrupts
/// off, under the run queue's lock.
#[btf_tracepoint(function = "sched_switch")]
fn sched_switch(_: BtfTracePointContext) -> i32 {
    let Some(cpu) = Cpu::this() else { return 0 };
    cpu.add(Slot::Switches, 1);
    credit_current::<{ Slot::Switches as usize }>(cpu);
    0
}
