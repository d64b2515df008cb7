//! Finds problems on this machine, each with its fix, for `khor doctor` and `/api/doctor`.
//!
//! Each check examines the machine itself and changes nothing. If an examination would disturb the
//! machine, the check uses the report of the running engine instead. Each area has its own module:
//! the [`kernel`], the [`collector`] and the access to it, the [`session`] with its sound, the
//! [`desktop`], khor's own [`files`], and secret [`keys`]. A check that cannot determine its result
//! reports that it is off, with the reason. It never reports ok.

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

/// Runs all checks. This takes several seconds if a bus or a sound server hangs. Must be called
/// within a tokio runtime.
pub async fn examine(input: &DoctorInput) -> Diagnosis {
    let mut checks = kernel::examine();
    checks.extend(collector::examine(input).await);
    checks.extend(session::examine(input).await);
    checks.push(desktop::examine(input).await);
    checks.extend(files::examine(input).await);
    checks.push(keys::examine(input).await);
    Diagnosis { ok: checks.iter().all(|check| check.state != CheckState::Problem), checks }
}
