//! Reads the counters of the in-kernel programs, and writes the collector's requests to these
//! programs. Both use shared memory, so they need no system calls.

use std::{io, mem::offset_of, os::fd::BorrowedFd};

use khor_layout::{CpuCounters, CueKind, MAX_SCOPES, ScopeCounters, ScopeTable, Slot, Wish};
use nix::sys::mman::ProtFlags;
use parking_lot::{Mutex, MutexGuard};

use super::mapping::Mapping;
use crate::clock::monotonic_ns;

const WISH: usize = offset_of!(CpuCounters, wish) / size_of::<u64>();
const TAGGED_SOCKETS: usize = offset_of!(CpuCounters, tagged_sockets) / size_of::<u64>();
const LOST: usize = offset_of!(CpuCounters, lost) / size_of::<u64>();

/// Slots for events that occur often on every running CPU. On CPUs without counts so far, each
/// reading checks these slots. So if such a CPU comes online or wakes up, the next reading includes
/// it.
const ACTIVITY_SLOTS: [Slot; 3] = [Slot::Switches, Slot::Irqs, Slot::Softirqs];
/// Time between two full checks of the CPUs without counts, in nanoseconds. A full check reads all
/// slots.
const FULL_CHECK_NS: u64 = 1_000_000_000;

/// The mapped arrays of counters, and the tables of scopes.
#[derive(Debug)]
pub(super) struct Counters {
    cpus: usize,
    elements: Mutex<Elements>,
    machine: Mapping<CpuCounters>,
    scopes: Mapping<ScopeCounters>,
    tables: Mapping<ScopeTable>,
}

/// The indices of the CPUs with counts (`counted`) and without counts (`empty`). Readings skip the
/// empty ones, because a kernel may reserve elements for hundreds of CPUs that never come online. A
/// CPU that goes offline keeps its counts.
#[derive(Debug)]
struct Elements {
    counted: Vec<usize>,
    empty: Vec<usize>,
    checked_ns: Option<u64>,
}

/// The arrays' descriptors.
pub(super) struct Arrays<'a> {
    pub(super) machine: BorrowedFd<'a>,
    pub(super) scopes: BorrowedFd<'a>,
    pub(super) tables: BorrowedFd<'a>,
}

/// Counts, summed over all CPUs and indexed by [`Slot`].
pub(crate) type Counts = [u64; Slot::COUNT];

impl Counters {
    /// Maps `arrays`, which have elements for `cpus` CPUs. `idle_cpus_are_empty` means that a CPU
    /// without counts for the machine has no counts for scopes either, so readings may skip it.
    pub(super) fn map(arrays: &Arrays<'_>, cpus: usize, idle_cpus_are_empty: bool) -> io::Result<Self> {
        let (empty, counted) = (0..cpus).partition(|_| idle_cpus_are_empty);
        let write = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        Ok(Self {
            cpus,
            elements: Mutex::new(Elements { counted, empty, checked_ns: None }),
            machine: Mapping::map(arrays.machine, cpus, write)?,
            scopes: Mapping::map(arrays.scopes, MAX_SCOPES * cpus, ProtFlags::PROT_READ)?,
            tables: Mapping::map(arrays.tables, 2, write)?,
        })
    }

    /// The whole machine's counts.
    pub(super) fn machine(&self) -> Counts {
        let elements = self.elements(monotonic_ns());
        std::array::from_fn(|slot| elements.sum(|cpu| self.machine.load(cpu, slot)))
    }

    /// The counts of scope number `scope`. Only differences are meaningful, because the counts
    /// start at an arbitrary value.
    pub(super) fn scope(&self, scope: usize) -> Counts {
        let elements = self.elements(monotonic_ns());
        std::array::from_fn(|slot| elements.sum(|cpu| self.scopes.load(scope * self.cpus + cpu, slot)))
    }

    /// Number of cues of this kind that the kernel has dropped.
    pub(super) fn lost(&self, kind: CueKind) -> u64 {
        self.elements(monotonic_ns()).sum(|cpu| self.machine.load(cpu, LOST + kind as usize))
    }

    /// Number of events whose socket had a class id or priority instead of a cgroup.
    pub(super) fn tagged_sockets(&self) -> u64 {
        self.elements(monotonic_ns()).sum(|cpu| self.machine.load(cpu, TAGGED_SOCKETS))
    }

    /// Publishes a new request to the programs. The request also selects the table of scopes that
    /// they use.
    pub(super) fn publish(&self, wish: Wish) {
        for cpu in 0..self.cpus {
            self.machine.store(cpu, WISH, wish.0);
        }
    }

