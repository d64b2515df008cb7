//! Checks whether the collector runs, admits this user, and counts everything.

use std::{fs, io, path::Path, time::Duration};

use khor_api::{Check, MissedReport};
use khor_proto::{
    Availability, Subscribe, Welcome,
    client::{Client, ClientError, Update},
};
use khor_source::{
    MissingCounters, ScopeChoice, SourceKind, interval_shortfall, lockdown_cause, scope_label,
};
use nix::unistd::{Group, Uid, User, getegid, getgroups};
use tokio::time::timeout;

use super::{check::DoctorInput, system_bus};
use crate::engine::scope_choice;

const SOCKET_UNIT: &str = "khor-collector.socket";
const SERVICE_UNIT: &str = "khor-collector.service";
const BUS_NAME: &str = "org.khor.Collector";
/// Maximum time to wait for an answer. The connection may start the collector, which attaches its
/// probes before it answers.
const TIMEOUT: Duration = Duration::from_secs(15);

pub(super) async fn examine(input: &DoctorInput) -> Vec<Check> {
    let (socket, choice) = (&*input.socket, scope_choice(&input.config));
    let bus = system_bus::connect().await;
    let (mut unit, mut name) = (None, None);
    if let Some(bus) = &bus {
        unit = system_bus::unit_state(bus, SOCKET_UNIT).await;
        name = system_bus::has_owner(bus, BUS_NAME).await;
    }
    let connected = timeout(TIMEOUT, Client::connect(socket, "khor doctor")).await;
    let mut checks = vec![unit_check(unit.as_deref(), socket)];
    match connected.unwrap_or(Err(ClientError::Silent)) {
        Ok((client, welcome)) => {
            checks.push(Check::ok(
                "collector",
                format!("collector {} answers at {}", welcome.collector_version, socket.display()),
            ));
            checks.push(probes(&welcome));
            checks.extend(input.health.as_ref().and_then(|health| missed(&health.missed)));
            let requested_ms = input.config.bpf.sample_interval_ms;
            checks.extend(subscribed(client, &choice, requested_ms).await);
        }
        Err(error) => checks.push(match engine_source_detail(input) {
            Some(collector) => {
                let detail = format!(
                    "the engine uses the {collector}, but no collector answers at {}",
                    socket.display()
                );
                Check::ok("collector", detail)
            }
            None => unreachable(socket, &error, unit.as_deref(), &choice),
        }),
    }
    checks.push(bus_check(bus.is_some(), name));
    checks
}

/// Describes the collector that the running engine uses. This may not be the collector that the
/// check itself connects to. Returns `None` if no engine runs, or if the engine uses no collector.
fn engine_source_detail(input: &DoctorInput) -> Option<&str> {
    let source = &input.health.as_ref()?.source;
    let delivers = source.kind == Some(SourceKind::Collector) && source.ok;
    delivers.then_some(source.detail.as_str())
}

fn unit_check(state: Option<&str>, socket: &Path) -> Check {
    let name = "unit";
    match state {
        Some("active") => Check::ok(name, format!("{SOCKET_UNIT} is active")),
        Some(state) => Check::problem(
            name,
            format!("{SOCKET_UNIT} is {state}: no program listens at {}", socket.display()),
            format!("sudo systemctl enable --now {SOCKET_UNIT}"),
        ),
        None => Check::off(name, format!("{SOCKET_UNIT} is not installed")),
    }
}

/// Reports why the collector does not answer, with the fix.
fn unreachable(socket: &Path, error: &ClientError, unit: Option<&str>, choice: &ScopeChoice) -> Check {
    let name = "collector";
    let fix = match error {
        ClientError::Connect { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            join_group(&group_of(socket))
        }
        ClientError::Connect { .. } if unit.is_some() => format!("sudo systemctl restart {SOCKET_UNIT}"),
        ClientError::Connect { .. } => {
            "install khor's package, or run sudo khor-collector; to let the group khor run the program P without sudo: \
             chown root:khor P && chmod 0750 P && setcap cap_bpf,cap_perfmon=ep P"
                .to_owned()
        }
        ClientError::Silent => format!("read the cause in the log: journalctl -u {SERVICE_UNIT}"),
        _ => format!("sudo systemctl restart {SERVICE_UNIT}"),
    };
    let instead = if choice.is_machine() {
        "khor reads /proc instead".to_owned()
    } else {
        format!(
            "khor has no data, because only the collector can count {}",
            scope_label(&choice.as_written())
        )
    };
    Check::problem(name, format!("{error}; {instead}"), fix)
}

