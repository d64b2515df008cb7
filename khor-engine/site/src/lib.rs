//! A site: many machines over NATS. Each has its own relay, or an aggregating relay combines many.
//!
//! `members` tracks the senders: `hosts` tracks each `host`, `sites` tracks sites within the site.
//! A site within the site sends sums over its hosts: `blend` adds them up from `spread`s, also for
//! each of the `sections`. `window` keeps the last second of them. `audience` receives all
//! messages. `order` is the signals' order on the wire. This module has the connection. A lost
//! connection is one loss, not one loss per host.

mod audience;
mod blend;
mod cue_limits;
mod host;
mod hosts;
mod members;
pub mod nats;
mod order;
pub mod relay;
mod sections;
mod sites;
mod spread;
#[cfg(test)]
mod testing;
mod window;

use std::{sync::Arc, time::Duration};

use async_nats::Message;
use futures_util::StreamExt;
use khor_fleet::{Name, subject};
use khor_proto::{Availability, Cue, Scope};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval},
};
use tracing::{info, warn};

pub use self::{
    audience::Audience,
    blend::Blend,
    host::lanes,
    members::{Members, Presence},
    order::ORDER as WIRE_ORDER,
};
pub use self::{
    cue_limits::Admission,
    host::Host,
    hosts::Refused,
    members::{Group, Site, Together},
    sites::SubSite,
};
use crate::nats::{Link, Nats, NatsError};
use khor_signal::Counter;
use khor_source::{Shortfall, SourceEnded, SourceEvent, SourceInfo, SourceKind, send};
use khor_system::clock::now_unix_ms;

/// Milliseconds between two looks at all hosts.
const TICK_MS: u16 = 100;
/// How long the server may be away before that is said: longer than a hiccup.
const GRACE: Duration = Duration::from_secs(1);
/// Time between two reports of cues that were refused.
const FLOODED_INTERVAL: Duration = Duration::from_secs(10);

/// Which site is heard, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteSettings {
    /// Its name.
    pub name: Name,
    /// The server.
    pub nats: Nats,
}

/// What a site says besides being up or down.
#[derive(Clone, Debug)]
pub enum FleetEvent {
    /// All hosts at one instant.
    Site(Arc<Site>),
    /// Something happened on a host.
    Cue {
        /// Where.
        host: Name,
        /// What.
        cue: Cue,
        /// How it is handled.
        admission: Admission,
    },
    /// A host has stopped sending.
    Lost(Name),
    /// It sends again.
    Back(Name),
}

/// Sends the events of a site until nobody receives them any more.
pub async fn listen<E: From<SourceEvent> + From<FleetEvent>>(
    site: &SiteSettings,
    events: &mpsc::Sender<E>,
) -> SourceEnded {
    match Ear::open(site).await {
        Ok(ear) => hear(ear, events).await.unwrap_or_else(|ended| ended),
        Err(error) => {
            warn!("site {}: {error}", site.name);
            let fix = "correct it in the configuration or on the command line, and start again".into();
            let down = SourceEvent::Down(Shortfall { error: error.to_string(), fix });
            if let Err(ended) = send(events, down).await {
                return ended;
            }
            events.closed().await;
            SourceEnded
        }
    }
}

async fn hear<E: From<SourceEvent> + From<FleetEvent>>(
    mut ear: Ear,
    events: &mpsc::Sender<E>,
) -> Result<SourceEnded, SourceEnded> {
    let mut ticks = interval(Duration::from_millis(TICK_MS.into()));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            Some(message) = ear.frames.next() => {
                let Message { subject, payload, .. } = &message;
                if let Some(back) = ear.audience.frame(subject, payload, Instant::now(), now_unix_ms()) {
                    tell(events, event_of(back)).await?;
                }
            }
            Some(message) = ear.sites.next() => {
                let Message { subject, payload, .. } = &message;
                for change in ear.audience.site_frame(subject, payload, Instant::now(), now_unix_ms()) {
                    tell(events, event_of(change)).await?;
                }
            }
            Some(message) = ear.cues.next() => {
                let Message { subject, payload, .. } = &message;
                let taken = ear.audience.members.cue(subject, payload, Instant::now());
                if let Some((host, cue, admission)) = taken {
                    tell(events, FleetEvent::Cue { host, cue, admission }).await?;
                }
            }
            _ = ticks.tick() => ear.tick(events).await?,
        }
    }
}

async fn tell<E: From<FleetEvent>>(events: &mpsc::Sender<E>, event: FleetEvent) -> Result<(), SourceEnded> {
    events.send(event.into()).await.map_err(|_| SourceEnded)
}

/// The event for who went or came. Logs it.
fn event_of(change: Presence) -> FleetEvent {
    match change {
        Presence::Lost(name) => {
            warn!("{name} has stopped sending");
            FleetEvent::Lost(name)
        }
        Presence::Back(name) => {
            info!("{name} is back");
            FleetEvent::Back(name)
        }
    }
}

/// The connection and who is heard through it.
struct Ear {
    link: Link,
    frames: async_nats::Subscriber,
    sites: async_nats::Subscriber,
    cues: async_nats::Subscriber,
    audience: Audience,
    server: String,
    /// What was said of the source last.
    told: Told,
    away_since: Option<Instant>,
    /// Number of refused cues at the last report, and the time of that report.
    flooded: (u64, Instant),
}

#[derive(PartialEq)]
enum Told {
    Nothing,
    Up(Option<Shortfall>),
    Down(Shortfall),
}

impl Ear {
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
            audience: Audience::new(site.name.clone(), Instant::now()),
            server: site.nats.url.clone(),
            told: Told::Nothing,
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
                && self.told != Told::Down(trouble.clone())
            {
                self.told = Told::Down(trouble.clone());
                send(events, SourceEvent::Down(trouble)).await?;
            }
            return Ok(());
        }
        if self.away_since.take().is_some() {
            self.audience.members.listening_again(now);
        }
        let info = self.info();
        if self.told != Told::Up(info.shortfall.clone()) {
            let was_up = matches!(self.told, Told::Up(_));
            self.told = Told::Up(info.shortfall.clone());
            let event = if was_up { SourceEvent::Described(info) } else { SourceEvent::Up(info) };
            send(events, event).await?;
        }
        for fallen in self.audience.members.fallen_silent(now) {
            tell(events, event_of(fallen)).await?;
        }
        self.report_flooded(now, events).await?;
        let site = self.audience.look(now, now_unix_ms());
        tell(events, FleetEvent::Site(site)).await
    }

    /// Reports refused cues as lost cues. Reports at intervals, because each report is logged.
    async fn report_flooded<E: From<SourceEvent>>(
        &mut self,
        now: Instant,
        events: &mpsc::Sender<E>,
    ) -> Result<(), SourceEnded> {
        let (reported, at) = self.flooded;
        let flooded = self.audience.members.refused().flooded;
        if flooded == reported || now.duration_since(at) < FLOODED_INTERVAL {
            return Ok(());
        }
        self.flooded = (flooded, now);
        send(events, SourceEvent::Lost { cues: flooded - reported }).await
    }

    fn info(&self) -> SourceInfo {
        SourceInfo {
            kind: SourceKind::Site,
            detail: format!("site {} at {}", self.audience.members.site(), self.server),
            shortfall: self.link.trouble(),
            limit: None,
            machine: None,
            scope: Scope::Machine,
            interval_ms: TICK_MS,
            availability: Counter::ALL.map(|_| Availability::Available),
        }
    }
}
