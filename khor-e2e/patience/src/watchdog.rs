//! Ends the process when it makes no progress.

use std::{
    io::Write,
    process::Command,
    sync::{Mutex, Once, PoisonError},
    thread,
    time::Duration,
};

use crate::Patience;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// The last progress: its description, and what is left of the patience since.
static LAST: Mutex<Option<Last>> = Mutex::new(None);

struct Last {
    /// The thread's name, which in a test is the test's.
    thread: String,
    step: String,
    patience: Patience,
}

/// Reports progress: `step` begins. If none is reported for [`crate::HANG`], the process prints the last step with its thread,
/// kills its children and aborts. The first call starts the watchdog.
pub fn progress(step: impl Into<String>) {
    static START: Once = Once::new();
    let thread = thread::current().name().unwrap_or("a thread").to_owned();
    let last = Last { thread, step: step.into(), patience: Patience::default() };
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    START.call_once(|| {
        thread::Builder::new().name("watchdog".into()).spawn(watch).expect("a thread for the watchdog");
    });
}

fn watch() {
    loop {
        thread::sleep(LOOK);
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.as_mut()
            && last.patience.is_over()
        {
            give_up(last);
        }
    }
}

fn give_up(last: &Last) -> ! {
    // Not `eprintln!`: a test harness captures that, and loses it when the process aborts.
    let _ = writeln!(std::io::stderr(), "HUNG: {}: no progress since: {}", last.thread, last.step);
    let parent = std::process::id().to_string();
    let _ = Command::new("pkill").args(["-KILL", "-P", &parent]).status();
    std::process::abort()
}
