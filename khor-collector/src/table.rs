//! Formats the output of `--check` as a table of 80 columns. The table has one line for each probe,
//! counter and kind of cue, and one line for scopes.

use khor_proto::{Availability, CounterInfo, CueInfo};

use crate::probes::ProbeState;

const WIDTH: usize = 80;
const NAME_WIDTH: usize = 22;

/// The contents of the table that `--check` prints.
pub(crate) struct Parts<'a> {
    pub(crate) probes: &'a [ProbeState],
    pub(crate) counters: &'a [CounterInfo],
    pub(crate) cues: &'a [CueInfo],
    /// Whether khor can count the activity of single cgroups and processes.
    pub(crate) scopes: Availability,
    /// Number of events that the kernel did not pass to the probes since they were attached.
    pub(crate) missed_events: Option<u64>,
}

/// Formats the table.
pub(crate) fn render(parts: &Parts<'_>) -> String {
    let mut lines = Vec::new();
    heading(&mut lines, "PROBE");
    for probe in parts.probes {
        row(&mut lines, probe.name, probe.outcome.as_ref().err().map(String::as_str), "attached");
    }
    heading(&mut lines, "COUNTER");
    for counter in parts.counters {
        row(&mut lines, &counter.name, reason(&counter.availability), "available");
    }
    heading(&mut lines, "CUE");
    for cue in parts.cues {
        row(&mut lines, cue.kind.name(), reason(&cue.availability), "available");
    }
    heading(&mut lines, "SCOPE");
    row(&mut lines, "cgroups and processes", reason(&parts.scopes), "available");
    if let Some(missed @ 1..) = parts.missed_events {
        lines.push(format!(
            "\nEvents that the kernel did not pass to the probes while they were busy: {missed}"
        ));
    }
    lines.join("\n")
}

fn heading(lines: &mut Vec<String>, name: &str) {
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(format!("{name:NAME_WIDTH$} STATE"));
}

fn reason(availability: &Availability) -> Option<&str> {
    match availability {
        Availability::Available => None,
        Availability::Absent { reason } => Some(reason),
    }
}

fn row(lines: &mut Vec<String>, name: &str, reason: Option<&str>, good: &str) {
    let text = reason.map_or_else(|| good.to_owned(), |reason| format!("absent: {reason}"));
    for (index, part) in wrap(&text, WIDTH - NAME_WIDTH - 1).iter().enumerate() {
        lines.push(format!("{:NAME_WIDTH$} {part}", if index == 0 { name } else { "" }));
    }
}

/// Wraps text at spaces into lines of at most `width` characters. Splits words that are longer than
/// a line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        for piece in letters.chunks(width) {
            let last = lines.last_mut().expect("never empty");
            let needed = last.chars().count() + usize::from(!last.is_empty()) + piece.len();
            let piece: String = piece.iter().collect();
            if needed > width {
                lines.push(piece);
            } else {
                if !last.is_empty() {
                    last.push(' ');
                }
                last.push_str(&piece);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_longer_than_80_columns() {
        let probes = [
            ProbeState { name: "sched_switch", outcome: Ok(()) },
            ProbeState { name: "irq_handler_entry", outcome: Err(format!("why {} and on", "x".repeat(200))) },
        ];
        let mut parts = Parts {
            probes: &probes,
            counters: &[],
            cues: &[],
            scopes: Availability::Absent { reason: "the kernel is locked down and more ".repeat(5) },
            missed_events: Some(0),
        };
        let table = render(&parts);
        assert!(table.contains("sched_switch           attached"), "{table}");
        assert!(table.lines().all(|line| line.chars().count() <= WIDTH), "{table}");
        assert!(table.contains("cgroups and processes  absent: the kernel") && !table.contains("busy"));
        parts.missed_events = Some(12_345);
        let table = render(&parts);
        assert!(table.ends_with("did not pass to the probes while they were busy: 12345"), "{table}");
        assert!(table.lines().all(|line| line.chars().count() <= WIDTH), "{table}");
    }
}
