use serde_json::{Value, json};

use super::*;
use crate::outcome::Reason::{BadDestination, ProviderDown, RateLimited, Refused, TooLarge, Unauthorized, Unreadable};
use crate::registry::Destination;
use crate::samples::{self, check_outcomes, described, post, rejected, retry};

fn received(words: &str) -> Outcome {
    Outcome::Delivered { receipt: Some(words.to_owned()) }
}

#[test]
fn replies_and_what_they_mean() {
    check_outcomes(
        "email",
        &[
            (250, "2.0.0 Ok: queued as 4F2A", received("2.0.0 Ok: queued as 4F2A")),
            (250, "", Outcome::Delivered { receipt: None }),
            (251, "User not local; will forward", received("User not local; will forward")),
            (421, "4.3.0 try later", retry(None, ProviderDown)),
            (450, "4.2.1 mailbox busy", retry(None, ProviderDown)),
            (451, "4.7.1 greylisted", retry(None, ProviderDown)),
            (452, "4.3.1 insufficient system storage", retry(None, ProviderDown)),
            (454, "4.7.0 temporary authentication failure", retry(None, ProviderDown)),
            (454, "Throttling failure: Maximum sending rate exceeded", retry(60, RateLimited)),
            (421, "4.7.28 Too many messages from this address", retry(60, RateLimited)),
            (500, "5.5.2 syntax error", rejected(Refused)),
            (503, "5.5.1 bad sequence of commands", rejected(Refused)),
            (530, "5.7.0 authentication required", rejected(Unauthorized)),
            (534, "5.7.9 application-specific password required", rejected(Unauthorized)),
            (535, "5.7.8 credentials invalid", rejected(Unauthorized)),
            (538, "encryption required for this mechanism", rejected(Unauthorized)),
            (550, "5.1.1 no such user", rejected(BadDestination)),
            (551, "user not local", rejected(BadDestination)),
            (552, "5.2.2 mailbox full", rejected(TooLarge)),
            (553, "5.1.3 mailbox name not allowed", rejected(BadDestination)),
            (556, "5.1.10 domain takes no mail", rejected(BadDestination)),
            (559, "Invalid rcptto", rejected(BadDestination)),
            (561, "relaying denied", rejected(BadDestination)),
            (563, "invalid address", rejected(BadDestination)),
            (554, "5.7.1 rejected due to content", rejected(Refused)),
            (354, "go ahead", retry(None, Unreadable)),
        ],
    );
}

#[test]
fn a_reply_names_its_enhanced_code() {
    let code = |text: &str| samples::destination("email").provider(&samples::reply(550, text)).code;
    assert_eq!(code("5.1.1 no such user"), Some("5.1.1".to_owned()));
    assert_eq!(code("no such user 5.1.1"), None);
    assert_eq!(code(""), None);
}

fn provider(name: &str, value: Value) -> Result<(), SettingsError> {
    let mut provider = samples::provider("email").expect("it has one");
    provider[name] = value;
    Destination::check_provider("email", &provider, &PlainSmtpHosts::list("localhost, 127.0.0.1"))
}

#[test]
fn wrong_settings_are_refused_by_name_with_the_remedy() {
    for (name, value) in [
        ("host", json!("smtp.example.com:465")),
        ("host", json!("https://smtp.example.com")),
        ("host", json!("a\r\nb")),
        ("port", json!(0)),
        ("port", json!(70_000)),
        ("port", json!("smtps")),
        ("tls", json!("ssl")),
        ("tls", json!("none")),
        ("port", json!(25)),
        ("username", json!(null)),
        ("password", json!(null)),
        ("from", json!("Larkspur")),
        ("from", json!("a@example.com\r\nBcc: b@example.com")),
        ("from", json!("a@example.com, b@example.com")),
        ("reply_to", json!("nobody")),
        ("sender", json!("a@example.com")),
    ] {
        let refused = provider(name, value.clone()).expect_err(name);
        assert_eq!(refused.field, format!("settings.{name}"), "{value}: {refused}");
    }
    assert!(provider("tls", json!("none")).expect_err("refused").message.contains("PLAIN_SMTP_HOSTS"));
    assert!(provider("port", json!(25)).expect_err("refused").message.contains("587"));
    for (name, value) in
        [("port", json!("587")), ("tls", json!("starttls")), ("reply_to", json!("Ops <o@example.com>"))]
    {
        assert_eq!(provider(name, value), Ok(()), "{name}");
    }
}

#[test]
fn a_server_that_the_deployment_names_may_do_without_tls_and_have_any_port() {
    let settings = |host: &str, port: u16| json!({"host": host, "port": port, "tls": "none", "from": "a@example.com"});
    let plain = PlainSmtpHosts::list("localhost, Mail.Internal,");
    for (host, port) in [("LOCALHOST", 25), ("mail.internal", 2525)] {
        assert_eq!(Destination::check_provider("email", &settings(host, port), &plain), Ok(()), "{host}");
    }
    for host in ["mail.internal.example.com", "smtp.example.com"] {
        assert!(Destination::check_provider("email", &settings(host, 2525), &plain).is_err(), "{host}");
    }
}

#[test]
fn an_address_is_one_address() {
    let check = |to: &str| Destination::check_settings("email", &json!({ "to": to }));
    assert_eq!(check(" ops@example.com "), Ok(()));
    for to in ["ops", "ops@", "a@example.com,b@example.com", "Ops <ops@example.com>", "a@example.com\r\nRCPT TO:<b>"] {
        assert_eq!(check(to).expect_err(to).field, "settings.to", "{to}");
    }
}

// Proves: fault 14
#[test]
fn html_shows_markup_as_text_and_loads_nothing() {
    let notices = [described("<script>alert(1)</script>", "<img src=\"https://evil.example/x\">\n  a & b")];
    let request = samples::destination("email").request(&post(&notices), samples::NOW).expect("renders");
    let body = samples::body(&request);
    let html = body["html"].as_str().expect("rich");
    assert!(!html.contains("<script") && !html.contains("<img") && html.contains("&lt;script&gt;"), "{html}");
    assert!(html.contains("<br>\n&nbsp; a &amp; b"), "{html}");
    assert!(body["text"].as_str().expect("text").contains("<script>alert(1)</script>"));
}
