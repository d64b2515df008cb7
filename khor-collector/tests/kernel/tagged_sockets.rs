//! Tests sockets that have a class id instead of a cgroup, which can happen before Linux 5.15. This
//! test must run last: after it, new sockets get no cgroup on such a kernel until the next boot.

use std::{fs, path::PathBuf};

use khor_e2e::{
    Cgroup, Collector, Mount, Subscriber, skip,
    skip::{in_vm, skip_outside_vm},
    wait_until,
};
use khor_proto::{Availability, Counter, Scope};
use tempfile::TempDir;

use crate::{
    program, scoped_turn as turn,
    scopes::{counted, of, reason, subscribe},
    worker::Worker,
};

const OF_SOCKETS: [Counter; 5] =
    [Counter::RxBytes, Counter::TxBytes, Counter::EdgeRxBytes, Counter::EdgeTxPackets, Counter::Retransmits];
const DATAGRAMS: u64 = 100;

/// A cgroup with a class id. It is in a separate old hierarchy (cgroup v1).
struct ClassId {
    group: PathBuf,
    _hierarchy: Mount,
    _place: TempDir,
}

impl ClassId {
    /// Creates the cgroup and sets its class id. `None` if the kernel lacks the controller
    /// `net_cls`, or if `net_cls` is already mounted elsewhere.
    fn set() -> Option<Self> {
        let place = TempDir::new().expect("creating a directory");
        let hierarchy = Mount::old_hierarchy(place.path(), "net_cls").ok()?;
        let group = place.path().join("khor-test");
        fs::create_dir(&group).expect("creating a cgroup");
        fs::write(group.join("net_cls.classid"), "0x100001").expect("setting the class id");
        Some(Self { group, _hierarchy: hierarchy, _place: place })
    }

    fn take(&self, pid: u32) {
        fs::write(self.group.join("cgroup.procs"), pid.to_string())
            .expect("moving a process into the cgroup");
    }
}

impl Drop for ClassId {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.group);
    }
}

/// Whether a class id replaces the cgroup of a socket on this kernel.
fn kernel_replaces_cgroups() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("reading the kernel's release");
    let mut numbers = release.split(['.', '-']).map(|number| number.parse::<u32>().unwrap_or_default());
    (numbers.next(), numbers.next()) < (Some(5), Some(15))
}

fn children_of_net_cls() -> bool {
    let text = fs::read_to_string("/proc/cgroups").expect("reading /proc/cgroups");
    let row = text.lines().find(|line| line.starts_with("net_cls")).expect("the table has net_cls");
    row.split_whitespace().nth(2) != Some("1")
}

fn datagrams(cgroup: &Cgroup) -> Worker {
    Worker::start(&format!("datagrams 127.0.0.1:9 {DATAGRAMS}"), Some(cgroup))
}

#[test]
fn class_id_hides_scope_traffic() {
    let Some(turn) = turn() else { return };
    let Some(cgroup) = Cgroup::make("/khor-test-tags") else { return skip("needs cgroup2") };
    if !in_vm() && kernel_replaces_cgroups() {
        return skip_outside_vm("this test would leave new sockets without a cgroup until the next boot");
    }
    let mut subscriber = subscribe(&turn, Scope::only(of(&cgroup)));
    let available =
        |subscriber: &Subscriber| OF_SOCKETS.map(|counter| subscriber.availability(counter).clone());
    let before = available(&subscriber);
    let Some(class) = ClassId::set() else { return skip_outside_vm("net_cls cannot be mounted") };
    if kernel_replaces_cgroups() {
        assert!(before.iter().all(|availability| *availability == Availability::Available), "{before:?}");
        let missing = |subscriber: &Subscriber| {
            let missing = |counter| matches!(subscriber.availability(counter), Availability::Absent { .. });
            OF_SOCKETS.into_iter().all(missing)
        };
        subscriber.wait_until("the class id to be detected", |subscriber| missing(subscriber));
        assert!(reason(&subscriber, Counter::TxBytes).contains("net_cls is in use"));
        assert_eq!(subscriber.sample().get(Counter::TxBytes), None, "the count is missing, not zero");
        drop(class);
        wait_until("the class id's cgroup to end", || !children_of_net_cls());
        return a_collector_that_starts_later_detects_tagged_sockets(&cgroup);
    }
    // Newer kernels store both the class id and the cgroup, so the process still counts in its
    // scope.
    let mut worker = datagrams(&cgroup);
    class.take(worker.pid());
    subscriber.sample();
    assert_eq!(available(&subscriber), before);
    if before[1] == Availability::Available {
        assert_eq!(counted(&mut subscriber, Counter::TxPackets, || worker.work()), DATAGRAMS);
    }
}

/// Starts a collector after `net_cls` was used. `/proc/cgroups` no longer shows this earlier use,
/// so the collector must detect it from the tags of the sockets.
fn a_collector_that_starts_later_detects_tagged_sockets(cgroup: &Cgroup) {
    let collector = Collector::start(program(), &["--no-dbus"]);
    let scope = Scope::only(of(cgroup));
    let mut subscriber =
        Subscriber::new(collector.socket(), scope, &[]).expect("subscribing to the collector");
    assert_eq!(*subscriber.availability(Counter::TxBytes), Availability::Available);
    datagrams(cgroup).work();
    subscriber.wait_until("a tagged socket to be detected", |subscriber| {
        matches!(subscriber.availability(Counter::TxBytes), Availability::Absent { reason }
            if reason.contains("net_cls or net_prio is in use"))
    });
}
