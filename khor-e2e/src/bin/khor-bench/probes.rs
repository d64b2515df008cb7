//! Measures the cost per event of each of khor's eBPF programs. For comparison, also measures
//! programs that do nothing or only count.
//!
//! The kernel measures how long the programs run. `BPF_ENABLE_STATS` has the same effect as
//! `kernel.bpf_stats_enabled`, but the kernel resets it when this process ends. Every figure
//! includes the time for measuring, which the figure of the empty program shows. The programs of a
//! hook run one after another, and the first one may find colder caches. So khor's programs and the
//! others take turns to be first.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::Context;
use aya::{
    programs::loaded_programs,
    sys::{Stats, enable_stats},
};
use khor_e2e::{Collector, engine::program, load};

use crate::{figure::Figure, yardstick::Yardstick};

/// How many times all loads are run.
const ROUNDS: usize = 10;
/// If a program has fewer events than this in a round, its figure for the round is too uncertain
/// and is ignored.
const FEWEST_EVENTS: u64 = 20;
const UNIT: &str = "ns";
/// Name that a [`Key`] contains for khor's own eBPF program.
const OURS: &str = "khor's";

/// A hook and the name of an eBPF program at this hook. The kernel keeps only the first 15
/// characters of the hook's name.
type Key = (String, String);

/// The total run time and the number of events of an eBPF program, as the kernel counts them.
#[derive(Clone, Copy, Default)]
struct Account {
    ns: u64,
    events: u64,
}

pub(crate) fn measure() -> Vec<Figure> {
    match rounds() {
        Ok(rounds) => report(&rounds),
        Err(error) => vec![Figure::missing("cost per event", UNIT, format!("{error:#}"))],
    }
}

/// Runs all rounds. Returns a map for each round: how long each eBPF program ran per event, in ns.
fn rounds() -> anyhow::Result<Vec<BTreeMap<Key, f64>>> {
    let _timed = enable_stats(Stats::RunTime).context("switching bpf_stats on (needs root)")?;
    let mut yardsticks = LOADS
        .iter()
        .flat_map(|(hooks, _)| *hooks)
        .map(|hook| Yardstick::load(hook))
        .collect::<anyhow::Result<Vec<_>>>()
        .context("loading the yardsticks")?;
    (0..ROUNDS).map(|round| one_round(&mut yardsticks, round % 2 == 0)).collect()
}

/// Runs all loads once. The yardsticks are attached before khor's programs if `first` is true, else
/// after them.
fn one_round(yardsticks: &mut [Yardstick], first: bool) -> anyhow::Result<BTreeMap<Key, f64>> {
    let attach = |yardsticks: &mut [Yardstick]| {
        yardsticks.iter_mut().map(Yardstick::attach).collect::<anyhow::Result<Vec<_>>>()
    };
    let early = if first { Some(attach(yardsticks)?) } else { None };
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let attached = early.map_or_else(|| attach(yardsticks), Ok)?;
    let mut keys = ids_of(collector.pid())?;
    for yardstick in &mut *yardsticks {
        let hook = cut(yardstick.hook).to_owned();
        keys.extend(yardstick.ids()?.into_iter().map(|(name, id)| (id, (hook.clone(), name.to_owned()))));
    }
    let mut costs = BTreeMap::new();
    for (hooks, work) in LOADS {
        let fits = |hook: &String| hooks.iter().any(|known| cut(known) == hook);
        costs.extend(account_for(&keys, work).into_iter().filter(|((hook, _), _)| fits(hook)));
    }
    for (yardstick, attached) in yardsticks.iter_mut().zip(attached) {
        yardstick.detach(attached)?;
    }
    Ok(costs)
}

/// Hooks, and a function that makes them fire.
type Load = (&'static [&'static str], fn());

