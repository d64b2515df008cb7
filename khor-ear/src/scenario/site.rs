//! A site of three sections that have been idle for long, one of which gets into trouble.

use std::time::Duration;

use anyhow::Result;

use super::{LEARNING_S, Machine, STEP_NS, Undertaking, loads::Class};
use crate::adapter::{Host, Listener, Relays, SiteMode, Told};

/// The sections, by name.
pub const SECTIONS: [&str; 3] = ["app", "db", "web"];
/// Hosts of each.
pub const HOSTS_PER_SECTION: usize = 3;
/// Time between two messages of a relay, ns.
pub const TELL_NS: u64 = 200_000_000;
const LEARNING_STEP_NS: u64 = 100_000_000;
/// Backgrounds of the hosts, in even ratios.
const SIZES: (f64, f64) = (1.0, 8.0);
/// Factors of a load's rates, in even ratios.
const INTENSITIES: (f64, f64) = (0.5, 2.0);

/// What happens where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trouble {
    /// What; [`Class::Idle`] is nothing.
    pub what: Class,
    /// Position of the section.
    pub section: usize,
}

/// The hosts of a site, of which it is known what is usual.
#[derive(Clone, Debug)]
pub struct Rack {
    hosts: Vec<(Host, Machine)>,
    seed: u64,
}

impl Rack {
    /// Hosts of sizes that the seed says.
    pub fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut hosts = Vec::new();
        for section in SECTIONS {
            for number in 1..=HOSTS_PER_SECTION {
                let size = between(SIZES, &mut random);
                let mut host = Host::new(format!("{section}-{number}"), section);
                let mut machine = Machine::new(size, random.u64(..));
                while machine.seconds() < LEARNING_S {
                    host.hear(machine.advance(LEARNING_STEP_NS, &[], 0.0));
                }
                hosts.push((host, machine));
            }
        }
        Self { hosts, seed }
    }

    /// What its composer is told for some seconds, as the relays tell it: one to all hosts of a section are in trouble, as hard
    /// as `which` says.
    ///
    /// # Errors
    ///
    /// None, as the hosts' names are fit for the wire.
    pub fn told(
        &self,
        (mode, relays): (SiteMode, Relays),
        trouble: Trouble,
        which: u64,
        seconds: f64,
    ) -> Result<Vec<Told>> {
        let mut random = fastrand::Rng::with_seed(self.seed + which);
        let count = random.usize(1..=HOSTS_PER_SECTION);
        let first = trouble.section * HOSTS_PER_SECTION;
        let in_trouble = first..first + count;
        let intensity = between(INTENSITIES, &mut random);
        let (mut hosts, mut machines): (Vec<Host>, Vec<Machine>) = self.hosts.iter().cloned().unzip();
        let mut listener = Listener::new(&hosts, relays)?;
        let mut told = Vec::new();
        for step in 0..(seconds * 1e9) as u64 / STEP_NS {
            for (index, (host, machine)) in hosts.iter_mut().zip(&mut machines).enumerate() {
                let parts = if in_trouble.contains(&index) { trouble.what.parts() } else { &[] };
                host.hear(machine.advance(STEP_NS, parts, intensity));
            }
            if (step + 1) % (TELL_NS / STEP_NS) == 0 {
                let at = Duration::from_nanos((step + 1) * STEP_NS);
                told.push(listener.hear(at, &hosts, mode));
            }
        }
        Ok(told)
    }
}

fn between((low, high): (f64, f64), random: &mut fastrand::Rng) -> f64 {
    low * (high / low).powf(random.f64())
}
