//! What the engine requests from the collector.

use khor_proto::{CueKind, Scope, Subscribe};

/// What the engine requests from the collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CollectorRequest {
    /// Milliseconds between samples, 5..=5000.
    pub(super) interval_ms: u16,
    /// Whether every start of a program is a cue.
    pub(super) exec_cues: bool,
    /// Whose activity is counted.
    pub(super) scope: Scope,
}

impl CollectorRequest {
    /// The request as a message.
    pub(super) fn subscribe(&self) -> Subscribe {
        let Self { interval_ms, exec_cues, ref scope } = *self;
        let wanted = |kind: &CueKind| exec_cues || *kind != CueKind::Exec;
        let cues = CueKind::ALL.into_iter().filter(wanted).collect();
        Subscribe { interval_ms, scope: scope.clone(), cues }
    }
}
