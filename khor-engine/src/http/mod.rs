//! The HTTP side: the API, the event stream and the page; on loopback unless a token guards it.
//!
//! Every request passes the [`guard`] (is it meant for us?) and [`access`] (may it come in?), then
//! an operation of the [`table`], which [`api`], [`clips`], [`doctor`], [`presets`], [`stream`],
//! [`listen`], [`recording`] and [`prometheus`] fill and [`openapi`] describes, or the [`page`].
//! Their answers go out through [`deliver`]. The accept loop is our own because warp's has no
//! limit on connections and none on a half-sent request.

mod accept;
mod access;
mod api;
mod call;
mod clips;
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
mod stream;
mod table;
#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use bytes::Buf;
use futures_util::Stream;
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
    reply::Failure,
    seldom::Seldom,
    table::{Found, Operation},
};
use crate::engine::Engine;

/// Connections at once; a browser uses six.
const MAX_CONNECTIONS: usize = 128;
/// Time to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest request head, bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long connections may take to end when the engine stops.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// Serves until `stop` becomes true.
pub async fn serve(engine: Arc<Engine>, door: Door, mut stop: watch::Receiver<bool>) {
    let (listener, access) = tokio::select! {
        listening = door.listen() => listening,
        () = stopped(&mut stop) => return,
    };
    if let Ok(address) = listener.local_addr() {
        info!("the page and the API are at http://{address}");
    }
    let desk = Desk { engine, stop: stop.clone(), streams: Arc::new(AtomicUsize::new(0)), access };
    accept(listener, routes(&desk), stop).await;
}

/// Serves `routes` to those who connect, until `stop` becomes true.
pub(crate) async fn accept<R: Reply + 'static>(
    listener: TcpListener,
    routes: impl Filter<Extract = (R,), Error = Infallible> + Clone + Send + Sync + 'static,
    mut stop: watch::Receiver<bool>,
) {
    let service = TowerToHyperService::new(warp::service(routes));
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let open = GracefulShutdown::new();
    let refused = Seldom::default();
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
            if refused.is_due() {
                warn!("refusing connections: {MAX_CONNECTIONS} are open");
            }
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
    table.extend([
        doctor::operation(),
        stream::operation(),
        prometheus::operation(),
        access::operation(),
        openapi::operation(),
    ]);
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
        .and(warp::body::stream())
        .then(move |found, query, headers, body| answer(desk.clone(), found, query, headers, body))
        .boxed()
}

async fn answer(
    desk: Desk,
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
        Ok(body) => (operation.handler)(Call { desk, name, query, headers, body }).await,
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
