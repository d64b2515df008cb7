//! Why a NATS server does not accept messages, and the fix.
//!
//! The client reconnects by itself, and reports only the kind of an error ("IO error"). So from
//! time to time khor makes a connection attempt of its own, whose error has the reason.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_nats::Event;
use khor_proto::inert;
use parking_lot::{Mutex, MutexGuard};
use tracing::{info, warn};

use super::settings::NatsSettings;

/// Time between two attempts to learn the reason.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// Words of a reason, in lower case, and the fix. The first match counts.
const FIXES: [(&[&str], &str); 7] = [
    (
        &["authorization violation", "authentication", "signing nonce"],
        "name the nkey or creds file of a user of that server",
    ),
    (
        &["permissions violation"],
        "let the server permit this user that subject, or name another user's nkey or creds file",
    ),
    (&["not valid for name", "notvalidforname"], "use an address that the server's certificate is for"),
    (&["peer certificate"], "name the certificate of the authority that vouches for the server as tls_ca"),
    (&["fatal alert"], "name a certificate that the server accepts as tls_cert, and its key as tls_key"),
    (
        &["corrupt message"],
        "let the server speak TLS, or use an address with nats:// and no tls_ca or tls_cert",
    ),
    (&["max_payload", "maximum payload"], "set max_payload to 64KB or more in the server's configuration"),
];
const OTHER_FIX: &str = "check that the server runs, and its address";

/// The problems of a server, from its client's events.
#[derive(Debug)]
pub(super) struct Troubles {
    nats: NatsSettings,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    why: Option<String>,
    /// Length of the shortest message that exceeded the server's limit, and the limit, bytes.
    too_long: Option<(usize, usize)>,
    asked: Option<Instant>,
    warned: Option<Instant>,
}

impl Troubles {
    /// The state before the first answer.
    pub(super) fn new(nats: NatsSettings) -> Self {
        let why = Some("it has not answered yet".to_owned());
        Self { nats, held: Mutex::new(Held { why, too_long: None, asked: None, warned: None }) }
    }

    /// The current problem.
    pub(super) fn why(&self) -> Option<String> {
        let held = self.hold();
        held.why.clone().or_else(|| held.too_long.map(|(length, most)| too_long(length, most)))
    }

    /// Whether messages are dropped because they are too long for the server.
    pub(super) fn drops_long_messages(&self) -> bool {
        self.hold().too_long.is_some()
    }

    /// Whether the server accepts a message of `length` bytes if its limit is `most`. Logs changes.
    pub(super) fn fits(&self, length: usize, most: usize) -> bool {
        let mut held = self.hold();
        let fits = length <= most;
        match held.too_long {
            // A short message does not show that long ones fit.
            Some((refused, _)) if fits && length >= refused => {
                info!("the NATS server at {} accepts messages of {length} bytes again", self.nats.url);
                held.too_long = None;
            }
            None if !fits => {
                let why = too_long(length, most);
                warn!("the NATS server at {}: {why}; {}", self.nats.url, fix(&why));
                held.too_long = Some((length, most));
            }
            Some((refused, _)) if !fits => held.too_long = Some((refused.min(length), most)),
            _ => {}
        }
        fits
    }

    /// Takes an event of the client.
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
                if self.is_to_ask() {
                    let this = Arc::clone(self);
                    tokio::spawn(async move { this.ask().await });
                }
            }
            Event::SlowConsumer(_) => self.warn_of_drops(),
            Event::LameDuckMode | Event::Draining | Event::Closed => {}
        }
    }

    /// Warns that the queue of received messages was full. The client does not report each dropped
    /// message. The gaps in the numbers of frames count them.
    fn warn_of_drops(&self) {
        let mut held = self.hold();
        if held.warned.is_none_or(|warned| warned.elapsed() >= ASK_AGAIN) {
            held.warned = Some(Instant::now());
            warn!(
                "more came from {} than could be taken in, and messages were let go: hear the site through relays that aggregate, \
                 or let less else run here",
                self.nats.url
            );
        }
    }

    /// Determines why connecting fails, unless the client has connected meanwhile.
    async fn ask(&self) {
        let Some(why) = self.reason().await else { return };
        let mut held = self.hold();
        if held.asked.is_some() {
            self.keep(&mut held, Some(why));
        }
    }

    /// Keeps the current problem and logs it if it is new. Makes its text inert, because a server
    /// may send any text.
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

    /// Whether it is time to ask for the reason.
    fn is_to_ask(&self) -> bool {
        let mut held = self.hold();
        let is_to_ask = held.asked.is_none_or(|asked| asked.elapsed() >= ASK_AGAIN);
        if is_to_ask {
            held.asked = Some(Instant::now());
        }
        is_to_ask
    }

    /// Why connecting fails; `None` if it works now.
    async fn reason(&self) -> Option<String> {
        let address = self.nats.check_url().ok()?;
        let options = match self.nats.options().await {
            Ok(options) => options,
            // The file was readable before.
            Err(error) => return Some(error.to_string()),
        };
        options.connect(address).await.err().map(|error| error.to_string())
    }

    fn hold(&self) -> MutexGuard<'_, Held> {
        self.held.lock()
    }
}

fn too_long(length: usize, most: usize) -> String {
    format!("messages of {length} bytes are dropped: its limit is {most} (max_payload)")
}

/// The fix for an error of the server.
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
            ("server error: nats: Permissions Violation for Publish to \"khor.v1.a.b.frame\"", "permit"),
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
