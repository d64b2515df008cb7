//! Changes of the settings that the API rejects although each value is valid by itself.

use khor_config::{Config, ConfigError};
use khor_output::audio;
use serde_json::{Value, json};

use super::Library;

/// Rejects settings that only the file or the command line may change, and settings that would stop
/// the playing sound.
pub(super) fn check_change(change: &Value, before: &Config, library: &Library) -> Result<(), ConfigError> {
    let refuse = |field: &str, problem: String| Err(ConfigError { field: field.to_owned(), problem });
    if let Some(dir) = change.pointer("/ui/dir")
        && *dir != json!(before.ui.dir)
    {
        return refuse(
            "ui.dir",
            "only the file itself or --ui-dir may name the folder that is served".into(),
        );
    }
    if let Some(file) = change.pointer("/listen/token_file")
        && *file != json!(before.listen.token_file)
    {
        return refuse("listen.token_file", "only the file itself may name the token's file".into());
    }
    if let Some(open) = change.pointer("/listen/local_users")
        && *open != json!(before.listen.local_users)
    {
        return refuse("listen.local_users", "only the file itself may let in other users".into());
    }
    if let Some(site) = change.get("site")
        && !keeps_site(site, &json!(before.site))
    {
        return refuse(
            "site",
            "only the file itself, or --site and its like, may say which site is heard; site.host and site.mode may change"
                .into(),
        );
    }
    if let Some(site) = change.get("site") {
        let mut after = before.site.clone();
        // A value of a wrong type is rejected later, with an error of its own.
        after.host = site.get("host").map_or(after.host, |host| host.as_str().map(str::to_owned));
        let mode = site.get("mode").and_then(|mode| serde_json::from_value(mode.clone()).ok());
        after.mode = mode.unwrap_or(after.mode);
        let is_changed = |key: &&str| match *key {
            "site.host" => after.host != before.site.host,
            _ => after.mode != before.site.mode,
        };
        if let Some(key) = after.idle_keys().into_iter().find(is_changed) {
            return refuse(
                key,
                "has no effect without a site: set site.name in the configuration file, or start khor engine with --site NAME"
                    .into(),
            );
        }
    }
    let host = change.pointer("/listen/host").and_then(Value::as_str);
    if let Some(Ok(ip)) = host.map(str::parse::<std::net::IpAddr>)
        && !ip.is_loopback()
        && before.listen.token_file.is_none()
    {
        let problem = format!(
            "{ip} can be reached from other machines: name listen.token_file in the configuration file first"
        );
        return refuse("listen.host", problem);
    }
    if let Some(name) = change.pointer("/music/preset").and_then(Value::as_str)
        && library.find(name).is_none()
    {
        let known: Vec<&str> = library.presets().map(|preset| preset.name.as_str()).collect();
        let problem = format!("{name} is not allowed, expected one of {}", known.join(", "));
        return refuse("music.preset", problem);
    }
    match change.pointer("/audio/device").and_then(Value::as_str) {
        Some(device) if !device.is_empty() && device != before.audio.device => {
            audio::check(device, before.audio.sample_rate).or_else(|why| {
                refuse("audio.device", format!("{why}, see khor devices; the one that plays is kept"))
            })
        }
        _ => Ok(()),
    }
}

/// Whether a change of the site affects only its mode and the host that plays alone.
fn keeps_site(change: &Value, held: &Value) -> bool {
    let (Value::Object(change), Value::Object(held)) = (change, held) else { return false };
    let stays = |(key, value): (&String, &Value)| {
        matches!(key.as_str(), "host" | "mode") || held.get(key) == Some(value)
    };
    change.iter().all(stays)
}
