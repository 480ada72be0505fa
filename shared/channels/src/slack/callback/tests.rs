use alerting::base::secret::Secret;
use serde_json::json;

use super::*;
use crate::registry::Destination;

/// The example of Slack's documentation, "Verifying requests from Slack".
const DOCUMENTED: (&str, &str, &str, &str) = (
    "8f742231b10e8888abcd99yyyzzz85a5",
    "1531420618",
    "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
     channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
     response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&\
     trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
);

/// Made and checked by slack-sdk 3.47.0 (`SignatureVerifier`).
const BY_SDK: (&str, &str, &str, &str) = (
    "0123456789abcdef0123456789abcdef",
    "1700000000",
    "v0=1ee30d38bf4dfb815fca3ab3320c82c71ad4e14ed1072c45def1dcf633b3d302",
    "payload=%7B%22type%22%3A%20%22block_actions%22%2C%20%22actions%22%3A%20%5B%7B%22action_id%22%3A%20%22ack%22%2C%20%22value%22%3A%20%22v1%22%7D%5D%7D",
);

#[test]
fn the_published_signatures_are_right() {
    for (secret, timestamp, signature, body) in [DOCUMENTED, BY_SDK] {
        let verify = |body: &str, now: i64| {
            let headers = [("X-Slack-Request-Timestamp", timestamp), ("X-Slack-Signature", signature)];
            let incoming = Incoming { route: "actions", headers: &headers, query: &[], body: body.as_bytes() };
            super::verify(secret, &incoming, Moment::from_secs(now))
        };
        let at: i64 = timestamp.parse().expect("a number");
        for now in [at - 300, at, at + 300] {
            assert_eq!(verify(body, now), Ok(()));
        }
        for now in [at - 301, at + 301] {
            assert_eq!(verify(body, now), Err(Refused("it is too old, or a clock is wrong")));
        }
        assert_eq!(verify(&format!("{body} "), at), Err(Refused("the signature is wrong")));
    }
}

const SECRET: &str = "c4nary-signing-secret";
const AT: &str = "1700000000";

fn account() -> Value {
    json!({"team_id": "T1", "app_id": "A1", "signing_secret": SECRET, "token": "xoxb-1"})
}

fn signed(timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.update(format!("v0:{timestamp}:{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={hex}")
}

fn opened(route: &str, body: &str) -> Result<Callback, Refused> {
    let signature = signed(AT, body);
    opened_with(route, body, &[("x-slack-request-timestamp", AT), ("X-SLACK-SIGNATURE", &signature)], &account())
}

fn opened_with(route: &str, body: &str, headers: &[(&str, &str)], account: &Value) -> Result<Callback, Refused> {
    let incoming = Incoming { route, headers, query: &[], body: body.as_bytes() };
    Destination::open_callback("slack_app", account, &incoming, Moment::from_secs(1_700_000_010))
}

fn form(payload: &Value) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish()
}

/// As Slack sends it for a button in an attachment.
fn pressed(action: Value) -> Value {
    json!({
        "type": "block_actions", "api_app_id": "A1", "team": {"id": "T1", "domain": "acme"},
        "user": {"id": "U1", "username": "ada", "name": "ada", "team_id": "T1"},
        "container": {"type": "message_attachment", "message_ts": "1700000000.000100", "attachment_id": 1,
            "channel_id": "C1", "is_ephemeral": false},
        "trigger_id": "12.34.abc", "channel": {"id": "C1", "name": "ops"}, "actions": [action],
    })
}

#[test]
fn a_press_says_who_pressed_what_on_which_message() {
    let wanted = |value: &str| {
        Callback::Press(Pressed {
            value: value.to_owned(),
            user: ChatUser { id: "U1".to_owned(), name: "ada".to_owned() },
            receipt: "C1/1700000000.000100".to_owned(),
            replay: "12.34.abc".to_owned(),
        })
    };
    let button = json!({"action_id": "take", "type": "button", "value": "v1.x", "action_ts": "1"});
    assert_eq!(opened("actions", &form(&pressed(button))), Ok(wanted("v1.x")));
    let select = json!({"action_id": "snooze", "type": "static_select", "selected_option": {"value": "v1.y"}});
    assert_eq!(opened("actions", &form(&pressed(select))), Ok(wanted("v1.y")));
    let link = json!({"action_id": "details", "type": "button", "action_ts": "1"});
    assert_eq!(opened("actions", &form(&pressed(link))), Ok(Callback::Other));
}

#[test]
fn the_check_of_the_address_is_answered_only_with_a_right_signature() {
    let body = json!({"type": "url_verification", "token": "x", "challenge": "c-1"}).to_string();
    let answer = Answer { content_type: "text/plain", body: "c-1".to_owned() };
    assert_eq!(opened("events", &body), Ok(Callback::Check(answer)));
    let wrong = signed(AT, "another body");
    let headers = [("x-slack-request-timestamp", AT), ("x-slack-signature", wrong.as_str())];
    assert_eq!(opened_with("events", &body, &headers, &account()), Err(Refused("the signature is wrong")));
}

