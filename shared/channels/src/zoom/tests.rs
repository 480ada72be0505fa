use super::*;
use crate::outcome::Reason::{BadDestination, ProviderDown, RateLimited, Refused, Unauthorized, Unreadable};
use crate::registry::Destination;
use crate::request::Transport;
use crate::samples::{self, check_outcomes, delivered, described, rejected, retry};

#[test]
fn answers_and_what_they_mean() {
    check_outcomes(
        "zoom_webhook",
        &[
            (200, "", delivered()),
            (204, "", delivered()),
            (200, r#"{"status":"Success"}"#, delivered()),
            (200, "Success", delivered()),
            (200, "<html>please sign in</html>", retry(None, Unreadable)),
            (200, r#"{"code":4000,"message":"format"}"#, rejected(Refused)),
            (400, "Missed timestamp", rejected(Refused)),
            (400, "Invalid format", rejected(Refused)),
            (401, "", rejected(Unauthorized)),
            (404, "", rejected(BadDestination)),
            (400, "Failed to send bot message", rejected(BadDestination)),
            (200, "Failed to send bot message", rejected(BadDestination)),
            (429, "", retry(None, RateLimited)),
            (500, "", retry(None, ProviderDown)),
        ],
    );
}

#[test]
fn the_message_stands_in_content_or_at_the_top() {
    let notices = [described("disk full", "")];
    let render = |envelope: Value| {
        let mut settings = samples::settings("zoom_webhook");
        settings["envelope"] = envelope;
        let destination = Destination::parse("zoom_webhook", &settings, None).expect("valid");
        samples::body(&destination.request(&samples::post(&notices), samples::NOW).expect("renders"))
    };
    let inner = render(json!("top_level"));
    assert_eq!(inner["head"]["text"], "[Critical] INC #7KQ2MD disk full");
    assert_eq!(render(json!("content")), json!({ "content": inner }));
    assert_eq!(render(Value::Null), json!({ "content": inner }));
}

#[test]
fn the_token_is_sent_bare_and_the_full_format_is_asked_for() {
    let notices = [described("disk full", "")];
    let mut settings = samples::settings("zoom_webhook");
    settings["url"] = json!("https://inbots.zoom.us/incoming/hook/abc?format=message&x=1");
    let destination = Destination::parse("zoom_webhook", &settings, None).expect("valid");
    let request = destination.request(&samples::post(&notices), samples::NOW).expect("renders");
    let Transport::Http(http) = &request.transport else { panic!("Zoom is spoken to by HTTP") };
    assert_eq!(http.headers[..], [("authorization", Secret::new("c4nary-verification-token"))]);
    assert_eq!(samples::url(&request), "https://inbots.zoom.us/incoming/hook/abc?x=1&format=full");
}

#[test]
fn a_title_that_the_headline_cannot_hold_is_whole_below_it() {
    let title = "磁".repeat(400);
    let notices = [described(&title, "")];
    let request =
        samples::destination("zoom_webhook").request(&samples::post(&notices), samples::NOW).expect("renders");
    let body = samples::body(&request);
    assert_eq!(body["content"]["head"]["text"].as_str().expect("text").chars().count(), 250);
    assert_eq!(body["content"]["body"][0]["text"], title);
}

// Proves: fault 14
#[test]
fn no_part_is_markdown() {
    let notices = [described("<!abc@xmpp.zoom.us|Li>", "*b*"), described("x", "")];
    for notices in [&notices[..1], &notices[..]] {
        let request =
            samples::destination("zoom_webhook").request(&samples::post(notices), samples::NOW).expect("renders");
        assert!(!samples::body_text(&request).contains("is_markdown_support"));
    }
}

#[test]
fn an_address_is_a_part_of_its_own_and_never_under_other_words() {
    let notices =
        [described("disk full", "see runbook (https://wiki.example/a) now\nhttps://grafana.example/d/1\nend")];
    let request =
        samples::destination("zoom_webhook").request(&samples::post(&notices), samples::NOW).expect("renders");
    let body = samples::body(&request);
    let parts: Vec<(&str, &str)> = body["content"]["body"]
        .as_array()
        .expect("parts")
        .iter()
        .map(|part| (part["text"].as_str().unwrap_or_default(), part["link"].as_str().unwrap_or_default()))
        .filter(|(_, link)| !link.contains("larkspur.example"))
        .collect();
    let wanted = [
        ("see runbook", ""),
        ("wiki.example/a", "https://wiki.example/a"),
        ("now", ""),
        ("grafana.example/d/1", "https://grafana.example/d/1"),
        ("end", ""),
    ];
    assert!(parts.ends_with(&wanted), "{parts:?}");
}

#[test]
fn settings_are_refused_with_field_and_remedy() {
    for (name, value) in [
        ("url", json!("https://integrations.zoom.us/elsewhere/x")),
        ("verification_token", json!("a b\n")),
        ("verification_token", Value::Null),
        ("envelope", json!("both")),
        ("envelope", json!(1)),
    ] {
        let mut settings = samples::settings("zoom_webhook");
        settings[name] = value;
        let refused = Destination::parse("zoom_webhook", &settings, None).expect_err("refused");
        assert_eq!(refused.field, format!("settings.{name}"));
    }
}

#[test]
fn a_user_id_becomes_a_jid_and_a_jid_stays_as_it_is() {
    for (id, known) in [
        ("AbCd_123", Some("abcd_123@xmpp.zoom.us")),
        ("AbCd@xmpp.zoom.us", Some("AbCd@xmpp.zoom.us")),
        ("a@b", None),
        ("a@b.c@d.e", None),
        ("a|b", None),
    ] {
        let identities = [(MENTIONED_BY.to_owned(), id.to_owned())].into();
        let person = Person { name: "Li".to_owned(), phone: None, identities };
        assert_eq!(jid(&person).as_deref(), known, "{id}");
    }
}
