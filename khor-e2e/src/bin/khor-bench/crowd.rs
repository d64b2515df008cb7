//! Two hundred subscribers at once: one never reads, one reads rarely, and one sends invalid
//! messages. Measures what they cost the collector, and whether the others get their samples in
//! time.

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
/// Every so many-th has a scope of its own, one of four.
const SCOPED: usize = 10;
/// How much later than an interval after the one before samples arrived, ms.
type Lateness = Arc<Mutex<Vec<f64>>>;

pub(crate) fn measure() -> Vec<Figure> {
    let collector = crowd::collector();
    let ended = Arc::new(AtomicBool::new(false));
    let lateness = Lateness::default();
    let trouble = MisbehavingClients::start(collector.socket());
    let listening = listen(collector.socket().to_owned(), Arc::clone(&lateness), Arc::clone(&ended));
    let (costs, busy) = watch(&[collector.pid()]);
    ended.store(true, Relaxed);
    let heard = listening.join().expect("the subscribers");
    drop(trouble);
    let mut lateness = std::mem::take(&mut *lateness.lock());
    lateness.sort_by(f64::total_cmp);
    let at = |share: f64| lateness[((lateness.len() - 1) as f64 * share) as usize];
    let mut figures: Vec<_> = costs.into_iter().flat_map(|cost| cost.report("200 subscribers")).collect();
    figures.push(Figure::new("  samples late, p99", "ms", vec![at(0.99)]));
    figures.push(Figure::new("  samples late, worst", "ms", vec![at(1.0)]));
    figures.push(Figure::new("  samples heard of those due", "%", vec![heard]));
    figures.push(Figure::new("  whole machine busy meanwhile", "%", busy));
    figures
}

/// All well-behaved subscribers, in one thread. Returns the share of due samples that arrived, %.
fn listen(socket: PathBuf, lateness: Lateness, ended: Arc<AtomicBool>) -> thread::JoinHandle<f64> {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut listening = Vec::new();
            for number in 0..SUBSCRIBERS - 3 {
                let scope = match number % SCOPED {
                    0 => Scope::only(Selector::Cgroup(format!("/khor-bench-{}", number / SCOPED % 4))),
                    _ => Scope::Machine,
                };
                let client = crowd::subscriber(&socket, number, INTERVAL_MS, scope).await;
                listening.push(tokio::spawn(hear(client, Arc::clone(&lateness), Arc::clone(&ended))));
            }
            let mut shares = 0.0;
            for one in &mut listening {
                shares += one.await.expect("a subscriber");
            }
            100.0 * shares / listening.len() as f64
        })
    })
}

async fn hear(mut client: Client, lateness: Lateness, ended: Arc<AtomicBool>) -> f64 {
    client.sample().await.expect("the first, which comes at once");
    client.sample().await.expect("the next, which comes with everybody's");
    let (begun, mut last, mut heard) = (Instant::now(), Instant::now(), 0);
    while !ended.load(Relaxed) {
        client.sample().await.expect("a sample");
        let late_ms = last.elapsed().as_secs_f64() * 1000.0 - f64::from(INTERVAL_MS);
        lateness.lock().push(late_ms.max(0.0));
        last = Instant::now();
        heard += 1;
    }
    f64::from(heard) / ((last - begun).as_secs_f64() * 1000.0 / f64::from(INTERVAL_MS)).max(1.0)
}
