//! Shows desktop notifications of severe events: the kernel killed a program because memory ran
//! out, a program crashed, or a disk request failed.
//!
//! Repeated events of one kind share one notification, which is updated once a minute. Any user can
//! choose the name of a program, and some desktops interpret markup in the body of a notification.
//! So program names appear only in the title, which is plain and [inert] text.

use std::{collections::HashMap, sync::Arc, time::Duration};

use khor_api::Health;
use khor_music::{CueSound, Severity};
use khor_proto::{Cue, inert};
use nix::sys::signal::Signal;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use zbus::{Connection, Variant, fdo::DBusProxy, names::BusName, proxy, proxy::CacheProperties};

use super::session_bus::session;
use crate::engine::Engine;

pub(super) const NAME: &str = "org.freedesktop.Notifications";
/// After a notification about a kind of cue, khor waits at least this long before it updates the
/// notification. It counts the cues of this kind that arrive meanwhile.
const MIN_INTERVAL: Duration = Duration::from_mins(1);
/// Time between two checks whether a notification service is available.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

#[proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Notifications {
    #[expect(clippy::too_many_arguments, reason = "the notification specification requires these arguments")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Variant<'_>>,
        expire_timeout_ms: i32,
    ) -> zbus::Result<u32>;
}

/// Shows notifications until the connection to the bus ends.
pub(super) async fn run(engine: &Arc<Engine>, report: impl Fn(Health)) -> zbus::Result<()> {
    let mut cues = engine.cues();
    let connection = session().build().await?;
    let notifications =
        NotificationsProxy::builder(&connection).cache_properties(CacheProperties::No).build().await?;
    let mut bursts = Bursts::default();
    let mut polls = interval(POLL_INTERVAL);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_error = None;
    loop {
        let due = bursts.due_at();
        let message = tokio::select! {
            _ = polls.tick() => {
                report(health(&connection, last_error.as_deref()).await?);
                continue;
            }
            cue = cues.recv() => match cue {
                Ok(cue) => bursts.add(cue, Instant::now()),
                Err(RecvError::Lagged(_)) => None, // too many cues arrived to show each
                Err(RecvError::Closed) => return Ok(()),
            },
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                bursts.next_due(Instant::now())
            }
            () = connection.closed() => return Ok(()),
        };
        let Some(message) = message else { continue };
        match show(&notifications, &message).await {
            Ok(id) => {
                bursts.set_id(message.kind, id);
                last_error = None;
            }
            Err(problem) => last_error = Some(problem.to_string()),
        }
        report(health(&connection, last_error.as_deref()).await?);
    }
}

/// Returns the health of the notifications. They work if a notification service runs or the bus can
/// start one, and if the last notification was shown without an error.
async fn health(connection: &Connection, last_error: Option<&str>) -> zbus::Result<Health> {
    const FIX: &str = "start the notification service of the desktop, for example dunst or mako";
    let bus = DBusProxy::new(connection).await?;
    let name = BusName::from_static_str(NAME)?;
    let is_available = bus.name_has_owner(name).await?
        || bus.list_activatable_names().await?.iter().any(|known| known.as_str() == NAME);
    Ok(match last_error {
        _ if !is_available => Health::failing("no program shows notifications on the session bus", FIX),
        Some(error) => Health::failing(format!("the last notification was not shown: {error}"), FIX),
        None => Health::working(),
    })
}

/// Shows or replaces a notification. Returns its id.
async fn show(notifications: &NotificationsProxy<'_>, message: &Message) -> zbus::Result<u32> {
    let hints = HashMap::from([
        ("urgency", Variant::from(message.urgency)),
        ("desktop-entry", Variant::from("org.khor.Khor")),
    ]);
    let Message { replaces, title, body, .. } = message;
    // The desktop decides how long the notification stays.
    notifications.notify("khor", *replaces, "org.khor.Khor", title, body, &[], hints, -1).await
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    kind: khor_proto::CueKind,
    /// Id of the notification that this one replaces; 0 if it replaces none.
    replaces: u32,
    /// Urgency of the notification: 1 is normal, 2 is critical.
    urgency: u8,
    title: String,
    body: String,
}

/// The last notification about one kind of cue, and the cues that have arrived since then.
#[derive(Debug)]
struct Burst {
    /// When the last notification of this kind was shown or updated.
    at: Instant,
    /// Id of this notification, or 0 if the notification service has not returned an id yet.
    id: u32,
    /// Number of cues since the last notification of this kind.
    more: u32,
    /// The newest cue of this kind.
    last: Cue,
}

/// The bursts of all kinds of cues. They limit how often a notification of each kind is shown.
#[derive(Debug, Default)]
struct Bursts(HashMap<khor_proto::CueKind, Burst>);

impl Bursts {
    /// Adds a cue. Returns a notification if one must be shown now.
    fn add(&mut self, cue: Cue, now: Instant) -> Option<Message> {
        let urgency = urgency(cue.kind)?;
        if let Some(burst) = self.0.get_mut(&cue.kind).filter(|burst| now < burst.at + MIN_INTERVAL) {
            burst.more += 1;
            burst.last = cue;
            return None;
        }
        let message = message(&cue, urgency, 0, 0);
        self.0.insert(cue.kind, Burst { at: now, id: 0, more: 0, last: cue });
        Some(message)
    }

    /// Returns when a notification must next be updated. `None` if no cues have arrived since the
    /// last updates.
    fn due_at(&self) -> Option<Instant> {
        self.0.values().filter(|burst| burst.more > 0).map(|burst| burst.at + MIN_INTERVAL).min()
    }

