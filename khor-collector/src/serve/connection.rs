//! Receives the messages of one client, from its `Hello` to the end of the connection.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use khor_proto::{
    ClientMessage, Hello, MAGIC, ProtocolVersion, ServerMessage, Subscribe,
    frame::{self, Incoming},
};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{Server, connection_limit::ConnectionPermit, sender::Registration, stop_requested, wire::Reader};

/// Longest wait for the client's `Hello`.
const HELLO_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum number of messages that a client may send in a second.
const MAX_MESSAGES_PER_S: u32 = 50;
/// Maximum number of bytes of a client's name that appear in the log.
const MAX_NAME_BYTES: usize = 64;

/// Why a connection ends.
enum End {
    /// The client disconnected, the collector disconnected it, or its socket failed. The collector
    /// cannot send a last message.
    Gone,
    /// The client violated the protocol. The last message contains the reason.
    Fault(String),
    /// The collector stops.
    Stopping,
}

struct Connection {
    server: Arc<Server>,
    permit: ConnectionPermit,
    incoming: frame::Receiver<Reader, ClientMessage>,
    registration: Registration,
    name: String,
    messages: u32,
    messages_since: Instant,
}

/// Serves one client until it disconnects, it violates the protocol, or `stopped` becomes true.
pub(super) async fn serve(
    server: Arc<Server>,
    reader: Reader,
    permit: ConnectionPermit,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connection = Connection {
        registration: server.sender.register(Arc::clone(&reader.0), permit.peer),
        server,
        permit,
        incoming: frame::receiver(reader),
        name: "an unnamed client".into(),
        messages: 0,
        messages_since: Instant::now(),
    };
    let greeting = tokio::select! {
        greeting = connection.greet() => greeting,
        () = stop_requested(&mut stopped) => Err(End::Stopping),
    };
    if let Err(end) = greeting {
        return connection.finish(end, |reason| ServerMessage::Refused { reason });
    }
    let end = connection.receive_requests(&mut stopped).await;
    connection.finish(end, |reason| ServerMessage::Bye { reason });
}

impl Connection {
    async fn greet(&mut self) -> Result<(), End> {
        let message = timeout(HELLO_TIMEOUT, self.receive())
            .await
            .map_err(|_| End::Fault("the client sent no Hello within two seconds".into()))??;
        let ClientMessage::Hello(hello) = message else {
            return Err(End::Fault("the first message must be Hello".into()));
        };
        let version = negotiate(&hello).map_err(End::Fault)?;
        self.name = printable(&hello.client);
        tracing::debug!("accepted {} (uid {})", self.name, self.permit.peer.uid);
        self.registration.send(&self.server.welcome(version, self.permit.peer));
        Ok(())
    }

    async fn receive_requests(&mut self, stopped: &mut watch::Receiver<bool>) -> End {
        loop {
            let step = tokio::select! {
                message = self.receive() => message.and_then(|message| self.handle(message)),
                () = stop_requested(stopped) => Err(End::Stopping),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    fn handle(&mut self, message: ClientMessage) -> Result<(), End> {
        self.count_message()?;
        let ClientMessage::Subscribe(request) = message else {
            return Err(End::Fault("Hello may be sent only once".into()));
        };
        let interval_ms = request.interval_ms;
        if !(Subscribe::MIN_INTERVAL_MS..=Subscribe::MAX_INTERVAL_MS).contains(&interval_ms) {
            return Err(End::Fault(format!("interval_ms is {interval_ms}; it must be 5 to 5000")));
        }
        self.registration.subscribe(&request).map_err(|reason| End::Fault(format!("scope: {reason}")))
    }

    fn count_message(&mut self) -> Result<(), End> {
        if self.messages_since.elapsed() >= Duration::from_secs(1) {
            (self.messages, self.messages_since) = (0, Instant::now());
        }
        self.messages += 1;
        if self.messages > MAX_MESSAGES_PER_S {
            return Err(End::Fault(format!("more than {MAX_MESSAGES_PER_S} messages in a second")));
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<ClientMessage, End> {
        match self.incoming.next().await {
            Some(Ok(Incoming::Known(message))) => Ok(message),
            Some(Ok(Incoming::Unknown { kind })) => Err(End::Fault(format!(
                "message kind {kind} is unknown in protocol version {}",
                ProtocolVersion::CURRENT
            ))),
            Some(Err(error)) if error.kind() == std::io::ErrorKind::InvalidData => Err(End::Fault(format!(
                "malformed frame: the body must be one message of at most {} bytes",
                frame::MAX_CLIENT_BODY_BYTES
            ))),
            Some(Err(_)) | None => Err(End::Gone),
        }
    }

    fn finish(self, end: End, last_message: fn(String) -> ServerMessage) {
        let (name, uid) = (&self.name, self.permit.peer.uid);
        let reason = match end {
            End::Gone if self.registration.was_stuck() => {
                return self.server.log(|| {
                    format!("disconnected {name} (uid {uid}): the client does not read its messages")
                });
            }
            End::Gone => return tracing::debug!("{name} (uid {uid}) disconnected"),
            End::Stopping => "the collector stops".to_owned(),
            End::Fault(reason) => {
                self.server.log(|| format!("disconnected {name} (uid {uid}): {reason}"));
                reason
            }
        };
        self.registration.leave(&last_message(reason));
    }
}

fn negotiate(hello: &Hello) -> Result<ProtocolVersion, String> {
    if hello.magic != MAGIC {
        return Err("this socket belongs to khor's collector, and Hello has the wrong magic number".into());
    }
    ProtocolVersion::common(&hello.versions).ok_or_else(|| {
        let theirs: Vec<_> = hello.versions.iter().take(8).map(ToString::to_string).collect();
        format!(
            "no common protocol version: the collector supports {}, and the client supports {}",
            ProtocolVersion::CURRENT,
            theirs.join(", ")
        )
    })
}

/// Shortens a client's name for the log. Letters, digits, ASCII punctuation and spaces stay; other
/// characters become `?`.
fn printable(name: &str) -> String {
    let mut clean = String::with_capacity(name.len().min(MAX_NAME_BYTES));
    for letter in name.chars() {
        if clean.len() + letter.len_utf8() > MAX_NAME_BYTES {
            break;
        }
        clean.push(if letter.is_ascii_graphic() || letter == ' ' || letter.is_alphanumeric() {
            letter
        } else {
            '?'
        });
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_harmless() {
        assert_eq!(printable("khor 0.1"), "khor 0.1");
        assert_eq!(printable("a\x1b[2J\nb\u{202e}"), "a?[2J?b?");
        assert_eq!(printable(&"ä".repeat(100)).len(), 64);
    }
}
