//! Checks the unit files with systemd.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use khor_e2e::{
    documents::{documents, words},
    engine::program,
    free_port,
    skip::skip,
    wait_for,
};
use khor_patience::progress;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

/// Tenths, as `systemd-analyze` takes them: design promises at most 1.5 for the collector.
const COLLECTOR_EXPOSURE: &str = "15";

fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the checkout").join("systemd")
}

fn analyze(arguments: &[&str]) -> Option<(bool, String)> {
    progress(format!("running systemd-analyze {arguments:?}"));
    // systemd checks a user's units only within a session, so an empty directory stands for its
    // sockets.
    let session = TempDir::new().expect("a directory");
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .arg("--no-pager")
        .env("XDG_RUNTIME_DIR", session.path())
        .output()
        .ok()?;
    let said = [&output.stdout[..], &output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn the_collector_is_hardly_exposed() {
    let unit = units().join("khor-collector.service");
    let threshold = format!("--threshold={COLLECTOR_EXPOSURE}");
    let Some((safe, said)) =
        analyze(&["security", "--offline=yes", &threshold, unit.to_str().expect("UTF-8")])
    else {
        return skip("needs systemd-analyze");
    };
    println!("{}", said.lines().last().unwrap_or_default());
    assert!(safe, "{said}");
}

/// Tenths: design promises at most 3.0 for the engine.
const ENGINE_EXPOSURE: &str = "30";

#[test]
fn the_engine_is_little_exposed() {
    let unit = units().join("khor-engine.service");
    let threshold = format!("--threshold={ENGINE_EXPOSURE}");
    let Some((safe, said)) =
        analyze(&["security", "--user", "--offline=yes", &threshold, unit.to_str().expect("UTF-8")])
    else {
        return skip("needs systemd-analyze");
    };
    println!("{}", said.lines().last().unwrap_or_default());
    assert!(safe, "{said}");
}

/// Tenths, as for the engine; as a service of the machine it gives up more.
#[test]
fn the_relay_is_hardly_exposed() {
    for (unit, scope, threshold) in
        [("khor-relay.service", None, "15"), ("khor-relay-user.service", Some("--user"), ENGINE_EXPOSURE)]
    {
        let unit = units().join(unit);
        let threshold = format!("--threshold={threshold}");
        let arguments = ["security", "--offline=yes", &threshold, unit.to_str().expect("UTF-8")];
        let arguments: Vec<&str> = arguments.into_iter().chain(scope).collect();
        let Some((safe, said)) = analyze(&arguments) else { return skip("needs systemd-analyze") };
        println!("{}", said.lines().last().unwrap_or_default());
        assert!(safe, "{said}");
    }
}

/// The unit must allow everything that the collector's own filter allows, and what its start needs.
#[test]
fn unit_allows_needed_system_calls() {
    const TO_START: [&str; 7] = ["bpf", "capset", "execve", "getdents64", "prctl", "seccomp", "clone3"];
    let source = include_str!("../../khor-collector/src/privilege/seccomp.rs");
    let source = source.split("mod tests").next().expect("what comes before the tests");
    let itself = source.split("libc::SYS_").skip(1).map(|rest| {
        rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().expect("a name")
    });
    let unit = std::fs::read_to_string(units().join("khor-collector.service")).expect("the unit");
    let mut allowed = BTreeSet::new();
    for line in unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        let (words, deny) = line.strip_prefix('~').map_or((line, false), |words| (words, true));
        for word in words.split_whitespace() {
            let Some(calls) = members(word) else { return skip("needs systemd-analyze") };
            for call in calls {
                if deny {
                    allowed.remove(&call)
                } else {
                    allowed.insert(call)
                };
            }
        }
    }
    let missing: Vec<_> = itself.chain(TO_START).filter(|call| !allowed.contains(*call)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The calls of a group, and of groups within it; a call by itself.
fn members(word: &str) -> Option<Vec<String>> {
    if !word.starts_with('@') {
        return Some(vec![word.to_owned()]);
    }
    let (_, said) = analyze(&["syscall-filter", word])?;
    let words =
        said.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| !line.starts_with('#'));
    let nested: Option<Vec<_>> = words.map(members).collect();
    Some(nested?.into_iter().flatten().collect())
}

/// The units have no misspelt or unknown settings. The check uses the built program in place of the
/// installed one.
#[test]
fn systemd_understands_every_line() {
    let dir = TempDir::new().expect("a directory");
    let built = program("khor").display().to_string();
    let copied = |name: &&str| {
        let text = std::fs::read_to_string(units().join(name)).expect("a unit");
        // The other programs' names begin with this one.
        let text = text.replace("/usr/bin/khor", &built);
        let path = dir.path().join(name.replace("-user", ""));
        std::fs::write(&path, text).expect("a copy");
        path.display().to_string()
    };
    for (scope, names) in [
        ("--system", &["khor-collector.service", "khor-collector.socket", "khor-relay.service"][..]),
        ("--user", &["khor-engine.service", "khor-engine.socket", "khor-relay-user.service"]),
    ] {
        let paths: Vec<String> = names.iter().map(copied).collect();
        let arguments: Vec<&str> =
            ["verify", scope].into_iter().chain(paths.iter().map(String::as_str)).collect();
        let Some((sound, said)) = analyze(&arguments) else { return skip("needs systemd-analyze") };
        // Ignore systemd's messages about other units of this machine.
        let ours: Vec<_> = said.lines().filter(|line| line.contains("khor")).collect();
        assert!(ours.is_empty() && (sound || !said.contains("khor")), "{said}");
    }
}

/// The first request takes over the listener of the socket unit, and is answered.
#[test]
fn page_starts_engine_through_socket() {
    let unit = std::fs::read_to_string(units().join("khor-engine.socket")).expect("the unit");
    let address = unit.lines().find_map(|line| line.strip_prefix("ListenStream=")).expect("an address");
    let defaults = std::fs::read_to_string(units().with_file_name("docs/api.md")).expect("the API's page");
    assert!(defaults.contains(&format!("`{address}` (`--listen`")), "{address} is not where pages look");
    let (dir, port) = (TempDir::new().expect("a directory"), free_port());
    let started = Command::new("systemd-socket-activate")
        .arg(format!("--listen={}", address.replace("17321", &port.to_string())))
        .arg(program("khor"))
        .args(["engine", "--fake", "--no-audio", "--config"])
        .arg(dir.path().join("config.json"))
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut engine) = started else { return skip("needs systemd-socket-activate") };
    // It listens a moment after it was started; the connection that starts the engine waits for it.
    let answer = wait_for("an answer through the socket", || {
        let asked = ureq::get(format!("http://127.0.0.1:{port}/api/health")).call();
        asked.and_then(|mut answer| answer.body_mut().read_to_string()).ok()
    });
    // It became the engine.
    kill(Pid::from_raw(engine.id() as i32), Signal::SIGTERM).expect("signalling it");
    assert!(engine.wait().expect("its end").success());
    assert!(answer.contains("\"kind\":\"demo\""), "{answer}");
}

/// The files that are written by hand: every option of the collector, a menu entry, and the
/// software centre's page.
#[test]
fn handwritten_units_are_correct() {
    let packaging = units().with_file_name("packaging");
    let page = std::fs::read_to_string(packaging.join("man/khor-collector.8")).expect("the page");
    let help = Command::new(program("khor-collector")).arg("--help").output().expect("its help").stdout;
    let help = String::from_utf8_lossy(&help).into_owned();
    let options = help.split_whitespace().filter(|word| word.starts_with("--"));
    let options: BTreeSet<_> =
        options.map(|word| word.trim_end_matches([',', ':', ';']).to_owned()).collect();
    assert!(options.len() >= 7, "{options:?}");
    let told = documents().into_iter().flat_map(|document| document.command_lines());
    for line in told.filter(|line| line.starts_with("khor-collector ")) {
        let mut told = words(&line).into_iter().filter(|word| word.starts_with("--"));
        assert!(told.all(|option| options.contains(&option)), "in the documents: {line}");
    }
    for option in options {
        assert!(page.contains(&option.replace('-', "\\-")), "{option} is not in the manual");
    }
    for (validator, arguments, file) in [
        ("desktop-file-validate", &[][..], "desktop/org.khor.Khor.desktop"),
        ("appstreamcli", &["validate", "--no-net", "--explain"], "desktop/org.khor.Khor.metainfo.xml"),
    ] {
        let Ok(output) = Command::new(validator).args(arguments).arg(packaging.join(file)).output() else {
            return skip(&format!("needs {validator}"));
        };
        let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{file}: {said}");
    }
    for script in [
        "deb/postinst",
        "deb/prerm",
        "deb/postrm",
        "rpm/post-install.sh",
        "rpm/pre-uninstall.sh",
        "rpm/post-uninstall.sh",
        "arch/PKGBUILD",
        "arch/khor.install",
    ] {
        let shell = if script.starts_with("arch") { "bash" } else { "sh" };
        let parsed = Command::new(shell).arg("-n").arg(packaging.join(script)).status().expect("a shell");
        assert!(parsed.success(), "{script}");
    }
}

/// The files of the checkout that a package has, from the manifest of a crate in khor-engine.
/// systemd's presets are left out, because Arch enables nothing by itself.
fn sources(crate_folder: &str) -> Vec<String> {
    let path = units().with_file_name("khor-engine").join(crate_folder).join("Cargo.toml");
    let manifest = std::fs::read_to_string(path).expect("the manifest");
    let sources = manifest.lines().filter_map(|line| line.split_once("{ source = \"")?.1.split('"').next());
    let kept = sources.filter(|it| !it.starts_with("target/") && !it.ends_with(".preset"));
    kept.map(str::to_owned).collect()
}

/// All packages install the same files. The manifest lists them for two packages, and Arch's has
/// its own lines.
#[test]
fn arch_package_installs_same_files() {
    let root = units().with_file_name("");
    let recipe = std::fs::read_to_string(root.join("packaging/arch/PKGBUILD")).expect("the recipe");
    let ours = sources("cli");
    assert!(ours.len() >= 12, "{ours:?}");
    for source in &ours {
        assert!(root.join(source).is_file() && recipe.contains(source), "{source} is not in the PKGBUILD");
    }
    let version = env!("CARGO_PKG_VERSION");
    assert!(recipe.contains(&format!("\npkgver={version}\n")), "the version is not {version}");
}

/// Installed in place of khor-relay, khor has all of its files.
#[test]
fn khor_has_the_files_of_khor_relay() {
    let (khor, relay) = (sources("cli"), sources("relay"));
    assert!(relay.len() >= 10, "{relay:?}");
    for source in relay {
        assert!(khor.contains(&source), "{source} is in khor-relay only");
    }
}
