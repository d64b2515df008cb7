//! Shares the answer of slow work between requests. Requests that arrive while the work runs, or
//! shortly after it, get the same answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Mutex, task::JoinError};

/// The last answer of one operation.
pub(super) struct SharedAnswer<A> {
    life: Duration,
    /// The last answer, and the time when its work ended. The lock is held while the work runs.
    last: Arc<Mutex<Option<(Instant, A)>>>,
}

impl<A> Clone for SharedAnswer<A> {
    fn clone(&self) -> Self {
        Self { life: self.life, last: Arc::clone(&self.last) }
    }
}

impl<A: Clone + Send + 'static> SharedAnswer<A> {
    /// Creates an empty store. An answer is valid for `life` after its work has ended.
    pub(super) fn new(life: Duration) -> Self {
        Self { life, last: Arc::default() }
    }

    /// Returns the last answer if it is still valid. Otherwise does the work and returns its
    /// answer. Work that has begun continues even if its request ends. So a client cannot start the
    /// work many times by disconnecting.
    ///
    /// # Errors
    ///
    /// The work panicked.
    pub(super) async fn get(&self, work: impl Future<Output = A> + Send + 'static) -> Result<A, JoinError> {
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if let Some((found, answer)) = &*last
            && found.elapsed() < self.life
        {
            return Ok(answer.clone());
        }
        let working = async move {
            let answer = work.await;
            *last = Some((Instant::now(), answer.clone()));
            answer
        };
        tokio::spawn(working).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    use futures_util::poll;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn shared_work_runs_once() {
        let shared = SharedAnswer::new(Duration::MAX);
        let (begun, go_on) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let work = || {
            let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
            async move {
                begun.fetch_add(1, Relaxed);
                go_on.notified().await;
                7
            }
        };
        let mut first = Box::pin(shared.get(work()));
        let mut second = Box::pin(shared.get(work()));
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
        tokio::task::yield_now().await;
        drop(first);
        go_on.notify_one();
        assert_eq!(second.await.unwrap(), 7);
        assert_eq!(begun.load(Relaxed), 1);
    }

    #[tokio::test]
    async fn answers_expire_and_panics_are_dropped() {
        let brief = SharedAnswer::new(Duration::ZERO);
        assert_eq!(brief.get(async { 1 }).await.unwrap(), 1);
        assert_eq!(brief.get(async { 2 }).await.unwrap(), 2);
        let long = SharedAnswer::new(Duration::MAX);
        assert!(long.get(async { panic!("a request's bug") }).await.is_err());
        assert_eq!(long.get(async { 3 }).await.unwrap(), 3);
        assert_eq!(long.get(async { 4 }).await.unwrap(), 3);
    }
}
