//! Defines the memory that the in-kernel programs share with the collector. The crate is `no_std`
//! and has no dependencies.
//!
//! The shared memory consists of mapped arrays and a ring buffer. With them, the collector reads
//! counts, selects scopes and receives cues without BPF system calls. So it needs no capability
//! after its start.
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
