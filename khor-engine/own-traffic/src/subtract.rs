//! Subtracts khor's own traffic from the counters of this machine.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use khor_signal::Frame;

use super::{
    OwnTraffic,
    amounts::{Amounts, COUNTERS},
};

/// Shortest time between two readings of the open connections. It is a little less than 100 ms, so
/// that jitter of the frames does not prevent ten readings per second.
const READ_INTERVAL: Duration = Duration::from_millis(90);
/// Time that khor waits for the counters to include its own traffic. If khor still has own traffic
/// to subtract after one to two of these periods, its estimate was too high. khor then drops the
/// rest, which would otherwise hide later traffic of other programs.
const PATIENCE: Duration = Duration::from_secs(1);

/// Subtracts khor's own traffic from a source's counters of the whole machine.
///
/// The results never fall. Traffic of khor that the counters do not include yet is subtracted
/// later.
#[derive(Debug)]
pub struct Subtraction {
    own: Arc<OwnTraffic>,
    /// The total of khor's own traffic at the last reading.
    known: Amounts,
    /// Amount of khor's own traffic that has not been subtracted from each counter yet.
    pending: Amounts,
    /// khor's own traffic in the previous and in the current period. Each period has the length
    /// [`PATIENCE`].
    recent: [Amounts; 2],
    /// Start of the current period of length [`PATIENCE`].
    recent_since: Option<Instant>,
    /// When the open connections were last read; `None` without open connections.
    read_at: Option<Instant>,
    counters: [Series; COUNTERS.len()],
}

/// The last values of one counter, before and after the subtraction.
#[derive(Clone, Copy, Debug, Default)]
struct Series {
    /// The counter's last value before the subtraction.
    raw: Option<u64>,
    /// Amount of khor's own traffic that has been subtracted from the counter so far.
    own: u64,
    /// The counter's last value after the subtraction.
    result: Option<u64>,
}

impl Subtraction {
    /// Creates the subtraction for the counters of a new source. Own traffic before this call is
    /// ignored.
    pub fn new(own: Arc<OwnTraffic>) -> Self {
        let known = own.amounts();
        Self {
            own,
            known,
            pending: [0; COUNTERS.len()],
            recent: [[0; COUNTERS.len()]; 2],
            recent_since: None,
            read_at: None,
            counters: [Series::default(); COUNTERS.len()],
        }
    }

    /// Subtracts khor's own traffic from the counters of a frame. While connections are open, khor
    /// reads the counters and its own traffic at the same moment, ten times per second. Frames
    /// between two readings repeat the last results.
    pub fn apply(&mut self, frame: &mut Frame, now: Instant) {
        let is_held = self.read_at.is_some_and(|at| now.duration_since(at) < READ_INTERVAL);
        if !is_held {
            self.read(now);
        }
        for (i, counter) in COUNTERS.into_iter().enumerate() {
            let value = &mut frame.counters[counter.index()];
            if !is_held || value.is_none() {
                self.counters[i].take(*value, &mut self.pending[i]);
            }
            *value = self.counters[i].result;
        }
    }

    /// Reads khor's own traffic. Without open connections, this needs no system call, so khor does
    /// it for every frame.
    fn read(&mut self, now: Instant) {
        let is_connected = self.own.is_connected();
        self.read_at = is_connected.then_some(now);
        let amounts = self.own.amounts();
        if self.recent_since.is_none_or(|since| now.duration_since(since) >= PATIENCE) {
            self.recent = [self.recent[1], [0; COUNTERS.len()]];
            self.recent_since = Some(now);
        }
        for (i, amount) in amounts.into_iter().enumerate() {
            let more = amount.saturating_sub(self.known[i]);
            self.recent[1][i] += more;
            self.pending[i] = (self.pending[i] + more).min(self.recent[0][i] + self.recent[1][i]);
        }
        self.known = amounts;
        if is_connected {
            self.own.search_tunnels();
        }
    }
}

impl Series {
    /// Takes the counter's next value, and subtracts `pending` from the increase. If `pending`
    /// exceeds the increase, the rest stays in `pending` for the next value.
    fn take(&mut self, value: Option<u64>, pending: &mut u64) {
        let last = std::mem::replace(&mut self.raw, value);
        let (Some(value), Some(last)) = (value, last) else {
            self.result = value.map(|value| value.saturating_sub(self.own));
            return;
        };
        let Some(rise) = value.checked_sub(last) else {
            // The counter has restarted. Return no result, so that the rate has no spike.
            *self = Self { raw: Some(value), own: 0, result: None };
            return;
        };
        let own = rise.min(*pending);
        *pending -= own;
        self.own += own;
        self.result = Some(value - self.own);
    }
}

#[cfg(test)]
mod tests {
    use khor_proto::Unit;
    use khor_signal::Counter;

    use super::*;
    use crate::CountedAt;

