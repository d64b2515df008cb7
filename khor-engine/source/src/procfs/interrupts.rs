//! Reads the counts of interrupts in `/proc/stat`, which has one count for each interrupt line.

use khor_signal::{Accumulator, Counter, Counters};

use super::set::set;

/// Adds up the interrupts of all interrupt lines.
#[derive(Debug, Default)]
pub(super) struct Interrupts(Accumulator<usize, 1>);

impl Interrupts {
    /// Reads the line `intr`. Skips its first number, the total. The total includes CPU-local
    /// interrupts such as the timer, which the collector's tracepoint `irq_handler_entry` does not
    /// count. A count may become 0 when a driver is unloaded.
    pub(super) fn stat(&mut self, text: &str, counters: &mut Counters) {
        let Some(line) = text.lines().find_map(|line| line.strip_prefix("intr ")) else { return };
        let counts = line.split_ascii_whitespace().skip(1).map(str::parse::<u64>).enumerate();
        let [total] = self.0.take(counts.filter_map(|(line, count)| Some((line, [count.ok()?]))));
        set(counters, Counter::Irqs, Some(total));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interrupt_total_never_decreases() {
        let read = |texts: &[&str]| {
            let mut interrupts = Interrupts::default();
            let total = |text: &&str| {
                let mut counters = [None; Counter::ALL.len()];
                interrupts.stat(text, &mut counters);
                counters[Counter::Irqs.index()]
            };
            texts.iter().map(total).collect::<Vec<_>>()
        };
        let steps =
            ["cpu 1\nintr 1000 3 0 4\nctxt 9\n", "intr 1000 5 0 9\n", "intr 1000 6 0 0\n", "intr 9 7 0 2\n"];
        assert_eq!(read(&steps), [0, 7, 8, 11].map(Some));
        assert_eq!(read(&["ctxt 9\n"]), [None]);
    }
}
