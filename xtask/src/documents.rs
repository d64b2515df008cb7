//! Tests that the commands in the documents exist.

use std::path::Path;

use clap::{Parser, error::ErrorKind};
use khor_e2e::documents::{documents, words};

use crate::{Cli, structure::crates};

#[test]
fn xtask_commands_in_the_documents_exist() {
    let mut count = 0;
    for document in documents() {
        for line in document.command_lines() {
            let Some(task) = line.strip_prefix("cargo xtask ") else { continue };
            count += 1;
            // A document may list several subcommands, separated by commas.
            for task in task.split(", ") {
                let parsed = Cli::try_parse_from(["xtask".into()].into_iter().chain(words(task)));
                let Err(error) = parsed else { continue };
                let named =
                    matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::MissingRequiredArgument);
                assert!(named, "{}: {line}: {error}", document.name);
            }
        }
    }
    assert!(count >= 30, "{count}");
}

/// The packages and tests in the documents' cargo commands must exist.
#[test]
fn cargo_commands_in_the_documents_are_valid() {
    let mut count = 0;
    for document in documents() {
        for line in document.command_lines().into_iter().filter(|line| line.starts_with("cargo ")) {
            let words = words(&line);
            let after =
                |flag: &str| words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1));
            let Some(package) = after("-p").or(after("--package")) else { continue };
            count += 1;
            let folder = crates::folder(package);
            let folder = folder.unwrap_or_else(|| panic!("{}: {line}", document.name));
            for (flag, place) in [("--test", "tests"), ("--example", "examples"), ("--bin", "src/bin")] {
                let Some(name) = after(flag) else { continue };
                let place = folder.join(place);
                let is_there =
                    |place: &Path| place.join(format!("{name}.rs")).is_file() || place.join(name).is_dir();
                assert!(is_there(&place), "{}: {line}", document.name);
            }
        }
    }
    assert!(count >= 4, "{count}");
}
