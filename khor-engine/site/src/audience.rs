//! Who listens to a site, without the connection: who is heard, and the last second of those who come added up. No I/O.

use std::sync::Arc;

use khor_fleet::Name;
use tokio::time::Instant;

use super::{
    members::{Members, Presence, Site},
    window::Window,
};

/// Hears what a site says.
pub struct Audience {
    pub(super) members: Members,
    /// Of the last second, where sites within the site are heard.
    window: Window,
}

impl Audience {
    /// Listens to this site from now on.
    pub fn new(site: Name, now: Instant) -> Self {
        Self { members: Members::new(site, now), window: Window::new() }
    }

    /// Takes a host's frame, and says whether that had been silent.
    pub fn frame(&mut self, subject: &str, bytes: &[u8], now: Instant, wall_ms: u64) -> Option<Presence> {
        let have_sites = self.members.have_sites();
        let arrival = self.members.frame(subject, bytes, now, wall_ms)?;
        if have_sites {
            self.window.now(now).record(arrival.host.section.as_ref(), &arrival.host.reading);
        }
        arrival.is_back.then(|| Presence::Back(arrival.host.name.clone()))
    }

    /// Takes a site's frame, and says who went and came there.
    pub fn site_frame(&mut self, subject: &str, bytes: &[u8], now: Instant, wall_ms: u64) -> Vec<Presence> {
        let Some((frame, changes)) = self.members.site_frame(subject, bytes, now, wall_ms) else {
            return Vec::new();
        };
        self.window.now(now).add_frame(&frame);
        changes
    }

    /// Everybody now.
    pub fn look(&mut self, now: Instant, wall_ms: u64) -> Arc<Site> {
        let summed = self.members.have_sites().then(|| self.window.sum(now, wall_ms * 1_000_000));
        self.members.look(now, summed)
    }
}
