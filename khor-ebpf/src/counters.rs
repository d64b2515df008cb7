//! The counters of each CPU, and functions that add to them with or without atomic instructions.
//!
//! `COUNTERS` is a plain array with one element for each CPU, not a BPF per-CPU array. Only a plain
//! array can be mapped into the collector's memory, so that the collector reads it without system
//! calls. Elements are aligned to cache lines. The JIT compiler inlines the lookup of an element.

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

/// The CPU on which the program runs, and the counters of this CPU.
#[derive(Clone, Copy)]
pub struct Cpu {
    counters: *mut CpuCounters,
    number: u32,
}

impl Cpu {
    /// Returns the current CPU. This never fails, but the verifier requires that programs handle a
    /// missing element.
    #[inline(always)]
    pub fn this() -> Option<Self> {
        // SAFETY: this call takes no argument and always succeeds.
        let number = unsafe { bpf_get_smp_processor_id() };
        Some(Self { counters: COUNTERS.get_ptr_mut(number)?, number })
    }

    /// Adds without an atomic instruction. Use this only if no second run of the program can
    /// interrupt the first one on the same CPU.
    #[inline(always)]
    pub fn add(self, slot: Slot, amount: u64) {
        // SAFETY: this CPU's element lives as long as the program. The collector may read it at the
        // same time, but never sees a partly written word, because the word is aligned.
        unsafe { (*self.counters).slots[slot as usize] += amount };
    }

    /// Adds atomically. Use this if an interrupt or another task may run the same program on this
    /// CPU in the meantime.
    #[inline(always)]
    pub fn add_atomic(self, slot: Slot, amount: u64) {
        // SAFETY: this CPU's element lives as long as the program, and the addition is atomic.
        unsafe { add_atomic(&raw mut (*self.counters).slots[slot as usize], amount) };
    }

    /// Counts a dropped cue.
    #[inline(always)]
    pub fn lose(self, kind: CueKind) {
        // SAFETY: this CPU's element lives as long as the program, and the addition is atomic.
        unsafe { add_atomic(&raw mut (*self.counters).lost[kind as usize], 1) };
    }

    /// Counts an event whose socket has a class id or priority instead of its cgroup.
    #[inline(always)]
    pub fn note_tagged_socket(self) {
        // SAFETY: this CPU's element lives as long as the program, and the addition is atomic.
        unsafe { add_atomic(&raw mut (*self.counters).tagged_sockets, 1) };
    }

    /// The collector's current request.
    #[inline(always)]
    pub fn wish(self) -> Wish {
        // SAFETY: this CPU's element lives as long as the program. The collector stores the whole
        // word at once.
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
/// This function uses assembly, because `AtomicU64` has no `fetch_add` on this target. `fetch_add`
/// needs an instruction that returns the old value, which Linux 5.10 lacks.
///
/// # Safety
/// `counter` must point to 8 aligned bytes of a map element.
#[inline(always)]
pub unsafe fn add_atomic(counter: *mut u64, amount: u64) {
    // SAFETY: the caller guarantees the requirements above.
    unsafe { asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) counter, in(reg) amount, options(nostack)) };
}
