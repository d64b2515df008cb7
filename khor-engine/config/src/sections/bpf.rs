//! The settings of the subscription to the collector: signals, sample interval and scope.

use khor_system::cgroup_name;

use super::rules::PID;
use crate::{Access, ListRule, Rule, TextRule, definition::section};

section! {
    /// The engine's subscription to the collector: signals, sample interval and scope.
    BpfSubscription, BpfSubscriptionPatch {
        /// Groups of signals that khor plays, as a sum of bits: 1 exec, 2 net, 4 sched, 8 block,
        /// 16 tcp, 32 irq.
        enabled_mask: u32 = 63, Rule::Range(0.0, 63.0), Access::Api;
        /// Time between two samples of the collector, milliseconds.
        sample_interval_ms: u16 = 20, Rule::Range(5.0, 5000.0), Access::Api;
        /// Cgroup that khor plays: a systemd unit (`nginx.service`), or a path from the root of the
        /// hierarchy that begins with a slash. Empty selects the whole machine.
        cgroup: String = String::new(), CGROUP, Access::Api;
        /// Ids of processes that khor plays in addition to the processes of `cgroup`.
        tgid_allow: Vec<u32> = Vec::new(), ALLOWED, Access::Api;
        /// Ids of processes that khor does not play.
        tgid_deny: Vec<u32> = Vec::new(), DENIED, Access::Api;
    }
}

const CGROUP: Rule = Rule::Text(&TextRule {
    form: "a unit such as nginx.service, a path such as /system.slice/nginx.service, or an empty text",
    pattern: Some(r"^(|/.*|[^/]+\.(service|scope|slice|socket|mount|swap))$"),
    is_valid: cgroup_name::is_selector,
    ..TextRule::FREE
});
/// The rule for the list of allowed processes. A scope has at most 16 entries, and one of them is
/// reserved for the cgroup.
const ALLOWED: Rule = Rule::List(&ListRule { max_items: 15, items: "processes", item: PID });
const DENIED: Rule = Rule::List(&ListRule { max_items: 16, items: "processes", item: PID });

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
        assert_eq!(error, "bpf.tgid_allow: 16 processes are too many, expected at most 15");
    }
}
