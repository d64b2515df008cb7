//! Sends cues through the ring buffer at a limited rate, and counts the dropped ones.

use aya_ebpf::helpers::generated::{bpf_get_current_cgroup_id, bpf_ktime_get_boot_ns};
use aya_ebpf::helpers::bpf_get_current_comm;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, RingBuf};
use khor_layout::{CUES_BYTES, CueKind, CueRecord, NANOSECONDS_PER_CUE, burst_cues};

use crate::counters::Cpu;
use crate::owner;

#[map]
static CUES: RingBuf = RingBuf::with_byte_size(CUES_BYTES, 0);

/// A token bucket for each [`CueKind`]. The value is the time at which the bucket will be full, in
/// nanoseconds (generic cell rate algorithm).
///
/// Access to a bucket needs no lock and no atomic instructions. In a race between CPUs, each CPU
/// sends at most one cue too many.
#[map]
static FULL_AT_NS: Array<u64> = Array::with_max_entries(CueKind::COUNT as u32, 0);

/// The process or cgroup that a cue is about.
pub struct Subject {
    /// Number of the process (thread group), 0 if unknown.
    pub process: u32,
    /// Id of the cgroup of the event, 0 if unknown.
    pub cgroup_id: u64,
    /// Name of the process; all bytes are zero if it is unknown.
    pub comm: [u8; 16],
    /// Scopes that the event belongs to, one bit each.
    pub scopes: u64,
}

impl Subject {
    /// The running task as the subject of a cue. `scopes` are its scopes, one bit each.
    #[inline(always)]
    pub fn current(scopes: u64) -> Self {
        Self {
            process: owner::current_process(),
            // SAFETY: this call takes no argument and always succeeds.
            cgroup_id: unsafe { bpf_get_current_cgroup_id() },
            comm: bpf_get_current_comm().unwrap_or([0; 16]),
            scopes,
        }
    }

    /// The subject of a cue whose process is unknown. `cgroup` is a `struct cgroup *`, or null if
    /// the cgroup is unknown. `scopes` are the cgroup's scopes, one bit each.
    #[inline(always)]
    pub fn cgroup(cgroup: *const u8, scopes: u64) -> Self {
        Self { process: 0, cgroup_id: owner::cgroup_id(cgroup), comm: [0; 16], scopes }
    }
}

/// Sends a cue. If the rate limit is reached or the ring buffer is full, counts the cue as lost.
#[inline(always)]
pub fn send(cpu: Cpu, kind: CueKind, subject: &Subject, detail: u32) {
    // SAFETY: this call takes no argument and always succeeds.
    let now_ns = unsafe { bpf_ktime_get_boot_ns() };
    if !admit(kind, now_ns) {
        return cpu.lose(kind);
    }
    let Some(mut record) = CUES.reserve::<CueRecord>(0) else { return cpu.lose(kind) };
    record.write(CueRecord {
        t_ns: now_ns,
        cgroup_id: subject.cgroup_id,
        scopes: subject.scopes,
        kind: kind as u32,
        pid: subject.process,
        detail,
        padding: 0,
        comm: subject.comm,
    });
    record.submit(0);
}

/// Takes a token from the kind's bucket. Returns false if the bucket is empty.
#[inline(always)]
fn admit(kind: CueKind, now_ns: u64) -> bool {
    let Some(full_at_ns) = FULL_AT_NS.get_ptr_mut(kind as u32) else { return false };
    // SAFETY: this is an element of the map, which lives as long as the program. Races are harmless
    // (see `FULL_AT_NS`).
    let full_at_ns = unsafe { &mut *full_at_ns };
    let without_debt_ns = (*full_at_ns).max(now_ns);
    let debt_ns = without_debt_ns - now_ns;
    if debt_ns > (burst_cues(kind) - 1) * NANOSECONDS_PER_CUE {
        return false;
    }
    *full_at_ns = without_debt_ns + NANOSECONDS_PER_CUE;
    true
}
