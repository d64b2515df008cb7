//! khor's chores: `cargo xtask run | test | dist | advisories | vm | fuzz | ui | ebpf | bench | ear
//! | captures | samples | api`.

mod advisories;
mod api;
mod artifacts;
mod bench;
mod captures;
mod dist;
#[cfg(test)]
mod documents;
mod ear;
mod ebpf;
mod fuzz;
mod interrupt;
mod packages;
mod process;
mod release;
mod run;
mod samples;
#[cfg(test)]
mod structure;
mod test;
mod tools;
mod ui;
mod vm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "khor's chores", max_term_width = 80)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install what is missing, build, start collector and engine
    Run(run::RunArgs),
    /// Install what the tests need, then run every check and test
    Test(test::TestArgs),
    /// Build the packages, with checksums and a bill of materials
    Dist(dist::DistArgs),
    /// Look up known vulnerabilities of the dependencies; needs the network
    Advisories,
    /// Run the tests that need a kernel on other kernels, in virtual machines
    Vm(vm::VmArgs),
    /// Feed hostile bytes to the decoders of the protocol
    Fuzz(fuzz::FuzzArgs),
    /// Build the web page into ui/dist
    Ui,
    /// Build the in-kernel programs from source
    Ebpf {
        /// Only compare with the committed object, and fail if they differ
        #[arg(long)]
        check: bool,
    },
    /// Measure, as ratios where there is something to compare with
    Bench(bench::BenchArgs),
    /// Judge the music by machine: what can be told from it, and how it sounds
    Ear(ear::EarArgs),
    /// Record the captures in khor-engine/captures, as root
    Captures(captures::CapturesArgs),
    /// Make the sound samples in docs/sounds
    Samples,
    /// Write docs/openapi.json, docs/api-reference.md, and the page's types and limits
    Api,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().chore {
        Chore::Run(args) => run::run(&args),
        Chore::Test(args) => test::run(&args),
        Chore::Dist(args) => dist::run(&args),
        Chore::Advisories => advisories::require(),
        Chore::Vm(args) => vm::run(&args),
        Chore::Fuzz(args) => fuzz::run(&args),
        Chore::Ui => ui::prepare().and_then(|()| ui::build()),
        Chore::Ebpf { check } => ebpf::build(check),
        Chore::Bench(args) => bench::run(&args),
        Chore::Ear(args) => ear::run(&args),
        Chore::Captures(args) => captures::run(&args),
        Chore::Samples => samples::run(),
        Chore::Api => api::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
