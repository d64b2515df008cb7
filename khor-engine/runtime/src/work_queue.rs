//! A bounded queue for work. It limits how many tasks run and how many wait, and rejects further
//! tasks at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A queue for one kind of work.
#[derive(Clone, Debug)]
pub(crate) struct WorkQueue {
    slots: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

/// The permission to run one task. When it is dropped, the next caller in the queue may start.
#[derive(Debug)]
pub(crate) struct WorkPermit {
    _running: OwnedSemaphorePermit,
    _slot: OwnedSemaphorePermit,
}

/// The error for a caller that is rejected because the maximum number of callers already waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("khor is busy with earlier requests of this kind; try again in a few seconds")]
pub struct QueueFull;

impl WorkQueue {
    /// Creates a queue in which at most `running` callers work and at most `waiting` callers wait.
    pub(crate) fn new(running: usize, waiting: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(running + waiting)),
            running: Arc::new(Semaphore::new(running)),
        }
    }

    /// Waits for the caller's turn. Callers are served in the order of their calls. Dropping the
    /// future leaves the queue.
    ///
    /// # Errors
    ///
    /// Fails if the queue is full.
    pub(crate) async fn acquire(&self) -> Result<WorkPermit, QueueFull> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| QueueFull)?;
        // `acquire` cannot fail, because the semaphore is never closed.
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| QueueFull)?;
        Ok(WorkPermit { _running: running, _slot: slot })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, poll};

    use super::*;

    #[tokio::test]
    async fn full_queues_reject_new_callers() {
        let queue = WorkQueue::new(1, 2);
        let first = queue.acquire().await.unwrap();
        let (mut second, mut third) = (Box::pin(queue.acquire()), Box::pin(queue.acquire()));
        assert!(poll!(&mut second).is_pending() && poll!(&mut third).is_pending());
        assert_eq!(queue.acquire().await.unwrap_err(), QueueFull);
        drop(second);
        let mut fourth = Box::pin(queue.acquire());
        assert!(poll!(&mut fourth).is_pending(), "the fourth caller takes the place of the second");
        drop(first);
        let third = third.now_or_never().expect("the third caller is next").unwrap();
        assert!(poll!(&mut fourth).is_pending());
        drop(third);
        assert!(fourth.now_or_never().is_some());
    }
}
