//! `khor explain`: prints what the running engine plays and why.

use clap::Args;
use khor_api::Explanation;
use khor_command_line::print::{print, print_json};

use super::client::EngineAddress;

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    engine: EngineAddress,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let explanation: Explanation = args.engine.client()?.get("explain")?;
    if args.json {
        return print_json(&explanation);
    }
    print(explanation.text)
}
