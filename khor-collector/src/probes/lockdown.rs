//! Checks whether programs may read kernel memory (`bpf_probe_read_kernel`). Scopes need that to
//! find the owner of an event.

use aya::{
    programs::ProgramType,
    sys::{BpfHelper, is_helper_supported},
};
use khor_proto::lockdown;

/// Fails with the reason if the kernel refuses programs that read its memory. Needs `CAP_BPF` and
/// `CAP_PERFMON`.
pub(super) fn require_reads() -> Result<(), String> {
    if lockdown::is_confidential() {
        return Err(format!(
            "the kernel is locked down (confidentiality, {}), so khor cannot find the owner of an event: \
             boot without lockdown=confidentiality",
            lockdown::PATH
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
