//! Detects sockets that have a tag instead of their cgroup. A tag is a class id (`net_cls`) or a
//! priority (`net_prio`).
//!
//! Before Linux 5.15 a socket has a single word for its cgroup, class id and priority. Once a
//! program uses `net_cls` or `net_prio`, the kernel stores no cgroup in any new socket until the
//! next boot. Packets of these sockets then have no owner, so a scope's counts would be too small.

use std::sync::OnceLock;

use crate::controllers::Hierarchies;

/// The controllers that tag sockets, as `/proc/cgroups` names them.
const CONTROLLERS: [&str; 2] = ["net_cls", "net_prio"];

/// Whether sockets have tags. If they do, contains the reason why packets have no owner. Once set,
/// the reason stays, because only a reboot removes the tags.
#[derive(Debug, Default)]
pub(super) struct SocketTags(OnceLock<String>);

impl SocketTags {
    /// Checks for tags again. `tagged_sockets` is the number of events whose socket had a tag.
    pub(super) fn refresh(&self, tagged_sockets: u64) {
        if !self.in_use()
            && let Some(controller) = controller_in_use(tagged_sockets, &Hierarchies::read())
        {
            let _ = self.0.set(reason(&controller)); // another thread may have set the same reason
        }
    }

    /// Whether sockets have tags.
    pub(super) fn in_use(&self) -> bool {
        self.0.get().is_some()
    }

    /// If sockets have tags, returns the reason why packets have no owner.
    pub(super) fn reason(&self) -> Option<String> {
        self.0.get().cloned()
    }
}

/// Returns the names of the socket-tagging controllers that are in use. A controller whose
/// hierarchy has only a root cgroup does not count as used, because some systems mount all
/// controllers.
fn controller_in_use(tagged_sockets: u64, hierarchies: &Hierarchies) -> Option<String> {
    let active: Vec<_> = CONTROLLERS.into_iter().filter(|name| hierarchies.has_children(name)).collect();
    match (active.is_empty(), tagged_sockets) {
        (true, 0) => None,
        (true, _) => Some(CONTROLLERS.join(" or ")),
        (false, _) => Some(active.join(" and ")),
    }
}

fn reason(controller: &str) -> String {
    format!(
        "{controller} is in use, so this kernel does not store the cgroups of sockets: find its mount with `grep net_ \
         /proc/cgroups /proc/mounts`, stop the program that uses it and reboot, or use kernel 5.15 or later"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNUSED: &str = "net_cls\t3\t1\t1\nnet_prio\t3\t1\t1\n";

    #[test]
    fn cgroup_or_tagged_socket_marks_controller_used() {
        let unused = Hierarchies::parse(UNUSED);
        assert_eq!(controller_in_use(0, &unused), None);
        assert_eq!(controller_in_use(0, &Hierarchies::parse("net_cls\t0\t1\t1\nnet_prio\t0\t1\t1\n")), None);
        assert_eq!(controller_in_use(1, &unused).as_deref(), Some("net_cls or net_prio"));
        let used = Hierarchies::parse("net_cls\t3\t2\t1\nnet_prio\t0\t90\t1\n");
        assert_eq!(
            controller_in_use(0, &used).as_deref(),
            Some("net_cls"),
            "in cgroup2, net_prio sets no tags"
        );
    }

    #[test]
    fn tags_stay_until_the_next_boot() {
        let tags = SocketTags::default();
        assert_eq!(tags.reason(), None);
        tags.refresh(1);
        tags.refresh(0);
        let reason = tags.reason().unwrap();
        assert!(tags.in_use() && reason.contains("in use") && reason.contains("reboot"), "{reason}");
    }
}
