//! Tests the notification of a crash, from the kernel's event to the desktop's notification
//! service.

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

/// In which a second one of a kind would have come.
const A_WHILE: Duration = Duration::from_secs(3);

/// What was to be shown.
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

/// The receiving end, as desktops have it.
struct Service {
    shown: mpsc::Sender<Notification>,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Service {
    #[expect(clippy::too_many_arguments, reason = "the specification's")]
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
        let shown = Notification {
            app: app_name,
            icon: app_icon,
            replaces: replaces_id,
            title: summary,
            body,
            urgency: urgency.expect("an urgency"),
            actions,
            expires_ms: expire_timeout,
        };
        self.shown.send(shown).expect("the test");
        42
    }
}

/// A notification service on that bus, until its connection is dropped.
async fn service_on(bus: &Bus) -> (Connection, mpsc::Receiver<Notification>) {
    let (shown, received) = mpsc::channel();
    let connection = Builder::address(bus.address().as_str())
        .serve_at("/org/freedesktop/Notifications", Service { shown })
        .name("org.freedesktop.Notifications")
        .build()
        .await
        .expect("a service");
    (connection, received)
}

fn notifications(engine: &Engine) -> Value {
    engine.get("/api/health")["desktop"]["notifications"].clone()
}

#[test]
fn crash_notifies_once_or_names_fix() {
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
    wait_until("that nobody shows notifications", || notifications(&engine)["error"].is_string());
    let absent = notifications(&engine);
    assert_eq!(absent["error"], "no program shows notifications on the session bus");
    assert!(absent["fix"].is_string() && engine.health().desktop.parts.bus.ok);

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let (service, shown) = runtime.block_on(service_on(&bus));
    wait_until("the service to be seen", || notifications(&engine)["ok"] == true);
    let monitor = bus.monitor("org.khor.Engine");
    let pid = crashes.crash();
    let notification = shown.recv_timeout(hang_timeout()).expect("a notification");
    assert_eq!(notification.title, format!("sh (process {pid}) crashed"));
    assert_eq!((notification.body.as_str(), notification.urgency), ("The signal SIGSEGV ended it.", 1));
    assert_eq!((notification.app.as_str(), notification.icon.as_str()), ("khor", "org.khor.Khor"));
    assert_eq!((notification.replaces, notification.actions.len(), notification.expires_ms), (0, 0, -1));
    let cue = monitor.wait_for("the crash", |message| message["member"] == "Cue");
    let data = &cue["payload"]["data"];
    assert_eq!(
        (data[0].as_str(), data[1].as_str(), data[2].as_u64()),
        (Some("crash"), Some("sh"), Some(pid.into()))
    );

    crashes.crash();
    let second = shown.recv_timeout(A_WHILE);
    assert!(second.is_err(), "one of a kind a minute: {second:?}");
    drop(service);
    wait_until("the service to be missed", || notifications(&engine)["error"].is_string());
}
