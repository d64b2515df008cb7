//! Scopes: whose activity a subscription counts.

use serde::{Deserialize, Serialize};

/// Whose activity is counted.
///
/// The kernel counts for a scope only while somebody subscribes to it, and up to 64 different ones at once. What it
/// cannot attribute is absent: interrupts in every scope that is not the machine; network, disk and retransmits in
/// one that names processes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// The whole machine.
    Machine,
    /// A part of it.
    Selected {
        /// What belongs to it; everything if empty. At most 16.
        include: Vec<Selector>,
        /// What does not, even if it is included. At most 16.
        exclude: Vec<Selector>,
    },
}

impl Scope {
    /// Most selectors in either list.
    pub const MAX_SELECTORS: usize = 16;

    /// What one selector names.
    pub fn only(selector: Selector) -> Self {
        Self::Selected { include: vec![selector], exclude: Vec::new() }
    }
}

/// Names somebody who can be active.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Selector {
    /// A control group and all below it, by its path in the unified hierarchy, such as
    /// `/system.slice/nginx.service`. It need not exist yet, and may go and come back.
    Cgroup(String),
    /// A process (thread group) by its number; must exist. Its children are others.
    Process(u32),
}
