//! Tools of the end-to-end tests: they run khor's built programs on the running kernel, with the
//! servers, users and loads that a test needs.

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
pub mod libraries;
pub mod limited;
pub mod load;
mod lock;
pub mod mount;
pub mod namespace;
pub mod network;
pub mod osc;
pub mod pipewire;
pub mod port;
pub mod procfs;
pub mod pulse;
pub mod raw_http;
pub mod scrape;
pub mod second_user;
pub mod simulated;
pub mod site;
pub mod skip;
pub mod streamed;
pub mod subscriber;
pub mod terminal;
#[cfg(test)]
mod threats;
pub mod wait;

pub use self::{
    bus::{Bus, Monitor},
    cgroup::Cgroup,
    collector::{Bracket, Collector, CounterReading, bracket},
    crash::{Crashes, crash},
    engine::Engine,
    limited::LimitedCollector,
    mount::Mount,
    namespace::Namespace,
    pipewire::PipeWire,
    port::free_port,
    pulse::Pulse,
    scrape::Scrape,
    second_user::{SecondUser, UserEngine},
    skip::skip,
    streamed::Streamed,
    subscriber::Subscriber,
    terminal::Terminal,
    wait::{Wait, wait_for, wait_until, wait_until_async},
};
