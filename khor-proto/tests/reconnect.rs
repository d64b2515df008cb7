//! Tests the reconnecting client with a collector that starts, stops, stalls and uses a newer
//! protocol version.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use khor_patience::{Lateness, hang_timeout};
use khor_proto::{
    ClientMessage, ProtocolVersion, Sample, ServerMessage, Subscribe, Welcome,
    client::{Event, Subscription, Update, reconnecting},
    frame::{self, Incoming},
};
use tokio::{
    io::AsyncWriteExt,
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

struct Peer {
    incoming: frame::Receiver<OwnedReadHalf, ClientMessage>,
    outgoing: frame::Sender<OwnedWriteHalf, ServerMessage>,
}

impl Peer {
    async fn receive(&mut self) -> ClientMessage {
        match self.incoming.next().await {
            Some(Ok(Incoming::Known(message))) => message,
            other => panic!("{other:?}"),
        }
    }

    async fn send_sample(&mut self, seq: u64) {
        let sample = Sample { seq, t_ns: seq, counters: vec![] };
        self.outgoing.send(ServerMessage::Sample(sample)).await.unwrap();
    }
}

fn listen(socket: &Path) -> UnixListener {
    let _ = std::fs::remove_file(socket);
    UnixListener::bind(socket).unwrap()
}

async fn accept(listener: &UnixListener) -> Peer {
    let stream: UnixStream = listener.accept().await.unwrap().0;
    let (reader, writer) = stream.into_split();
    let mut peer = Peer { incoming: frame::receiver(reader), outgoing: frame::sender(writer) };
    assert!(matches!(peer.receive().await, ClientMessage::Hello(_)));
    peer.outgoing.send(ServerMessage::Welcome(welcome())).await.unwrap();
    peer
}

fn welcome() -> Welcome {
    Welcome {
        version: ProtocolVersion::CURRENT,
        collector_version: String::new(),
        kernel_release: String::new(),
        boot_id: String::new(),
        cpus: 1,
        counters: vec![],
        cues: vec![],
    }
}

async fn event(subscription: &mut Subscription) -> Event {
    timeout(hang_timeout(), subscription.next()).await.expect("an event").expect("an event")
}

/// Skips failed attempts.
async fn connected(subscription: &mut Subscription) {
    while !matches!(event(subscription).await, Event::Connected(_)) {}
}

#[tokio::test]
async fn restart_is_gap_below_one_second() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let mut subscription = reconnecting(&socket, Subscribe::default(), "test");
    assert!(
        matches!(event(&mut subscription).await, Event::Disconnected { reason, .. } if reason.contains("is khor-collector running"))
    );
    for round in 0..3 {
        tokio::time::sleep(Duration::from_millis(500 * round)).await;
        let listener = listen(&socket);
        let (begun, lateness) = (Instant::now(), Lateness::start());
        let mut peer = accept(&listener).await;
        connected(&mut subscription).await;
        let (gap, late) = (begun.elapsed(), lateness.total());
        println!("reconnected after {gap:?}; a sleeping thread woke {late:?} late");
        assert!(gap < Duration::from_secs(1) + 2 * late, "{gap:?}");
        assert_eq!(peer.receive().await, ClientMessage::Subscribe(Subscribe::default()));
        peer.send_sample(round).await;
        assert!(
            matches!(event(&mut subscription).await, Event::Update(Update::Sample(sample)) if sample.seq == round)
        );
        drop(peer);
        drop(listener);
        assert!(matches!(event(&mut subscription).await, Event::Disconnected { .. }));
    }
}

#[tokio::test]
async fn unknown_kinds_skip_broken_frames_reconnect() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let listener = listen(&socket);
    let mut subscription = reconnecting(&socket, Subscribe::default(), "test");
    let mut peer = accept(&listener).await;
    connected(&mut subscription).await;
    peer.send_sample(1).await;
    // Nothing else is being sent, so these raw bytes arrive between two whole frames.
    let raw = peer.outgoing.get_mut().get_mut();
    raw.write_all(&[3, 0, 0, 0, 9, 9, 9]).await.unwrap();
    peer.send_sample(2).await;
    for expected in 1..=2 {
        assert!(
            matches!(event(&mut subscription).await, Event::Update(Update::Sample(sample)) if sample.seq == expected)
        );
    }
    peer.outgoing.get_mut().get_mut().write_all(&[2, 0, 0, 0, 2, 1]).await.unwrap();
    assert!(
        matches!(event(&mut subscription).await, Event::Disconnected { reason, .. } if reason.contains("malformed"))
    );
    accept(&listener).await;
    connected(&mut subscription).await;
}

#[tokio::test]
async fn changed_subscription_lasts_across_reconnects() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let listener = listen(&socket);
    let subscription = reconnecting(&socket, Subscribe::default(), "test");
    let request = Subscribe { interval_ms: 50, ..Subscribe::default() };
    let mut peer = accept(&listener).await;
    assert_eq!(peer.receive().await, ClientMessage::Subscribe(Subscribe::default()));
    subscription.subscribe(request.clone());
    assert_eq!(peer.receive().await, ClientMessage::Subscribe(request.clone()));
    drop(peer);
    assert_eq!(accept(&listener).await.receive().await, ClientMessage::Subscribe(request));
}

#[tokio::test]
async fn a_silent_collector_counts_as_lost() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let listener = listen(&socket);
    let mut subscription = reconnecting(&socket, Subscribe::default(), "test");
    let _peer = accept(&listener).await;
    connected(&mut subscription).await;
    assert!(
        matches!(event(&mut subscription).await, Event::Disconnected { reason, .. } if reason.contains("does not answer"))
    );
}

#[tokio::test]
async fn dropping_the_subscription_closes_the_connection() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("s");
    let listener = listen(&socket);
    let subscription = reconnecting(&socket, Subscribe::default(), "test");
    let mut peer = accept(&listener).await;
    peer.receive().await;
    drop(subscription);
    assert!(timeout(hang_timeout(), peer.incoming.next()).await.unwrap().is_none());
}
