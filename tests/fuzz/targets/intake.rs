//! Any body on either path: always one answer of the protocol, and an accepted message that every later step can carry.
//! Seeds: the recorded bodies of real senders.

#![no_main]

use alerting::rules::integration::{Integration, Security, TitleFrom};
use alerting::rules::message::{MsgType, Origin, Received, Acceptance};
use alerting::base::secret::Secret;
use fuzz::{NOW, integration};
use intake::decide::{Arrival, decide};
use intake::raw_body;
use intake::result::IntakeResult;
use intake::sources::feishu::path::Version;
use intake::sources::{SourceVersion, target};
use libfuzzer_sys::fuzz_target;

/// What the queue takes.
const QUEUE_BYTES: usize = 1024 * 1024;

fuzz_target!(|body: &[u8]| {
    let open = integration();
    let keywords = vec!["a".to_owned(), "告警".to_owned()];
    let sources = vec!["203.0.113.*".to_owned(), "2001:db8::/32".to_owned()];
    let guarded = Integration { security: Security { secret: None, keywords, sources }, ..integration() };
    let first_line =
        Integration { title_from: TitleFrom::FirstLine, message_types: vec![MsgType::Text], ..integration() };
    let secret = Secret::new("c4nary-secret");
    let text = String::from_utf8_lossy(body);
    let _ = target(&text);
    for version in [Version::V1, Version::V2] {
        for (integration, secret) in [(&open, None), (&guarded, None), (&first_line, None), (&open, Some(&secret))] {
            for address in [Some("203.0.113.7"), Some(text.as_ref())] {
                let arrival = Arrival { version: SourceVersion::Feishu(version), body, address, within_rate: true };
                check(&decide(&arrival, integration, secret, NOW), body);
            }
        }
    }
});

fn check(decision: &intake::decide::Decision, body: &[u8]) {
    let answer = SourceVersion::Feishu(Version::V2).answer(&decision.result);
    let answer: serde_json::Value = serde_json::from_str(&answer.body).expect("an answer is JSON");
    let code = answer["code"].as_i64().expect("an answer has a code");
    let accepted = matches!(decision.acceptance, Acceptance::Accepted(_));
    assert_eq!(accepted, code == 0, "{answer}");
    assert_eq!(accepted, decision.result == IntakeResult::Accepted);
    if let Acceptance::Accepted(message) = &decision.acceptance {
        assert!(!message.title.is_empty() && !message.title.contains('\n'), "{:?}", message.title);
        for text in [&message.title, &message.content].into_iter().chain(message.labels.values()) {
            assert!(!text.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{text:?}");
            assert!(!text.contains(['\u{fffe}', '\u{ffff}']), "{text:?}");
        }
        assert!(message.title.len() + message.content.len() <= 8 * body.len() + 1024, "the text grew");
    }
    let received = Received {
        stamp: alerting::base::ids::Stamp::from_parts(NOW, 1),
        integration: integration().id,
        origin: Origin { process: "p".to_owned(), count: 1, queued: None },
        acceptance: decision.acceptance.clone(),
        body: raw_body::record(body),
        replay_of: None,
        times: 1,
    };
    let queued = serde_json::to_string(&received).expect("JSON");
    assert!(queued.len() < QUEUE_BYTES, "{} bytes", queued.len());
    assert_eq!(serde_json::from_str::<Received>(&queued).expect("it is read back"), received);
}
