//! What is in khor's way on this machine, and how it is mended: `khor doctor` and `/api/doctor`.
//!
//! Each check looks at the machine itself, and at what a running engine says only where looking would disturb it; nothing
//! is changed. One file per
//! room: the [`kernel`], the [`collector`] and how to reach it, the [`session`] with its sound, the
//! [`desktop`], and khor's own [`files`]. What cannot be known is said to be off, with the reason, never to be well.

mod check;
mod collector;
mod desktop;
mod files;
mod kernel;
mod keys;
mod session;
mod system_bus;

pub use check::{Check, CheckState, DoctorInput};

use schemars::JsonSchema;
use serde::Serialize;

/// What was found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// There is no problem.
    pub ok: bool,
    /// Everything that was looked at, in the order of the way from kernel to loudspeaker.
    pub checks: Vec<Check>,
}

/// Looks at everything. Takes up to a few seconds where something hangs. Must be called within a tokio runtime.
pub async fn examine(input: &DoctorInput) -> Diagnosis {
    let mut checks = kernel::examine();
    checks.extend(collector::examine(input).await);
    checks.extend(session::examine(input).await);
    checks.push(desktop::examine(input).await);
    checks.extend(files::examine(input).await);
    checks.push(keys::examine(input).await);
    Diagnosis { ok: checks.iter().all(|check| check.state != CheckState::Problem), checks }
}
