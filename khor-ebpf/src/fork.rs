//! `task_newtask`: new processes and threads. Kernel 5.5 and later.
//!
//! Not `sched_process_fork`, which misses io_uring and vhost workers: this one stands beside the kernel's own
//! count of forks, so it agrees with `processes` in /proc/stat.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::Slot;

use crate::counters::Cpu;
use crate::scopes::credit_current;

/// Counts one, for the parent's scopes. Atomic: runs in task context, where newer kernels let another task in
/// between.
#[btf_tracepoint(function = "task_newtask")]
fn task_newtask(_: BtfTracePointContext) -> i32 {
    let Some(cpu) = Cpu::this() else { return 0 };
    cpu.add_atomic(Slot::Forks, 1);
    credit_current::<{ Slot::Forks as usize }>(cpu);
    0
}
