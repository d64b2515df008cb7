//! `khor open`: opens the page of the user's engine in the browser.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use clap::Args;
use khor_api::HealthReport;
use khor_command_line::print::print_line;

use super::client::EngineAddress;

#[derive(Args, Debug)]
pub(super) struct OpenArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// Print the page's address instead of opening it
    #[arg(long)]
    print: bool,
}

pub(super) fn run(args: &OpenArgs) -> anyhow::Result<()> {
    let client = args.engine.client()?;
    // Send a request first. It fails with a helpful error if no engine is running, or if the engine
    // belongs to another user.
    client.get::<HealthReport>("health")?;
    let url = client.url();
    if args.print {
        return print_line(url);
    }
    let opener = Command::new("xdg-open").arg(&url).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let opened = opener.with_context(|| format!("cannot start xdg-open; open {url} in a browser"))?;
    if !opened.success() {
        bail!("xdg-open cannot open a browser; open {url} in a browser");
    }
    Ok(())
}
