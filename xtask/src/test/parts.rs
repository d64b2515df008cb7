//! Lists the parts of `cargo xtask test` in the order in which they run. Parts that fail fast come
//! first.

use anyhow::Result;

use super::{
    part::{Depth, Minutes, Outcome, Part, all_required},
    runner::{self, Suite},
};
use crate::{
    advisories, ear, ebpf,
    packages::{self, Need},
    process::{command, is_there, succeed},
    tools, ui, vm,
};

pub(super) static PARTS: [Part; 14] = [
    Part {
        name: "lints",
        about: "checks format and lints of the Rust code",
        minutes: Minutes::new(3.0, 0.4),
        is_quick: true,
        needs: &[packages::BUILD],
        after: None,
        run: lints,
    },
    Part {
        name: "page",
        about: "checks types, lints and tests of the page, and builds it",
        minutes: Minutes::new(1.5, 0.7),
        is_quick: true,
        needs: &[packages::PAGE],
        after: None,
        run: page,
    },
    Part {
        name: "licences",
        about: "checks licences and sources of the dependencies",
        minutes: Minutes::new(0.5, 0.1),
        is_quick: false,
        needs: &[packages::BUILD],
        after: None,
        run: licences,
    },
    Part {
        name: "advisories",
        about: "looks up known vulnerabilities of the dependencies online",
        minutes: Minutes::new(0.5, 0.2),
        is_quick: false,
        needs: &[packages::BUILD, packages::PAGE],
        after: None,
        run: |_| advisories::check(),
    },
    Part {
        name: "build",
        about: "builds all programs and tests, which the parts below use",
        minutes: Minutes::new(8.0, 0.1),
        is_quick: true,
        needs: &[packages::BUILD, packages::PAGE],
        after: Some("page"),
        run: build,
    },
    Part {
        name: "unit",
        about: "runs unit tests, and examples in the code's documentation",
        minutes: Minutes::new(2.0, 2.0),
        is_quick: true,
        needs: &[packages::BUILD, packages::PAGE, packages::TEST],
        after: Some("build"),
        run: |depth| runner::run(Suite::Unit, depth),
    },
    Part {
        name: "kernel",
        about: "compares the collector's counts with the kernel's own",
        minutes: Minutes::new(1.5, 1.5),
        is_quick: false,
        needs: &[packages::BUILD, packages::PAGE, packages::TEST],
        after: Some("build"),
        run: |depth| runner::run(Suite::Kernel, depth),
    },
    Part {
        name: "programs",
        about: "tests khor with real sound servers, buses and a browser",
        minutes: Minutes::new(11.0, 11.0),
        is_quick: true,
        needs: &[packages::BUILD, packages::PAGE, packages::TEST],
        after: Some("build"),
        run: programs,
    },
    Part {
        name: "ebpf",
        about: "checks that the committed eBPF object matches its source",
        minutes: Minutes::new(1.0, 0.3),
        is_quick: false,
        needs: &[packages::BUILD],
        after: None,
        run: object,
    },
    Part {
        name: "judge",
        about: "judges the music of all presets",
        minutes: Minutes::new(9.0, 9.0),
        is_quick: false,
        needs: &[packages::BUILD, packages::PAGE],
        after: Some("build"),
        run: |_| ear::judge(),
    },
    Part {
        name: "vm-5.10",
        about: "tests counts on Debian 11's kernel, in a VM",
        minutes: Minutes::new(2.0, 1.7),
        is_quick: false,
        needs: &[packages::BUILD, packages::PAGE],
        after: Some("build"),
        run: |_| machine("5.10"),
    },
    Part {
        name: "vm-6.1",
        about: "tests counts on Debian 12's kernel, in a VM",
        minutes: Minutes::new(1.5, 1.2),
        is_quick: false,
        needs: &[packages::BUILD, packages::PAGE],
        after: Some("build"),
        run: |_| machine("6.1"),
    },
    Part {
        name: "vm-newest",
        about: "tests counts on Debian's newest kernel, in a VM",
        minutes: Minutes::new(2.5, 2.0),
        is_quick: false,
        needs: &[packages::BUILD, packages::PAGE],
        after: Some("build"),
        run: |_| machine("newest"),
    },
    Part {
        name: "vm-debian",
        about: "tests the package in Debian: units, sessions, MIDI, ALSA",
        minutes: Minutes::new(8.0, 6.5),
        is_quick: false,
        needs: &[packages::BUILD, packages::PAGE],
        after: Some("build"),
        run: |_| debian(),
    },
];