#[test]
fn events_are_messages_to_the_app_or_its_removal() {
    let event = |event: Value| {
        let body =
            json!({"type": "event_callback", "event_id": "Ev1", "team_id": "T1", "api_app_id": "A1", "event": event});
        opened("events", &body.to_string())
    };
    let message =
        json!({"type": "message", "channel_type": "im", "user": "U1", "channel": "D1", "text": "linkUser ABCD"});
    let said = Said {
        text: "linkUser ABCD".to_owned(),
        user: ChatUser { id: "U1".to_owned(), name: String::new() },
        chat: "D1".to_owned(),
        replay: "Ev1".to_owned(),
    };
    assert_eq!(event(message.clone()), Ok(Callback::Message(said)));
    for (name, value) in [("bot_id", "B1"), ("subtype", "message_changed"), ("channel_type", "channel")] {
        let mut other = message.clone();
        other[name] = value.into();
        assert_eq!(event(other), Ok(Callback::Other), "{name}");
    }
    for kind in ["app_uninstalled", "tokens_revoked"] {
        assert_eq!(event(json!({"type": kind})), Ok(Callback::Removed));
    }
}

// Proves: fault 72
#[test]
fn a_request_that_was_changed_in_any_way_is_refused() {
    let body = form(&pressed(json!({"type": "button", "value": "v1.x"})));
    let signature = signed(AT, &body);
    let right = [("x-slack-request-timestamp", AT), ("x-slack-signature", signature.as_str())];
    assert!(opened_with("actions", &body, &right, &account()).is_ok());
    let headers = |timestamp: &'static str, signature: &str| {
        vec![
            ("x-slack-request-timestamp".to_owned(), timestamp.to_owned()),
            ("x-slack-signature".to_owned(), signature.to_owned()),
        ]
    };
    let flipped = format!("{}{}", &signature[..signature.len() - 1], if signature.ends_with('0') { '1' } else { '0' });
    let of_other_team = form(&{
        let mut press = pressed(json!({"type": "button", "value": "v1.x"}));
        press["team"]["id"] = "T2".into();
        press
    });
    let of_other_app = form(&{
        let mut press = pressed(json!({"type": "button", "value": "v1.x"}));
        press["api_app_id"] = "A2".into();
        press
    });
    let old = "1699999000";
    let mutations = [
        ("a byte more", "actions", format!("{body}&"), headers(AT, &signature)),
        ("a byte less", "actions", body[..body.len() - 1].to_owned(), headers(AT, &signature)),
        ("another value", "actions", body.replace("v1.x", "v1.y"), headers(AT, &signature)),
        ("another user", "actions", body.replace("U1", "U2"), headers(AT, &signature)),
        ("no body", "actions", String::new(), headers(AT, &signature)),
        ("another second", "actions", body.clone(), headers("1700000001", &signature)),
        ("a flipped digit", "actions", body.clone(), headers(AT, &flipped)),
        ("no version", "actions", body.clone(), headers(AT, &signature[3..])),
        ("another version", "actions", body.clone(), headers(AT, &signature.replace("v0=", "v1="))),
        ("an empty signature", "actions", body.clone(), headers(AT, "v0=")),
        ("half a signature", "actions", body.clone(), headers(AT, &signature[..35])),
        ("no hexadecimal", "actions", body.clone(), headers(AT, &signature.replace("v0=", "v0=zz"))),
        ("no signature", "actions", body.clone(), headers(AT, "")[..1].to_vec()),
        ("no timestamp", "actions", body.clone(), headers(AT, &signature)[1..].to_vec()),
        ("too old", "actions", body.clone(), headers(old, &signed(old, &body))),
        ("no number", "actions", body.clone(), headers("now", &signed("now", &body))),
        ("another workspace", "actions", of_other_team.clone(), headers(AT, &signed(AT, &of_other_team))),
        ("another app", "actions", of_other_app.clone(), headers(AT, &signed(AT, &of_other_app))),
        ("another path", "", body.clone(), headers(AT, &signature)),
        ("a form as an event", "events", body.clone(), headers(AT, &signature)),
    ];
    for (name, route, body, headers) in mutations {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert!(opened_with(route, &body, &headers, &account()).is_err(), "{name}");
    }
}

#[test]
fn an_account_that_is_not_complete_verifies_nothing() {
    let body = form(&pressed(json!({"type": "button", "value": "v1.x"})));
    let signature = signed(AT, &body);
    let headers = [("x-slack-request-timestamp", AT), ("x-slack-signature", signature.as_str())];
    for name in ["signing_secret", "team_id", "app_id"] {
        let mut account = account();
        account[name] = Value::Null;
        assert_eq!(opened_with("actions", &body, &headers, &account), Err(Refused("the account is not complete")));
    }
    assert!(!format!("{:?}", Secret::new(SECRET)).contains("c4nary"));
}
