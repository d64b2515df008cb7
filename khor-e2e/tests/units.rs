//! Checks systemd units, package files and their documentation.

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

/// Highest exposure of the collector's unit that the test accepts from `systemd-analyze security`.
/// The value is in tenths: 15 means an exposure of 1.5.
const COLLECTOR_EXPOSURE: &str = "15";

fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository's root").join("systemd")
}

/// Runs `systemd-analyze`. Returns whether it succeeded, and its output. `None` if it is not
/// installed.
fn analyze(arguments: &[&str]) -> Option<(bool, String)> {
    progress(format!("running systemd-analyze {arguments:?}"));
    // systemd checks user units only within a session. An empty runtime directory is enough to
    // simulate a session.
    let session = TempDir::new().expect("creating a temporary directory");
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .arg("--no-pager")
        .env("XDG_RUNTIME_DIR", session.path())
        .output()
        .ok()?;
    let printed = [&output.stdout[..], &output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&printed).into_owned()))
}

#[test]
fn collector_unit_has_low_exposure() {
    let unit = units().join("khor-collector.service");
    let threshold = format!("--threshold={COLLECTOR_EXPOSURE}");
    let Some((safe, text)) =
        analyze(&["security", "--offline=yes", &threshold, unit.to_str().expect("a UTF-8 path")])
    else {
        return skip("needs systemd-analyze");
    };
    println!("{}", text.lines().last().unwrap_or_default());
    assert!(safe, "{text}");
}

/// Highest exposure of the engine's unit that the test accepts, in tenths: 30 means an exposure of
/// 3.0.
const ENGINE_EXPOSURE: &str = "30";

#[test]
fn engine_unit_has_low_exposure() {
    let unit = units().join("khor-engine.service");
    let threshold = format!("--threshold={ENGINE_EXPOSURE}");
    let Some((safe, text)) =
        analyze(&["security", "--user", "--offline=yes", &threshold, unit.to_str().expect("a UTF-8 path")])
    else {
        return skip("needs systemd-analyze");
    };
    println!("{}", text.lines().last().unwrap_or_default());
    assert!(safe, "{text}");
}

/// The limit on the exposure is lower for the relay's system unit than for its user unit.
#[test]
fn relay_units_have_low_exposure() {
    for (unit, scope, threshold) in
        [("khor-relay.service", None, "15"), ("khor-relay-user.service", Some("--user"), ENGINE_EXPOSURE)]
    {
        let unit = units().join(unit);
        let threshold = format!("--threshold={threshold}");
        let arguments = ["security", "--offline=yes", &threshold, unit.to_str().expect("a UTF-8 path")];
        let arguments: Vec<&str> = arguments.into_iter().chain(scope).collect();
        let Some((safe, text)) = analyze(&arguments) else { return skip("needs systemd-analyze") };
        println!("{}", text.lines().last().unwrap_or_default());
        assert!(safe, "{text}");
    }
}

/// The unit must allow all system calls that the collector's own filter allows, and all that the
/// collector needs to start.
#[test]
fn unit_allows_needed_system_calls() {
    const TO_START: [&str; 7] = ["bpf", "capset", "execve", "getdents64", "prctl", "seccomp", "clone3"];
    let source = include_str!("../../khor-collector/src/privilege/seccomp.rs");
    let source = source.split("mod tests").next().expect("the code before the tests");
    let own_filter = source.split("libc::SYS_").skip(1).map(|rest| {
        rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .next()
            .expect("a name of a system call")
    });
    let unit = std::fs::read_to_string(units().join("khor-collector.service")).expect("reading the unit");
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
    let missing: Vec<_> = own_filter.chain(TO_START).filter(|call| !allowed.contains(*call)).collect();
    assert!(missing.is_empty(), "the unit denies these system calls: {missing:?}");
}

/// The system calls of a group such as `@basic-io`, including those of nested groups. A name
/// without `@` is a single call.
fn members(word: &str) -> Option<Vec<String>> {
    if !word.starts_with('@') {
        return Some(vec![word.to_owned()]);
    }
    let (_, text) = analyze(&["syscall-filter", word])?;
    let words =
        text.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| !line.starts_with('#'));
    let nested: Option<Vec<_>> = words.map(members).collect();
    Some(nested?.into_iter().flatten().collect())
}

/// systemd must accept all settings of the units. The check uses the built programs instead of the
/// installed ones.
#[test]
fn systemd_accepts_all_units() {
    let dir = TempDir::new().expect("creating a temporary directory");
    let built = program("khor").display().to_string();
    let copied = |name: &&str| {
        let text = std::fs::read_to_string(units().join(name)).expect("reading a unit");
        // The path of each program begins with `/usr/bin/khor`. So this also replaces the paths of
        // the collector and the relay.
        let text = text.replace("/usr/bin/khor", &built);
        let path = dir.path().join(name.replace("-user", ""));
        std::fs::write(&path, text).expect("writing a copy of the unit");
        path.display().to_string()
    };
    for (scope, names) in [
        ("--system", &["khor-collector.service", "khor-collector.socket", "khor-relay.service"][..]),
        ("--user", &["khor-engine.service", "khor-engine.socket", "khor-relay-user.service"]),
    ] {
        let paths: Vec<String> = names.iter().map(copied).collect();
        let arguments: Vec<&str> =
            ["verify", scope].into_iter().chain(paths.iter().map(String::as_str)).collect();
        let Some((sound, text)) = analyze(&arguments) else { return skip("needs systemd-analyze") };
        // Ignore systemd's messages about other units of this machine.
        let ours: Vec<_> = text.lines().filter(|line| line.contains("khor")).collect();
        assert!(ours.is_empty() && (sound || !text.contains("khor")), "{text}");
    }
}

