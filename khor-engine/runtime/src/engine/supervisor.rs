//! Ends the run when a capture is over, or when an essential part fails.
//!
//! Tasks are watched by their handles, and threads by the panic hook, because nothing joins them. A
//! single request or file access may fail; its caller gets the error and the run goes on.

use std::{panic, thread};

use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle},
};

/// Threads whose panic does not stop the engine. Runtime tasks report their error to the task that
/// awaits them. The priority and DNS threads only supply a value; health shows it as missing. A
/// thread that ends a stream has nothing left to do. A failed render is an error of its request.
const MAY_FAIL: [&str; 6] =
    ["khor-io", "khor-priority", "khor-osc-name", "khor-audio-end", "khor-file", "khor-render"];

/// Why a run ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The capture is over.
    Finished,
    /// A part failed. The text names the part and the cause.
    Failed(String),
}

/// Watches the parts of a run. It keeps the first failure, even after a capture has finished.
#[derive(Clone, Debug, Default)]
pub struct Supervisor(watch::Sender<Option<EndReason>>);

impl Supervisor {
    /// Ends the run when an essential thread of this process panics. The previous panic hook still
    /// runs.
    pub fn watch_threads(&self) {
        let (supervisor, previous_hook) = (self.clone(), panic::take_hook());
        panic::set_hook(Box::new(move |panic| {
            previous_hook(panic);
            if let Some(name) = thread::current().name().filter(|name| is_essential(name)) {
                let message = panic.payload_as_str().unwrap_or("a panic");
                supervisor
                    .report(EndReason::Failed(format!("the thread {name} failed inside khor: {message}")));
            }
        }));
    }

    /// Runs `work` as a task whose panic ends the run. The handle is ready when it is reported.
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

    /// Runs a source and the signal task, which end together. `can_finish` says whether that is a
    /// regular end. Otherwise it is a failure, unless `may_end` returns true.
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
                Err(problem) => supervisor.failed("hearing the source", &problem),
                Ok(_) if can_finish => supervisor.report(EndReason::Finished),
                Ok(_) if may_end() => {}
                Ok(_) => {
                    supervisor.report(EndReason::Failed("the source ended before it was told to".into()));
                }
            }
        });
    }

    /// Why the run ended, if it has.
    pub fn end_reason(&self) -> Option<EndReason> {
        self.0.borrow().clone()
    }

    /// Waits until the run ends by itself.
    pub async fn wait(&self) -> EndReason {
        let mut changes = self.0.subscribe();
        loop {
            let ended = changes.borrow_and_update().clone();
            match ended {
                Some(ended) => return ended,
                // `self` holds the sender, so this cannot fail.
                None => drop(changes.changed().await),
            }
        }
    }

    /// Reports a panic. A task that the runtime cancelled has not failed.
    fn failed(&self, part: &str, problem: &JoinError) {
        if problem.is_panic() {
            self.report(EndReason::Failed(format!("{part} failed inside khor: {problem}")));
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

/// Whether khor needs the thread of this name. The threads of the sound backend have other names;
/// the supervisor of the sound stream notices when they end.
fn is_essential(thread: &str) -> bool {
    thread.starts_with("khor-") && !MAY_FAIL.contains(&thread)
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use tokio::{sync::mpsc, time::timeout};

    use super::*;

    async fn ended(supervisor: &Supervisor) -> Option<EndReason> {
        Some(timeout(khor_patience::hang_timeout(), supervisor.wait()).await.expect("an end"))
    }

    async fn keeps_running(supervisor: &Supervisor) -> bool {
        timeout(Duration::from_millis(300), supervisor.wait()).await.is_err()
    }

    fn assert_failed(ended: Option<EndReason>, text: &str) {
        assert!(matches!(&ended, Some(EndReason::Failed(why)) if why.contains(text)), "{ended:?}");
    }

    /// A source that sends until nobody receives.
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
            let listener = async move {
                receiver.recv().await;
                panic!("a listener's bug");
            };
            supervisor.spawn_source(source, listener, true, || false);
            assert_failed(ended(&supervisor).await, "a listener's bug");
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
        assert_failed(ended(&end(false, false)).await, "before it was told to");
        assert!(keeps_running(&end(false, true)).await);
    }

    #[tokio::test]
    async fn the_first_failed_part_is_reported() {
        let supervisor = Supervisor::default();
        supervisor.spawn("the page", async { panic!("a page's bug") }).await.unwrap();
        supervisor.spawn("another", async { panic!("of no interest") }).await.unwrap();
        assert_failed(ended(&supervisor).await, "the page failed inside khor");
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
        // A request that fails away from the event loop.
        assert!(tokio::task::spawn_blocking(|| panic!("a request's bug")).await.is_err());
        assert_eq!(supervisor.end_reason(), None);
        fail("khor-midi");
        assert_eq!(
            ended(&supervisor).await,
            Some(EndReason::Failed("the thread khor-midi failed inside khor: a thread's bug".into()))
        );
    }
}
