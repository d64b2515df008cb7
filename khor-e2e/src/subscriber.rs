//! A connection to a collector that stays subscribed, for tests that wait for updates.

use std::{path::Path, time::Duration};

use khor_proto::{
    Availability, Counter, Cue, CueKind, Scope, Subscribe, Subscribed, Welcome,
    client::{Client, ClientError, Update},
};
use nix::time::{ClockId, clock_gettime};
use tokio::{runtime::Runtime, time::timeout};

use crate::{CounterReading, Wait};

/// Longest wait for an update before the loop checks whether the test hangs.
const POLL_TIMEOUT: Duration = Duration::from_millis(500);
/// Sample interval of a subscriber without cues. It is so long that a test can stop reading for ten
/// seconds before the collector disconnects the subscriber.
const INTERVAL_MS: u16 = 50;
/// Sample interval of a subscriber with cues. It is so long that a test can stop reading for two
/// minutes before the collector disconnects the subscriber. The interval does not delay cues.
const INTERVAL_WITH_CUES_MS: u16 = 500;

/// A connected subscriber.
#[derive(Debug)]
pub struct Subscriber {
    runtime: Runtime,
    client: Client,
    welcome: Welcome,
    /// The last subscription that the collector confirmed.
    pub subscribed: Subscribed,
    /// All cues received so far.
    pub cues: Vec<Cue>,
    /// Number of cues that the collector has dropped so far.
    pub lost: u64,
}

impl Subscriber {
    /// Subscribes to `scope` and `cues`.
    pub fn new(socket: &Path, scope: Scope, cues: &[CueKind]) -> Result<Self, ClientError> {
        let interval_ms = if cues.is_empty() { INTERVAL_MS } else { INTERVAL_WITH_CUES_MS };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("creating a tokio runtime");
        let (client, welcome, subscribed) = runtime.block_on(async {
            let (mut client, welcome) = Client::connect(socket, "e2e").await?;
            let request = Subscribe { interval_ms, scope, cues: cues.to_vec() };
            client.subscribe(request).await?;
            match client.update().await? {
                Update::Subscribed(subscribed) => Ok::<_, ClientError>((client, welcome, subscribed)),
                other => panic!("expected the confirmation of the subscription, received {other:?}"),
            }
        })?;
        Ok(Self { runtime, client, welcome, subscribed, cues: Vec::new(), lost: 0 })
    }

    /// Takes a sample: the counters at some moment during this call.
    pub fn sample(&mut self) -> CounterReading {
        let begun_ns = boottime_ns();
        let mut wait = Wait::new("a sample");
        loop {
            wait.check(String::new);
            if let Some(reading) = self.update().filter(|reading| reading.t_ns() >= begun_ns) {
                return reading;
            }
        }
    }

    /// Whether a counter is available, and if not, why.
    pub fn availability(&self, counter: Counter) -> &Availability {
        let index = self.welcome.counters.iter().position(|info| info.name == counter.name());
        &self.subscribed.availability[index.unwrap_or_else(|| panic!("no {counter} in the catalogue"))]
    }

    /// Receives updates until `holds` returns true. Panics after a minute of machine time; the
    /// message contains `what`.
    pub fn wait_until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let mut wait = Wait::new(what);
        while !holds(self) {
            wait.check(|| format!("received {:?}, lost {}", self.cues, self.lost));
            self.update();
        }
    }

    /// Waits for the next update for at most [`POLL_TIMEOUT`]. Returns a sample, and stores any
    /// other update.
    fn update(&mut self) -> Option<CounterReading> {
        let next = self.runtime.block_on(async { timeout(POLL_TIMEOUT, self.client.update()).await });
        match next.ok()?.expect("receiving from the collector") {
            Update::Sample(sample) => return Some(CounterReading { welcome: self.welcome.clone(), sample }),
            Update::Subscribed(subscribed) => self.subscribed = subscribed,
            Update::Cue(cue) => self.cues.push(cue),
            Update::Lost { cues } => self.lost += cues,
        }
        None
    }
}

/// The current time of `CLOCK_BOOTTIME`, nanoseconds.
fn boottime_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME).expect("reading CLOCK_BOOTTIME");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}
