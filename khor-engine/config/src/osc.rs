//! The settings of OSC: its targets, and whether it may change settings.

use khor_proto::inert;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigError, OscAddress, error::require, lengths::HOST_CHARS};

/// Longest entry of `osc.targets`, characters: a host, brackets and a port.
const TARGET_CHARS: u32 = HOST_CHARS + 8;

/// OSC output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Osc {
    /// Host name or address of the first target.
    #[schemars(length(min = 1, max = HOST_CHARS))]
    pub host: String,
    /// UDP port of the first target, 1..=65535.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
    /// Further targets, `host:port` each, at most 8.
    #[schemars(length(max = 8), inner(length(max = TARGET_CHARS)))]
    pub targets: Vec<String>,
    /// Being steered by OSC.
    pub receive: OscReceive,
}

/// Being steered by OSC, by programs on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OscReceive {
    /// Listen at all.
    pub enabled: bool,
    /// UDP port on 127.0.0.1, 1..=65535.
    #[schemars(range(min = 1, max = 65535))]
    pub port: u16,
}

impl Default for Osc {
    fn default() -> Self {
        Self { host: "127.0.0.1".into(), port: 9000, targets: Vec::new(), receive: OscReceive::default() }
    }
}

impl Default for OscReceive {
    fn default() -> Self {
        Self { enabled: false, port: 9001 }
    }
}

impl Osc {
    /// The port to listen on, if at all.
    pub fn receive_port(&self) -> Option<u16> {
        self.receive.enabled.then_some(self.receive.port)
    }

    /// Most entries of `osc.targets`.
    const TARGETS: usize = 8;

    pub(super) fn check_targets(&self) -> Result<(), ConfigError> {
        let count = self.targets.len();
        let expected = format!("at most {}", Self::TARGETS);
        require(count <= Self::TARGETS, "osc.targets", format_args!("{count} targets"), &expected)?;
        for (i, target) in self.targets.iter().enumerate() {
            let is_target = inert::is_inert(target) && target.parse::<OscAddress>().is_ok();
            require(is_target, &format!("osc.targets[{i}]"), format_args!("\"{target}\""), OscAddress::FORM)?;
        }
        Ok(())
    }

    /// All targets, the first one first. Duplicate targets receive each message once.
    pub fn all_targets(&self) -> Vec<OscAddress> {
        let mut all = vec![OscAddress { host: self.host.clone(), port: self.port }];
        for target in self.targets.iter().filter_map(|text| text.parse().ok()) {
            if !all.contains(&target) {
                all.push(target);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn invalid_osc_targets_are_named() {
        let mut config = Config::default();
        config.osc.targets = vec!["[::1]:9001".into(), "studio".into()];
        let error = config.validate().unwrap_err();
        assert_eq!(error.field, "osc.targets[1]");
        assert!(error.problem.starts_with("\"studio\" is not allowed, expected host:port"), "{error}");
        config.osc.targets = vec!["a:1".into(); 9];
        let error = config.validate().unwrap_err().to_string();
        assert_eq!(error, "osc.targets: 9 targets is not allowed, expected at most 8");
        config.osc.targets.pop();
        assert_eq!(config.validate(), Ok(()));
    }

    #[test]
    fn osc_targets_keep_order_without_duplicates() {
        let targets = ["[::1]:9001", "127.0.0.1:9000", "[::1]:9001"].map(str::to_owned).to_vec();
        let osc = Osc { targets, ..Osc::default() };
        let all: Vec<_> = osc.all_targets().into_iter().map(|target| (target.host, target.port)).collect();
        assert_eq!(all, [("127.0.0.1".into(), 9000), ("::1".to_owned(), 9001)]);
    }
}
