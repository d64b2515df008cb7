//! Who asks about devices: one thread, which keeps its connection to the sound server.
//!
//! A client of crate `pulseaudio` that is dropped leaves a thread, a connection and a megabyte behind until the server next says
//! something, and whoever asks a server that hangs waits until it goes on. So one asks for all, by one connection, and who
//! wants to know does not wait for long.

use std::{
    sync::{
        OnceLock,
        mpsc::{self, SyncSender},
    },
    thread,
    time::Duration,
};

use cpal::{Host, HostId, traits::HostTrait};

use super::{cookie, device::silence_alsa};

/// Longer than cpal waits for a server that doesn't let it in.
const PATIENCE: Duration = Duration::from_secs(3);
/// Questions that may wait; who asks more is told that nobody answers.
const QUEUE: usize = 8;
/// The backend that opens sound cards.
const CARDS: &str = "alsa";

type Question = Box<dyn FnOnce(&mut Hosts) + Send>;

/// Puts a question; `None` when it isn't answered in time.
pub(super) fn ask<T: Send + 'static>(question: impl FnOnce(&mut Hosts) -> T + Send + 'static) -> Option<T> {
    static QUESTIONS: OnceLock<Option<SyncSender<Question>>> = OnceLock::new();
    let questions = QUESTIONS.get_or_init(start).as_ref()?;
    let (answer, answers) = mpsc::sync_channel(1);
    // Who asked may have gone.
    let question = move |hosts: &mut Hosts| drop(answer.try_send(question(hosts)));
    questions.try_send(Box::new(question)).ok()?;
    answers.recv_timeout(PATIENCE).ok()
}

fn start() -> Option<SyncSender<Question>> {
    let (sender, questions) = mpsc::sync_channel::<Question>(QUEUE);
    let answer_all = move || {
        let _quiet = silence_alsa();
        let mut hosts = Hosts::default();
        for question in questions {
            question(&mut hosts);
        }
    };
    thread::Builder::new().name("khor-devices".into()).spawn(answer_all).ok()?;
    Some(sender)
}

/// The backends.
#[derive(Default)]
pub(super) struct Hosts {
    /// Of the sound server, while it answers.
    server: Option<(HostId, Host)>,
}

impl Hosts {
    /// Those that there are, best first: the sound server where there is one, then sound cards.
    pub(super) fn ids(backend: &str) -> Vec<HostId> {
        let mut ids: Vec<HostId> = cpal::available_hosts()
            .into_iter()
            .filter(|host| backend.is_empty() || host.to_string() == backend)
            .collect();
        ids.sort_by_key(|host| is_card(*host));
        ids
    }

    /// Lets a backend be asked; `None` where it does not answer.
    pub(super) fn with<T>(&mut self, id: HostId, question: impl FnOnce(&Host) -> T) -> Option<T> {
        if is_card(id) {
            return cpal::host_from_id(id).ok().map(|host| question(&host));
        }
        // A server that ended takes its connection, and the thread behind it, along.
        drop(self.server.take_if(|(held, host)| *held != id || host.devices().is_err()));
        if self.server.is_none() {
            cookie::ensure();
            self.server = cpal::host_from_id(id).ok().map(|host| (id, host));
        }
        self.server.as_ref().map(|(_, host)| question(host))
    }
}

/// Whether it takes the sound card for itself.
pub(super) fn is_card(host: HostId) -> bool {
    host.to_string() == CARDS
}

/// Whether a choice is of a sound card, by its backend or its id: then no server has a say.
pub(super) fn is_of_cards(backend: &str, device: &str) -> bool {
    backend == CARDS || device.strip_prefix("id:").is_some_and(|id| id.split(':').next() == Some(CARDS))
}
