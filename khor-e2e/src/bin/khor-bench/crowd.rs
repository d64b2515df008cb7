//! Measures what 200 subscribers cost the collector, and how late their samples arrive. Three of
//! the subscribers misbehave: one never reads, one reads rarely, and one sends invalid messages.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Instant,
};

use khor_e2e::crowd::{self, MisbehavingClients};
use khor_proto::{Scope, Selector, client::Client};
use parking_lot::Mutex;

use crate::{cost::watch, figure::Figure};

const SUBSCRIBERS: usize = 200;
const INTERVAL_MS: u16 = 20;
/// Every tenth subscriber uses one of four cgroup scopes. The other subscribers use the whole
/// machine as scope.
const SCOPED: usize = 10;
/// How late each sample arrived, ms: the time since the previous sample, minus the interval.
type Lateness = Arc<Mutex<Vec<f64>>>;

pub(crate) fn measure() -> Vec<Figure> {
    let collector = crowd::collector();
    let ended = Arc::new(AtomicBool::new(false));
    let lateness = Lateness::default();
    let trouble = MisbehavingClients::start(collector.socket());
    let subscribers = receive_all(collector.socket().to_owned(), Arc::clone(&lateness), Arc::clone(&ended));
    let (costs, busy) = watch(&[collector.pid()]);
    ended.store(true, Relaxed);
    let received = subscribers.join().expect("the subscribers' thread");
    drop(trouble);
    let mut lateness = std::mem::take(&mut *lateness.lock());
    lateness.sort_by(f64::total_cmp);
    let at = |share: f64| lateness[((lateness.len() - 1) as f64 * share) as usize];
    let mut figures: Vec<_> = costs.into_iter().flat_map(|cost| cost.report("200 subscribers")).collect();
    figures.push(Figure::new("  samples late, p99", "ms", vec![at(0.99)]));
    figures.push(Figure::new("  samples late, worst", "ms", vec![at(1.0)]));
    figures.push(Figure::new("  samples received of those due", "%", vec![received]));
    figures.push(Figure::new("  whole machine busy meanwhile", "%", busy));
    figures
}

/// Runs all well-behaved subscribers in one thread. Returns the share of due samples that arrived,
/// %.
fn receive_all(socket: PathBuf, lateness: Lateness, ended: Arc<AtomicBool>) -> thread::JoinHandle<f64> {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("creating a tokio runtime");
        runtime.block_on(async {
            let mut subscribers = Vec::new();
            for number in 0..SUBSCRIBERS - 3 {
                let scope = match number % SCOPED {
                    0 => Scope::only(Selector::Cgroup(format!("/khor-bench-{}", number / SCOPED % 4))),
                    _ => Scope::Machine,
                };
                let client = crowd::subscriber(&socket, number, INTERVAL_MS, scope).await;
                subscribers.push(tokio::spawn(receive(client, Arc::clone(&lateness), Arc::clone(&ended))));
            }
            let mut shares = 0.0;
            for subscriber in &mut subscribers {
                shares += subscriber.await.expect("the task of a subscriber");
            }
            100.0 * shares / subscribers.len() as f64
        })
    })
}

/// Receives samples until `ended` is set. Returns the share of due samples that arrived, 0 to 1.
async fn receive(mut client: Client, lateness: Lateness, ended: Arc<AtomicBool>) -> f64 {
    client.sample().await.expect("the first sample, which is sent at once");
    client.sample().await.expect("the second sample, which is sent to all subscribers together");
    let (begun, mut last, mut received) = (Instant::now(), Instant::now(), 0);
    while !ended.load(Relaxed) {
        client.sample().await.expect("a sample from the collector");
        let late_ms = last.elapsed().as_secs_f64() * 1000.0 - f64::from(INTERVAL_MS);
        lateness.lock().push(late_ms.max(0.0));
        last = Instant::now();
        received += 1;
    }
    f64::from(received) / ((last - begun).as_secs_f64() * 1000.0 / f64::from(INTERVAL_MS)).max(1.0)
}
