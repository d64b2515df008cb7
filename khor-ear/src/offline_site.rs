//! A whole site without network, on a simulated clock: the relays of the hosts, a relay that aggregates them, and a
//! listener. It judges the sound of a site with the code that runs live, except the server.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use khor_fleet::{
    Message, Name, NameError,
    subject::{self, Kind},
};
use khor_signal::Reading;
use khor_site::{
    Audience, Site,
    relay::{Clocks, Identity, Room, fitting},
};
use khor_source::SourceKind;
use tokio::time::Instant;

/// How relays report the hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayMode {
    /// Each host through its own relay.
    PerHost,
    /// All hosts through a relay that aggregates them.
    Aggregated,
}

/// A site.
pub(crate) struct OfflineSite {
    site: Name,
    hosts: Vec<(Name, Identity)>,
    /// The relay between the hosts and the listener.
    room: Option<Room>,
    audience: Audience,
    begun: Instant,
    seq: u64,
}

impl OfflineSite {
    /// A site with these hosts, each with its section.
    ///
    /// # Errors
    ///
    /// Of a name that is none.
    pub(crate) fn new<'a>(
        hosts: impl IntoIterator<Item = (&'a str, &'a str)>,
        relays: RelayMode,
    ) -> Result<Self, NameError> {
        let (site, begun) = (Name::new("rehearsal")?, Instant::now());
        let speaking = |(name, section)| {
            let name = Name::new(name)?;
            Ok((name.clone(), Identity::new(name, Some(Name::new(section)?))))
        };
        Ok(Self {
            hosts: hosts.into_iter().map(speaking).collect::<Result<_, _>>()?,
            room: (relays == RelayMode::Aggregated).then(|| Room::new(site.clone(), 1, begun)),
            audience: Audience::new(site.clone(), begun),
            site,
            begun,
            seq: 0,
        })
    }

    /// Publishes the reading of each host, in the order of [`Self::new`], at a time since the start of the site. Returns
    /// what the listener then knows.
    ///
    /// # Panics
    ///
    /// When a reading is too long for a frame, which is a bug of its composer.
    pub(crate) fn publish<'a>(
        &mut self,
        at: Duration,
        readings: impl IntoIterator<Item = Option<&'a Reading>>,
    ) -> Arc<Site> {
        let (now, wall_ms) = (self.begun + at, at.as_millis() as u64);
        let clocks = Clocks { monotonic_ms: wall_ms, wall_ms };
        for ((name, identity), reading) in self.hosts.iter().zip(readings) {
            let frame = identity.frame(self.seq, clocks, Some(SourceKind::Collector), reading);
            let bytes = Bytes::from(frame.write().expect("a host's frame"));
            let subject = subject::of_host(&self.site, name, Kind::Frame);
            match &mut self.room {
                Some(room) => room.host(&subject, &bytes, now),
                None => drop(self.audience.frame(&subject, &bytes, now, wall_ms)),
            }
        }
        self.seq += 1;
        if let Some(room) = &mut self.room {
            let frame = room.frame(now, wall_ms);
            let bytes = fitting(frame, &room.blend, usize::MAX).expect("a site's frame");
            room.begin_anew(now);
            let subject = subject::of_host(&self.site, &self.site, Kind::Site);
            drop(self.audience.site_frame(&subject, &bytes, now, wall_ms));
        }
        self.audience.look(now, wall_ms)
    }
}
