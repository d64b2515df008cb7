//! The events that `cargo xtask run` waits for: Ctrl-C, or the end of the engine.

use std::{
    io,
    process::{Child, ExitStatus},
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use anyhow::{Context, Result};

/// An event that `cargo xtask run` waits for.
pub(super) enum Event {
    /// SIGINT, SIGTERM or SIGHUP arrived.
    Stop,
    /// The engine ended.
    EngineEnded(io::Result<ExitStatus>),
}

/// The events since [`Events::watch_signals`], in the order of arrival.
pub(super) struct Events {
    sender: Sender<Event>,
    receiver: Receiver<Event>,
}

impl Events {
    /// Turns SIGINT, SIGTERM and SIGHUP into events. After this call, these signals no longer end
    /// this process.
    pub(super) fn watch_signals() -> Result<Self> {
        let (sender, receiver) = channel();
        let stop = sender.clone();
        ctrlc::set_handler(move || drop(stop.send(Event::Stop))).context("cannot handle Ctrl-C")?;
        Ok(Self { sender, receiver })
    }

    /// Waits for the end of the process `engine` in another thread, and then sends
    /// [`Event::EngineEnded`].
    pub(super) fn watch(&self, mut engine: Child) {
        let sender = self.sender.clone();
        std::thread::spawn(move || drop(sender.send(Event::EngineEnded(engine.wait()))));
    }

    /// Waits for the next event.
    pub(super) fn next(&self) -> Result<Event> {
        self.receiver.recv().context("cannot wait for khor engine")
    }

    /// The next event; `None` if no event arrives within `patience`.
    pub(super) fn next_within(&self, patience: Duration) -> Option<Event> {
        self.receiver.recv_timeout(patience).ok()
    }

    /// Stores a stop event, so that the next caller receives it too.
    pub(super) fn remember_stop(&self) {
        drop(self.sender.send(Event::Stop));
    }
}
