//! What khor's unprivileged programs need of the operating system.
//!
//! [`files`] opens the user's files safely, [`peer`] finds the user at the other end of a
//! connection, [`clock`] and [`local_time`] give the time. A [`NetDevice`] is what sysfs shows of a network
//! device. [`words`] and [`shown_path`] make text for
//! people, and a [`Shortfall`] says what is missing and how to mend it.

pub mod clock;
pub mod files;
pub mod local_time;
mod net_device;
pub mod peer;
mod shortfall;
pub mod shown_path;
pub mod words;

pub use self::{net_device::NetDevice, shortfall::Shortfall};
