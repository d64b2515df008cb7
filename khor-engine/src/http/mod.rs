//! Serves the API, the event stream and the page: to the engine's own user by default, and to other
//! clients with a token.
//!
//! Every request passes the [`guard`] (is it for this listener?) and [`access`] (is the client let
//! in?), then an operation of the [`table`], which [`api`], [`clips`], [`doctor`], [`presets`],
//! [`stream`], [`listen`], [`recording`] and [`prometheus`] fill and [`openapi`] describes, or the
//! [`page`]. Their answers go out through [`deliver`]. The accept loop is our own because warp's
//! has no limit on connections and none on a half-sent request.

mod accept;
mod access;
mod api;
mod call;
mod clips;
mod connections;
mod deliver;
mod doctor;
#[cfg(test)]
mod documents;
mod door;
mod exposition;
mod guard;
#[cfg(test)]
mod hostile;
mod inert_json;
mod listen;
mod openapi;
mod page;
mod presets;
mod prometheus;
mod range;
mod recording;
mod reply;
mod seldom;
mod shared;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod work;

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use bytes::Buf;
use futures_util::Stream;
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
use nix::sys::socket::{setsockopt, sockopt};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutStream;
use tracing::{info, warn};
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    path::FullPath,
    reject,
    reply::Response,
};

pub use self::{access::AccessError, door::Door};
pub(crate) use self::{access::read_token, exposition::Format};
use self::{
    call::{Call, Desk, Query},
    connections::{Slot, Slots},
    reply::Failure,
    seldom::Seldom,
    table::{Found, Operation},
};
use crate::{OwnTraffic, engine::Engine, engine_file::EngineFile, own::Counted, peer::Peer};

/// Time to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest request head, bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long a client may leave an answer unread.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// Most bytes of unread answers that the kernel keeps for a client, its own overhead included.
const UNREAD_BYTES: usize = 256 * 1024;
/// How long connections may take to end when the engine stops.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// Serves until `stop` becomes true.
pub async fn serve(engine: Arc<Engine>, door: Door, mut stop: watch::Receiver<bool>) {
    let (listener, access) = tokio::select! {
        listening = door.listen() => listening,
        () = stopped(&mut stop) => return,
    };
    let _published = listener.local_addr().ok().and_then(|address| {
        info!("the page and the API are at http://{address}");
        EngineFile::publish(address, &engine.config_path())
    });
    let desk = Desk { engine, stop: stop.clone(), streams: Arc::new(AtomicUsize::new(0)), access };
    let own = Arc::clone(desk.engine.own_traffic());
    accept(listener, routes(&desk), own, stop).await;
}

/// Serves `routes` to clients until `stop` becomes true. Counts the connections in `own`.
pub(crate) async fn accept<R: Reply + 'static>(
    listener: TcpListener,
    routes: impl Filter<Extract = (R,), Error = Infallible> + Clone + Send + Sync + 'static,
    own: Arc<OwnTraffic>,
    mut stop: watch::Receiver<bool>,
) {
    let service = TowerToHyperService::new(warp::service(routes));
    let slots = Arc::new(Slots::default());
    let open = GracefulShutdown::new();
    let refused = Seldom::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        let Ok((socket, remote)) = accepted else {
            // Out of file descriptors, most likely: give others time to close theirs.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let peer = socket.local_addr().map_or(Peer::Unknown, |local| Peer::of(local, remote));
        let Some(slot) = slots.take(peer) else {
            if refused.is_due() {
                warn!("refusing connections of {peer}: too many are open");
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
            // A connection that breaks is the client's business.
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

/// Limits a connection: it is closed if the client does not read for [`WRITE_TIMEOUT`], and the
/// kernel keeps at most [`UNREAD_BYTES`] for the client.
fn bounded(socket: TcpStream, own: &Arc<OwnTraffic>) -> Pin<Box<TimeoutStream<Counted>>> {
    // Without the option the kernel keeps up to 4 MB, and the timeout begins later.
    setsockopt(&socket, sockopt::SndBuf, &UNREAD_BYTES).ok();
    let mut stream = TimeoutStream::new(Counted::new(socket, own));
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    Box::pin(stream)
}

/// Until khor stops, for an answer that has no end.
async fn until_stopped(mut stop: watch::Receiver<bool>) {
    stopped(&mut stop).await;
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop too.
    drop(stop.wait_for(|stop| *stop).await);
}

/// The whole API.
fn table() -> Vec<Arc<Operation>> {
    let mut table = api::operations();
    table.extend(presets::operations());
    table.extend(recording::operations());
    table.extend(clips::operations());
    table.extend(listen::operations());
    table.extend(access::operations());
    table.extend([doctor::operation(), stream::operation(), prometheus::operation(), openapi::operation()]);
    table.into_iter().map(Arc::new).collect()
}

fn routes(
    desk: &Desk,
) -> impl Filter<Extract = (impl Reply + use<>,), Error = Infallible> + Clone + Send + Sync + 'static + use<>
{
    let served = listen::socket(desk).or(operations(desk)).or(page::routes(&desk.engine.config().ui));
    let answered = guard::guard(&desk.access).and(desk.access.filter()).and(served).recover(reply::recover);
    warp::method()
        .and(warp::header::headers_cloned())
        .and(answered.map(Reply::into_response))
        .then(deliver::deliver)
        .with(warp::reply::with::headers(guard::headers()))
}

/// The operations of the table. The body is taken only once it is known who wants it.
fn operations(desk: &Desk) -> BoxedFilter<(Response,)> {
    let (desk, table) = (desk.clone(), Arc::new(table()));
    warp::method()
        .and(warp::path::full())
        .and_then(move |method: Method, path: FullPath| {
            let found = table::find(&table, &method, path.as_str()).ok_or_else(reject::not_found);
            async move { found }
        })
        .and(warp::query::<Query>())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<Arc<Slot>>())
        .and(warp::body::stream())
        .then(move |found, query, headers, slot: Option<Arc<Slot>>, body| {
            let peer = slot.map_or(Peer::Unknown, |slot| slot.peer());
            answer(desk.clone(), peer, found, query, headers, body)
        })
        .boxed()
}

async fn answer(
    desk: Desk,
    peer: Peer,
    found: Found,
    query: Query,
    headers: HeaderMap,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Response {
    let (operation, name) = match found {
        Found::Operation(operation, name) => (operation, name),
        Found::Others(methods) => return not_so(&methods),
    };
    // The body of a GET or a HEAD request has no meaning, so khor does not wait for it.
    let body = if operation.method == Method::GET {
        Ok(bytes::Bytes::new())
    } else {
        call::read(&headers, body).await
    };
    match body {
        Ok(body) => (operation.handler)(Call { desk, peer, name, query, headers, body }).await,
        Err(failure) => failure.into_response(),
    }
}

fn not_so(methods: &[Method]) -> Response {
    let methods = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    let said = format!("this method is not allowed here, expected {methods}");
    let mut response = Failure::new(StatusCode::METHOD_NOT_ALLOWED, said).into_response();
    if let Ok(allowed) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}
