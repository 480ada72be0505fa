//! The embedded AWS services: which processes can reach them, and whether they behave as AWS does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use lambda_kit::clock::Clock;
use local::aws::Aws;
use scenarios::process::Process;
use scenarios::socket::Socket;
use serde_json::{Value, json};
use tokio::process::Command;

/// The longest time for the start of a browser on a machine that also runs other tests.
const PATIENCE: Duration = Duration::from_secs(120);
/// `LISTEN` in `/proc/net/tcp` (Linux: `include/net/tcp_states.h`).
const LISTENS: &str = "0A";

fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tools")
}

/// The Python interpreter of the tests.
fn python() -> std::ffi::OsString {
    std::env::var_os("LARKSPUR_TEST_PYTHON")
        .expect("LARKSPUR_TEST_PYTHON must name a Python with boto3 and Playwright: run tests/run.sh, which makes one")
}

/// The ports on which a process listens, on any address.
fn listening(pid: u32) -> BTreeSet<u16> {
    let sockets = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("a process of this user");
    let sockets = sockets.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let sockets: BTreeSet<String> = sockets
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let mut ports = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        let table = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for line in table.lines().skip(1) {
            // The fields are sl, local address, remote address, state, …, and the inode as the tenth.
            let fields: Vec<&str> = line.split_whitespace().collect();
            if fields[3] == LISTENS && sockets.contains(fields[9]) {
                let (_, port) = fields[1].split_once(':').expect("address and port");
                ports.insert(u16::from_str_radix(port, 16).expect("hexadecimal"));
            }
        }
    }
    ports
}

/// The paths of Unix sockets that accept connections (flag `__SO_ACCEPTCON`).
fn unix_listening(pid: u32) -> Vec<String> {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("a process of this user");
    let open: BTreeSet<_> = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok()).collect();
    let table = std::fs::read_to_string(format!("/proc/{pid}/net/unix")).unwrap_or_default();
    let listens = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields[3] == "00010000" && open.contains(Path::new(&format!("socket:[{}]", fields[6])))
    };
    table.lines().skip(1).filter(listens).map(str::to_owned).collect()
}

struct Target {
    process: Process,
    ports: BTreeSet<u16>,
    _data: tempfile::TempDir,
}

async fn start() -> Target {
    let data = tempfile::tempdir().expect("a directory");
    let process = Process::start(data.path(), &[]).await.expect("started");
    let ports = listening(process.pid().expect("it runs"));
    Target { process, ports, _data: data }
}

impl Target {
    /// The input of `strangers.py`.
    fn known(&self) -> String {
        json!({"ports": self.ports, "base": self.process.base_url}).to_string()
    }

    async fn api_keys(&self) -> Value {
        self.process.api.get("/api-keys").await
    }
}

async fn run(mut command: Command) {
    let run = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let run = tokio::time::timeout(PATIENCE, run).await.expect("it ends").expect("it starts");
    let (printed, complained) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{printed}{complained}");
}

// Proves: finding B1
#[tokio::test]
async fn nothing_but_the_public_front_listens() {
    let target = start().await;
    let (_, public) = target.process.base_url.rsplit_once(':').expect("a port");
    assert_eq!(target.ports, BTreeSet::from([public.parse().expect("a number")]));
    assert_eq!(unix_listening(target.process.pid().expect("it runs")), Vec::<String>::new());
    target.process.kill().await.expect("killed");
}

/// The page may send an SDK's requests to every port of the process, but it reads no answer, and no request takes
/// effect.
// Proves: finding B1
#[tokio::test]
async fn a_web_page_of_another_origin_gets_nothing_from_the_embedded_services() {
    let target = start().await;
    let before = target.api_keys().await;
    let mut page = Command::new(python());
    page.arg(tools().join("strangers.py")).args(["page", &target.known()]);
    run(page).await;
    assert_eq!(target.api_keys().await, before);
    target.process.kill().await.expect("killed");
}

/// Runs as user `nobody` if the tests run as root, for example in a container. Otherwise it runs as the tests' own
/// user, which has more rights.
// Proves: finding B1
#[tokio::test]
async fn another_user_of_the_machine_gets_nothing_from_the_embedded_services() {
    let target = start().await;
    let before = target.api_keys().await;
    let script = std::fs::read_to_string(tools().join("strangers.py")).expect("it is there");
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut user = Command::new(if is_root { "setpriv" } else { "env" });
    if is_root {
        user.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]);
    }
    // The script is passed as text to the system's Python, because the user may not read this folder.
    user.args(["/usr/bin/python3", "-c", &script, "user", &target.known()]).current_dir("/");
    run(user).await;
    assert_eq!(target.api_keys().await, before);
    target.process.kill().await.expect("killed");
}

#[tokio::test]
async fn a_socket_of_the_tests_refuses_callers_without_its_key() {
    let aws = Aws::open(None, Clock::default(), Vec::new()).expect("opens");
    let socket = Socket::open(&aws);
    let client = scenarios::api::client();
    for credential in ["", "local", "unchecked"] {
        let request = client.post(socket.url()).header("x-amz-target", "DynamoDB_20120810.ListTables").body("{}");
        let signature = format!("AWS4-HMAC-SHA256 Credential={credential}/20990101/us-east-1/dynamodb/aws4_request");
        let answer = request.header("authorization", signature).send().await.expect("answered");
        assert_eq!(answer.status(), 403);
    }
}

/// An independent check: boto3 runs tests that another emulator passes.
// Proves: finding B1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_services_behave_as_boto3_expects_of_aws() {
    let aws = Aws::open(None, Clock::default(), Vec::new()).expect("opens");
    let socket = Socket::open(&aws);
    let mut checks = Command::new(python());
    checks.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("oracles/aws_conformance.py"));
    checks.args([&socket.url(), "sqs,sns,ddb"]).env("AWS_ACCESS_KEY_ID", &socket.access_key);
    let output = checks.stderr(Stdio::inherit()).output().await.expect("Python starts");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && report.contains("28/28 passed"), "{report}");
}