/// Returns the name of the group that may connect to the collector's socket.
fn group_of(socket: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    let gid = fs::metadata(socket).map(|metadata| metadata.gid());
    let group = gid.ok().and_then(|gid| Group::from_gid(gid.into()).ok()?);
    group.map_or_else(|| "khor".to_owned(), |group| group.name)
}

/// The fix for a user who is not a member of the group that may connect to the collector's socket.
fn join_group(group: &str) -> String {
    if group == "root" {
        return "install khor's package, or start khor-collector with --group and one of this user's groups; do not add \
                users to the group root"
            .to_owned();
    }
    let user =
        User::from_uid(Uid::effective()).ok().flatten().map_or_else(|| "$USER".into(), |user| user.name);
    let members = Group::from_name(group).ok().flatten();
    let is_listed = members.as_ref().is_some_and(|group| group.mem.contains(&user));
    let is_in_session = members.is_some_and(|group| {
        getegid() == group.gid || getgroups().is_ok_and(|mine| mine.contains(&group.gid))
    });
    if is_listed && !is_in_session {
        return format!("log out and in again: {user} joined the group {group} after this session began");
    }
    format!("sudo usermod --append --groups {group} {user}, then log out and in again")
}

fn probes(welcome: &Welcome) -> Check {
    let absent: Vec<String> = welcome
        .counters
        .iter()
        .filter_map(|counter| match &counter.availability {
            Availability::Available => None,
            Availability::Absent { reason } => Some(format!("{}: {reason}", counter.name)),
        })
        .collect();
    let (all, gap) = (welcome.counters.len(), MissingCounters::of(welcome));
    if absent.is_empty() {
        // An older collector does not list counters that were added later.
        return gap.map_or_else(
            || Check::ok("probes", format!("all {all} counters are available")),
            |gap| Check::problem("probes", gap.error(), gap.fix()),
        );
    }
    let cause = lockdown_cause().map_or_else(String::new, |cause| format!("; {}", cause.error));
    let instead = gap
        .as_ref()
        .map_or_else(String::new, |gap| format!("; khor reads these from /proc: {}", gap.names()));
    Check::problem(
        "probes",
        format!("{} of {all} counters are missing: {}{cause}{instead}", absent.len(), absent.join("; ")),
        gap.map_or_else(
            || "the other signals work; a newer kernel may provide the missing counters".to_owned(),
            |gap| gap.fix().to_owned(),
        ),
    )
}

/// Reports the events that the collector's BPF programs have missed since the engine started. The
/// report is not a problem with a fix, because no setting of khor can prevent missed events.
fn missed(missed: &MissedReport) -> Option<Check> {
    missed.reason.as_ref().map(|reason| Check::ok("missed events", reason))
}

/// Subscribes in the same way as the engine, and checks the granted scope and interval.
async fn subscribed(mut client: Client, choice: &ScopeChoice, requested_ms: u16) -> Vec<Check> {
    let resolving = choice.clone();
    let scope = tokio::task::spawn_blocking(move || resolving.resolve()).await;
    let scope = scope.unwrap_or_else(|_| choice.as_written());
    let answer = async {
        client.subscribe(Subscribe { interval_ms: requested_ms, scope, cues: Vec::new() }).await?;
        client.update().await
    };
    let answer = timeout(TIMEOUT, answer).await.unwrap_or(Err(ClientError::Silent));
    let interval = match &answer {
        Ok(Update::Subscribed(granted)) => Some(interval(requested_ms, granted.interval_ms)),
        _ => None,
    };
    [scope_check(answer, choice)].into_iter().chain(interval).collect()
}

/// Reports the sampling interval that the collector granted. It may be longer than khor requested.
/// This is not a problem, because the administrator chose it and khor works.
fn interval(requested_ms: u16, granted_ms: u16) -> Check {
    let limit = interval_shortfall(requested_ms, granted_ms);
    let every = || format!("the collector sends a sample every {granted_ms} ms");
    Check::ok("interval", limit.map_or_else(every, |limit| format!("{}; {}", limit.error, limit.fix)))
}

