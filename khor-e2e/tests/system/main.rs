//! Tests the installed packages in a complete Debian system with systemd. `cargo xtask vm debian`
//! runs the tests as root in a virtual machine.
//!
//! The tests stop services and suspend the machine, so they run only in this virtual machine. Each
//! test leaves both units of the collector running when it ends.

mod access;
mod boot;
mod http;
mod life;
mod own_traffic;
mod package;
mod relay;
mod relay_package;
mod session;
mod suspend;
mod two_users;
mod unit;
