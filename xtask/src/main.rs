//! Builds, tests, packages and measures khor: `cargo xtask run | test | dist | advisories | vm |
//! fuzz | ui | ebpf | bench | ear | captures | samples | api`.

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
#[cfg(test)]
mod text;
mod tools;
mod ui;
mod vm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, tests, packages and measures khor", max_term_width = 80)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install missing packages, build khor, and start collector and engine
    Run(run::RunArgs),
    /// Install the packages that the tests need, then run all checks and tests
    Test(test::TestArgs),
    /// Build the packages, with checksums and a bill of materials
    Dist(dist::DistArgs),
    /// Check the dependencies for known vulnerabilities; needs the network
    Advisories,
    /// Test khor's counts on other kernels, in virtual machines
    Vm(vm::VmArgs),
    /// Test the decoders of the protocol with random and hostile bytes
    Fuzz(fuzz::FuzzArgs),
    /// Build the web page into ui/dist
    Ui,
    /// Build the in-kernel programs from source
    Ebpf {
        /// Compare with the committed objects instead of replacing them, and fail if they differ
        #[arg(long)]
        check: bool,
    },
    /// Measure khor's performance; where possible, compare it with that of another program
    Bench(bench::BenchArgs),
    /// Judge the music automatically: whether events can be recognised, and how it sounds
    Ear(ear::EarArgs),
    /// Record the captures in khor-engine/captures, as root
    Captures(captures::CapturesArgs),
    /// Render the sound samples in docs/sounds
    Samples,
    /// Write docs/openapi.json, docs/api-reference.md, and the page's types and limits
    Api,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Run(args) => run::run(&args),
        Task::Test(args) => test::run(&args),
        Task::Dist(args) => dist::run(&args),
        Task::Advisories => advisories::require(),
        Task::Vm(args) => vm::run(&args),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Ui => ui::prepare().and_then(|()| ui::build()),
        Task::Ebpf { check } => ebpf::build(check),
        Task::Bench(args) => bench::run(&args),
        Task::Ear(args) => ear::run(&args),
        Task::Captures(args) => captures::run(&args),
        Task::Samples => samples::run(),
        Task::Api => api::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
