//! The members of a site: its hosts, its sub-sites, and the messages that were rejected.

mod cue_limits;
mod host;
mod refused;
mod roster;
mod sub_sites;

pub use self::{
    cue_limits::Admission,
    host::{Host, MembershipChange},
    refused::Refused,
    sub_sites::SubSite,
};
pub(crate) use self::{
    host::TrackedHost,
    roster::{HostRoster, pool_sections},
    sub_sites::{SiteOutcome, SubSites},
};
