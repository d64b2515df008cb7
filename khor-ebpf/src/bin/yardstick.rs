//! What khor's programs are measured against, at the same hooks; `cargo xtask bench collector` loads it.
//!
//! An object of its own, so that nothing of it can get into the one that is shipped.
#![no_std]
#![no_main]

use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::macros::{btf_tracepoint, map};
use aya_ebpf::maps::{Array, PerCpuArray};
use aya_ebpf::programs::BtfTracePointContext;

/// One count on a cache line of its own, so that CPUs do not disturb each other.
#[repr(C, align(64))]
struct Count {
    value: u64,
}

/// The same kind of map as khor's; the loader sets the number of elements to that of possible CPUs.
#[map]
static COUNTS: Array<Count> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// The map that a counting program takes when nobody wants to map it into memory.
#[map]
static PER_CPU_COUNT: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// Does nothing: what is left is the hook and the kernel's own time-keeping.
#[btf_tracepoint(function = "sched_switch")]
fn empty(_: BtfTracePointContext) -> i32 {
    0
}

/// One lookup in the same kind of map, one add.
#[btf_tracepoint(function = "sched_switch")]
fn increment(_: BtfTracePointContext) -> i32 {
    // SAFETY: takes nothing and always succeeds.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    if let Some(count) = COUNTS.get_ptr_mut(cpu) {
        // SAFETY: this CPU's element; the hook runs with interrupts off, so nobody else writes to it.
        unsafe { (*count).value += 1 };
    }
    0
}

/// One lookup in a per-CPU array, one add.
#[btf_tracepoint(function = "sched_switch")]
fn increment_percpu(_: BtfTracePointContext) -> i32 {
    if let Some(count) = PER_CPU_COUNT.get_ptr_mut(0) {
        // SAFETY: as above.
        unsafe { *count += 1 };
    }
    0
}

#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// Never called: nothing here panics, yet the language wants a handler.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
