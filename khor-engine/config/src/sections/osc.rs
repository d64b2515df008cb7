//! The settings of OSC: the targets of the output, and the input.

use khor_proto::inert;

use super::rules::{HOST_CHARS, PORT};
use crate::{
    Access, ListRule, OscAddress, Rule, TextRule,
    definition::{is_name, section},
};

section! {
    /// OSC output.
    Osc, OscPatch {
        /// Host name or IP address of the first target.
        host: String = "127.0.0.1".into(), HOST, Access::Api;
        /// UDP port of the first target.
        port: u16 = 9000, PORT, Access::Api;
        /// Additional targets, each `host:port`.
        targets: Vec<String> = Vec::new(), TARGETS, Access::Api;
        /// OSC input.
        receive: OscReceive;
    }
}

section! {
    /// OSC input: programs on this machine can change settings.
    #[derive(Copy, Eq)]
    OscReceive, OscReceivePatch {
        /// Receive OSC messages that change settings.
        enabled: bool = false, Rule::Any, Access::Api;
        /// UDP port on 127.0.0.1 for the OSC input.
        port: u16 = 9001, PORT, Access::Api;
    }
}

const HOST: Rule = Rule::Text(&TextRule {
    min_chars: 1,
    max_chars: HOST_CHARS,
    form: "a host name or address",
    is_valid: is_name,
    ..TextRule::FREE
});
const TARGETS: Rule = Rule::List(&ListRule {
    max_items: 8,
    items: "targets",
    item: Rule::Text(&TextRule {
        // The longest target is a host in brackets, a colon and a port.
        max_chars: HOST_CHARS + 8,
        form: OscAddress::FORM,
        is_valid: |text| inert::is_inert(text) && text.parse::<OscAddress>().is_ok(),
        ..TextRule::FREE
    }),
});

impl Osc {
    /// The UDP port of the OSC input; `None` if it is off.
    pub fn receive_port(&self) -> Option<u16> {
        self.receive.enabled.then_some(self.receive.port)
    }

    /// All targets, beginning with `host` and `port`. Duplicates are removed, so each target
    /// receives each message once.
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
        assert_eq!(error, "osc.targets: 9 targets are too many, expected at most 8");
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
