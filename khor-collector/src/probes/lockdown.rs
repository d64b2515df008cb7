//! Whether programs may read the kernel's memory (`bpf_probe_read_kernel`), as telling whose an
//! event is needs it.

use aya::programs::ProgramType;
use aya::sys::{BpfHelper, is_helper_supported};
use khor_proto::kernel_text;

/// Names the present mode in brackets: `none integrity [confidentiality]`. The file belongs to
/// securityfs.
const LOCKDOWN_PATH: &str = "/sys/kernel/security/lockdown";

/// Fails with the reason if the kernel refuses programs that read its memory. Needs `CAP_BPF` and
/// `CAP_PERFMON`.
pub(super) fn require_reads() -> Result<(), String> {
    if is_confidential(&kernel_text::read(LOCKDOWN_PATH).unwrap_or_default()) {
        return Err(format!(
            "the kernel is locked down (confidentiality, {LOCKDOWN_PATH}), so khor cannot see whose an event is"
        ));
    }
    // The file may not be mounted. What the kernel does with raw tracepoints, it does with BTF
    // tracepoints.
    match is_helper_supported(ProgramType::RawTracePoint, BpfHelper::BPF_FUNC_probe_read_kernel) {
        Ok(false) => {
            Err("the kernel lets no program read its memory (see lockdown= on its command line), so khor \
                          cannot see whose an event is"
                .into())
        }
        Ok(true) | Err(_) => Ok(()), // other reasons to refuse a program come up at each one
    }
}

fn is_confidential(text: &str) -> bool {
    text.split_whitespace().any(|mode| mode == "[confidentiality]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_in_brackets_counts() {
        assert!(is_confidential("none integrity [confidentiality]\n"));
        assert!(!is_confidential("none [integrity] confidentiality\n"));
        assert!(!is_confidential("[none] integrity confidentiality\n"));
        assert!(!is_confidential(""));
    }
}
