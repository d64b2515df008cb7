//! The table of scopes, which the collector writes and the programs read.
//!
//! There are two tables. The collector writes the unused table and then makes it current through
//! [`crate::Wish`], so that no program reads a partly written table. Each table contains a hash
//! table for cgroups and one for processes, both with open addressing. The collector searches for a
//! salt with which each key is at most [`PROBES`] - 1 places after its hash.

/// Name of the array map of [`ScopeTable`], which has two elements.
pub const SCOPES_MAP: &str = "SCOPES";
/// Name of the map that contains the block requests which are issued and not yet complete.
pub const ISSUED_MAP: &str = "ISSUED";

/// Maximum number of scopes at once; each has a bit in a `u64`.
pub const MAX_SCOPES: usize = 64;
/// Maximum number of different cgroups in all scopes together. The same limit applies to processes.
pub const MAX_SELECTORS: usize = 128;
/// Number of places (entries) in each hash table. It is twice [`MAX_SELECTORS`], so that programs
/// find a key after few probes.
pub const PLACES: usize = 2 * MAX_SELECTORS;
/// Number of consecutive places that a program searches for a key before it gives up.
pub const PROBES: usize = 4;
/// Maximum depth of a cgroup that khor can count. The root has depth 0.
pub const MAX_CGROUP_DEPTH: u32 = 16;

/// An entry of a hash table: one cgroup or process, and the scopes that select it. The entry is
/// empty if [`Self::id`] is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Place {
    /// Id of the cgroup, or number of the process (thread group).
    pub id: u64,
    /// Scopes that include this cgroup or process, one bit each.
    pub include: u64,
    /// Scopes that exclude this cgroup or process, one bit each. Exclusion overrides inclusion.
    pub exclude: u64,
}

/// The selectors of all scopes, as the programs read them.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ScopeTable {
    /// The factor by which [`start`] multiplies an id; an odd number.
    pub salt: u64,
    /// Scopes that count everything except their exclusions, one bit each.
    pub include_all: u64,
    /// Scopes that select processes, one bit each. These scopes cannot count events whose process
    /// is unknown.
    pub name_processes: u64,
    /// The selected cgroups. A cgroup below one of them belongs to the same scopes.
    pub cgroups: [Place; PLACES],
    /// The selected processes.
    pub processes: [Place; PLACES],
}

/// Returns the index of the place at which the search for `id` starts. The search continues with
/// the next places. After the last place it continues with the first one.
#[inline(always)]
pub const fn start(id: u64, salt: u64) -> usize {
    const SHIFT: u32 = u64::BITS - PLACES.trailing_zeros();
    (id.wrapping_mul(salt) >> SHIFT) as usize
}
