//! Receives commands by OSC: faders and pads of other programs on this machine.
//!
//! | address | types | meaning |
//! |---|---|---|
//! | `/khor/set/<path>` | one value | sets an [`Access::Anyone`] setting: `/khor/set/music/bpm` |
//! | `/khor/mute` | none, or a bool or number | mutes, unmutes; without a value toggles the mute |
//! | `/khor/panic` | none | ends every note that sounds |
//!
//! An address may be a pattern, such as `/khor/set/music/{density,smoothing}`. The message then
//! applies to every address that the pattern matches.
//!
//! Only programs on this machine may send commands, and only if the configuration allows it
//! (`osc.receive`). If values of one setting arrive too fast, only the newest is applied. The
//! configuration file is written once the fader rests.
//!
//! [`Access::Anyone`]: khor_config::Access::Anyone

mod command;
#[cfg(test)]
mod hostile;
mod packet;
mod pattern;

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, Instant},
};

use khor_api::Health;
use khor_own_traffic::CountedAt;
use rosc::{OscMessage, OscType};
use tokio::{
    net::UdpSocket,
    sync::watch,
    time::{sleep, timeout_at},
};
use tracing::{info, warn};

use self::command::{CommandError, OscCommand};
use crate::engine::Engine;

/// Longest packet, bytes: all that UDP carries.
const MAX_PACKET_BYTES: usize = 64 * 1024;
/// Longest reason that is kept, characters. A reason may quote values of the message.
const MAX_REASON: usize = 300;
/// Time between two changes of settings: at most 50 a second.
const PERIOD: Duration = Duration::from_millis(20);
/// Time without a change after which the configuration is written.
const SAVE_DELAY: Duration = Duration::from_secs(1);
/// Time between two attempts to bind a port that is in use.
const RETRY: Duration = Duration::from_secs(5);

/// Receives commands whenever the configuration allows it, until `stop` becomes true.
pub async fn serve(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    let mut configured = engine.osc_port();
    let mut running = true;
    while running {
        let port = *configured.borrow_and_update();
        running = tokio::select! {
            () = listen(&engine, port) => true,
            changed = configured.changed() => changed.is_ok(),
            _ = stop.wait_for(|stop| *stop) => false,
        };
        // All changes are saved, however the loop ended.
        save(&engine).await;
    }
}

/// Listens on `port` for ever; `None`: does nothing for ever.
async fn listen(engine: &Arc<Engine>, port: Option<u16>) {
    let Some(port) = port else {
        engine.update_osc_input_health(|health| health.health = Health::off());
        return std::future::pending().await;
    };
    let mut is_first = true;
    let socket = loop {
        match UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(socket) => break socket,
            Err(problem) => {
                let error = format!("port {port}: {problem}");
                if std::mem::take(&mut is_first) {
                    warn!("osc: listening on {error}; trying again every {} s", RETRY.as_secs());
                }
                let fix = "end the program that has it, or choose another: osc.receive.port";
                engine.update_osc_input_health(|health| health.health = Health::failing(error, fix));
            }
        }
        sleep(RETRY).await;
    };
    info!("osc: listening on 127.0.0.1:{port}");
    engine.update_osc_input_health(|health| health.health = Health::working());
    let mut handler = OscHandler::new(Arc::clone(engine));
    let mut buffer = vec![0; MAX_PACKET_BYTES];
    loop {
        handler.receive(&socket, &mut buffer).await;
        handler.apply_settings().await;
    }
}

/// Commands that are not applied yet.
struct OscHandler {
    engine: Arc<Engine>,
    /// The newest value of each setting, by its path.
    settings: BTreeMap<String, Values>,
    /// The configuration differs from its file.
    unsaved: bool,
}

/// The values of a message. The addresses that a pattern matches share them.
type Values = Arc<Vec<OscType>>;

impl OscHandler {
    fn new(engine: Arc<Engine>) -> Self {
        Self { engine, settings: BTreeMap::new(), unsaved: false }
    }

