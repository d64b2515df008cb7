//! The two text formats that Prometheus and compatible scrapers read. The client selects one of
//! them with the header `Accept`.

use std::fmt;

use khor_proto::inert;
use prometheus_client::{
    encoding::{prometheus_text, text},
    registry::Registry,
};
use warp::{
    Reply,
    http::{HeaderMap, HeaderValue, header},
    reply::Response,
};

use crate::negotiation::quality;

/// A text format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsFormat {
    /// The Prometheus text format 0.0.4, which every scraper reads.
    Prometheus,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl MetricsFormat {
    /// The format that a client requests with the header `Accept`. A client gets `OpenMetrics` only
    /// if the header names this format. Older scrapers send `*/*`, but cannot read the counter
    /// names of `OpenMetrics`.
    pub fn asked(headers: &HeaderMap) -> Self {
        let named = |kind: &str| {
            let mut accepted = headers.get_all(header::ACCEPT).into_iter();
            let is_named = accepted.any(|value| value.to_str().is_ok_and(|value| value.contains(kind)));
            quality(headers, header::ACCEPT, kind).filter(|_| is_named).unwrap_or(0.0)
        };
        let (open, plain) = (named("application/openmetrics-text"), named("text/plain"));
        if open > 0.0 && open >= plain { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// The media type of this format.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Writes all registered metrics in this format. Their labels contain no control, bidirectional
    /// or invisible characters.
    pub fn write(self, registry: &Registry) -> Result<String, fmt::Error> {
        let mut written = String::new();
        match self {
            Self::Prometheus => prometheus_text::encode(&mut written, registry)?,
            Self::OpenMetrics => text::encode(&mut written, registry)?,
        }
        Ok(inert::lines(&written).into_owned())
    }

    /// Creates an HTTP answer that contains `text`. The text must have this format.
    pub fn reply(self, text: String) -> Response {
        let mut response = text.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind()));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_goes_to_clients_that_name_it() {
        let asked = |accept: &str| {
            MetricsFormat::asked(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]))
        };
        for accept in [
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text",
        ] {
            assert_eq!(asked(accept), MetricsFormat::OpenMetrics, "{accept}");
        }
        for accept in [
            "*/*",
            "text/plain",
            "text/plain;version=0.0.4;q=1,*/*;q=0.1",
            "text/plain, application/openmetrics-text;q=0.5",
            "application/openmetrics-text;q=0, */*",
            "text/html,application/xhtml+xml,*/*;q=0.8",
        ] {
            assert_eq!(asked(accept), MetricsFormat::Prometheus, "{accept}");
        }
        assert_eq!(MetricsFormat::asked(&HeaderMap::new()), MetricsFormat::Prometheus);
    }
}