/// The first connection to the socket unit starts the engine, which takes over the socket and
/// responds.
#[test]
fn page_starts_engine_through_socket() {
    let unit = std::fs::read_to_string(units().join("khor-engine.socket")).expect("reading the unit");
    let address =
        unit.lines().find_map(|line| line.strip_prefix("ListenStream=")).expect("ListenStream in the unit");
    let defaults =
        std::fs::read_to_string(units().with_file_name("docs/api.md")).expect("reading docs/api.md");
    assert!(
        defaults.contains(&format!("`{address}` (`--listen`")),
        "docs/api.md does not name the address {address} as the default"
    );
    let (dir, port) = (TempDir::new().expect("creating a temporary directory"), free_port());
    let started = Command::new("systemd-socket-activate")
        .arg(format!("--listen={}", address.replace("17321", &port.to_string())))
        .arg(program("khor"))
        .args(["engine", "--fake", "--no-audio", "--config"])
        .arg(dir.path().join("config.json"))
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut engine) = started else { return skip("needs systemd-socket-activate") };
    // systemd-socket-activate does not listen at once after its start, so try to connect until this
    // succeeds. The first connection starts the engine, which then answers on this connection.
    let answer = wait_for("a response through the socket", || {
        let answer = ureq::get(format!("http://127.0.0.1:{port}/api/health")).call();
        answer.and_then(|mut answer| answer.body_mut().read_to_string()).ok()
    });
    // The process of systemd-socket-activate is now the engine.
    kill(Pid::from_raw(engine.id() as i32), Signal::SIGTERM).expect("sending SIGTERM to the engine");
    assert!(
        engine.wait().expect("waiting for the engine").success(),
        "the engine did not exit with status 0"
    );
    assert!(answer.contains("\"kind\":\"demo\""), "{answer}");
}

/// Checks files that are written by hand: the collector's manual page, the desktop files, and the
/// scripts of packages.
#[test]
fn handwritten_package_files_are_correct() {
    let packaging = units().with_file_name("packaging");
    let page =
        std::fs::read_to_string(packaging.join("man/khor-collector.8")).expect("reading the manual page");
    let help = Command::new(program("khor-collector"))
        .arg("--help")
        .output()
        .expect("starting khor-collector")
        .stdout;
    let help = String::from_utf8_lossy(&help).into_owned();
    let options = help.split_whitespace().filter(|word| word.starts_with("--"));
    let options: BTreeSet<_> =
        options.map(|word| word.trim_end_matches([',', ':', ';']).to_owned()).collect();
    assert!(options.len() >= 7, "too few options in the help: {options:?}");
    let lines = documents().into_iter().flat_map(|document| document.command_lines());
    for line in lines.filter(|line| line.starts_with("khor-collector ")) {
        let mut used = words(&line).into_iter().filter(|word| word.starts_with("--"));
        assert!(used.all(|option| options.contains(&option)), "a document uses an unknown option: {line}");
    }
    for option in options {
        assert!(page.contains(&option.replace('-', "\\-")), "the manual page does not describe {option}");
    }
    for (validator, arguments, file) in [
        ("desktop-file-validate", &[][..], "desktop/org.khor.Khor.desktop"),
        ("appstreamcli", &["validate", "--no-net", "--explain"], "desktop/org.khor.Khor.metainfo.xml"),
    ] {
        let Ok(output) = Command::new(validator).args(arguments).arg(packaging.join(file)).output() else {
            return skip(&format!("needs {validator}"));
        };
        let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{file}: {text}");
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
        let parsed =
            Command::new(shell).arg("-n").arg(packaging.join(script)).status().expect("starting a shell");
        assert!(parsed.success(), "{shell} cannot parse packaging/{script}");
    }
}

/// The repository's files that a package contains, from the manifest of a crate in khor-engine.
/// Built programs are excluded, as are systemd's presets, because Arch enables no units.
fn sources(crate_folder: &str) -> Vec<String> {
    let path = units().with_file_name("khor-engine").join(crate_folder).join("Cargo.toml");
    let manifest = std::fs::read_to_string(path).expect("reading the manifest");
    let sources = manifest.lines().filter_map(|line| line.split_once("{ source = \"")?.1.split('"').next());
    let kept = sources.filter(|path| !path.starts_with("target/") && !path.ends_with(".preset"));
    kept.map(str::to_owned).collect()
}

/// All packages of khor install the same files. The manifest lists them for deb and rpm, and the
/// PKGBUILD for Arch.
#[test]
fn arch_package_installs_same_files() {
    let root = units().with_file_name("");
    let recipe = std::fs::read_to_string(root.join("packaging/arch/PKGBUILD")).expect("reading the PKGBUILD");
    let sources = sources("cli");
    assert!(sources.len() >= 12, "too few files in the manifest: {sources:?}");
    for source in &sources {
        assert!(root.join(source).is_file() && recipe.contains(source), "{source} is not in the PKGBUILD");
    }
    let version = env!("CARGO_PKG_VERSION");
    assert!(recipe.contains(&format!("\npkgver={version}\n")), "the PKGBUILD's version is not {version}");
}

/// The package khor can replace khor-relay, so khor must contain all files of khor-relay.
#[test]
fn khor_package_contains_khor_relay_files() {
    let (khor, relay) = (sources("cli"), sources("relay"));
    assert!(relay.len() >= 10, "too few files in the manifest: {relay:?}");
    for source in relay {
        assert!(khor.contains(&source), "khor lacks {source} of khor-relay");
    }
}
