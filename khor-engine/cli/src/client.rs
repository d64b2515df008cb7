//! Sends requests to the running engine, for the commands that show or control it.

use std::{
    io::{self, BufRead, BufReader},
    iter,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, anyhow};
use clap::Args;
use khor_api::{ConfigChanged, Refusal};
use khor_command_line::address::server_address;
use khor_config::{ConfigStore, Listen};
use khor_engine::{engine_file, http::read_token};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::warn;
use ureq::unversioned::resolver::DefaultResolver;

use super::{
    connect::{CheckedConnector, ForeignServer, Trust},
    places::Places,
};

/// Maximum time to wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time to wait for data of the event stream, which sends values ten times a second.
const READ_TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum length of a line of the event stream, in bytes. The limit saves memory if another
/// program uses the engine's port and sends longer lines.
const MAX_LINE_BYTES: u64 = 8 << 20;

type Answer = ureq::http::Response<ureq::Body>;

/// The options that select an engine.
#[derive(Args, Debug)]
pub(super) struct EngineAddress {
    #[command(flatten)]
    pub(super) places: Places,
    /// Address of the engine [default: this user's running engine, else as configured]
    #[arg(long, value_name = "[HOST:]PORT", value_parser = server_address, allow_negative_numbers = true)]
    pub(super) listen: Option<String>,
    /// File with the token of the engine, needed for an engine of another user or on another
    /// machine [default: as configured, but only for this user's engines]
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
}

/// A client of one running engine.
#[derive(Clone)]
pub(super) struct Client {
    address: String,
    /// The token that the engine requires. `None` if it requires no token.
    token: Option<Arc<str>>,
    agent: ureq::Agent,
    /// The HTTP agent for the event stream. It has no time limit for the whole answer, because the
    /// stream never ends.
    endless: ureq::Agent,
}

impl EngineAddress {
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        let path = self.places.config_path()?;
        let found = ConfigStore::inspect(&path).unwrap_or_else(|problem| {
            warn!("{}: {problem}; khor uses the engine's default address", path.display());
            None
        });
        for problem in found.iter().flat_map(|found| &found.problems) {
            warn!("{}: {problem}", path.display());
        }
        let listen = found.map_or_else(Listen::default, |found| found.config.listen);
        self.client_of(&listen, &path)
    }

    /// Creates a client for the engine with the settings `listen`. `config` is the path of the
    /// configuration file of this engine.
    pub(super) fn client_of(&self, listen: &Listen, config: &Path) -> anyhow::Result<Client> {
        let address = match (&self.listen, engine_file::address(config)) {
            (Some(address), _) => address.clone(),
            (None, Some(address)) => address.to_string(),
            (None, None) => configured(listen)?,
        };
        let token_file = self.token_file.as_deref().or(listen.token_file.as_deref());
        let token = token_file.map(read_token).transpose()?;
        // The token from the configuration must reach only engines of this user. khor therefore
        // sends requests to a server of another user in two cases only. Either the user gives
        // --token-file, or the user gives --listen and no token is configured.
        let is_named = self.token_file.is_some() || (self.listen.is_some() && token.is_none());
        let trust = if is_named { Trust::Named } else { Trust::Owner };
        Ok(Client::new(address, token, trust))
    }
}

impl Client {
    fn new(address: String, token: Option<Arc<str>>, trust: Trust) -> Self {
        let config =
            || ureq::Agent::config_builder().http_status_as_error(false).max_idle_connections(0).proxy(None);
        let agent = config().timeout_global(Some(TIMEOUT)).build();
        let endless = config().timeout_connect(Some(TIMEOUT)).timeout_per_read(Some(READ_TIMEOUT)).build();
        let [agent, endless] = [agent, endless].map(|config| {
            ureq::Agent::with_parts(config, CheckedConnector(trust), DefaultResolver::default())
        });
        Self { address, token, agent, endless }
    }

