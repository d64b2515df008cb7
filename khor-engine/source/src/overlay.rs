//! Takes the counters that the collector lacks from `/proc`. Works only for the whole machine, not
//! for scopes.

use std::time::{Duration, Instant};

use khor_proto::{Availability, Welcome};
use khor_signal::{Counter, Counters, Frame, PerCounter};

use super::{
    Shortfall, SourceInfo,
    catalogue::{Catalogue, is_of_old_collector},
    edge, lockdown,
    procfs::ProcSource,
};

/// Minimum time between two readings of `/proc`. It is a little less than 100 ms because frames
/// jitter. So even if frames are sent every 100 ms, each of them causes a reading.
const READ_INTERVAL: Duration = Duration::from_millis(95);

/// Adds counters from `/proc` to the collector's frames.
#[derive(Debug)]
pub(super) struct Overlay {
    proc: ProcSource,
    missing: MissingCounters,
    values: Counters,
    read_at: Option<Instant>,
}

/// The counters that the collector lacks but `/proc` has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingCounters {
    counters: Vec<Counter>,
    why: Shortfall,
}

impl Overlay {
    /// Creates an overlay for the source that `info` describes, and updates `info`. Returns `None`
    /// if `proc` has no counter that the source lacks.
    pub(super) fn of(info: &mut SourceInfo, mut proc: ProcSource) -> Option<Self> {
        let missing = MissingCounters::find(&info.availability, &proc.availability(), lockdown::cause())?;
        let overlay = Self { proc, missing, values: [None; Counter::ALL.len()], read_at: None };
        overlay.describe(info);
        Some(overlay)
    }

    /// Adds to `info` which counters come from `/proc`, and why.
    pub(super) fn describe(&self, info: &mut SourceInfo) {
        for counter in &self.missing.counters {
            info.availability[counter.index()] = Availability::Available;
        }
        info.detail = format!("{}, and /proc for {}", info.detail, self.missing.names());
        info.shortfall = Some(self.missing.why.clone());
    }

    /// Why khor reads `/proc`.
    pub(super) fn why(&self) -> &Shortfall {
        &self.missing.why
    }

    /// Adds the counters that the collector lacks to a frame. Reads `/proc` at most ten times a
    /// second, and repeats the last values in between.
    pub(super) fn fill(&mut self, frame: &mut Frame, now: Instant) {
        if self.read_at.is_none_or(|at| now.duration_since(at) >= READ_INTERVAL) {
            self.read_at = Some(now);
            if let Ok(read) = self.proc.frame() {
                self.values = read.counters;
            }
        }
        for counter in &self.missing.counters {
            frame.counters[counter.index()] = self.values[counter.index()];
        }
    }
}

impl MissingCounters {
    /// Returns the counters that a collector with this welcome message lacks.
    pub fn of(welcome: &Welcome) -> Option<Self> {
        let catalogue = Catalogue::new(&welcome.counters);
        Self::find(catalogue.availability(), &ProcSource::new("/proc").availability(), lockdown::cause())
    }

    /// The names of the counters, separated by commas.
    pub fn names(&self) -> String {
        names(&self.counters)
    }

    /// An error that names the missing counters and the reasons, and states that khor reads
    /// `/proc`.
    pub fn error(&self) -> &str {
        &self.why.error
    }

    /// How to make the collector count the missing counters.
    pub fn fix(&self) -> &str {
        &self.why.fix
    }

    fn find(
        collector: &PerCounter<Availability>,
        proc: &PerCounter<Availability>,
        cause: Option<Shortfall>,
    ) -> Option<Self> {
        let mut reasons: Vec<(&str, Vec<Counter>)> = Vec::new();
        for counter in Counter::ALL {
            let Availability::Absent { reason } = &collector[counter.index()] else { continue };
            if proc[counter.index()] != Availability::Available {
                continue;
            }
            match reasons.iter_mut().find(|(known, _)| known == reason) {
                Some((_, counters)) => counters.push(counter),
                None => reasons.push((reason, vec![counter])),
            }
        }
        let known: Vec<Counter> = reasons.iter().flat_map(|(_, counters)| counters.clone()).collect();
        if let Some((_, counters)) =
            reasons.iter_mut().find(|(_, counters)| counters.contains(&Counter::LocalBytes))
        {
            // Take the edge counters from `/proc` too. Then a single source decides for each byte
            // whether it is local or edge traffic.
            let is_other_edge = |counter: &Counter| {
                edge::is_edge(*counter)
                    && !known.contains(counter)
                    && proc[counter.index()] == Availability::Available
            };
            counters.extend(Counter::ALL.into_iter().filter(is_other_edge));
        }
        let counters: Vec<Counter> = reasons.iter().flat_map(|(_, counters)| counters.clone()).collect();
        (!counters.is_empty()).then(|| Self { counters, why: why(&reasons, cause) })
    }
}

/// Explains why counters are missing: names the counters, the collector's reasons, the cause (if it
/// is known) and the fix.
fn why(reasons: &[(&str, Vec<Counter>)], cause: Option<Shortfall>) -> Shortfall {
    let has_old_collector = reasons.iter().any(|(reason, _)| is_of_old_collector(reason));
    let has_failed_probes = !reasons.iter().all(|(reason, _)| is_of_old_collector(reason));
    let cause = cause.filter(|_| has_failed_probes);
    let lists: Vec<String> =
        reasons.iter().map(|(reason, counters)| format!("{} ({reason})", names(counters))).collect();
    let because = cause.as_ref().map_or_else(String::new, |cause| format!("; {}", cause.error));
    let probes = match cause {
        Some(cause) => Some(cause.fix),
        None if has_failed_probes => Some(
            "run khor-collector --check to see why counters are missing; a newer kernel may support them"
                .into(),
        ),
        None => None,
    };
    let update = has_old_collector
        .then(|| format!("update khor-collector to version {}, and restart it", env!("CARGO_PKG_VERSION")));
    let fixes: Vec<String> = [probes, update].into_iter().flatten().collect();
    Shortfall {
        error: format!(
            "khor reads counters from /proc that the collector lacks: {}{because}",
            lists.join("; ")
        ),
        fix: fixes.join("; "),
    }
}

