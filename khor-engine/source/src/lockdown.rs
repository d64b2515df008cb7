//! The kernel's lockdown mode as the cause of missing probes, and its fix.

use khor_proto::lockdown;

use super::Shortfall;

/// Why probes are missing and what to do, if the lockdown mode denies them access to kernel memory.
pub fn cause() -> Option<Shortfall> {
    lockdown::is_confidential().then(|| Shortfall {
        error: format!(
            "the kernel's lockdown mode is confidentiality ({}), which denies probes access to kernel memory",
            lockdown::PATH
        ),
        fix: "boot with lockdown=integrity or without that parameter; the mode cannot be lowered while the kernel runs"
            .to_owned(),
    })
}
