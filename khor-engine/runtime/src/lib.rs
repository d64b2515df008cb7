//! Runs khor's engine and serves its clients.
//!
//! [`engine`] runs the source, the signals, the music and the outputs. [`http`] serves the API and
//! the page, [`control`] receives OSC commands, and [`dbus`] serves the user's desktop. [`doctor`]
//! finds problems on this machine. [`engine_file`] publishes the address of the running engine.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod control;
pub mod dbus;
pub mod doctor;
pub mod engine;
pub mod engine_file;
pub mod fair_share;
pub mod http;
mod rounding;
mod work_queue;
