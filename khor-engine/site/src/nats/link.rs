//! The connection to a NATS server. It reconnects by itself. Messages that it cannot send
//! immediately are dropped.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use async_nats::{Client, connection::State};
use khor_source::Shortfall;
use parking_lot::Mutex;
use tokio::time::timeout;

use super::{
    settings::{NatsError, NatsSettings},
    trouble::{Troubles, fix},
};

/// Maximum wait for room in the client's send queue.
const SEND_TIMEOUT: Duration = Duration::from_millis(20);
/// A server that sends nothing for this long counts as unavailable. The client pings a quiet server
/// after two seconds, so the server has one second to answer. A host is silent only after four
/// seconds, so a cut cable is reported as one lost server, not as many silent hosts.
const MUTE: Duration = Duration::from_secs(3);

/// A connection that reconnects by itself.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    client: Client,
    server: String,
    is_tls: bool,
    troubles: Arc<Troubles>,
    /// The number of bytes received so far, and when this number last changed.
    received: Arc<Mutex<(u64, Instant)>>,
}

impl Link {
    /// Begins to connect. Returns an error only if the settings cannot work.
    pub(crate) async fn open(nats: &NatsSettings) -> Result<Self, NatsError> {
        let address = nats.check_url()?;
        let troubles = Arc::new(Troubles::new(nats.clone()));
        let events = Arc::clone(&troubles);
        let options = nats.options().await?.retry_on_initial_connect().event_callback(move |event| {
            events.note(&event);
            std::future::ready(())
        });
        let client = options.connect(address).await.map_err(|error| NatsError::Client(error.to_string()))?;
        let received = Arc::new(Mutex::new((0, Instant::now())));
        Ok(Self { client, server: nats.url.clone(), is_tls: nats.requires_tls(), troubles, received })
    }

    /// Whether the server is connected and has sent something in the last three seconds. Call this
    /// about once a second, because new bytes are detected only during a call.
    pub(crate) fn is_up(&self) -> bool {
        let bytes = self.client.statistics().in_bytes.load(Ordering::Relaxed);
        let mut received = self.received.lock();
        if received.0 != bytes {
            *received = (bytes, Instant::now());
        }
        self.client.connection_state() == State::Connected && received.1.elapsed() < MUTE
    }

    /// Why some messages are not delivered; `None` if all are delivered.
    pub(crate) fn trouble(&self) -> Option<Shortfall> {
        let why = self
            .troubles
            .why()
            .or_else(|| (!self.is_up()).then(|| "the server no longer answers".to_owned()))?;
        Some(Shortfall { error: format!("the NATS server at {}: {why}", self.server), fix: fix(&why).into() })
    }

    /// Maximum length of a message that the server accepts, bytes. This is the server's
    /// `max_payload`.
    pub(crate) fn longest_message(&self) -> usize {
        self.client.max_payload()
    }

    /// Whether messages are dropped because they are too long for the server.
    pub(crate) fn drops_long_messages(&self) -> bool {
        self.troubles.drops_long_messages()
    }

    /// Sends a message, unless the queue is full. Returns whether it was sent.
    pub(crate) async fn send(&self, subject: &str, bytes: Vec<u8>) -> bool {
        if !self.troubles.fits(bytes.len(), self.longest_message()) {
            return false;
        }
        let sending = self.client.publish(subject.to_owned(), bytes.into());
        self.is_up() && matches!(timeout(SEND_TIMEOUT, sending).await, Ok(Ok(())))
    }

    /// Number of bytes that a message with `payload` bytes takes in the TCP stream. Assumes that no
    /// other message shares its TCP packet.
    pub(crate) fn length_on_wire(&self, subject: &str, payload: usize) -> usize {
        /// Number of bytes that a TLS 1.3 record adds: header, type and authentication tag.
        const TLS_RECORD: usize = 22;
        let command = format!("PUB {subject} {payload}\r\n\r\n").len();
        let tls = if self.is_tls { TLS_RECORD } else { 0 };
        command + payload + tls
    }

    /// This client's IP address, as the server reports it.
    pub(crate) fn local_address(&self) -> Option<IpAddr> {
        self.client.server_info().client_ip.parse().ok()
    }

    /// Subscribes to a subject. The subscription survives reconnects.
    pub(crate) async fn subscribe(&self, subject: String) -> Result<async_nats::Subscriber, NatsError> {
        self.client.subscribe(subject).await.map_err(|error| NatsError::Client(error.to_string()))
    }

    /// Subscribes as a member of a queue group: each message goes to one member.
    pub(crate) async fn subscribe_share(
        &self,
        subject: String,
        group: &str,
    ) -> Result<async_nats::Subscriber, NatsError> {
        let subscribed = self.client.queue_subscribe(subject, group.to_owned()).await;
        subscribed.map_err(|error| NatsError::Client(error.to_string()))
    }

    /// Waits until all sent messages have reached the server, for at most one second.
    pub(crate) async fn close(&self) {
        if self.is_up() {
            // If the server does not answer in time, the last messages are lost.
            drop(timeout(Duration::from_secs(1), self.client.flush()).await);
        }
    }
}
