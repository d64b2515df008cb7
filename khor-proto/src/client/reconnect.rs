//! A subscription that survives lost connections. After any failure, it reconnects and subscribes
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

/// Time before the first retry. It doubles with each further failure.
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// Longest time before a retry. It is short enough to reconnect to a restarted collector within a
/// second, including the handshake.
const LAST_RETRY: Duration = Duration::from_millis(800);
/// If the collector sends nothing for this time plus two sample intervals, the client treats the
/// connection as lost.
const SILENCE_LIMIT: Duration = Duration::from_secs(2);
/// Maximum number of events in the queue to the reader. If a slow reader lets the queue fill up,
/// the socket fills up too, and the collector then skips samples.
const QUEUE_EVENTS: usize = 64;

/// An event of a [`Subscription`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection to a collector was established. Its counts start at a new value, so they cannot
    /// be compared with earlier counts.
    Connected(Welcome),
    /// A message from the collector.
    Update(Update),
    /// The connection ended, or an attempt to connect failed.
    Disconnected {
        /// The error message, to be shown to the user.
        reason: String,
        /// Time until the next attempt.
        retry_in: Duration,
    },
}

/// A subscription that [`reconnecting`] started. Dropping it closes the connection.
#[derive(Debug)]
pub struct Subscription {
    events: mpsc::Receiver<Event>,
    request: watch::Sender<Subscribe>,
}

impl Subscription {
    /// Waits for the next event. Cancelling this call loses no event. Returns `None` only if the
    /// runtime shuts down.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Changes the subscription. The new request applies immediately if there is a connection, and
    /// after every reconnection.
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

/// Subscribes to the collector at `socket`, until the returned subscription is dropped. If the
/// connection is lost, reconnects after 0.1 to 0.8 s. Must be called within a tokio runtime.
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

/// The result of a session that ended because the [`Subscription`] was dropped.
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
        // Reset the retry time only after a sample, which proves that the connection works. A
        // client that gets `Welcome` and then `Bye` must not retry quickly.
        if matches!(update, Update::Sample(_)) {
            *retry_in = FIRST_RETRY;
        }
        if events.send(Event::Update(update)).await.is_err() {
            return Ok(ReaderGone);
        }
    }
}

/// Sends the current request. Returns how long the session must wait for each message before the
/// connection counts as lost.
async fn subscribe(
    client: &mut Client,
    requests: &mut watch::Receiver<Subscribe>,
) -> Result<Duration, ClientError> {
    let request = requests.borrow_and_update().clone();
    let silence_limit = SILENCE_LIMIT + 2 * Duration::from_millis(request.interval_ms.into());
    client.subscribe(request).await?;
    Ok(silence_limit)
}
