//! Finds out why a NATS server does not accept messages, and the fix.
//!
//! The client reconnects by itself, but reports only the kind of an error ("IO error"). So while
//! the client fails, khor tries to connect every ten seconds. The error of that attempt contains
//! the reason.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::Event;
use khor_proto::inert;
use parking_lot::{Mutex, MutexGuard};
use tracing::{info, warn};

use super::settings::NatsSettings;

/// Time between two connection attempts that khor makes only to find out the reason.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// Words that an error may contain, in lower case, and the fix for that error. The first match
/// counts.
const FIXES: [(&[&str], &str); 7] = [
    (
        &["authorization violation", "authentication", "signing nonce"],
        "use the nkey or creds file of a user that the server accepts",
    ),
    (
        &["permissions violation"],
        "give this user permission for the subject on the server, or use the nkey or creds file of another user",
    ),
    (
        &["not valid for name", "notvalidforname"],
        "use an address whose host name is in the server's certificate",
    ),
    (
        &["peer certificate"],
        "set tls_ca to the certificate of the authority that signed the server's certificate",
    ),
    (&["fatal alert"], "set tls_cert to a certificate that the server accepts, and tls_key to its key"),
    (
        &["corrupt message"],
        "enable TLS on the server, or use an address with nats:// and no tls_ca or tls_cert",
    ),
    (&["max_payload", "maximum payload"], "set max_payload to 64KB or more in the server's configuration"),
];
const OTHER_FIX: &str = "check that the server runs and that the address is correct";

/// The current problem of a connection, as known from the events of its client.
#[derive(Debug)]
pub(super) struct Troubles {
    nats: NatsSettings,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    why: Option<String>,
    /// Two lengths in bytes: the shortest message that exceeded the server's limit, and that limit.
    too_long: Option<(usize, usize)>,
    asked: Option<Instant>,
    warned: Option<Instant>,
}

impl Troubles {
    /// Creates the initial state, which holds until the server's first answer.
    pub(super) fn new(nats: NatsSettings) -> Self {
        let why = Some("the server has not answered yet".to_owned());
        Self { nats, held: Mutex::new(Held { why, too_long: None, asked: None, warned: None }) }
    }

    /// The current problem; `None` if there is none.
    pub(super) fn why(&self) -> Option<String> {
        let held = self.hold();
        held.why.clone().or_else(|| held.too_long.map(|(length, most)| too_long(length, most)))
    }

    /// Whether messages are dropped because they are too long for the server.
    pub(super) fn drops_long_messages(&self) -> bool {
        self.hold().too_long.is_some()
    }

    /// Whether a message of `length` bytes is within the server's limit of `most` bytes. Logs when
    /// this changes.
    pub(super) fn fits(&self, length: usize, most: usize) -> bool {
        let mut held = self.hold();
        let fits = length <= most;
        match held.too_long {
            // Only a message at least as long as the shortest dropped one shows that the limit is
            // higher now.
            Some((shortest, _)) if fits && length >= shortest => {
                info!("the NATS server at {} accepts messages of {length} bytes again", self.nats.url);
                held.too_long = None;
            }
            None if !fits => {
                let why = too_long(length, most);
                warn!("the NATS server at {}: {why}; {}", self.nats.url, fix(&why));
                held.too_long = Some((length, most));
            }
            Some((shortest, _)) if !fits => held.too_long = Some((shortest.min(length), most)),
            _ => {}
        }
        fits
    }

    /// Updates the current problem after an event of the client.
    pub(super) fn note(self: &Arc<Self>, event: &Event) {
        match event {
            Event::Connected => {
                let mut held = self.hold();
                held.asked = None;
                self.keep(&mut held, None);
            }
            Event::Disconnected => self.keep(&mut self.hold(), Some("the connection was lost".to_owned())),
            Event::ServerError(_) => self.keep(&mut self.hold(), Some(event.to_string())),
            Event::ClientError(_) => {
                if self.is_time_to_ask() {
                    let this = Arc::clone(self);
                    tokio::spawn(async move { this.ask().await });
                }
            }
            Event::SlowConsumer(_) => self.warn_of_drops(),
            Event::LameDuckMode | Event::Draining | Event::Closed => {}
        }
    }

