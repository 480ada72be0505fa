//! The independent judge: boto3 and the checks that an independent emulator passes.

use std::process::{Command, Stdio};

use crate::support::{in_memory, serve};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the tests' own Python is no setting of Larkspur")]
async fn sqs_and_sns_behave_as_boto3_expects_of_aws() {
    let python = std::env::var_os("LARKSPUR_TEST_PYTHON")
        .expect("LARKSPUR_TEST_PYTHON must name a Python with boto3: run tests/run.sh, which makes one");
    let (aws, _) = in_memory();
    let url = format!("http://{}", serve(&aws).await);
    let oracle = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oracles/aws_conformance.py");
    let mut checks = Command::new(python);
    checks.args([oracle, &url, "sqs,sns"]).stderr(Stdio::inherit());
    let output = tokio::task::block_in_place(|| checks.output()).expect("Python starts");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && report.contains("18/18 passed"), "{report}");
}
