//! Reads the kernel's lockdown mode (`kernel_lockdown(7)`). It may prevent BPF programs from
//! reading kernel memory.

use std::path::Path;

use crate::kernel_text;

/// The file that contains the mode. Every user can read the file. It is missing if the kernel does
/// not support lockdown or securityfs is not mounted.
pub const PATH: &str = "/sys/kernel/security/lockdown";

/// Whether the mode is `confidentiality`, in which BPF programs cannot read kernel memory. In the
/// mode `integrity` they can.
pub fn is_confidential() -> bool {
    is_confidential_in(Path::new(PATH))
}

/// Whether the mode in `file` is `confidentiality`. The current mode is in brackets, as in `none
/// integrity [confidentiality]`.
fn is_confidential_in(file: &Path) -> bool {
    let text = kernel_text::read(file).unwrap_or_default();
    text.split_whitespace().any(|mode| mode == "[confidentiality]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_in_brackets_is_current() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("lockdown");
        for (text, expected) in [
            ("none integrity [confidentiality]\n", true),
            ("none [integrity] confidentiality\n", false),
            ("[none] integrity confidentiality\n", false),
            ("", false),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(is_confidential_in(&file), expected, "{text}");
        }
        assert!(!is_confidential_in(&dir.path().join("missing")));
    }
}
