//! A feed sends the same messages to many clients. One task creates each message once for all
//! clients. The task runs only while there are clients.

use std::{
    convert::Infallible,
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use parking_lot::Mutex;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{MissedTickBehavior, interval},
};

/// Time between two rounds of messages.
const INTERVAL: Duration = Duration::from_millis(100);
/// Maximum number of messages that wait for a slow client, which is enough for a few seconds. A
/// client that falls further behind misses messages, and receives a new greeting.
const QUEUE: usize = 128;

/// Creates the messages of a feed.
pub(super) trait Publisher: Send + 'static {
    type Message: Clone + Send + Sync + 'static;
    /// The position in the feed up to which a client has received messages.
    type Client: Send + Sync + 'static;

    /// Returns the messages for the time since the last round. The feed calls this ten times per
    /// second while there are clients.
    fn round(&mut self) -> Vec<Self::Message>;

    /// Returns the greeting: the first messages for a new client, or for a client that missed
    /// messages. After the greeting, the client has the state of the last round.
    fn greet(&self, client: &Self::Client) -> Vec<Self::Message>;

    /// Converts a message to bytes. Records in `client` that the client received the message.
    fn deliver(client: &mut Self::Client, message: Self::Message) -> Bytes;
}

/// A publisher and the clients that receive its messages.
pub(super) struct Feed<P: Publisher>(Mutex<Shared<P>>);

struct Shared<P: Publisher> {
    publisher: P,
    messages: broadcast::Sender<P::Message>,
    /// Whether the task that sends the messages is running.
    is_running: bool,
}

/// The connection of one client to a feed.
struct Connection<P: Publisher> {
    feed: Arc<Feed<P>>,
    client: P::Client,
    receiver: broadcast::Receiver<P::Message>,
}

impl<P: Publisher> Feed<P> {
    pub(super) fn new(publisher: P) -> Arc<Self> {
        let messages = broadcast::Sender::new(QUEUE);
        Arc::new(Self(Mutex::new(Shared { publisher, messages, is_running: false })))
    }

    /// Streams all messages for one client: first a greeting, then the messages of each round. Must
    /// be called within a tokio runtime.
    pub(super) fn bytes(
        self: &Arc<Self>,
        mut client: P::Client,
    ) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync + use<P> {
        let (greeting, receiver) = self.connect(&client);
        let greeting: Vec<Bytes> =
            greeting.into_iter().map(|message| P::deliver(&mut client, message)).collect();
        let connection = Connection { feed: Arc::clone(self), client, receiver };
        let later = stream::unfold(connection, async |mut connection| {
            let bytes = connection.next().await?;
            Some((stream::iter(bytes), connection))
        });
        stream::iter(greeting).chain(later.flatten()).map(Ok)
    }

    /// Returns the greeting for a client, and a receiver for all later messages. The lock ensures
    /// that no round takes place between the two.
    fn connect(self: &Arc<Self>, client: &P::Client) -> (Vec<P::Message>, broadcast::Receiver<P::Message>) {
        let mut shared = self.0.lock();
        if !shared.is_running {
            shared.is_running = true;
            // Bring the publisher up to date, and drop the messages of this round, because no
            // client is connected yet.
            shared.publisher.round();
            tokio::spawn(run(Arc::downgrade(self)));
        }
        (shared.publisher.greet(client), shared.messages.subscribe())
    }

    /// Sends the messages of one round. Returns whether there are clients.
    fn round(&self) -> bool {
        let mut shared = self.0.lock();
        shared.is_running = shared.messages.receiver_count() > 0;
        if shared.is_running {
            for message in shared.publisher.round() {
                // Ignore the error: sending fails if the last client has just disconnected.
                let _ = shared.messages.send(message);
            }
        }
        shared.is_running
    }
}

impl<P: Publisher> Connection<P> {
    /// Waits for the next message. Returns a new greeting if the client missed messages, and `None`
    /// if the feed has ended.
    async fn next(&mut self) -> Option<Vec<Bytes>> {
        let messages = match self.receiver.recv().await {
            Ok(message) => vec![message],
            Err(RecvError::Lagged(_)) => {
                let greeting;
                (greeting, self.receiver) = self.feed.connect(&self.client);
                greeting
            }
            Err(RecvError::Closed) => return None,
        };
        Some(messages.into_iter().map(|message| P::deliver(&mut self.client, message)).collect())
    }
}

/// Sends rounds of messages until there is no client.
async fn run<P: Publisher>(feed: Weak<Feed<P>>) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if !feed.upgrade().is_some_and(|feed| feed.round()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A publisher that counts its rounds. Its greeting is 1000 times the count, plus the last
    /// count that the client has received.
    struct Counter(u64);

    impl Publisher for Counter {
        type Message = u64;
        type Client = u64;

        fn round(&mut self) -> Vec<u64> {
            self.0 += 1;
            vec![self.0]
        }

        fn greet(&self, read: &u64) -> Vec<u64> {
            vec![1000 * self.0 + read]
        }

        fn deliver(read: &mut u64, message: u64) -> Bytes {
            *read = message;
            message.to_string().into()
        }
    }

    async fn next(messages: &mut (impl Stream<Item = Result<Bytes, Infallible>> + Unpin)) -> u64 {
        let Some(Ok(message)) = messages.next().await else { panic!("the feed ended") };
        std::str::from_utf8(&message).unwrap().parse().unwrap()
    }

    #[tokio::test]
    async fn clients_share_messages_after_their_greeting() {
        let feed = Feed::new(Counter(0));
        let mut first = Box::pin(feed.bytes(7));
        assert_eq!((next(&mut first).await, next(&mut first).await), (1007, 2));
        let mut second = Box::pin(feed.bytes(0));
        assert_eq!(next(&mut second).await, 2000);
        assert_eq!((next(&mut first).await, next(&mut second).await), (3, 3));
    }

    #[tokio::test]
    async fn slow_clients_are_greeted_again() {
        let feed = Feed::new(Counter(0));
        let mut slow = Box::pin(feed.bytes(0));
        assert_eq!((next(&mut slow).await, next(&mut slow).await), (1000, 2));
        for _ in 0..=QUEUE {
            feed.round();
        }
        let count = 2 + 1 + QUEUE as u64;
        assert_eq!(next(&mut slow).await, 1000 * count + 2, "the client had read message 2");
        assert_eq!(next(&mut slow).await, count + 1, "no message is missing");
    }

    #[tokio::test]
    async fn no_rounds_without_clients() {
        let feed = Feed::new(Counter(0));
        let connected = feed.bytes(0);
        assert!(feed.round());
        drop(connected);
        assert!(!feed.round());
        assert_eq!(feed.0.lock().publisher.0, 2);
        assert_eq!(next(&mut Box::pin(feed.bytes(0))).await, 3000, "the feed starts again");
    }
}
