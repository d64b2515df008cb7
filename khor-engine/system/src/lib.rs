//! Functions of the operating system that khor's unprivileged programs use.
//!
//! [`files`] opens the user's files safely, and [`peer`] finds the user at the other end of a
//! connection. [`clock`] and [`local_time`] give the time. [`cgroup_name`] checks texts that select
//! a cgroup. A [`NetDevice`] has the properties of a network device from sysfs. [`words`] makes
//! text for people. A [`Shortfall`] names a missing prerequisite and the fix.

pub mod cgroup_name;
pub mod clock;
pub mod files;
pub mod local_time;
mod net_device;
pub mod peer;
mod shortfall;
pub mod words;

pub use self::{net_device::NetDevice, shortfall::Shortfall};
