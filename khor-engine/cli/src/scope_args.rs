//! The options `--cgroup` and `--pid`, which select a scope: the part of the machine that khor
//! counts.

use clap::Args;
use khor_config::{BpfSubscription, BpfSubscriptionPatch, Config, ConfigError, FieldSpec};
use khor_engine::engine::scope_choice;
use khor_source::ScopeChoice;

use super::setting_arg::parser;

/// Definition of one entry of the setting `bpf.tgid_allow`: the meaning and the range of a process
/// id.
const PROCESS: FieldSpec =
    FieldSpec { rule: BpfSubscription::tgid_allow.rule.inner(), ..BpfSubscription::tgid_allow };

#[derive(Args, Debug)]
pub(super) struct ScopeArgs {
    /// Count only this cgroup: a systemd unit (nginx.service) or a path
    /// (/system.slice/nginx.service)
    #[arg(long, value_name = "UNIT|PATH")]
    cgroup: Option<String>,
    /// Count only this process; can be repeated and combined with --cgroup
    #[arg(long, value_name = "PID", value_parser = parser::<u32>(PROCESS), allow_negative_numbers = true)]
    pid: Vec<u32>,
}

impl ScopeArgs {
    /// If at least one of the options is given, adds the scope to a change of the settings.
    pub(super) fn add_to(&self, bpf: &mut BpfSubscriptionPatch) {
        if self.cgroup.is_none() && self.pid.is_empty() {
            return;
        }
        // Set all settings of the scope, so that the options replace the whole scope of the
        // configuration file.
        bpf.cgroup = Some(self.cgroup.clone().unwrap_or_default());
        (bpf.tgid_allow, bpf.tgid_deny) = (Some(self.pid.clone()), Some(Vec::new()));
    }

    /// Returns the scope, for commands that do not read the configuration.
    ///
    /// # Errors
    ///
    /// Fails with the error for an invalid setting `bpf.cgroup` or `bpf.tgid_allow`.
    pub(super) fn scope(&self) -> Result<ScopeChoice, ConfigError> {
        let mut config = Config::default();
        config.bpf.cgroup = self.cgroup.clone().unwrap_or_default();
        config.bpf.tgid_allow.clone_from(&self.pid);
        config.validate()?;
        Ok(scope_choice(&config))
    }
}
