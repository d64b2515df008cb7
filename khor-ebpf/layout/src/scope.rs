//! Scopes: whose activity is counted apart, in a table that the collector writes and the programs read.
//!
//! There are two tables. The collector fills the one not in use and then publishes it through [`crate::Wish`], so
//! that no program sees a half-written one. Within a table, cgroups and processes stand in open-addressed hash
//! tables; the collector seeks a salt with which every key lies within [`PROBES`] places of where it belongs.

/// Name of the array map of [`ScopeTable`], two elements.
pub const SCOPES_MAP: &str = "SCOPES";
/// Name of the map of requests that were issued and not yet completed.
pub const ISSUED_MAP: &str = "ISSUED";

/// Scopes at once: one bit each in a `u64`.
pub const MAX_SCOPES: usize = 64;
/// Different cgroups, and different processes, that all scopes together may name.
pub const MAX_SELECTORS: usize = 128;
/// Places for them: twice as many, so that short probing suffices.
pub const PLACES: usize = 2 * MAX_SELECTORS;
/// Places looked at for one key.
pub const PROBES: usize = 4;
/// Levels below the root at which a cgroup's ancestors are looked at.
pub const MAX_CGROUP_DEPTH: u32 = 16;

/// What one cgroup or process means to the scopes; [`Self::id`] 0 is an empty place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Place {
    /// Cgroup id, or process id (thread group).
    pub id: u64,
    /// Scopes that count it.
    pub include: u64,
    /// Scopes that do not, whatever else includes it.
    pub exclude: u64,
}

/// All scopes.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ScopeTable {
    /// Odd multiplier of the hash, see [`start`].
    pub salt: u64,
    /// Scopes that count everything they do not exclude.
    pub include_all: u64,
    /// Scopes that name processes: they cannot count events that have no process.
    pub name_processes: u64,
    /// Cgroups that scopes name; a cgroup below one of them belongs to it.
    pub cgroups: [Place; PLACES],
    /// Processes that scopes name.
    pub processes: [Place; PLACES],
}

/// The first place to look for `id`; the others follow it, and the first follows the last.
#[inline(always)]
pub const fn start(id: u64, salt: u64) -> usize {
    const SHIFT: u32 = u64::BITS - PLACES.trailing_zeros();
    (id.wrapping_mul(salt) >> SHIFT) as usize
}
