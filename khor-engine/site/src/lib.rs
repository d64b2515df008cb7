//! Publishes and receives the state of many hosts (a site) over NATS.
//!
//! A [`relay`] publishes either the state of one host, or the sum over all hosts of a site. An
//! engine receives the messages of both kinds of relays. `docs/site.md` follows one frame from a
//! relay to a note.

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
