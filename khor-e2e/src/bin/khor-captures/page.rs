//! Writes the list of captures in `khor-engine/captures/README.md`.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{
    recording::Facts,
    scenario::{SCENARIOS, Scenario},
};

const HEAD: &str = "# Captures of a real kernel

`cargo xtask captures` records these captures with the real collector and `--redact`. A capture begins 12 s before
its load starts, and ends 4 s after the load ends. The idle captures contain no load. The machine is virtual, and
other developers use it too, so the captures also contain the work of other programs. \"CPUs busy\" is the share of
the CPU time of all CPUs that was used before the load, and during two seconds after the load. \"load average\" is the
load average at the start of the recording.

| capture | load | duration | one sample every | size | CPUs busy | load average | date | kernel and CPUs |
|---|---|---|---|---|---|---|---|---|
";

/// Writes a row about a capture into the list, and replaces its earlier row.
pub(crate) fn note(out: &Path, scenario: &Scenario, facts: &Facts) -> Result<()> {
    let path = out.join("README.md");
    let before = fs::read_to_string(&path).unwrap_or_default();
    let mut page = HEAD.to_owned();
    for known in SCENARIOS {
        let start = format!("| `{}` |", known.name);
        if known.name == scenario.name {
            page += &row(scenario, facts)?;
        } else if let Some(row) = before.lines().find(|line| line.starts_with(&start)) {
            page += row;
            page.push('\n');
        }
    }
    fs::write(&path, page).with_context(|| format!("writing {}", path.display()))
}

fn row(scenario: &Scenario, facts: &Facts) -> Result<String> {
    let Facts { bytes, seconds, lead_busy_share, tail_busy_share, load_average } = facts;
    let (name, runs, interval_ms) = (scenario.name, scenario.runs, scenario.interval_ms);
    let kernel = nix::sys::utsname::uname()?.release().to_string_lossy().into_owned();
    let cpus = std::thread::available_parallelism()?;
    let [before, after] = [lead_busy_share, tail_busy_share].map(|share| format!("{:.0} %", 100.0 * share));
    let date = date()?;
    Ok(format!(
        "| `{name}` | {runs} | {seconds} s | every {interval_ms} ms | {bytes} bytes | \
         CPUs {before} busy before and {after} after the load | load average {load_average} | {date} | \
         kernel {kernel}, {cpus} CPUs |\n"
    ))
}

fn date() -> Result<String> {
    let output = std::process::Command::new("date").args(["-u", "+%Y-%m-%d"]).output().context("date")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
