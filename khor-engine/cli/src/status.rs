//! `khor status`: how the running engine is, part by part, and what sounds.

use std::process::ExitCode;

use clap::Args;
use khor_command_line::print::{print, print_json};
use serde_json::{Value, json};

use super::{client::EngineAddress, table::row};

/// The parts of `/api/health` that work or don't, and what of each is worth a word while it works.
const PARTS: [(&str, &str); 9] = [
    ("source", "detail"),
    ("scope", "whose"),
    ("audio", "device"),
    ("midi", "port"),
    ("osc", "host"),
    ("desktop", "detail"),
    ("presets", "folder"),
    ("config", "path"),
    ("time", "zone"),
];

#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// Exit code 1 if an enabled part fails.
pub(super) fn run(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let client = args.engine.client()?;
    let (health, explanation) = (client.get("health")?, client.get("explain")?);
    let well = PARTS.iter().all(|(part, _)| !is_failing(&health[*part]));
    if args.json {
        let status = json!({ "ok": well, "health": health, "explanation": explanation });
        print_json(&status)?;
    } else {
        let parts: String = PARTS.iter().map(|(part, worth)| format_part(part, worth, &health)).collect();
        let missed = missed(&health);
        print(format_args!("{parts}{missed}\n{}", explanation["text"].as_str().unwrap_or_default()))?;
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The events that the collector's programs missed, if any.
fn missed(health: &Value) -> String {
    let reason = health["missed"]["reason"].as_str();
    reason.map_or_else(String::new, |reason| row("ok", "missed", [reason]))
}

/// Parts that can't be switched off have no `enabled`.
fn is_failing(part: &Value) -> bool {
    part["enabled"] != false && part["ok"] == false
}

fn format_part(name: &str, worth: &str, health: &Value) -> String {
    let part = &health[name];
    if part["enabled"] == false {
        return row("-", name, ["switched off"]);
    }
    if is_failing(part) {
        let error = part["error"].as_str().map_or_else(|| list_problems(part), str::to_owned);
        let fix = part["fix"].as_str().map(|fix| format!("fix: {fix}"));
        return row("PROBLEM", name, [error.as_str()].into_iter().chain(fix.as_deref()));
    }
    let detail = match name {
        "config" => health["config_path"].as_str(),
        _ => part[worth].as_str(),
    };
    // A source may deliver frames and still lack something.
    let shortfall = part["error"].as_str();
    let fix = part["fix"].as_str().map(|fix| format!("fix: {fix}"));
    row("ok", name, [detail.unwrap_or("works")].into_iter().chain(shortfall).chain(fix.as_deref()))
}

/// Presets and the configuration report their problems in lists.
fn list_problems(part: &Value) -> String {
    let list = part["problems"].as_array().or(part["warnings"].as_array());
    let lines: Vec<&str> = list.into_iter().flatten().filter_map(Value::as_str).collect();
    if lines.is_empty() { "it has not said why".to_owned() } else { lines.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failing_parts_show_their_fix() {
        let health = json!({
            "audio": { "enabled": true, "ok": false, "error": "no device", "fix": "plug one in" },
            "midi": { "enabled": false, "ok": false },
            "presets": { "ok": false, "problems": ["x.toml: line 3"] },
            "missed": { "events": 11, "reason": "khor missed 11 events" },
            "source": { "ok": true, "detail": "reading /proc", "error": "no collector", "fix": "start it" },
        });
        let part = |name| format_part(name, "detail", &health);
        assert!(part("audio").starts_with("PROBLEM") && part("audio").contains("fix: plug one in"));
        assert!(part("midi").starts_with("-        midi"));
        assert!(part("presets").contains("x.toml: line 3"));
        assert!(part("source").starts_with("ok") && part("source").contains("fix: start it"));
        assert!(missed(&health).contains("missed 11 events") && missed(&json!({})).is_empty());
        assert!(is_failing(&health["audio"]) && !is_failing(&health["midi"]));
    }
}