/// All measured hooks, each with a load that makes the hook fire.
const LOADS: [Load; 5] = [
    (&["sched_switch"], || load::ping_pong(30_000)),
    (&["sched_process_exec", "task_newtask"], || {
        load::execs(100);
        load::threads(500);
    }),
    (&["netif_receive_skb", "net_dev_xmit", "softirq_entry"], || {
        load::loopback(64 << 20, 5000);
    }),
    (&["block_rq_issue", "block_rq_complete", "irq_handler_entry"], || {
        // Use the build's directory, because it is on a disk and not in memory.
        let _ = load::direct_io(program("khor-collector").parent().unwrap_or(Path::new(".")), 16);
    }),
    (&["tcp_retransmit_skb"], || {
        let _ = load::in_lossy_namespace(|| load::lossy_transfer(Duration::from_millis(500)));
    }),
];

/// Runs `work`. Returns how long each eBPF program ran for one event on average, in ns. Leaves out
/// programs with fewer than [`FEWEST_EVENTS`] events.
fn account_for(keys: &BTreeMap<u32, Key>, work: fn()) -> BTreeMap<Key, f64> {
    let before = accounts(keys);
    work();
    let after = accounts(keys);
    let cost = |(key, then): (Key, Account)| {
        let now = after.get(&key)?;
        let events = now.events - then.events;
        (events >= FEWEST_EVENTS).then(|| (key, (now.ns - then.ns) as f64 / events as f64))
    };
    before.into_iter().filter_map(cost).collect()
}

fn accounts(keys: &BTreeMap<u32, Key>) -> BTreeMap<Key, Account> {
    let mut accounts = BTreeMap::<Key, Account>::new();
    for program in loaded_programs() {
        // Another process may have unloaded this eBPF program meanwhile.
        let Ok(program) = program else { continue };
        if let Some(key) = keys.get(&program.id()) {
            let account = accounts.entry(key.clone()).or_default();
            account.ns += program.run_time().as_nanos() as u64;
            account.events += program.run_count();
        }
    }
    accounts
}

/// The IDs of the eBPF programs that the process `pid` has loaded, with their keys. Leaves out the
/// programs of other collectors on this machine.
fn ids_of(pid: u32) -> anyhow::Result<BTreeMap<u32, Key>> {
    let mut held = Vec::new();
    for file in std::fs::read_dir(format!("/proc/{pid}/fdinfo"))?.flatten() {
        let text = std::fs::read_to_string(file.path()).unwrap_or_default();
        let id = text.lines().find_map(|line| line.strip_prefix("prog_id:")?.trim().parse::<u32>().ok());
        held.extend(id);
    }
    let programs = loaded_programs().flatten().filter(|program| held.contains(&program.id()));
    let hook = |name: Option<&str>| name.unwrap_or("?").to_owned();
    Ok(programs.map(|program| (program.id(), (hook(program.name_as_str()), OURS.to_owned()))).collect())
}

fn report(rounds: &[BTreeMap<Key, f64>]) -> Vec<Figure> {
    let of = |round: &BTreeMap<Key, f64>, hook: &str, name: &str| {
        round.get(&(cut(hook).to_owned(), name.to_owned())).copied()
    };
    let compare = |hook: &str, with: &str, f: fn(f64, f64) -> f64| {
        let pairs = rounds.iter().filter_map(|round| Some(f(of(round, hook, OURS)?, of(round, hook, with)?)));
        pairs.collect::<Vec<_>>()
    };
    let mut figures = Vec::new();
    for hook in LOADS.iter().flat_map(|(hooks, _)| *hooks) {
        let ours = rounds.iter().filter_map(|round| of(round, hook, OURS)).collect();
        figures.push(Figure::new(*hook, UNIT, ours));
        let ratios = compare(hook, "increment", |ours, theirs| ours / theirs);
        figures.push(Figure::new(format!("  {hook} : increment"), "x", ratios));
        if *hook == "sched_switch" {
            let ratios = compare(hook, "increment_percpu", |ours, theirs| ours / theirs);
            figures.push(Figure::new(format!("  {hook} : increment_percpu"), "x", ratios));
        }
        let beyond = compare(hook, "empty", |ours, theirs| ours - theirs);
        figures.push(Figure::new(format!("  {hook} - empty"), UNIT, beyond));
    }
    figures
}

/// The part of an eBPF program's name that the kernel keeps.
fn cut(name: &str) -> &str {
    &name[..name.len().min(15)]
}
