//! Counts events for scopes. None of this code runs while there are no scopes.
//!
//! To find the scopes of a cgroup, a program looks up the cgroup and all its ancestors in the table
//! of scopes. The program stores the result for each cgroup, and reuses it until the table changes.

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_F_MMAPABLE;
use aya_ebpf::helpers::generated::bpf_get_current_cgroup_id;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, LruHashMap};
use khor_layout::{
    MAX_CGROUP_DEPTH, MAX_SCOPES, PLACES, PROBES, Place, ScopeCounters, ScopeTable, Slot, Wish, start,
};

use crate::counters::{Cpu, add_atomic};
use crate::field::{follow, probe};
use crate::owner;

#[unsafe(no_mangle)]
static CPUS: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static CGROUP_LEVEL_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static CGROUP_ANCESTORS_OFFSET: Global<u32> = Global::new(0);
#[unsafe(no_mangle)]
static CGROUP_ANCESTORS_ARE_IDS: Global<u32> = Global::new(0);

/// Two tables of scopes. [`khor_layout::Wish::generation`] chooses the current one.
#[map]
static SCOPES: Array<ScopeTable> = Array::with_max_entries(2, BPF_F_MMAPABLE);

/// The counts of scopes. The collector sets the number of elements to scopes × possible CPUs.
#[map]
static SCOPE_COUNTERS: Array<ScopeCounters> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// A cache of the scopes that select each cgroup, by cgroup id. If the map has dropped an entry,
/// the program computes it again.
#[map]
static VERDICTS: LruHashMap<u64, Verdict> = LruHashMap::with_max_entries(4096, 0);

/// The scopes that include and exclude a cgroup, for one generation of the table.
#[derive(Clone, Copy)]
#[repr(C)]
struct Verdict {
    generation: u64,
    include: u64,
    exclude: u64,
}

/// Adds `amounts` to the counts of all scopes that `cgroup` (a `struct cgroup *`) belongs to. A
/// null pointer belongs to no scope. Returns these scopes, one bit each.
#[inline(always)]
pub fn credit_cgroup<const N: usize>(cpu: Cpu, cgroup: *const u8, amounts: [(Slot, u64); N]) -> u64 {
    let Some(scopes) = cpu.scopes() else { return 0 };
    let owners = scopes.of_cgroup(cgroup);
    scopes.credit(owners, amounts);
    owners
}

/// Adds one to the counts of all scopes that the running task belongs to. `SLOT` is a [`Slot`],
/// converted to a number. Returns these scopes, one bit each.
#[inline(always)]
pub fn credit_current<const SLOT: usize>(cpu: Cpu) -> u64 {
    let wish = cpu.wish();
    if wish.has(Wish::SCOPES) { credit_one::<SLOT>(wish.generation(), cpu.number()) } else { 0 }
}

/// This function is not inlined. Otherwise the program would save and restore more registers at
/// every context switch, even without scopes.
#[inline(never)]
fn credit_one<const SLOT: usize>(generation: u64, cpu: u32) -> u64 {
    let Some(scopes) = Scopes::of(generation, cpu) else { return 0 };
    let owners = scopes.of_current();
    scopes.credit_slots(owners, [(SLOT, 1)]);
    owners
}

/// The table of the current scopes, and the number of the CPU on which the program runs.
#[derive(Clone, Copy)]
pub struct Scopes {
    table: *const ScopeTable,
    generation: u64,
    cpu: u32,
}

impl Scopes {
    /// The scopes in the table of this generation. `cpu` is the number of the current CPU.
    #[inline(always)]
    pub fn of(generation: u64, cpu: u32) -> Option<Self> {
        Some(Self { table: SCOPES.get_ptr((generation & 1) as u32)?, generation, cpu })
    }

    /// The scopes that count the activity of the running task, one bit each.
    #[inline(always)]
    pub fn of_current(self) -> u64 {
        // SAFETY: this call takes no argument and always succeeds.
        let id = unsafe { bpf_get_current_cgroup_id() };
        self.of_task(id, owner::cgroup_of_current(), owner::current_process())
    }

