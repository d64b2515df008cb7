//! Drives the built programs on the running kernel: what every end-to-end test needs.

pub mod collector;
pub mod engine;
pub mod load;
pub mod procfs;
pub mod pulse;
pub mod skip;
mod wait;

pub use collector::{Bracket, Collector, Reading, bracket};
pub use engine::Engine;
pub use pulse::Pulse;
pub use skip::skip;
pub use wait::wait_until;
