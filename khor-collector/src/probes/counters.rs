//! The per-CPU counters, mapped read-only from the kernel; one of the few modules with `unsafe`.

use std::ffi::c_void;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use khor_layout::{CpuCounters, SLOTS, Slot};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

/// The mapped array: one [`CpuCounters`] per possible CPU.
#[derive(Debug)]
pub(super) struct Counters {
    start: NonNull<c_void>,
    length_bytes: NonZeroUsize,
    cpus: usize,
}

// SAFETY: the mapping is read-only and lives as long as the value; all reads are atomic.
unsafe impl Send for Counters {}
// SAFETY: as above.
unsafe impl Sync for Counters {}

impl Counters {
    /// Maps the BPF array `map` of `cpus` elements. The mapping outlives the descriptor.
    pub(super) fn map(map: BorrowedFd<'_>, cpus: usize) -> io::Result<Self> {
        let length_bytes =
            NonZeroUsize::new(cpus * size_of::<CpuCounters>()).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: a new mapping at an address of the kernel's choice touches no other memory; the kernel refuses
        // one that is longer than the array.
        let start = unsafe { mmap(None, length_bytes, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, map, 0) }?;
        Ok(Self { start, length_bytes, cpus })
    }

    /// The counts of all CPUs together, indexed by [`Slot`].
    pub(super) fn read(&self) -> [u64; Slot::COUNT] {
        let mut sums = [0_u64; Slot::COUNT];
        for cpu in 0..self.cpus {
            for (slot, sum) in sums.iter_mut().enumerate() {
                *sum = sum.wrapping_add(self.load(cpu, slot));
            }
        }
        sums
    }

    fn load(&self, cpu: usize, slot: usize) -> u64 {
        let index = cpu * SLOTS + slot;
        // SAFETY: within the mapping, since `cpu < self.cpus` and `slot < SLOTS`; aligned, since the mapping starts
        // a page. The kernel writes the word concurrently, hence the atomic load.
        let word = unsafe { AtomicU64::from_ptr(self.start.cast::<u64>().add(index).as_ptr()) };
        word.load(Ordering::Relaxed)
    }
}

impl Drop for Counters {
    fn drop(&mut self) {
        // SAFETY: exactly what `mmap` returned, and no reference into it exists any more.
        let _ = unsafe { munmap(self.start, self.length_bytes.get()) };
    }
}
