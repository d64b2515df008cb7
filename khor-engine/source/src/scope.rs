//! The selected scope: from the configuration's names to the collector's scope.
//!
//! Users know a unit by its name. Its cgroups are looked up in the hierarchy, without systemd, so
//! that it works for the units of any user and without a bus.

use khor_proto::{Scope, Selector, inert};
use khor_system::cgroup_name;

use super::cgroups;

/// The selected scope, as in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeChoice {
    /// A unit's name, a path that begins with a slash, or empty.
    pub cgroup: String,
    /// Further processes that are counted.
    pub processes: Vec<u32>,
    /// Processes that are not counted.
    pub without: Vec<u32>,
}

impl ScopeChoice {
    /// Nothing in particular.
    pub fn is_machine(&self) -> bool {
        let Self { cgroup, processes, without } = self;
        cgroup.is_empty() && processes.is_empty() && without.is_empty()
    }

    /// Whether it names a unit. A unit may restart in another cgroup while its name stays the same.
    pub(super) fn names_a_unit(&self) -> bool {
        cgroup_name::is_unit(&self.cgroup)
    }

    /// The scope as it is written in the configuration, for texts.
    pub fn as_written(&self) -> Scope {
        self.of(vec![self.cgroup.clone()])
    }

    /// The current scope. A unit that does not run is expected at its usual place. Reads the cgroup
    /// hierarchy.
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

/// Whose activity that is, for people: `nginx.service`, `process 4711`, `the whole machine`.
pub fn scope_label(scope: &Scope) -> String {
    const MACHINE: &str = "the whole machine";
    let Scope::Selected { include, exclude } = scope else { return MACHINE.to_owned() };
    let mut names: Vec<String> = include.iter().map(name).collect();
    names.dedup(); // one unit of several users
    let included = if names.is_empty() { MACHINE.to_owned() } else { names.join(" and ") };
    if exclude.is_empty() {
        return included;
    }
    let excluded: Vec<String> = exclude.iter().map(name).collect();
    format!("{included} without {}", excluded.join(" and "))
}

/// The paths of its cgroups, for display. They are made [inert], because directories above a unit
/// may have any name.
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
    fn choice_has_readable_label() {
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
    fn missing_unit_gets_its_usual_cgroups() {
        let choice = ScopeChoice { cgroup: "khor-no-such.service".into(), ..ScopeChoice::default() };
        let expected = Scope::only(Selector::Cgroup("/system.slice/khor-no-such.service".into()));
        assert_eq!(choice.resolve(), expected);
        assert_eq!(ScopeChoice::default().resolve(), Scope::Machine);
    }
}
