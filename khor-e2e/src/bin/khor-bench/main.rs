//! Measures the built programs on the running kernel and prints raw figures as JSON. `cargo xtask
//! bench` builds and runs this program, and compares the figures with their limits.
//!
//! This program is separate from xtask, so that xtask compiles without aya and tokio.

mod alone;
mod cost;
mod crowd;
mod figure;
mod fleet;
mod gaps;
mod http;
mod idle;
mod latency;
mod probes;
mod recovery;
mod yardstick;

use clap::{Parser, ValueEnum};
use serde_json::Value;

use self::figure::Figure;

#[derive(Parser)]
#[command(about = "Measures the built programs, as JSON; see cargo xtask bench", max_term_width = 80)]
struct Options {
    what: What,
    #[command(flatten)]
    fleet: fleet::FleetOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Probes,
    Alone,
    Crowd,
    Latency,
    Idle,
    Gaps,
    Recovery,
    Http,
    Fleet,
    /// The minimal program that `alone` compares the collector with
    #[value(hide = true)]
    Metronome,
}

fn main() {
    let options = Options::parse();
    let figures = match options.what {
        What::Probes => probes::measure(),
        What::Alone => alone::measure(),
        What::Crowd => crowd::measure(),
        What::Latency => latency::measure(),
        What::Idle => idle::measure(),
        What::Gaps => gaps::measure(),
        What::Recovery => recovery::measure(),
        What::Http => http::measure(),
        What::Fleet => fleet::measure(&options.fleet),
        What::Metronome => return alone::metronome(),
    };
    println!("{}", figures.into_iter().map(Figure::into_json).collect::<Value>());
}
