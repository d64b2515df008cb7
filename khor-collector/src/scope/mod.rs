//! Scopes: whose activity is counted apart, for as long as somebody subscribes to it.
//!
//! The kernel counts (khor-ebpf/src/scopes.rs); here selectors are turned into the numbers it knows, and watched,
//! because cgroups come and go under the same path. Rejected: watching them with inotify, which needs a watch on
//! every directory above one that does not exist yet; looking four times a second costs less than it.

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

/// How often cgroups and processes are looked at while there are scopes.
const LOOK: Duration = Duration::from_millis(250);

/// Keeps the scopes true for as long as the process lives.
pub(crate) async fn watch(scopes: Arc<Scopes>) {
    loop {
        scopes.opened().await;
        while scopes.refresh() {
            tokio::time::sleep(LOOK).await;
        }
    }
}
