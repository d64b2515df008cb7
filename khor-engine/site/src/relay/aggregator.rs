//! `khor relay --aggregate`: receives the frames of a site, and publishes their sum within another
//! site.
//!
//! Several relays may share a site. NATS then delivers each message to one of them, so consecutive
//! frames of a host arrive at different relays. Each relay adds up the frames that it receives,
//! sends the sum, and begins the next sum. So each frame is part of exactly one sum. Over time,
//! each relay receives frames of every host, so each relay counts all hosts. The more relays share
//! a site, the longer each of them waits before it reports a host as silent.

use std::{io, time::Duration};

use async_nats::{Message, Subscriber};
use futures_util::StreamExt;
use khor_fleet::{
    Name,
    subject::{self, Kind},
};
use khor_system::clock::now_unix_ms;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{
    progress::{Progress, RelayError, ticks},
    site_frame::SiteFrameBuilder,
};
use crate::nats::{Link, NatsSettings};

/// The queue group of the relays that share a site.
const GROUP: &str = "khor";
/// Maximum number of cues that are passed on in a second. Further cues are dropped and counted.
const CUES_A_SECOND: u32 = 20;

/// The settings of a relay that aggregates.
#[derive(Clone, Debug)]
pub struct AggregateSettings {
    /// The site whose hosts are aggregated.
    pub aggregated: Name,
    /// Name of the site to which the relay publishes the sum. It differs from the site whose hosts
    /// are summed.
    pub site: Name,
    /// The server.
    pub nats: NatsSettings,
    /// Frames per second, 2..=20.
    pub rate_hz: u8,
}

/// Aggregates until `stopped` is ready. Calls `show` after each frame.
pub async fn aggregate(
    settings: &AggregateSettings,
    stopped: impl Future<Output = io::Result<()>>,
    mut show: impl FnMut(&Progress),
) -> Result<Progress, RelayError> {
    let mut aggregator = Aggregator::open(settings).await?;
    let mut frames = ticks(Duration::from_secs(1) / u32::from(settings.rate_hz.clamp(2, 20)));
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let Subscriptions { hosts, sites, cues, peers } = &mut aggregator.subscriptions;
        tokio::select! {
            Some(Message { subject, payload, .. }) = hosts.next() => {
                aggregator.builder.host_frame(&subject, &payload, Instant::now());
            }
            Some(Message { subject, .. }) = sites.next() => aggregator.builder.refuse_site_frame(&subject),
            Some(message) = cues.next() => aggregator.pass_on(message).await,
            Some(message) = peers.next() => aggregator.builder.peer_frame(&message.payload, Instant::now()),
            _ = frames.tick() => {
                aggregator.send_frame().await;
                show(&aggregator.progress);
            }
            stopped = &mut stopped => {
                stopped?;
                aggregator.link.close().await;
                return Ok(aggregator.progress);
            }
        }
    }
}

struct Subscriptions {
    hosts: Subscriber,
    /// The frames of sub-sites. The relay rejects and counts them.
    sites: Subscriber,
    cues: Subscriber,
    /// The site frames of all relays that share the site. They include this relay's own frames.
    peers: Subscriber,
}

/// A running relay.
struct Aggregator {
    link: Link,
    subscriptions: Subscriptions,
    builder: SiteFrameBuilder,
    subject: String,
    parent: Name,
    cues_left: u32,
    cues_since: Instant,
    progress: Progress,
}

impl Aggregator {
    async fn open(settings: &AggregateSettings) -> Result<Self, RelayError> {
        let AggregateSettings { aggregated, site, nats, .. } = settings;
        let link = Link::open(nats).await?;
        let share = |kind| link.subscribe_share(subject::of_site(aggregated, kind), GROUP);
        let subject = subject::of_host(site, aggregated, Kind::Site);
        let subscriptions = Subscriptions {
            hosts: share(Kind::Frame).await?,
            sites: share(Kind::Site).await?,
            cues: share(Kind::Cue).await?,
            peers: link.subscribe(subject.clone()).await?,
        };
        let now = Instant::now();
        Ok(Self {
            subscriptions,
            builder: SiteFrameBuilder::new(aggregated.clone(), fastrand::u32(..), now),
            subject,
            parent: site.clone(),
            cues_left: CUES_A_SECOND,
            cues_since: now,
            progress: Progress::default(),
            link,
        })
    }

    /// Sends the sum of the frames that arrived since the last site frame. Drops the sum if the
    /// server is unavailable.
    async fn send_frame(&mut self) {
        let now = Instant::now();
        self.follow_link(now);
        let sent = self.progress.connected && self.try_send(now).await;
        self.builder.reset(now);
        *(if sent { &mut self.progress.frames } else { &mut self.progress.dropped }) += 1;
        self.builder.report(&mut self.progress.received);
    }

    async fn try_send(&mut self, now: Instant) -> bool {
        let encoded = self.builder.encode(now, now_unix_ms(), self.link.longest_message());
        let Some(bytes) = encoded else { return false };
        self.progress.received.frame_bytes = bytes.len() as u64;
        self.link.send(&self.subject, bytes).await
    }

    /// Updates the state of the connection, and logs changes.
    fn follow_link(&mut self, now: Instant) {
        let connected = self.link.is_up();
        self.progress.trouble = self.link.trouble().filter(|_| !connected || self.link.drops_long_messages());
        if std::mem::replace(&mut self.progress.connected, connected) == connected {
            return;
        }
        if connected {
            self.builder.reconnected(now);
            info!("publishing the sum of the site {} in the site {}", self.builder.site(), self.parent);
        } else {
            warn!("the server is unavailable; frames are dropped until it answers again");
        }
    }

    /// Publishes a host's cue, unchanged, in the site in which the sum is published.
    async fn pass_on(&mut self, message: Message) {
        let now = Instant::now();
        let taken = self.builder.cue(&message.subject, &message.payload, now);
        let Some((cue, _)) = taken else { return };
        if now.duration_since(self.cues_since) >= Duration::from_secs(1) {
            (self.cues_left, self.cues_since) = (CUES_A_SECOND, now);
        }
        let subject = subject::of_host(&self.parent, &cue.host, Kind::Cue);
        if self.cues_left > 0 && self.link.send(&subject, message.payload.to_vec()).await {
            self.cues_left -= 1;
            self.progress.cues += 1;
        } else {
            self.progress.received.cues_dropped += 1;
        }
    }
}
