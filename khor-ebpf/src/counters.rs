//! The per-CPU counters, and the two ways to add to them.
//!
//! A plain array with one cache-line-aligned element per CPU, rather than a per-CPU array: only the former can
//! be memory-mapped, which makes sampling free. The JIT inlines the lookup.

use core::arch::asm;

use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use khor_layout::{CpuCounters, Slot};

/// The collector sets the number of elements to that of possible CPUs.
#[map]
static COUNTERS: Array<CpuCounters> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// Adds with plain stores, for tracepoints that cannot interrupt themselves on one CPU.
#[inline(always)]
pub fn add<const N: usize>(amounts: [(Slot, u64); N]) {
    let Some(counters) = counters() else { return };
    for (slot, amount) in amounts {
        // SAFETY: a slot is always within this CPU's element, which lives as long as the program. The collector
        // reads it concurrently, but an aligned 8-byte store never tears.
        unsafe { *counters.add(slot as usize) += amount };
    }
}

/// Adds atomically, for tracepoints in code that an interrupt or another task on this CPU may enter meanwhile.
#[inline(always)]
pub fn add_atomic(slot: Slot, amount: u64) {
    let Some(counters) = counters() else { return };
    // In assembly because `AtomicU64` has no `fetch_add` on this target, and because this instruction, unlike
    // one that also returns the old value, exists on 5.10.
    // SAFETY: as in `add`; the slot is aligned to 8 bytes.
    unsafe {
        let counter = counters.add(slot as usize);
        asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) counter, in(reg) amount, options(nostack));
    }
}

#[inline(always)]
fn counters() -> Option<*mut u64> {
    // SAFETY: takes nothing and always succeeds.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    Some(COUNTERS.get_ptr_mut(cpu)?.cast())
}
