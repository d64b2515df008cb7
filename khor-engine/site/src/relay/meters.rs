//! The metrics of a relay, as text over HTTP for Prometheus and compatible scrapers.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use khor_http::{MetricsFormat, accept};
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

use super::Progress;
use khor_own_traffic::OwnTraffic;

type By = [(&'static str, &'static str); 1];

/// What is counted. Copies count together.
#[derive(Clone, Debug)]
pub struct Meters {
    registry: Arc<Registry>,
    frames: Counter,
    dropped: Counter,
    cues: Counter,
    connected: Gauge,
    heard: Family<By, Counter>,
    refused: Family<By, Counter>,
    hosts: Family<By, Gauge>,
    let_go: Counter,
    frame_bytes: Gauge,
    sharers: Gauge,
    aggregates: bool,
}

impl Meters {
    /// Of a relay, or of one that `aggregates`, which has some more.
    pub fn new(aggregates: bool) -> Self {
        let meters = Self {
            registry: Arc::default(),
            frames: Counter::default(),
            dropped: Counter::default(),
            cues: Counter::default(),
            connected: Gauge::default(),
            heard: Family::default(),
            refused: Family::default(),
            hosts: Family::default(),
            let_go: Counter::default(),
            frame_bytes: Gauge::default(),
            sharers: Gauge::default(),
            aggregates,
        };
        Self { registry: Arc::new(meters.registry()), ..meters }
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
        registry.register("connected", "Whether the server is there", self.connected.clone());
        if self.aggregates {
            registry.register("heard", "Frames that were heard, of hosts and of sites", self.heard.clone());
            registry.register("refused", "Messages that were not taken", self.refused.clone());
            registry.register("hosts", "Hosts of the site that is heard", self.hosts.clone());
            registry.register(
                "cues_let_go",
                "Cues that were not passed on: too many at once",
                self.let_go.clone(),
            );
            registry.register(
                "frame_bytes",
                "Length of the last frame that was sent",
                self.frame_bytes.clone(),
            );
            registry.register(
                "sharers",
                "Relays that share this site, this one included",
                self.sharers.clone(),
            );
        }
        registry
    }

    /// Takes how it goes.
    pub fn follow(&self, progress: &Progress) {
        use std::sync::atomic::Ordering::Relaxed;
        let set = |counter: &Counter, count: u64| counter.inner().store(count, Relaxed);
        let Progress { frames, dropped, cues, connected, trouble: _, heard } = progress;
        set(&self.frames, *frames);
        set(&self.dropped, *dropped);
        set(&self.cues, *cues);
        self.connected.set(i64::from(*connected));
        if !self.aggregates {
            return;
        }
        set(&self.heard.get_or_create(&[("kind", "host")]), heard.frames);
        set(&self.heard.get_or_create(&[("kind", "site")]), heard.sites);
        for (reason, count) in heard.refused {
            set(&self.refused.get_or_create(&[("reason", reason)]), count);
        }
        self.hosts.get_or_create(&[("state", "live")]).set(heard.hosts.into());
        self.hosts.get_or_create(&[("state", "silent")]).set(heard.silent.into());
        set(&self.let_go, heard.cues_let_go);
        self.frame_bytes.set(heard.frame_bytes as i64);
        self.sharers.set(heard.sharers.into());
    }

    fn answer(&self, format: MetricsFormat) -> Response {
        format.reply(format.write(&self.registry).expect("writing to a string cannot fail"))
    }

    /// Serves `GET /metrics` at `address` until `stop` becomes true. Counts the connections in
    /// `own`.
    pub async fn serve(
        &self,
        address: SocketAddr,
        own: Arc<OwnTraffic>,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let listener = TcpListener::bind(address);
        let listener =
            listener.await.with_context(|| format!("--metrics {address}: choose another place"))?;
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
        let meters = self.clone();
        let method = warp::get().or(warp::head()).unify();
        let text = warp::path!("metrics")
            .and(method)
            .and(warp::header::headers_cloned())
            .map(move |headers: HeaderMap| meters.answer(MetricsFormat::asked(&headers)));
        text.recover(
            |why: Rejection| async move { Ok::<Response, std::convert::Infallible>(elsewhere(&why)) },
        )
        .unify()
    }
}

/// For whoever asks for something else.
fn elsewhere(why: &Rejection) -> Response {
    let said = "there is nothing at this path: use GET /metrics";
    if why.find::<MethodNotAllowed>().is_none() {
        return warp::reply::with_status(said, StatusCode::NOT_FOUND).into_response();
    }
    let refused = warp::reply::with_status(said, StatusCode::METHOD_NOT_ALLOWED);
    warp::reply::with_header(refused, header::ALLOW, "GET, HEAD").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Refused, relay::Heard};

    #[tokio::test]
    async fn a_relay_answers_with_its_counts_and_with_nothing_else() {
        let heard =
            Heard { hosts: 7, frames: 35, refused: [("foreign", 2); Refused::REASONS], ..Heard::default() };
        let progress =
            Progress { frames: 4, dropped: 1, cues: 0, connected: true, heard, ..Progress::default() };
        let ask = async |aggregates, method: &str, path: &str, accept: &str| {
            let meters = Meters::new(aggregates);
            meters.follow(&progress);
            let request = warp::test::request().method(method).path(path).header("accept", accept);
            let answer = request.reply(&meters.routes()).await;
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
