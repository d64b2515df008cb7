//! Receives OSC commands from other programs on this machine, such as controllers with faders and
//! pads.
//!
//! | address | types | meaning |
//! |---|---|---|
//! | `/khor/set/<path>` | one value | sets a setting with [`Access::Anyone`] |
//! | `/khor/mute` | none, bool or number | mutes or unmutes; without a value, toggles the mute |
//! | `/khor/panic` | none | ends every note that sounds |
//!
//! An address may be a pattern, such as `/khor/set/music/{density,smoothing}`. The message then
//! applies to every address that the pattern matches.
//!
//! The input is off unless the configuration enables it (`osc.receive`). It accepts packets from
//! this machine only. If several values of one setting arrive within 20 ms, only the newest is
//! applied. The configuration file is written when no value has arrived for a second.
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

/// Maximum size of a packet, in bytes. No UDP packet is larger.
const MAX_PACKET_BYTES: usize = 64 * 1024;
/// Maximum length of a stored rejection reason, in characters. A reason may quote the message.
const MAX_REASON: usize = 300;
/// Shortest time between two changes of settings. It allows 50 changes a second.
const PERIOD: Duration = Duration::from_millis(20);
/// khor writes changed settings to the configuration file when no setting has changed for this
/// long.
const SAVE_DELAY: Duration = Duration::from_secs(1);
/// Time between two attempts to bind a port that another program uses.
const RETRY: Duration = Duration::from_secs(5);

/// Receives OSC commands while the configuration enables the input, until `stop` becomes true.
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
        // Save the settings that OSC messages have changed, before the port changes or the engine
        // stops.
        save(&engine).await;
    }
}

/// Receives commands on `port` until the future is dropped. If `port` is `None`, the input is off,
/// and the future only waits.
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
                let error = format!("cannot listen on port {port}: {problem}");
                if std::mem::take(&mut is_first) {
                    warn!("osc: {error}; retrying every {} s", RETRY.as_secs());
                }
                let fix = "stop the program that uses this port, or choose another with osc.receive.port";
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

/// Handles received datagrams, and stores the settings that are not applied yet.
struct OscHandler {
    engine: Arc<Engine>,
    /// The newest requested value of each setting. The key is the path of the setting.
    settings: BTreeMap<String, Values>,
    /// Whether the configuration file lacks settings that were already applied.
    unsaved: bool,
}

/// The values of a message. If the address is a pattern, all matching addresses share these values.
type Values = Arc<Vec<OscType>>;

impl OscHandler {
    fn new(engine: Arc<Engine>) -> Self {
        Self { engine, settings: BTreeMap::new(), unsaved: false }
    }

    /// Waits for a packet, and then receives further packets for one [`PERIOD`]. If settings are
    /// unsaved, waits at most [`SAVE_DELAY`] for the first packet.
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
                // Keep receiving after an error, such as one from an ICMP message, because the
                // socket stays usable.
                Err(problem) => self.reject(&problem.to_string()),
            }
            received = timeout_at(until.into(), socket.recv(buffer)).await.ok();
        }
    }

    /// Handles every message of a datagram immediately, because khor ignores OSC time tags.
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

    /// Executes the command of a message. A changed setting is only stored here;
    /// [`Self::apply_settings`] applies it.
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

    /// Counts a rejected message and stores the reason for the health report.
    fn reject(&self, problem: &str) {
        self.engine.update_osc_input_health(|health| {
            health.refused += 1;
            health.last_refusal = Some(problem.chars().take(MAX_REASON).collect());
        });
    }

    /// Applies the stored settings. If there are none, writes settings that were applied earlier to
    /// the configuration file.
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
        // Opening a sound device may block, so a blocking thread applies the settings. The only
        // possible error is a panic, which is already logged.
        let refused: Vec<String> = tokio::task::spawn_blocking(set).await.unwrap_or_default();
        for problem in refused {
            self.reject(&problem);
        }
    }
}

/// Changes one setting of the engine.
fn set(engine: &Engine, path: &str, args: &[OscType]) -> Result<(), String> {
    let change = command::change(path, args).map_err(|problem| problem.to_string())?;
    engine.adjust_config(&change).map(drop).map_err(|problem| problem.to_string())
}

async fn save(engine: &Arc<Engine>) {
    let engine = Arc::clone(engine);
    let save = move || {
        if let Err(problem) = engine.save_config() {
            warn!("settings changed by OSC last only until khor stops: {problem}");
        }
    };
    // The only possible error is a panic, which is already logged.
    drop(tokio::task::spawn_blocking(save).await);
}
