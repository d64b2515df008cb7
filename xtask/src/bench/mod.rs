//! `cargo xtask bench [collector|synth|latency|recovery|idle|gaps|http|fleet]`: builds release
//! programs, measures, and shows one table.
//!
//! Each module measures one thing and states its limits. `khor-bench` (khor-e2e) measures what
//! needs eBPF or the protocol, so that xtask compiles quickly. A result never makes the command
//! fail, because it depends on the machine and on other programs that run.

mod collector;
mod fleet;
mod gaps;
mod http;
mod idle;
mod latency;
mod recovery;
mod row;
mod synth;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::Value;

use self::row::{Promise, Row};
use crate::{
    packages,
    process::{as_root, output},
    release,
};

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// What to measure [default: all]
    #[arg(value_enum)]
    what: Vec<What>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum What {
    /// Cost of the in-kernel programs, and of the process with 1 and 200 subscribers
    Collector,
    /// Speed of synth and render
    Synth,
    /// From program starts to OSC
    Latency,
    /// From a restarted sound server or collector to sound or counts; from a crash to its note
    Recovery,
    /// CPU and memory while nothing happens
    Idle,
    /// Whether the sound holds for ten minutes while every processor is busy
    Gaps,
    /// How the API answers while many watch and listen, for ten minutes
    Http,
    /// An engine that hears 1,000 and 10,000 hosts, directly and through relays that aggregate
    Fleet,
}

/// In the order of the table.
const ALL: [What; 8] = [
    What::Collector,
    What::Synth,
    What::Latency,
    What::Recovery,
    What::Idle,
    What::Gaps,
    What::Http,
    What::Fleet,
];

impl What {
    fn title(self) -> &'static str {
        match self {
            Self::Collector => collector::TITLE,
            Self::Synth => synth::TITLE,
            Self::Latency => latency::TITLE,
            Self::Recovery => recovery::TITLE,
            Self::Idle => idle::TITLE,
            Self::Gaps => gaps::TITLE,
            Self::Http => http::TITLE,
            Self::Fleet => fleet::TITLE,
        }
    }

    fn measure(self) -> Result<Vec<Row>> {
        match self {
            Self::Collector => {
                let parts = collector::PARTS.map(|part| measured_by_bench(part, collector::promise));
                parts.into_iter().collect::<Result<Vec<_>>>().map(|rows| rows.into_iter().flatten().collect())
            }
            Self::Synth => synth::measure(),
            Self::Latency => measured_by_bench("latency", latency::promise),
            Self::Recovery => measured_by_bench("recovery", recovery::promise),
            Self::Idle => measured_by_bench("idle", idle::promise),
            Self::Gaps => measured_by_bench("gaps", gaps::promise),
            Self::Http => measured_by_bench("http", http::promise),
            Self::Fleet => measured_by_bench("fleet", fleet::promise),
        }
    }
}

pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    packages::install(&[packages::BUILD])?;
    if let Err(error) = packages::install(&[packages::BENCH]) {
        eprintln!("{error:#}; what needs it is left out");
    }
    build()?;
    let mut json = Value::Array(Vec::new());
    for what in ALL.into_iter().filter(|what| args.what.is_empty() || args.what.contains(what)) {
        eprintln!("measuring: {}", what.title());
        let rows =
            what.measure().unwrap_or_else(|error| vec![Row::missing("all of it", &format!("{error:#}"))]);
        if args.json {
            json.as_array_mut().context("an array")?.extend(rows.iter().map(|row| row.to_json(what.title())));
        } else {
            println!("{}", row::table(what.title(), &rows));
        }
    }
    if args.json {
        println!("{json:#}");
    }
    Ok(())
}

/// Nothing of it goes to standard output, which may be JSON.
fn build() -> Result<()> {
    eprintln!("building, optimised");
    let packages = ["khor-collector", "khor", "khor-e2e"].map(|package| ["--package", package]);
    output(release::build(&["--quiet", "--bins"])?.args(packages.as_flattened()))?;
    let example = ["--quiet", "-p", "khor-synth", "--example", "synth_speed"];
    output(&mut release::build(&example)?).map(drop)
}

/// Figures of `khor-bench`, each with its promise.
fn measured_by_bench(what: &str, promise: fn(&str) -> Option<Promise>) -> Result<Vec<Row>> {
    let printed = output(as_root(&release::program("khor-bench")).arg(what))?;
    let figures: Vec<Value> =
        serde_json::from_str(printed.trim()).context("reading what khor-bench printed")?;
    figures.iter().map(|figure| Row::from_json(figure, promise)).collect()
}
