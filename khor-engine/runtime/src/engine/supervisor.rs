//! Ends the engine's run when its capture ends, or when an essential part panics.
//!
//! The supervisor watches a task through its join handle. It watches threads through the panic
//! hook, because no code waits for their end. A request or a file access that panics does not end
//! the run, because its caller gets the error.

use std::{panic, thread};

use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle},
};

/// Threads whose panic does not end the run. Tasks on `khor-io` report a panic to the task that
/// awaits them. `khor-priority`, `khor-osc-name` and `khor-file` only supply a value, and the
/// engine runs without this value. `khor-audio-end` only closes a sound stream. After a panic in
/// `khor-render`, only the request that it renders fails.
const MAY_FAIL: [&str; 6] =
    ["khor-io", "khor-priority", "khor-osc-name", "khor-audio-end", "khor-file", "khor-render"];

/// Why the engine's run ended by itself, without a request to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The capture has ended.
    Finished,
    /// A part failed. The text names the part and the cause.
    Failed(String),
}

/// Watches the parts of a run, and stores why the run ended. A failure replaces
/// [`EndReason::Finished`]. Later failures do not replace the first one.
#[derive(Clone, Debug, Default)]
pub struct Supervisor(watch::Sender<Option<EndReason>>);

impl Supervisor {
    /// Ends the run when an essential thread of this process panics. The previously installed panic
    /// hook still runs.
    pub fn watch_threads(&self) {
        let (supervisor, previous_hook) = (self.clone(), panic::take_hook());
        panic::set_hook(Box::new(move |panic| {
            previous_hook(panic);
            if let Some(name) = thread::current().name().filter(|name| is_essential(name)) {
                let message = panic.payload_as_str().unwrap_or("a panic");
                supervisor
                    .report(EndReason::Failed(format!("a bug in khor ended the thread {name}: {message}")));
            }
        }));
    }

    /// Runs `work` as a task whose panic ends the run. The returned handle completes when the task
    /// has ended and a panic has been reported.
    pub fn spawn(
        &self,
        part: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let (supervisor, task) = (self.clone(), tokio::spawn(work));
        tokio::spawn(async move {
            if let Err(problem) = task.await {
                supervisor.failed(part, &problem);
            }
        })
    }

    /// Runs a source and the signal task, which end together. If `can_finish` is true, the source
    /// is a capture, and its end finishes the run. Otherwise the end of the source is a failure,
    /// unless `may_end` returns true.
    pub(super) fn spawn_source(
        &self,
        source: impl Future<Output = ()> + Send + 'static,
        signal_task: impl Future<Output = ()> + Send + 'static,
        can_finish: bool,
        may_end: impl Fn() -> bool + Send + 'static,
    ) {
        let (source, signal_task) = (tokio::spawn(source), tokio::spawn(signal_task));
        let supervisor = self.clone();
        tokio::spawn(async move {
            match tokio::try_join!(source, signal_task) {
                Err(problem) => supervisor.failed("the source", &problem),
                Ok(_) if can_finish => supervisor.report(EndReason::Finished),
                Ok(_) if may_end() => {}
                Ok(_) => {
                    supervisor.report(EndReason::Failed("the source ended unexpectedly".into()));
                }
            }
        });
    }

    /// Why the run ended. `None` while it continues.
    pub fn end_reason(&self) -> Option<EndReason> {
        self.0.borrow().clone()
    }

    /// Waits until the run ends by itself, because the capture has ended or a part has failed.
    pub async fn wait(&self) -> EndReason {
        let mut changes = self.0.subscribe();
        loop {
            let ended = changes.borrow_and_update().clone();
            match ended {
                Some(ended) => return ended,
                // Waiting cannot fail, because `self` holds the sender.
                None => drop(changes.changed().await),
            }
        }
    }

    /// Reports the panic of a task. Ignores a task that the runtime has cancelled.
    fn failed(&self, part: &str, problem: &JoinError) {
        if problem.is_panic() {
            self.report(EndReason::Failed(format!("a bug in khor ended {part}: {problem}")));
        }
    }

