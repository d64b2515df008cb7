//! The thread for all device queries; it keeps the connection to the sound server.
//!
//! A dropped client of the crate `pulseaudio` leaks a thread, a connection and a megabyte until the
//! server next sends something. A query to a server that hangs blocks. So all queries share one
//! connection, and callers wait for at most [`TIMEOUT`].

use std::{
    sync::{
        OnceLock,
        mpsc::{self, SyncSender},
    },
    thread,
    time::Duration,
};

use cpal::{Host, HostId, traits::HostTrait};

use super::{alsa_errors::silence_alsa, cookie};

/// Longest wait of a caller. It is longer than cpal waits for a server that refuses the connection.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Tasks that may wait. A further task fails at once.
const QUEUE_TASKS: usize = 8;
/// The backend that opens sound cards.
const CARD_BACKEND: &str = "alsa";

type Task = Box<dyn FnOnce(&mut Hosts) + Send>;

/// Runs a task on the device thread; `None` if it takes longer than [`TIMEOUT`].
pub(super) fn with_hosts<T: Send + 'static>(
    task: impl FnOnce(&mut Hosts) -> T + Send + 'static,
) -> Option<T> {
    static TASKS: OnceLock<Option<SyncSender<Task>>> = OnceLock::new();
    let tasks = TASKS.get_or_init(start).as_ref()?;
    let (result, results) = mpsc::sync_channel(1);
    // The caller may have timed out.
    let task = move |hosts: &mut Hosts| drop(result.try_send(task(hosts)));
    tasks.try_send(Box::new(task)).ok()?;
    results.recv_timeout(TIMEOUT).ok()
}

fn start() -> Option<SyncSender<Task>> {
    let (sender, tasks) = mpsc::sync_channel::<Task>(QUEUE_TASKS);
    let run_tasks = move || {
        let _quiet = silence_alsa();
        let mut hosts = Hosts::default();
        for task in tasks {
            task(&mut hosts);
        }
    };
    thread::Builder::new().name("khor-devices".into()).spawn(run_tasks).ok()?;
    Some(sender)
}

/// The backends.
#[derive(Default)]
pub(super) struct Hosts {
    /// The backend of the sound server, while it answers.
    server: Option<(HostId, Host)>,
}

impl Hosts {
    /// The available backends, best first: the sound server if there is one, then sound cards.
    pub(super) fn ids(backend: &str) -> Vec<HostId> {
        let mut ids: Vec<HostId> = cpal::available_hosts()
            .into_iter()
            .filter(|host| backend.is_empty() || host.to_string() == backend)
            .collect();
        ids.sort_by_key(|host| is_card(*host));
        ids
    }

    /// Runs a task on a backend; `None` if the backend does not answer.
    pub(super) fn with_host<T>(&mut self, id: HostId, task: impl FnOnce(&Host) -> T) -> Option<T> {
        if is_card(id) {
            return cpal::host_from_id(id).ok().map(|host| task(&host));
        }
        // A server that ended also ends its connection and the connection's thread.
        drop(self.server.take_if(|(held, host)| *held != id || host.devices().is_err()));
        if self.server.is_none() {
            cookie::ensure();
            self.server = cpal::host_from_id(id).ok().map(|host| (id, host));
        }
        self.server.as_ref().map(|(_, host)| task(host))
    }
}

/// Whether the backend opens sound cards itself.
pub(super) fn is_card(host: HostId) -> bool {
    host.to_string() == CARD_BACKEND
}

/// Whether a choice names a sound card, by its backend or its id. Then no sound server is involved.
pub(super) fn is_card_choice(backend: &str, device: &str) -> bool {
    backend == CARD_BACKEND
        || device.strip_prefix("id:").is_some_and(|id| id.split(':').next() == Some(CARD_BACKEND))
}
