//! The accept loop: accepts connections, limits them, and serves requests.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::{
    Request,
    body::Incoming,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use khor_log::RateLimit;
use khor_own_traffic::{CountedStream, OwnTraffic};
use khor_system::peer::Peer;
use nix::sys::socket::{setsockopt, sockopt};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutStream;
use tracing::warn;
use warp::{Filter, Reply};

use crate::connections::ConnectionSlots;

/// Longest time in which a client may send the head of a request.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum length of a request head, bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// If a client reads nothing for this time, khor closes the connection.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// Size of the kernel's send buffer, bytes. The buffer holds the part of an answer that the client
/// has not read yet.
const UNREAD_BYTES: usize = 256 * 1024;
/// Longest time that khor waits for connections to end when khor itself ends.
const STOP_PATIENCE: Duration = Duration::from_secs(1);
/// Shortest time between two log records about refused connections.
const REFUSED_LOG_INTERVAL: Duration = Duration::from_mins(1);

/// Serves `routes` to clients until `stop` becomes true. Counts the traffic of the connections in
/// `own`.
pub async fn accept<R: Reply + 'static>(
    listener: TcpListener,
    routes: impl Filter<Extract = (R,), Error = Infallible> + Clone + Send + Sync + 'static,
    own: Arc<OwnTraffic>,
    mut stop: watch::Receiver<bool>,
) {
    let service = TowerToHyperService::new(warp::service(routes));
    let slots = Arc::new(ConnectionSlots::default());
    let open = GracefulShutdown::new();
    let refused = RateLimit::new(1, REFUSED_LOG_INTERVAL);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        let Ok((socket, remote)) = accepted else {
            // The process probably has no free file descriptors. Wait until connections close.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let peer = socket.local_addr().map_or(Peer::Unknown, |local| Peer::of(local, remote));
        let Some(slot) = slots.take(peer) else {
            if refused.permit(Instant::now()).is_some() {
                warn!("refusing a connection from {peer}: too many connections are open");
            }
            continue;
        };
        let (service, held) = (service.clone(), Arc::clone(&slot));
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Arc::clone(&held));
            service.call(request)
        });
        let builder = builder();
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(bounded(socket, &own)), service);
        let watched = open.watch(connection.into_owned());
        tokio::spawn(async move {
            // An error here means that the client has ended the connection. Do not log it.
            drop(watched.await);
            drop(slot);
        });
    }
    drop(timeout(STOP_PATIENCE, open.shutdown()).await);
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
    builder
}

/// Limits a connection. khor closes the connection if the client reads nothing for
/// [`WRITE_TIMEOUT`]. The kernel buffers at most [`UNREAD_BYTES`] for the client.
fn bounded(socket: TcpStream, own: &Arc<OwnTraffic>) -> Pin<Box<TimeoutStream<CountedStream>>> {
    // By default, the kernel buffers up to 4 MB. The timeout begins only when the buffer is full.
    setsockopt(&socket, sockopt::SndBuf, &UNREAD_BYTES).ok();
    let mut stream = TimeoutStream::new(CountedStream::new(socket, own));
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    Box::pin(stream)
}

/// Waits until `stop` becomes true.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender was dropped. This also counts as a stop.
    drop(stop.wait_for(|stop| *stop).await);
}
