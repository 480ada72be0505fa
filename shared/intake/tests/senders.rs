//! Tests that every recorded body and request gives the title, text and outcome that a person wrote down, and that our
//! answer passes the sender's own check of success.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alerting::base::moment::Moment;
use alerting::base::secret::Secret;
use alerting::rules::integration::Integration;
use alerting::rules::message::{Acceptance, Message, MsgType, RefusalReason};
use intake::decide::{Arrival, decide};
use intake::protocol::Answer;
use intake::result::IntakeResult;
use intake::sources::feishu::path::Version;
use intake::sources::{SourceVersion, Target, target};
use serde::Deserialize;
use support::{integration, taking_cards};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    msg_type: MsgType,
    title: String,
    text: String,
    labels: BTreeMap<String, String>,
    outcome: String,
    outcome_with_interactive: Option<String>,
}

#[derive(Clone, Deserialize)]
struct Sender {
    name: String,
    version: String,
    check_kind: String,
    firing: Option<String>,
    resolved: Option<String>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/feishu")
}

fn load<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let text = fs::read_to_string(fixtures().join(name)).expect("the fixture is there");
    serde_json::from_str(&text).expect("the fixture is JSON")
}

/// Each recorded body with its sender.
fn bodies() -> Vec<(Sender, String, Vec<u8>)> {
    let mut bodies = Vec::new();
    for sender in load::<Vec<Sender>>("index.json") {
        for name in [&sender.firing, &sender.resolved].into_iter().flatten() {
            let body = fs::read(fixtures().join("senders").join(name)).expect("the body is there");
            bodies.push((sender.clone(), name.clone(), body));
        }
    }
    bodies
}

fn version(sender: &Sender) -> Version {
    if sender.version == "v1" { Version::V1 } else { Version::V2 }
}

fn arrive(version: Version, body: &[u8], integration: &Integration) -> (Acceptance, Answer) {
    let arrival =
        Arrival { version: SourceVersion::Feishu(version), body, address: Some("203.0.113.7"), within_rate: true };
    let decision = decide(&arrival, integration, None, Moment::from_secs(1_767_607_200));
    (decision.acceptance, answer_to(version, &decision.result))
}

fn answer_to(version: Version, result: &IntakeResult) -> Answer {
    SourceVersion::Feishu(version).answer(result)
}

/// Checks an answer as the sender does.
fn is_success(check_kind: &str, answer: &Answer) -> bool {
    let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    let (code, status_code) =
        (body.get("code").and_then(|v| v.as_i64()), body.get("StatusCode").and_then(|v| v.as_i64()));
    match check_kind {
        "http" => answer.status == 200,
        "none" => true,
        "code-absent-ok" => code.unwrap_or(0) == 0,
        "code-present" => code == Some(0),
        "StatusCode" => status_code == Some(0),
        "either" => code == Some(0) || status_code == Some(0),
        "ok" => body["ok"] == true,
        other => panic!("unknown check_kind {other}"),
    }
}

#[test]
fn every_recorded_body_gives_the_title_text_and_labels_that_a_person_reads() {
    let expected: BTreeMap<String, Expected> = load("expected.json");
    let bodies = bodies();
    assert_eq!((bodies.len(), expected.len()), (57, 57));
    for (sender, name, body) in bodies {
        let wanted = &expected[&name];
        let message = Message {
            msg_type: wanted.msg_type,
            title: wanted.title.clone(),
            content: wanted.text.clone(),
            labels: wanted.labels.clone(),
        };
        let (acceptance, answer) = arrive(version(&sender), &body, &taking_cards());
        assert_eq!(acceptance, Acceptance::Accepted(message), "{name}");
        assert_eq!(answer, answer_to(version(&sender), &IntakeResult::Accepted), "{name}");
    }
}

#[test]
fn every_recorded_body_has_its_outcome_at_an_integration_with_default_settings() {
    let expected: BTreeMap<String, Expected> = load("expected.json");
    for (sender, name, body) in bodies() {
        let wanted = &expected[&name];
        let (acceptance, answer) = arrive(version(&sender), &body, &integration());
        match acceptance {
            Acceptance::Accepted(_) => assert_eq!(wanted.outcome, "accepted", "{name}"),
            Acceptance::Refused { reason, msg_type, .. } => {
                assert_eq!(wanted.outcome, format!("refused: {}", reason.as_str()), "{name}");
                assert_eq!((reason, msg_type.as_deref()), (RefusalReason::MessageType, Some("interactive")), "{name}");
                assert_eq!(wanted.outcome_with_interactive.as_deref(), Some("accepted"), "{name}");
                assert!(answer.body.contains("message_types") && answer.body.contains("interactive"), "{name}");
            }
        }
    }
}

