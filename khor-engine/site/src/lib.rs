//! A site: many machines over NATS.
//!
//! A [`relay`] publishes what one host does, or the sum over all hosts of a site. An engine
//! subscribes to both. The page `docs/site.md` follows one frame from a relay to a note.

mod added_lanes;
mod aggregate;
mod codec;
mod lane_signal;
mod membership;
pub mod nats;
pub mod relay;
mod subscriber;
#[cfg(test)]
mod testing;
mod tracker;

pub use self::{
    codec::{Clocks, Identity},
    membership::{Admission, Host, MembershipChange, Refused, SubSite},
    subscriber::{FleetEvent, SiteSettings, subscribe},
    tracker::{SectionSummary, Site, SiteSummary, SiteTracker},
};
