//! Tests that the collector counts the events that the kernel did not pass to the in-kernel
//! programs.
//!
//! A kernel with `PREEMPT_RT` can preempt a BPF program. Until this run of the program ends, the
//! kernel skips all other runs of the program on that CPU. It counts them as missed events.

use std::{thread, time::Duration};

use khor_e2e::{Collector, Wait, load, procfs};
use khor_proto::{Availability, Counter};

use crate::turn;

/// Pause before a test reads the count of missed events. It is longer than a second, the time
/// between two readings of this count by the collector.
const REFRESH: Duration = Duration::from_millis(1100);

/// The kernel's count of packets must be at least khor's count, and at most the sum of khor's count
/// and all missed events. The sum is only an upper limit, because not all missed events are
/// packets.
#[test]
fn missed_events_cover_uncounted_packets() {
    const DATAGRAMS: u32 = 100_000;
    let Some(turn) = turn() else { return };
    let sample = turn.collector.sample();
    let info = sample
        .counters()
        .iter()
        .find(|info| info.name == Counter::MissedEvents.name())
        .expect("the counter is in the catalogue");
    if let Availability::Absent { reason } = &info.availability {
        // Linux 5.10 is the only kernel in `cargo xtask vm` that does not count missed events.
        return assert!(reason.starts_with("this kernel does not count missed events"), "{reason}");
    }
    let is_preemptible = procfs::is_preemptible();
    let mut wait = Wait::new("an event that was missed");
    let missed = || turn.collector.sample().get(Counter::MissedEvents).expect("the counter is available");
    let before = missed();
    loop {
        packets_are_covered(&turn.collector, DATAGRAMS);
        if missed() > before || !is_preemptible {
            break;
        }
        wait.check(|| "this kernel preempts programs, but no event was missed".into());
    }
}

fn packets_are_covered(collector: &Collector, datagrams: u32) {
    let loopback = || procfs::traffic(|interface| interface == "lo").rx_packets;
    let all = || procfs::traffic(|_| true).rx_packets;
    let (all_before, first, loopback_before) = (all(), collector.sample(), loopback());
    load::preempted_datagrams(load::scaled(datagrams));
    let loopback_after = loopback();
    thread::sleep(REFRESH);
    let (last, all_after) = (collector.sample(), all());
    let ours = |counter: Counter| last.growth_since(&first, counter);
    let (packets, missed) = (ours(Counter::RxPackets), ours(Counter::MissedEvents));
    let (inner, outer) = (loopback_after - loopback_before, all_after - all_before);
    println!("packets: the kernel {inner} to {outer}, ours {packets}, missed events {missed}");
    assert!(packets <= outer, "{packets} of at most {outer} packets");
    assert!(packets + missed >= inner, "{packets} packets and {missed} missed events of {inner} packets");
}