    const TX: usize = 2;

    struct Bench {
        own: Arc<OwnTraffic>,
        subtraction: Subtraction,
        begun: Instant,
    }

    impl Bench {
        fn new() -> Self {
            let own = Arc::<OwnTraffic>::default();
            Self { subtraction: Subtraction::new(Arc::clone(&own)), own, begun: Instant::now() }
        }

        /// Counts `bytes` as traffic that khor has sent through the machine's edge.
        fn send(&self, bytes: u64) {
            self.own.lock().ended[TX] += bytes;
        }

        /// Creates a frame in which `edge_tx_bytes` is `value`, and subtracts khor's own traffic
        /// from it at `after_ms` milliseconds after the start. Returns the resulting
        /// `edge_tx_bytes`.
        fn take(&mut self, after_ms: u64, value: Option<u64>) -> Option<u64> {
            let mut frame = Frame::new(0, [Some(1); Counter::ALL.len()]);
            frame.counters[Counter::EdgeTxBytes.index()] = value;
            self.subtraction.apply(&mut frame, self.begun + Duration::from_millis(after_ms));
            assert_eq!(
                frame.counters[Counter::TxBytes.index()],
                Some(1),
                "the totals of all devices must not change"
            );
            frame.counters[Counter::EdgeTxBytes.index()]
        }
    }

    #[test]
    fn only_own_traffic_is_subtracted() {
        let mut bench = Bench::new();
        assert_eq!(bench.take(0, Some(10_000)), Some(10_000));
        bench.send(500);
        assert_eq!(bench.take(20, Some(10_700)), Some(10_200));
        assert_eq!(bench.take(40, Some(10_900)), Some(10_400));
    }

    #[test]
    fn late_own_traffic_never_lowers_result() {
        let mut bench = Bench::new();
        bench.take(0, Some(10_000));
        bench.send(500);
        assert_eq!(bench.take(20, Some(10_100)), Some(10_000));
        assert_eq!(bench.take(40, Some(10_100)), Some(10_000));
        assert_eq!(bench.take(60, Some(10_600)), Some(10_100));
    }

    #[test]
    fn high_estimate_hides_no_later_traffic() {
        let mut bench = Bench::new();
        bench.take(0, Some(10_000));
        bench.send(500_000);
        assert_eq!(bench.take(500, Some(10_100)), Some(10_000));
        for after_ms in (520..3_000).step_by(20) {
            bench.take(after_ms, Some(10_100));
        }
        assert_eq!(bench.take(3_000, Some(400_100)), Some(400_000));
    }

    #[test]
    fn a_restarted_counter_has_no_result() {
        let mut bench = Bench::new();
        bench.take(0, Some(10_000));
        bench.send(500);
        assert_eq!(bench.take(20, Some(10_700)), Some(10_200));
        assert_eq!(bench.take(40, Some(10_600)), None);
        assert_eq!(bench.take(60, Some(10_650)), Some(10_650));
        assert_eq!((bench.take(80, None), bench.take(100, Some(11_000))), (None, Some(11_000)));
    }

    #[test]
    fn byte_and_packet_counters_are_classified() {
        // khor does not subtract its own traffic from the totals of all devices or from the disk
        // counters.
        const OTHERS: [Counter; 6] = [
            Counter::RxBytes,
            Counter::RxPackets,
            Counter::TxBytes,
            Counter::TxPackets,
            Counter::ReadBytes,
            Counter::WriteBytes,
        ];
        let carries =
            |counter: &Counter| counter.unit() == Unit::Bytes || counter.name().ends_with("_packets");
        for counter in Counter::ALL.into_iter().filter(carries) {
            assert_ne!(COUNTERS.contains(&counter), OTHERS.contains(&counter), "{counter}");
        }
    }

    #[test]
    fn datagrams_are_counted_with_their_headers() {
        let own = OwnTraffic::default();
        own.sent_datagram(CountedAt::Local, 100, [127, 0, 0, 1].into());
        own.sent_datagram(CountedAt::Edge, 100, [192, 0, 2, 1].into());
        own.received_datagram(CountedAt::Edge, 100, [192, 0, 2, 1].into());
        assert_eq!(own.amounts(), [128, 1, 142, 1, 128, 1]);
    }

    #[tokio::test]
    async fn open_connection_updates_every_100_ms() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut bench = Bench::new();
        let counted = crate::CountedStream::new(listener.accept().await.unwrap().0, &bench.own);
        assert_eq!(bench.take(0, Some(100)), Some(100));
        assert_eq!((bench.take(20, Some(150)), bench.take(80, Some(200))), (Some(100), Some(100)));
        assert_eq!(bench.take(100, Some(250)), Some(250));
        drop(counted);
        assert_eq!((bench.take(200, Some(300)), bench.take(220, Some(350))), (Some(300), Some(350)));
    }
}
