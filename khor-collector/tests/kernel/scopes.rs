//! Tests that each scope counts all events that belong to it, and no others.

use std::time::Duration;

use khor_e2e::{Cgroup, Subscriber, bracket, load, procfs, skip};
use khor_proto::{Availability, Counter, Scope, Selector, client::ClientError};

use crate::{Turn, disk, scoped_turn as turn, worker::Worker};

pub(crate) fn of(cgroup: &Cgroup) -> Selector {
    Selector::Cgroup(cgroup.path().to_owned())
}

pub(crate) fn subscribe(turn: &Turn, scope: Scope) -> Subscriber {
    Subscriber::new(turn.collector.socket(), scope, &[]).expect("subscribing to the collector")
}

pub(crate) fn reason(subscriber: &Subscriber, counter: Counter) -> String {
    match subscriber.availability(counter) {
        Availability::Absent { reason } => reason.clone(),
        Availability::Available => panic!("{counter} is available"),
    }
}

/// Runs `work`, and returns by how much the value of `counter` increased.
pub(crate) fn counted(subscriber: &mut Subscriber, counter: Counter, work: impl FnOnce()) -> u64 {
    let before = subscriber.sample().get(counter).unwrap_or_else(|| panic!("{counter} is missing"));
    work();
    subscriber.sample().get(counter).unwrap_or_else(|| panic!("{counter} is missing")) - before
}

#[test]
fn cgroup_counts_own_and_descendant_execs() {
    const EXECS: u32 = 100;
    let Some(turn) = turn() else { return };
    let (Some(ours), Some(other)) = (Cgroup::make("/khor-test-a"), Cgroup::make("/khor-test-b")) else {
        return skip("needs cgroup2");
    };
    let below = Cgroup::make("/khor-test-a/one/two").expect("creating a cgroup");
    let mut subscriber = subscribe(&turn, Scope::only(of(&ours)));
    for (cgroup, expected) in [(&ours, EXECS), (&below, EXECS), (&other, 0)] {
        let mut worker = Worker::start(&format!("execs {EXECS}"), Some(cgroup));
        let execs = counted(&mut subscriber, Counter::Execs, || worker.work());
        assert_eq!(execs, u64::from(expected), "{}", cgroup.path());
    }
    // The worker forks once for each program start, and never otherwise.
    let mut worker = Worker::start(&format!("execs {EXECS}"), Some(&ours));
    assert_eq!(counted(&mut subscriber, Counter::Forks, || worker.work()), u64::from(EXECS));
    drop(below);
}

#[test]
fn exclusion_overrides_inclusion() {
    const EXECS: u32 = 50;
    let Some(turn) = turn() else { return };
    let (Some(ours), Some(below)) = (Cgroup::make("/khor-test-c"), Cgroup::make("/khor-test-c/below")) else {
        return skip("needs cgroup2");
    };
    let include = vec![of(&ours)];
    let mut without = subscribe(&turn, Scope::Selected { include, exclude: vec![of(&below)] });
    let mut all_but = subscribe(&turn, Scope::Selected { include: vec![], exclude: vec![of(&ours)] });
    let mut inside = Worker::start(&format!("execs {EXECS}"), Some(&ours));
    let mut excluded = Worker::start(&format!("execs {EXECS}"), Some(&below));
    let execs = counted(&mut without, Counter::Execs, || {
        inside.work();
        excluded.work();
    });
    assert_eq!(execs, u64::from(EXECS));
    assert!(counted(&mut all_but, Counter::Execs, || load::execs(EXECS)) >= u64::from(EXECS));
    drop(below);
}

