//! Checks changes of the configuration, in addition to the allowed range of each value. Rejects
//! settings that the API may not change, and values that do not fit the current site, presets or
//! sound devices.

use std::net::IpAddr;

use khor_config::{Access, Config, ConfigError, ConfigPatch, ListenPatch, Setting, SitePatch};
use khor_output::audio;

use super::Library;

/// Rejects settings that only the file or the command line may change. Also rejects values that
/// would have no effect, stop the sound, or let other machines use the API without a token.
pub(super) fn check_change(
    change: &ConfigPatch,
    before: &Config,
    library: &Library,
) -> Result<(), ConfigError> {
    before.check_caller(change, Access::Api)?;
    check_site(&change.site, before)?;
    check_host(&change.listen, before)?;
    check_preset(change.music.preset.as_deref(), library)?;
    check_device(change.audio.device.as_deref(), before)
}

fn config_error(field: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError { field: field.to_owned(), problem: problem.into() }
}

/// Rejects changes of `site.host` and `site.mode` if there is no site.
fn check_site(change: &SitePatch, before: &Config) -> Result<(), ConfigError> {
    let mut after = before.site.clone();
    after.apply(change);
    let is_changed = |key: &&str| match *key {
        "site.host" => after.host != before.site.host,
        _ => after.mode != before.site.mode,
    };
    let problem = "has no effect without a site: set site.name in the configuration file, or start khor engine with \
                   --site NAME";
    let idle = after.idle_keys().into_iter().find(is_changed);
    idle.map_or(Ok(()), |key| Err(config_error(key, problem)))
}

/// Rejects a listen address that other machines can reach, if there is no token.
fn check_host(change: &ListenPatch, before: &Config) -> Result<(), ConfigError> {
    let ip = change.host.as_ref().and_then(|host| host.parse::<IpAddr>().ok());
    match ip.filter(|ip| !ip.is_loopback() && before.listen.token_file.is_none()) {
        None => Ok(()),
        Some(ip) => Err(config_error(
            "listen.host",
            format!("other machines can reach {ip}; set listen.token_file in the configuration file first"),
        )),
    }
}

/// Rejects a preset that does not exist.
fn check_preset(name: Option<&str>, library: &Library) -> Result<(), ConfigError> {
    let Some(name) = name.filter(|name| library.find(name).is_none()) else { return Ok(()) };
    let known: Vec<&str> = library.presets().map(|preset| preset.name.as_str()).collect();
    Err(config_error("music.preset", format!("{name} is not allowed, expected one of {}", known.join(", "))))
}

/// Rejects a sound device that does not exist. Waits for the sound server.
fn check_device(device: Option<&str>, before: &Config) -> Result<(), ConfigError> {
    let device = device.filter(|device| !device.is_empty() && *device != before.audio.device);
    let Some(device) = device else { return Ok(()) };
    audio::check(device, before.audio.sample_rate).map_err(|why| {
        config_error(
            "audio.device",
            format!("{why}; the current device stays; khor devices lists all devices"),
        )
    })
}
