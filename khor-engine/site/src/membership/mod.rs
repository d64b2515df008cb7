//! Who belongs to a site: its hosts, the sites within it, who is silent, and what was refused.

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
