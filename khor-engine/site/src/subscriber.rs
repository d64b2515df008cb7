//! Connects an engine to a site: subscribes to frames and cues, and sends events to the engine. If
//! the connection is lost, the engine receives one event, not one event for each host.

use std::{sync::Arc, time::Duration};

use async_nats::Message;
use futures_util::StreamExt;
use khor_fleet::{Name, subject};
use khor_proto::{Availability, Cue, Scope};
use khor_signal::Counter;
use khor_source::{Shortfall, SourceEnded, SourceEvent, SourceInfo, SourceKind, send};
use khor_system::clock::now_unix_ms;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};
use tracing::{info, warn};

use crate::{
    membership::{Admission, MembershipChange},
    nats::{Link, NatsError, NatsSettings},
    tracker::{Site, SiteTracker},
};

/// Milliseconds between two snapshots of the site.
const TICK_MS: u16 = 100;
/// How long the server may be unavailable before khor reports it.
const GRACE: Duration = Duration::from_secs(1);
/// Minimum time between two reports of rejected cues.
const FLOODED_INTERVAL: Duration = Duration::from_secs(10);

/// The name of a site, and its NATS server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteSettings {
    /// The site's name.
    pub name: Name,
    /// The server.
    pub nats: NatsSettings,
}

/// An event of a site. If the connection to the server is lost or restored, the event is a
/// [`SourceEvent`] instead.
#[derive(Clone, Debug)]
pub enum FleetEvent {
    /// A snapshot of the site.
    Site(Arc<Site>),
    /// A cue of a host.
    Cue {
        /// The host.
        host: Name,
        /// The cue.
        cue: Cue,
        /// Whether khor may play the cue, and how khor lists it.
        admission: Admission,
    },
    /// This host or sub-site has stopped sending.
    Lost(Name),
    /// This host or sub-site sends again.
    Back(Name),
}

/// Sends the events of a site until the receiver is dropped.
pub async fn subscribe<E: From<SourceEvent> + From<FleetEvent>>(
    site: &SiteSettings,
    events: &mpsc::Sender<E>,
) -> SourceEnded {
    match Subscriber::open(site).await {
        Ok(subscriber) => run(subscriber, events).await.unwrap_or_else(|ended| ended),
        Err(error) => {
            warn!("cannot subscribe to the site {}: {error}", site.name);
            let fix =
                "correct the NATS settings in the configuration or on the command line, and restart khor"
                    .into();
            let down = SourceEvent::Down(Shortfall { error: error.to_string(), fix });
            if let Err(ended) = send(events, down).await {
                return ended;
            }
            events.closed().await;
            SourceEnded
        }
    }
}

async fn run<E: From<SourceEvent> + From<FleetEvent>>(
    mut subscriber: Subscriber,
    events: &mpsc::Sender<E>,
) -> Result<SourceEnded, SourceEnded> {
    let mut ticks = interval(Duration::from_millis(TICK_MS.into()));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let tracker = &mut subscriber.tracker;
        tokio::select! {
            Some(Message { subject, payload, .. }) = subscriber.frames.next() => {
                if let Some(back) = tracker.host_frame(&subject, &payload, Instant::now(), now_unix_ms()) {
                    emit(events, event_of(MembershipChange::Back(back))).await?;
                }
            }
            Some(Message { subject, payload, .. }) = subscriber.sites.next() => {
                for change in tracker.site_frame(&subject, &payload, Instant::now(), now_unix_ms()) {
                    emit(events, event_of(change)).await?;
                }
            }
            Some(Message { subject, payload, .. }) = subscriber.cues.next() => {
                if let Some((host, cue, admission)) = tracker.cue(&subject, &payload, Instant::now()) {
                    emit(events, FleetEvent::Cue { host, cue, admission }).await?;
                }
            }
            _ = ticks.tick() => subscriber.tick(events).await?,
        }
    }
}

async fn emit<E: From<FleetEvent>>(events: &mpsc::Sender<E>, event: FleetEvent) -> Result<(), SourceEnded> {
    events.send(event.into()).await.map_err(|_| SourceEnded)
}