    /// If the update of a notification is due at `now`, returns the update.
    fn next_due(&mut self, now: Instant) -> Option<Message> {
        let burst = self.0.values_mut().find(|burst| burst.more > 0 && burst.at + MIN_INTERVAL <= now)?;
        let message = message(&burst.last, urgency(burst.last.kind)?, burst.id, burst.more);
        (burst.at, burst.more) = (now, 0);
        Some(message)
    }

    /// Stores the id of the shown notification, so that an update replaces it.
    fn set_id(&mut self, kind: khor_proto::CueKind, id: u32) {
        if let Some(burst) = self.0.get_mut(&kind) {
            burst.id = id;
        }
    }
}

/// Returns the urgency of the notification about a kind of cue: 1 is normal, 2 is critical. `None`
/// if this kind causes no notification.
fn urgency(kind: khor_proto::CueKind) -> Option<u8> {
    match CueSound::for_event(kind)?.severity() {
        Severity::Grave => Some(2),
        Severity::Serious => Some(1),
        Severity::Notable => None,
    }
}

fn message(cue: &Cue, urgency: u8, replaces: u32, more: u32) -> Message {
    use khor_proto::CueKind;

    let subject = subject(cue);
    let (title, body) = match cue.kind {
        CueKind::Oom => (
            format!("Out of memory: {subject} was killed"),
            "The machine ran out of memory, so the kernel killed this program to free memory.".to_owned(),
        ),
        CueKind::Crash => (format!("{subject} crashed"), death_text(cue.detail)),
        CueKind::BlockError | CueKind::RetransmitBurst | CueKind::Exec => (
            "A disk request failed".to_owned(),
            "The kernel could not read or write part of a disk. The kernel log names the disk.".to_owned(),
        ),
    };
    let body = match more {
        0 | 1 => body,
        _ => format!("{body} This event is the last of {more} of its kind within a minute."),
    };
    Message { kind: cue.kind, replaces, urgency, title, body }
}

/// Describes the process of a cue, such as `firefox (process 1234)`. Unknown parts are omitted.
fn subject(cue: &Cue) -> String {
    match (cue.comm.as_deref().map(|comm| inert::line(comm).into_owned()), cue.pid) {
        (Some(comm), Some(pid)) => format!("{comm} (process {pid})"),
        (Some(comm), None) => comm,
        (None, Some(pid)) => format!("Process {pid}"),
        (None, None) => "A program".to_owned(),
    }
}

/// Writes the sentence about the signal that ended a program.
fn death_text(signal: Option<u32>) -> String {
    let number = signal.and_then(|number| i32::try_from(number).ok());
    match number.map(|number| (number, Signal::try_from(number))) {
        Some((_, Ok(signal))) => format!("The signal {} ended the program.", signal.as_str()),
        Some((number, Err(_))) => format!("The signal {number} ended the program."),
        None => "A signal ended the program.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use khor_proto::CueKind;

    use super::*;

    fn cue(kind: CueKind, comm: &str) -> Cue {
        Cue {
            kind,
            t_ns: 1,
            pid: Some(7),
            comm: Some(comm.to_owned()),
            cgroup_id: None,
            detail: (kind == CueKind::Crash).then_some(11),
        }
    }

    #[test]
    fn a_burst_updates_one_notification_each_minute() {
        let (mut bursts, begun) = (Bursts::default(), Instant::now());
        let after = |seconds: u64| begun + Duration::from_secs(seconds);
        let first = bursts.add(cue(CueKind::Crash, "first"), begun).unwrap();
        assert_eq!((first.replaces, first.title.as_str()), (0, "first (process 7) crashed"));
        bursts.set_id(CueKind::Crash, 5);
        assert_eq!(bursts.due_at(), None, "a single cue needs no update");
        assert!((1..50).all(|s| bursts.add(cue(CueKind::Crash, "more"), after(s)).is_none()));
        assert!(
            bursts.add(cue(CueKind::Oom, "other"), after(2)).is_some(),
            "a cue of another kind is shown at once"
        );
        assert_eq!((bursts.due_at(), bursts.next_due(after(59))), (Some(after(60)), None));
        let update = bursts.next_due(after(60)).unwrap();
        assert_eq!((update.replaces, update.title.as_str()), (5, "more (process 7) crashed"));
        assert!(
            update.body.ends_with("This event is the last of 49 of its kind within a minute."),
            "{}",
            update.body
        );
        assert_eq!(bursts.due_at(), None);
        assert!(bursts.add(cue(CueKind::Crash, "late"), after(119)).is_none());
        assert_eq!(bursts.add(cue(CueKind::Crash, "later"), after(300)).unwrap().replaces, 0);
    }

    #[test]
    fn foreign_text_is_in_titles_only() {
        let mut bursts = Bursts::default();
        let mut shown = |kind| bursts.add(cue(kind, "<b>\nx\u{202e}"), Instant::now());
        assert_eq!((shown(CueKind::RetransmitBurst), shown(CueKind::Exec)), (None, None));
        let (oom, crash, disk) = (shown(CueKind::Oom), shown(CueKind::Crash), shown(CueKind::BlockError));
        let (oom, crash, disk) = (oom.unwrap(), crash.unwrap(), disk.unwrap());
        assert_eq!((oom.urgency, crash.urgency, disk.urgency), (2, 1, 1));
        assert_eq!(oom.title, "Out of memory: <b>\u{fffd}x\u{fffd} (process 7) was killed");
        assert_eq!(crash.body, "The signal SIGSEGV ended the program.");
        assert!([oom, crash, disk].iter().all(|message| !message.body.contains('<')));
    }
}
