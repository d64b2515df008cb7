//! `cargo xtask test`: runs all checks and tests of khor, in parts.
//!
//! [`parts`] lists the parts, [`runner`] runs those that are Rust tests, and [`summary`] shows the
//! results. The parts run one after the other, because two cores are too few for two virtual
//! machines at once, or for a virtual machine and the judge. If a part fails, the parts that need
//! it are skipped, and all other parts run.

mod failures;
mod part;
mod parts;
mod runner;
mod skipped;
mod summary;

use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;

pub(crate) use self::part::Outcome;
use self::{
    part::{Depth, Part},
    parts::PARTS,
    summary::{Row, Verdict},
};
use crate::{interrupt, packages, process::is_root};

#[derive(Args)]
pub(crate) struct TestArgs {
    /// Run only the quick parts and tests: less than ten minutes if everything is built
    #[arg(long)]
    quick: bool,
    /// Run only these parts, such as lints,unit
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = find)]
    only: Vec<&'static Part>,
    /// List the parts with their usual minutes on two cores, and run nothing
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(args: &TestArgs) -> Result<()> {
    if args.list {
        print!("{}", list());
        return Ok(());
    }
    let begun = Instant::now();
    let selected: Vec<&Part> = PARTS.iter().filter(|part| args.wants(part)).collect();
    if selected.is_empty() {
        bail!("--quick runs none of these parts; run them without --quick");
    }
    interrupt::catch();
    introduce();
    let needs: Vec<_> = selected.iter().flat_map(|part| part.needs).copied().collect();
    packages::install(&needs)?;
    skipped::begin()?;
    let rows = run_all(&selected, if args.quick { Depth::Quick } else { Depth::Full });
    println!("{}", summary::table(&rows, &skipped::take(), begun.elapsed()));
    let bad = rows.iter().filter(|row| row.result.is_bad()).count();
    if bad > 0 {
        bail!("{bad} of {} parts did not pass; run one alone with --only NAME", rows.len());
    }
    Ok(())
}

impl TestArgs {
    fn wants(&self, part: &Part) -> bool {
        let named = self.only.is_empty() || self.only.iter().any(|other| other.name == part.name);
        named && (part.is_quick || !self.quick)
    }
}

/// The part with this name.
fn find(name: &str) -> Result<&'static Part> {
    let names = || PARTS.iter().map(|part| part.name).collect::<Vec<_>>().join(", ");
    PARTS
        .iter()
        .find(|part| part.name == name)
        .with_context(|| format!("no such part; the parts are {}", names()))
}

fn list() -> String {
    let row = |part: &Part| {
        let (cold, warm, quick) =
            (part.minutes.cold, part.minutes.warm, if part.is_quick { "*" } else { "" });
        format!("{:<10}{:>3.0} {:>4.0} {quick:1} {}\n", part.name, cold.ceil(), warm.ceil(), part.about)
    };
    let rows: String = PARTS.iter().map(row).collect();
    format!("part      minutes: cold, warm; * is in --quick\n{rows}")
}

fn introduce() {
    if !is_root() {
        println!(
            "not root: tests that load eBPF or create network namespaces are skipped, each with a reason"
        );
    }
    let slowness = khor_patience::slowness();
    println!(
        "the usual minutes are from a reference machine; this machine takes {slowness:.1} times as long now"
    );
}

fn run_all(selected: &[&'static Part], depth: Depth) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (place, part) in selected.iter().enumerate() {
        let begun = Instant::now();
        let result = if let Some(reason) = obstacle(part, &rows) {
            Verdict::NotRun(reason)
        } else {
            let (number, count) = (place + 1, selected.len());
            let (cold, warm) = (part.minutes.cold.ceil(), part.minutes.warm.ceil());
            println!("\n== {number}/{count} {}: {} ({warm:.0} to {cold:.0} min)", part.name, part.about);
            (part.run)(depth).into()
        };
        if let Verdict::Failed(reason) = &result {
            println!("\n== {} FAILED: {reason}", part.name);
        }
        rows.push(Row { part, result, took: begun.elapsed() });
    }
    rows
}

/// The reason why a part cannot start, if there is one.
fn obstacle(part: &Part, rows: &[Row]) -> Option<String> {
    if interrupt::is_set() {
        return Some("interrupted".into());
    }
    let earlier = rows.iter().find(|row| Some(row.part.name) == part.after)?;
    earlier.result.is_bad().then(|| format!("{} did not pass", earlier.part.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_part_error_lists_the_parts() {
        assert!(find("lints").is_ok());
        let error = find("lint").err().map(|error| format!("{error:#}"));
        assert!(error.is_some_and(|error| error.contains("lints, page")));
    }

    #[test]
    fn list_fits_80_columns() {
        assert!(list().lines().all(|line| line.len() <= 80), "{}", list());
    }

    #[test]
    fn part_does_not_start_after_failed_one() {
        let row = |result| Row { part: find("build").unwrap(), result, took: std::time::Duration::ZERO };
        let unit = find("unit").unwrap();
        assert_eq!(obstacle(unit, &[row(Verdict::Passed)]), None);
        assert!(obstacle(unit, &[row(Verdict::Failed("no".into()))]).is_some());
    }
}
