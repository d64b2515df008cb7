//! Detects whether the kernel's lockdown mode is the cause of missing probes, and names the fix.

use khor_proto::lockdown;

use super::Shortfall;

/// The cause of missing probes and its fix, if the lockdown mode denies probes access to kernel
/// memory.
pub fn cause() -> Option<Shortfall> {
    lockdown::is_confidential().then(|| Shortfall {
        error: format!(
            "the kernel's lockdown mode is confidentiality ({}), which denies probes access to kernel memory",
            lockdown::PATH
        ),
        fix: "boot with lockdown=integrity or without a lockdown parameter; a running kernel cannot lower the mode"
            .to_owned(),
    })
}
