//! Sends cues for processes that the kernel kills (`mark_victim`) and for processes that crash
//! (`signal_deliver`). Kernel 5.5 and later.

use aya_ebpf::Global;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::CueKind;

use crate::counters::Cpu;
use crate::cues::{self, Subject};
use crate::{field, owner};

#[unsafe(no_mangle)]
static TASK_TGID_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static TASK_COMM_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static SIGACTION_HANDLER_OFFSET: Global<u32> = Global::new(0);

/// Sends a cue for a process that is killed because memory ran out (since Linux 6.8). The argument
/// is the killed process. The running task is the one that needed memory.
#[btf_tracepoint(function = "mark_victim")]
fn mark_victim(ctx: BtfTracePointContext) -> i32 {
    let Some(cpu) = Cpu::this() else { return 0 };
    let task: *const u8 = ctx.arg(0);
    // SAFETY: argument 0 is a `struct task_struct *`.
    let process = unsafe { field::read(task, &TASK_TGID_OFFSET) };
    let cgroup = owner::cgroup_of_task(task);
    let cgroup_id = owner::cgroup_id(cgroup);
    let subject = Subject {
        process,
        cgroup_id,
        // SAFETY: argument 0 is a `struct task_struct *`, in which the name is an array of bytes.
        comm: unsafe { field::read(task, &TASK_COMM_OFFSET) },
        scopes: cpu.scopes().map_or(0, |scopes| scopes.of_task(cgroup_id, cgroup, process)),
    };
    cues::send(cpu, CueKind::Oom, &subject, 0);
    0
}

/// Like [`mark_victim`], for kernels before 6.8, where the argument is only the number of the
/// killed process. Often the killed process is the running task, because it used up the memory of
/// its cgroup. If it is not, the collector reads the name from /proc, which fails if the process
/// has already disappeared.
#[btf_tracepoint(function = "mark_victim")]
fn mark_victim_number(ctx: BtfTracePointContext) -> i32 {
    let Some(cpu) = Cpu::this() else { return 0 };
    let process: u32 = ctx.arg(0);
    let subject = if process == owner::current_process() {
        Subject::current(cpu.scopes().map_or(0, |scopes| scopes.of_current()))
    } else {
        Subject { process, cgroup_id: 0, comm: [0; 16], scopes: 0 }
    };
    cues::send(cpu, CueKind::Oom, &subject, 0);
    0
}

/// Sends a cue for a process that a signal ends with a core dump (signal(7)). The process has no
/// handler for this signal.
#[btf_tracepoint(function = "signal_deliver")]
fn signal_deliver(ctx: BtfTracePointContext) -> i32 {
    const SIG_DFL: u64 = 0;
    let signal: u32 = ctx.arg(0);
    if !dumps_core(signal) {
        return 0;
    }
    // SAFETY: argument 2 is a `struct k_sigaction *`, in which the handler is a pointer.
    let handler: u64 = unsafe { field::read(ctx.arg(2), &SIGACTION_HANDLER_OFFSET) };
    if handler == SIG_DFL && let Some(cpu) = Cpu::this() {
        let owners = cpu.scopes().map_or(0, |scopes| scopes.of_current());
        cues::send(cpu, CueKind::Crash, &Subject::current(owners), signal);
    }
    0
}

#[inline(always)]
fn dumps_core(signal: u32) -> bool {
    // SIGQUIT, ILL, TRAP, ABRT, BUS, FPE, SEGV, XCPU, XFSZ and SYS have the same numbers on x86-64
    // and arm64.
    const SIGNALS: u64 =
        1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 11 | 1 << 24 | 1 << 25 | 1 << 31;
    signal < u64::BITS && SIGNALS >> signal & 1 == 1
}
