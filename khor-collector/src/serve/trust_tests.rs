//! Tests the limits for clients of untrusted users.

use std::sync::atomic::Ordering;

use khor_patience::hang_timeout;
use khor_proto::{
    Scope, Selector, Subscribe, Subscribed,
    client::{Client, Update},
};

use super::{
    tests::{FIRST_READ, Running, cue, others_process, own_cgroup, updates_until_sample},
    *,
};

fn running() -> Running {
    Running::start_trusting(Trusted::none())
}

async fn subscribe(client: &mut Client, interval_ms: u16, scope: Scope) -> (Subscribed, khor_proto::Sample) {
    client.subscribe(Subscribe { interval_ms, scope, cues: CueKind::ALL.into() }).await.unwrap();
    let updates = updates_until_sample(client).await;
    let [Update::Subscribed(subscribed), Update::Sample(sample)] = &updates[..] else {
        panic!("{updates:?}");
    };
    (subscribed.clone(), sample.clone())
}

#[tokio::test]
async fn only_own_scopes_get_short_intervals() {
    let running = running();
    let mut client = running.client().await;
    for (requested_ms, granted_ms) in [(5, 100), (100, 100), (101, 200)] {
        let (subscribed, _) = subscribe(&mut client, requested_ms, Scope::Machine).await;
        assert_eq!(subscribed.interval_ms, granted_ms);
    }
    let (subscribed, _) = subscribe(&mut client, 5, own_cgroup()).await;
    assert_eq!(subscribed.interval_ms, 5);
    assert_eq!(running.server.load().borrow().shortest_interval_ms, 5);
}

/// All untrusted clients get their samples at the same times, the multiples of 100 ms. Otherwise a
/// user could combine several subscriptions to get counts more often.
#[tokio::test]
async fn all_subscriptions_sample_at_same_instants() {
    let running = running();
    let mut clients = Vec::new();
    for interval_ms in [5, 20, 100] {
        let mut client = running.client().await;
        subscribe(&mut client, interval_ms, Scope::Machine).await;
        clients.push(client);
    }
    let mut resubscribing = running.client().await;
    let (mut times_ns, begun) = (Vec::new(), Instant::now());
    let mut ticks = tokio::time::interval(Duration::from_millis(25));
    while begun.elapsed() < Duration::from_secs(1) {
        tokio::select! {
            _ = ticks.tick() => {
                let request = Subscribe { interval_ms: 5, ..Subscribe::default() };
                resubscribing.subscribe(request).await.unwrap();
            }
            sample = resubscribing.sample() => times_ns.push(sample.unwrap().t_ns),
        }
    }
    assert!(!times_ns.is_empty());
    for client in &mut clients {
        for _ in 0..5 {
            times_ns.push(client.sample().await.unwrap().t_ns);
        }
    }
    // One reading serves all clients that are due at the same instant.
    times_ns.sort_unstable();
    times_ns.dedup();
    let (readings, took_ms) = (times_ns.len() as u128, begun.elapsed().as_millis());
    assert!(readings <= took_ms / 100 + 2, "{readings} readings in {took_ms} ms");
}

#[tokio::test]
async fn counts_of_others_start_at_first_sample() {
    let running = running();
    let mut client = running.client().await;
    let others = Scope::only(Selector::Cgroup("/others".into()));
    let (_, first) = subscribe(&mut client, 20, others.clone()).await;
    assert_eq!(first.counters[0], Some(0), "earlier counts are hidden");
    assert_eq!(client.sample().await.unwrap().counters[0], Some(1));
    let (_, continued) = subscribe(&mut client, 200, others).await;
    assert!(continued.counters[0] > Some(1), "a new interval continues the counts");
    let (_, own) = subscribe(&mut client, 20, own_cgroup()).await;
    assert!(own.counters[0] >= Some(FIRST_READ));
}

#[tokio::test]
async fn untrusted_clients_get_no_exec_cues() {
    let running = running();
    let (mut client, welcome) = Client::connect(running.dir.path().join("s"), "test").await.unwrap();
    for info in welcome.cues {
        match (info.kind, info.availability) {
            (CueKind::Exec, Availability::Absent { reason }) => assert!(reason.contains("KHOR_TRUST=")),
            (kind, availability) => {
                assert_eq!((kind != CueKind::Exec, availability), (true, Availability::Available));
            }
        }
    }
    subscribe(&mut client, 5000, Scope::Machine).await;
    assert!(!running.kernel.exec_cues.load(Ordering::Relaxed), "the kernel does not report them");
    running.server.send_cue(&cue(CueKind::Exec), 0);
    running.server.send_cue(&cue(CueKind::Oom), 0);
    let update = timeout(hang_timeout(), client.update()).await.unwrap().unwrap();
    assert_eq!(update, Update::Cue(cue(CueKind::Oom)));
}

#[tokio::test]
async fn refused_scope_keeps_connection_without_cues() {
    let running = running();
    let mut client = running.client().await;
    subscribe(&mut client, 5000, others_process()).await;
    running.server.send_cue(&cue(CueKind::Crash), u64::MAX);
    let (subscribed, _) = subscribe(&mut client, 20, Scope::Machine).await;
    assert_eq!(subscribed.interval_ms, 100, "no cue arrived before this message");
}
