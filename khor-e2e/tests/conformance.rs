//! Tests the API with its own document: schemathesis makes valid and invalid requests from it, and
//! compares the answers with it.

use std::{path::PathBuf, process::Command, time::Instant};

use khor_e2e::{Engine, Streamed, engine::program, skip::skip};

/// Besides those that are written out: the values at the edges of each schema, and beyond them.
const EXAMPLES_EACH: &str = "5";
/// The properties of every answer. Not every value that the schema allows is accepted: devices and
/// presets must exist.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,unsupported_method,allow_header_conformance";
/// Answers without end, and one that looks at the machine for seconds each time.
const LEFT_OUT: &str = "^/api/(stream|listen|listen\\.wav|doctor)$";

/// Where `cargo xtask test` installs it.
fn schemathesis() -> PathBuf {
    program("khor").ancestors().nth(2).expect("target").join("tools/python/bin/schemathesis")
}

#[test]
fn the_api_does_what_its_document_says() {
    if !schemathesis().exists() {
        return skip("needs schemathesis: cargo xtask test installs it");
    }
    let engine = Engine::start("/nonexistent/collector.sock".as_ref(), &["--fake", "--no-audio"], &[]);
    let home = tempfile::TempDir::new().expect("a directory");
    let begun = Instant::now();
    let mut command = Command::new(schemathesis());
    command
        .args(["run", "--url", &engine.url(), "--phases", "examples,coverage,fuzzing"])
        .args(["--checks", CHECKS, "--exclude-path-regex", LEFT_OUT])
        .args(["--max-examples", EXAMPLES_EACH, "--max-time", "40", "--seed", "1", "--no-shrink"])
        .args(["--request-timeout", "10", "--suppress-health-check", "all", "--warnings", "off"])
        .arg(format!("{}/api/openapi.json", engine.url()))
        .current_dir(home.path());
    let (status, _) = Streamed::start("schemathesis", &mut command).wait();
    println!("{:?}", begun.elapsed());
    assert!(status.success(), "see above\n{}", engine.log());
    assert!(engine.stop().0.success(), "it goes on as if nothing had happened");
}
