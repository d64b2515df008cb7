//! The counters of one scope, and their availability.

use std::sync::Arc;

use khor_layout::Slot;
use khor_proto::{Availability, Selector};
use parking_lot::Mutex;

use super::{
    registry::Shared,
    tags::SocketTags,
    targets::{Target, Targets},
};
use crate::{
    clock::monotonic_ns,
    controllers::Controller,
    polled::Polled,
    probes::{Chosen, Owner},
    trust::Peer,
};

/// A scope for which the kernel counts. Dropping this value releases the scope's number.
#[derive(Debug)]
pub(super) struct ScopedCount {
    pub(super) number: usize,
    shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    targets: Targets,
    availability: Vec<Availability>,
    polled: Polled,
    /// Whether sockets had tags (see [`SocketTags`]) when the availability was determined.
    tags_in_use: bool,
    revision: u64,
}

impl ScopedCount {
    pub(super) fn new(number: usize, targets: Targets, shared: Arc<Shared>) -> Self {
        let tags_in_use = shared.socket_tags.in_use();
        let (availability, polled) = assess(&targets, &shared);
        let state = State { targets, availability, polled, tags_in_use, revision: 0 };
        Self { number, shared, state: Mutex::new(state) }
    }

    /// Looks up the targets of the selectors again. Returns whether the table of the in-kernel
    /// programs must change.
    pub(super) fn refresh(&self) -> bool {
        let mut state = self.state.lock();
        let changed = state.targets.refresh();
        let tags_in_use = self.shared.socket_tags.in_use();
        if changed || tags_in_use != state.tags_in_use {
            (state.availability, state.polled) = assess(&state.targets, &self.shared);
            state.tags_in_use = tags_in_use;
            state.revision += 1;
        }
        changed
    }

    /// Whether one of the selected processes has ended.
    pub(super) fn has_dead_process(&self) -> bool {
        self.state.lock().targets.all().any(Target::is_dead)
    }

    /// Whether process `pid`, in the cgroup at `path`, belongs to the scope.
    pub(super) fn covers(&self, path: &str, pid: u32) -> bool {
        let Targets { include, exclude } = &self.state.lock().targets;
        let covers = |target: &Target| target.covers(path, pid);
        (include.is_empty() || include.iter().any(covers)) && !exclude.iter().any(covers)
    }

    /// Converts the scope to cgroup ids and process numbers, as the table of the in-kernel programs
    /// needs them.
    pub(super) fn chosen(&self) -> Chosen {
        let Targets { include, exclude } = &self.state.lock().targets;
        let cgroups = |targets: &[Target]| targets.iter().filter_map(Target::cgroup_id).collect();
        let processes = |targets: &[Target]| targets.iter().filter_map(Target::process).collect();
        Chosen {
            number: self.number,
            include_all: include.is_empty(),
            names_processes: include.iter().chain(exclude).any(names_process),
            include_cgroups: cgroups(include),
            exclude_cgroups: cgroups(exclude),
            include_processes: processes(include),
            exclude_processes: processes(exclude),
        }
    }
}

impl ScopedCount {
    /// Why `peer` has no permission to read these counters; `None` if it has permission.
    pub(super) fn refusal(&self, peer: Peer) -> Option<String> {
        self.state.lock().targets.refusal(peer)
    }

    /// Whether all activity in the scope belongs to user `uid`.
    pub(super) fn belongs_to(&self, uid: u32) -> bool {
        self.state.lock().targets.all_belong_to(uid)
    }

    pub(super) fn availability(&self) -> Vec<Availability> {
        self.state.lock().availability.clone()
    }

    /// A number that changes whenever the targets of the scope, their owners or the availability of
    /// the counters change.
    pub(super) fn revision(&self) -> u64 {
        self.state.lock().revision
    }

    /// Replaces the contents of `counters` with the current counts, in catalogue order.
    pub(super) fn read(&self, counters: &mut Vec<Option<u64>>) {
        let state = self.state.lock();
        let counts = self.shared.probes.scope(self.number);
        let counted = self.shared.probes.counter_states().iter();
        let counted = counted.map(|counter| Some(counts[counter.scope_slot as usize]));
        let all = counted.chain(state.polled.read(monotonic_ns()));
        let available = |availability: &Availability| *availability == Availability::Available;
        counters.clear();
        counters.extend(
            all.zip(&state.availability)
                .map(|(count, availability)| count.filter(|_| available(availability))),
        );
    }
}

impl Drop for ScopedCount {
    fn drop(&mut self) {
        self.shared.release(self.number);
    }
}

fn names_process(target: &Target) -> bool {
    matches!(target.selector, Selector::Process(_))
}

/// Determines the availability of each counter for these targets, in catalogue order. Also opens
/// the files that contain counts.
fn assess(targets: &Targets, shared: &Shared) -> (Vec<Availability>, Polled) {
    let counters = shared.probes.counter_states();
    let polled = polled_of(targets);
    let missing = missing_targets(targets);
    let counted = counters.iter().map(|counter| {
        let reason = missing.clone().or_else(|| unattributable(counter.owner, targets, &shared.socket_tags));
        reason.map_or_else(|| counter.scope.clone(), |reason| Availability::Absent { reason })
    });
    debug_assert_eq!(counters.len(), Slot::COUNT);
    (counted.chain(polled.availability()).collect(), polled)
}

/// If none of the included targets exists, returns the reason. The programs then have nothing to
/// count, so the counters are missing.
fn missing_targets(targets: &Targets) -> Option<String> {
    let gone: Vec<_> = targets.include.iter().map(Target::gone).collect();
    if gone.iter().any(Option::is_none) { None } else { gone.into_iter().flatten().next() }
}

/// Returns why a counter is missing in a scope: the kernel cannot attribute its events to
/// `targets`. `owner` is the kind of owner of these events. `None` if the kernel can attribute the
/// events.
fn unattributable(owner: Owner, targets: &Targets, socket_tags: &SocketTags) -> Option<String> {
    let event = match owner {
        Owner::Task => return None,
        Owner::Nobody => {
            return Some("interrupts have no owner, so they are counted only for the whole machine".into());
        }
        Owner::Socket => "packet",
        Owner::Request => "disk request",
    };
    if targets.all().any(names_process) {
        return Some(format!("the kernel knows the cgroup of a {event}, but not its process"));
    }
    match owner {
        Owner::Request => uncharged(targets),
        Owner::Socket => socket_tags.reason(),
        Owner::Task | Owner::Nobody => None,
    }
}

/// Returns a reason for missing counts if the I/O controller is off in one of the target cgroups.
/// The kernel then charges the disk requests of this cgroup to one of its ancestors.
fn uncharged(targets: &Targets) -> Option<String> {
    let mut directories = targets.all().filter_map(Target::cgroup_directory);
    let directory = directories.find(|directory| !directory.join("io.stat").exists())?;
    Some(Controller::Io.reason_off(&format!("in {}", directory.display())))
}

/// Opens the files with the kernel's own counts. These files describe one cgroup or process. The
/// counts of several files cannot be added or subtracted, so a scope with several targets has no
/// such counts.
fn polled_of(targets: &Targets) -> Polled {
    match (&targets.include[..], &targets.exclude[..]) {
        ([one], []) => match (one.cgroup_directory(), one.process(), one.gone()) {
            (Some(directory), ..) => Polled::cgroup(directory),
            (_, Some(pid), _) => Polled::process(pid),
            (.., gone) => Polled::absent(&gone.unwrap_or_default()),
        },
        _ => Polled::absent("the kernel counts pressure and page faults only for a single cgroup or process"),
    }
}
