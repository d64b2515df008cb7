//! Counts context switches (`sched_switch`), the most frequent of all tracepoints. Kernel 5.5 and
//! later.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::Slot;

use crate::counters::Cpu;
use crate::scopes::credit_current;

/// Counts a context switch, for the machine and for the scopes of the task that stops running. When
/// the tracepoint fires, this task is still the current one. A plain addition is exact, because
/// interrupts are off and the run queue is locked.
#[btf_tracepoint(function = "sched_switch")]
fn sched_switch(_: BtfTracePointContext) -> i32 {
    let Some(cpu) = Cpu::this() else { return 0 };
    cpu.add(Slot::Switches, 1);
    credit_current::<{ Slot::Switches as usize }>(cpu);
    0
}
