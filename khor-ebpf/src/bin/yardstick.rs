//! Minimal programs for the benchmark `cargo xtask bench collector`. It compares khor's programs
//! with these programs at the same hook.
//!
//! The benchmark's programs are in a separate object, so that the shipped object contains no part
//! of them.
#![no_std]
#![no_main]

use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::{Array, PerCpuArray};
use aya_ebpf::programs::BtfTracePointContext;

/// A count on its own cache line, so that CPUs do not delay each other.
#[repr(C, align(64))]
struct Count {
    value: u64,
}

/// A map of the same type as khor's counters. The loader sets the number of elements to the number
/// of possible CPUs.
#[map]
static COUNTS: Array<Count> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// A per-CPU array: the usual map type for counters, but user space cannot map it into memory.
#[map]
static PER_CPU_COUNT: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// Does nothing, to measure the cost of the hook and of the kernel's time-keeping.
#[btf_tracepoint(function = "sched_switch")]
fn empty(_: BtfTracePointContext) -> i32 {
    0
}

/// Looks up an element in a memory-mapped array, as khor's programs do, and adds one to it.
#[btf_tracepoint(function = "sched_switch")]
fn increment(_: BtfTracePointContext) -> i32 {
    // SAFETY: this call takes no argument and always succeeds.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    if let Some(count) = COUNTS.get_ptr_mut(cpu) {
        // SAFETY: this is the current CPU's element. The hook runs with interrupts off, so no other
        // code writes to it.
        unsafe { (*count).value += 1 };
    }
    0
}

/// Looks up an element in a per-CPU array, and adds one to it.
#[btf_tracepoint(function = "sched_switch")]
fn increment_percpu(_: BtfTracePointContext) -> i32 {
    if let Some(count) = PER_CPU_COUNT.get_ptr_mut(0) {
        // SAFETY: this is the current CPU's element. The hook runs with interrupts off, so no other
        // code writes to it.
        unsafe { *count += 1 };
    }
    0
}

#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// Never called, because the programs cannot panic. Rust requires a panic handler.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
