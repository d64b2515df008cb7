//! Ends the process when it makes no progress.

use std::{
    io::Write,
    process::Command,
    sync::{Mutex, MutexGuard, Once, PoisonError},
    thread::{self, ThreadId},
    time::Duration,
};

use crate::Patience;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);

static STATE: Mutex<State> = Mutex::new(State { steps: Vec::new(), patience: None });

struct State {
    /// The last step of each test that runs, and of everything else together. The newest is last.
    steps: Vec<Step>,
    /// What is left since the last report of any of them.
    patience: Option<Patience>,
}

struct Step {
    /// A named thread is a test's, or works for one, and no longer counts once it has ended.
    thread: Option<ThreadId>,
    name: String,
    what: String,
}

/// Reports progress: `step` begins. If none is reported for [`crate::HANG`], the process prints the last step with its thread,
/// kills its children and aborts. The first call starts the watchdog. A test that has ended is not waited for, so tests that
/// report nothing may take their time.
pub fn progress(step: impl Into<String>) {
    static START: Once = Once::new();
    let current = thread::current();
    let named = current.name().filter(|name| *name != "main");
    let thread = named.map(|_| current.id());
    let name = current.name().unwrap_or("a thread").to_owned();
    // Not `state` any longer than that: a thread that ends in between takes it as well.
    {
        let mut state = state();
        state.steps.retain(|step| step.thread != thread);
        state.steps.push(Step { thread, name, what: step.into() });
        state.patience = Some(Patience::default());
    }
    if thread.is_some() {
        ENDING.with(|_| ());
    }
    START.call_once(|| {
        thread::Builder::new().name("watchdog".into()).spawn(watch).expect("a thread for the watchdog");
    });
}

thread_local! {
    /// Made in each named thread that reports, and dropped as that ends.
    static ENDING: Ending = Ending(thread::current().id());
}

struct Ending(ThreadId);

impl Drop for Ending {
    fn drop(&mut self) {
        state().steps.retain(|step| step.thread != Some(self.0));
    }
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch() {
    loop {
        thread::sleep(LOOK);
        let mut state = state();
        let is_over = state.patience.as_mut().is_some_and(Patience::is_over);
        if is_over && !state.steps.is_empty() {
            give_up(&state.steps);
        }
    }
}

fn give_up(steps: &[Step]) -> ! {
    for step in steps.iter().rev() {
        // Not `eprintln!`: a test harness captures that, and loses it when the process aborts.
        let _ = writeln!(std::io::stderr(), "HUNG: {}: no progress since: {}", step.name, step.what);
    }
    let parent = std::process::id().to_string();
    let _ = Command::new("pkill").args(["-KILL", "-P", &parent]).status();
    std::process::abort()
}
