//! Tests each counter of the whole machine against the kernel's own count.

use std::{cell::RefCell, thread, time::Duration};

use khor_e2e::{Bracket, Collector, bracket, load, procfs, skip};
use khor_proto::Counter;

use crate::{
    agreement::{Amount, agent_is_shielded, agrees, visible_switches},
    disk, program, turn,
};

/// The tests do as much work as the documented measurements of accuracy: a million context
/// switches, 10,000 program starts, and a gibibyte of traffic in each direction.
const SWITCHES: u32 = 1_000_000;
const EXECS: u32 = 10_000;
const NETWORK_BYTES: u64 = 1 << 30;
const DISK_MEBIBYTES: u32 = 1024;

#[test]
fn switches_agree_with_ctxt() {
    let Some(turn) = turn() else { return };
    let rounds = load::scaled(SWITCHES) / 2;
    let kernel = visible_switches(&turn.collector);
    agrees(&turn.collector, |_| {
        let counted =
            bracket(|| turn.collector.sample(), Counter::Switches, &kernel, || load::ping_pong(rounds));
        assert!(counted.inner >= u64::from(rounds), "{counted:?}");
        counted
    });
}

#[test]
fn forks_agree_with_processes() {
    let Some(turn) = turn() else { return };
    let work = || (load::threads(2000), load::execs(100)).0;
    agrees(&turn.collector, |_| {
        let counted = bracket(|| turn.collector.sample(), Counter::Forks, || procfs::stat("processes"), work);
        assert!(counted.inner >= 2100, "{counted:?}");
        counted
    });
}

/// The kernel has no count of program starts to compare with. So khor's count must be at least the
/// number of programs that this test starts, and at most the kernel's count of forks.
#[test]
fn every_exec_is_counted_once() {
    let Some(turn) = turn() else { return };
    let spawns = load::scaled(EXECS);
    let forks = || procfs::stat("processes");
    let counted = bracket(|| turn.collector.sample(), Counter::Execs, forks, || load::execs(spawns));
    let Bracket { ours, outer, .. } = counted;
    assert!((u64::from(spawns)..=outer).contains(&ours), "{counted:?} of {spawns}");
}

/// The count is exact if no other program starts during the test.
#[test]
fn exec_count_is_exact_on_quiet_machine() {
    const SPAWNS: u32 = 50;
    let Some(turn) = turn() else { return };
    let exact = (0..20).any(|_| {
        let execs = || turn.collector.sample().get(Counter::Execs).expect("the counter is available");
        let before = execs();
        load::execs(SPAWNS);
        let counted = execs() - before;
        assert!(counted >= u64::from(SPAWNS), "{counted}");
        counted == u64::from(SPAWNS)
    });
    assert!(exact, "other programs started processes in every attempt");
}

/// Interfaces other than loopback count their packets at other layers and at later times than khor.
/// So the test compares counts only while these interfaces have no traffic.
#[test]
fn network_agrees_with_loopback_exactly() {
    const ETHERNET_HEADER_BYTES: u64 = 14;
    type Count = fn(procfs::Traffic) -> u64;
    let counts: [(Counter, Count); 4] = [
        (Counter::RxBytes, |lo| lo.rx_bytes),
        (Counter::RxPackets, |lo| lo.rx_packets),
        (Counter::TxBytes, |lo| lo.tx_bytes + ETHERNET_HEADER_BYTES * lo.tx_packets),
        (Counter::TxPackets, |lo| lo.tx_packets),
    ];
    let Some(turn) = turn() else { return };
    for (counter, count) in counts {
        let exact = (0..30).any(|attempt| {
            let amount = if attempt == 0 { Amount::Whole } else { Amount::Little };
            let others = procfs::traffic(|interface| interface != "lo");
            let lo = || count(procfs::traffic(|interface| interface == "lo"));
            let work = || load::loopback(amount.of(load::scaled(NETWORK_BYTES)), 1000);
            let counted = bracket(|| turn.collector.sample(), counter, lo, work);
            assert!(
                counted.ours >= counted.inner / 100 * 99 && counted.inner > 1000,
                "{counter} {counted:?}"
            );
            let quiet = others == procfs::traffic(|interface| interface != "lo");
            assert!(counted.holds() || !quiet || agent_is_shielded(&turn.collector), "{counter} {counted:?}");
            counted.holds()
        });
        assert!(exact, "{counter} was never exact: it is wrong, or other interfaces always have traffic");
    }
}

