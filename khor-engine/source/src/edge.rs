//! Supports older sources, which count the traffic of all devices together.
//!
//! Older sources do not separate traffic at the machine's edge (traffic with other machines) from
//! local traffic. Their counts for all network devices replace the edge counters, and the counters
//! of local traffic are missing.

use khor_proto::Availability;
use khor_signal::{Counter, Frame, PerCounter};

/// Returns the counter that replaces an edge counter: it counts the same kind of traffic on all
/// network devices. Returns `None` if `counter` is not an edge counter.
pub(super) fn stand_in(counter: Counter) -> Option<Counter> {
    match counter {
        Counter::EdgeRxBytes => Some(Counter::RxBytes),
        Counter::EdgeRxPackets => Some(Counter::RxPackets),
        Counter::EdgeTxBytes => Some(Counter::TxBytes),
        Counter::EdgeTxPackets => Some(Counter::TxPackets),
        _ => None,
    }
}

/// Whether a counter counts traffic at the machine's edge.
pub(super) fn is_edge(counter: Counter) -> bool {
    stand_in(counter).is_some()
}

/// Whether a counter counts local traffic.
pub(super) fn is_local(counter: Counter) -> bool {
    matches!(counter, Counter::LocalBytes | Counter::LocalPackets)
}

/// Whether a frame lacks all counters of edge traffic and of local traffic.
pub(super) fn is_missing(frame: &Frame) -> bool {
    let is_separate = |counter: &Counter| is_edge(*counter) || is_local(*counter);
    Counter::ALL
        .iter()
        .filter(|counter| is_separate(counter))
        .all(|counter| frame.counters[counter.index()].is_none())
}

/// Fills the edge counters of a frame that an older source sent. Copies the source's counts for all
/// network devices.
pub(super) fn fill(frame: &mut Frame) {
    for counter in Counter::ALL {
        if let Some(all) = stand_in(counter) {
            frame.counters[counter.index()] = frame.counters[all.index()];
        }
    }
}

/// Sets the availability of the edge counters and the local counters for an older source.
/// `no_local` is the reason why the local counters are missing.
pub(super) fn fill_availability(availability: &mut PerCounter<Availability>, no_local: &str) {
    for counter in Counter::ALL {
        if let Some(all) = stand_in(counter) {
            availability[counter.index()] = availability[all.index()].clone();
        } else if is_local(counter) {
            availability[counter.index()] = Availability::Absent { reason: no_local.to_owned() };
        }
    }
}
