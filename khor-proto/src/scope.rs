//! Scopes: the cgroups and processes whose activity a subscription counts.

use serde::{Deserialize, Serialize};

/// The cgroups and processes whose activity is counted.
///
/// The kernel counts for a scope only while a client subscribes to it, and for at most 64 different
/// scopes at once. Counters that the kernel cannot attribute are absent. These are interrupts in
/// every scope except the machine, and network, disk and retransmits in a scope with processes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// The whole machine.
    Machine,
    /// Some cgroups and processes of the machine.
    Selected {
        /// The selected cgroups and processes; everything if empty. At most 16.
        include: Vec<Selector>,
        /// Cgroups and processes that do not count, even if they are included. At most 16.
        exclude: Vec<Selector>,
    },
}

impl Scope {
    /// Largest length of each of the two lists.
    pub const MAX_SELECTORS: usize = 16;

    /// A scope of one selector.
    pub fn only(selector: Selector) -> Self {
        Self::Selected { include: vec![selector], exclude: Vec::new() }
    }
}

/// Selects a cgroup or a process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Selector {
    /// A cgroup and all cgroups below it, by its path in the unified hierarchy, such as
    /// `/system.slice/nginx.service`. It need not exist yet, and may disappear and reappear.
    Cgroup(String),
    /// A process (thread group) by its number. The process must exist. Its child processes do not
    /// belong to it.
    Process(u32),
}