#[test]
fn block_bytes_agree_with_diskstats() {
    let mebibytes = load::scaled(u64::from(DISK_MEBIBYTES));
    let Some(turn) = turn() else { return };
    for (counter, count) in [
        (Counter::WriteBytes, (|disks| disks.write_bytes) as fn(procfs::Disk) -> u64),
        (Counter::ReadBytes, |disks| disks.read_bytes),
    ] {
        if let Err(error) = load::direct_io(disk(), 1) {
            return skip(&format!("no direct I/O here: {error}"));
        }
        agrees(&turn.collector, |amount| {
            let mebibytes = amount.of(mebibytes) as usize;
            let work = || load::direct_io(disk(), mebibytes).expect("reading and writing with direct I/O");
            let kernel = || count(procfs::disks());
            let counted = bracket(|| turn.collector.sample(), counter, kernel, work);
            assert!(counted.inner >= (mebibytes as u64) << 20, "{counter} {counted:?}");
            counted
        });
    }
}

#[test]
fn requests_agree_with_diskstats_and_are_timed() {
    const MEBIBYTES: usize = 64;
    let Some(turn) = turn() else { return };
    if let Err(error) = load::direct_io(disk(), 1) {
        return skip(&format!("no direct I/O here: {error}"));
    }
    agrees(&turn.collector, |_| {
        let (outer_before, before, inner_before) =
            (procfs::disks(), turn.collector.sample(), procfs::disks());
        load::direct_io(disk(), MEBIBYTES).expect("reading and writing with direct I/O");
        let (inner_after, after, outer_after) = (procfs::disks(), turn.collector.sample(), procfs::disks());
        let ours = |counter: Counter| after.growth_since(&before, counter);
        let counted = Bracket {
            inner: inner_after.requests - inner_before.requests,
            ours: ours(Counter::ReadRequests) + ours(Counter::WriteRequests),
            outer: outer_after.requests - outer_before.requests,
        };
        let (timed, ours_ms) = (ours(Counter::TimedRequests), ours(Counter::LatencyNs) / 1_000_000);
        let kernel_ms = outer_after.busy_ms - outer_before.busy_ms;
        println!("{counted:?}, {timed} timed: {ours_ms} ms; the kernel's count: {kernel_ms} ms");
        assert!(timed >= 2 * MEBIBYTES as u64 && timed + 10 >= counted.ours, "{timed} timed");
        // The kernel's time also includes the wait before a request is issued, so it may be longer
        // than khor's time.
        assert!(ours_ms > 0 && ours_ms <= kernel_ms + 2 + kernel_ms / 20, "{ours_ms} ms, {kernel_ms} ms");
        counted
    });
}

#[test]
fn retransmits_agree_with_retrans_segs() {
    let Some(turn) = turn() else { return };
    let able = load::in_lossy_namespace(|| {
        // Also read the count of the host's network namespace, because khor counts the segments
        // that other programs retransmit there.
        let host = || procfs::retransmitted_segments_of("/proc/1/net/snmp");
        agrees(&turn.collector, |_| {
            let host_before = host();
            let work = || load::lossy_transfer(Duration::from_secs(2));
            let kernel = procfs::retransmitted_segments;
            let counted = bracket(|| turn.collector.sample(), Counter::Retransmits, kernel, work);
            assert!(counted.inner >= u64::from(load::scaled(100_u32)), "{counted:?}");
            Bracket { outer: counted.outer + host() - host_before, ..counted }
        });
    });
    if able.is_none() {
        skip("this kernel has neither netem nor tbf");
    }
}