    /// Warns that messages were dropped because the queue of received messages was full. The client
    /// does not count these messages. The gaps in each host's frame numbers show how many were
    /// dropped.
    fn warn_of_drops(&self) {
        let mut held = self.hold();
        if held.warned.is_none_or(|warned| warned.elapsed() >= ASK_AGAIN) {
            held.warned = Some(Instant::now());
            warn!(
                "messages from {} were dropped: they arrive faster than khor reads them; use relays that aggregate",
                self.nats.url
            );
        }
    }

    /// Finds out why connecting fails. Ignores the result if the client has connected meanwhile.
    async fn ask(&self) {
        let Some(why) = self.reason().await else { return };
        let mut held = self.hold();
        if held.asked.is_some() {
            self.keep(&mut held, Some(why));
        }
    }

    /// Stores the current problem, and logs it if it is new. Removes unsafe characters from the
    /// text, because a server may send any text.
    fn keep(&self, held: &mut Held, now: Option<String>) {
        let now = now.map(inert::owned_line);
        if held.why == now {
            return;
        }
        let server = &self.nats.url;
        match &now {
            None => info!("connected to the NATS server at {server}"),
            Some(why) => warn!("the NATS server at {server}: {why}; trying again; {}", fix(why)),
        }
        held.why = now;
    }

    /// Whether the caller must now make another attempt to find out why connecting fails. If so,
    /// starts the wait for the next attempt.
    fn is_time_to_ask(&self) -> bool {
        let mut held = self.hold();
        let is_time = held.asked.is_none_or(|asked| asked.elapsed() >= ASK_AGAIN);
        if is_time {
            held.asked = Some(Instant::now());
        }
        is_time
    }

    /// Why connecting fails; `None` if it works now.
    async fn reason(&self) -> Option<String> {
        let address = self.nats.check_url().ok()?;
        let options = match self.nats.options().await {
            Ok(options) => options,
            // A credentials or certificate file that was readable at the start has become
            // unreadable.
            Err(error) => return Some(error.to_string()),
        };
        options.connect(address).await.err().map(|error| error.to_string())
    }

    fn hold(&self) -> MutexGuard<'_, Held> {
        self.held.lock()
    }
}

fn too_long(length: usize, most: usize) -> String {
    format!("messages of {length} bytes are dropped: the server's limit is {most} bytes (max_payload)")
}

/// Returns the fix for an error of the server.
pub(super) fn fix(why: &str) -> &'static str {
    let why = why.to_lowercase();
    let fits = |(words, _): &&(&[&str], &str)| words.iter().any(|word| why.contains(word));
    FIXES.iter().find(fits).map_or(OTHER_FIX, |(_, fix)| fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_has_its_fix() {
        for (why, word) in [
            ("authorization violation: nats: authorization violation", "nkey"),
            ("server error: nats: Permissions Violation for Publish to \"khor.v1.a.b.frame\"", "permission"),
            ("IO error: invalid peer certificate: UnknownIssuer", "tls_ca"),
            ("IO error: invalid peer certificate: certificate not valid for name \"rack\"", "address"),
            ("IO error: received fatal alert: BadCertificate", "tls_cert"),
            ("IO error: Connection refused (os error 111)", "runs"),
            ("server error: maximum payload violation", "max_payload"),
        ] {
            assert!(fix(why).contains(word), "{why}: {}", fix(why));
        }
    }

    #[test]
    fn a_size_limit_is_reported_while_exceeded() {
        let troubles = Troubles::new(NatsSettings::default());
        troubles.keep(&mut troubles.hold(), None);
        assert!(troubles.fits(400, 1_000_000) && troubles.why().is_none());
        assert!(!troubles.fits(400, 256));
        assert!(troubles.fits(100, 256), "cues are shorter than frames");
        let why = troubles.why().unwrap();
        assert!(why.contains("400 bytes") && why.contains("limit is 256"), "{why}");
        assert!(fix(&why).contains("max_payload"));
        assert!(!troubles.fits(390, 256) && troubles.drops_long_messages());
        assert!(troubles.fits(392, 1_000_000));
        assert_eq!((troubles.why(), troubles.drops_long_messages()), (None, false));
    }
}
