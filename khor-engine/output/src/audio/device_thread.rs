//! The thread for all device queries. It keeps one connection to the sound server.
//!
//! A dropped client of the crate `pulseaudio` leaks a thread, a connection and a megabyte until the
//! server next sends something, so all queries share one connection. A query blocks while the
//! server hangs, so callers wait for at most [`TIMEOUT`].

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

/// Maximum time that a caller waits for the result of its task. If a sound server rejects the
/// connection, cpal returns an error earlier.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Capacity of the task queue. While the queue is full, new tasks fail immediately.
const QUEUE_TASKS: usize = 8;
/// Name of the cpal backend that opens sound cards.
const CARD_BACKEND: &str = "alsa";

type Task = Box<dyn FnOnce(&mut Hosts) + Send>;

/// Runs a task on the device thread and returns its result. Returns `None` if the task takes longer
/// than [`TIMEOUT`].
pub(super) fn with_hosts<T: Send + 'static>(
    task: impl FnOnce(&mut Hosts) -> T + Send + 'static,
) -> Option<T> {
    static TASKS: OnceLock<Option<SyncSender<Task>>> = OnceLock::new();
    let tasks = TASKS.get_or_init(start).as_ref()?;
    let (result, results) = mpsc::sync_channel(1);
    // If the caller has timed out, nobody receives the result, and it is dropped.
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

/// cpal's backends. cpal calls them hosts.
#[derive(Default)]
pub(super) struct Hosts {
    /// The backend of the sound server. `None` while the server does not answer.
    server: Option<(HostId, Host)>,
}

impl Hosts {
    /// Returns the available backends with this name, or all available backends if the name is
    /// empty. The sound server comes before the sound cards.
    pub(super) fn ids(backend: &str) -> Vec<HostId> {
        let mut ids: Vec<HostId> = cpal::available_hosts()
            .into_iter()
            .filter(|host| backend.is_empty() || host.to_string() == backend)
            .collect();
        ids.sort_by_key(|host| is_card(*host));
        ids
    }

    /// Runs a task on a backend and returns its result. Returns `None` if the backend does not
    /// answer.
    pub(super) fn with_host<T>(&mut self, id: HostId, task: impl FnOnce(&Host) -> T) -> Option<T> {
        if is_card(id) {
            return cpal::host_from_id(id).ok().map(|host| task(&host));
        }
        // If the server has ended, its connection and the connection's thread have ended too, so
        // dropping them leaks nothing.
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

/// Whether the user's choice names a sound card, either by its backend or by its id. Such a choice
/// needs no sound server.
pub(super) fn is_card_choice(backend: &str, device: &str) -> bool {
    backend == CARD_BACKEND
        || device.strip_prefix("id:").is_some_and(|id| id.split(':').next() == Some(CARD_BACKEND))
}
