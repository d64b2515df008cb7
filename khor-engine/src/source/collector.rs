//! What the collector's client says, as source events.

use std::path::{Path, PathBuf};

use khor_proto::{
    CueKind, Subscribe, Welcome,
    client::{Event, Subscription, Update, reconnecting},
};

use super::{
    Machine, Shortfall, SourceEvent, SourceInfo, SourceKind,
    catalogue::{Catalogue, describe},
};

/// What is asked of the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// Milliseconds between samples, 5..=5000.
    pub(super) interval_ms: u16,
    /// Also to be told of every program that starts.
    pub(super) exec_cues: bool,
}

impl Wish {
    fn subscribe(self) -> Subscribe {
        let wanted = |kind: &CueKind| self.exec_cues || *kind != CueKind::Exec;
        let cues = CueKind::ALL.into_iter().filter(wanted).collect();
        Subscribe { interval_ms: self.interval_ms, cues, ..Subscribe::default() }
    }
}

/// A subscription to the collector that reconnects by itself.
pub(super) struct CollectorSource {
    socket: PathBuf,
    wish: Wish,
    subscription: Subscription,
    catalogue: Catalogue,
    /// What it is while it delivers.
    up: Option<SourceInfo>,
}

impl CollectorSource {
    /// Begins to connect. Must be called within a tokio runtime.
    pub(super) fn new(socket: &Path, wish: Wish) -> Self {
        let name = concat!("khor ", env!("CARGO_PKG_VERSION"));
        let subscription = reconnecting(socket, wish.subscribe(), name);
        Self { socket: socket.to_owned(), wish, subscription, catalogue: Catalogue::new(&[]), up: None }
    }

    /// Changes the live subscription; answers what that changes while it is up.
    pub(super) fn set_wish(&mut self, wish: Wish) -> Option<SourceInfo> {
        let before = std::mem::replace(&mut self.wish, wish);
        if wish != before {
            self.subscription.subscribe(wish.subscribe());
        }
        let info = self.up.as_mut().filter(|_| wish.interval_ms != before.interval_ms)?;
        info.interval_ms = wish.interval_ms;
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
                Some(Event::Update(Update::Cue(cue))) => return SourceEvent::Cue(cue),
                Some(Event::Update(Update::Lost { cues })) => return SourceEvent::Lost { cues },
                // The whole machine has what the greeting said.
                Some(Event::Update(Update::Subscribed(_))) => {}
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
            machine: Some(Machine {
                kernel_release: welcome.kernel_release.clone(),
                boot_id: welcome.boot_id.clone(),
                cpus: welcome.cpus,
            }),
            interval_ms: self.wish.interval_ms,
            availability: self.catalogue.availability().clone(),
        };
        self.up = Some(info.clone());
        SourceEvent::Up(info)
    }
}

const START_COLLECTOR: &str =
    "start khor-collector (as root, or its systemd unit), and be in the group of its socket";