    /// Receives packets for one period from the first packet on. Returns without packets once the
    /// fader rests.
    async fn receive(&mut self, socket: &UdpSocket, buffer: &mut [u8]) {
        let first = if self.unsaved {
            tokio::time::timeout(SAVE_DELAY, socket.recv(buffer)).await.ok()
        } else {
            Some(socket.recv(buffer).await)
        };
        let mut received = first;
        let until = Instant::now() + PERIOD;
        while let Some(result) = received {
            match result {
                Ok(length) => {
                    let own = self.engine.own_traffic();
                    own.received_datagram(CountedAt::Local, length, Ipv4Addr::LOCALHOST.into());
                    self.datagram(&buffer[..length]);
                }
                // An answer to nothing that was sent: the socket goes on.
                Err(problem) => self.reject(&problem.to_string()),
            }
            received = timeout_at(until.into(), socket.recv(buffer)).await.ok();
        }
    }

    /// Handles every message of a datagram. Time tags do not delay a message.
    fn datagram(&mut self, datagram: &[u8]) {
        packet::read(datagram, |element| match element {
            Ok(message) => self.message(message),
            Err(problem) => self.reject(&problem.to_string()),
        });
    }

    fn message(&mut self, OscMessage { addr, args }: OscMessage) {
        self.engine.update_osc_input_health(|health| health.messages += 1);
        let args = Arc::new(args);
        if !pattern::is_pattern(&addr) {
            return self.execute(&addr, &args);
        }
        let addresses = pattern::expand(&addr);
        if addresses.is_empty() {
            self.reject(&CommandError::Pattern(addr).to_string());
        }
        for address in addresses {
            self.execute(&address, &args);
        }
    }

    /// Handles a message to one address. A setting takes effect in [`Self::apply_settings`].
    fn execute(&mut self, address: &str, args: &Values) {
        match OscCommand::of(address, args) {
            Ok(OscCommand::Set(path)) => {
                self.settings.insert(path, Arc::clone(args));
            }
            Ok(OscCommand::Mute(Some(muted))) => self.engine.set_muted(muted),
            Ok(OscCommand::Mute(None)) => drop(self.engine.toggle_mute()),
            Ok(OscCommand::Panic) => self.engine.panic(),
            Err(problem) => self.reject(&problem.to_string()),
        }
    }

    fn reject(&self, problem: &str) {
        self.engine.update_osc_input_health(|health| {
            health.refused += 1;
            health.last_refusal = Some(problem.chars().take(MAX_REASON).collect());
        });
    }

    /// Applies the requested settings. Saves the configuration if there are none.
    async fn apply_settings(&mut self) {
        if self.settings.is_empty() {
            if std::mem::take(&mut self.unsaved) {
                save(&self.engine).await;
            }
            return;
        }
        self.unsaved = true;
        let (engine, settings) = (Arc::clone(&self.engine), std::mem::take(&mut self.settings));
        let set = move || settings.iter().filter_map(|(path, args)| set(&engine, path, args).err()).collect();
        // Blocks, because a search for a sound device takes time. An error here is a panic, which
        // is already logged.
        let refused: Vec<String> = tokio::task::spawn_blocking(set).await.unwrap_or_default();
        for problem in refused {
            self.reject(&problem);
        }
    }
}

fn set(engine: &Engine, path: &str, args: &[OscType]) -> Result<(), String> {
    let change = command::change(path, args).map_err(|problem| problem.to_string())?;
    engine.adjust_config(&change).map(drop).map_err(|problem| problem.to_string())
}

async fn save(engine: &Arc<Engine>) {
    let engine = Arc::clone(engine);
    let save = move || {
        if let Err(problem) = engine.save_config() {
            warn!("what was set by OSC holds until khor stops: {problem}");
        }
    };
    // It can only panic, and that is logged.
    drop(tokio::task::spawn_blocking(save).await);
}
