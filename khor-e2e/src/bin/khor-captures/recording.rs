//! Records one scenario with `khor record`, while the machine does little else.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use khor_e2e::{
    engine::program,
    procfs::{busy_share, cpu_ticks},
};
use tempfile::TempDir;

use crate::scenario::{Scenario, Stage};

/// How long the machine must be quiet before a recording begins.
const GLANCE: Duration = Duration::from_secs(4);

/// How long the machine is measured after a load.
const TAIL: Duration = Duration::from_secs(2);
/// Time between the end of a load and the measurement after it.
const ENDING: Duration = Duration::from_millis(700);
/// After a load, the limit on the CPU use of a quiet machine is multiplied by this factor, because
/// the load leaves some work behind.
const AFTERMATH: f64 = 2.0;

/// When the machine counts as quiet, and how long to wait until it is quiet.
pub(crate) struct Quiet {
    /// Share of all CPUs that may be busy, 0 to 1.
    pub(crate) busy_share: f64,
    /// Longest wait for a quiet machine.
    pub(crate) patience: Duration,
}

/// Facts about a recording that the list of captures contains.
pub(crate) struct Facts {
    pub(crate) bytes: u64,
    pub(crate) seconds: u64,
    /// Share of all CPUs that was busy before the load, 0 to 1.
    pub(crate) lead_busy_share: f64,
    /// Share of all CPUs that was busy after the load, 0 to 1.
    pub(crate) tail_busy_share: f64,
    /// The load average over one minute, read just before the recording.
    pub(crate) load_average: String,
}

/// Records the capture. If the machine is not quiet before or after the load, deletes the recording
/// and tries again. After the longest wait, keeps the recording anyway.
pub(crate) fn record(scenario: &Scenario, socket: &Path, out: &Path, quiet: &Quiet) -> Result<Facts> {
    let begun = Instant::now();
    // The folder is next to the program, because /tmp may be in memory.
    let beside = program("khor").parent().context("the program has no directory")?.to_owned();
    let dir = TempDir::new_in(beside).context("creating a directory for the recording")?;
    (scenario.prepare)(dir.path()).context("preparing")?;
    loop {
        let patient = begun.elapsed() < quiet.patience;
        if patient && busy_for(GLANCE) > quiet.busy_share {
            continue;
        }
        if let Some(facts) = attempt(scenario, socket, out, dir.path(), quiet.busy_share, patient)? {
            return Ok(facts);
        }
    }
}

fn attempt(
    scenario: &Scenario,
    socket: &Path,
    out: &Path,
    dir: &Path,
    quiet: f64,
    patient: bool,
) -> Result<Option<Facts>> {
    let load_average = fs::read_to_string("/proc/loadavg")?;
    let load_average = load_average.split(' ').next().unwrap_or_default().to_owned();
    let seconds = scenario.lead_s + scenario.load_s + scenario.tail_s;
    let path = dir.join("recording");
    let mut recorder = Recorder(start(scenario, socket, &path, seconds)?);
    let lead_busy_share = busy_for(Duration::from_secs(scenario.lead_s));
    if patient && lead_busy_share > quiet {
        println!("{}: {:.0} % busy before the load; recording again", scenario.name, 100.0 * lead_busy_share);
        return Ok(None);
    }
    let until = Instant::now() + Duration::from_secs(scenario.load_s);
    (scenario.load)(&Stage { dir, until }).context("running the load")?;
    thread::sleep(ENDING);
    let tail_busy_share = busy_for(TAIL);
    if patient && tail_busy_share > AFTERMATH * quiet {
        println!("{}: {:.0} % busy after the load; recording again", scenario.name, 100.0 * tail_busy_share);
        return Ok(None);
    }
    let status = recorder.0.wait()?;
    ensure!(status.success(), "khor record: {status}");
    let kept = out.join(scenario.name).with_extension("khor");
    let bytes = fs::copy(&path, &kept).with_context(|| format!("writing {}", kept.display()))?;
    println!("{}: {bytes} bytes, {:.1} % busy before the load", kept.display(), 100.0 * lead_busy_share);
    Ok(Some(Facts { bytes, seconds, lead_busy_share, tail_busy_share, load_average }))
}

fn start(scenario: &Scenario, socket: &Path, path: &Path, seconds: u64) -> Result<Child> {
    let mut command = Command::new(program("khor"));
    command.arg("record").arg(path).arg("--redact").arg("--socket").arg(socket);
    command.args(["--seconds", &seconds.to_string(), "--interval", &scenario.interval_ms.to_string()]);
    let child = command.stdout(Stdio::null()).spawn().context("starting khor record")?;
    let begun = Instant::now();
    while !path.exists() {
        if begun.elapsed() > Duration::from_secs(5) {
            bail!("khor record created no file within 5 s");
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(child)
}

/// A running `khor record`; killed when dropped.
struct Recorder(Child);

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The share of all CPUs that is busy during `time`, 0 to 1.
fn busy_for(time: Duration) -> f64 {
    let before = cpu_ticks();
    thread::sleep(time);
    busy_share(before, cpu_ticks())
}
