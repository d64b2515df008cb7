//! What each in-kernel program costs per event, beside programs that do nothing or only count.
//!
//! The kernel times the programs itself (`BPF_ENABLE_STATS`, the same switch as `kernel.bpf_stats_enabled`, but
//! it falls back when this process ends, however it ends). The time-keeping is part of every figure; the empty
//! program shows how much. Programs of one hook run one after another, and the first may find colder caches:
//! khor's and the others take turns to be first.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use aya::programs::loaded_programs;
use aya::sys::{Stats, enable_stats};
use khor_e2e::engine::program;
use khor_e2e::{Collector, load};

use crate::figure::Figure;
use crate::yardstick::Yardstick;

/// Times everything is repeated.
const ROUNDS: usize = 10;
/// Events under which a figure of one round is left out as too uncertain.
const FEWEST_EVENTS: u64 = 20;
const UNIT: &str = "ns";
/// khor's program at the yardstick's hook.
const OURS: &str = "sched_switch";

/// Programs by name, each with what every round gave, ns per event.
type Costs = BTreeMap<String, Vec<f64>>;

/// The kernel's account of a program.
#[derive(Clone, Copy, Default)]
struct Account {
    ns: u64,
    events: u64,
}

pub(crate) fn measure() -> Vec<Figure> {
    match rounds() {
        Ok((costs, ratios)) => report(costs, &ratios),
        Err(error) => vec![Figure::missing("cost per event", UNIT, format!("{error:#}"))],
    }
}

/// The costs, and per round those of khor's program with the yardstick's.
fn rounds() -> anyhow::Result<(Costs, Vec<BTreeMap<String, f64>>)> {
    let _timed = enable_stats(Stats::RunTime).context("switching bpf_stats on (needs root)")?;
    let mut yardstick = Yardstick::load().context("loading the yardstick")?;
    let mut costs = Costs::new();
    let mut switches = Vec::new();
    for round in 0..ROUNDS {
        let early = if round % 2 == 0 { Some(yardstick.attach()?) } else { None };
        let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
        let attached = early.map_or_else(|| yardstick.attach(), Ok)?;
        let mut names = ids_of(collector.pid())?;
        names.extend(yardstick.ids()?.into_iter().map(|(name, id)| (id, name.to_owned())));
        for (hooks, work) in LOADS {
            let mut costs_now = account_for(&names, work);
            costs_now.retain(|name, _| hooks.iter().any(|hook| cut(hook) == cut(name)));
            if hooks.contains(&OURS) {
                switches.push(costs_now.clone());
            }
            for (name, cost) in costs_now {
                costs.entry(name).or_default().push(cost);
            }
        }
        yardstick.detach(attached)?;
    }
    Ok((costs, switches))
}

/// Hooks, and work that makes them fire.
type Load = (&'static [&'static str], fn());

const LOADS: [Load; 5] = [
    (&[OURS, "empty", "increment", "increment_percpu"], || load::ping_pong(30_000)),
    (&["sched_process_exec", "task_newtask"], || {
        load::execs(100);
        load::threads(500);
    }),
    (&["netif_receive_skb", "net_dev_queue"], || load::loopback(64 << 20, 5000)),
    (&["block_rq_issue", "block_rq_complete", "irq_handler_entry"], || {
        // A directory on a disk rather than in memory.
        let _ = load::direct_io(program("khor").parent().unwrap_or(Path::new(".")), 16);
    }),
    (&["tcp_retransmit_skb"], || {
        let _ = load::in_lossy_namespace(|| load::lossy_transfer(Duration::from_millis(500)));
    }),
];

/// ns per event of each program while `work` runs.
fn account_for(names: &BTreeMap<u32, String>, work: fn()) -> BTreeMap<String, f64> {
    let before = accounts(names);
    work();
    let after = accounts(names);
    let cost = |(name, then): (String, Account)| {
        let now = after.get(&name)?;
        let events = now.events - then.events;
        (events >= FEWEST_EVENTS).then(|| (name, (now.ns - then.ns) as f64 / events as f64))
    };
    before.into_iter().filter_map(cost).collect()
}

/// By name; programs whose names the kernel cut to the same 15 letters are one.
fn accounts(names: &BTreeMap<u32, String>) -> BTreeMap<String, Account> {
    let mut accounts = BTreeMap::<String, Account>::new();
    for program in loaded_programs() {
        // One of somebody else's may vanish in between.
        let Ok(program) = program else { continue };
        if let Some(name) = names.get(&program.id()) {
            let account = accounts.entry(name.clone()).or_default();
            account.ns += program.run_time().as_nanos() as u64;
            account.events += program.run_count();
        }
    }
    accounts
}

/// Numbers and names of the programs a process holds; other collectors may run on the machine.
fn ids_of(pid: u32) -> anyhow::Result<BTreeMap<u32, String>> {
    let mut held = Vec::new();
    for file in std::fs::read_dir(format!("/proc/{pid}/fdinfo"))?.flatten() {
        let text = std::fs::read_to_string(file.path()).unwrap_or_default();
        let id = text.lines().find_map(|line| line.strip_prefix("prog_id:")?.trim().parse::<u32>().ok());
        held.extend(id);
    }
    let programs = loaded_programs().flatten().filter(|program| held.contains(&program.id()));
    Ok(programs.map(|program| (program.id(), program.name_as_str().unwrap_or("?").to_owned())).collect())
}

fn report(mut costs: Costs, switches: &[BTreeMap<String, f64>]) -> Vec<Figure> {
    let compare = |with: &str, f: fn(f64, f64) -> f64| {
        switches.iter().filter_map(|round| Some(f(*round.get(OURS)?, *round.get(with)?))).collect::<Vec<_>>()
    };
    let mut figures = vec![
        Figure::new(format!("{OURS} : increment"), "x", compare("increment", |ours, theirs| ours / theirs)),
        Figure::new(
            format!("{OURS} : increment_percpu"),
            "x",
            compare("increment_percpu", |ours, theirs| ours / theirs),
        ),
        Figure::new(format!("{OURS} - empty"), UNIT, compare("empty", |ours, theirs| ours - theirs)),
    ];
    for (hooks, _) in LOADS {
        for hook in hooks {
            let values = costs.remove(*hook).or_else(|| costs.remove(cut(hook)));
            figures.push(Figure::new(*hook, UNIT, values.unwrap_or_default()));
        }
    }
    figures
}

/// As much of a name as the kernel keeps.
fn cut(name: &str) -> &str {
    &name[..name.len().min(15)]
}
