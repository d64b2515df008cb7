//! Finds the cgroups and processes (targets) that a scope's selectors name. A cgroup may disappear
//! and reappear with another id, and a process may end.

use std::path::PathBuf;

use khor_proto::{Scope, Selector};

use super::{
    hierarchy::{self, Directory, Hierarchy},
    process,
};
use crate::trust::Peer;

/// One selector and its target.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) selector: Selector,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Cgroup { directory: PathBuf, found: Option<Directory> },
    Process { pid: u32, start_ticks: u64, alive: bool, owner: Option<u32> },
}

/// The targets of a scope's inclusions and exclusions.
#[derive(Clone, Debug)]
pub(super) struct Targets {
    pub(super) include: Vec<Target>,
    pub(super) exclude: Vec<Target>,
}

impl Targets {
    /// Finds the targets of the inclusions and exclusions. Fails with the reason if the scope is
    /// invalid.
    pub(super) fn find(
        include: &[Selector],
        exclude: &[Selector],
        hierarchy: &Hierarchy,
    ) -> Result<Self, String> {
        let limit = Scope::MAX_SELECTORS;
        if include.len() > limit || exclude.len() > limit {
            return Err(format!(
                "a scope includes at most {limit} and excludes at most {limit} cgroups and processes"
            ));
        }
        if include.is_empty() && exclude.is_empty() {
            return Err(
                "a scope must include or exclude something: use Scope::Machine for the whole machine".into(),
            );
        }
        let find = |selectors: &[Selector]| -> Result<Vec<_>, _> {
            selectors.iter().map(|one| Target::find(one, hierarchy)).collect()
        };
        Ok(Self { include: find(include)?, exclude: find(exclude)? })
    }

    /// Finds the targets again. Returns whether they changed.
    pub(super) fn refresh(&mut self) -> bool {
        self.include
            .iter_mut()
            .chain(&mut self.exclude)
            .fold(false, |changed, target| target.refresh() | changed)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Target> {
        self.include.iter().chain(&self.exclude)
    }

    /// Whether all counted activity belongs to user `uid`. Exclusions do not matter, because they
    /// only reduce the counts.
    pub(super) fn all_belong_to(&self, uid: u32) -> bool {
        !self.include.is_empty() && self.include.iter().all(|target| target.belongs_to(uid))
    }

    /// Why `peer` has no permission to read the counts of these targets; `None` if it has
    /// permission. A process of another user is forbidden even as an exclusion: subtracting such a
    /// scope from the whole machine would reveal the activity of the process.
    pub(super) fn refusal(&self, peer: Peer) -> Option<String> {
        if peer.trusted {
            return None;
        }
        let mut alive = self.all().filter(|target| target.process().is_some());
        let pid = alive.find(|target| !target.belongs_to(peer.uid))?.process()?;
        Some(format!(
            "process {pid} belongs to another user, or has another user's rights; {}",
            peer.remedy()
        ))
    }
}

impl Target {
    fn find(selector: &Selector, hierarchy: &Hierarchy) -> Result<Self, String> {
        let kind = match selector {
            Selector::Cgroup(path) => {
                let directory = hierarchy.directory(path)?;
                Kind::Cgroup { found: hierarchy::cgroup_at(&directory), directory }
            }
            &Selector::Process(pid) => {
                let missing = || format!("there is no process {pid}, or /proc hides it (hidepid)");
                let process = process::process_of(pid).ok_or_else(missing)?;
                if process != pid {
                    return Err(format!(
                        "{pid} is a thread of process {process}: select the process instead"
                    ));
                }
                let start_ticks = process::start_ticks(pid).ok_or_else(missing)?;
                let owner = process::owner(pid);
                // If the start time has changed, the process has ended and the kernel has reused
                // its number.
                if process::start_ticks(pid) != Some(start_ticks) {
                    return Err(missing());
                }
                Kind::Process { pid, start_ticks, alive: true, owner }
            }
        };
        Ok(Self { selector: selector.clone(), kind })
    }

