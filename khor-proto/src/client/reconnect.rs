//! A subscription that survives lost connections. After any failure it connects and subscribes
//! again.

use std::{
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::Stream;
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use super::{Client, ClientError, Update};
use crate::message::{Subscribe, Welcome};

/// Wait before the first retry. Each further failure doubles the wait.
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// Longest wait before a retry. So a restarted collector is found within a second, including the
/// handshake.
const LAST_RETRY: Duration = Duration::from_millis(800);
/// A subscribed collector counts as lost if it sends nothing for this time and two intervals.
const SILENCE_LIMIT: Duration = Duration::from_secs(2);
/// Samples that may wait for a busy reader. When this queue is full, the socket fills, and then the
/// collector skips samples.
const QUEUE_EVENTS: usize = 64;

/// An event of a [`Subscription`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A collector answered. Its counters have a new start and cannot be compared with earlier
    /// ones.
    Connected(Welcome),
    /// A message from the collector.
    Update(Update),
    /// The connection ended, or another attempt failed.
    Disconnected {
        /// The error, for the user.
        reason: String,
        /// Time until the next attempt.
        retry_in: Duration,
    },
}

/// The reading end of [`reconnecting`]. Dropping it closes the connection.
#[derive(Debug)]
pub struct Subscription {
    events: mpsc::Receiver<Event>,
    request: watch::Sender<Subscribe>,
}

impl Subscription {
    /// The next event. Cancelling this call loses no event. `None` only if the runtime shuts
    /// down.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Changes the subscription, now if connected, and after every reconnection.
    pub fn subscribe(&self, request: Subscribe) {
        self.request.send_replace(request);
    }
}

impl Stream for Subscription {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.events.poll_recv(cx)
    }
}

/// Reads samples from the collector at `socket` for as long as the returned subscription lives.
/// Reconnects after 0.1 to 0.8 s when the connection is lost. Must be called within a tokio
/// runtime.
pub fn reconnecting(
    socket: impl Into<PathBuf>,
    request: Subscribe,
    client_name: impl Into<String>,
) -> Subscription {
    let (sender, events) = mpsc::channel(QUEUE_EVENTS);
    let (request, requests) = watch::channel(request);
    tokio::spawn(run(socket.into(), client_name.into(), requests, sender));
    Subscription { events, request }
}

/// The [`Subscription`] was dropped, so nobody reads the events.
struct ReaderGone;

async fn run(
    socket: PathBuf,
    client_name: String,
    mut requests: watch::Receiver<Subscribe>,
    events: mpsc::Sender<Event>,
) {
    let mut retry_in = FIRST_RETRY;
    loop {
        let session = session(&socket, &client_name, &mut requests, &events, &mut retry_in);
        let error = tokio::select! {
            ended = session => match ended { Err(error) => error, Ok(ReaderGone) => return },
            () = events.closed() => return,
        };
        let event = Event::Disconnected { reason: error.to_string(), retry_in };
        if events.send(event).await.is_err() {
            return;
        }
        tokio::select! {
            () = sleep(retry_in) => {}
            () = events.closed() => return,
        }
        retry_in = (retry_in * 2).min(LAST_RETRY);
    }
}

/// Runs one connection, from the handshake to its end.
async fn session(
    socket: &Path,
    client_name: &str,
    requests: &mut watch::Receiver<Subscribe>,
    events: &mpsc::Sender<Event>,
    retry_in: &mut Duration,
) -> Result<ReaderGone, ClientError> {
    let (mut client, welcome) = Client::connect(socket, client_name).await?;
    if events.send(Event::Connected(welcome)).await.is_err() {
        return Ok(ReaderGone);
    }
    let mut silence_limit = subscribe(&mut client, requests).await?;
    loop {
        let update = tokio::select! {
            update = timeout(silence_limit, client.update()) => update.map_err(|_| ClientError::Silent)??,
            Ok(()) = requests.changed() => {
                silence_limit = subscribe(&mut client, requests).await?;
                continue;
            }
        };
        // Only a sample proves that the connection works. A client that gets `Welcome` and then
        // `Bye` must not retry fast.
        if matches!(update, Update::Sample(_)) {
            *retry_in = FIRST_RETRY;
        }
        if events.send(Event::Update(update)).await.is_err() {
            return Ok(ReaderGone);
        }
    }
}

/// Sends the current request. Returns the longest wait for each message from now on.
async fn subscribe(
    client: &mut Client,
    requests: &mut watch::Receiver<Subscribe>,
) -> Result<Duration, ClientError> {
    let request = requests.borrow_and_update().clone();
    let silence_limit = SILENCE_LIMIT + 2 * Duration::from_millis(request.interval_ms.into());
    client.subscribe(request).await?;
    Ok(silence_limit)
}
