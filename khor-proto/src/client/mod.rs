//! A client of the collector. [`Client`] is one connection. [`reconnecting`] returns a subscription
//! that reconnects after each failure.
//!
//! [`reconnecting`] starts a task that fills a bounded queue. A caller may wait for the next event
//! inside `select!`: cancelling this wait does not interrupt a connection attempt.

mod error;
mod inert_message;
mod reconnect;

use std::{io, path::Path, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

pub use self::{
    error::ClientError,
    reconnect::{Event, Subscription, reconnecting},
};
use crate::{
    cue::Cue,
    frame::{self, Incoming},
    message::{
        ClientMessage, Hello, MAGIC, ProtocolVersion, Sample, ServerMessage, Subscribe, Subscribed, Welcome,
    },
};

/// The collector's default socket.
pub const DEFAULT_SOCKET: &str = "/run/khor/collector.sock";
/// Environment variable with the path of the socket, if it is not [`DEFAULT_SOCKET`]. The collector
/// and its clients read this variable.
pub const SOCKET_ENV: &str = "KHOR_SOCKET";
/// Longest wait for an answer. After this time the collector counts as unavailable.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// A message to a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// The subscription has started, or its interval or availability has changed. Later samples
    /// cannot be compared with earlier ones.
    Subscribed(Subscribed),
    /// The counters at one instant.
    Sample(Sample),
    /// An event in the kernel.
    Cue(Cue),
    /// Cues were dropped.
    Lost {
        /// Number of dropped cues.
        cues: u64,
    },
}

/// One connection to a collector, after the handshake.
#[derive(Debug)]
pub struct Client {
    incoming: frame::Receiver<OwnedReadHalf, ServerMessage>,
    outgoing: frame::Sender<OwnedWriteHalf, ClientMessage>,
    unknown_frames: u64,
}

impl Client {
    /// Connects to the collector at `socket`. `client_name` appears in the collector's log.
    pub async fn connect(
        socket: impl AsRef<Path>,
        client_name: &str,
    ) -> Result<(Self, Welcome), ClientError> {
        let socket = socket.as_ref();
        let stream = UnixStream::connect(socket)
            .await
            .map_err(|source| ClientError::Connect { socket: socket.to_owned(), source })?;
        let (reader, writer) = stream.into_split();
        let mut client =
            Self { incoming: frame::receiver(reader), outgoing: frame::sender(writer), unknown_frames: 0 };
        let welcome =
            timeout(ANSWER_TIMEOUT, client.greet(client_name)).await.map_err(|_| ClientError::Silent)??;
        Ok((client, welcome))
    }

    /// Starts or changes the subscription.
    pub async fn subscribe(&mut self, request: Subscribe) -> Result<(), ClientError> {
        let message = ClientMessage::Subscribe(request);
        timeout(ANSWER_TIMEOUT, self.outgoing.send(message)).await.map_err(|_| ClientError::Silent)??;
        Ok(())
    }

    /// Waits for the next update. Cancelling this call loses no update. After an error, the
    /// connection cannot be used any more.
    pub async fn update(&mut self) -> Result<Update, ClientError> {
        match self.message().await? {
            ServerMessage::Subscribed(subscribed) => Ok(Update::Subscribed(subscribed)),
            ServerMessage::Sample(sample) => Ok(Update::Sample(sample)),
            ServerMessage::Cue(cue) => Ok(Update::Cue(cue)),
            ServerMessage::Lost { cues } => Ok(Update::Lost { cues }),
            ServerMessage::Bye { reason } => Err(ClientError::Bye { reason }),
            ServerMessage::Refused { reason } => Err(ClientError::Refused { reason }),
            ServerMessage::Welcome(_) => Err(ClientError::OutOfTurn { message: "a second Welcome" }),
        }
    }

    /// Waits for the next sample and skips all other updates. For errors and cancellation, see
    /// [`update`](Self::update).
    pub async fn sample(&mut self) -> Result<Sample, ClientError> {
        loop {
            if let Update::Sample(sample) = self.update().await? {
                return Ok(sample);
            }
        }
    }

    /// Number of frames that this client has skipped, because their messages are of a kind that
    /// only newer collectors know.
    pub fn unknown_frames(&self) -> u64 {
        self.unknown_frames
    }

    async fn greet(&mut self, client_name: &str) -> Result<Welcome, ClientError> {
        let hello =
            Hello { magic: MAGIC, versions: vec![ProtocolVersion::CURRENT], client: client_name.to_owned() };
        // A collector that accepts no more clients sends `Refused` and closes the connection
        // without reading. Then this send fails with `EPIPE`. Read the collector's message anyway,
        // because its reason is more useful than this error.
        let sent = self.outgoing.send(ClientMessage::Hello(hello)).await;
        match self.message().await {
            Ok(ServerMessage::Welcome(welcome)) => Ok(welcome),
            Ok(ServerMessage::Refused { reason }) => Err(ClientError::Refused { reason }),
            Ok(ServerMessage::Bye { reason }) => Err(ClientError::Bye { reason }),
            Ok(_) => Err(ClientError::OutOfTurn { message: "another message instead of Welcome" }),
            Err(error) => Err(sent.err().map_or(error, ClientError::from)),
        }
    }

    async fn message(&mut self) -> Result<ServerMessage, ClientError> {
        loop {
            match self.incoming.next().await {
                Some(Ok(Incoming::Known(message))) => return Ok(message.made_inert()),
                Some(Ok(Incoming::Unknown { kind })) => {
                    tracing::debug!(kind, "skipping a message that only newer versions know");
                    self.unknown_frames += 1;
                }
                Some(Err(error)) => return Err(error.into()),
                None => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            }
        }
    }
}