    fn report(&self, ended: EndReason) {
        self.0.send_if_modified(|held| {
            let is_first = !matches!(held, Some(EndReason::Failed(_)));
            if is_first {
                *held = Some(ended);
            }
            is_first
        });
    }
}

/// Returns whether a panic of this thread ends the run. Threads of the sound backend have other
/// names and are not essential: `khor-audio` notices that they end, and reopens the stream.
fn is_essential(thread: &str) -> bool {
    thread.starts_with("khor-") && !MAY_FAIL.contains(&thread)
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use tokio::{sync::mpsc, time::timeout};

    use super::*;

    async fn ended(supervisor: &Supervisor) -> Option<EndReason> {
        Some(timeout(khor_patience::hang_timeout(), supervisor.wait()).await.expect("the run ends"))
    }

    async fn keeps_running(supervisor: &Supervisor) -> bool {
        timeout(Duration::from_millis(300), supervisor.wait()).await.is_err()
    }

    fn assert_failed(ended: Option<EndReason>, text: &str) {
        assert!(matches!(&ended, Some(EndReason::Failed(why)) if why.contains(text)), "{ended:?}");
    }

    /// A source that sends until its receiver is dropped.
    async fn send_all(sender: mpsc::Sender<()>) {
        while sender.send(()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_panicking_source_fails_the_run() {
        let (supervisor, (sender, mut receiver)) = (Supervisor::default(), mpsc::channel::<()>(1));
        let source = async move {
            let _sender = sender;
            panic!("a source's bug");
        };
        supervisor.spawn_source(
            source,
            async move { while receiver.recv().await.is_some() {} },
            true,
            || false,
        );
        assert_failed(ended(&supervisor).await, "a source's bug");
    }

    #[tokio::test]
    async fn a_panicking_signal_task_fails_the_run() {
        for waits in [false, true] {
            let (supervisor, (sender, mut receiver)) = (Supervisor::default(), mpsc::channel(1));
            let source = async move {
                send_all(sender).await;
                if waits {
                    pending::<()>().await;
                }
            };
            let signal_task = async move {
                receiver.recv().await;
                panic!("a signal task's bug");
            };
            supervisor.spawn_source(source, signal_task, true, || false);
            assert_failed(ended(&supervisor).await, "a signal task's bug");
        }
    }

    #[tokio::test]
    async fn only_captures_finish_by_themselves() {
        let end = |can_finish, may_end: bool| {
            let supervisor = Supervisor::default();
            supervisor.spawn_source(async {}, async {}, can_finish, move || may_end);
            supervisor
        };
        assert_eq!(ended(&end(true, false)).await, Some(EndReason::Finished));
        assert_failed(ended(&end(false, false)).await, "ended unexpectedly");
        assert!(keeps_running(&end(false, true)).await);
    }

    #[tokio::test]
    async fn the_first_failed_part_is_reported() {
        let supervisor = Supervisor::default();
        supervisor.spawn("the page", async { panic!("a page's bug") }).await.unwrap();
        supervisor.spawn("another", async { panic!("a later bug") }).await.unwrap();
        assert_failed(ended(&supervisor).await, "a bug in khor ended the page");
        assert_failed(supervisor.end_reason(), "a page's bug");
    }

    #[tokio::test]
    async fn only_essential_threads_end_the_run() {
        let supervisor = Supervisor::default();
        supervisor.watch_threads();
        let fail = |name: &str| {
            let failing = thread::Builder::new().name(name.into()).spawn(|| panic!("a thread's bug"));
            assert!(failing.unwrap().join().is_err());
        };
        ["khor-io", "khor-priority", "khor-osc-name", "cpal_alsa_out"].into_iter().for_each(fail);
        assert_eq!(supervisor.end_reason(), None);
        // A panic in a request does not end the run. The request runs in a thread of the runtime.
        assert!(tokio::task::spawn_blocking(|| panic!("a request's bug")).await.is_err());
        assert_eq!(supervisor.end_reason(), None);
        fail("khor-midi");
        assert_eq!(
            ended(&supervisor).await,
            Some(EndReason::Failed("a bug in khor ended the thread khor-midi: a thread's bug".into()))
        );
    }
}
