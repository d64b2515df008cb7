//! The per-CPU counters, with a plain and an atomic way to add to them.
//!
//! The map is a plain array with one cache-line-aligned element for each CPU, not a per-CPU array.
//! Only a plain array can be mapped into the collector's memory, which then samples without system
//! calls. The JIT compiler inlines the lookup.

use core::arch::asm;

use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use khor_layout::{CpuCounters, CueKind, Slot, Wish};

use crate::scopes::Scopes;

/// The counters, one element for each possible CPU. The collector sets the number of elements.
#[map]
static COUNTERS: Array<CpuCounters> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// The CPU on which the program runs, with its counters.
#[derive(Clone, Copy)]
pub struct Cpu {
    counters: *mut CpuCounters,
    number: u32,
}

impl Cpu {
    /// The current CPU. It always exists, but the verifier requires that programs handle a missing
    /// element.
    #[inline(always)]
    pub fn this() -> Option<Self> {
        // SAFETY: this call takes no argument and always succeeds.
        let number = unsafe { bpf_get_smp_processor_id() };
        Some(Self { counters: COUNTERS.get_ptr_mut(number)?, number })
    }

    /// Adds with a plain store. Use it only if the program cannot be interrupted by itself on the
    /// same CPU.
    #[inline(always)]
    pub fn add(self, slot: Slot, amount: u64) {
        // SAFETY: this CPU's element lives as long as the program. The collector reads it at the
        // same time, but an aligned 8-byte store is never partly visible.
        unsafe { (*self.counters).slots[slot as usize] += amount };
    }

    /// Adds atomically. Use it if an interrupt or another task may run the program on the same CPU
    /// meanwhile.
    #[inline(always)]
    pub fn add_atomic(self, slot: Slot, amount: u64) {
        // SAFETY: as in `add`.
        unsafe { add_atomic(&raw mut (*self.counters).slots[slot as usize], amount) };
    }

    /// Counts a dropped cue.
    #[inline(always)]
    pub fn lose(self, kind: CueKind) {
        // SAFETY: as in `add`.
        unsafe { add_atomic(&raw mut (*self.counters).lost[kind as usize], 1) };
    }

    /// Counts an event of a socket that carries a class id or priority in place of its cgroup.
    #[inline(always)]
    pub fn note_tagged_socket(self) {
        // SAFETY: as in `add`.
        unsafe { add_atomic(&raw mut (*self.counters).tagged_sockets, 1) };
    }

    /// The collector's current request.
    #[inline(always)]
    pub fn wish(self) -> Wish {
        // SAFETY: as in `add`. The collector stores the whole word at once.
        Wish(unsafe { (&raw const (*self.counters).wish).read_volatile() })
    }

    /// Number of the CPU.
    #[inline(always)]
    pub fn number(self) -> u32 {
        self.number
    }

    /// The current scopes; `None` if there are none.
    #[inline(always)]
    pub fn scopes(self) -> Option<Scopes> {
        let wish = self.wish();
        if wish.has(Wish::SCOPES) { Scopes::of(wish.generation(), self.number) } else { None }
    }
}

/// Adds `amount` atomically.
///
/// It is assembly because `AtomicU64` has no `fetch_add` on this target. An instruction that also
/// returns the old value would not exist on 5.10.
///
/// # Safety
/// `counter` must point to 8 aligned bytes of a map element.
#[inline(always)]
pub unsafe fn add_atomic(counter: *mut u64, amount: u64) {
    // SAFETY: the caller guarantees the requirements above.
    unsafe { asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) counter, in(reg) amount, options(nostack)) };
}
