//! Scopes: the cgroups and processes whose activity a subscription counts.

use serde::{Deserialize, Serialize};

/// The cgroups and processes whose activity is counted.
///
/// The kernel counts for a scope only while a client subscribes to the scope. It counts for at most
/// 64 different scopes at once. Counters whose events the kernel cannot attribute to the scope are
/// absent. A scope other than the whole machine has no interrupt counters. A scope with processes
/// also has no counters of network traffic, disk requests and retransmits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// The whole machine.
    Machine,
    /// Selected cgroups and processes of the machine.
    Selected {
        /// The selected cgroups and processes, at most 16. An empty list selects the whole machine.
        include: Vec<Selector>,
        /// Cgroups and processes that do not count, even if `include` selects them. At most 16.
        exclude: Vec<Selector>,
    },
}

impl Scope {
    /// Maximum number of elements in each of the two lists.
    pub const MAX_SELECTORS: usize = 16;

    /// A scope that selects one cgroup or process.
    pub fn only(selector: Selector) -> Self {
        Self::Selected { include: vec![selector], exclude: Vec::new() }
    }
}

/// Selects a cgroup or a process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Selector {
    /// The cgroup at this path in the unified hierarchy, such as `/system.slice/nginx.service`, and
    /// all cgroups below it. The cgroup need not exist yet, and may disappear and reappear.
    Cgroup(String),
    /// The process (thread group) with this number, which must exist. Its child processes are not
    /// selected.
    Process(u32),
}
