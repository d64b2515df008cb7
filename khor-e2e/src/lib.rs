//! Drives the built programs on the running kernel: what every end-to-end test needs.

pub mod access;
pub mod bus;
pub mod cgroup;
pub mod collector;
pub mod connections;
pub mod crash;
pub mod crowd;
pub mod documents;
pub mod engine;
pub mod hostile_text;
pub mod hosts;
pub mod listener;
pub mod load;
mod lock;
pub mod mount;
pub mod network;
pub mod osc;
pub mod pipewire;
pub mod port;
pub mod procfs;
pub mod pulse;
pub mod raw_http;
pub mod second_user;
pub mod simulated;
pub mod site;
pub mod skip;
pub mod streamed;
pub mod terminal;
#[cfg(test)]
mod threats;
pub mod wait;

pub use bus::{Bus, Monitor};
pub use cgroup::Cgroup;
pub use collector::{Bracket, Collector, Reading, bracket};
pub use crash::{Crashes, crash};
pub use engine::Engine;
pub use listener::Listener;
pub use mount::Mount;
pub use pipewire::PipeWire;
pub use port::free_port;
pub use pulse::Pulse;
pub use second_user::{SecondUser, UserEngine};
pub use skip::skip;
pub use streamed::Streamed;
pub use terminal::Terminal;
pub use wait::{Wait, wait_for, wait_until, wait_until_async};
