//! Simulates a site without a network. It has the hosts' relays, an aggregating relay, the engine's
//! tracker and a simulated clock. Only the NATS server is missing.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use khor_fleet::{
    Message, Name, NameError,
    subject::{self, Kind},
};
use khor_signal::{Catalogue, Reading};
use khor_site::{Clocks, Identity, Site, SiteTracker, relay::SiteFrameBuilder};
use khor_source::SourceKind;
use tokio::time::Instant;

/// How the relays of a site publish the readings of its hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayMode {
    /// One relay for each host.
    PerHost,
    /// One relay that aggregates all hosts.
    Aggregated,
}

/// A site whose hosts publish through relays to a single tracker.
pub(crate) struct OfflineSite {
    site: Name,
    hosts: Vec<(Name, Identity)>,
    /// The aggregating relay; `None` if each host has its own relay.
    builder: Option<SiteFrameBuilder>,
    tracker: SiteTracker,
    begun: Instant,
    seq: u64,
}

impl OfflineSite {
    /// Creates a site from pairs of host name and section name.
    ///
    /// # Errors
    ///
    /// Returns an error if the name of a host or section is invalid.
    pub(crate) fn new<'a>(
        hosts: impl IntoIterator<Item = (&'a str, &'a str)>,
        relays: RelayMode,
    ) -> Result<Self, NameError> {
        let (site, begun) = (Name::new("rehearsal")?, Instant::now());
        let identity = |(name, section)| {
            let name = Name::new(name)?;
            Ok((name.clone(), Identity::new(name, Some(Name::new(section)?))))
        };
        let builder = || SiteFrameBuilder::new(site.clone(), 1, begun);
        Ok(Self {
            hosts: hosts.into_iter().map(identity).collect::<Result<_, _>>()?,
            builder: (relays == RelayMode::Aggregated).then(builder),
            tracker: SiteTracker::new(site.clone(), begun),
            site,
            begun,
            seq: 0,
        })
    }

    /// Publishes each host's reading at the time `at` after the start of the site. `readings` must
    /// be in the order of the hosts. Returns the engine's snapshot of the site.
    ///
    /// # Panics
    ///
    /// Panics if a reading is too long for a frame.
    pub(crate) fn publish<'a>(
        &mut self,
        at: Duration,
        readings: impl IntoIterator<Item = Option<&'a Reading>>,
    ) -> Arc<Site> {
        let (now, wall_ms) = (self.begun + at, at.as_millis() as u64);
        let clocks = Clocks { monotonic_ms: wall_ms, wall_ms };
        let catalogue = Catalogue::kernel();
        for ((name, identity), reading) in self.hosts.iter().zip(readings) {
            let frame = identity.frame(
                self.seq,
                clocks,
                Some(SourceKind::Collector),
                reading.map(|reading| (reading, &catalogue)),
            );
            let bytes = Bytes::from(frame.write().expect("a host's frame"));
            let subject = subject::of_host(&self.site, name, Kind::Frame);
            match &mut self.builder {
                Some(builder) => builder.host_frame(&subject, &bytes, now),
                None => drop(self.tracker.host_frame(&subject, &bytes, now, wall_ms)),
            }
        }
        self.seq += 1;
        if let Some(builder) = &mut self.builder {
            let bytes = builder.encode(now, wall_ms, usize::MAX).expect("a site's frame");
            builder.reset(now);
            let subject = subject::of_host(&self.site, &self.site, Kind::Site);
            drop(self.tracker.site_frame(&subject, &bytes, now, wall_ms));
        }
        self.tracker.snapshot(now, wall_ms)
    }
}
