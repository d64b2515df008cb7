//! Requests real-time priority for the thread that plays: from the kernel, then from rtkit. The
//! thread loses the priority if it uses too much processor time.
//!
//! A thread with real-time priority runs before all normal threads. An overloaded synth would
//! therefore freeze a machine with one processor. So the kernel sends a signal once the thread has
//! worked for [`RLIMIT_RTTIME`](Resource::RLIMIT_RTTIME) without a pause. The signal's handler
//! turns the thread into a normal one again.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use khor_api::{Granter, Priority, Trouble};
use nix::{
    errno::Errno,
    libc,
    sys::{
        resource::{Resource, getrlimit, setrlimit},
        signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction},
    },
};
use parking_lot::Mutex;
use tracing::{debug, info};
use zbus::proxy::CacheProperties;

/// The requested priority: above all normal threads, and below the data thread of PipeWire (88).
const PRIORITY: i32 = 10;
/// The sound thread loses its real-time priority after it has worked this long without a pause, µs.
/// rtkit accepts at most 200 ms.
const LONGEST_RUN_US: u64 = 100_000;
/// The kernel kills the process after the sound thread has worked this long without a pause, µs.
/// This happens only if the thread kept its priority although the kernel sent the signal after
/// [`LONGEST_RUN_US`].
const LONGEST_RUN_HARD_US: u64 = 200_000;
/// Maximum time that khor waits for rtkit's answer.
const BUS_PATIENCE: Duration = Duration::from_secs(3);

/// Id of the thread that has real-time priority; 0 if no thread has it. The signal handler
/// [`drop_priority`] reads and resets it.
static PROMOTED: AtomicI32 = AtomicI32::new(0);

/// A request for real-time priority, whose answer may not have arrived yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Promotion(Arc<Mutex<Option<Priority>>>);

impl Promotion {
    /// Requests the priority for the thread `tid` of this process. Does not wait for the answer,
    /// because D-Bus may hang.
    pub(super) fn ask(tid: i32) -> Self {
        let promotion = Self::default();
        let answer = promotion.clone();
        let started = thread::Builder::new().name("khor-priority".into()).spawn(move || {
            let priority = promote(tid);
            match (&priority.trouble, priority.granted_by) {
                (Some(trouble), _) => debug!("sound: no real-time priority: {}", trouble.error),
                (None, Some(Granter::Limits)) => {
                    info!("sound: the thread has real-time priority, allowed by this process's limits");
                }
                (None, Some(Granter::Rtkit)) => {
                    info!("sound: the thread has real-time priority, granted by rtkit");
                }
                (None, None) => {}
            }
            *answer.0.lock() = Some(priority);
        });
        if let Err(error) = started {
            *promotion.0.lock() = Some(denied(Trouble::without_fix(error.to_string())));
        }
        promotion
    }

    /// The answer to the request; `None` until it has arrived.
    pub(super) fn answer(&self) -> Option<Priority> {
        let granted = self.0.lock().clone()?;
        if granted.real_time && PROMOTED.load(Relaxed) == 0 {
            return Some(denied(Trouble::new(
                "the sound thread kept a processor busy and lost its real-time priority",
                "reduce the processor load; khor requests the priority again for the next stream",
            )));
        }
        Some(granted)
    }
}

fn promote(tid: i32) -> Priority {
    if let Err(error) = protect() {
        return denied(Trouble::without_fix(format!("cannot set the limit RLIMIT_RTTIME: {error}")));
    }
    PROMOTED.store(tid, Relaxed);
    let kernel_error = match schedule(tid, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, PRIORITY) {
        Ok(()) => return granted(Granter::Limits),
        Err(error) => error,
    };
    match ask_rtkit(tid) {
        Ok(()) => granted(Granter::Rtkit),
        Err(error) => {
            PROMOTED.store(0, Relaxed);
            denied(Trouble::new(
                format!("the kernel: {kernel_error}; rtkit: {error}"),
                "install rtkit, or add `@audio - rtprio 20` to a file in /etc/security/limits.d",
            ))
        }
    }
}

fn granted(by: Granter) -> Priority {
    Priority { real_time: true, granted_by: Some(by), trouble: None }
}

/// Builds the answer to a request that was denied. `trouble` is the reason.
fn denied(trouble: Trouble) -> Priority {
    Priority { real_time: false, granted_by: None, trouble: Some(trouble) }
}

