//! The settings of a site: many machines that khor plays instead of this one.

use khor_fleet::Name;
use khor_music::SiteMode;

use super::nats::Nats;
use crate::{
    Access, Kind, Leaf, Rule, TextRule,
    definition::{section, words},
};

section! {
    /// The site that khor plays instead of this machine.
    Site, SitePatch {
        /// Name of the site that khor plays. Empty selects this machine.
        name: String = String::new(), SITE_NAME, Access::CommandLine;
        /// The only host of the site that khor plays, as if it were this machine. Null selects all
        /// hosts.
        host: Option<String> = None, HOST_NAME, Access::Api;
        /// The NATS server of the site.
        nats: Nats;
        /// Which hosts of the site play. A change takes effect at the next bar line.
        mode: SiteMode = SiteMode::Ensemble, Rule::Any, Access::Api;
    }
}

/// The rule for names of sites and hosts.
const HOST: TextRule = TextRule {
    max_chars: Name::MAX_LEN as u32,
    form: "1 to 63 characters of a-z A-Z 0-9 - _",
    pattern: Some("^[a-zA-Z0-9_-]{1,63}$"),
    is_valid: |text| Name::new(text).is_ok(),
    explain: Some(|text| Name::new(text).err().map(|error| error.to_string()).unwrap_or_default()),
    ..TextRule::FREE
};
const HOST_NAME: Rule = Rule::Text(&HOST);
const SITE_NAME: Rule = Rule::Text(&TextRule {
    form: "up to 63 characters of a-z A-Z 0-9 - _",
    pattern: Some("^[a-zA-Z0-9_-]{0,63}$"),
    is_valid: |text| text.is_empty() || Name::new(text).is_ok(),
    ..HOST
});

impl Leaf for SiteMode {
    const KIND: Kind = Kind::Text;

    fn check_rule(&self, _: &Rule) -> Result<(), String> {
        Ok(())
    }

    fn choices() -> Vec<String> {
        words(&[Self::Ensemble, Self::Sections, Self::RollCall])
    }
}

impl Site {
    /// The keys that have no effect while `name` is empty, because they select hosts of a site. A
    /// file without a name may still contain these keys, because the option `--site` can set the
    /// name.
    pub fn idle_keys(&self) -> Vec<&'static str> {
        if !self.name.is_empty() {
            return Vec::new();
        }
        let keys = [("site.host", self.host.is_some()), ("site.mode", self.mode != SiteMode::default())];
        keys.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| key).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn host_and_mode_need_a_site() {
        let mut site = super::Site { host: Some("web-1".into()), ..super::Site::default() };
        assert_eq!(site.idle_keys(), ["site.host"]);
        site.mode = khor_music::SiteMode::RollCall;
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
        assert!(
            config.validate().unwrap_err().to_string().starts_with("site.host: "),
            "only null selects all hosts, not an empty text"
        );
        config.site.host = None;
        config.site.nats.url = "nats://me:secret@rack".into();
        let error = config.validate().unwrap_err().to_string();
        assert!(error.starts_with("site.nats.url: ") && !error.contains("secret"), "{error}");
    }
}
