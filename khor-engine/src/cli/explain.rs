//! `khor explain`: what is sounding and why, asked of the running engine.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;

use super::Places;
use crate::{config::Listen, http::read_token};

/// Longest wait for the engine.
const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    places: Places,
    /// Where the engine listens [default: as configured]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ExplainArgs) -> anyhow::Result<()> {
    let listen = args.places.open_config()?.config().listen.clone();
    let address = match &args.listen {
        Some(address) => address.clone(),
        None => configured(&listen)?,
    };
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build().into();
    let mut request = agent.get(format!("http://{address}/api/explain"));
    if let Some(file) = &listen.token_file {
        request = request.header("authorization", format!("Bearer {}", read_token(file)?));
    }
    let answer = request.call();
    let mut answer = answer.with_context(|| format!("no engine answers at {address}: start khor engine"))?;
    let text = answer.body_mut().read_to_string().context("reading the engine's answer")?;
    let explanation: Value = serde_json::from_str(&text).context("reading the engine's answer")?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&explanation)?);
        return Ok(());
    }
    let Some(text) = explanation["text"].as_str() else {
        bail!("{address} is no khor engine of this version")
    };
    print!("{text}");
    Ok(())
}

/// Where an engine of this configuration is reached from here: one that listens everywhere also listens on loopback.
fn configured(listen: &Listen) -> anyhow::Result<String> {
    let host = match listen.host.parse().context("listen.host")? {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    Ok(SocketAddr::new(host, listen.port).to_string())
}