#[test]
fn process_switches_agree_with_kernel_count() {
    let Some(turn) = turn() else { return };
    let rounds = load::scaled(20_000_u32);
    let mut worker = Worker::start(&format!("switches {rounds}"), None);
    let pid = worker.pid();
    let mut subscriber = subscribe(&turn, Scope::only(Selector::Process(pid)));
    let switches =
        bracket(|| subscriber.sample(), Counter::Switches, || procfs::switches_of(pid), || worker.work());
    assert!(switches.holds() && switches.ours > u64::from(rounds), "{switches:?}");
    let quiet = counted(&mut subscriber, Counter::Switches, || load::ping_pong(2000));
    assert!(quiet < 100, "the scope counts {quiet} switches of the test itself");
    for counter in [Counter::RxBytes, Counter::ReadBytes, Counter::Retransmits] {
        assert!(reason(&subscriber, counter).contains("not its process") || counter == Counter::RxBytes);
    }
    assert!(reason(&subscriber, Counter::Irqs).contains("no owner"));
    assert!(reason(&subscriber, Counter::CpuStallUs).contains("not for processes"));
    assert!(subscriber.sample().get(Counter::Faults).expect("the counter is available") > 0);
    drop(worker);
    subscriber.wait_until("the target's end to be reported", |subscriber| {
        matches!(subscriber.availability(Counter::Switches), Availability::Absent { reason } if reason.contains("ended"))
    });
    assert_eq!(subscriber.sample().get(Counter::Switches), None);
}

/// Reads the I/O controller's own count: the sum over all devices of a field of io.stat, such as
/// `rbytes`.
fn io_stat(cgroup: &Cgroup, field: &str) -> u64 {
    let text = std::fs::read_to_string(cgroup.directory().join("io.stat")).expect("reading io.stat");
    let fields = text.split_whitespace().filter_map(|word| word.strip_prefix(field)?.strip_prefix('='));
    fields.map(|count| count.parse::<u64>().expect("the field is a number")).sum()
}

#[test]
fn disk_requests_follow_io_controller() {
    let Some(turn) = turn() else { return };
    let (Some(ours), Some(other)) = (Cgroup::make("/khor-test-f"), Cgroup::make("/khor-test-g")) else {
        return skip("needs cgroup2");
    };
    if !ours.enable("io") {
        // On some machines, the I/O controller belongs to an old hierarchy (cgroup v1).
        let subscriber = subscribe(&turn, Scope::only(of(&ours)));
        let reason = reason(&subscriber, Counter::WriteBytes);
        let old = procfs::hierarchy_of("blkio") != 0;
        let fix = if old { "systemd.unified_cgroup_hierarchy=1" } else { "systemctl set-property" };
        return assert!(reason.contains("io controller") && reason.contains(fix), "{reason}");
    }
    let mut subscriber = subscribe(&turn, Scope::only(of(&ours)));
    let work = format!("direct-io {}", disk().display());
    let mut inside = Worker::start(&work, Some(&ours));
    let own = || (io_stat(&ours, "rbytes"), io_stat(&ours, "wbytes"));
    let (own_before, before) = (own(), subscriber.sample());
    inside.work();
    let (own_after, after) = (own(), subscriber.sample());
    let moved = |counter: Counter| after.growth_since(&before, counter);
    let (read, written) = (own_after.0 - own_before.0, own_after.1 - own_before.1);
    println!("the controller counts {read} read and {written} written");
    assert!(read > 1 << 20 && written > 1 << 20, "{read} {written}");
    assert_eq!(moved(Counter::ReadBytes), read);
    // The I/O controller counts requests when they are submitted, so its count may include requests
    // that are not complete yet.
    assert!(
        moved(Counter::WriteBytes) <= written && moved(Counter::WriteBytes) > written / 2,
        "of {written}"
    );
    assert!(moved(Counter::TimedRequests) > 0 && moved(Counter::LatencyNs) > 0);
    let mut outside = Worker::start(&work, Some(&other));
    assert_eq!(counted(&mut subscriber, Counter::ReadBytes, || outside.work()), 0);
}