    /// Returns the address of the page.
    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Sends a GET request and returns the answer.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.request("GET", path, &[])
    }

    /// Sends a POST request without a body and returns the answer.
    pub(super) fn post<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.request("POST", path, &[])
    }

    /// Sends a change of the configuration and returns the answer.
    pub(super) fn patch_config(&self, change: &Value) -> anyhow::Result<ConfigChanged<Value>> {
        self.request("PATCH", "config", &serde_json::to_vec(change)?)
    }

    /// Reads the lines of an endless answer, such as the event stream.
    pub(super) fn lines(&self, path: &str) -> anyhow::Result<impl Iterator<Item = io::Result<String>>> {
        let mut answer = self.send(&self.endless, "GET", path, &[])?;
        if !answer.status().is_success() {
            return Err(self.refusal(&mut answer));
        }
        Ok(lines(BufReader::new(answer.into_body().into_reader())))
    }

    /// Sends a request and parses the answer. If the engine rejects the request, the error contains
    /// the engine's own message.
    fn request<T: DeserializeOwned>(&self, method: &str, path: &str, body: &[u8]) -> anyhow::Result<T> {
        let mut answer = self.send(&self.agent, method, path, body)?;
        if !answer.status().is_success() {
            return Err(self.refusal(&mut answer));
        }
        let text = answer.body_mut().read_to_string().context("cannot read the engine's answer")?;
        serde_json::from_str(&text).map_err(|_| self.foreign(answer.status()))
    }

    fn send(&self, agent: &ureq::Agent, method: &str, path: &str, body: &[u8]) -> anyhow::Result<Answer> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}/api/{path}", self.address))
            .header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = agent.run(request.body(body)?);
        answer.map_err(|problem| match problem {
            ureq::Error::Other(problem) if problem.is::<ForeignServer>() => anyhow!("{problem}"),
            ureq::Error::Io(problem) if problem.kind() == io::ErrorKind::ConnectionRefused => {
                anyhow!("no engine answers at {}: start khor engine", self.address)
            }
            problem => anyhow!("no engine answers at {} ({problem}); start khor engine", self.address),
        })
    }

    /// Returns the engine's own message about a rejected request.
    fn refusal(&self, answer: &mut Answer) -> anyhow::Error {
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        let refusal = serde_json::from_str::<Refusal>(&text);
        refusal.map_or_else(|_| self.foreign(answer.status()), |refusal| anyhow!("{}", refusal.error))
    }

    /// Creates the error about an answer that this version of khor does not understand.
    fn foreign(&self, status: ureq::http::StatusCode) -> anyhow::Error {
        anyhow!("{} is not a khor engine of this version (its answer: {status})", self.address)
    }
}

/// Reads lines of at most [`MAX_LINE_BYTES`]. A longer line is an error, and reading stops.
fn lines(mut reader: impl BufRead) -> impl Iterator<Item = io::Result<String>> {
    let mut ended = false;
    iter::from_fn(move || {
        if ended {
            return None;
        }
        let mut line = String::new();
        let read = io::Read::take(&mut reader, MAX_LINE_BYTES).read_line(&mut line);
        let read = match read {
            Ok(bytes) if bytes as u64 == MAX_LINE_BYTES && !line.ends_with('\n') => {
                Err(io::Error::other("a line of the engine's answer is too long"))
            }
            read => read,
        };
        ended = !matches!(read, Ok(1..));
        match read {
            Ok(0) => None,
            read => Some(read.map(|_| line.trim_end_matches(['\r', '\n']).to_owned())),
        }
    })
}

/// Returns the address at which programs on this machine reach an engine with these settings.
fn configured(listen: &Listen) -> anyhow::Result<String> {
    let host = listen.host.parse().context("the setting listen.host is not an IP address")?;
    Ok(engine_file::reachable(SocketAddr::new(host, listen.port)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_long_lines_are_errors() {
        let text: Vec<_> = lines(&b"one\r\n\ntwo"[..]).map(Result::unwrap).collect();
        assert_eq!(text, ["one", "", "two"]);
        let endless = BufReader::new(io::repeat(b'x'));
        let mut lines = lines(endless);
        assert!(lines.next().is_some_and(|line| line.is_err()) && lines.next().is_none());
    }
}
