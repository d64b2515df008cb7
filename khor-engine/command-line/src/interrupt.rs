//! Handles the signals that end a command cleanly: Ctrl-C, SIGTERM and SIGHUP.

use std::{
    mem::MaybeUninit,
    ptr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

use nix::libc;
use tokio::signal::unix::{SignalKind, signal};

/// Signals within this time count as one request. After one Ctrl-C, the terminal and a parent
/// process may both send a signal. When a terminal closes, the kernel and the shell both send
/// SIGHUP.
const SAME_REQUEST_WINDOW: Duration = Duration::from_millis(500);
/// Exit code after a second request, which ends the process immediately.
const FORCED_EXIT_CODE: i32 = 130;

/// A flag that khor raises when a signal requests the end of the command.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Starts a thread that waits for SIGINT, SIGTERM and SIGHUP. The first request to end raises
    /// the flag. The second one ends the process.
    pub fn install() -> anyhow::Result<Self> {
        let interrupt = Self::default();
        let flag = Arc::clone(&interrupt.0);
        std::thread::Builder::new().name("khor-signals".into()).spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            runtime.block_on(async {
                if wait().await.is_ok() {
                    flag.store(true, Relaxed);
                }
                exit_at_next().await;
            });
        })?;
        Ok(interrupt)
    }

    /// Whether a signal has requested the end of the command.
    pub fn is_raised(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Waits for SIGINT, SIGTERM or SIGHUP. As soon as this function is called, these signals no longer
/// end the process, even if the caller has not awaited the future yet.
///
/// If the parent process made this process ignore SIGHUP, as `nohup` does, SIGHUP stays ignored.
pub fn wait() -> impl Future<Output = std::io::Result<()>> {
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    if !hangup_is_ignored() {
        kinds.push(SignalKind::hangup());
    }
    let signals: std::io::Result<Vec<_>> = kinds.into_iter().map(signal).collect();
    async {
        let mut signals = signals?;
        std::future::poll_fn(|context| {
            let arrived = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if arrived { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        Ok(())
    }
}

/// Ends the process at the next signal that does not belong to the first request.
pub async fn exit_at_next() {
    tokio::time::sleep(SAME_REQUEST_WINDOW).await;
    if wait().await.is_ok() {
        std::process::exit(FORCED_EXIT_CODE);
    }
}

fn hangup_is_ignored() -> bool {
    let mut now = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: with a null action, the call only reads the current action. On success, the kernel
    // initializes `now`.
    unsafe {
        libc::sigaction(libc::SIGHUP, ptr::null(), now.as_mut_ptr()) == 0
            && now.assume_init().sa_sigaction == libc::SIG_IGN
    }
}
