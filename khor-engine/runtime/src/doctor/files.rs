//! Checks the configuration file, the preset files, and the address of the page.

use std::net::SocketAddr;

use khor_api::Check;
use khor_config::{ConfigStore, InspectedConfig, presets_dir};
use khor_system::words::counted;
use tokio::net::TcpListener;

use super::check::DoctorInput;
use crate::engine::Library;

pub(super) async fn examine(input: &DoctorInput) -> Vec<Check> {
    vec![config(input), presets(input), page(input).await]
}

fn config(input: &DoctorInput) -> Check {
    let (name, path) = ("config", input.config_path.display());
    match ConfigStore::inspect(&input.config_path) {
        Ok(None) => Check::ok(name, format!("{path} does not exist, so khor uses the defaults")),
        Ok(Some(inspected)) => readable_config(input, &inspected),
        Err(error) => Check::problem(
            name,
            format!(
                "{error}; an engine that starts now uses the defaults and does not serve its page and API"
            ),
            format!("fix the file, or start with the defaults: mv {path} {path}.old"),
        ),
    }
}

fn readable_config(input: &DoctorInput, inspected: &InspectedConfig) -> Check {
    let path = input.config_path.display();
    let problem = |detail: &str, fix: &str| Check::problem("config", format!("{path}: {detail}"), fix);
    let InspectedConfig { config, problems, unknown_keys, listen_error } = inspected;
    if let Some(error) = listen_error {
        return problem(
            &format!("{error}; an engine that starts now does not serve its page and API"),
            "fix the section listen, then restart khor engine",
        );
    }
    if !problems.is_empty() {
        return problem(
            &problems.join("; "),
            "fix these settings; until then khor uses their previous values or defaults",
        );
    }
    if let Some(unknown_keys) = unknown_keys {
        return problem(unknown_keys, "fix the spelling, or remove the unknown keys");
    }
    let idle = config.site.idle_keys();
    // Also look at `input.config`, which includes the options of the running engine. If it was
    // started with `--site`, the settings of the file have an effect.
    if !idle.is_empty() && input.config.site.name.is_empty() {
        return problem(
            &format!("these settings have no effect without a site: {}", idle.join(", ")),
            "set site.name, or start khor engine with --site NAME",
        );
    }
    Check::ok("config", path.to_string())
}

fn presets(input: &DoctorInput) -> Check {
    let library = Library::open(presets_dir(&input.config_path));
    let (name, wanted) = ("presets", &input.config.music.preset);
    let problems = library.problems();
    if !problems.is_empty() {
        return Check::problem(
            name,
            problems.join("; "),
            "fix the listed files; khor presets --check FILE checks one file",
        );
    }
    if library.find(wanted).is_none() {
        return Check::problem(
            name,
            format!("there is no preset {wanted}"),
            "choose another preset; khor presets lists them",
        );
    }
    Check::ok(name, format!("{}; {wanted} is selected", counted(library.presets().count() as u64, "preset")))
}

async fn page(input: &DoctorInput) -> Check {
    let (name, listen) = ("page", &input.config.listen);
    let Ok(host) = listen.host.parse() else {
        return Check::problem(
            name,
            format!("listen.host: {} is not an IP address", listen.host),
            "set listen.host to 127.0.0.1",
        );
    };
    let address = SocketAddr::new(host, listen.port);
    if let Some(version) = input.health.as_ref().map(|health| &health.version) {
        return Check::ok(name, format!("khor engine {version} at http://{address}"));
    }
    match TcpListener::bind(address).await {
        Ok(_) => Check::off(
            name,
            format!(
                "no engine runs at {address}; start one: khor engine, or systemctl --user start khor-engine"
            ),
        ),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Check::problem(
            name,
            format!("another program listens at {address}"),
            "stop that program, or choose another port with listen.port or --listen",
        ),
        Err(error) => Check::problem(
            name,
            format!("cannot listen at {address}: {error}"),
            "choose another address with listen.host and listen.port",
        ),
    }
}
