//! khor's own: configuration, presets, and the place where the page is.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::net::TcpListener;

use super::{Check, Patient};
use crate::{
    config::{ConfigStore, presets_dir},
    engine::Library,
};

/// Longest wait for whoever listens at the page's port.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn examine(patient: &Patient) -> Vec<Check> {
    vec![config(patient), presets(patient), page(patient).await]
}

fn config(patient: &Patient) -> Check {
    let (name, path) = ("config", patient.config_path.display());
    match ConfigStore::check(&patient.config_path) {
        Ok(None) => Check::ok(name, format!("{path}: not there, so the defaults hold")),
        Ok(Some(warnings)) if warnings.is_empty() => Check::ok(name, path.to_string()),
        Ok(Some(warnings)) => Check::problem(
            name,
            format!("{path}: {}", warnings.join("; ")),
            "mend the spelling, or remove what isn't khor's",
        ),
        Err(problem) => Check::problem(
            name,
            format!("{path}: {problem}"),
            format!("mend it, or begin anew: mv {path} {path}.bad"),
        ),
    }
}

fn presets(patient: &Patient) -> Check {
    let library = Library::open(presets_dir(&patient.config_path));
    let (name, wanted) = ("presets", &patient.config.music.preset);
    let problems = library.problems();
    if !problems.is_empty() {
        return Check::problem(
            name,
            problems.join("; "),
            "mend the line; khor presets --check FILE tells more",
        );
    }
    if library.find(wanted).is_none() {
        return Check::problem(
            name,
            format!("there is no preset {wanted}"),
            "choose another: khor presets lists them",
        );
    }
    Check::ok(name, format!("{} of them, {wanted} is chosen", library.presets().count()))
}

async fn page(patient: &Patient) -> Check {
    let (name, listen) = ("page", &patient.config.listen);
    let Ok(host) = listen.host.parse() else {
        return Check::problem(
            name,
            format!("listen.host: {} is no address", listen.host),
            "set it to 127.0.0.1",
        );
    };
    let address = SocketAddr::new(host, listen.port);
    if patient.is_engine {
        return Check::ok(name, format!("http://{address}"));
    }
    match TcpListener::bind(address).await {
        Ok(_) => Check::off(
            name,
            format!("no engine runs at {address}: khor engine, or systemctl --user start khor-engine"),
        ),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => match version_at(address).await {
            Some(version) => Check::ok(name, format!("khor engine {version} at http://{address}")),
            None => Check::problem(
                name,
                format!("another program has {address}"),
                "end it, or choose another place: listen.port in the configuration, or --listen",
            ),
        },
        Err(error) => {
            Check::problem(name, format!("{address}: {error}"), "choose another: listen in the configuration")
        }
    }
}

/// The version of the engine that answers there.
async fn version_at(address: SocketAddr) -> Option<String> {
    let asked = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
        let text = agent
            .get(format!("http://{address}/api/health"))
            .call()
            .ok()?
            .body_mut()
            .read_to_string()
            .ok()?;
        serde_json::from_str::<Value>(&text).ok()?["version"].as_str().map(str::to_owned)
    });
    asked.await.ok()?
}
