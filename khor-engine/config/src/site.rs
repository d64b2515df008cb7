//! The site that plays instead of this machine.

use khor_fleet::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigError, Nats};

/// A site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Site {
    /// Its name: a-z A-Z 0-9 - _; empty is this machine.
    #[schemars(regex(pattern = "^[a-zA-Z0-9_-]{0,63}$"), length(max = 63))]
    pub name: String,
    /// The host that is heard alone, as if it were this machine; `null` is all of them together.
    #[schemars(regex(pattern = "^[a-zA-Z0-9_-]{1,63}$"), length(max = 63))]
    pub host: Option<String>,
    /// Where it is heard.
    pub nats: Nats,
    /// Who of it plays; at the next bar line.
    pub mode: SiteMode,
}

/// Who of a site plays. The most deviant one or two hosts have the voices in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteMode {
    /// All hosts as one.
    #[default]
    Ensemble,
    /// Each of up to four sections has a pulse of its own.
    Sections,
    /// Every host in turn, half a bar each.
    RollCall,
}

impl Site {
    /// The keys that select within a site and are set without a site, so they have no effect. A
    /// file may contain them, because `--site` may name the site.
    pub fn idle_keys(&self) -> Vec<&'static str> {
        if !self.name.is_empty() {
            return Vec::new();
        }
        let keys = [("site.host", self.host.is_some()), ("site.mode", self.mode != SiteMode::default())];
        keys.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| key).collect()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |field: &str, problem: String| ConfigError { field: field.to_owned(), problem };
        if !self.name.is_empty() {
            Name::new(&*self.name).map_err(|error| wrong("site.name", error.to_string()))?;
        }
        if let Some(host) = &self.host {
            Name::new(&**host).map_err(|error| wrong("site.host", error.to_string()))?;
        }
        self.nats.check_url().map_err(|problem| wrong("site.nats.url", problem))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn host_and_mode_need_a_site() {
        let mut site = super::Site { host: Some("web-1".into()), ..super::Site::default() };
        assert_eq!(site.idle_keys(), ["site.host"]);
        site.mode = super::SiteMode::RollCall;
        assert_eq!(site.idle_keys(), ["site.host", "site.mode"]);
        site.name = "home".into();
        assert_eq!(site.idle_keys(), [""; 0]);
    }

    #[test]
    fn site_addresses_contain_no_secret() {
        let mut config = Config::default();
        config.site.name = "rack-7".into();
        assert_eq!(config.validate(), Ok(()));
        config.site.name = "rack.7".into();
        assert!(config.validate().unwrap_err().to_string().starts_with("site.name: "));
        config.site.name.clear();
        config.site.host = Some(String::new());
        assert!(config.validate().unwrap_err().to_string().starts_with("site.host: "), "none is null");
        config.site.host = None;
        config.site.nats.url = "nats://me:secret@rack".into();
        let error = config.validate().unwrap_err().to_string();
        assert!(error.starts_with("site.nats.url: ") && !error.contains("secret"), "{error}");
    }
}
