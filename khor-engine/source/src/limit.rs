//! Describes what the collector does not grant this user (the interval or the cues), and how the
//! administrator can change that.

use khor_proto::{Availability, CueKind, Welcome};
use nix::unistd::{Uid, User};

use super::{Shortfall, request::CollectorRequest};

/// Describes the first part of `request` that the collector does not grant. Returns `None` if it
/// grants everything. `granted_ms` is the interval in the collector's answer, milliseconds.
pub(super) fn of(request: &CollectorRequest, welcome: &Welcome, granted_ms: u16) -> Option<Shortfall> {
    interval_shortfall(request.interval_ms, granted_ms)
        .or_else(|| without_exec_cues(welcome).filter(|_| request.exec_cues))
}

/// If samples arrive less often than requested, returns the reason and the fix. `requested_ms` and
/// `granted_ms` are the times between samples, milliseconds.
pub fn interval_shortfall(requested_ms: u16, granted_ms: u16) -> Option<Shortfall> {
    (granted_ms > requested_ms).then(|| Shortfall {
        error: format!(
            "samples arrive every {granted_ms} ms, not every {requested_ms} ms: this user is not trusted"
        ),
        fix: format!(
            "the administrator can trust this user: add {} to KHOR_TRUST= in /etc/default/khor, then run systemctl \
             restart khor-collector",
            user()
        ),
    })
}

fn without_exec_cues(welcome: &Welcome) -> Option<Shortfall> {
    let exec = welcome.cues.iter().find(|cue| cue.kind == CueKind::Exec)?;
    match &exec.availability {
        Availability::Available => None,
        Availability::Absent { reason } => Some(Shortfall {
            error: format!("khor receives no cues of program starts: {reason}"),
            fix: "fix this problem, or record without --exec-cues".to_owned(),
        }),
    }
}

/// The name of this user, or the user id if there is no name.
fn user() -> String {
    let uid = Uid::effective();
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

#[cfg(test)]
mod tests {
    use khor_proto::{CueInfo, ProtocolVersion, Scope};

    use super::*;

    fn welcome(exec: Availability) -> Welcome {
        Welcome {
            version: ProtocolVersion::CURRENT,
            collector_version: String::new(),
            kernel_release: String::new(),
            boot_id: String::new(),
            cpus: 1,
            counters: Vec::new(),
            cues: vec![CueInfo { kind: CueKind::Exec, availability: exec }],
        }
    }

    #[test]
    fn a_longer_interval_names_the_setting() {
        let limit = interval_shortfall(20, 100).unwrap();
        assert!(limit.error.contains("every 100 ms, not every 20"), "{limit:?}");
        assert!(limit.fix.contains("to KHOR_TRUST= in /etc/default/khor"), "{limit:?}");
        assert_eq!((interval_shortfall(100, 100), interval_shortfall(200, 100)), (None, None));
    }

    #[test]
    fn missing_exec_cues_are_reported_if_requested() {
        let absent = welcome(Availability::Absent { reason: "only for root".into() });
        let request = |exec_cues| CollectorRequest { interval_ms: 20, exec_cues, scope: Scope::Machine };
        assert!(of(&request(true), &absent, 20).unwrap().error.contains("only for root"));
        assert_eq!(of(&request(false), &absent, 20), None);
        assert_eq!(of(&request(true), &welcome(Availability::Available), 20), None);
        assert!(
            of(&request(true), &absent, 100).unwrap().error.contains("100 ms"),
            "the interval is reported first"
        );
    }
}