/// Limits how long a real-time thread of this process may work without a pause.
fn protect() -> Result<(), Errno> {
    let overrun = SigAction::new(SigHandler::Handler(drop_priority), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: `drop_priority` only reads and writes an atomic and makes one system call.
    unsafe { sigaction(Signal::SIGXCPU, &overrun) }?;
    let (_, hard_us) = getrlimit(Resource::RLIMIT_RTTIME)?;
    let hard_us = hard_us.min(LONGEST_RUN_HARD_US);
    setrlimit(Resource::RLIMIT_RTTIME, LONGEST_RUN_US.min(hard_us), hard_us)
}

/// Handles the signal that the kernel sends after a thread has worked too long without a pause:
/// turns the real-time thread into a normal thread.
extern "C" fn drop_priority(_signal: libc::c_int) {
    let tid = PROMOTED.swap(0, Relaxed);
    if tid != 0 {
        // This fails only if the thread has ended.
        let _ = schedule(tid, libc::SCHED_OTHER, 0);
    }
}

/// Sets the scheduling policy and the priority of a thread. Async-signal-safe.
fn schedule(tid: i32, policy: libc::c_int, priority: i32) -> Result<(), Errno> {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: `parameters` lives until the call returns. If the thread or the policy is invalid,
    // the call only returns an error.
    Errno::result(unsafe { libc::sched_setscheduler(tid, policy, &raw const parameters) }).map(drop)
}

/// The D-Bus interface of rtkit (<https://gitlab.freedesktop.org/pipewire/rtkit>). Debian, Fedora
/// and Arch start rtkit on demand.
#[zbus::proxy(
    interface = "org.freedesktop.RealtimeKit1",
    default_service = "org.freedesktop.RealtimeKit1",
    default_path = "/org/freedesktop/RealtimeKit1"
)]
trait RealtimeKit {
    #[zbus(name = "MakeThreadRealtimeWithPID")]
    fn make_thread_realtime_with_pid(&self, process: u64, thread: u64, priority: u32) -> zbus::Result<()>;

    #[zbus(property)]
    fn max_realtime_priority(&self) -> zbus::Result<i32>;
}

fn ask_rtkit(tid: i32) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error: io::Error| error.to_string())?;
    let request = async {
        let bus = zbus::Connection::system().await?;
        // A property cache would first call `GetAll`, which rtkit does not implement.
        let rtkit = RealtimeKitProxy::builder(&bus).cache_properties(CacheProperties::No).build().await?;
        let priority = rtkit.max_realtime_priority().await?.clamp(1, PRIORITY);
        rtkit.make_thread_realtime_with_pid(u64::from(std::process::id()), tid as u64, priority as u32).await
    };
    match runtime.block_on(async { tokio::time::timeout(BUS_PATIENCE, request).await }) {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", BUS_PATIENCE.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use std::{hint::spin_loop, sync::mpsc, time::Instant};

    use super::*;

    fn policy(tid: i32) -> libc::c_int {
        // SAFETY: the call takes and returns plain numbers.
        unsafe { libc::sched_getscheduler(tid) & !libc::SCHED_RESET_ON_FORK }
    }

    #[test]
    fn a_hogging_thread_loses_real_time_priority() {
        let hang = khor_patience::hang_timeout();
        let (send_tid, tid) = mpsc::channel();
        let (go, gone) = mpsc::channel();
        let player = thread::spawn(move || {
            send_tid.send(nix::unistd::gettid().as_raw()).unwrap();
            gone.recv().unwrap();
            let begun = Instant::now();
            while PROMOTED.load(Relaxed) != 0 && begun.elapsed() < hang {
                spin_loop();
            }
            (begun.elapsed(), policy(0))
        });
        let tid = tid.recv().unwrap();
        let promotion = Promotion::ask(tid);
        let answer = khor_e2e::wait_for("an answer", || promotion.answer());
        if !answer.real_time {
            go.send(()).unwrap();
            assert!(
                answer.trouble.is_some_and(|trouble| trouble.fix.is_some())
                    && policy(tid) == libc::SCHED_OTHER
            );
            return khor_e2e::skip::skip("needs permission for real-time priority");
        }
        assert_ne!(policy(tid), libc::SCHED_OTHER);
        go.send(()).unwrap();
        let (ran, policy_after) = player.join().unwrap();
        assert!(ran < hang && policy_after == libc::SCHED_OTHER, "{ran:?}, policy {policy_after}");
        let after = promotion.answer().unwrap();
        assert!(
            !after.real_time
                && after.trouble.is_some_and(|trouble| trouble.error.contains("lost its real-time priority"))
        );
    }
}