/// Checks whether khor receives counts of the selected scope.
fn scope_check(answer: Result<Update, ClientError>, choice: &ScopeChoice) -> Check {
    let (name, whose) = ("scope", scope_label(&choice.as_written()));
    let problem = match answer {
        Ok(Update::Subscribed(_)) if choice.is_machine() => {
            return Check::off(name, format!("khor counts {whose} (bpf.cgroup)"));
        }
        Ok(Update::Subscribed(subscribed)) => {
            let absent = |availability: &Availability| match availability {
                Availability::Available => None,
                Availability::Absent { reason } => Some(reason.clone()),
            };
            let reasons: Vec<Option<String>> = subscribed.availability.iter().map(absent).collect();
            let counted = reasons.iter().filter(|reason| reason.is_none()).count();
            if counted > 0 {
                return Check::ok(
                    name,
                    format!(
                        "khor counts only {whose}: {counted} of {} counters are available",
                        reasons.len()
                    ),
                );
            }
            reasons.into_iter().flatten().next().unwrap_or_default()
        }
        Ok(_) => "the collector did not report what it counts".to_owned(),
        Err(error) => error.to_string(),
    };
    Check::problem(
        name,
        format!("khor cannot count {whose}: {problem}"),
        "start the missing unit or process, or select another scope; khor config bpf.cgroup '' selects the whole machine",
    )
}

fn bus_check(bus: bool, owned: Option<bool>) -> Check {
    let name = "system bus";
    match owned {
        Some(true) => Check::ok(name, format!("busctl and desktop tools can use {BUS_NAME}")),
        Some(false) => {
            Check::off(name, format!("no program owns the name {BUS_NAME}; khor does not need it"))
        }
        None if bus => Check::off(name, "the system bus does not answer; khor does not need it"),
        None => Check::off(name, "there is no system bus; khor does not need it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::CheckState;

    fn refused(kind: io::ErrorKind) -> ClientError {
        ClientError::Connect { socket: "/run/khor/collector.sock".into(), source: kind.into() }
    }

    #[test]
    fn the_fix_fits_the_reason() {
        let socket = Path::new("/nonexistent/collector.sock");
        let fix =
            |kind, unit| unreachable(socket, &refused(kind), unit, &ScopeChoice::default()).fix.unwrap();
        assert!(fix(io::ErrorKind::PermissionDenied, None).contains("usermod --append --groups khor"));
        assert!(fix(io::ErrorKind::NotFound, None).contains("sudo khor-collector"));
        assert!(fix(io::ErrorKind::ConnectionRefused, Some("inactive")).contains("systemctl"));
    }

    #[test]
    fn missed_events_are_reported() {
        assert_eq!(missed(&MissedReport::default()), None);
        let reason = Some("khor missed 11 events, ...".to_owned());
        let check = missed(&MissedReport { events: Some(11), reason }).unwrap();
        assert_eq!((check.name.as_str(), check.state), ("missed events", CheckState::Ok));
        assert!(check.detail.contains("11 events"), "{check:?}");
    }

    #[test]
    fn a_longer_interval_names_its_setting() {
        let limited = interval(20, 100);
        assert_eq!((limited.state, interval(20, 20).state), (CheckState::Ok, CheckState::Ok));
        assert!(
            limited.detail.contains("100 ms, not every 20") && limited.detail.contains("KHOR_TRUST"),
            "{limited:?}"
        );
        assert_eq!(interval(20, 20).detail, "the collector sends a sample every 20 ms");
    }

    #[test]
    fn setcap_advice_names_owner_group_and_mode() {
        let missing = refused(io::ErrorKind::NotFound);
        let check = unreachable(Path::new("/nonexistent"), &missing, None, &ScopeChoice::default());
        let fix = check.fix.unwrap();
        let order =
            ["chown root:khor", "chmod 0750", "setcap cap_bpf,cap_perfmon=ep"].map(|part| fix.find(part));
        assert!(order.is_sorted() && order[0].is_some(), "{fix}");
    }

    #[test]
    fn only_stopped_units_are_problems() {
        let socket = Path::new("/run/khor/collector.sock");
        assert_eq!(unit_check(Some("active"), socket).state, CheckState::Ok);
        assert!(unit_check(Some("failed"), socket).fix.unwrap().contains("enable --now"));
        assert_eq!(unit_check(None, socket).state, CheckState::Off);
    }
}
