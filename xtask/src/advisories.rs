//! `cargo xtask advisories`: looks up known vulnerabilities of the dependencies, in `RustSec`'s
//! database with cargo-deny, and at npm's registry with `npm audit`.
//!
//! Both answer over the network only. `cargo xtask test` reports the part as skipped where one of
//! them cannot be reached, even where nothing else may be skipped: the state of a foreign server
//! is no fault of a change. A release must have both answers, so the chore fails without them.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    packages,
    process::{command, root, succeed},
    test::Outcome,
    tools,
};

/// Severities that fail, in npm's words. Below them are mostly denials of service of build tools.
const GRAVE: [&str; 2] = ["high", "critical"];

/// What a source of advisories knows.
#[derive(Debug, PartialEq)]
enum Report {
    /// Nothing against these dependencies.
    Clean,
    /// No answer, for this reason.
    Unreachable(String),
}

/// Checks all dependencies, and fails if a source cannot be reached.
pub(crate) fn require() -> Result<()> {
    match check()? {
        Outcome::Skipped(reasons) => bail!("{reasons}; run this where the network reaches both"),
        _ => Ok(()),
    }
}

/// Checks all dependencies. Skipped if a source cannot be reached and the others know nothing.
pub(crate) fn check() -> Result<Outcome> {
    packages::install(&[packages::BUILD, packages::PAGE])?;
    let (crates, page) = (crates(), page());
    let reasons: Vec<String> = [crates?, page?]
        .into_iter()
        .filter_map(|report| if let Report::Unreachable(reason) = report { Some(reason) } else { None })
        .collect();
    Ok(if reasons.is_empty() { Outcome::Passed } else { Outcome::Skipped(reasons.join("; ")) })
}

/// The Rust crates, by `RustSec`'s database.
fn crates() -> Result<Report> {
    let deny = tools::cargo_deny()?;
    let fetched =
        command(&deny, ["--all-features", "fetch", "db"]).output().context("starting cargo-deny")?;
    if !fetched.status.success() {
        let text = String::from_utf8_lossy(&fetched.stderr).into_owned();
        let reason = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
        return Ok(Report::Unreachable(format!("RustSec's database: {}", reason.trim())));
    }
    succeed(&mut command(&deny, ["--all-features", "check", "advisories"]))?;
    Ok(Report::Clean)
}

/// The page's packages, those that build it included.
fn page() -> Result<Report> {
    let mut npm = command("npm", ["audit", "--json"]);
    let answer = npm.current_dir(root().join("ui")).output().context("starting npm audit")?;
    judge(&String::from_utf8_lossy(&answer.stdout))
}

/// Reads the output of `npm audit --json`. Fails if it names a grave vulnerability.
fn judge(output: &str) -> Result<Report> {
    let report: Value = serde_json::from_str(output).unwrap_or_default();
    if !report["auditReportVersion"].is_number() {
        let reason = report["message"].as_str().unwrap_or("no answer");
        return Ok(Report::Unreachable(format!("npm's advisories: {reason}")));
    }
    let found = report["vulnerabilities"].as_object().context("npm audit lists no vulnerabilities")?;
    let grave = |severity: &Value| GRAVE.iter().any(|word| severity == word);
    let names: Vec<&str> =
        found.iter().filter(|(_, one)| grave(&one["severity"])).map(|(name, _)| name.as_str()).collect();
    if !names.is_empty() {
        bail!("npm knows grave vulnerabilities of {}; `npm audit` in ui/ describes them", names.join(", "));
    }
    Ok(Report::Clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer of `npm audit --json` (npm 11), shortened.
    fn answer(severity: &str) -> String {
        format!(
            r#"{{"auditReportVersion": 2,
                "vulnerabilities": {{"minimist": {{"name": "minimist", "severity": "{severity}", "isDirect": true,
                    "via": [], "effects": [], "range": "<=0.2.3", "nodes": [], "fixAvailable": true}}}},
                "metadata": {{"vulnerabilities": {{"total": 1}}}}}}"#
        )
    }

    #[test]
    fn grave_vulnerabilities_fail() {
        for severity in GRAVE {
            let error = judge(&answer(severity)).unwrap_err().to_string();
            assert!(error.contains("minimist"), "{error}");
        }
        assert_eq!(judge(&answer("moderate")).unwrap(), Report::Clean);
        assert_eq!(judge(r#"{"auditReportVersion": 2, "vulnerabilities": {}}"#).unwrap(), Report::Clean);
    }

    #[test]
    fn a_registry_without_an_answer_is_unreachable() {
        let refused = r#"{"message": "405 Method Not Allowed - POST /-/npm/v1/security/advisories/bulk",
                          "method": "POST", "statusCode": 405, "error": {"summary": "", "detail": ""}}"#;
        for (output, word) in [(refused, "405"), ("", "no answer"), ("not JSON", "no answer")] {
            match judge(output).unwrap() {
                Report::Unreachable(reason) => assert!(reason.contains(word), "{reason}"),
                Report::Clean => panic!("{output} counts as an answer"),
            }
        }
    }
}