#[test]
fn our_success_passes_the_test_of_every_sender() {
    for (sender, name, body) in bodies() {
        let (_, answer) = arrive(version(&sender), &body, &taking_cards());
        assert!(is_success(&sender.check_kind, &answer), "{name}");
    }
}

#[test]
fn our_failures_pass_no_test_that_looks_at_the_body() {
    for (sender, name, _) in bodies() {
        if matches!(sender.check_kind.as_str(), "http" | "none") {
            continue;
        }
        let unusable = IntakeResult::Unusable("msg_type need".into());
        for result in [IntakeResult::UnknownKey, IntakeResult::NotSigned, IntakeResult::Busy, unusable] {
            let answer = answer_to(version(&sender), &result);
            assert!(!is_success(&sender.check_kind, &answer), "{name} of {} takes {answer:?} for success", sender.name);
        }
    }
}

/// The method, path and body of a recorded request. The body is everything after the headers. One body was shortened
/// after the recording, so its `Content-Length` is too large.
fn capture(name: &str) -> (String, String, Vec<u8>) {
    let raw = fs::read(fixtures().join("captures").join(name)).expect("the capture is there");
    let end = raw.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("headers end") + 4;
    let head = String::from_utf8(raw[..end].to_vec()).expect("headers are ASCII");
    let mut request = head.lines().next().expect("a request line").split(' ').map(str::to_owned);
    let (method, path) = (request.next().expect("a method"), request.next().expect("a path"));
    (method, path, raw[end..].to_vec())
}

#[test]
fn every_recorded_request_is_taken() {
    let all_captures = [
        (
            "apprise-feishu.http",
            "Feishu Alert",
            "[FIRING] High CPU on web-01\ncpu_usage=97% threshold=90% host=web-01 severity=critical",
        ),
        (
            "apprise-lark.http",
            "Feishu Alert",
            "[FIRING] High CPU on web-01\ncpu_usage=97% threshold=90% host=web-01 severity=critical",
        ),
        ("curl.http", "Feishu Alert", "[FIRING] disk full on web-01"),
        (
            "feishu-logging.http",
            "Feishu Alert",
            "[alarm] [2026-11-22 03:43:07]\n{\n \"levelname\": \"ERROR\",\n \"message\": \"db connection pool exhausted host=db-01\",\n \"pathname\": \"/srv/app/client.py\",\n \"lineno\": \"63\"\n}",
        ),
        (
            "ipush.http",
            "Feishu Alert",
            "[FIRING] High CPU on web-01\ncpu_usage=97% threshold=90% host=web-01 severity=critical",
        ),
        (
            "lark-webhook-notify.http",
            "[FIRING] High CPU on web-01",
            ":Fire: cpu_usage=97% threshold=90% host=web-01 severity=critical\n\n时间： 2026-11-22 03:43:15",
        ),
        ("lwn-rust.http", "[FIRING] disk full", ":Fire: db-01 used 96%\n\nTimestamp： 2026-01-05 18:00:00"),
        ("pushoo-resolved.http", "Feishu Alert", "[RESOLVED] High CPU on web-01\ncpu back to 41%"),
        ("pushoo.http", "Feishu Alert", "[FIRING] High CPU on web-01\ncpu_usage = 97%\n\nhost: web-01"),
    ];
    assert_eq!(fs::read_dir(fixtures().join("captures")).expect("captures").count(), all_captures.len());
    for (name, title, content) in all_captures {
        let (method, path, body) = capture(name);
        assert_eq!(method, "POST", "{name}");
        // The recorded token is a name. It is replaced by a valid key at the same place in the path.
        let path = path.replace("--merged", "").replace(name.trim_end_matches(".http"), "4fJk2LmNpQ8rStUvWx");
        assert_eq!(
            target(&path),
            Target::Hook { version: SourceVersion::Feishu(Version::V2), key: "4fJk2LmNpQ8rStUvWx" },
            "{name}"
        );
        let (acceptance, _) = arrive(Version::V2, &body, &taking_cards());
        let Acceptance::Accepted(message) = acceptance else { panic!("{name}: {acceptance:?}") };
        assert_eq!((message.title.as_str(), message.content.as_str()), (title, content), "{name}");
    }
}

#[test]
fn the_signed_clients_signatures_are_accepted_within_their_hour() {
    let secret = Secret::new("s3cr3t");
    for (name, signed_at) in [("lark-webhook-notify.http", 1_795_318_995), ("lwn-rust.http", 1_795_319_356)] {
        let (_, _, body) = capture(name);
        for (off, expected) in [(0, true), (3600, true), (3601, false)] {
            let arrival =
                Arrival { version: SourceVersion::Feishu(Version::V2), body: &body, address: None, within_rate: true };
            let decision = decide(&arrival, &taking_cards(), Some(&secret), Moment::from_secs(signed_at + off));
            assert_eq!(decision.result == IntakeResult::Accepted, expected, "{name} {off}");
        }
    }
}
