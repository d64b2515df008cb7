//! `khor-ear` measures khor's presets without human listeners. `cargo xtask ear` builds and runs
//! it.

use std::{fs, path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use khor_ear::{
    adapter,
    judge::{self, Figure, SiteScenes, Verdict},
    plan::Plan,
    table,
    thresholds::Thresholds,
};
use khor_system::files::replace;
use serde_json::{Value, json};

/// The warning that accompanies every set of results.
const CAVEAT: &str = "The classifier guards against regressions. It does not predict what people recognise.";

/// Plays simulated machines through the presets, and measures how well the sound shows what each
/// machine is doing
#[derive(Parser)]
#[command(name = "cargo xtask ear", max_term_width = 80)]
struct Args {
    /// Judge only this preset; repeat the option for more [default: all]
    #[arg(long)]
    preset: Vec<String>,
    /// Play fewer clips; the figures are less exact, and no gate applies
    #[arg(long)]
    quick: bool,
    /// Judge only the music of sites
    #[arg(long, conflicts_with = "hours")]
    only_sites: bool,
    /// Also play the music of an idle machine for this many hours (0.4 to 100), and compare the
    /// last ten minutes with the first ten; an hour of music takes about twenty seconds
    #[arg(long, value_parser = hours)]
    hours: Option<f64>,
    /// Write pictures and figures to this folder
    #[arg(long, default_value = "target/ear")]
    out: PathBuf,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Read the thresholds from this file
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/thresholds.toml"))]
    thresholds: PathBuf,
    /// Update the thresholds file with all figures that improved
    #[arg(long, conflicts_with = "quick")]
    record: bool,
    /// With --record: also update figures that got worse, and store this reason in the file
    #[arg(long, requires = "record")]
    lower: Option<String>,
}

fn hours(text: &str) -> Result<f64> {
    let hours: f64 = text.parse().ok().context("hours must be a number")?;
    ensure!((0.4..=100.0).contains(&hours), "hours must be from 0.4 to 100");
    Ok(hours)
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("khor-ear: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Judges the chosen presets. Returns whether every gate passed.
fn run(args: &Args) -> Result<bool> {
    let mut thresholds = Thresholds::load(&args.thresholds)?;
    let known = adapter::presets();
    if let Some(unknown) = args.preset.iter().find(|name| !known.contains(name)) {
        bail!("unknown preset {unknown}; the presets are {}", known.join(", "));
    }
    let chosen: Vec<&String> =
        known.iter().filter(|name| args.preset.is_empty() || args.preset.contains(name)).collect();
    fs::create_dir_all(&args.out).with_context(|| format!("cannot create {}", args.out.display()))?;
    let plan = Plan { hours: args.hours, ..if args.quick { Plan::QUICK } else { Plan::FULL } };
    let sites = SiteScenes::new(&plan)?;
    let mut verdicts = Vec::new();
    for preset in &chosen {
        let begun = Instant::now();
        let others: Vec<String> = known.iter().filter(|name| name != preset).cloned().collect();
        let verdict = if args.only_sites {
            judge::judge_sites(preset, &sites)?
        } else {
            judge::judge(preset, &others, &sites, &plan, &args.out)?
        };
        if !args.json {
            print!("{}", table::table(&verdict, &thresholds)?);
            println!("  ({:.0} s)\n", begun.elapsed().as_secs_f64());
        }
        verdicts.push(verdict);
    }
    if chosen.len() > 1 && !args.only_sites {
        verdicts.push(compare_presets(&verdicts));
        if !args.json {
            print!("{}", table::table(&verdicts[verdicts.len() - 1], &thresholds)?);
        }
    }
    let figures = verdicts.iter().map(|verdict| table::to_json(verdict, &thresholds));
    let all =
        json!({ "caveat": CAVEAT, "quick": args.quick, "presets": figures.collect::<Result<Vec<Value>>>()? });
    replace(&args.out.join("ear.json"), format!("{all:#}\n").as_bytes()).context("cannot write ear.json")?;
    if args.json {
        println!("{all:#}");
    } else {
        println!("{CAVEAT}");
    }
    let held = args.quick || gates_hold(&verdicts, &thresholds)?;
    if args.record {
        record(&verdicts, &mut thresholds, args)?;
    }
    Ok(held || args.lower.is_some())
}

/// Creates the row that compares the presets. Its value is the loudness difference between the
/// preset with the loudest bed and the one with the quietest, LU.
fn compare_presets(verdicts: &[Verdict]) -> Verdict {
    let of =
        |verdict: &Verdict| verdict.figures.iter().find(|figure| figure.row == "bed_lufs").map(|f| f.value);
    let beds: Vec<f64> = verdicts.iter().filter_map(of).collect();
    let (low, high) = beds
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), bed| (low.min(*bed), high.max(*bed)));
    Verdict {
        preset: "all".into(),
        figures: vec![Figure::new("between_presets", high - low, format!("{} presets", beds.len()))],
        remarks: Vec::new(),
        details: Value::Null,
    }
}

fn gates_hold(verdicts: &[Verdict], thresholds: &Thresholds) -> Result<bool> {
    let mut held = true;
    for verdict in verdicts {
        for figure in table::failed_gates(verdict, thresholds)? {
            held = false;
            eprintln!(
                "{}: gate failed: {} is {}",
                verdict.preset,
                thresholds.row(figure.row)?.what,
                figure.value
            );
        }
    }
    Ok(held)
}

fn record(verdicts: &[Verdict], thresholds: &mut Thresholds, args: &Args) -> Result<()> {
    let mut changed = 0;
    for verdict in verdicts {
        for figure in &verdict.figures {
            let taken =
                thresholds.record(figure.row, &verdict.preset, figure.value, args.lower.as_deref())?;
            changed += usize::from(taken);
        }
    }
    replace(&args.thresholds, thresholds.text().as_bytes())
        .with_context(|| format!("cannot write {}", args.thresholds.display()))?;
    eprintln!("number of figures changed in {}: {changed}", args.thresholds.display());
    Ok(())
}
