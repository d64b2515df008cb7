//! The event streams. All clients of a stream share one [`feed`], which creates the events.

mod changes;
mod feed;
mod metrics;

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use self::{
    changes::ChangesPublisher,
    feed::Feed,
    metrics::{MetricsPublisher, read_position},
};
use crate::engine::Engine;

/// The two feeds of an engine, and the number of their open streams.
#[derive(Clone)]
pub(super) struct Feeds {
    engine: Arc<Engine>,
    metrics: Arc<Feed<MetricsPublisher>>,
    changes: Arc<Feed<ChangesPublisher>>,
    open: Arc<AtomicUsize>,
}

/// Counts as one open stream until it is dropped.
struct OpenStream(Arc<AtomicUsize>);

impl Feeds {
    pub(super) fn new(engine: &Arc<Engine>) -> Self {
        Self {
            engine: Arc::clone(engine),
            metrics: Feed::new(MetricsPublisher::new(Arc::clone(engine))),
            changes: Feed::new(ChangesPublisher::new(Arc::clone(engine))),
            open: Arc::default(),
        }
    }

    /// Returns the number of open event streams.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Opens a stream of metrics. If the client reconnects, `last_id` is the id of the last event
    /// that it received.
    pub(super) fn metrics(
        &self,
        last_id: Option<&str>,
    ) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync + use<> {
        let position = last_id.and_then(|id| read_position(&self.engine, id));
        self.counted(self.metrics.bytes(position))
    }

    /// Opens a stream that sends the whole state first, and then only the changes.
    pub(super) fn changes(&self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync + use<> {
        self.counted(self.changes.bytes(()))
    }

    fn counted<S: Stream + Send + Sync>(
        &self,
        events: S,
    ) -> impl Stream<Item = S::Item> + Send + Sync + use<S> {
        let open = OpenStream::new(&self.open);
        events.map(move |event| {
            let _counted = &open;
            event
        })
    }
}

impl OpenStream {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        // Relaxed ordering is enough, because the count is only reported.
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
