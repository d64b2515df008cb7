//! Counts new processes and threads (`task_newtask`). Kernel 5.5 and later.
//!
//! `sched_process_fork` would not count io_uring and vhost workers. `task_newtask` fires where the
//! kernel itself counts forks, so khor's count agrees with `processes` in /proc/stat.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::Slot;

use crate::counters::Cpu;
use crate::scopes::credit_current;

/// Counts a new task, for the machine and for the scopes of the task's parent. The addition is
/// atomic, because newer kernels may switch to another task while this BPF program runs.
#[btf_tracepoint(function = "task_newtask")]
fn task_newtask(_: BtfTracePointContext) -> i32 {
    let Some(cpu) = Cpu::this() else { return 0 };
    cpu.add_atomic(Slot::Forks, 1);
    credit_current::<{ Slot::Forks as usize }>(cpu);
    0
}
