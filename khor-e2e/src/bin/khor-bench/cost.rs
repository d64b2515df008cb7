//! Measures CPU time, memory and context switches of running processes, in several time windows.

use std::{
    thread,
    time::{Duration, Instant},
};

use khor_e2e::procfs::{self, Usage};

use crate::figure::Figure;

/// Number of time windows in which the processes are measured.
const WINDOWS: usize = 3;
/// Length of each time window.
const WINDOW: Duration = Duration::from_secs(20);
/// How long to wait before the first time window, so that processes have finished starting.
const SETTLE: Duration = Duration::from_secs(5);

/// The measurements of one process, or the sums of several processes. Each field has one value for
/// each window.
#[derive(Default)]
pub(crate) struct Cost {
    pub(crate) cpu_pct: Vec<f64>,
    rss_mib: Vec<f64>,
    switches_s: Vec<f64>,
}

/// Measures each process in all windows. The second result is the share of all CPUs that was busy
/// in each window, in percent.
pub(crate) fn watch(pids: &[u32]) -> (Vec<Cost>, Vec<f64>) {
    watch_for(pids, WINDOW)
}

/// Like [`watch`], in windows of the length `window`.
pub(crate) fn watch_for(pids: &[u32], window: Duration) -> (Vec<Cost>, Vec<f64>) {
    thread::sleep(SETTLE);
    let mut costs: Vec<Cost> = pids.iter().map(|_| Cost::default()).collect();
    let mut busy = Vec::new();
    for _ in 0..WINDOWS {
        let (begun, ticks) = (Instant::now(), procfs::cpu_ticks());
        let before: Vec<Usage> = pids.iter().map(|pid| procfs::usage(*pid)).collect();
        thread::sleep(window);
        for ((pid, before), cost) in pids.iter().zip(before).zip(&mut costs) {
            cost.add(before, procfs::usage(*pid), begun.elapsed().as_secs_f64());
            cost.rss_mib.push(rss_mib(*pid));
        }
        busy.push(100.0 * procfs::busy_share(ticks, procfs::cpu_ticks()));
    }
    (costs, busy)
}

fn rss_mib(pid: u32) -> f64 {
    let kib = procfs::status(pid, "VmRSS");
    kib.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).expect("VmRSS in kB") / 1024.0
}

impl Cost {
    fn add(&mut self, before: Usage, after: Usage, elapsed_s: f64) {
        self.cpu_pct.push((after.cpu_ns - before.cpu_ns) as f64 / 1e7 / elapsed_s);
        self.switches_s.push((after.switches - before.switches) as f64 / elapsed_s);
    }

    /// The largest memory use that was measured at the end of a window, MiB.
    pub(crate) fn rss_mib(&self) -> f64 {
        self.rss_mib.iter().copied().fold(0.0, f64::max)
    }

    /// Adds the costs of several processes, separately for each window.
    pub(crate) fn sum(costs: &[Self]) -> Self {
        let sum = |of: fn(&Self) -> &Vec<f64>| {
            (0..WINDOWS).map(|window| costs.iter().map(|cost| of(cost)[window]).sum()).collect()
        };
        Self {
            cpu_pct: sum(|cost| &cost.cpu_pct),
            rss_mib: sum(|cost| &cost.rss_mib),
            switches_s: sum(|cost| &cost.switches_s),
        }
    }

    pub(crate) fn report(self, name: &str) -> Vec<Figure> {
        vec![
            Figure::new(format!("{name}, CPU"), "%", self.cpu_pct),
            Figure::new(format!("{name}, RSS"), "MiB", self.rss_mib),
            Figure::new(format!("{name}, switches"), "1/s", self.switches_s),
        ]
    }
}
