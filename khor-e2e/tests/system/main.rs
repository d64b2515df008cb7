//! Tests of the installed collector in a whole Debian, under the real systemd.
//! `cargo xtask vm debian` runs them as root.
//!
//! They stop services and suspend the machine, so they run nowhere else. Each leaves both units
//! running.

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
