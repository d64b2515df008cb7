//! `khor completions` and `khor man`: the command line, for shells and for `man`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use khor_command_line::print::print;
use khor_system::files::write_output;

#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// For which shell
    shell: Shell,
}

#[derive(Args, Debug)]
pub(super) struct ManArgs {
    /// Write khor.1 and a page for each command into this folder, instead of printing khor.1
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the script.
pub(super) fn completions(args: &CompletionsArgs) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "khor", &mut script);
    print(String::from_utf8(script).context("the script is not UTF-8")?)
}

/// Prints the page, or writes all of them.
pub(super) fn man(args: &ManArgs) -> anyhow::Result<()> {
    if let Some(dir) = &args.dir {
        return pages(dir);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    print(String::from_utf8(page).context("the page is not UTF-8")?)
}

/// Writes all man pages. Each page replaces the old one once it is complete.
fn pages(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    let fresh = tempfile::tempdir().context("making a temporary folder")?;
    clap_mangen::generate_to(Cli::command(), fresh.path()).context("making the pages")?;
    // `khor relay` is also a program of its own. One page describes both.
    clap_mangen::Man::new(relay()).generate_to(fresh.path()).context("making the page of khor-relay")?;
    for page in fs::read_dir(fresh.path())? {
        let page = page?;
        let place = dir.join(page.file_name());
        write_output(&place, &fs::read(page.path())?)
            .with_context(|| format!("writing {}", place.display()))?;
    }
    Ok(())
}

/// The command line of the program `khor-relay`.
fn relay() -> clap::Command {
    let khor = Cli::command();
    let relay = khor.find_subcommand("relay").cloned().unwrap_or_else(|| clap::Command::new("relay"));
    let after = format!("The command khor relay is the same program.\n\n{}", khor_command_line::EXIT_CODES);
    relay.name("khor-relay").version(env!("CARGO_PKG_VERSION")).after_help(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_of_the_relay_is_the_programs() {
        let dir = tempfile::tempdir().unwrap();
        pages(dir.path()).unwrap();
        let page = fs::read_to_string(dir.path().join("khor-relay.1")).unwrap();
        let synopsis = page.split(".SH SYNOPSIS").nth(1).unwrap().lines().nth(1).unwrap();
        assert!(synopsis.starts_with("\\fBkhor\\-relay\\fR"), "{synopsis}");
        assert!(page.contains("khor relay"), "{page}");
        assert!(dir.path().join("khor-record.1").exists());
    }
}
