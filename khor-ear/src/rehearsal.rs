//! A whole site without its network and by a clock of one's own: relays of hosts, one that aggregates them, who listens. It
//! is for judging what a site sounds like: all but the server is what runs live.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use khor_fleet::{
    Message, Name, NameError,
    subject::{self, Kind},
};
use tokio::time::Instant;

use khor_signal::Reading;
use khor_site::{
    Audience, Site,
    relay::{Clocks, Identity, Room, fitting},
};
use khor_source::SourceKind;

/// Who tells of the hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relays {
    /// Their own, one by one.
    Apart,
    /// One that aggregates them.
    Together,
}

/// A site.
pub(crate) struct Rehearsal {
    site: Name,
    hosts: Vec<(Name, Identity)>,
    /// Between the hosts and who listens.
    room: Option<Room>,
    audience: Audience,
    begun: Instant,
    seq: u64,
}

impl Rehearsal {
    /// A site with these hosts, each with its section.
    ///
    /// # Errors
    ///
    /// Of a name that is none.
    pub(crate) fn new<'a>(
        hosts: impl IntoIterator<Item = (&'a str, &'a str)>,
        relays: Relays,
    ) -> Result<Self, NameError> {
        let (site, begun) = (Name::new("rehearsal")?, Instant::now());
        let speaking = |(name, section)| {
            let name = Name::new(name)?;
            Ok((name.clone(), Identity::new(name, Some(Name::new(section)?))))
        };
        Ok(Self {
            hosts: hosts.into_iter().map(speaking).collect::<Result<_, _>>()?,
            room: (relays == Relays::Together).then(|| Room::new(site.clone(), 1, begun)),
            audience: Audience::new(site.clone(), begun),
            site,
            begun,
            seq: 0,
        })
    }

    /// Each host says its reading, in the order in which the site was given them, so long after the site began; what who listens
    /// knows then.
    ///
    /// # Panics
    ///
    /// When what is said is too long for a frame, which is a mistake of whoever composes it.
    pub(crate) fn say<'a>(
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
