//! Serves the metrics of a relay over HTTP, as text for Prometheus.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use khor_http::{MetricsFormat, accept};
use khor_own_traffic::OwnTraffic;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tokio::{net::TcpListener, sync::watch};
use tracing::info;
use warp::{
    Filter, Rejection, Reply,
    http::{HeaderMap, StatusCode, header},
    reject::MethodNotAllowed,
    reply::Response,
};

use super::progress::Progress;

/// The only label of a metric: its name and value.
type By = [(&'static str, &'static str); 1];

/// The metrics of a relay. Clones share their values.
#[derive(Clone, Debug)]
pub struct RelayMetrics {
    registry: Arc<Registry>,
    frames: Counter,
    dropped: Counter,
    cues: Counter,
    lanes_left_out: Gauge,
    connected: Gauge,
    received: Family<By, Counter>,
    refused: Family<By, Counter>,
    hosts: Family<By, Gauge>,
    cues_dropped: Counter,
    frame_bytes: Gauge,
    sharers: Gauge,
    aggregates: bool,
}

impl RelayMetrics {
    /// Creates the metrics of a relay. A relay that aggregates (`aggregates`) has additional
    /// metrics.
    pub fn new(aggregates: bool) -> Self {
        let metrics = Self {
            registry: Arc::default(),
            frames: Counter::default(),
            dropped: Counter::default(),
            cues: Counter::default(),
            lanes_left_out: Gauge::default(),
            connected: Gauge::default(),
            received: Family::default(),
            refused: Family::default(),
            hosts: Family::default(),
            cues_dropped: Counter::default(),
            frame_bytes: Gauge::default(),
            sharers: Gauge::default(),
            aggregates,
        };
        Self { registry: Arc::new(metrics.registry()), ..metrics }
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("khor_relay");
        registry.register("frames", "Frames that were sent", self.frames.clone());
        registry.register(
            "frames_dropped",
            "Frames that were dropped: the server was unavailable, or the frame was too long for it",
            self.dropped.clone(),
        );
        registry.register("cues", "Cues that were sent", self.cues.clone());
        registry.register(
            "lanes_left_out",
            "Added lanes that did not fit into the last frame",
            self.lanes_left_out.clone(),
        );
        registry.register("connected", "1 while the NATS server answers, else 0", self.connected.clone());
        if self.aggregates {
            registry.register("heard", "Frames that were accepted, by kind of sender", self.received.clone());
            registry.register("refused", "Messages that were rejected, by reason", self.refused.clone());
            registry.register("hosts", "Hosts of the aggregated site, by state", self.hosts.clone());
            registry.register(
                "cues_let_go",
                "Cues that were dropped: there were too many in a second, or the server was unavailable",
                self.cues_dropped.clone(),
            );
            registry.register(
                "frame_bytes",
                "Length of the last frame that was sent, bytes",
                self.frame_bytes.clone(),
            );
            registry.register(
                "sharers",
                "Relays that share this site, including this one",
                self.sharers.clone(),
            );
        }
        registry
    }

    /// Updates the metrics.
    pub fn update(&self, progress: &Progress) {
        use std::sync::atomic::Ordering::Relaxed;
        let set = |counter: &Counter, count: u64| counter.inner().store(count, Relaxed);
        let Progress { frames, dropped, cues, lanes_left_out, connected, trouble: _, received } = progress;
        set(&self.frames, *frames);
        set(&self.dropped, *dropped);
        set(&self.cues, *cues);
        self.lanes_left_out.set(*lanes_left_out as i64);
        self.connected.set(i64::from(*connected));
        if !self.aggregates {
            return;
        }
        set(&self.received.get_or_create(&[("kind", "host")]), received.frames);
        for (reason, count) in received.refused {
            set(&self.refused.get_or_create(&[("reason", reason)]), count);
        }
        self.hosts.get_or_create(&[("state", "live")]).set(received.hosts.into());
        self.hosts.get_or_create(&[("state", "silent")]).set(received.silent.into());
        set(&self.cues_dropped, received.cues_dropped);
        self.frame_bytes.set(received.frame_bytes as i64);
        self.sharers.set(received.sharers.into());
    }

