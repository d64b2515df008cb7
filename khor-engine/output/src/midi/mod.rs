//! Sends MIDI through a port of the ALSA sequencer, to which other programs can subscribe.
//!
//! The role of a note selects its channel. The melody has the configured channel, the bass has
//! channel 2, chords have channel 3, and percussion has channel 10. Signals are sent as controllers
//! on channel 1. khor can also send MIDI [`clock`]. A thread ([`sender`]) owns the [`port`] and the
//! [`schedule`] of pending messages.
//!
//! Shortly before a message is due, the thread puts it on a [`queue`] of the sequencer. The kernel
//! sends the message on time, so a late thread is not audible. Messages that are due later wait in
//! the schedule, for two reasons. First, the kernel's queue has room for only 500 messages, but a
//! note-off may be due minutes later. Second, khor must be able to withdraw all queued messages to
//! silence the output.

mod clock;
mod event;
mod port;
mod queue;
mod schedule;
mod sender;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::Duration,
};

use khor_api::Health;
use parking_lot::Mutex;
use tracing::debug;

pub use self::event::{MidiEvent, MidiSettings};
use self::sender::Sender;

/// Capacity of the event queue. While it is full, events are dropped.
const QUEUE_EVENTS: usize = 1024;

/// The MIDI output: a thread with a sequencer port. Dropping the last clone ends all notes.
#[derive(Clone)]
pub struct MidiOutput {
    events: SyncSender<MidiEvent>,
    health: Arc<Mutex<Health>>,
    /// Whether the settings request a port. [`Self::send`] updates and reads this value.
    has_port: Arc<AtomicBool>,
    ended: Arc<Mutex<Receiver<()>>>,
}

impl MidiOutput {
    /// Starts the thread.
    pub fn start(settings: Option<MidiSettings>) -> std::io::Result<Self> {
        let (events, receiver) = mpsc::sync_channel(QUEUE_EVENTS);
        let (end, ended) = mpsc::sync_channel(1);
        let health = Arc::new(Mutex::new(Health::off()));
        let has_port = Arc::new(AtomicBool::new(settings.is_some()));
        let mut sender = Sender::new(Arc::clone(&health));
        thread::Builder::new().name("khor-midi".into()).spawn(move || {
            sender.set_settings(settings);
            sender.run(&receiver);
            let _ = end.send(());
        })?;
        Ok(Self { events, health, has_port, ended: Arc::new(Mutex::new(ended)) })
    }

    /// Sends an event to the thread. Never blocks: if the queue is full, drops the event. If no
    /// port is requested, also drops notes, steps and levels, because they would wake the thread
    /// twenty times a second for nothing.
    pub fn send(&self, event: MidiEvent) {
        match &event {
            MidiEvent::Settings(settings) => self.has_port.store(settings.is_some(), Relaxed),
            MidiEvent::AllNotesOff | MidiEvent::Panic | MidiEvent::Stop => {}
            MidiEvent::Note(..) | MidiEvent::Step { .. } | MidiEvent::Levels(..) => {
                if !self.has_port.load(Relaxed) {
                    return;
                }
            }
        }
        if self.events.try_send(event).is_err() {
            debug!("midi: dropped an event, because the queue of the sending thread is full");
        }
    }

    /// Whether the output works, or why it does not.
    pub fn health(&self) -> Health {
        self.health.lock().clone()
    }

    /// Ends all notes and the thread. Waits for at most `timeout`.
    pub fn stop(self, timeout: Duration) {
        self.send(MidiEvent::Stop);
        let _ = self.ended.lock().recv_timeout(timeout);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_works_or_names_a_fix() {
        let sequencer = std::path::Path::new("/dev/snd/seq");
        let output =
            MidiOutput::start(Some(MidiSettings { port: "khor".into(), melody_channel: 1, clock: false }))
                .unwrap();
        khor_e2e::wait_until("an answer", || output.health() != Health::off());
        let health = output.health();
        output.stop(Duration::from_secs(2));
        if std::fs::File::options().read(true).write(true).open(sequencer).is_ok() {
            assert_eq!(health, Health::working());
        } else {
            assert!(!health.ok && health.trouble.is_some(), "{health:?}");
            let fix = health.fix().unwrap();
            assert!(sequencer.exists() || fix.contains("modprobe snd-seq"), "{fix}");
        }
    }
}
