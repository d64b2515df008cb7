//! `khor doctor`: what is in khor's way on this machine, and how it is mended.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::Places;
use crate::{
    config::{Config, ConfigStore},
    doctor::{Check, CheckState, Patient, examine},
};

/// Columns of a terminal that everybody has.
const WIDTH: usize = 80;
/// Columns before the text: the state and the name.
const INDENT: usize = 27;

#[derive(Args, Debug)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    places: Places,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// Exit code 1 when there is a problem.
pub(super) fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let config_path = args.places.config_path()?;
    // A broken file is a finding, and stays where it is.
    let config = match ConfigStore::check(&config_path) {
        Ok(Some(_)) => ConfigStore::open(config_path.clone()).config().clone(),
        Ok(None) | Err(_) => Config::default(),
    };
    let patient = Patient { socket: args.places.socket.clone(), config_path, config, is_engine: false };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let diagnosis = runtime.context("starting the runtime")?.block_on(examine(&patient));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&diagnosis)?);
    } else {
        diagnosis.checks.iter().for_each(|check| print!("{}", shown(check)));
    }
    Ok(if diagnosis.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn shown(check: &Check) -> String {
    let state = match check.state {
        CheckState::Ok => "ok",
        CheckState::Problem => "PROBLEM",
        CheckState::Off => "-",
    };
    let mut text = format!("{state:<8} {:<17} ", check.name);
    let fix = check.fix.as_ref().map(|fix| format!("fix: {fix}"));
    for (number, line) in
        std::iter::once(&check.detail).chain(&fix).flat_map(|part| wrapped(part)).enumerate()
    {
        if number > 0 {
            text.push_str(&" ".repeat(INDENT));
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Lines that fit beside the name; a word that is longer stays whole, so that it can be copied.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > WIDTH - INDENT {
            lines.push(word.to_owned());
        } else if let Some(last) = lines.last_mut() {
            if line > 0 {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fits_a_terminal() {
        let check = Check {
            name: "type information",
            state: CheckState::Problem,
            detail: "a long story about something that isn't there and that nobody would have missed".into(),
            fix: Some("sudo make it so --now".into()),
        };
        let text = shown(&check);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(
            text.starts_with("PROBLEM  type information")
                && text.contains("\n                           fix: sudo make")
        );
    }
}
