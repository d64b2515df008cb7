//! The kernel's lockdown mode (`kernel_lockdown(7)`), which may deny the collector its probes.

use std::path::Path;

use khor_proto::kernel_text;

use super::Shortfall;

/// Every user can read this file. It is missing if the kernel has no lockdown mode.
const FILE: &str = "/sys/kernel/security/lockdown";

/// Why probes are missing and what to do, if the lockdown mode denies them access to kernel memory.
pub fn cause() -> Option<Shortfall> {
    of(Path::new(FILE))
}

fn of(file: &Path) -> Option<Shortfall> {
    // The active mode is in brackets. The mode `integrity` allows the probes.
    let text = kernel_text::read(file).ok()?;
    text.contains("[confidentiality]").then(|| Shortfall {
        error: format!(
            "the kernel's lockdown mode is confidentiality ({FILE}), which denies probes access to kernel \
             memory"
        ),
        fix: "boot with lockdown=integrity or without that parameter; the mode cannot be lowered while the kernel runs"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_mode_confidentiality_is_a_cause() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("lockdown");
        let has_cause = |text: &str| {
            std::fs::write(&file, text).unwrap();
            of(&file).is_some()
        };
        assert!(has_cause("none integrity [confidentiality]\n"));
        assert!(!has_cause("none [integrity] confidentiality\n"));
        assert!(!has_cause("[none] integrity confidentiality\n"));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(of(&file), None);
    }
}