#[test]
fn irqs_agree_with_the_numbered_ones() {
    let Some(turn) = turn() else { return };
    agrees(&turn.collector, |_| {
        let work = || drop(load::direct_io(disk(), 64));
        let counted = bracket(|| turn.collector.sample(), Counter::Irqs, procfs::numbered_irqs, work);
        assert!(counted.inner > 0, "{counted:?}");
        counted
    });
}

#[test]
fn softirqs_agree_with_kernel_sum() {
    let Some(turn) = turn() else { return };
    agrees(&turn.collector, |_| {
        let work = || load::loopback(load::scaled(NETWORK_BYTES / 16), 1000);
        let counted = bracket(|| turn.collector.sample(), Counter::Softirqs, procfs::softirqs, work);
        assert!(counted.inner > 100, "{counted:?}");
        counted
    });
}

/// The collector reads `/proc/vmstat` at most ten times a second, so the test pauses before each
/// sample.
#[test]
fn page_faults_agree_with_vmstat() {
    let Some(turn) = turn() else { return };
    let sample = || {
        thread::sleep(Duration::from_millis(150));
        turn.collector.sample()
    };
    // Even with huge pages, writing to this memory causes at least one page fault for each 2 MiB.
    let work = || drop(std::hint::black_box(vec![1_u8; 64 << 20]));
    let counted = bracket(sample, Counter::Faults, || procfs::vmstat("pgfault"), work);
    assert!(counted.holds() && counted.inner >= 32, "{counted:?}");
    let counted = bracket(sample, Counter::MajorFaults, || procfs::vmstat("pgmajfault"), || {});
    assert!(counted.holds(), "{counted:?}");
}

const SECOND_CPU: &str = "/sys/devices/system/cpu/cpu1/online";

fn set_second_cpu(online: bool) -> std::io::Result<()> {
    std::fs::write(SECOND_CPU, if online { "1" } else { "0" })
}

/// Whether there is a second CPU that can go offline. If not, reports the test as skipped.
fn second_cpu_or_skip() -> bool {
    let able = set_second_cpu(false).and_then(|()| set_second_cpu(true)).is_ok();
    if !able {
        skip("there is no second CPU that can go offline");
    }
    able
}

/// In this test, a CPU comes online after the start of the collector. None of its counts may be
/// lost.
#[test]
fn cpu_online_after_start_loses_no_counts() {
    let Some(turn) = turn() else { return };
    if !second_cpu_or_skip() {
        return;
    }
    let kernel = visible_switches(&turn.collector);
    agrees(&turn.collector, |_| {
        set_second_cpu(false).expect("switching a CPU on or off");
        let collector = Collector::start(program(), &["--no-dbus"]);
        let work = || {
            set_second_cpu(true).expect("switching a CPU on or off");
            load::ping_pong(20_000);
            thread::sleep(Duration::from_millis(1100));
        };
        let counted = bracket(|| collector.sample(), Counter::Switches, &kernel, work);
        assert!(counted.inner >= 20_000, "{counted:?}");
        counted
    });
}

#[test]
fn counting_survives_cpu_offline_and_online() {
    let Some(turn) = turn() else { return };
    if !second_cpu_or_skip() {
        return;
    }
    let kernel = visible_switches(&turn.collector);
    let last = RefCell::new(turn.collector.sample());
    agrees(&turn.collector, |_| {
        bracket(
            || {
                let now = turn.collector.sample();
                for counter in Counter::ALL {
                    assert!(now.get(counter) >= last.borrow().get(counter), "{counter} decreased");
                }
                last.replace(now.clone());
                now
            },
            Counter::Switches,
            &kernel,
            || {
                for online in [false, true] {
                    set_second_cpu(online).expect("switching a CPU on or off");
                    load::ping_pong(2000);
                }
            },
        )
    });
}
