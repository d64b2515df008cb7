//! The table of scopes, which the collector writes and the programs read.
//!
//! There are two tables. The collector writes the unused one and then publishes it through
//! [`crate::Wish`], so that no program reads a partly written table. A table has a hash table for
//! cgroups and one for processes, with open addressing. The collector searches for a salt with
//! which each key is within [`PROBES`] places of its hash.

/// Name of the array map of [`ScopeTable`], which has two elements.
pub const SCOPES_MAP: &str = "SCOPES";
/// Name of the map of block requests that were issued and are not complete.
pub const ISSUED_MAP: &str = "ISSUED";

/// Maximum number of scopes at once; each has a bit in a `u64`.
pub const MAX_SCOPES: usize = 64;
/// Maximum number of different cgroups in all scopes together, and of different processes.
pub const MAX_SELECTORS: usize = 128;
/// Places in each hash table: twice [`MAX_SELECTORS`], so that few probes are enough.
pub const PLACES: usize = 2 * MAX_SELECTORS;
/// Number of places that may contain a key.
pub const PROBES: usize = 4;
/// Deepest level below the root at which a cgroup can be found.
pub const MAX_CGROUP_DEPTH: u32 = 16;

/// The scopes that select one cgroup or process. A place with [`Self::id`] 0 is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Place {
    /// Id of the cgroup, or number of the process (thread group).
    pub id: u64,
    /// Scopes that include it, one bit each.
    pub include: u64,
    /// Scopes that exclude it, one bit each. Exclusion overrides inclusion.
    pub exclude: u64,
}

/// The selectors of all scopes, as the programs read them.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ScopeTable {
    /// Odd factor of the hash in [`start`].
    pub salt: u64,
    /// Scopes that count everything except their exclusions, one bit each.
    pub include_all: u64,
    /// Scopes that select processes, one bit each. They cannot count events without a process.
    pub name_processes: u64,
    /// The selected cgroups. A cgroup below one of them belongs to the same scopes.
    pub cgroups: [Place; PLACES],
    /// The selected processes.
    pub processes: [Place; PLACES],
}

/// The place at which the search for `id` starts. It continues at the following places, and from
/// the last to the first.
#[inline(always)]
pub const fn start(id: u64, salt: u64) -> usize {
    const SHIFT: u32 = u64::BITS - PLACES.trailing_zeros();
    (id.wrapping_mul(salt) >> SHIFT) as usize
}
