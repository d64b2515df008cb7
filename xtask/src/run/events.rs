//! What `cargo xtask run` waits for: Ctrl-C, or the engine's end.

use std::{
    io,
    process::{Child, ExitStatus},
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use anyhow::{Context, Result};

/// Something happened.
pub(super) enum Event {
    /// SIGINT, SIGTERM or SIGHUP.
    Stop,
    /// The engine ended.
    EngineEnded(io::Result<ExitStatus>),
}

/// Everything that happened since [`Events::listen`], in order.
pub(super) struct Events {
    sender: Sender<Event>,
    receiver: Receiver<Event>,
}

impl Events {
    /// Signals become events from here on, and no longer end this process.
    pub(super) fn listen() -> Result<Self> {
        let (sender, receiver) = channel();
        let stop = sender.clone();
        ctrlc::set_handler(move || drop(stop.send(Event::Stop))).context("listening for Ctrl-C")?;
        Ok(Self { sender, receiver })
    }

    /// Reports the end of `engine`.
    pub(super) fn watch(&self, mut engine: Child) {
        let sender = self.sender.clone();
        std::thread::spawn(move || drop(sender.send(Event::EngineEnded(engine.wait()))));
    }

    /// Waits for the next event.
    pub(super) fn next(&self) -> Result<Event> {
        self.receiver.recv().context("waiting for khor engine")
    }

    /// The next event, if it comes within `patience`.
    pub(super) fn next_within(&self, patience: Duration) -> Option<Event> {
        self.receiver.recv_timeout(patience).ok()
    }

    /// Keeps a stop for the next caller.
    pub(super) fn remember_stop(&self) {
        drop(self.sender.send(Event::Stop));
    }
}
