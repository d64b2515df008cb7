//! `khor status`: prints the state of each part of the running engine, and what it plays.

use std::process::ExitCode;

use clap::Args;
use khor_api::{Explanation, Health, HealthReport, Trouble};
use khor_command_line::print::{print, print_json};
use serde_json::json;

use super::{client::EngineAddress, table::row};

#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// Prints the status. The exit code is 1 if an enabled part does not work.
pub(super) fn run(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let client = args.engine.client()?;
    let (health, explanation) =
        (client.get::<HealthReport>("health")?, client.get::<Explanation>("explain")?);
    let parts = parts(&health);
    let well = !parts.iter().any(Part::is_failing);
    if args.json {
        let status = json!({ "ok": well, "health": health, "explanation": explanation });
        print_json(&status)?;
    } else {
        let parts: String = parts.iter().map(Part::row).collect();
        let missed = missed(&health);
        print(format_args!("{parts}{missed}\n{}", explanation.text))?;
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A part of the engine, which is one row of the list.
struct Part<'a> {
    name: &'static str,
    enabled: bool,
    ok: bool,
    /// The text that is shown if the part works.
    detail: &'a str,
    trouble: Option<Trouble>,
}

impl<'a> Part<'a> {
    fn of(name: &'static str, health: &Health, detail: Option<&'a str>) -> Self {
        let Health { enabled, ok, trouble } = health.clone();
        Self { name, enabled, ok, detail: detail.unwrap_or("works"), trouble }
    }

    /// Creates a part that cannot be switched off.
    fn always(name: &'static str, ok: bool, detail: &'a str, trouble: Option<&Trouble>) -> Self {
        Self { name, enabled: true, ok, detail, trouble: trouble.cloned() }
    }

    /// Creates a part whose trouble is a list of problems. If the list is empty, the part has no
    /// trouble.
    fn listing(name: &'static str, ok: bool, detail: &'a str, problems: &[String]) -> Self {
        let trouble = (!problems.is_empty()).then(|| Trouble::without_fix(problems.join("; ")));
        Self { name, enabled: true, ok, detail, trouble }
    }

    fn is_failing(&self) -> bool {
        self.enabled && !self.ok
    }

    fn row(&self) -> String {
        let error = self.trouble.as_ref().map(|trouble| trouble.error.as_str());
        let fix = self.trouble.as_ref().and_then(|trouble| trouble.fix.as_ref());
        let fix = fix.map(|fix| format!("fix: {fix}"));
        match (self.enabled, self.ok) {
            (false, _) => row("-", self.name, ["switched off"]),
            (true, false) => {
                let error = error.unwrap_or("the engine does not report a reason");
                row("PROBLEM", self.name, [error].into_iter().chain(fix.as_deref()))
            }
            // A source that works can still report trouble, such as a missing probe.
            (true, true) => {
                row("ok", self.name, [self.detail].into_iter().chain(error).chain(fix.as_deref()))
            }
        }
    }
}

fn parts(health: &HealthReport) -> [Part<'_>; 9] {
    let HealthReport { source, scope, audio, midi, osc, desktop, presets, config, time, .. } = health;
    [
        Part::always("source", source.ok, &source.detail, source.trouble.as_ref()),
        Part::always("scope", scope.ok, &scope.whose, scope.trouble.as_ref()),
        Part::of("audio", &audio.health, audio.device.as_deref()),
        Part::of("midi", &midi.health, Some(&midi.port)),
        Part::of("osc", &osc.health, Some(&osc.host)),
        Part::of("desktop", &desktop.health, None),
        Part::listing("presets", presets.ok, &presets.folder, &presets.problems),
        Part::listing("config", config.ok, &health.config_path, &config.warnings),
        Part::always("time", time.ok, &time.zone, time.trouble.as_ref()),
    ]
}

/// Writes the row about events that the collector's BPF programs missed. Returns an empty text if
/// the programs missed no events.
fn missed(health: &HealthReport) -> String {
    let reason = health.missed.reason.as_deref();
    reason.map_or_else(String::new, |reason| row("ok", "missed", [reason]))
}

#[cfg(test)]
mod tests {
    use khor_api::MissedReport;

    use super::*;
    use crate::top::recorded_health;

    #[test]
    fn failing_parts_show_their_fix() {
        let mut health = recorded_health();
        health.audio.health = Health::failing("no device", "plug one in");
        health.midi.health = Health::off();
        (health.presets.ok, health.presets.problems) = (false, vec!["x.toml: line 3".into()]);
        health.missed = MissedReport { events: Some(11), reason: Some("khor missed 11 events".into()) };
        (health.source.ok, health.source.trouble) = (true, Some(Trouble::new("no collector", "start it")));
        let parts = parts(&health);
        let part = |name| parts.iter().find(|part| part.name == name).unwrap();
        let row = |name| part(name).row();
        assert!(row("audio").starts_with("PROBLEM") && row("audio").contains("fix: plug one in"));
        assert!(row("midi").starts_with("-        midi"));
        assert!(row("presets").contains("x.toml: line 3"));
        assert!(row("source").starts_with("ok") && row("source").contains("fix: start it"));
        assert!(missed(&health).contains("missed 11 events"));
        assert!(part("audio").is_failing() && !part("midi").is_failing());
        health.missed = MissedReport::default();
        assert_eq!(missed(&health), "");
    }
}