    fn refresh(&mut self) -> bool {
        match &mut self.kind {
            Kind::Cgroup { directory, found } => {
                let now = hierarchy::cgroup_at(directory);
                std::mem::replace(found, now) != now
            }
            Kind::Process { pid, start_ticks, alive, owner } => {
                if !*alive {
                    return false;
                }
                // The kernel may reuse the PID for another process, which has a later start time.
                // So read the owner first: if the start time is still the same afterwards,
                // `owner_now` is the user of the same process, even if this process has changed its
                // user.
                let owner_now = process::owner(*pid);
                *alive = process::start_ticks(*pid) == Some(*start_ticks);
                !*alive || std::mem::replace(owner, owner_now) != owner_now
            }
        }
    }

    /// Id of the cgroup, if the target is an existing cgroup.
    pub(super) fn cgroup_id(&self) -> Option<u64> {
        match self.kind {
            Kind::Cgroup { found, .. } => found.map(|found| found.id),
            Kind::Process { .. } => None,
        }
    }

    /// Directory of the cgroup, if the target is an existing cgroup.
    pub(super) fn cgroup_directory(&self) -> Option<&PathBuf> {
        match &self.kind {
            Kind::Cgroup { directory, found: Some(_) } => Some(directory),
            _ => None,
        }
    }

    /// Number of the process, if the target is a running process.
    pub(super) fn process(&self) -> Option<u32> {
        match self.kind {
            Kind::Process { pid, alive: true, .. } => Some(pid),
            _ => None,
        }
    }

    /// Whether the target is a process that has ended. Another process may then have its number.
    pub(super) fn is_dead(&self) -> bool {
        matches!(self.kind, Kind::Process { alive: false, .. })
    }

    /// Whether the cgroup or process belongs to user `uid`.
    fn belongs_to(&self, uid: u32) -> bool {
        match self.kind {
            Kind::Cgroup { found, .. } => found.is_some_and(|found| found.owner == uid),
            Kind::Process { owner, .. } => owner == Some(uid),
        }
    }

    /// Whether the target is process `pid`, the cgroup at `path`, or an ancestor of this cgroup.
    pub(super) fn covers(&self, path: &str, pid: u32) -> bool {
        match &self.selector {
            Selector::Cgroup(named) => {
                let below = path.strip_prefix(named.trim_end_matches('/'));
                below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
            }
            Selector::Process(_) => self.process() == Some(pid),
        }
    }

    /// Returns the reason why the target is missing; `None` if it exists.
    pub(super) fn gone(&self) -> Option<String> {
        match &self.kind {
            Kind::Cgroup { found: None, .. } => match &self.selector {
                Selector::Cgroup(path) => Some(format!("there is no cgroup {} now", shortened(path))),
                Selector::Process(_) => None,
            },
            Kind::Process { pid, alive: false, .. } => Some(format!("process {pid} has ended")),
            _ => None,
        }
    }
}

/// Cuts the start of a long path. The path is part of the reason that every absent counter repeats,
/// so a long path would take much space.
fn shortened(path: &str) -> String {
    const LETTERS: usize = 60;
    let letters = path.chars().count();
    if letters <= LETTERS {
        return path.to_owned();
    }
    format!("…{}", path.chars().skip(letters - LETTERS).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cgroup_covers_itself_and_descendants() {
        let hierarchy = Hierarchy::find();
        let Ok(target) = Target::find(&Selector::Cgroup("/a/b".into()), &hierarchy) else { return };
        assert!(target.covers("/a/b", 1) && target.covers("/a/b/c", 1));
        assert!(!target.covers("/a/bc", 1) && !target.covers("/a", 1));
        let root = Target::find(&Selector::Cgroup("/".into()), &hierarchy).unwrap();
        assert!(root.covers("/a", 1) && root.covers("/", 1));
    }

    #[test]
    fn long_paths_are_shortened_at_the_front() {
        assert_eq!(shortened("/a.slice/b.service"), "/a.slice/b.service");
        let long = format!("/{}/end", "x".repeat(500));
        assert!(shortened(&long).ends_with("x/end") && shortened(&long).chars().count() == 61);
    }
}