    /// The scopes that count the activity of process number `process` in `cgroup`, one bit each.
    #[inline(always)]
    pub fn of_task(self, cgroup_id: u64, cgroup: *const u8, process: u32) -> u64 {
        let cgroup = self.verdict(cgroup_id, cgroup);
        let table = self.table();
        let process = find(&table.processes, table.salt, u64::from(process));
        (table.include_all | cgroup.include | process.include) & !(cgroup.exclude | process.exclude)
    }

    /// The scopes that count an event in `cgroup` whose process is unknown, one bit each. If
    /// `cgroup` is null because it is unknown, no scope counts the event, not even a scope that
    /// only has exclusions.
    #[inline(always)]
    pub fn of_cgroup(self, cgroup: *const u8) -> u64 {
        let id = owner::cgroup_id(cgroup);
        if id == 0 {
            return 0;
        }
        let cgroup = self.verdict(id, cgroup);
        let table = self.table();
        (table.include_all | cgroup.include) & !(cgroup.exclude | table.name_processes)
    }

    /// Adds each of `amounts` to the counts of every scope in `scopes`.
    #[inline(always)]
    pub fn credit<const N: usize>(self, scopes: u64, amounts: [(Slot, u64); N]) {
        self.credit_slots(scopes, amounts.map(|(slot, amount)| (slot as usize, amount)));
    }

    #[inline(always)]
    fn credit_slots<const N: usize>(self, mut scopes: u64, amounts: [(usize, u64); N]) {
        for _ in 0..MAX_SCOPES {
            if scopes == 0 {
                return;
            }
            let element = scopes.trailing_zeros() * CPUS.load() + self.cpu;
            if let Some(counters) = SCOPE_COUNTERS.get_ptr_mut(element) {
                for (slot, amount) in amounts {
                    // SAFETY: a slot is always within the element, which lives as long as the
                    // program.
                    unsafe { add_atomic(&raw mut (*counters).slots[slot], amount) };
                }
            }
            scopes &= scopes - 1;
        }
    }

    #[inline(always)]
    fn table(&self) -> &ScopeTable {
        // SAFETY: the table lives as long as the program. The collector writes only to the other
        // table.
        unsafe { &*self.table }
    }

    #[inline(always)]
    fn verdict(self, id: u64, cgroup: *const u8) -> Verdict {
        // SAFETY: the verdict is copied immediately. During the copy the kernel may reuse the
        // element for another cgroup, and one event may then count for the wrong scopes. This map
        // type has no lock that prevents this.
        if let Some(verdict) = unsafe { VERDICTS.get(id) } {
            if verdict.generation == self.generation {
                return *verdict;
            }
        }
        let verdict = self.judge(cgroup);
        let _ = VERDICTS.insert(id, verdict, 0); // without room, the next event computes it again
        verdict
    }

    /// Finds the scopes of a cgroup by looking up the cgroup and its ancestors.
    #[inline(always)]
    fn judge(self, cgroup: *const u8) -> Verdict {
        let level: u32 = probe(cgroup, &CGROUP_LEVEL_OFFSET);
        let table = self.table();
        let mut verdict = Verdict { generation: self.generation, include: 0, exclude: 0 };
        for depth in 0..=MAX_CGROUP_DEPTH {
            if depth > level {
                break;
            }
            let place = find(&table.cgroups, table.salt, ancestor(cgroup, depth));
            verdict.include |= place.include;
            verdict.exclude |= place.exclude;
        }
        verdict
    }
}

/// Id of the ancestor of `cgroup` at `depth`. If `cgroup` has this depth, returns its own id.
#[inline(always)]
fn ancestor(cgroup: *const u8, depth: u32) -> u64 {
    let entry = cgroup.wrapping_add(8 * depth as usize); // both kinds of entries have 8 bytes
    if CGROUP_ANCESTORS_ARE_IDS.load() != 0 {
        return probe(entry, &CGROUP_ANCESTORS_OFFSET);
    }
    owner::cgroup_id(follow(entry, &CGROUP_ANCESTORS_OFFSET))
}

#[inline(always)]
fn find(places: &[Place; PLACES], salt: u64, id: u64) -> Place {
    let start = start(id, salt);
    for probe in 0..PROBES {
        let place = places[(start + probe) & (PLACES - 1)];
        if place.id == id && id != 0 {
            return place;
        }
    }
    Place { id: 0, include: 0, exclude: 0 }
}
