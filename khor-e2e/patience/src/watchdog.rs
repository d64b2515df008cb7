//! Ends the process when it makes no progress.

use std::{
    io::Write,
    process::Command,
    sync::Once,
    thread::{self, ThreadId},
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};

use crate::Patience;

/// Time between two checks whether the process has made no progress for too long.
const LOOK: Duration = Duration::from_millis(500);

static STATE: Mutex<State> = Mutex::new(State { steps: Vec::new(), patience: None });

struct State {
    /// The last reported step of each named thread that still runs. All other threads share one
    /// entry. The step that was reported last is at the end.
    steps: Vec<Step>,
    /// The limit on the time since any thread reported progress; `None` before the first report.
    patience: Option<Patience>,
}

struct Step {
    /// The thread that reported the step; `None` for the main thread and unnamed threads. The step
    /// of a named thread, such as the thread of a test, is removed when the thread ends.
    thread: Option<ThreadId>,
    name: String,
    what: String,
}

/// Reports that `step` begins, which counts as progress. The first call starts a watchdog.
///
/// If no thread reports progress for [`crate::HANG`], the watchdog prints the last step of each
/// thread. Then it kills the children of this process and aborts the process. The watchdog ignores
/// the steps of named threads that have ended. So a test that never reports progress may take any
/// time.
pub fn progress(step: impl Into<String>) {
    static START: Once = Once::new();
    let current = thread::current();
    let named = current.name().filter(|name| *name != "main");
    let thread = named.map(|_| current.id());
    let name = current.name().unwrap_or("a thread").to_owned();
    // This block releases the lock before the code below can panic. A panic can end this thread,
    // and a named thread takes the lock when it ends.
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
        thread::Builder::new().name("watchdog".into()).spawn(watch).expect("starting the watchdog thread");
    });
}

thread_local! {
    /// Each named thread that reports a step creates this value. It is dropped when the thread
    /// ends, which removes the thread's step.
    static ENDING: Ending = Ending(thread::current().id());
}

struct Ending(ThreadId);

impl Drop for Ending {
    fn drop(&mut self) {
        state().steps.retain(|step| step.thread != Some(self.0));
    }
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock()
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
        // Write to `stderr()` directly. The test harness would capture the output of `eprintln!`,
        // and lose it when the process aborts.
        let _ = writeln!(std::io::stderr(), "HUNG: {}: no progress since: {}", step.name, step.what);
    }
    let parent = std::process::id().to_string();
    let _ = Command::new("pkill").args(["-KILL", "-P", &parent]).status();
    std::process::abort()
}
