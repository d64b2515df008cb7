//! Runs the blocking work of requests in separate threads, so that the work does not block the
//! event loop.
//!
//! The process has few threads for blocking work, and tokio's queue for them has no limit. So each
//! kind of work has its own bounded queue. A request that ends while it waits leaves the queue.
//! Renders have their own queue and thread ([`ClipRenderer`](crate::engine::ClipRenderer)).

use std::sync::LazyLock;

use tracing::error;
use warp::http::StatusCode;

use super::reply::Failure;
use crate::work_queue::WorkQueue;

/// The queue of operations that wait for the disk or the sound server. Each operation ends within a
/// few seconds.
static OPERATIONS: LazyLock<WorkQueue> = LazyLock::new(|| WorkQueue::new(3, 32));
/// The queue for files of the page, pieces of recordings, and compression. The queue is never full,
/// because it has room for one entry from each connection that the listener accepts.
static DELIVERIES: LazyLock<WorkQueue> = LazyLock::new(|| WorkQueue::new(2, 512));

/// Runs an operation in a blocking thread. Fails with 503 if too many operations wait.
pub(super) async fn operate<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    run(&OPERATIONS, work).await
}

/// Prepares a part of an answer in a blocking thread.
pub(super) async fn deliver<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    run(&DELIVERIES, work).await
}

/// Waits in the queue and runs `work`. If the request ends earlier, `work` still runs to its end.
/// Only then may the next work of the queue start.
async fn run<T: Send + 'static>(
    queue: &WorkQueue,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let permit = queue.acquire().await.map_err(|full| Failure::new(StatusCode::SERVICE_UNAVAILABLE, full))?;
    let working = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    });
    working.await.map_err(|problem| failed(&problem))
}

/// Logs a bug in khor, and returns the answer for the client.
pub(super) fn failed(problem: &impl std::fmt::Display) -> Failure {
    error!("a bug in khor ended a request: {problem}");
    let message = "a bug in khor ended the request; see khor's log";
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, message)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn full_queues_answer_503() {
        let queue = WorkQueue::new(1, 1);
        let (release, released) = mpsc::channel::<()>();
        let mut first = Box::pin(run(&queue, move || released.recv().is_ok()));
        assert!(poll!(&mut first).is_pending());
        let mut second = Box::pin(run(&queue, || panic!("the work of an ended request must not run")));
        assert!(poll!(&mut second).is_pending());
        let refused = run(&queue, || ()).await.err().map(|failure| failure.status());
        assert_eq!(refused, Some(StatusCode::SERVICE_UNAVAILABLE));
        drop(second);
        release.send(()).unwrap();
        assert!(first.await.is_ok_and(|is_released| is_released));
        assert!(run(&queue, || ()).await.is_ok());
    }

    #[tokio::test]
    async fn panicking_work_answers_500() {
        let queue = WorkQueue::new(1, 0);
        let failed = run(&queue, || panic!("a request's bug")).await.err().map(|failure| failure.status());
        assert_eq!(failed, Some(StatusCode::INTERNAL_SERVER_ERROR));
        assert!(run(&queue, || ()).await.is_ok());
    }
}
