//! khor's engine: turns what a machine is doing into signals, music and sound.
//!
//! Data flows one way, and the rooms depend on each other only in that direction: [`source`] →
//! [`signal`] → [`music`] → [`synth`] → [`output`]. `signal`, `music` and `synth` do no I/O, take
//! clock and seed as inputs, and run the same offline and live. Around them: [`config`] keeps the
//! settings, [`engine`] runs the rooms live, [`http`] shows and steers it, [`control`] steers it by
//! OSC, [`dbus`] by the desktop, [`doctor`] says what is in its way, [`relay`] sends what this
//! machine does to others over [`nats`], `engine_file` publishes the address of the running engine,
//! `peer` finds the user at the other end of a connection, [`OwnTraffic`] counts what khor itself
//! sends and receives, [`local_time`] is the local time zone,
//! [`cli`] is the command line. [`files`] opens the user's files for all of them.

// A full disk or a closed terminal must not end khor: `cli::print` prints without panicking.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod cli;
pub mod config;
pub mod control;
pub mod dbus;
pub mod doctor;
pub mod engine;
mod engine_file;
mod fair;
pub mod http;
pub use khor_music as music;
pub use khor_output as output;
pub use khor_own_traffic as own;
pub use khor_signal as signal;
pub use khor_site::{self as site, nats};
pub use khor_source as source;
pub use khor_synth as synth;
pub use khor_system::{clock, files, local_time, peer, shown_path, words};
mod turns;

pub use own::OwnTraffic;
