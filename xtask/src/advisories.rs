//! `cargo xtask advisories`: checks the dependencies for known vulnerabilities. cargo-deny looks
//! the Rust crates up in `RustSec`'s database, and `npm audit` looks the page's packages up in
//! npm's registry.
//!
//! Both databases are on the network. If one of them does not answer, `cargo xtask test` reports
//! this part as skipped, even if all tests are required. The tested change is then not the cause of
//! the failure. `cargo xtask advisories` fails in this case, because a release needs both answers.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    packages,
    process::{command, root, succeed},
    test::Outcome,
    tools,
};

/// npm's severities that fail the check. Vulnerabilities of lower severities mostly allow a denial
/// of service in build tools.
const GRAVE: [&str; 2] = ["high", "critical"];

/// The result of a query to one of the two databases.
#[derive(Debug, PartialEq)]
enum Report {
    /// The database answered, and none of its advisories makes the check fail.
    Clean,
    /// The database did not answer. The text is the reason.
    Unreachable(String),
}

/// Checks all dependencies. Fails if a database does not answer.
pub(crate) fn require() -> Result<()> {
    match check()? {
        Outcome::Skipped(reasons) => bail!("{reasons}; run this on a machine that reaches both databases"),
        _ => Ok(()),
    }
}

/// Checks all dependencies. The result is `Skipped` if a database does not answer and the other one
/// reports no grave advisory.
pub(crate) fn check() -> Result<Outcome> {
    packages::install(&[packages::BUILD, packages::PAGE])?;
    let (crates, page) = (crates(), page());
    let reasons: Vec<String> = [crates?, page?]
        .into_iter()
        .filter_map(|report| if let Report::Unreachable(reason) = report { Some(reason) } else { None })
        .collect();
    Ok(if reasons.is_empty() { Outcome::Passed } else { Outcome::Skipped(reasons.join("; ")) })
}

/// Checks the Rust crates against `RustSec`'s database.
fn crates() -> Result<Report> {
    let deny = tools::cargo_deny()?;
    let fetched =
        command(&deny, ["--all-features", "fetch", "db"]).output().context("cannot start cargo-deny")?;
    if !fetched.status.success() {
        let text = String::from_utf8_lossy(&fetched.stderr).into_owned();
        let reason = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
        return Ok(Report::Unreachable(format!("RustSec's database: {}", reason.trim())));
    }
    succeed(&mut command(&deny, ["--all-features", "check", "advisories"]))?;
    Ok(Report::Clean)
}

/// Checks the page's packages, including its build tools, against npm's registry.
fn page() -> Result<Report> {
    let mut npm = command("npm", ["audit", "--json"]);
    let answer = npm.current_dir(root().join("ui")).output().context("cannot start npm audit")?;
    judge(&String::from_utf8_lossy(&answer.stdout))
}

/// Reads the output of `npm audit --json`. Fails if it lists a vulnerability whose severity is in
/// [`GRAVE`].
fn judge(output: &str) -> Result<Report> {
    let report: Value = serde_json::from_str(output).unwrap_or_default();
    if !report["auditReportVersion"].is_number() {
        let reason = report["message"].as_str().unwrap_or("no answer");
        return Ok(Report::Unreachable(format!("npm's advisories: {reason}")));
    }
    let found = report["vulnerabilities"]
        .as_object()
        .context("the output of npm audit has no field `vulnerabilities`")?;
    let grave = |severity: &Value| GRAVE.iter().any(|word| severity == word);
    let names: Vec<&str> =
        found.iter().filter(|(_, one)| grave(&one["severity"])).map(|(name, _)| name.as_str()).collect();
    if !names.is_empty() {
        bail!(
            "npm reports grave vulnerabilities in {}; run `npm audit` in ui/ for details",
            names.join(", ")
        );
    }
    Ok(Report::Clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An example of what `npm audit --json` (npm 11) prints, shortened.
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
