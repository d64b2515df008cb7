//! `sched_process_exec`: successful `execve` calls. Kernel 5.5 and later.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::Slot;

use crate::counters::add_atomic;

/// Counts one. Atomic: runs in task context, where newer kernels let another task in between.
#[btf_tracepoint(function = "sched_process_exec")]
fn sched_process_exec(_: BtfTracePointContext) -> i32 {
    add_atomic(Slot::Execs, 1);
    0
}
