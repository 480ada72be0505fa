use alerting::base::severity::Severity;
use alerting::incident::card::{Act, Card, Hours, State};
use alerting::incident::timeline::EntryKind;

use serde_json::Value;

use super::*;
use crate::samples::{NOW, body, check_outcomes, destination, notice, post, rejected, retry, url};

fn card() -> Card {
    Card {
        state: State::Triggered,
        severity: Severity::Critical,
        acts: vec![Act::Acknowledge, Act::Snooze(Hours(2)), Act::Snooze(Hours(4)), Act::Close],
        by: None,
        until: None,
        n: 7,
        episode: 1,
    }
}

#[test]
fn a_card_is_an_attachment_with_buttons_whose_values_name_incident_episode_destination_and_act() {
    let (notices, card) = ([notice(EntryKind::Triggered)], card());
    let request =
        destination("slack_app").request(&Post { card: Some(&card), ..post(&notices) }, NOW).expect("renders");
    assert_eq!(url(&request), POST);
    let body = body(&request);
    assert_eq!(body["channel"], "C0123456789");
    assert_eq!(body["attachments"][0]["color"], "#E0352B");
    let blocks = body["attachments"][0]["blocks"].as_array().expect("blocks");
    let elements = blocks.last().expect("one")["elements"].as_array().expect("elements");
    let start = "v1.inc_01KE6W5Z000000000000000001abc.1.dst_4fJk2LmNpQ";
    let text = |text: &str| json!({"type": "plain_text", "text": text});
    let option =
        |hours: u8| json!({"text": text(&format!("Snooze {hours} h")), "value": format!("{start}.snooze{hours}")});
    assert_eq!(
        elements[..3],
        [
            json!({"type": "button", "action_id": "take", "style": "primary", "text": text("Acknowledge"),
            "value": format!("{start}.acknowledge")}),
            json!({"type": "static_select", "action_id": "snooze", "placeholder": text("Snooze"),
            "options": [option(2), option(4)]}),
            json!({"type": "button", "action_id": "close", "style": "danger", "text": text("Close"),
            "value": format!("{start}.close")}),
        ]
    );
    assert_eq!(elements[3]["action_id"], "details");
    assert_eq!(elements.len(), 4);
}

#[test]
fn an_update_names_the_conversation_of_the_reply_and_its_time_stamp() {
    let (notices, card) = ([notice(EntryKind::Acknowledged)], card());
    let post = Post { card: Some(&card), ..post(&notices) };
    let channel = destination("slack_app");
    let update = channel.update(&post, "D9/1700000000.000100", NOW).expect("can").expect("renders");
    let body = body(&update);
    assert_eq!(
        (url(&update).as_str(), &body["channel"], &body["ts"]),
        (UPDATE, &json!("D9"), &json!("1700000000.000100"))
    );
    assert!(channel.update(&post, "no receipt", NOW).is_none());
}

/// Slack keeps what an update leaves out.
#[test]
fn a_plain_update_takes_the_attachments_away() {
    let notices = [notice(EntryKind::Acknowledged)];
    let post = Post { form: crate::post::Form::Plain, ..post(&notices) };
    let update = destination("slack_app").update(&post, "C1/1.2", NOW).expect("can").expect("renders");
    assert_eq!(body(&update)["attachments"], json!([]));
}

#[test]
fn a_card_of_a_change_shows_the_whole_incident_in_its_state() {
    let notices = [notice(EntryKind::Acknowledged)];
    let card = Card { state: State::Processing, by: Some("Li Lei".to_owned()), ..card() };
    let request =
        destination("slack_app").request(&Post { card: Some(&card), ..post(&notices) }, NOW).expect("renders");
    let text = crate::samples::body_text(&request);
    assert!(text.contains("[Processing · Critical]") && text.contains("(Li Lei)"), "{text}");
    assert!(text.contains("usage is at 97%") && text.contains("Payments"), "{text}");
}

#[test]
fn every_error_of_the_web_api_has_its_outcome() {
    let error = |name: &str| format!(r#"{{"ok":false,"error":"{name}"}}"#);
    let sent = Outcome::Delivered { receipt: Some("C1/1.2".to_owned()) };
    let rows = [
        (200, r#"{"ok":true,"channel":"C1","ts":"1.2","warning":"x"}"#.to_owned(), sent),
        (200, r#"{"ok":true}"#.to_owned(), retry(None, Reason::Unreadable)),
        (200, error("ratelimited"), retry(None, Reason::RateLimited)),
        (429, error("ratelimited"), retry(None, Reason::RateLimited)),
        (200, error("fatal_error"), retry(None, Reason::ProviderDown)),
        (200, error("token_revoked"), rejected(Reason::Unauthorized)),
        (200, error("missing_scope"), rejected(Reason::Unauthorized)),
        (200, error("not_in_channel"), rejected(Reason::BadDestination)),
        (200, error("is_archived"), rejected(Reason::BadDestination)),
        (200, error("message_not_found"), rejected(Reason::CardGone)),
        (200, error("edit_window_closed"), rejected(Reason::CardGone)),
        (200, error("msg_blocks_too_long"), rejected(Reason::TooLarge)),
        (200, error("invalid_blocks"), rejected(Reason::Refused)),
        (500, r#"{"ok":true,"channel":"C1","ts":"1.2"}"#.to_owned(), retry(None, Reason::ProviderDown)),
        (503, "busy".to_owned(), retry(None, Reason::ProviderDown)),
    ];
    let rows: Vec<(u16, &str, Outcome)> =
        rows.iter().map(|(status, body, outcome)| (*status, body.as_str(), outcome.clone())).collect();
    check_outcomes("slack_app", &rows);
}

#[test]
fn settings_are_ids_of_slack_and_a_bots_token() {
    let check = |settings: Value| {
        crate::registry::Destination::check_settings("slack_app", &settings).map_err(|error| error.field)
    };
    assert_eq!(check(json!({"account": "app_a", "channel": "C01"})), Ok(()));
    assert_eq!(check(json!({"account": "app_a", "channel": "D01"})), Ok(()));
    for (settings, field) in [
        (json!({"channel": "C01"}), "settings.account"),
        (json!({"account": "x", "channel": "C01"}), "settings.account"),
        (json!({"account": "app_a"}), "settings.channel"),
        (json!({"account": "app_a", "channel": "#ops"}), "settings.channel"),
        (json!({"account": "app_a", "channel": "T01"}), "settings.channel"),
    ] {
        assert_eq!(check(settings.clone()), Err(field.to_owned()), "{settings}");
    }
    let account = |name: &str, value: &str| {
        let mut account = crate::samples::provider("slack_app").expect("it has one");
        account[name] = value.into();
        crate::registry::Destination::check_account("slack_app", &account).map_err(|error| error.field)
    };
    assert_eq!(account("team_id", "T012"), Ok(()));
    for (name, value) in [("team_id", "acme"), ("app_id", "T01"), ("token", "xoxp-1"), ("signing_secret", " ")] {
        assert_eq!(account(name, value), Err(format!("settings.{name}")), "{value}");
    }
}
