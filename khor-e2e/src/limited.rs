//! A fake collector with missing counters, as on a kernel that rejects probes. It uses the real
//! protocol.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use khor_proto::{
    Availability, ClientMessage, Counter, CounterInfo, ProtocolVersion, Sample, ServerMessage, Subscribed,
    Welcome,
    frame::{self, Incoming},
};
use nix::time::{ClockId, clock_gettime};
use tempfile::TempDir;
use tokio::{
    net::{UnixListener, UnixStream},
    runtime::Runtime,
    time::{Interval, interval},
};

/// A running fake collector. It stops when dropped.
#[derive(Debug)]
pub struct LimitedCollector {
    socket: PathBuf,
    samples: Arc<AtomicU64>,
    _runtime: Runtime,
    _dir: TempDir,
}

impl LimitedCollector {
    /// Starts a fake collector with these counters. A counter with a reason is missing for this
    /// reason. The value of every other counter is the number of samples.
    pub fn start(counters: &[(Counter, Option<&str>)]) -> Self {
        let dir = TempDir::new().expect("creating a temporary directory");
        let socket = dir.path().join("collector.sock");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("creating a tokio runtime");
        let counters: Arc<[CounterInfo]> =
            counters.iter().map(|(counter, reason)| info(*counter, *reason)).collect();
        let samples = Arc::<AtomicU64>::default();
        let listener = runtime.block_on(async { UnixListener::bind(&socket).expect("binding a socket") });
        let counted = Arc::clone(&samples);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&counters), Arc::clone(&counted)));
            }
        });
        Self { socket, samples, _runtime: runtime, _dir: dir }
    }

    /// The path of the fake collector's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Number of samples that the fake collector has sent to all clients together.
    pub fn samples(&self) -> u64 {
        self.samples.load(Relaxed)
    }
}

fn info(counter: Counter, reason: Option<&str>) -> CounterInfo {
    let availability =
        reason.map_or(Availability::Available, |reason| Availability::Absent { reason: reason.to_owned() });
    CounterInfo { name: counter.name().to_owned(), unit: counter.unit(), availability }
}

/// Serves one client until the client disconnects.
async fn serve(stream: UnixStream, counters: Arc<[CounterInfo]>, samples: Arc<AtomicU64>) {
    let (reader, writer) = stream.into_split();
    let (mut incoming, mut outgoing) = (frame::receiver(reader), frame::sender(writer));
    let mut ticks: Option<Interval> = None;
    loop {
        let answer = tokio::select! {
            message = incoming.next() => match message {
                Some(Ok(Incoming::Known(ClientMessage::Hello(_)))) => ServerMessage::Welcome(welcome(&counters)),
                Some(Ok(Incoming::Known(ClientMessage::Subscribe(request)))) => {
                    ticks = Some(interval(Duration::from_millis(request.interval_ms.into())));
                    let availability = counters.iter().map(|info| info.availability.clone()).collect();
                    ServerMessage::Subscribed(Subscribed { interval_ms: request.interval_ms, availability })
                }
                _ => return,
            },
            () = async {
                match &mut ticks {
                    Some(ticks) => _ = ticks.tick().await,
                    None => std::future::pending().await,
                }
            } => ServerMessage::Sample(sample(&counters, samples.fetch_add(1, Relaxed))),
        };
        if outgoing.send(answer).await.is_err() {
            return;
        }
    }
}

fn welcome(counters: &[CounterInfo]) -> Welcome {
    Welcome {
        version: ProtocolVersion::CURRENT,
        collector_version: "0.0.0-limited".into(),
        kernel_release: String::new(),
        boot_id: String::new(),
        cpus: 1,
        counters: counters.to_vec(),
        cues: Vec::new(),
    }
}

fn sample(counters: &[CounterInfo], count: u64) -> Sample {
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME).expect("reading the clock");
    let t_ns = now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64;
    let value = |info: &CounterInfo| (info.availability == Availability::Available).then_some(count);
    Sample { seq: count, t_ns, counters: counters.iter().map(value).collect() }
}
