//! Serves the API, the event streams and the page. By default, only the user who runs the engine
//! and root may use the API. Other clients need a token.
//!
//! Every request passes two checks: the [`guard`] checks that the request is for this listener, and
//! [`access`] checks that this client may use the API. Then an operation of the [`table`] or the
//! [`page`] answers the request. [`api`], [`clips`], [`doctor`], [`presets`], [`stream`],
//! [`listen`], [`recording`], [`login`] and [`prometheus`] define the operations. [`openapi`]
//! describes them, and [`deliver`] compresses the answers.

mod access;
mod api;
mod call;
mod clips;
mod deliver;
mod doctor;
#[cfg(test)]
mod documents;
mod feeds;
mod guard;
#[cfg(test)]
mod hostile;
mod inert_json;
mod listen;
mod listener;
mod login;
mod openapi;
mod page;
mod presets;
mod prometheus;
mod range;
mod recording;
mod reply;
mod shared_answer;
mod stop;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod work;

pub use self::access::read_token;
pub use self::{access::AccessError, listener::HttpListener, openapi::openapi_document};

use std::{convert::Infallible, sync::Arc};

use bytes::Buf;
use futures_util::Stream;
use khor_http::{ConnectionSlot, accept, stopped};
use khor_system::peer::Peer;
use tokio::sync::watch;
use tracing::info;
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderMap, Method},
    path::FullPath,
    reject,
    reply::Response,
};

use self::{
    call::{ApiContext, Call, Query},
    reply::method_not_allowed,
    table::{Found, Operation},
};
use crate::{engine::Engine, engine_file::EngineFile};

/// Serves clients until `stop` becomes true.
pub async fn serve(engine: Arc<Engine>, listener: HttpListener, mut stop: watch::Receiver<bool>) {
    let (listener, access) = tokio::select! {
        listening = listener.bind() => listening,
        () = stopped(&mut stop) => return,
    };
    let _published = listener.local_addr().ok().and_then(|address| {
        info!("the page and the API are at http://{address}");
        EngineFile::publish(address, &engine.config_path())
    });
    let context = ApiContext::new(engine, stop.clone(), access);
    let own = Arc::clone(context.engine.own_traffic());
    accept(listener, routes(&context), own, stop).await;
}

/// The table of all operations of the API.
fn table() -> Vec<Arc<Operation>> {
    let mut table = api::operations();
    table.extend(presets::operations());
    table.extend(recording::operations());
    table.extend(clips::operations());
    table.extend(listen::operations());
    table.extend(login::operations());
    table.extend([doctor::operation(), stream::operation(), prometheus::operation(), openapi::operation()]);
    table.into_iter().map(Arc::new).collect()
}

fn routes(
    context: &ApiContext,
) -> impl Filter<Extract = (impl Reply + use<>,), Error = Infallible> + Clone + Send + Sync + 'static + use<>
{
    let served =
        listen::socket(context).or(operations(context)).or(page::routes(&context.engine.config().ui));
    let answered =
        guard::guard(&context.access).and(context.access.filter()).and(served).recover(reply::recover);
    warp::method()
        .and(warp::header::headers_cloned())
        .and(answered.map(Reply::into_response))
        .then(deliver::deliver)
        .with(warp::reply::with::headers(guard::headers()))
}

/// Answers requests for the operations of the table. Reads a body only if an operation matches the
/// request.
fn operations(context: &ApiContext) -> BoxedFilter<(Response,)> {
    let (context, table) = (context.clone(), Arc::new(table()));
    warp::method()
        .and(warp::path::full())
        .and_then(move |method: Method, path: FullPath| {
            let found = table::find(&table, &method, path.as_str()).ok_or_else(reject::not_found);
            async move { found }
        })
        .and(warp::query::<Query>())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<Arc<ConnectionSlot>>())
        .and(warp::body::stream())
        .then(move |found, query, headers, slot: Option<Arc<ConnectionSlot>>, body| {
            let peer = slot.map_or(Peer::Unknown, |slot| slot.peer());
            answer(context.clone(), peer, found, query, headers, body)
        })
        .boxed()
}

async fn answer(
    context: ApiContext,
    peer: Peer,
    found: Found,
    query: Query,
    headers: HeaderMap,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> Response {
    let (operation, name) = match found {
        Found::Operation(operation, name) => (operation, name),
        Found::Others(methods) => return method_not_allowed(&methods),
    };
    // Do not read the body of a GET or HEAD request, because it has no meaning.
    let body = if operation.method == Method::GET {
        Ok(bytes::Bytes::new())
    } else {
        call::read(&headers, body).await
    };
    match body {
        Ok(body) => (operation.handler)(Call { context, peer, name, query, headers, body }).await,
        Err(failure) => failure.into_response(),
    }
}
