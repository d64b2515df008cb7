//! The subscription to the collector: the interval, the cues and the scope.

use khor_system::cgroup_name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ConfigError,
    error::{in_range, require},
    lengths::PATH_CHARS,
};

/// What this engine asks of the collector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BpfSubscription {
    /// Bits 1 exec, 2 net, 4 sched, 8 block, 16 tcp, 32 irq: the signals that are listened to.
    #[schemars(range(min = 0, max = 63))]
    pub enabled_mask: u32,
    /// Milliseconds between samples, 5..=5000.
    #[schemars(range(min = 5, max = 5000))]
    pub sample_interval_ms: u16,
    /// Hear this cgroup alone: a systemd unit (`nginx.service`), or a path from the root of the hierarchy that begins
    /// with a slash. Empty is the whole machine.
    #[schemars(regex(pattern = r"^(|/.*|[^/]+\.(service|scope|slice|socket|mount|swap))$"), length(max = PATH_CHARS))]
    pub cgroup: String,
    /// Hear these processes, beside what `cgroup` names; at most 15.
    #[schemars(length(max = 15), inner(range(min = 1, max = 4_194_304)))]
    pub tgid_allow: Vec<u32>,
    /// Don't hear these processes; at most 16.
    #[schemars(length(max = 16), inner(range(min = 1, max = 4_194_304)))]
    pub tgid_deny: Vec<u32>,
}

impl Default for BpfSubscription {
    fn default() -> Self {
        Self {
            enabled_mask: 63,
            sample_interval_ms: 20,
            cgroup: String::new(),
            tgid_allow: Vec::new(),
            tgid_deny: Vec::new(),
        }
    }
}

impl BpfSubscription {
    /// Most entries of `bpf.tgid_allow`. A scope has room for 16, and one of them is the cgroup.
    const ALLOWED: usize = 15;
    /// Most entries of `bpf.tgid_deny`.
    const DENIED: usize = 16;
    /// The kernel's own limit (`PID_MAX_LIMIT`).
    const HIGHEST_PID: u32 = 4_194_304;

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        in_range("bpf.sample_interval_ms", self.sample_interval_ms, 5, 5000)?;
        in_range("bpf.enabled_mask", self.enabled_mask, 0, 63)?;
        let expected = "a unit such as nginx.service, a path such as /system.slice/nginx.service, or nothing";
        require(
            cgroup_name::is_selector(&self.cgroup),
            "bpf.cgroup",
            format_args!("\"{}\"", self.cgroup),
            expected,
        )?;
        for (name, list, most) in [
            ("bpf.tgid_allow", &self.tgid_allow, Self::ALLOWED),
            ("bpf.tgid_deny", &self.tgid_deny, Self::DENIED),
        ] {
            let count = list.len();
            require(count <= most, name, format_args!("{count} processes"), &format!("at most {most}"))?;
            for (i, pid) in list.iter().enumerate() {
                in_range(&format!("{name}[{i}]"), *pid, 1, Self::HIGHEST_PID)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn invalid_scopes_and_processes_are_rejected() {
        let refused = |cgroup: &str| {
            let mut config = Config::default();
            config.bpf.cgroup = cgroup.into();
            config.validate().err().map(|error| error.to_string())
        };
        for cgroup in ["", "nginx.service", "getty@tty1.service", "/", "/system.slice/nginx.service", "/a/b"]
        {
            assert_eq!(refused(cgroup), None, "{cgroup}");
        }
        for cgroup in ["nginx", "a/b.service", "/a/../b", "/a\0", ".service"] {
            let error = refused(cgroup).unwrap_or_default();
            assert!(
                error.starts_with("bpf.cgroup: ") && error.contains("nginx.service"),
                "{cgroup}: {error}"
            );
        }
        let mut config = Config::default();
        config.bpf.tgid_allow = vec![1, 0];
        let error = config.validate().unwrap_err().to_string();
        assert_eq!(error, "bpf.tgid_allow[1]: 0 is not allowed, expected 1 to 4194304");
        config.bpf.tgid_allow = vec![1; 16];
        let error = config.validate().unwrap_err().to_string();
        assert_eq!(error, "bpf.tgid_allow: 16 processes is not allowed, expected at most 15");
    }
}
