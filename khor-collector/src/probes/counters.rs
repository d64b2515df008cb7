//! The counters, and what the programs are asked to do: memory shared with the kernel, read without a system call.

use std::io;
use std::mem::offset_of;
use std::os::fd::BorrowedFd;

use khor_layout::{CpuCounters, CueKind, MAX_SCOPES, ScopeCounters, ScopeTable, Slot, Wish};
use nix::sys::mman::ProtFlags;

use super::mapping::Mapping;

const WISH: usize = offset_of!(CpuCounters, wish) / size_of::<u64>();
const TAGGED_SOCKETS: usize = offset_of!(CpuCounters, tagged_sockets) / size_of::<u64>();
const LOST: usize = offset_of!(CpuCounters, lost) / size_of::<u64>();

/// The mapped arrays.
#[derive(Debug)]
pub(super) struct Counters {
    cpus: usize,
    machine: Mapping<CpuCounters>,
    scopes: Mapping<ScopeCounters>,
    tables: Mapping<ScopeTable>,
}

/// The arrays' descriptors.
pub(super) struct Arrays<'a> {
    pub(super) machine: BorrowedFd<'a>,
    pub(super) scopes: BorrowedFd<'a>,
    pub(super) tables: BorrowedFd<'a>,
}

/// The counts of all CPUs together, indexed by [`Slot`].
pub(crate) type Counts = [u64; Slot::COUNT];

impl Counters {
    /// Maps `arrays`, made for `cpus` possible CPUs.
    pub(super) fn map(arrays: &Arrays<'_>, cpus: usize) -> io::Result<Self> {
        let write = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        Ok(Self {
            cpus,
            machine: Mapping::map(arrays.machine, cpus, write)?,
            scopes: Mapping::map(arrays.scopes, MAX_SCOPES * cpus, ProtFlags::PROT_READ)?,
            tables: Mapping::map(arrays.tables, 2, write)?,
        })
    }

    /// The whole machine's counts.
    pub(super) fn machine(&self) -> Counts {
        std::array::from_fn(|slot| self.sum(|cpu| self.machine.load(cpu, slot)))
    }

    /// The counts of scope number `scope`, from an arbitrary start.
    pub(super) fn scope(&self, scope: usize) -> Counts {
        std::array::from_fn(|slot| self.sum(|cpu| self.scopes.load(scope * self.cpus + cpu, slot)))
    }

    /// Cues of a kind that the kernel dropped.
    pub(super) fn lost(&self, kind: CueKind) -> u64 {
        self.sum(|cpu| self.machine.load(cpu, LOST + kind as usize))
    }

    /// Events of sockets that carried a class id or priority in place of their cgroup.
    pub(super) fn tagged_sockets(&self) -> u64 {
        self.sum(|cpu| self.machine.load(cpu, TAGGED_SOCKETS))
    }

    /// Has the programs do this from now on, by the table they are about to look at.
    pub(super) fn wish(&self, wish: Wish) {
        for cpu in 0..self.cpus {
            self.machine.store(cpu, WISH, wish.0);
        }
    }

    /// Writes the table that [`wish`](Self::wish) will make the present one.
    pub(super) fn write_table(&self, generation: u64, table: &ScopeTable) {
        self.tables.replace((generation & 1) as usize, table);
    }

    fn sum(&self, count: impl Fn(usize) -> u64) -> u64 {
        (0..self.cpus).map(count).fold(0, u64::wrapping_add)
    }
}
