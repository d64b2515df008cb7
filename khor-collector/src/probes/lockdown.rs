//! Checks whether programs may read kernel memory (`bpf_probe_read_kernel`). Scopes need such reads
//! to find the owner of an event.

use aya::{
    programs::ProgramType,
    sys::{BpfHelper, is_helper_supported},
};
use khor_proto::lockdown;

/// Fails with the reason if the kernel rejects programs that read kernel memory. Needs `CAP_BPF`
/// and `CAP_PERFMON`.
pub(super) fn require_reads() -> Result<(), String> {
    if lockdown::is_confidential() {
        return Err(format!(
            "the kernel is locked down (confidentiality, {}), so khor cannot find the owner of an event: \
             boot without lockdown=confidentiality",
            lockdown::PATH
        ));
    }
    // The file with the lockdown mode may be missing, so also try to load a small program that
    // reads kernel memory. It is a raw tracepoint program, but BTF tracepoints have the same
    // restriction.
    match is_helper_supported(ProgramType::RawTracePoint, BpfHelper::BPF_FUNC_probe_read_kernel) {
        Ok(false) => Err(
            "the kernel does not let programs read its memory, so khor cannot find the owner of an event: \
                          boot without lockdown=confidentiality"
                .into(),
        ),
        Ok(true) | Err(_) => Ok(()), // if programs are rejected for another reason, attaching reports it
    }
}
