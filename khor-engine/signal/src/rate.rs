//! Computes rates from two frames. Only this module subtracts counters.

use super::{Counter, Frame, PerCounter, PerSignal, SignalId};

/// The rates of all counters over one interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CounterRates {
    /// Length of the interval, seconds; above 0.
    pub interval_s: f64,
    /// Rates, counts per second; for pressure counters, µs of waiting per second. `None` if the
    /// count is unknown at either end of the interval, or has fallen.
    pub per_s: PerCounter<Option<f64>>,
}

/// The rates between two frames; `None` if no time passed between them.
pub fn counter_rates(last: &Frame, now: &Frame) -> Option<CounterRates> {
    let interval_ns = now.t_ns.checked_sub(last.t_ns).filter(|ns| *ns > 0)?;
    let interval_s = interval_ns as f64 * 1e-9;
    let per_s = std::array::from_fn(|i| {
        let delta = now.counters[i]?.checked_sub(last.counters[i]?)?;
        Some(delta as f64 / interval_s)
    });
    Some(CounterRates { interval_s, per_s })
}

impl CounterRates {
    /// The rate of one counter, in counts per second.
    pub fn get(&self, counter: Counter) -> Option<f64> {
        self.per_s[counter.index()]
    }

    /// The rates of the kernel signals, each in its unit: events/s, bytes/s, a share of time, or
    /// seconds per request.
    pub fn signals(&self) -> PerSignal<Option<f64>> {
        std::array::from_fn(|i| signal_rate(super::SIGNALS[i].id, |counter| self.get(counter)))
    }
}

/// Computes a signal's rate from the rates of its counters.
fn signal_rate(signal: SignalId, rate: impl Fn(Counter) -> Option<f64>) -> Option<f64> {
    const US_PER_S: f64 = 1e6;
    const NS_PER_S: f64 = 1e9;
    /// Minimum request rate for which a latency is computed. At a lower rate, the moving averages
    /// only reflect requests from long ago.
    const LEAST_REQUESTS_PER_S: f64 = 0.01;
    match signal {
        SignalId::Exec => rate(Counter::Execs),
        SignalId::Fork => rate(Counter::Forks),
        SignalId::Rx => rate(Counter::EdgeRxBytes),
        SignalId::Tx => rate(Counter::EdgeTxBytes),
        SignalId::Local => rate(Counter::LocalBytes),
        SignalId::Retx => rate(Counter::Retransmits),
        SignalId::Io => Some(rate(Counter::ReadBytes)? + rate(Counter::WriteBytes)?),
        // If there are no requests, the latency counts as 0.
        SignalId::Lat => {
            let requests = rate(Counter::TimedRequests)?;
            let ns = rate(Counter::LatencyNs)?;
            Some(if requests > LEAST_REQUESTS_PER_S { ns / requests / NS_PER_S } else { 0.0 })
        }
        SignalId::Stall => rate(Counter::IoStallUs).map(|us| us / US_PER_S),
        SignalId::Mem => rate(Counter::MemStallUs).map(|us| us / US_PER_S),
        SignalId::Cpu => rate(Counter::CpuStallUs).map(|us| us / US_PER_S),
        SignalId::Csw => rate(Counter::Switches),
        SignalId::Irq => rate(Counter::Irqs),
        SignalId::Softirq => rate(Counter::Softirqs),
        SignalId::Fault => rate(Counter::Faults),
    }
}

impl SignalId {
    /// The counters from which this signal is computed. If any of these counters is missing, the
    /// signal is missing.
    pub const fn counters(self) -> &'static [Counter] {
        match self {
            Self::Exec => &[Counter::Execs],
            Self::Fork => &[Counter::Forks],
            Self::Rx => &[Counter::EdgeRxBytes],
            Self::Tx => &[Counter::EdgeTxBytes],
            Self::Local => &[Counter::LocalBytes],
            Self::Retx => &[Counter::Retransmits],
            Self::Io => &[Counter::ReadBytes, Counter::WriteBytes],
            Self::Stall => &[Counter::IoStallUs],
            Self::Mem => &[Counter::MemStallUs],
            Self::Cpu => &[Counter::CpuStallUs],
            Self::Csw => &[Counter::Switches],
            Self::Irq => &[Counter::Irqs],
            Self::Softirq => &[Counter::Softirqs],
            Self::Fault => &[Counter::Faults],
            Self::Lat => &[Counter::LatencyNs, Counter::TimedRequests],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(t_ms: u64, set: &[(Counter, u64)]) -> Frame {
        let mut counters = [None; Counter::ALL.len()];
        for (counter, value) in set {
            counters[counter.index()] = Some(*value);
        }
        Frame::new(t_ms * 1_000_000, counters)
    }

    #[test]
    fn a_rate_is_difference_over_time() {
        let rates = counter_rates(
            &frame(1000, &[(Counter::Execs, 5), (Counter::IoStallUs, 0)]),
            &frame(1500, &[(Counter::Execs, 15), (Counter::IoStallUs, 250_000)]),
        )
        .unwrap();
        assert_eq!(rates.interval_s, 0.5);
        assert_eq!(rates.signals()[SignalId::Exec.index()], Some(20.0));
        assert_eq!(rates.signals()[SignalId::Stall.index()], Some(0.5));
    }

    #[test]
    fn missing_and_backward_counters_have_no_rate() {
        let rates = counter_rates(
            &frame(0, &[(Counter::Execs, 5), (Counter::ReadBytes, 1)]),
            &frame(20, &[(Counter::Execs, 4), (Counter::ReadBytes, 2), (Counter::Irqs, 9)]),
        )
        .unwrap();
        assert_eq!(rates.get(Counter::Execs), None, "the count fell");
        assert_eq!(rates.get(Counter::Irqs), None, "unknown in the first frame");
        assert_eq!(rates.signals()[SignalId::Io.index()], None, "a sum with an unknown part is unknown");
    }

    #[test]
    fn zero_elapsed_time_gives_no_rates() {
        let one = frame(7, &[]);
        assert_eq!(counter_rates(&one, &one), None);
        assert_eq!(counter_rates(&frame(8, &[]), &one), None);
    }
}
