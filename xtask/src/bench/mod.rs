//! `cargo xtask bench [collector|synth|latency|recovery|idle|gaps|http|fleet]`: builds release
//! programs, measures them, and prints a table.
//!
//! Each module measures one subject and states the promised limits. Measurements that need eBPF or
//! the protocol are in the program `khor-bench` (khor-e2e), so that xtask itself compiles quickly.
//! The command does not fail if a value exceeds its limit, because values depend on the machine and
//! on other running programs.

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
    /// Subjects to measure [default: all]
    #[arg(value_enum)]
    what: Vec<What>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum What {
    /// Cost of the in-kernel programs, and of the collector with 1 and with 200 subscribers
    Collector,
    /// Speed of the synth and of rendering
    Synth,
    /// Time from a burst of program starts to its OSC message
    Latency,
    /// Time to recover from a restart of the sound server or the collector, and time from a crash
    /// to its note
    Recovery,
    /// CPU and memory on an idle machine
    Idle,
    /// Gaps in the sound in ten minutes while every processor is busy
    Gaps,
    /// Response times of the API with many event streams and listeners, for ten minutes
    Http,
    /// CPU and memory of an engine for 1,000 and 10,000 hosts, received directly and through
    /// aggregating relays
    Fleet,
}

/// All subjects of the benchmark, in the order in which they are measured and printed.
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
        eprintln!("{error:#}; the table lacks the measurements that need this");
    }
    build()?;
    let mut json = Value::Array(Vec::new());
    for what in ALL.into_iter().filter(|what| args.what.is_empty() || args.what.contains(what)) {
        eprintln!("measuring: {}", what.title());
        let rows = what.measure().unwrap_or_else(|error| vec![Row::missing("all", &format!("{error:#}"))]);
        if args.json {
            json.as_array_mut()
                .context("the rows are not an array")?
                .extend(rows.iter().map(|row| row.to_json(what.title())));
        } else {
            println!("{}", row::table(what.title(), &rows));
        }
    }
    if args.json {
        println!("{json:#}");
    }
    Ok(())
}

/// Builds the measured programs. Prints nothing to standard output, which may be JSON.
fn build() -> Result<()> {
    eprintln!("building optimised programs");
    let packages = ["khor-collector", "khor", "khor-e2e"].map(|package| ["--package", package]);
    output(release::build(&["--quiet", "--bins"])?.args(packages.as_flattened()))?;
    let example = ["--quiet", "-p", "khor-synth", "--example", "synth_speed"];
    output(&mut release::build(&example)?).map(drop)
}

/// The figures that `khor-bench` measures, each with its promised limit.
fn measured_by_bench(what: &str, promise: fn(&str) -> Option<Promise>) -> Result<Vec<Row>> {
    let printed = output(as_root(&release::program("khor-bench")).arg(what))?;
    let figures: Vec<Value> =
        serde_json::from_str(printed.trim()).context("cannot read the output of khor-bench")?;
    figures.iter().map(|figure| Row::from_json(figure, promise)).collect()
}
