//! Ctrl-C and SIGTERM for commands that work in a loop: a flag instead of a sudden end.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use tokio::signal::unix::{SignalKind, signal};

/// Becomes true when the user wants the command to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Starts to listen. The second signal ends the process as usual.
    pub(super) fn listen() -> anyhow::Result<Self> {
        let interrupt = Self::default();
        let flag = Arc::clone(&interrupt.0);
        std::thread::Builder::new().name("khor-signals".into()).spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else {
                return;
            };
            runtime.block_on(async {
                if wait().await.is_ok() {
                    flag.store(true, Relaxed);
                }
                if wait().await.is_ok() {
                    std::process::exit(130);
                }
            });
        })?;
        Ok(interrupt)
    }

    /// The user wants the command to end.
    pub(super) fn is_raised(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Waits for SIGINT or SIGTERM. They no longer end the process from the call on, not only once it is awaited.
pub(super) fn wait() -> impl Future<Output = std::io::Result<()>> {
    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    async {
        let (mut interrupt, mut terminate) = (interrupt?, terminate?);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    }
}