fn lints(_: Depth) -> Result<Outcome> {
    succeed(&mut command("cargo", ["fmt", "--all", "--check"]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    succeed(&mut command("cargo", clippy))?;
    Ok(Outcome::Passed)
}

fn page(depth: Depth) -> Result<Outcome> {
    ui::prepare()?;
    let scripts: &[&str] = if depth == Depth::Quick {
        &["schema:check", "test"]
    } else {
        &["schema:check", "lint", "typecheck", "test"]
    };
    scripts.iter().try_for_each(|script| ui::npm(&["run", script]))?;
    ui::build()?;
    Ok(Outcome::Passed)
}

fn licences(_: Depth) -> Result<Outcome> {
    let deny = tools::cargo_deny()?;
    succeed(&mut command(&deny, ["--all-features", "check", "licenses", "bans", "sources"]))?;
    Ok(Outcome::Passed)
}

fn build(_: Depth) -> Result<Outcome> {
    ui::build_if_stale()?;
    succeed(&mut command("cargo", ["build", "--workspace", "--all-targets"]))?;
    Ok(Outcome::Passed)
}

fn programs(depth: Depth) -> Result<Outcome> {
    tools::python()?;
    runner::run(Suite::Programs, depth)
}

/// Checks that the committed object matches the source of the in-kernel programs.
fn object(_: Depth) -> Result<Outcome> {
    if let Some(reason) = out_of_reach(&[packages::EBPF])? {
        return Ok(Outcome::Skipped(format!(
            "{reason}; `cargo xtask ebpf --check` uses your own eBPF toolchain"
        )));
    }
    packages::install(&[packages::EBPF])?;
    tools::bpf_linker()?;
    ebpf::build(true)?;
    Ok(Outcome::Passed)
}

/// Tests the collector's counts on another kernel, in a virtual machine.
fn machine(kernel: &str) -> Result<Outcome> {
    with_vm(&[packages::VM], || vm::kernel(kernel))
}

/// Tests the package in a complete Debian system, in a virtual machine.
fn debian() -> Result<Outcome> {
    with_vm(&[packages::VM, packages::DEBIAN], vm::debian)
}

fn with_vm(needs: &'static [&'static [Need]], run: impl FnOnce() -> Result<()>) -> Result<Outcome> {
    if let Some(reason) = out_of_reach(needs)? {
        return Ok(Outcome::Skipped(format!(
            "{reason}; `cargo xtask vm all --mirror URL` uses a Debian mirror"
        )));
    }
    run()?;
    Ok(Outcome::Passed)
}

/// The reason why apt cannot install `needs` on this machine, if there is one. Returns `None` if
/// all tests are required: a missing package is then an error, not a skip.
fn out_of_reach(needs: &'static [&'static [Need]]) -> Result<Option<String>> {
    if all_required() {
        return Ok(None);
    }
    if !is_there("apt-get") {
        return Ok(Some("needs Debian's packages".into()));
    }
    let lacking = packages::out_of_reach(needs)?;
    Ok(lacking.map(|what| format!("apt-get has no package for {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_comes_after_what_it_needs() {
        for (place, part) in PARTS.iter().enumerate() {
            let Some(after) = part.after else { continue };
            assert!(PARTS[..place].iter().any(|earlier| earlier.name == after), "{}", part.name);
        }
    }

    #[test]
    fn names_are_unique_and_lines_fit() {
        for part in &PARTS {
            assert_eq!(PARTS.iter().filter(|other| other.name == part.name).count(), 1, "{}", part.name);
            assert!(part.name.len() <= 10 && part.about.len() <= 59, "{}", part.name);
        }
    }
}
