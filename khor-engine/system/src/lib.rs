//! Access to the operating system for khor's unprivileged programs.
//!
//! [`files`] reads and writes the user's files safely. [`peer`] finds the user at the other end of
//! a connection. [`clock`] and [`local_time`] read the time and the time zone. [`cgroup_name`]
//! checks texts that select a cgroup. A [`NetDevice`] reads the properties of a network device from
//! sysfs. [`words`] formats numbers and texts for users. A [`Shortfall`] describes a missing
//! prerequisite and how to fix it.

pub mod cgroup_name;
pub mod clock;
pub mod files;
pub mod local_time;
mod net_device;
pub mod peer;
mod shortfall;
pub mod words;

pub use self::{net_device::NetDevice, shortfall::Shortfall};
