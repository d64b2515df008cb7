//! Tests the API against its document, `/api/openapi.json`. schemathesis makes valid and invalid
//! requests from the document, and compares the responses with it.

use std::{path::PathBuf, process::Command, time::Instant};

use khor_e2e::{Engine, Streamed, engine::program, skip::skip};

/// Number of random examples for each operation. schemathesis adds values at and beyond the limits
/// of each schema.
const EXAMPLES_EACH: &str = "5";
/// Properties that every response must have. The test does not check that khor accepts every valid
/// value, because khor rejects devices and presets that do not exist.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,unsupported_method,allow_header_conformance";
/// Paths that are not tested: endless responses, and the doctor, which takes seconds.
const EXCLUDED: &str = "^/api/(stream|listen|listen\\.wav|doctor)$";

/// The path where `cargo xtask test` installs schemathesis.
fn schemathesis() -> PathBuf {
    program("khor").ancestors().nth(2).expect("the folder target").join("tools/python/bin/schemathesis")
}

#[test]
fn api_conforms_to_openapi_document() {
    if !schemathesis().exists() {
        return skip("needs schemathesis: cargo xtask test installs it");
    }
    let engine = Engine::start("/nonexistent/collector.sock".as_ref(), &["--fake", "--no-audio"], &[]);
    let home = tempfile::TempDir::new().expect("creating a temporary directory");
    let begun = Instant::now();
    let mut command = Command::new(schemathesis());
    command
        .args(["run", "--url", &engine.url(), "--phases", "examples,coverage,fuzzing"])
        .args(["--checks", CHECKS, "--exclude-path-regex", EXCLUDED])
        .args(["--max-examples", EXAMPLES_EACH, "--max-time", "40", "--seed", "1", "--no-shrink"])
        .args(["--request-timeout", "10", "--suppress-health-check", "all", "--warnings", "off"])
        .arg(format!("{}/api/openapi.json", engine.url()))
        .current_dir(home.path());
    let (status, _) = Streamed::start("schemathesis", &mut command).wait();
    println!("{:?}", begun.elapsed());
    assert!(status.success(), "schemathesis found errors; its output is above\n{}", engine.log());
    assert!(engine.stop().0.success(), "the engine did not exit with status 0");
}
