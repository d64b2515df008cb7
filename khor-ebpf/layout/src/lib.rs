//! Memory layout shared by the in-kernel programs and the collector; `no_std`, no dependencies.
//!
//! All of it lies in memory-mapped arrays or in a ring buffer: after start-up the collector reads counts, chooses
//! scopes and receives cues without a system call into BPF, and so without a capability.
#![no_std]

mod counters;
mod cue;
pub mod global;
mod scope;

pub use counters::{COUNTERS_MAP, CpuCounters, SCOPE_COUNTERS_MAP, ScopeCounters, Slot, Wish};
pub use cue::{
    BURST_SEGMENTS, BURST_WINDOW_NS, CUES_BYTES, CUES_MAP, CueKind, CueRecord, NANOSECONDS_PER_CUE,
    burst_cues,
};
pub use scope::{
    ISSUED_MAP, MAX_CGROUP_DEPTH, MAX_SCOPES, MAX_SELECTORS, PLACES, PROBES, Place, SCOPES_MAP, ScopeTable,
    start,
};
