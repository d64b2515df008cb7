//! Checks whether programs may read kernel memory (`bpf_probe_read_kernel`). Scopes need that to
//! find the owner of an event.

use aya::programs::ProgramType;
use aya::sys::{BpfHelper, is_helper_supported};
use khor_proto::kernel_text;

/// A file of securityfs with the current mode in brackets: `none integrity [confidentiality]`.
const LOCKDOWN_PATH: &str = "/sys/kernel/security/lockdown";

/// Fails with the reason if the kernel refuses programs that read its memory. Needs `CAP_BPF` and
/// `CAP_PERFMON`.
pub(super) fn require_reads() -> Result<(), String> {
    if is_confidential(&kernel_text::read(LOCKDOWN_PATH).unwrap_or_default()) {
        return Err(format!(
            "the kernel is locked down (confidentiality, {LOCKDOWN_PATH}), so khor cannot find the owner of an event: \
             boot without lockdown=confidentiality"
        ));
    }
    // Securityfs may not be mounted. The kernel treats BTF tracepoints as it treats raw ones.
    match is_helper_supported(ProgramType::RawTracePoint, BpfHelper::BPF_FUNC_probe_read_kernel) {
        Ok(false) => {
            Err("the kernel lets no program read its memory, so khor cannot find the owner of an event: \
                          boot without lockdown=confidentiality"
                .into())
        }
        Ok(true) | Err(_) => Ok(()), // attaching a program reports every other refusal
    }
}

fn is_confidential(text: &str) -> bool {
    text.split_whitespace().any(|mode| mode == "[confidentiality]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_in_brackets_is_the_current_one() {
        assert!(is_confidential("none integrity [confidentiality]\n"));
        assert!(!is_confidential("none [integrity] confidentiality\n"));
        assert!(!is_confidential("[none] integrity confidentiality\n"));
        assert!(!is_confidential(""));
    }
}
