//! Counts device interrupts (`irq_handler_entry`) and soft interrupts (`softirq_entry`). Kernel 5.5
//! and later.
//!
//! An interrupt has no owner, so no scope counts it.

use aya_ebpf::Global;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use khor_layout::Slot;

use crate::counters::Cpu;
use crate::field;

#[unsafe(no_mangle)]
static IRQACTION_NEXT_OFFSET: Global<u32> = Global::new(0);

/// Counts a device interrupt. A plain addition is exact, because handlers of hard interrupts run
/// with interrupts off. On PREEMPT_RT most handlers run in threads, but the tracepoint still fires
/// in the hard interrupt.
///
/// Several handlers may share an interrupt line. The tracepoint fires for each of them, but
/// /proc/stat counts the interrupt once. So the program counts only calls for the last handler.
#[btf_tracepoint(function = "irq_handler_entry")]
fn irq_handler_entry(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: argument 1 is a `struct irqaction *`, whose `next` is a pointer.
    let next: *const u8 = unsafe { field::read(ctx.arg(1), &IRQACTION_NEXT_OFFSET) };
    if next.is_null() && let Some(cpu) = Cpu::this() {
        cpu.add(Slot::Irqs, 1);
    }
    0
}

/// Counts a soft interrupt, at the place where the kernel counts it for /proc/softirqs. A plain
/// addition is exact, because soft interrupts do not nest on a CPU. On `PREEMPT_RT` a task can
/// preempt this BPF program. If the task triggers the same program, the kernel skips that run and
/// counts it in `recursion_misses`. The collector reports the skipped runs as `missed_events`.
#[btf_tracepoint(function = "softirq_entry")]
fn softirq_entry(_: BtfTracePointContext) -> i32 {
    if let Some(cpu) = Cpu::this() {
        cpu.add(Slot::Softirqs, 1);
    }
    0
}
