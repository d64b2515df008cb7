//! A request to an API operation, with its parameters, headers and body. Also limits the size of a
//! body and the time that a client may take to send it.

use std::{collections::HashMap, str::FromStr, sync::Arc, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use khor_config::{json, numbers};
use khor_system::peer::Peer;
use serde_json::Value;
use tokio::{sync::watch, time::timeout};
use warp::http::{HeaderMap, StatusCode, header};

use super::{access::Access, feeds::Feeds, reply::Failure};
use crate::engine::Engine;

/// Maximum size of a request body, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Maximum time that a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// The parameters after the `?` of a request's address.
pub(super) type Query = HashMap<String, String>;

/// The values that every operation may use: the engine, the event feeds and the access rules.
#[derive(Clone)]
pub(super) struct ApiContext {
    pub(super) engine: Arc<Engine>,
    /// Contains true as soon as khor is ending.
    pub(super) stop: watch::Receiver<bool>,
    pub(super) feeds: Feeds,
    pub(super) access: Access,
}

impl ApiContext {
    pub(super) fn new(engine: Arc<Engine>, stop: watch::Receiver<bool>, access: Access) -> Self {
        Self { feeds: Feeds::new(&engine), engine, stop, access }
    }
}

/// A request to an operation.
pub(super) struct Call {
    pub(super) context: ApiContext,
    /// The client that sent the request.
    pub(super) peer: Peer,
    /// The part of the request's path that matches the braces in the operation's path. It is empty
    /// if the operation's path has no braces.
    pub(super) name: String,
    pub(super) query: Query,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Call {
    pub(super) fn engine(&self) -> &Arc<Engine> {
        &self.context.engine
    }

    /// Parses the body as JSON.
    pub(super) fn json(&self) -> Result<Value, Failure> {
        json::parse(&self.body)
            .map_err(|problem| Failure::bad(format!("the body is not valid JSON: {problem}")))
    }

    /// Parses a numeric parameter. Returns `None` if the request does not have the parameter. A
    /// whole number may be written as `62.0`. `expected` describes the allowed values in the error
    /// message.
    pub(super) fn number<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>, Failure> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = numbers::parse(text);
        number.map(Some).ok_or_else(|| Failure::not_allowed(name, &text, expected))
    }

    /// Parses a parameter that is `true` or `false`. Returns `None` if the request does not have
    /// the parameter.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.text(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Failure::not_allowed(name, &other, "true or false")),
        }
    }

    /// Returns the text of a parameter, or `None` if the request does not have it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// Returns the text of a header, or `None` if the header is missing or not ASCII.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Reads a body. Rejects the body as soon as it exceeds the limit of size or time.
pub(super) async fn read(
    headers: &HeaderMap,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Result<Bytes, Failure> {
    read_within(BODY_TIMEOUT, headers, body).await
}

async fn read_within(
    time: Duration,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Result<Bytes, Failure> {
    let too_long = || Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 64 KiB");
    let declared =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > MAX_BODY_BYTES) {
        return Err(too_long());
    }
    let all = async {
        let mut body = std::pin::pin!(body);
        let mut read = BytesMut::new();
        while let Some(piece) = body.next().await {
            let mut piece =
                piece.map_err(|problem| Failure::bad(format!("cannot read the body: {problem}")))?;
            if read.len() + piece.remaining() > MAX_BODY_BYTES {
                return Err(too_long());
            }
            read.extend_from_slice(&piece.copy_to_bytes(piece.remaining()));
        }
        Ok(read.freeze())
    };
    let too_slow = format!("the body did not arrive within {} s", time.as_secs());
    timeout(time, all).await.unwrap_or_else(|_| Err(Failure::new(StatusCode::REQUEST_TIMEOUT, too_slow)))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn pieces(count: usize) -> impl Stream<Item = Result<Bytes, warp::Error>> {
        stream::iter((0..count).map(|_| Ok(Bytes::from_static(&[b'x'; 1024]))))
    }

    #[tokio::test]
    async fn bodies_are_bounded_in_size_and_time() {
        let none = HeaderMap::new();
        assert_eq!(read(&none, pieces(64)).await.ok().map(|body| body.len()), Some(64 * 1024));
        let status = async |body: Result<Bytes, Failure>| body.err().map(|failure| failure.status());
        assert_eq!(status(read(&none, pieces(65)).await).await, Some(StatusCode::PAYLOAD_TOO_LARGE));
        let declared = HeaderMap::from_iter([(header::CONTENT_LENGTH, "65537".parse().unwrap())]);
        assert_eq!(status(read(&declared, pieces(0)).await).await, Some(StatusCode::PAYLOAD_TOO_LARGE));
        let slow = pieces(1).chain(stream::pending());
        assert_eq!(
            status(read_within(Duration::from_millis(10), &none, slow).await).await,
            Some(StatusCode::REQUEST_TIMEOUT)
        );
    }
}
