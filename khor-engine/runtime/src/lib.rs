//! Runs khor: one source, its signals, the music and the outputs.
//!
//! [`engine`] runs everything. [`http`] serves the API and the
//! page, [`control`] receives OSC, and [`dbus`] serves the desktop. [`doctor`] finds problems on
//! this machine. [`engine_file`] publishes the address of the running engine.

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
