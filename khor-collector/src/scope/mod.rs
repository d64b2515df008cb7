//! Scopes: activity that is counted separately, for as long as a client subscribes to it.
//!
//! The kernel counts (khor-ebpf/src/scopes.rs). This module converts selectors into the kernel's
//! numbers. It checks them regularly, because cgroups appear and disappear under the same path.
//! Rejected: watching with inotify. It needs a watch on every directory above a missing one, and
//! costs more than four checks a second.

mod client_count;
mod count;
mod hierarchy;
mod process;
mod quota;
mod registry;
mod tags;
mod targets;

use std::{sync::Arc, time::Duration};

pub(crate) use self::{process::stat_fields, registry::Scopes};

/// Time between two checks of cgroups and processes while there are scopes.
const LOOK: Duration = Duration::from_millis(250);

/// Keeps the scopes up to date for as long as the process lives.
pub(crate) async fn watch(scopes: Arc<Scopes>) {
    loop {
        scopes.opened().await;
        while scopes.refresh() {
            tokio::time::sleep(LOOK).await;
        }
    }
}
