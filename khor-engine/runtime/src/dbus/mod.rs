//! Connects khor to the session bus. Offers `org.khor.Engine` to scripts and desktop tools, and a
//! media player (MPRIS) to the desktop. Shows desktop notifications of severe events.
//!
//! Each [`Part`] is off unless the configuration enables it. Each part has its own connection, bus
//! name and health, so a failing part does not affect the others. The music never waits for the
//! bus. If the bus is missing or fails, or if another program owns the name, the part retries until
//! it succeeds, and its health report has the fix. khor does not use the crate mpris-server,
//! because that crate needs another version of zbus and has another licence.

mod engine1;
mod notify;
mod player;
mod session_bus;
mod steer;

use std::{sync::Arc, time::Duration};

use khor_api::{DesktopHealth, Health, Trouble};
use khor_config::Desktop;
use tokio::{sync::watch, time::sleep};
use tracing::{info, warn};
use zbus::fdo;

use crate::engine::Engine;

/// Time between two attempts to connect to the bus.
const RETRY: Duration = Duration::from_secs(5);
/// The fix if there is no session bus.
pub(crate) const NO_BUS_FIX: &str = "log in to a desktop, or start the session bus: systemctl --user start \
                                     dbus.socket (Debian: package dbus-user-session)";

/// The names that the enabled parts own or use on the session bus.
pub(crate) fn names(desktop: Desktop) -> Vec<&'static str> {
    Part::ALL.into_iter().filter(|part| part.is_enabled(desktop)).map(Part::name).collect()
}

/// A part of khor on the session bus.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// The interface `org.khor.Engine1`, for scripts and desktop tools.
    Bus,
    /// The media player (MPRIS).
    Mpris,
    /// Notifications. khor owns no name for them; another program shows them.
    Notifications,
}

impl Part {
    const ALL: [Self; 3] = [Self::Bus, Self::Mpris, Self::Notifications];

    /// The name that the part owns or uses on the bus.
    const fn name(self) -> &'static str {
        match self {
            Self::Bus => engine1::NAME,
            Self::Mpris => player::NAME,
            Self::Notifications => notify::NAME,
        }
    }

    /// The setting that enables the part.
    const fn setting(self) -> &'static str {
        match self {
            Self::Bus => "desktop.bus",
            Self::Mpris => "desktop.mpris",
            Self::Notifications => "desktop.notifications",
        }
    }

    const fn is_enabled(self, desktop: Desktop) -> bool {
        match self {
            Self::Bus => desktop.bus,
            Self::Mpris => desktop.mpris,
            Self::Notifications => desktop.notifications,
        }
    }

    fn health(self, parts: &mut DesktopHealth) -> &mut Health {
        match self {
            Self::Bus => &mut parts.bus,
            Self::Mpris => &mut parts.mpris,
            Self::Notifications => &mut parts.notifications,
        }
    }

    /// Runs the part until its connection to the bus ends, and updates the part's health.
    async fn run(self, engine: &Arc<Engine>) -> zbus::Result<()> {
        let report = |health| self.report(engine, health);
        match self {
            Self::Bus => engine1::run(engine, report).await,
            Self::Mpris => player::run(engine, report).await,
            Self::Notifications => notify::run(engine, report).await,
        }
    }

    /// Updates the part's health, and logs the change if there is one.
    fn report(self, engine: &Engine, health: Health) {
        let trouble = health.trouble.clone();
        let mut is_new = false;
        engine.update_desktop_health(|parts| {
            let held = self.health(parts);
            is_new = *held != health && (health.ok || health.trouble.is_some());
            *held = health;
        });
        match trouble {
            Some(Trouble { error, .. }) if is_new => {
                warn!("{error} (the music continues; khor keeps retrying and does not log this again)");
            }
            None if is_new => info!("session bus: {} is available", self.name()),
            _ => {}
        }
    }
}

/// Runs the enabled parts until `stop` becomes true.
pub async fn serve(engine: Arc<Engine>, stop: watch::Receiver<bool>) {
    let [bus, mpris, notifications] = Part::ALL.map(|part| follow(&engine, part, stop.clone()));
    tokio::join!(bus, mpris, notifications);
}

/// Starts and stops a part when its setting changes. Returns when `stop` becomes true.
async fn follow(engine: &Arc<Engine>, part: Part, mut stop: watch::Receiver<bool>) {
    let mut configured = engine.desktop();
    let mut running = true;
    while running {
        let is_enabled = part.is_enabled(*configured.borrow_and_update());
        running = tokio::select! {
            () = keep_running(engine, part, is_enabled) => true,
            changed = configured.wait_for(|desktop| part.is_enabled(*desktop) != is_enabled) => changed.is_ok(),
            _ = stop.wait_for(|stop| *stop) => false,
        };
        // Save the settings that D-Bus clients have changed, before the part restarts or the engine
        // stops.
        steer::save(engine).await;
    }
}

/// Runs the part, and restarts it whenever it ends. If the part is disabled, waits until the future
/// is dropped.
async fn keep_running(engine: &Arc<Engine>, part: Part, is_enabled: bool) {
    if !is_enabled {
        part.report(engine, Health::off());
        return std::future::pending().await;
    }
    part.report(engine, Health::starting());
    loop {
        let health = match part.run(engine).await {
            Ok(()) => absent("the connection to the session bus has ended".to_owned()),
            Err(problem) => explain(part, &problem),
        };
        part.report(engine, health);
        sleep(RETRY).await;
    }
}

/// The health of a part when there is no session bus.
fn absent(error: String) -> Health {
    Health::failing(error, NO_BUS_FIX)
}

/// The health of a part after an error of the session bus. It includes the fix.
fn explain(part: Part, problem: &zbus::Error) -> Health {
    let (name, setting) = (part.name(), part.setting());
    match problem {
        zbus::Error::NameTaken => Health::failing(
            format!("another program owns {name} on the session bus"),
            format!("stop the other engine, or switch off {setting} in one of the two engines"),
        ),
        zbus::Error::FDO(error) if matches!(**error, fdo::Error::AccessDenied(_)) => Health::failing(
            format!("the session bus does not allow khor to own {name}: {error}"),
            format!("allow the name in the policy of the bus, or switch off {setting}"),
        ),
        _ => absent(format!("cannot use the session bus: {problem}")),
    }
}
