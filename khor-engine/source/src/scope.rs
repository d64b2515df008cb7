//! Converts the scope in the configuration to the scope that the collector counts.
//!
//! The configuration contains the name of a systemd unit. khor searches the cgroup hierarchy for
//! the unit's cgroups. It does not ask systemd, so this works for the units of all users, and
//! without a bus.

use khor_proto::{Scope, Selector, inert};
use khor_system::cgroup_name;

use super::cgroups;

/// The scope as the configuration selects it: a cgroup or unit, and processes to add or exclude.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeChoice {
    /// The name of a unit, or the path of a cgroup, which begins with a slash. May be empty.
    pub cgroup: String,
    /// Ids of processes that are counted in addition to the cgroup.
    pub processes: Vec<u32>,
    /// Ids of processes that are not counted.
    pub without: Vec<u32>,
}

impl ScopeChoice {
    /// Whether the scope is the whole machine.
    pub fn is_machine(&self) -> bool {
        let Self { cgroup, processes, without } = self;
        cgroup.is_empty() && processes.is_empty() && without.is_empty()
    }

    /// Whether the choice is the name of a unit. A unit keeps its name, but may move to another
    /// cgroup when it restarts.
    pub(super) fn names_a_unit(&self) -> bool {
        cgroup_name::is_unit(&self.cgroup)
    }

    /// The scope as it is written in the configuration, for messages. If the configuration names a
    /// unit, the scope contains the unit's name instead of the unit's cgroups.
    pub fn as_written(&self) -> Scope {
        self.of(vec![self.cgroup.clone()])
    }

    /// Returns the scope with the current cgroups of its unit. If the unit does not run, its cgroup
    /// is assumed to be in `/system.slice`. Reads the cgroup hierarchy.
    pub fn resolve(&self) -> Scope {
        if !self.names_a_unit() {
            return self.as_written();
        }
        let mut found = cgroups::of_unit(&self.cgroup);
        found.truncate(Scope::MAX_SELECTORS.saturating_sub(self.processes.len()));
        if found.is_empty() {
            found.push(format!("/system.slice/{}", self.cgroup));
        }
        self.of(found)
    }

    fn of(&self, cgroups: Vec<String>) -> Scope {
        if self.is_machine() {
            return Scope::Machine;
        }
        let cgroups = cgroups.into_iter().filter(|cgroup| !cgroup.is_empty()).map(Selector::Cgroup);
        let processes = |list: &[u32]| list.iter().copied().map(Selector::Process).collect::<Vec<_>>();
        Scope::Selected {
            include: cgroups.chain(processes(&self.processes)).collect(),
            exclude: processes(&self.without),
        }
    }
}

/// The name of a scope for people: for example `nginx.service`, `process 4711` or
/// `the whole machine`.
pub fn scope_label(scope: &Scope) -> String {
    const MACHINE: &str = "the whole machine";
    let Scope::Selected { include, exclude } = scope else { return MACHINE.to_owned() };
    let mut names: Vec<String> = include.iter().map(name).collect();
    names.dedup(); // The same unit may run for several users.
    let included = if names.is_empty() { MACHINE.to_owned() } else { names.join(" and ") };
    if exclude.is_empty() {
        return included;
    }
    let excluded: Vec<String> = exclude.iter().map(name).collect();
    format!("{included} without {}", excluded.join(" and "))
}

/// The paths of a scope's cgroups, for display. Removes unsafe characters ([`inert`]), because the
/// cgroups above a unit may have any name.
pub fn cgroups_of(scope: &Scope) -> Vec<String> {
    let Scope::Selected { include, .. } = scope else { return Vec::new() };
    let path = |selector: &Selector| match selector {
        Selector::Cgroup(path) => Some(inert::line(path).into_owned()),
        Selector::Process(_) => None,
    };
    include.iter().filter_map(path).collect()
}

fn name(selector: &Selector) -> String {
    match selector {
        Selector::Cgroup(path) => {
            let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            if last.is_empty() { "the root cgroup".to_owned() } else { inert::line(last).into_owned() }
        }
        Selector::Process(pid) => format!("process {pid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_has_a_readable_label() {
        let choice = |cgroup: &str, processes: &[u32], without: &[u32]| ScopeChoice {
            cgroup: cgroup.into(),
            processes: processes.to_vec(),
            without: without.to_vec(),
        };
        let text = |choice: ScopeChoice| scope_label(&choice.as_written());
        assert_eq!(text(ScopeChoice::default()), "the whole machine");
        assert_eq!(text(choice("nginx.service", &[], &[])), "nginx.service");
        assert_eq!(text(choice("/system.slice/nginx.service", &[], &[7])), "nginx.service without process 7");
        assert_eq!(text(choice("", &[7, 8], &[])), "process 7 and process 8");
        assert_eq!(text(choice("", &[], &[7])), "the whole machine without process 7");
        assert_eq!(text(choice("/", &[], &[])), "the root cgroup");
    }

    #[test]
    fn a_missing_unit_is_in_the_system_slice() {
        let choice = ScopeChoice { cgroup: "khor-no-such.service".into(), ..ScopeChoice::default() };
        let expected = Scope::only(Selector::Cgroup("/system.slice/khor-no-such.service".into()));
        assert_eq!(choice.resolve(), expected);
        assert_eq!(ScopeChoice::default().resolve(), Scope::Machine);
    }
}
