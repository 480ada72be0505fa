//! Compares the requests of every channel with independent code: `tests/oracles/channels.py` reads each request with
//! the vendors' own packages and with other senders. It then alters the request in every place and way that such a
//! package can detect. No altered request may pass.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use alerting::incident::notice::Notice;
use alerting::incident::timeline::EntryKind;
use alerting::people::destination::Language;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use channels::post::{Form, Letter, Post};
use channels::registry::{Destination, NAMES};
use channels::request::{Request, Transport};
use channels::samples::{self, NOTIFYING, NOW, described, destination, escalated, notice, post};

use crate::mime;

/// Time for loading the packages and reading all requests, while other tests use the machine too.
const PATIENCE: Duration = Duration::from_secs(240);

/// One request, as a line that the script reads.
fn line(channel: &str, case: &str, request: &Request) -> Value {
    let settings = samples::settings(channel);
    let sent = match &request.transport {
        Transport::Http(http) => {
            let headers: Map<String, Value> =
                http.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value.expose()))).collect();
            json!({"url": http.url().expose(), "headers": headers, "body": String::from_utf8_lossy(&http.body)})
        }
        Transport::Email { relay, mail } => {
            let mime = mime::written(mail, relay, request.at()).expect("it can be written");
            json!({"mime": STANDARD.encode(mime), "mail": mail})
        }
    };
    json!({"channel": channel, "case": case, "at": NOW.secs(), "settings": settings, "request": sent})
}

/// Every case of a channel: each notifying change alone, all of them folded, with mentions, with only a title, and much
/// too long.
fn lines(channel: &str) -> Vec<Value> {
    let huge = "<&\"*_`[]()告警😀\n".repeat(4000);
    let mut long = described(&"磁盘满了😀".repeat(100), &huge);
    long.labels = (0..50).map(|n| (format!("label{n}"), huge.chars().take(2048).collect())).collect();
    let mut cases: Vec<(&str, Vec<Notice>)> = NOTIFYING.map(|(name, kind)| (name, vec![notice(kind)])).to_vec();
    cases.push(("folded", NOTIFYING.map(|(_, kind)| notice(kind)).to_vec()));
    cases.push(("escalated", vec![escalated()]));
    cases.push(("folded with mentions", vec![notice(EntryKind::Triggered), escalated()]));
    cases.push(("bare", vec![described("disk full", "")]));
    cases.push(("cut", vec![long]));
    let card = Destination::has_cards(channel).then(samples::card);
    let mut lines = Vec::new();
    for (name, notices) in &cases {
        for language in [Language::English, Language::Chinese] {
            for form in [Form::Rich, Form::Plain] {
                let post = Post { language, form, card: card.as_ref(), ..post(notices) };
                let request = destination(channel).request(&post, NOW);
                lines.push(line(channel, &format!("{name} {language:?} {form:?}"), &request.expect("renders")));
                if let Some(update) = destination(channel).update(&post, samples::RECEIPT, NOW) {
                    let case = format!("{name} {language:?} {form:?} as an update");
                    lines.push(line(channel, &case, &update.expect("renders")));
                }
            }
        }
    }
    let letter = Letter { id: "1", subject: "确认 Confirm", text: "483920 is the code\n" };
    lines.extend(destination(channel).letter(&letter, NOW).map(|request| line(channel, "letter", &request)));
    lines
}

#[tokio::test]
async fn every_request_passes_the_vendors_own_code_and_no_spoilt_copy_does() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracles/channels.py");
    let mut child = Command::new(python())
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("Python starts");
    let lines: Vec<Value> = NAMES.iter().flat_map(|channel| lines(channel)).collect();
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let mut input = child.stdin.take().expect("piped");
    let read = async {
        // A script that fails at once closes its input. Its error is shown below.
        let _ = input.write_all(text.as_bytes()).await;
        drop(input);
        child.wait_with_output().await.expect("it ends")
    };
    let output = tokio::time::timeout(PATIENCE, read).await.expect("it ends in time");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("a JSON report");
    for channel in NAMES {
        let of_channel = lines.iter().filter(|line| line["channel"] == *channel).count();
        assert_eq!(report[*channel]["passed"], of_channel, "{channel}: {report}");
        assert!(report[*channel]["spoilt"].as_u64() > Some(of_channel as u64), "{channel}: {report}");
    }
}

#[expect(clippy::disallowed_methods, reason = "where Python is, is the test run's business, not a setting's")]
pub(crate) fn python() -> PathBuf {
    let python = std::env::var_os("LARKSPUR_TEST_PYTHON");
    python.expect("LARKSPUR_TEST_PYTHON names a Python with tests/tools/requirements-test.txt: run tests/run.sh").into()
}
