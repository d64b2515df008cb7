//! `khor doctor`: lists the problems on this machine, with a fix for each.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use khor_api::{Check, CheckState, HealthReport};
use khor_command_line::print::{print, print_json};
use khor_config::{Config, ConfigStore};
use khor_engine::doctor::{DoctorInput, examine};

use super::{client::EngineAddress, table::row};

#[derive(Args, Debug)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// Prints the checks. The exit code is 1 if a check found a problem.
pub(super) fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let places = &args.engine.places;
    let config_path = places.config_path()?;
    // The configuration file may be invalid. A check reports this, so it is not an error here.
    let config =
        ConfigStore::inspect(&config_path).ok().flatten().map_or_else(Config::default, |found| found.config);
    let engine = args.engine.client_of(&config.listen, &config_path).ok();
    let health = engine.as_ref().and_then(|engine| engine.get::<HealthReport>("health").ok());
    // Flags of a running engine override the file, so the engine's own configuration is preferred.
    let running = health.as_ref().and(engine).and_then(|engine| engine.get("config").ok());
    let config = running.unwrap_or(config);
    let input = DoctorInput { socket: places.socket.clone(), config_path, config, health };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let diagnosis = runtime.context("cannot start the async runtime")?.block_on(examine(&input));
    if args.json {
        print_json(&diagnosis)?;
    } else {
        print(diagnosis.checks.iter().map(format_check).collect::<String>())?;
    }
    Ok(if diagnosis.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn format_check(check: &Check) -> String {
    let state = match check.state {
        CheckState::Ok => "ok",
        CheckState::Problem => "PROBLEM",
        CheckState::Off => "-",
    };
    let fix = check.fix.as_ref().map(|fix| format!("fix: {fix}"));
    row(state, &check.name, [check.detail.as_str()].into_iter().chain(fix.as_deref()))
}
