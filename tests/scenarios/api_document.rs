//! Tests the API against its document with an independent program: Schemathesis sends requests that the document
//! allows, and many that it does not.

use std::time::Duration;

use scenarios::World;
use tokio::process::Command;

/// The checks that every answer must pass. They do not include that everything the schema allows is accepted, because a
/// schema does not know which members exist.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,negative_data_rejection";
/// A fixed seed, so that every run has the same cases. A failure prints the seed and a request that repeats it.
const SEED: &str = "20261122";

// Proves: api-document
#[tokio::test]
async fn every_answer_of_the_api_is_as_its_document_says_and_none_is_our_fault() {
    let world = World::start().await;
    let python = std::env::var_os("LARKSPUR_TEST_PYTHON").expect("tests/run.sh names a Python with Schemathesis");
    let program = std::path::Path::new(&python).with_file_name("schemathesis");
    // Schemathesis stores its findings in its working directory.
    let folder = tempfile::tempdir().expect("a directory");
    let run = Command::new(program)
        .current_dir(folder.path())
        .arg("run")
        .arg(format!("{}/api/v1/openapi.json", world.larkspur.base_url))
        .args(["--header", &format!("Authorization: Bearer {}", world.larkspur.api_key.expose())])
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--seed", SEED])
        // One worker only: two workers sometimes fail because they share a cache of the generator.
        .args(["--workers", "1", "--warnings", "off", "--no-color", "--continue-on-failure"])
        .args(["--generation-database", "none", "--request-timeout", "30"])
        .kill_on_drop(true)
        .output();
    let run = tokio::time::timeout(Duration::from_secs(280), run).await.expect("within five minutes");
    let run = run.expect("it runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    world.larkspur.stop().await;
}
