//! Tests that the commands and code snippets in the documentation are valid.

use std::process::{Command, Stdio};

use clap::{CommandFactory, Parser, error::ErrorKind};
use khor_config::Config;
use khor_e2e::{
    documents::{Snippet, documents, words},
    skip,
};
use khor_music::Preset;
use serde_json::Value;
use yaml_rust2::YamlLoader;

use super::{Cli, settings};

/// The command that runs `khor` from a source checkout.
const FROM_SOURCE: &str = "cargo run -p khor --";

/// Returns all code snippets in a language, each with the name of its document.
fn snippets(language: &str) -> Vec<(String, Snippet)> {
    let all = documents().into_iter().flat_map(|document| {
        let name = document.name.clone();
        document.snippets().into_iter().map(move |snippet| (name.clone(), snippet))
    });
    all.filter(|(_, snippet)| snippet.language == language).collect()
}

/// Returns each `khor` command in the documentation as a list of words, with the name of its
/// document.
fn commands() -> Vec<(String, Vec<String>)> {
    let mut commands = Vec::new();
    for document in documents() {
        for line in document.command_lines() {
            let line = line.replacen(FROM_SOURCE, "khor", 1);
            if line.starts_with("khor ") {
                commands.push((document.name.clone(), words(&line)));
            }
        }
    }
    commands
}

#[test]
fn documented_commands_exist() {
    let commands = commands();
    assert!(commands.len() >= 60, "{}", commands.len());
    for (name, command) in &commands {
        let Err(error) = Cli::try_parse_from(command) else { continue };
        // Accept a command without its required arguments or with `--help`, because sentences
        // mention commands in this form.
        let is_allowed = match error.kind() {
            ErrorKind::MissingRequiredArgument | ErrorKind::DisplayHelp => true,
            ErrorKind::InvalidValue => error.to_string().contains("none was supplied"),
            _ => false,
        };
        assert!(is_allowed, "{name}: {command:?}: {error}");
    }
}

#[test]
fn documented_settings_accept_documented_values() {
    let mut count = 0;
    for (name, command) in
        commands().iter().filter(|(_, command)| command[1] == "config" && command.len() > 2)
    {
        count += 1;
        let path = &command[2];
        assert!(Config::field(path).is_some(), "{name}: {path} is not a setting");
        if let Some(value) = command.get(3) {
            let change = Config::change_of(path, settings::parsed(path, &Value::Null, value));
            assert!(change.is_ok(), "{name}: {command:?}: {}", change.unwrap_err());
        }
    }
    assert!(count >= 8, "{count}");
}

/// Returns whether an interpreter accepts the syntax of a text, or `None` if the interpreter is not
/// installed. With `argument`, the interpreter checks the text without running it.
fn has_valid_syntax(program: &str, argument: &str, text: &str) -> Option<bool> {
    use std::io::Write;

    let child = Command::new(program).arg(argument).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut child = child.ok()?;
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    Some(child.wait().unwrap().success())
}

#[test]
fn shell_snippets_parse_and_start_known_programs() {
    const PROGRAMS: [&str; 16] = [
        "(umask",
        "aconnect",
        "cargo",
        "cat",
        "chown",
        "echo",
        "khor",
        "mpv",
        "printf",
        "ssh",
        "sudo",
        "systemctl",
        "usermod",
        "apt",
        "loginctl",
        "curl",
    ];
    let snippets = snippets("sh");
    assert!(snippets.len() >= 12, "{}", snippets.len());
    for (name, Snippet { text, .. }) in snippets {
        assert_eq!(has_valid_syntax("sh", "-n", &text), Some(true), "{name}: {text}");
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.is_empty()) {
            if line.starts_with("KHOR_") {
                continue; // variables of a service, which another test checks
            }
            let program = line.trim_start_matches("sudo ").split_whitespace().next().unwrap_or_default();
            assert!(PROGRAMS.contains(&program), "{name}: {program} is not in PROGRAMS: {line}");
            let words = words(line);
            let units = words.iter().filter(|word| word.starts_with("khor-") && line.contains("systemctl"));
            for unit in units {
                let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../systemd");
                let file = if unit.contains('.') { unit.clone() } else { format!("{unit}.service") };
                assert!(folder.join(&file).is_file(), "{name}: there is no unit {file}");
            }
        }
    }
}

/// Checks the environment variables that the documentation sets for services. Each variable must
/// belong to an option of the program, and its documented value must be valid.
#[test]
fn documented_variables_are_options() {
    let mut count = 0;
    for (name, Snippet { text, .. }) in snippets("sh").iter().filter(|(_, s)| s.text.starts_with("KHOR_")) {
        let relay = Cli::command().find_subcommand("relay").cloned().unwrap();
        let mut command = vec!["khor".to_string(), "relay".to_string()];
        for line in text.lines() {
            let (variable, value) = line.split_once('=').unwrap_or_else(|| panic!("{name}: {line}"));
            let option = relay.get_arguments().find(|option| option.get_env() == Some(variable.as_ref()));
            let option =
                option.unwrap_or_else(|| panic!("{name}: khor relay does not read the variable {variable}"));
            command.push(format!("--{}={value}", option.get_long().unwrap()));
            count += 1;
        }
        let read = Cli::try_parse_from(&command);
        assert!(read.is_ok(), "{name}: {}", read.err().unwrap());
    }
    assert!(count >= 4, "{count}");
}

#[test]
fn data_snippets_are_valid() {
    let json = snippets("json");
    assert!(json.len() >= 4);
    for (name, snippet) in json {
        let read = serde_json::from_str::<Value>(&snippet.text);
        assert!(read.is_ok(), "{name}, {}: {}", snippet.heading, read.unwrap_err());
    }
    let yaml = snippets("yaml");
    assert!(yaml.len() >= 2);
    for (name, snippet) in yaml {
        let read = YamlLoader::load_from_str(&snippet.text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let job = &read[0]["scrape_configs"][0];
        let listen = Config::default().listen;
        let target = job["static_configs"][0]["targets"][0].as_str();
        assert_eq!(target, Some(format!("{}:{}", listen.host, listen.port).as_str()), "{name}");
        assert_eq!(job["job_name"].as_str(), Some("khor"), "{name}");
    }
    let Some(ruby) = snippets("ruby").first().map(|(_, snippet)| snippet.text.clone()) else {
        panic!("docs/guide.md has no Ruby snippet")
    };
    match has_valid_syntax("ruby", "-c", &ruby) {
        Some(is_valid) => assert!(is_valid, "{ruby}"),
        None => skip("needs ruby"),
    }
}

/// Each snippet contains only a part of a preset. The test inserts the part into a whole preset and
/// checks the preset.
#[test]
fn preset_snippets_are_valid() {
    let snippets = snippets("toml");
    assert!(!snippets.is_empty());
    for (name, snippet) in snippets {
        let mut whole: toml::Table = toml::from_str(&Preset::builtin()[0].to_toml().unwrap()).unwrap();
        let part: toml::Table =
            toml::from_str(&snippet.text).unwrap_or_else(|error| panic!("{name}: {error}"));
        whole.extend(part);
        let read = Preset::parse(&toml::to_string(&whole).unwrap());
        assert!(read.is_ok(), "{name}: {}", read.unwrap_err());
    }
}