    fn answer(&self, format: MetricsFormat) -> Response {
        format.reply(format.write(&self.registry).expect("writing to a string cannot fail"))
    }

    /// Serves `GET /metrics` at `address` until `stop` becomes true. Adds the traffic of the
    /// connections to `own`.
    pub async fn serve(
        &self,
        address: SocketAddr,
        own: Arc<OwnTraffic>,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let listener = TcpListener::bind(address);
        let listener = listener
            .await
            .with_context(|| format!("cannot serve metrics at {address}; choose another address"))?;
        info!("metrics are at http://{}/metrics", listener.local_addr().unwrap_or(address));
        tokio::spawn(accept(listener, self.routes(), own, stop));
        Ok(())
    }

    fn routes(
        &self,
    ) -> impl Filter<Extract = (impl Reply + use<>,), Error = std::convert::Infallible>
    + Clone
    + Send
    + Sync
    + 'static
    + use<> {
        let metrics = self.clone();
        let method = warp::get().or(warp::head()).unify();
        let text = warp::path!("metrics")
            .and(method)
            .and(warp::header::headers_cloned())
            .map(move |headers: HeaderMap| metrics.answer(MetricsFormat::asked(&headers)));
        text.recover(
            |why: Rejection| async move { Ok::<Response, std::convert::Infallible>(not_found(&why)) },
        )
        .unify()
    }
}

/// The response to any request except `GET /metrics`.
fn not_found(why: &Rejection) -> Response {
    let text = "only GET /metrics is available here";
    if why.find::<MethodNotAllowed>().is_none() {
        return warp::reply::with_status(text, StatusCode::NOT_FOUND).into_response();
    }
    let refused = warp::reply::with_status(text, StatusCode::METHOD_NOT_ALLOWED);
    warp::reply::with_header(refused, header::ALLOW, "GET, HEAD").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{membership::Refused, relay::progress::Received};

    #[tokio::test]
    async fn a_relay_serves_only_its_metrics() {
        let refused = [("foreign", 2); Refused::REASONS];
        let received = Received { hosts: 7, frames: 35, refused, ..Received::default() };
        let progress =
            Progress { frames: 4, dropped: 1, cues: 0, connected: true, received, ..Progress::default() };
        let ask = async |aggregates, method: &str, path: &str, accept: &str| {
            let metrics = RelayMetrics::new(aggregates);
            metrics.update(&progress);
            let request = warp::test::request().method(method).path(path).header("accept", accept);
            let answer = request.reply(&metrics.routes()).await;
            (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
        };
        let open = "application/openmetrics-text";
        let answer = async |aggregates, path: &str| ask(aggregates, "GET", path, open).await;
        let (status, text) = answer(true, "/metrics").await;
        assert_eq!(status, 200);
        for line in [
            "khor_relay_frames_total 4",
            "khor_relay_frames_dropped_total 1",
            "khor_relay_connected 1",
            "khor_relay_heard_total{kind=\"host\"} 35",
            "khor_relay_hosts{state=\"live\"} 7",
            "khor_relay_refused_total{reason=\"foreign\"} 2",
        ] {
            assert!(text.lines().any(|held| held == line), "{line} is not in {text}");
        }
        assert!(text.ends_with("# EOF\n") && text.contains("# TYPE khor_relay_frames counter\n"), "{text}");
        let (_, text) = ask(true, "GET", "/metrics", "*/*").await;
        assert!(
            !text.contains("# EOF") && text.contains("# TYPE khor_relay_frames_total counter\n"),
            "{text}"
        );
        assert_eq!(ask(true, "HEAD", "/metrics", "*/*").await.0, 200);
        assert_eq!(ask(true, "POST", "/metrics", "*/*").await.0, 405);
        let (_, text) = answer(false, "/metrics").await;
        assert!(text.contains("khor_relay_cues_total 0") && !text.contains("hosts"), "{text}");
        assert_eq!(answer(true, "/api/config").await.0, 404);
    }
}
