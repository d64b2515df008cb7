//! The per-CPU counters, and the two ways to add to them.
//!
//! A plain array with one cache-line-aligned element per CPU, rather than a per-CPU array: only the former can
//! be memory-mapped, which makes sampling free. The JIT inlines the lookup.

use core::arch::asm;

use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::macros::map;
use aya_ebpf::maps::Array;
use khor_layout::{CpuCounters, CueKind, Slot, Wish};

use crate::scopes::Scopes;

/// The collector sets the number of elements to that of possible CPUs.
#[map]
static COUNTERS: Array<CpuCounters> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// The CPU the program runs on, with its counters.
#[derive(Clone, Copy)]
pub struct Cpu {
    counters: *mut CpuCounters,
    number: u32,
}

impl Cpu {
    /// This CPU; always there, but the verifier wants to be told what if not.
    #[inline(always)]
    pub fn this() -> Option<Self> {
        // SAFETY: takes nothing and always succeeds.
        let number = unsafe { bpf_get_smp_processor_id() };
        Some(Self { counters: COUNTERS.get_ptr_mut(number)?, number })
    }

    /// Adds with a plain store, for tracepoints whose program never runs twice at once on one CPU.
    #[inline(always)]
    pub fn add(self, slot: Slot, amount: u64) {
        // SAFETY: this CPU's element lives as long as the program. The collector reads it concurrently, but an
        // aligned 8-byte store never tears.
        unsafe { (*self.counters).slots[slot as usize] += amount };
    }

    /// Adds atomically, for tracepoints in code that an interrupt or another task on this CPU may enter meanwhile.
    #[inline(always)]
    pub fn add_atomic(self, slot: Slot, amount: u64) {
        // SAFETY: as in `add`.
        unsafe { add_atomic(&raw mut (*self.counters).slots[slot as usize], amount) };
    }

    /// Counts a cue that had to be dropped.
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

    /// What the collector asks for now.
    #[inline(always)]
    pub fn wish(self) -> Wish {
        // SAFETY: as in `add`; the collector stores the word whole.
        Wish(unsafe { (&raw const (*self.counters).wish).read_volatile() })
    }

    /// Its number.
    #[inline(always)]
    pub fn number(self) -> u32 {
        self.number
    }

    /// The scopes, if there are any.
    #[inline(always)]
    pub fn scopes(self) -> Option<Scopes> {
        let wish = self.wish();
        if wish.has(Wish::SCOPES) { Scopes::of(wish.generation(), self.number) } else { None }
    }
}

/// Adds `amount` atomically.
///
/// In assembly because `AtomicU64` has no `fetch_add` on this target, and because this instruction, unlike one that
/// also returns the old value, exists on 5.10.
///
/// # Safety
/// `counter` must point to 8 aligned bytes of a map element.
#[inline(always)]
pub unsafe fn add_atomic(counter: *mut u64, amount: u64) {
    // SAFETY: by the contract above.
    unsafe { asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) counter, in(reg) amount, options(nostack)) };
}
