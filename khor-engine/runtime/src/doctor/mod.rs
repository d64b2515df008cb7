//! Finds problems on this machine and their fixes: `khor doctor` and `/api/doctor`.
//!
//! Each check inspects the machine itself. It uses the report of a running engine only where an
//! inspection would disturb the machine. Checks change nothing. There is one module for each area:
//! the [`kernel`], the [`collector`] and the access to it, the [`session`] with its sound, the
//! [`desktop`], and khor's own [`files`]. A check without a result is reported as off, with the
//! reason, and never as good.

mod check;
mod collector;
mod desktop;
mod files;
mod kernel;
mod keys;
mod session;
mod system_bus;

pub use check::DoctorInput;

use khor_api::{CheckState, Diagnosis};

/// Runs all checks. Takes up to a few seconds if something hangs. Must be called within a tokio
/// runtime.
pub async fn examine(input: &DoctorInput) -> Diagnosis {
    let mut checks = kernel::examine();
    checks.extend(collector::examine(input).await);
    checks.extend(session::examine(input).await);
    checks.push(desktop::examine(input).await);
    checks.extend(files::examine(input).await);
    checks.push(keys::examine(input).await);
    Diagnosis { ok: checks.iter().all(|check| check.state != CheckState::Problem), checks }
}
