//! Tests the desktop notification of a crash, from the kernel's event to the notification service.

use std::{collections::HashMap, process::Command, sync::mpsc, time::Duration};

use khor_e2e::{
    Bus, Collector, Crashes, Engine,
    engine::program,
    skip::{root_or_skip, skip},
    wait_until,
};
use khor_patience::hang_timeout;
use serde_json::Value;
use zbus::{Connection, OwnedVariant, connection::Builder, interface};

/// How long to wait for a second notification, which must not arrive.
const A_WHILE: Duration = Duration::from_secs(3);

/// A notification that the service received.
#[derive(Debug)]
struct Notification {
    app: String,
    icon: String,
    replaces: u32,
    title: String,
    body: String,
    urgency: u8,
    actions: Vec<String>,
    expires_ms: i32,
}

/// A notification service like that of a desktop.
struct Service {
    received: mpsc::Sender<Notification>,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Service {
    #[expect(clippy::too_many_arguments, reason = "the arguments of the D-Bus specification")]
    fn notify(
        &self,
        app_name: String,
        replaces_id: u32,
        app_icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedVariant>,
        expire_timeout: i32,
    ) -> u32 {
        let urgency = hints.get("urgency").and_then(|urgency| u8::try_from(urgency).ok());
        let notification = Notification {
            app: app_name,
            icon: app_icon,
            replaces: replaces_id,
            title: summary,
            body,
            urgency: urgency.expect("the hint urgency"),
            actions,
            expires_ms: expire_timeout,
        };
        self.received.send(notification).expect("a waiting test");
        42
    }
}

/// Serves notifications on `bus` until the connection is dropped.
async fn service_on(bus: &Bus) -> (Connection, mpsc::Receiver<Notification>) {
    let (sender, notifications) = mpsc::channel();
    let connection = Builder::address(bus.address().as_str())
        .serve_at("/org/freedesktop/Notifications", Service { received: sender })
        .name("org.freedesktop.Notifications")
        .build()
        .await
        .expect("serving notifications");
    (connection, notifications)
}

/// The state of notifications in `/api/health`.
fn notifications(engine: &Engine) -> Value {
    engine.get("/api/health")["desktop"]["notifications"].clone()
}

#[test]
fn one_notification_for_repeated_crashes() {
    if !root_or_skip() {
        return;
    }
    let Some(bus) = Bus::start(false) else { return skip("needs dbus-daemon") };
    if Command::new("busctl").arg("--version").output().is_err() {
        return skip("needs busctl");
    }
    let crashes = Crashes::alone();
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let address = bus.address();
    let environment = [("DBUS_SESSION_BUS_ADDRESS", address.as_str())];
    let engine = Engine::start(collector.socket(), &["--no-audio", "--dbus", "--notify"], &environment);
    engine.wait_for_source("collector");
    wait_until("the missing service to be reported", || notifications(&engine)["error"].is_string());
    let missing = notifications(&engine);
    assert_eq!(missing["error"], "no program shows notifications on the session bus");
    assert!(missing["fix"].is_string() && engine.health().desktop.parts.bus.ok);

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("creating a tokio runtime");
    let (service, received) = runtime.block_on(service_on(&bus));
    wait_until("the engine to find the service", || notifications(&engine)["ok"] == true);
    let monitor = bus.monitor("org.khor.Engine");
    let pid = crashes.crash();
    let notification = received.recv_timeout(hang_timeout()).expect("a notification of the crash");
    assert_eq!(notification.title, format!("sh (process {pid}) crashed"));
    assert_eq!(
        (notification.body.as_str(), notification.urgency),
        ("The signal SIGSEGV ended the program.", 1)
    );
    assert_eq!((notification.app.as_str(), notification.icon.as_str()), ("khor", "org.khor.Khor"));
    assert_eq!((notification.replaces, notification.actions.len(), notification.expires_ms), (0, 0, -1));
    let cue = monitor.wait_for("the cue of the crash", |message| message["member"] == "Cue");
    let data = &cue["payload"]["data"];
    assert_eq!(
        (data[0].as_str(), data[1].as_str(), data[2].as_u64()),
        (Some("crash"), Some("sh"), Some(pid.into()))
    );

    crashes.crash();
    let second = received.recv_timeout(A_WHILE);
    assert!(second.is_err(), "a second notification of the same kind within a minute: {second:?}");
    drop(service);
    wait_until("the loss of the service to be reported", || notifications(&engine)["error"].is_string());
}