fn names(counters: &[Counter]) -> String {
    counters.iter().map(|counter| counter.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use khor_proto::Scope;

    use super::*;
    use crate::{SourceKind, catalogue::UNKNOWN_TO_COLLECTOR};

    fn absent(reason: &str) -> Availability {
        Availability::Absent { reason: reason.into() }
    }

    fn info(lacks: &[(Counter, &str)]) -> SourceInfo {
        let mut availability = [const { Availability::Available }; Counter::ALL.len()];
        for (counter, reason) in lacks {
            availability[counter.index()] = absent(reason);
        }
        SourceInfo {
            kind: SourceKind::Collector,
            detail: "collector 1.0".into(),
            shortfall: None,
            machine: None,
            scope: Scope::Machine,
            interval_ms: 20,
            limit: None,
            availability,
        }
    }

    fn proc(text: &str) -> (tempfile::TempDir, ProcSource) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("stat"), text).unwrap();
        let source = ProcSource::new(dir.path());
        (dir, source)
    }

    #[test]
    fn a_missing_counter_is_filled_and_described() {
        let (dir, proc) = proc("ctxt 5\nprocesses 7\n");
        let mut info =
            info(&[(Counter::Switches, "no such tracepoint"), (Counter::Execs, "no such tracepoint")]);
        let mut overlay = Overlay::of(&mut info, proc).unwrap();
        assert_eq!(info.availability[Counter::Switches.index()], Availability::Available);
        assert_eq!(
            info.availability[Counter::Execs.index()],
            absent("no such tracepoint"),
            "/proc lacks it too"
        );
        let Shortfall { error, fix } = info.shortfall.clone().unwrap();
        assert!(error.contains("switches (no such tracepoint)") && !error.contains("execs"), "{error}");
        assert!(
            fix.contains("--check") && info.detail.ends_with("/proc for switches"),
            "{fix} {}",
            info.detail
        );

        let mut frame = Frame::new(0, [Some(1); Counter::ALL.len()]);
        frame.counters[Counter::Switches.index()] = None;
        let now = Instant::now();
        let mut filled = |after_ms| {
            let mut frame = frame.clone();
            overlay.fill(&mut frame, now + Duration::from_millis(after_ms));
            assert_eq!(
                frame.counters[Counter::Forks.index()],
                Some(1),
                "a counter of the collector is never replaced"
            );
            frame.counters[Counter::Switches.index()]
        };
        assert_eq!(filled(0), Some(5));
        fs::write(dir.path().join("stat"), "ctxt 9\nprocesses 8\n").unwrap();
        assert_eq!(
            (filled(20), filled(40), filled(100)),
            (Some(5), Some(5), Some(9)),
            "ten readings a second"
        );
    }

    #[test]
    fn overlay_needs_counters_that_proc_has() {
        let (_dir, source) = proc("ctxt 5\n");
        assert!(Overlay::of(&mut info(&[]), source).is_none());
        let (_dir, source) = proc("ctxt 5\n");
        let mut lacking = info(&[(Counter::Execs, "no such tracepoint")]);
        assert!(Overlay::of(&mut lacking, source).is_none() && lacking.shortfall.is_none());
    }

    #[test]
    fn edge_and_local_share_one_source() {
        let lacks = info(&[(Counter::LocalBytes, UNKNOWN_TO_COLLECTOR)]);
        let proc = [const { Availability::Available }; Counter::ALL.len()];
        let missing = MissingCounters::find(&lacks.availability, &proc, None).unwrap();
        assert!(missing.counters[1..].iter().all(|counter| edge::is_edge(*counter)));
        assert_eq!(missing.counters.len(), 1 + 4);
        let lacks = info(&[(Counter::RxBytes, "no probe")]);
        assert_eq!(
            MissingCounters::find(&lacks.availability, &proc, None).unwrap().counters,
            [Counter::RxBytes]
        );
    }

    #[test]
    fn shortfall_names_reasons_cause_and_fix() {
        let lockdown = Shortfall { error: "lockdown".into(), fix: "boot without".into() };
        let missing = |reason: &str, cause: &Shortfall| {
            let lacks = info(&[(Counter::Switches, reason), (Counter::Forks, reason), (Counter::Irqs, "x")]);
            let mut proc = [const { Availability::Available }; Counter::ALL.len()];
            proc[Counter::Irqs.index()] = absent("not readable");
            MissingCounters::find(&lacks.availability, &proc, Some(cause.clone())).unwrap().why
        };
        let locked = missing("Invalid argument", &lockdown);
        assert!(locked.error.ends_with("forks, switches (Invalid argument); lockdown"), "{locked:?}");
        assert_eq!(locked.fix, "boot without");
        let old = missing(UNKNOWN_TO_COLLECTOR, &lockdown);
        assert!(!old.error.contains("lockdown") && old.fix.starts_with("update khor-collector"), "{old:?}");
    }
}
