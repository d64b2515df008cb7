//! Completes the events of this machine's source: fills counters that the collector lacks, and
//! subtracts khor's own traffic.

use std::{sync::Arc, time::Instant};

use khor_own_traffic::{OwnTraffic, Subtraction};
use khor_proto::{Availability, Scope};
use khor_signal::Frame;
use tracing::warn;

use super::{Shortfall, SourceEvent, SourceInfo, SourceKind, overlay::Overlay, procfs::ProcSource};

/// Changes the events of this machine's sources before they are sent: takes counters that the
/// collector lacks from `/proc`, and subtracts khor's own traffic. Does not change the events of a
/// scope, because `/proc` counts only the whole machine.
#[derive(Debug)]
pub(super) struct Completed {
    own: Arc<OwnTraffic>,
    subtraction: Option<Subtraction>,
    overlay: Option<Overlay>,
    /// The shortfall that was last logged.
    logged: Option<Shortfall>,
}

impl Completed {
    pub(super) fn new(own: &Arc<OwnTraffic>) -> Self {
        Self { own: Arc::clone(own), subtraction: None, overlay: None, logged: None }
    }

    /// The completed event.
    pub(super) fn complete(&mut self, event: SourceEvent) -> SourceEvent {
        match event {
            SourceEvent::Up(mut info) => {
                self.begin(&mut info);
                SourceEvent::Up(info)
            }
            SourceEvent::Described(mut info) => {
                // This event changes only the description of the source. So the current overlay
                // stays, and fills the same counters as before.
                if let Some(overlay) = &self.overlay {
                    overlay.describe(&mut info);
                }
                SourceEvent::Described(info)
            }
            SourceEvent::Frame(mut frame) => {
                self.frame(&mut frame);
                SourceEvent::Frame(frame)
            }
            event => event,
        }
    }

    fn begin(&mut self, info: &mut SourceInfo) {
        (self.subtraction, self.overlay) = (None, None);
        if info.scope != Scope::Machine {
            return;
        }
        if info.kind == SourceKind::Collector && has_gap(info) {
            self.overlay = Overlay::of(info, ProcSource::new("/proc"));
        }
        self.subtraction = Some(Subtraction::new(Arc::clone(&self.own)));
        let why = self.overlay.as_ref().map(|overlay| overlay.why().clone());
        if let Some(Shortfall { error, fix }) = why.as_ref().filter(|why| self.logged.as_ref() != Some(*why))
        {
            warn!("{error}; {fix}");
        }
        self.logged = why;
    }

    fn frame(&mut self, frame: &mut Frame) {
        let now = Instant::now();
        if let Some(overlay) = &mut self.overlay {
            overlay.fill(frame, now);
        }
        if let Some(subtraction) = &mut self.subtraction {
            subtraction.apply(frame, now);
        }
    }
}

/// Whether any counter is missing.
fn has_gap(info: &SourceInfo) -> bool {
    info.availability.iter().any(|availability| *availability != Availability::Available)
}
