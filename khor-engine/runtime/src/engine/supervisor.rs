//! How a run ends that nobody ended: a capture is over, or a part has failed that is to go on as long as khor does.
//!
//! Tasks are watched by their handles, threads by the hook of panics: nobody joins them. One request, or a look at a
//! file, may fail by itself; its task is told of that and is no such part.

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

/// How a run ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The capture is over.
    Finished,
    /// A part failed; which, and why.
    Failed(String),
}

/// Where it is told that a run has ended by itself. The first failure is believed, also of what is over.
#[derive(Clone, Debug, Default)]
pub struct Supervisor(watch::Sender<Option<EndReason>>);

impl Supervisor {
    /// Has every panic of a thread that khor can't do without end the run, from now on and for all of the process. What
    /// panics are told by stays as it is.
    pub fn watch_threads(&self) {
        let (supervisor, previous_hook) = (self.clone(), panic::take_hook());
        panic::set_hook(Box::new(move |panic| {
            previous_hook(panic);
            if let Some(name) = thread::current().name().filter(|name| is_essential(name)) {
                let said = panic.payload_as_str().unwrap_or("a panic");
                supervisor.report(EndReason::Failed(format!("the thread {name} failed inside khor: {said}")));
            }
        }));
    }

    /// Does `work` as a task whose panic ends the run; the handle is ready when that is told.
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

    /// The same for a source and for who listens to it, of which each ends with the other: to be called with whether that
    /// can be `over`, and with what says whether it `was_told` to end.
    pub(super) fn spawn_source(
        &self,
        source: impl Future<Output = ()> + Send + 'static,
        listener: impl Future<Output = ()> + Send + 'static,
        can_finish: bool,
        may_end: impl Fn() -> bool + Send + 'static,
    ) {
        let (source, listener) = (tokio::spawn(source), tokio::spawn(listener));
        let supervisor = self.clone();
        tokio::spawn(async move {
            match tokio::try_join!(source, listener) {
                Err(problem) => supervisor.failed("hearing the source", &problem),
                Ok(_) if can_finish => supervisor.report(EndReason::Finished),
                Ok(_) if may_end() => {}
                Ok(_) => {
                    supervisor.report(EndReason::Failed("the source ended before it was told to".into()))
                }
            }
        });
    }

    /// How the run ended, if it has.
    pub fn end_reason(&self) -> Option<EndReason> {
        self.0.borrow().clone()
    }

    /// Waits until the run ends by itself, and says how.
    pub async fn wait(&self) -> EndReason {
        let mut changes = self.0.subscribe();
        loop {
            let ended = changes.borrow_and_update().clone();
            match ended {
                Some(ended) => return ended,
                // The sender is here, so it can't be gone.
                None => drop(changes.changed().await),
            }
        }
    }

    /// A task that was ended with the runtime has not failed.
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

/// Whether khor can't do without the thread of this name. Of the backend's, which have other names, the supervisor of the
/// sound notices that they are gone.
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

    fn assert_failed(ended: Option<EndReason>, words: &str) {
        assert!(matches!(&ended, Some(EndReason::Failed(why)) if why.contains(words)), "{ended:?}");
    }

    /// A source of nothing that goes on until nobody listens.
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
