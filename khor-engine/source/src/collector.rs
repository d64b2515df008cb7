//! Receives the collector's messages, and converts them to source events.

use std::path::{Path, PathBuf};

use khor_proto::{
    Availability, Scope, Subscribed, Welcome,
    client::{Event, Subscription, Update, reconnecting},
};

use super::{
    MachineInfo, Shortfall, SourceEvent, SourceInfo, SourceKind,
    catalogue::{Catalogue, describe},
    limit,
    request::CollectorRequest,
    scope::scope_label,
};

/// A subscription to the collector for one scope. It reconnects by itself. Another scope needs a
/// new subscription, because the counters of that scope start at other values.
pub(super) struct CollectorSource {
    socket: PathBuf,
    request: CollectorRequest,
    subscription: Subscription,
    /// The collector's welcome message, and the positions of the counters in the collector's
    /// samples.
    welcomed: Option<(Welcome, Catalogue)>,
    /// The description of the source. `None` while the source delivers no samples.
    up: Option<SourceInfo>,
}

impl CollectorSource {
    /// Starts to connect. Call this within a tokio runtime.
    pub(super) fn new(socket: &Path, request: CollectorRequest) -> Self {
        let name = concat!("khor ", env!("CARGO_PKG_VERSION"));
        let subscription = reconnecting(socket, request.subscribe(), name);
        Self { socket: socket.to_owned(), request, subscription, welcomed: None, up: None }
    }

    /// Requests another interval between samples. The collector answers with the interval that it
    /// grants.
    pub(super) fn set_interval(&mut self, interval_ms: u16) {
        if std::mem::replace(&mut self.request.interval_ms, interval_ms) != interval_ms {
            self.subscription.subscribe(self.request.subscribe());
        }
    }

    /// The requested scope.
    pub(super) fn scope(&self) -> &Scope {
        &self.request.scope
    }

    /// Whether no counter is available in the scope, although the collector is connected and sends
    /// samples.
    pub(super) fn is_scope_empty(&self) -> bool {
        self.up.as_ref().is_some_and(|info| info.shortfall.is_some())
    }

    /// Waits for the next event. If the future is dropped, no event is lost.
    pub(super) async fn next(&mut self) -> SourceEvent {
        loop {
            match self.subscription.next().await {
                Some(Event::Connected(welcome)) => {
                    let catalogue = Catalogue::new(&welcome.counters);
                    self.welcomed = Some((welcome, catalogue));
                }
                Some(Event::Update(Update::Subscribed(subscribed))) => {
                    if let Some(event) = self.subscribed(&subscribed) {
                        return event;
                    }
                }
                Some(Event::Update(Update::Sample(sample))) => {
                    // Ignore samples that arrive before the collector has confirmed the scope.
                    if let Some((_, catalogue)) = self.welcomed.as_ref().filter(|_| self.up.is_some()) {
                        return SourceEvent::Frame(catalogue.frame(&sample));
                    }
                }
                Some(Event::Update(Update::Cue(cue))) => return SourceEvent::Cue(cue),
                Some(Event::Update(Update::Lost { cues })) => return SourceEvent::Lost { cues },
                Some(Event::Disconnected { reason, .. }) => return SourceEvent::Down(self.lost(reason)),
                // The runtime is stopping, so nothing will poll this source again.
                None => std::future::pending().await,
            }
        }
    }

    /// The event for the collector's answer to a subscription. It is `Up` if the available counters
    /// have changed, and `Described` if only the interval or the limit has changed. Otherwise there
    /// is no event.
    fn subscribed(&mut self, subscribed: &Subscribed) -> Option<SourceEvent> {
        let (welcome, catalogue) = self.welcomed.as_mut()?;
        catalogue.set_availability(&subscribed.availability);
        let availability = catalogue.availability().clone();
        let limit = limit::of(&self.request, welcome, subscribed.interval_ms);
        let info = SourceInfo {
            kind: SourceKind::Collector,
            detail: describe(welcome, &self.socket),
            shortfall: empty_scope(&self.request.scope, &availability),
            machine: Some(MachineInfo {
                kernel_release: welcome.kernel_release.clone(),
                boot_id: welcome.boot_id.clone(),
                cpus: welcome.cpus,
            }),
            scope: self.request.scope.clone(),
            interval_ms: subscribed.interval_ms,
            limit,
            availability,
        };
        match self.up.replace(info.clone()) {
            Some(up) if up.availability != info.availability => Some(SourceEvent::Up(info)),
            Some(up) if (up.interval_ms, &up.limit) == (info.interval_ms, &info.limit) => None,
            Some(_) => Some(SourceEvent::Described(info)),
            None => Some(SourceEvent::Up(info)),
        }
    }

    /// The reason why the connection ended. If the collector closes the connection right after its
    /// welcome message, it has rejected the scope.
    fn lost(&mut self, reason: String) -> Shortfall {
        let was_up = self.up.take().is_some();
        let is_rejected = self.welcomed.take().is_some() && !was_up && self.request.scope != Scope::Machine;
        let fix = if is_rejected { CHOOSE_ANOTHER } else { START_COLLECTOR };
        Shortfall { error: reason, fix: fix.to_owned() }
    }
}

/// If no counter is available in a scope, returns the reason and how to fix that. Returns `None`
/// for the whole machine.
fn empty_scope(scope: &Scope, availability: &[Availability]) -> Option<Shortfall> {
    let mut reasons = availability.iter().map(|availability| match availability {
        Availability::Available => None,
        Availability::Absent { reason } => Some(reason),
    });
    if *scope == Scope::Machine || reasons.clone().any(|reason| reason.is_none()) {
        return None;
    }
    let error = format!("khor cannot count {}: {}", scope_label(scope), reasons.next()??);
    Some(Shortfall {
        error,
        fix: format!("start the unit or process, fix the reported problem, or {CHOOSE_ANOTHER}"),
    })
}

const START_COLLECTOR: &str =
    "start khor-collector as root or as a systemd unit, and add this user to the group of its socket";
const CHOOSE_ANOTHER: &str = "select another scope in bpf.cgroup, bpf.tgid_allow and bpf.tgid_deny (empty \
                              values select the whole machine)";
