//! Whom to hear, where that is not the whole machine.

use clap::Args;
use khor_command_line::number;
use khor_engine::config::{Config, ConfigError};
use khor_source::ScopeChoice;
use serde_json::{Value, json};

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
    /// As `bpf` of the configuration; `None` where nobody in particular is asked for.
    pub(super) fn overrides(&self) -> Option<Value> {
        // Whoever says whom to hear means nobody else.
        let cgroup = self.cgroup.as_deref().unwrap_or_default();
        (self.cgroup.is_some() || !self.pid.is_empty())
            .then(|| json!({ "cgroup": cgroup, "tgid_allow": self.pid, "tgid_deny": [] }))
    }

    /// The same, for who has no configuration.
    ///
    /// # Errors
    ///
    /// What is no cgroup or no process, in the configuration's own words.
    pub(super) fn scope(&self) -> Result<ScopeChoice, ConfigError> {
        let mut config = Config::default();
        config.bpf.cgroup = self.cgroup.clone().unwrap_or_default();
        config.bpf.tgid_allow.clone_from(&self.pid);
        config.validate()?;
        Ok(config.bpf.scope())
    }
}
