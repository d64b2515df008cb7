//! What `--check` prints: one line per counter and per failed probe, 80 columns wide.

use khor_proto::{Availability, CounterInfo};

use crate::probes::ProbeState;

const WIDTH: usize = 80;
const NAME_WIDTH: usize = 22;

/// The table for these probes and counters.
pub(crate) fn render(probes: &[ProbeState], catalogue: &[CounterInfo]) -> String {
    let mut lines = vec![format!("{:NAME_WIDTH$} {}", "PROBE", "STATE")];
    for probe in probes {
        row(&mut lines, probe.name, probe.outcome.as_ref().err().map(String::as_str), "attached");
    }
    lines.push(String::new());
    lines.push(format!("{:NAME_WIDTH$} {}", "COUNTER", "STATE"));
    for counter in catalogue {
        let reason = match &counter.availability {
            Availability::Available => None,
            Availability::Absent { reason } => Some(reason.as_str()),
        };
        row(&mut lines, &counter.name, reason, "available");
    }
    lines.join("\n")
}

fn row(lines: &mut Vec<String>, name: &str, reason: Option<&str>, good: &str) {
    let text = reason.map_or_else(|| good.to_owned(), |reason| format!("absent: {reason}"));
    for (index, part) in wrap(&text, WIDTH - NAME_WIDTH - 1).iter().enumerate() {
        lines.push(format!("{:NAME_WIDTH$} {part}", if index == 0 { name } else { "" }));
    }
}

/// Breaks at spaces; a longer word is cut.
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
        let table = render(&probes, &[]);
        assert!(table.contains("sched_switch           attached"), "{table}");
        assert!(table.lines().all(|line| line.chars().count() <= WIDTH), "{table}");
    }
}
