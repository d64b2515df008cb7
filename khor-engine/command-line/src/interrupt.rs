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

/// Signals this close together count as one request. A terminal and a parent process may both pass
/// on one Ctrl-C. When a terminal closes, both the kernel and the shell send SIGHUP.
const SAME_REQUEST_WINDOW: Duration = Duration::from_millis(500);
/// Exit code after a second request, which ends the process at once.
const FORCED_EXIT_CODE: i32 = 130;

/// Becomes true when the user wants the command to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Starts to handle signals. The second request ends the process at once.
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

    /// The user wants the command to end.
    pub fn is_raised(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Waits for SIGINT, SIGTERM or SIGHUP. These signals stop ending the process when this function is
/// called, not only when its future is awaited.
///
/// A SIGHUP that is ignored at the start stays ignored, as `nohup` requires.
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

/// Ends the process at the next signal, except those that belong to the first request.
pub async fn exit_at_next() {
    tokio::time::sleep(SAME_REQUEST_WINDOW).await;
    if wait().await.is_ok() {
        std::process::exit(FORCED_EXIT_CODE);
    }
}

fn hangup_is_ignored() -> bool {
    let mut now = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: with a null action the call only queries. On success the kernel initializes `now`.
    unsafe {
        libc::sigaction(libc::SIGHUP, ptr::null(), now.as_mut_ptr()) == 0
            && now.assume_init().sa_sigaction == libc::SIG_IGN
    }
}
