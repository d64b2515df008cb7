//! Scopes: selected activity that is counted separately while a client subscribes to it.
//!
//! The in-kernel programs do the counting (khor-ebpf/src/scopes.rs). This module converts selectors
//! into the numbers that the programs use. It repeats the conversion four times a second, because a
//! cgroup may disappear and reappear at the same path. Waiting with inotify would cost more,
//! because it needs a watch on every directory above a missing cgroup.

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

/// Time between two checks of the selected cgroups and processes.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// Keeps the scopes up to date until the process ends.
pub(crate) async fn watch(scopes: Arc<Scopes>) {
    loop {
        scopes.opened().await;
        while scopes.refresh() {
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    }
}