/// Converts a change of a host or site to an event, and logs the change.
fn event_of(change: MembershipChange) -> FleetEvent {
    match change {
        MembershipChange::Lost(name) => {
            warn!("{name} has stopped sending");
            FleetEvent::Lost(name)
        }
        MembershipChange::Back(name) => {
            info!("{name} sends again");
            FleetEvent::Back(name)
        }
    }
}

/// A connection with its subscriptions, and the state of the site.
struct Subscriber {
    link: Link,
    frames: async_nats::Subscriber,
    sites: async_nats::Subscriber,
    cues: async_nats::Subscriber,
    tracker: SiteTracker,
    server: String,
    /// The last [`SourceEvent`] that was sent.
    reported: Reported,
    away_since: Option<Instant>,
    /// The number of rejected cues when they were last reported, and the time of that report.
    flooded: (u64, Instant),
}

#[derive(PartialEq)]
enum Reported {
    Nothing,
    Up(Option<Shortfall>),
    Down(Shortfall),
}

impl Subscriber {
    async fn open(site: &SiteSettings) -> Result<Self, NatsError> {
        let link = Link::open(&site.nats).await?;
        let frames = link.subscribe(subject::of_site(&site.name, subject::Kind::Frame)).await?;
        let sites = link.subscribe(subject::of_site(&site.name, subject::Kind::Site)).await?;
        let cues = link.subscribe(subject::of_site(&site.name, subject::Kind::Cue)).await?;
        Ok(Self {
            link,
            frames,
            sites,
            cues,
            tracker: SiteTracker::new(site.name.clone(), Instant::now()),
            server: site.nats.url.clone(),
            reported: Reported::Nothing,
            away_since: None,
            flooded: (0, Instant::now()),
        })
    }

    async fn tick<E: From<SourceEvent> + From<FleetEvent>>(
        &mut self,
        events: &mpsc::Sender<E>,
    ) -> Result<(), SourceEnded> {
        let now = Instant::now();
        if !self.link.is_up() {
            let since = *self.away_since.get_or_insert(now);
            let trouble = self.link.trouble().filter(|_| now.duration_since(since) >= GRACE);
            if let Some(trouble) = trouble
                && self.reported != Reported::Down(trouble.clone())
            {
                self.reported = Reported::Down(trouble.clone());
                send(events, SourceEvent::Down(trouble)).await?;
            }
            return Ok(());
        }
        if self.away_since.take().is_some() {
            self.tracker.reconnected(now);
        }
        let info = self.info();
        if self.reported != Reported::Up(info.shortfall.clone()) {
            let was_up = matches!(self.reported, Reported::Up(_));
            self.reported = Reported::Up(info.shortfall.clone());
            let event = if was_up { SourceEvent::Described(info) } else { SourceEvent::Up(info) };
            send(events, event).await?;
        }
        for fallen in self.tracker.fallen_silent(now) {
            emit(events, event_of(MembershipChange::Lost(fallen))).await?;
        }
        self.report_flooded(now, events).await?;
        let site = self.tracker.snapshot(now, now_unix_ms());
        emit(events, FleetEvent::Site(site)).await
    }

    /// Reports the number of rejected cues as lost cues. Sends at most one report in each
    /// [`FLOODED_INTERVAL`], because each report is logged.
    async fn report_flooded<E: From<SourceEvent>>(
        &mut self,
        now: Instant,
        events: &mpsc::Sender<E>,
    ) -> Result<(), SourceEnded> {
        let (reported, at) = self.flooded;
        let flooded = self.tracker.refused().flooded;
        if flooded == reported || now.duration_since(at) < FLOODED_INTERVAL {
            return Ok(());
        }
        self.flooded = (flooded, now);
        send(events, SourceEvent::Lost { cues: flooded - reported }).await
    }

    fn info(&self) -> SourceInfo {
        SourceInfo {
            kind: SourceKind::Site,
            detail: format!("site {} at {}", self.tracker.site(), self.server),
            shortfall: self.link.trouble(),
            limit: None,
            machine: None,
            scope: Scope::Machine,
            interval_ms: TICK_MS,
            availability: Counter::ALL.map(|_| Availability::Available),
        }
    }
}