#[test]
fn cgroup_may_appear_end_and_return() {
    const EXECS: u32 = 20;
    const PATH: &str = "/khor-test-h";
    let Some(turn) = turn() else { return };
    drop(Cgroup::make(PATH)); // removes a cgroup that an earlier run left
    let mut subscriber = subscribe(&turn, Scope::only(Selector::Cgroup(PATH.into())));
    let mut last = 0;
    for round in 0..3 {
        assert!(reason(&subscriber, Counter::Execs).contains("no cgroup /khor-test-h"), "round {round}");
        assert_eq!(subscriber.sample().get(Counter::Execs), None, "the count is absent, not zero");
        let Some(cgroup) = Cgroup::make(PATH) else { return skip("needs cgroup2") };
        subscriber.wait_until("the cgroup to be found", |subscriber| {
            *subscriber.availability(Counter::Execs) == Availability::Available
        });
        let mut worker = Worker::start(&format!("execs {EXECS}"), Some(&cgroup));
        assert_eq!(
            counted(&mut subscriber, Counter::Execs, || worker.work()),
            u64::from(EXECS),
            "round {round}"
        );
        let now = subscriber.sample().get(Counter::Execs).expect("the counter is available");
        assert!(now > last, "the earlier counts stay");
        last = now;
        drop(worker);
        drop(cgroup);
        subscriber.wait_until("the target's end to be reported", |subscriber| {
            *subscriber.availability(Counter::Execs) != Availability::Available
        });
    }
}

#[test]
fn pressure_and_faults_match_the_cgroup() {
    let Some(turn) = turn() else { return };
    let Some(ours) = Cgroup::make("/khor-test-i") else { return skip("needs cgroup2") };
    let mut subscriber = subscribe(&turn, Scope::only(of(&ours)));
    let own = |resource: &str| {
        let text = std::fs::read_to_string(ours.directory().join(format!("{resource}.pressure"))).ok()?;
        text.split("total=").nth(1)?.split_whitespace().next()?.parse::<u64>().ok()
    };
    match own("cpu") {
        Some(total_us) => {
            let ours_us = subscriber.sample().get(Counter::CpuStallUs).expect("the counter is available");
            assert!(ours_us >= total_us && own("cpu") >= Some(ours_us), "{ours_us} {total_us}");
        }
        None => assert!(!reason(&subscriber, Counter::CpuStallUs).is_empty()),
    }
    let two = Scope::Selected {
        include: vec![of(&ours), Selector::Cgroup("/khor-test-none".into())],
        exclude: vec![],
    };
    assert!(reason(&subscribe(&turn, two), Counter::Faults).contains("a single cgroup or process"));
}

#[test]
fn scopes_are_limited_and_rejections_have_reasons() {
    let Some(turn) = turn() else { return };
    let named = |name: String| Scope::only(Selector::Cgroup(format!("/khor-test-{name}")));
    let mut subscribers: Vec<_> = (0..60).map(|n| subscribe(&turn, named(n.to_string()))).collect();
    let shared = subscribe(&turn, named("0".into())); // the same scope counts once
    drop(shared);
    // The test needs more scopes than one user may have connections (64). So it opens the last
    // scopes by changing subscriptions.
    let rejection = |scope: Scope| match Subscriber::new(turn.collector.socket(), scope, &[]) {
        Err(ClientError::Bye { reason }) => reason,
        other => panic!("{other:?}"),
    };
    let many = vec![Selector::Process(1); Scope::MAX_SELECTORS + 1];
    for (scope, why) in [
        (Scope::only(Selector::Cgroup("relative".into())), "start with a slash"),
        (Scope::only(Selector::Cgroup("/a/../b".into())), "plain path"),
        (Scope::only(Selector::Process(u32::MAX)), "no process 4294967295"),
        (Scope::Selected { include: many, exclude: vec![] }, "includes at most 16"),
        (Scope::Selected { include: vec![], exclude: vec![] }, "the whole machine"),
    ] {
        let reason = rejection(scope);
        assert!(reason.contains(why), "{reason}");
    }
    subscribers.clear();
    std::thread::sleep(Duration::from_millis(100));
    let mut again = subscribe(&turn, named("again".into()));
    again.sample();
}
