//! Generates shell completions (`khor completions`) and manual pages (`khor man`).

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;
use khor_command_line::print::print;
use khor_system::files::write_output;

#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// The shell that runs the script
    shell: Shell,
}

#[derive(Args, Debug)]
pub(super) struct ManArgs {
    /// Write khor.1 and one page for each command to this folder, instead of printing khor.1
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints the completion script.
pub(super) fn completions(args: &CompletionsArgs, mut command: Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "khor", &mut script);
    print(String::from_utf8(script).context("the completion script is not UTF-8")?)
}

/// Prints the manual page, or writes all manual pages.
pub(super) fn man(args: &ManArgs, command: Command) -> anyhow::Result<()> {
    if let Some(dir) = &args.dir {
        return write_pages(dir, command);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    print(String::from_utf8(page).context("the manual page is not UTF-8")?)
}

/// Writes all manual pages to a folder. Replaces an old page only when the new one is complete.
fn write_pages(dir: &Path, command: Command) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let fresh = tempfile::tempdir().context("cannot create a temporary folder")?;
    // Also write a page for the program `khor-relay`, which does the same as `khor relay`.
    let relay = relay_command(&command);
    clap_mangen::generate_to(command, fresh.path()).context("cannot generate the manual pages")?;
    clap_mangen::Man::new(relay)
        .generate_to(fresh.path())
        .context("cannot generate the manual page of khor-relay")?;
    for page in fs::read_dir(fresh.path())? {
        let page = page?;
        let path = dir.join(page.file_name());
        write_output(&path, &fs::read(page.path())?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Returns the command line of the program `khor-relay`.
fn relay_command(khor: &Command) -> Command {
    let relay = khor.find_subcommand("relay").cloned().unwrap_or_else(|| Command::new("relay"));
    let after =
        format!("This program does the same as the command khor relay.\n\n{}", khor_command_line::AFTER_HELP);
    relay.name("khor-relay").version(env!("CARGO_PKG_VERSION")).after_help(after)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::Cli;

    #[test]
    fn relay_program_has_a_manual_page() {
        let dir = tempfile::tempdir().unwrap();
        write_pages(dir.path(), Cli::command()).unwrap();
        let page = fs::read_to_string(dir.path().join("khor-relay.1")).unwrap();
        let synopsis = page.split(".SH SYNOPSIS").nth(1).unwrap().lines().nth(1).unwrap();
        assert!(synopsis.starts_with("\\fBkhor\\-relay\\fR"), "{synopsis}");
        assert!(page.contains("khor relay"), "{page}");
        assert!(dir.path().join("khor-record.1").exists());
    }
}
