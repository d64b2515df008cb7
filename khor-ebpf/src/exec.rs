//! Counts successful `execve` calls (`sched_process_exec`). Kernel 5.5 and later.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::{CueKind, Slot, Wish};

use crate::counters::Cpu;
use crate::cues::{self, Subject};
use crate::scopes::credit_current;

/// Counts a program start. The addition is atomic, because newer kernels may switch to another task
/// while this BPF program runs.
#[btf_tracepoint(function = "sched_process_exec")]
fn sched_process_exec(_: BtfTracePointContext) -> i32 {
    let Some(cpu) = Cpu::this() else { return 0 };
    cpu.add_atomic(Slot::Execs, 1);
    let owners = credit_current::<{ Slot::Execs as usize }>(cpu);
    if cpu.wish().has(Wish::EXEC_CUES) {
        cues::send(cpu, CueKind::Exec, &Subject::current(owners), 0);
    }
    0
}
