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
pub enum Ended {
    /// The capture is over.
    Over,
    /// A part failed; which, and why.
    Failed(String),
}

/// Where it is told that a run has ended by itself. The first failure is believed, also of what is over.
#[derive(Clone, Debug, Default)]
pub struct Ending(watch::Sender<Option<Ended>>);

impl Ending {
    /// Has every panic of a thread that khor can't do without end the run, from now on and for all of the process. What
    /// panics are told by stays as it is.
    pub fn follow_threads(&self) {
        let (ending, tell) = (self.clone(), panic::take_hook());
        panic::set_hook(Box::new(move |panic| {
            tell(panic);
            if let Some(name) = thread::current().name().filter(|name| is_needed(name)) {
                let said = panic.payload_as_str().unwrap_or("a panic");
                ending.tell(Ended::Failed(format!("the thread {name} failed inside khor: {said}")));
            }
        }));
    }

    /// Does `work` as a task whose panic ends the run; the handle is ready when that is told.
    pub fn follow(
        &self,
        part: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let (ending, task) = (self.clone(), tokio::spawn(work));
        tokio::spawn(async move {
            if let Err(problem) = task.await {
                ending.failed(part, &problem);
            }
        })
    }

    /// The same for a source and for who listens to it, of which each ends with the other: to be called with whether that
    /// can be `over`, and with what says whether it `was_told` to end.
    pub(super) fn follow_source(
        &self,
        source: impl Future<Output = ()> + Send + 'static,
        listener: impl Future<Output = ()> + Send + 'static,
        can_be_over: bool,
        was_told: impl Fn() -> bool + Send + 'static,
    ) {
        let (source, listener) = (tokio::spawn(source), tokio::spawn(listener));
        let ending = self.clone();
        tokio::spawn(async move {
            match tokio::try_join!(source, listener) {
                Err(problem) => ending.failed("hearing the source", &problem),
                Ok(_) if can_be_over => ending.tell(Ended::Over),
                Ok(_) if was_told() => {}
                Ok(_) => ending.tell(Ended::Failed("the source ended before it was told to".into())),
            }
        });
    }

    /// How the run ended, if it has.
    pub fn told(&self) -> Option<Ended> {
        self.0.borrow().clone()
    }

    /// Waits until the run ends by itself, and says how.
    pub async fn ended(&self) -> Ended {
        let mut told = self.0.subscribe();
        loop {
            let ended = told.borrow_and_update().clone();
            match ended {
                Some(ended) => return ended,
                // The sender is here, so it can't be gone.
                None => drop(told.changed().await),
            }
        }
    }

    /// A task that was ended with the runtime has not failed.
    fn failed(&self, part: &str, problem: &JoinError) {
        if problem.is_panic() {
            self.tell(Ended::Failed(format!("{part} failed inside khor: {problem}")));
        }
    }

    fn tell(&self, ended: Ended) {
        self.0.send_if_modified(|told| {
            let is_news = !matches!(told, Some(Ended::Failed(_)));
            if is_news {
                *told = Some(ended);
            }
            is_news
        });
    }
}

/// Whether khor can't do without the thread of this name. Of the backend's, which have other names, the supervisor of the
/// sound notices that they are gone.
fn is_needed(thread: &str) -> bool {
    thread.starts_with("khor-") && !MAY_FAIL.contains(&thread)
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use tokio::{sync::mpsc, time::timeout};

    use super::*;

    async fn ended(ending: &Ending) -> Option<Ended> {
        Some(timeout(khor_patience::hang_timeout(), ending.ended()).await.expect("an end"))
    }

    async fn goes_on(ending: &Ending) -> bool {
        timeout(Duration::from_millis(300), ending.ended()).await.is_err()
    }

    fn assert_failed(ended: Option<Ended>, words: &str) {
        assert!(matches!(&ended, Some(Ended::Failed(why)) if why.contains(words)), "{ended:?}");
    }

    /// A source of nothing that goes on until nobody listens.
    async fn speak(sender: mpsc::Sender<()>) {
        while sender.send(()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_source_that_panics_fails_though_its_listener_ends_in_order() {
        let (ending, (sender, mut receiver)) = (Ending::default(), mpsc::channel::<()>(1));
        let source = async move {
            let _sender = sender;
            panic!("a source's bug");
        };
        ending.follow_source(source, async move { while receiver.recv().await.is_some() {} }, true, || false);
        assert_failed(ended(&ending).await, "a source's bug");
    }

    #[tokio::test]
    async fn a_listener_that_panics_fails_whether_its_source_ends_or_waits() {
        for waits in [false, true] {
            let (ending, (sender, mut receiver)) = (Ending::default(), mpsc::channel(1));
            let source = async move {
                speak(sender).await;
                if waits {
                    pending::<()>().await;
                }
            };
            let listener = async move {
                receiver.recv().await;
                panic!("a listener's bug");
            };
            ending.follow_source(source, listener, true, || false);
            assert_failed(ended(&ending).await, "a listener's bug");
        }
    }

    #[tokio::test]
    async fn only_a_capture_is_over_in_order_and_who_is_told_to_end_may() {
        let end = |can_be_over, was_told: bool| {
            let ending = Ending::default();
            ending.follow_source(async {}, async {}, can_be_over, move || was_told);
            ending
        };
        assert_eq!(ended(&end(true, false)).await, Some(Ended::Over));
        assert_failed(ended(&end(false, false)).await, "before it was told to");
        assert!(goes_on(&end(false, true)).await);
    }

    #[tokio::test]
    async fn a_part_that_fails_is_named_and_the_first_is_believed() {
        let ending = Ending::default();
        ending.follow("the page", async { panic!("a page's bug") }).await.unwrap();
        ending.follow("another", async { panic!("of no interest") }).await.unwrap();
        assert_failed(ended(&ending).await, "the page failed inside khor");
        assert_failed(ending.told(), "a page's bug");
    }

    #[tokio::test]
    async fn a_thread_that_khor_needs_ends_the_run_and_others_do_not() {
        let ending = Ending::default();
        ending.follow_threads();
        let fail = |name: &str| {
            let failing = thread::Builder::new().name(name.into()).spawn(|| panic!("a thread's bug"));
            assert!(failing.unwrap().join().is_err());
        };
        ["khor-io", "khor-priority", "khor-osc-name", "cpal_alsa_out"].into_iter().for_each(fail);
        assert_eq!(ending.told(), None);
        // A request that fails away from the event loop.
        assert!(tokio::task::spawn_blocking(|| panic!("a request's bug")).await.is_err());
        assert_eq!(ending.told(), None);
        fail("khor-midi");
        assert_eq!(
            ended(&ending).await,
            Some(Ended::Failed("the thread khor-midi failed inside khor: a thread's bug".into()))
        );
    }
}
