//! The engine's request to the collector: which samples and cues to send.

use khor_proto::{CueKind, Scope, Subscribe};

/// The samples and cues that the engine requests from the collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CollectorRequest {
    /// Time between samples, milliseconds, 5..=5000.
    pub(super) interval_ms: u16,
    /// Whether to receive a cue for each program that starts.
    pub(super) exec_cues: bool,
    /// The part of the machine whose events are counted.
    pub(super) scope: Scope,
}

impl CollectorRequest {
    /// The message that sends this request to the collector.
    pub(super) fn subscribe(&self) -> Subscribe {
        let Self { interval_ms, exec_cues, ref scope } = *self;
        let is_requested = |kind: &CueKind| exec_cues || *kind != CueKind::Exec;
        let cues = CueKind::ALL.into_iter().filter(is_requested).collect();
        Subscribe { interval_ms, scope: scope.clone(), cues }
    }
}