    /// Makes the next reading check all slots of the CPUs without counts. A new scope may get the
    /// number of an earlier scope. Without this check, counts of the earlier scope on such a CPU
    /// could later be added to the new scope.
    pub(super) fn recheck_empty_cpus(&self) {
        self.elements.lock().checked_ns = None;
    }

    /// Writes the table that the next call of [`publish`](Self::publish) makes current.
    pub(super) fn write_table(&self, generation: u64, table: &ScopeTable) {
        self.tables.replace((generation & 1) as usize, table);
    }

    /// Finds CPUs that have begun to count since the last call, and returns all CPUs with counts.
    /// `now_ns` is the time of `CLOCK_MONOTONIC`.
    fn elements(&self, now_ns: u64) -> MutexGuard<'_, Elements> {
        let mut elements = self.elements.lock();
        let is_due = elements.checked_ns.is_none_or(|checked_ns| now_ns >= checked_ns + FULL_CHECK_NS);
        let has_counted = |slot: usize, cpu: usize| self.machine.load(cpu, slot) != 0;
        let runs = |cpu: &usize| {
            ACTIVITY_SLOTS.iter().any(|slot| has_counted(*slot as usize, *cpu))
                || is_due && (0..Slot::COUNT).any(|slot| has_counted(slot, *cpu))
        };
        let Elements { counted, empty, .. } = &mut *elements;
        counted.extend(empty.extract_if(.., |cpu| runs(cpu)));
        if is_due {
            elements.checked_ns = Some(now_ns);
        }
        elements
    }
}

impl Elements {
    fn sum(&self, count: impl Fn(usize) -> u64) -> u64 {
        self.counted.iter().map(|cpu| count(*cpu)).fold(0, u64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, os::fd::AsFd};

    use super::*;

    const CPUS: usize = 320;

    /// A temporary file that stands for a BPF array with `elements` elements.
    fn array<T>(elements: usize) -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len((elements * size_of::<T>()) as u64).unwrap();
        file
    }

    /// Counters in temporary files, and two mappings through which the test writes counts.
    fn counters(idle_cpus_are_empty: bool) -> (Counters, Mapping<CpuCounters>, Mapping<ScopeCounters>) {
        let machine = array::<CpuCounters>(CPUS);
        let scopes = array::<ScopeCounters>(MAX_SCOPES * CPUS);
        let tables = array::<ScopeTable>(2);
        let arrays = Arrays { machine: machine.as_fd(), scopes: scopes.as_fd(), tables: tables.as_fd() };
        let counters = Counters::map(&arrays, CPUS, idle_cpus_are_empty).unwrap();
        let write = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let kernel = Mapping::map(machine.as_fd(), CPUS, write).unwrap();
        let kernel_scopes = Mapping::map(scopes.as_fd(), MAX_SCOPES * CPUS, write).unwrap();
        (counters, kernel, kernel_scopes)
    }

    #[test]
    fn new_cpu_adds_its_earlier_counts() {
        const SLOT: usize = Slot::Switches as usize;
        let (counters, kernel, kernel_scopes) = counters(true);
        let sum = |now_ns: u64| counters.elements(now_ns).sum(|cpu| kernel.load(cpu, SLOT));
        kernel.store(3, SLOT, 10);
        assert_eq!((sum(0), counters.elements(0).counted.len()), (10, 1));
        kernel.store(319, SLOT, 5);
        kernel_scopes.store(CPUS + 319, SLOT, 4); // scope 1
        assert_eq!((sum(1), counters.elements(1).counted.len()), (15, 2));
        kernel.store(7, Slot::TxBytes as usize, 1);
        assert_eq!(counters.elements(FULL_CHECK_NS - 1).counted.len(), 2, "no activity slot has a count yet");
        assert_eq!(counters.elements(FULL_CHECK_NS).counted.len(), 3);
        // A CPU that goes offline keeps its counts, because its array element is never removed.
        assert_eq!(sum(100 * FULL_CHECK_NS), 15);
        assert_eq!((counters.machine()[SLOT], counters.scope(1)[SLOT]), (15, 4));
    }

    #[test]
    fn all_cpus_are_added_without_switch_counts() {
        let (counters, _, kernel_scopes) = counters(false);
        kernel_scopes.store(7, Slot::RxBytes as usize, 9);
        assert_eq!(counters.scope(0)[Slot::RxBytes as usize], 9);
    }
}
