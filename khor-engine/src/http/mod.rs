//! The HTTP side: the API, the event stream and the page. Loopback only.
//!
//! Every request passes the [`guard`] first, then one of [`api`], [`clips`], [`doctor`], [`stream`], [`listen`], [`recording`] or [`page`]. The accept loop is
//! our own because warp's has no limit on connections and none on a half-sent request.

mod api;
mod clips;
mod doctor;
mod guard;
mod listen;
mod page;
mod recording;
mod reply;
mod stream;

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use tracing::{error, info, warn};
use warp::{Filter, Reply};

use crate::engine::Engine;

/// Connections at once; a browser uses six.
const MAX_CONNECTIONS: usize = 128;
/// Time to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest request head, bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long connections may take to end when the engine stops.
const STOP_PATIENCE: Duration = Duration::from_secs(1);
/// Between two attempts to take a port that is in use.
const BIND_RETRY: Duration = Duration::from_secs(2);

/// Serves until `stop` becomes true. A port that is in use is tried again; sound doesn't wait for it.
pub async fn serve(engine: Arc<Engine>, address: SocketAddr, mut stop: watch::Receiver<bool>) {
    let listener = tokio::select! {
        listener = bind(address) => listener,
        () = stopped(&mut stop) => return,
    };
    let port = listener.local_addr().map_or(address.port(), |address| address.port());
    info!("the page and the API are at http://{}", SocketAddr::new(address.ip(), port));
    let service = TowerToHyperService::new(warp::service(routes(engine, port, stop.clone())));
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let open = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        let Ok((socket, _)) = accepted else {
            // Out of file descriptors, most likely: give others time to close theirs.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            warn!("refusing a connection: {MAX_CONNECTIONS} are open");
            continue;
        };
        let mut builder = Builder::new(TokioExecutor::new()).http1_only();
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD_BYTES);
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(socket), service.clone());
        let watched = open.watch(connection.into_owned());
        tokio::spawn(async move {
            // A connection that breaks is the client's business.
            drop(watched.await);
            drop(slot);
        });
    }
    drop(timeout(STOP_PATIENCE, open.shutdown()).await);
}

async fn bind(address: SocketAddr) -> TcpListener {
    let mut told = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(problem) if !told => {
                told = true;
                error!(
                    "the page can't be served at {address} ({problem}): is another khor running there? Choose \
                     another place with --listen; khor plays on and keeps trying"
                );
            }
            Err(_) => {}
        }
        sleep(BIND_RETRY).await;
    }
}

/// Until khor stops, for an answer that has no end.
async fn until_stopped(mut stop: watch::Receiver<bool>) {
    stopped(&mut stop).await;
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop too.
    drop(stop.wait_for(|stop| *stop).await);
}

fn routes(
    engine: Arc<Engine>,
    port: u16,
    stop: watch::Receiver<bool>,
) -> impl Filter<Extract = (impl Reply,), Error = Infallible> + Clone + Send + Sync + 'static {
    let served = stream::route(Arc::clone(&engine), stop.clone())
        .or(listen::routes(Arc::clone(&engine), stop))
        .or(api::routes(Arc::clone(&engine)))
        .or(doctor::route_of(Arc::clone(&engine)))
        .or(clips::routes(Arc::clone(&engine)))
        .or(recording::routes(&engine))
        .or(page::routes(&engine.config().ui));
    guard::guard(port).and(served).recover(reply::recover).with(warp::reply::with::headers(guard::headers()))
}
