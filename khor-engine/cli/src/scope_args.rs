//! The options that select a scope.

use clap::Args;
use khor_command_line::number;
use khor_config::{BpfSubscriptionPatch, Config, ConfigError};
use khor_engine::engine::scope_choice;
use khor_source::ScopeChoice;

#[derive(Args, Debug)]
pub(super) struct ScopeArgs {
    /// Hear one cgroup alone: a systemd unit (nginx.service) or a path (/system.slice/nginx.service)
    #[arg(long, value_name = "UNIT|PATH")]
    cgroup: Option<String>,
    /// Hear this process alone; may be given several times, and beside --cgroup
    #[arg(long, value_name = "PID", value_parser = number::within(1, number::MAX_PID), allow_negative_numbers = true)]
    pid: Vec<u32>,
}

impl ScopeArgs {
    /// Adds the options to the settings of the scope.
    pub(super) fn add_to(&self, bpf: &mut BpfSubscriptionPatch) {
        if self.cgroup.is_none() && self.pid.is_empty() {
            return;
        }
        // A scope from the options replaces that of the file completely.
        bpf.cgroup = Some(self.cgroup.clone().unwrap_or_default());
        (bpf.tgid_allow, bpf.tgid_deny) = (Some(self.pid.clone()), Some(Vec::new()));
    }

    /// The scope, for commands without a configuration.
    ///
    /// # Errors
    ///
    /// The configuration's error for an invalid cgroup or process.
    pub(super) fn scope(&self) -> Result<ScopeChoice, ConfigError> {
        let mut config = Config::default();
        config.bpf.cgroup = self.cgroup.clone().unwrap_or_default();
        config.bpf.tgid_allow.clone_from(&self.pid);
        config.validate()?;
        Ok(scope_choice(&config))
    }
}
