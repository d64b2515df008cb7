//! Simulates a site of three sections. The hosts learn their baselines while idle. Then one section
//! gets a load.

use std::time::Duration;

use anyhow::Result;

use super::{LEARNING_S, Load, STEP_NS, SimulatedMachine, loads::LoadClass};
use crate::adapter::{ComposerInput, HostPipeline, RelayMode, SiteListener, SiteMode};

/// Names of the site's sections.
pub const SECTIONS: [&str; 3] = ["app", "db", "web"];
/// Number of hosts in each section.
pub const HOSTS_PER_SECTION: usize = 3;
/// Time between two messages of a relay, ns.
pub const MESSAGE_INTERVAL_NS: u64 = 200_000_000;
const LEARNING_STEP_NS: u64 = 100_000_000;
/// Range of the hosts' sizes. Sizes are drawn at random, evenly distributed on a logarithmic scale.
const SIZES: (f64, f64) = (1.0, 8.0);
/// Range of the load's intensity. Intensities are drawn at random, evenly distributed on a
/// logarithmic scale.
const INTENSITIES: (f64, f64) = (0.5, 2.0);

/// A load and the section in which it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SectionLoad {
    /// The load. [`LoadClass::Idle`] means that no section has a load.
    pub what: LoadClass,
    /// Index of the section in [`SECTIONS`].
    pub section: usize,
}

/// A site whose simulated hosts have already learned their baselines.
#[derive(Clone, Debug)]
pub struct SimulatedSite {
    hosts: Vec<(HostPipeline, SimulatedMachine)>,
    seed: u64,
}

impl SimulatedSite {
    /// Creates a site. The sizes of its hosts are random and depend on the seed.
    pub fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut hosts = Vec::new();
        for section in SECTIONS {
            for number in 1..=HOSTS_PER_SECTION {
                let size = between(SIZES, &mut random);
                let mut host = HostPipeline::new(format!("{section}-{number}"), section);
                let mut machine = SimulatedMachine::new(size, random.u64(..));
                while machine.seconds() < LEARNING_S {
                    host.push(machine.advance(LEARNING_STEP_NS, &[], 0.0));
                }
                hosts.push((host, machine));
            }
        }
        Self { hosts, seed }
    }

    /// The composer's inputs while a section is under load. The load runs on one, two or all three
    /// hosts of the section. The number of hosts and the intensity are random; the seed is the
    /// site's seed plus `which`.
    ///
    /// # Errors
    ///
    /// Returns an error if the site's listener cannot be created. This does not happen, because the
    /// names of the hosts are valid.
    pub fn composer_inputs(
        &self,
        (mode, relays): (SiteMode, RelayMode),
        trouble: SectionLoad,
        which: u64,
        seconds: f64,
    ) -> Result<Vec<ComposerInput>> {
        let mut random = fastrand::Rng::with_seed(self.seed + which);
        let count = random.usize(1..=HOSTS_PER_SECTION);
        let first = trouble.section * HOSTS_PER_SECTION;
        let in_trouble = first..first + count;
        let intensity = between(INTENSITIES, &mut random);
        let (mut hosts, mut machines): (Vec<HostPipeline>, Vec<SimulatedMachine>) =
            self.hosts.iter().cloned().unzip();
        let mut listener = SiteListener::new(&hosts, relays)?;
        let mut composer_inputs = Vec::new();
        for step in 0..(seconds * 1e9) as u64 / STEP_NS {
            for (index, (host, machine)) in hosts.iter_mut().zip(&mut machines).enumerate() {
                let parts = if in_trouble.contains(&index) { trouble.what.parts() } else { &[] };
                host.push(machine.advance(STEP_NS, parts, intensity));
            }
            if (step + 1) % (MESSAGE_INTERVAL_NS / STEP_NS) == 0 {
                let at = Duration::from_nanos((step + 1) * STEP_NS);
                composer_inputs.push(listener.push(at, &hosts, mode));
            }
        }
        Ok(composer_inputs)
    }
}

fn between((low, high): (f64, f64), random: &mut fastrand::Rng) -> f64 {
    low * (high / low).powf(random.f64())
}
