//! `khor relay --aggregate`: hears all of a site, and tells of it within another as one.
//!
//! Several may share the load: NATS gives each message to one of them, any one, so consecutive frames of a host come to
//! different ones. Nothing here depends on which. A frame is added up where it comes, once, and what was added up is sent and
//! begun anew, so whoever adds the sums has every frame once. Who sends and who is silent each of them knows of all hosts, since
//! each hears all in the long run; with silence it waits the longer the more they are. Here is the connection; what is known is in
//! `room`.

use std::{io, time::Duration};

use async_nats::{Message as Heard, Subscriber};
use futures_util::StreamExt;
use khor_fleet::{
    Name,
    subject::{self, Kind},
};
use tokio::time::Instant;
use tracing::{info, warn};

use super::{
    Progress, RelayError,
    room::{Room, fitting},
    ticks,
};
use crate::nats::{Link, Nats};
use khor_system::clock::now_unix_ms;

/// The queue group of those who share a site.
const GROUP: &str = "khor";
/// Cues that are passed on in a second; what there is more is let go and counted.
const CUES_A_SECOND: u32 = 20;

/// What one that aggregates is told.
#[derive(Clone, Debug)]
pub struct AggregateSettings {
    /// The site that is heard.
    pub heard: Name,
    /// The site that it is told to; another.
    pub site: Name,
    /// The server.
    pub nats: Nats,
    /// Frames per second, 2..=20.
    pub rate_hz: u8,
}

/// Aggregates until `stopped` is ready; shows how it goes with each frame.
pub async fn run(
    settings: &AggregateSettings,
    stopped: impl Future<Output = io::Result<()>>,
    mut show: impl FnMut(&Progress),
) -> Result<Progress, RelayError> {
    let mut aggregator = Aggregator::open(settings).await?;
    let mut frames = ticks(Duration::from_secs(1) / u32::from(settings.rate_hz.clamp(2, 20)));
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let Ears { hosts, sites, cues, peers } = &mut aggregator.ears;
        tokio::select! {
            Some(Heard { subject, payload, .. }) = hosts.next() => {
                aggregator.room.host(&subject, &payload, Instant::now());
            }
            Some(Heard { subject, payload, .. }) = sites.next() => {
                aggregator.room.site(&subject, &payload, Instant::now());
            }
            Some(message) = cues.next() => aggregator.pass_on(message).await,
            Some(message) = peers.next() => aggregator.room.peer(&message.payload, Instant::now()),
            _ = frames.tick() => {
                aggregator.tell().await;
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

/// What is heard.
struct Ears {
    hosts: Subscriber,
    sites: Subscriber,
    cues: Subscriber,
    /// All of it: those who tell of the same site, and what this one says itself.
    peers: Subscriber,
}

/// One at work.
struct Aggregator {
    link: Link,
    ears: Ears,
    room: Room,
    subject: String,
    parent: Name,
    cues_left: u32,
    cues_since: Instant,
    progress: Progress,
}

impl Aggregator {
    async fn open(settings: &AggregateSettings) -> Result<Self, RelayError> {
        let AggregateSettings { heard, site, nats, .. } = settings;
        let link = Link::open(nats).await?;
        let share = |kind| link.subscribe_share(subject::of_site(heard, kind), GROUP);
        let subject = subject::of_host(site, heard, Kind::Site);
        let ears = Ears {
            hosts: share(Kind::Frame).await?,
            sites: share(Kind::Site).await?,
            cues: share(Kind::Cue).await?,
            peers: link.subscribe(subject.clone()).await?,
        };
        let now = Instant::now();
        Ok(Self {
            ears,
            room: Room::new(heard.clone(), fastrand::u32(..), now),
            subject,
            parent: site.clone(),
            cues_left: CUES_A_SECOND,
            cues_since: now,
            progress: Progress::default(),
            link,
        })
    }

    /// Says what was heard since it was said last. While the server is away nobody is missed for that.
    async fn tell(&mut self) {
        let now = Instant::now();
        self.follow_link(now);
        let sent = self.progress.connected && self.say(now).await;
        self.room.begin_anew(now);
        *(if sent { &mut self.progress.frames } else { &mut self.progress.dropped }) += 1;
        self.room.report(&mut self.progress.heard);
    }

    async fn say(&mut self, now: Instant) -> bool {
        let frame = self.room.frame(now, now_unix_ms());
        let Some(bytes) = fitting(frame, &self.room.blend, self.link.longest_message()) else { return false };
        self.progress.heard.frame_bytes = bytes.len() as u64;
        self.link.send(&self.subject, bytes).await
    }

    /// While the server was away nobody could be heard.
    fn follow_link(&mut self, now: Instant) {
        let connected = self.link.is_up();
        self.progress.trouble = self.link.trouble().filter(|_| !connected || self.link.drops_long_messages());
        if std::mem::replace(&mut self.progress.connected, connected) == connected {
            return;
        }
        if connected {
            self.room.members.listening_again(now);
            info!("telling {} of {}", self.parent, self.room.members.site());
        } else {
            warn!("nothing is heard or told any more; it begins anew once the server is back");
        }
    }

    /// Cues go on as they are, under the other site.
    async fn pass_on(&mut self, message: Heard) {
        let now = Instant::now();
        let taken = self.room.members.plain_cue(&message.subject, &message.payload, now);
        let Some((cue, _)) = taken else { return };
        if now.duration_since(self.cues_since) >= Duration::from_secs(1) {
            (self.cues_left, self.cues_since) = (CUES_A_SECOND, now);
        }
        let subject = subject::of_host(&self.parent, &cue.host, Kind::Cue);
        if self.cues_left > 0 && self.link.send(&subject, message.payload.to_vec()).await {
            self.cues_left -= 1;
            self.progress.cues += 1;
        } else {
            self.progress.heard.cues_let_go += 1;
        }
    }
}
