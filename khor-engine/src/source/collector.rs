//! What the collector's client says, as source events.

use std::path::{Path, PathBuf};

use khor_proto::{
    Subscribe, Welcome,
    client::{Event, Subscription, Update, reconnecting},
};

use super::{
    Shortfall, SourceEvent, SourceInfo, SourceKind,
    catalogue::{Catalogue, describe},
};

/// A subscription to the collector that reconnects by itself.
pub(super) struct CollectorSource {
    socket: PathBuf,
    interval_ms: u16,
    subscription: Subscription,
    catalogue: Catalogue,
    /// What it is while it delivers.
    up: Option<SourceInfo>,
}

impl CollectorSource {
    /// Begins to connect; `interval_ms` is 5..=5000. Must be called within a tokio runtime.
    pub(super) fn new(socket: &Path, interval_ms: u16) -> Self {
        let name = concat!("khor ", env!("CARGO_PKG_VERSION"));
        let subscription = reconnecting(socket, wish(interval_ms), name);
        Self {
            socket: socket.to_owned(),
            interval_ms,
            subscription,
            catalogue: Catalogue::new(&[]),
            up: None,
        }
    }

    /// Changes the interval of the live subscription; answers what that changes while it is up.
    pub(super) fn set_interval_ms(&mut self, interval_ms: u16) -> Option<SourceInfo> {
        if interval_ms == self.interval_ms {
            return None;
        }
        self.interval_ms = interval_ms;
        self.subscription.subscribe(wish(interval_ms));
        let info = self.up.as_mut()?;
        info.interval_ms = interval_ms;
        Some(info.clone())
    }

    /// The next event. May be dropped and called again without loss.
    pub(super) async fn next(&mut self) -> SourceEvent {
        loop {
            match self.subscription.next().await {
                Some(Event::Connected(welcome)) => return self.connected(&welcome),
                Some(Event::Update(Update::Sample(sample))) => {
                    return SourceEvent::Frame(self.catalogue.frame(&sample));
                }
                // The whole machine has what the greeting said, and cues were not asked for.
                Some(Event::Update(Update::Subscribed(_) | Update::Cue(_) | Update::Lost { .. })) => {}
                Some(Event::Disconnected { reason, .. }) => {
                    self.up = None;
                    return SourceEvent::Down(Shortfall { error: reason, fix: START_COLLECTOR.to_owned() });
                }
                // Only when the runtime stops: nothing will be asked of this source again.
                None => std::future::pending().await,
            }
        }
    }

    fn connected(&mut self, welcome: &Welcome) -> SourceEvent {
        self.catalogue = Catalogue::new(&welcome.counters);
        let info = SourceInfo {
            kind: SourceKind::Collector,
            detail: describe(welcome, &self.socket),
            shortfall: None,
            interval_ms: self.interval_ms,
            availability: self.catalogue.availability().clone(),
        };
        self.up = Some(info.clone());
        SourceEvent::Up(info)
    }
}

const START_COLLECTOR: &str =
    "start khor-collector (as root, or its systemd unit), and be in the group of its socket";

fn wish(interval_ms: u16) -> Subscribe {
    Subscribe { interval_ms, ..Subscribe::default() }
}
