//! Checks whether other users can read the secret files of the NATS connection. With these files, a
//! user can send and receive as this host.

use std::path::{Path, PathBuf};

use khor_api::Check;
use khor_site::nats::{Exposed, NatsSettings};
use khor_system::{files, words::counted};

use super::check::DoctorInput;
use crate::engine::nats_settings;

/// The configuration folder of the relay that runs as a system service. Only root may read the
/// secret files in this folder.
const SYSTEM: &str = "/etc/khor";
/// Names of a relay's secret files. The check looks for them in [`SYSTEM`] and in the folder of the
/// configuration file.
const RELAY_SECRETS: [&str; 3] = ["relay.nk", "relay.creds", "relay.key"];
/// Name of the file that sets a relay's environment variables. Some of these variables contain the
/// paths of further secret files.
const RELAY_ENV: &str = "relay.env";
/// Names of the environment variables whose values are paths of a relay's secret files.
const VARIABLES: [&str; 3] = ["KHOR_NATS_NKEY", "KHOR_NATS_CREDS", "KHOR_NATS_KEY"];
/// Maximum size of a [`RELAY_ENV`] file that is read, in bytes.
const MAX_ENV_BYTES: u64 = 64 * 1024;

pub(super) async fn examine(input: &DoctorInput) -> Check {
    let folders = [Some(Path::new(SYSTEM)), input.config_path.parent()];
    let folders = folders.into_iter().flatten().map(Path::to_owned).collect();
    let nats = nats_settings(&input.config.site.nats);
    let check = tokio::task::spawn_blocking(move || keys(folders, &nats)).await;
    check.unwrap_or_else(|error| Check::off("keys", format!("a bug in khor ended the check: {error}")))
}

fn keys(folders: Vec<PathBuf>, nats: &NatsSettings) -> Check {
    let mut secrets: Vec<PathBuf> = nats.secrets().map(Path::to_owned).collect();
    for folder in folders {
        secrets.extend(RELAY_SECRETS.map(|name| folder.join(name)));
        secrets.extend(named_in(&folder.join(RELAY_ENV)));
    }
    secrets.sort();
    secrets.dedup();
    // Skip files that are missing or that this user cannot reach. `find` fails for these.
    let found: Vec<Option<Exposed>> = secrets.iter().filter_map(|path| Exposed::find(path).ok()).collect();
    let exposed: Vec<&Exposed> = found.iter().flatten().collect();
    if exposed.is_empty() {
        return match found.len() {
            0 => Check::off("keys", "there are no secret files of a NATS connection"),
            count => Check::ok(
                "keys",
                format!("{}, readable by the owner only", counted(count as u64, "secret file")),
            ),
        };
    }
    let detail: Vec<String> =
        exposed.iter().map(|one| format!("{}: {} can read it", one.path.display(), one.readers)).collect();
    let paths: Vec<String> = exposed.iter().map(|one| one.path.display().to_string()).collect();
    let paths = paths.join(" ");
    let fix = if exposed.iter().any(|one| one.path.starts_with(SYSTEM)) {
        format!(
            "sudo chown root:root {paths} && sudo chmod 600 {paths}: khor-relay.service loads them as root"
        )
    } else {
        format!("chmod 600 {paths}")
    };
    Check::problem("keys", format!("{}; these users can act as this host", detail.join("; ")), fix)
}

/// Returns the secret files that the variables in the file `env` name. Returns an empty list if
/// `env` cannot be read.
fn named_in(env: &Path) -> Vec<PathBuf> {
    let text = files::read_text(env, MAX_ENV_BYTES).unwrap_or_default();
    let named = text.lines().filter_map(|line| {
        let (name, value) = line.trim().split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        (VARIABLES.contains(&name) && !value.is_empty()).then(|| PathBuf::from(value))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::doctor::CheckState;

    #[test]
    fn group_readable_keys_are_reported() {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("elsewhere.seed");
        let check_keys = || keys(vec![dir.path().to_owned()], &NatsSettings::default());
        assert_eq!(check_keys().state, CheckState::Off);
        fs::write(&key, "SU").unwrap();
        fs::write(dir.path().join(RELAY_ENV), format!("KHOR_SITE=x\nKHOR_NATS_NKEY=\"{}\"\n", key.display()))
            .unwrap();
        let with_mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            check_keys()
        };
        assert_eq!(with_mode(&key, 0o600).state, CheckState::Ok);
        let open = with_mode(&key, 0o640);
        assert_eq!(open.state, CheckState::Problem);
        assert!(open.fix.unwrap().contains(&format!("chmod 600 {}", key.display())));
        with_mode(&key, 0o600);
        let relay = dir.path().join("relay.creds");
        fs::write(&relay, "JWT").unwrap();
        let open = with_mode(&relay, 0o644);
        assert!(open.detail.contains("relay.creds: all users can read it"), "{open:?}");
    }
}
