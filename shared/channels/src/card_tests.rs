//! Promises of every channel with cards. A new one is tested through its line in the registry, and says here how its cards
//! write an action ([`acts`]).

use alerting::base::severity::Severity;
use alerting::incident::card::{Act, Card, SNOOZES, State};
use alerting::incident::press::Press;
use alerting::incident::timeline::EntryKind;
use alerting::people::Person;
use serde_json::Value;

use crate::channel::Kind;
use crate::layout::tone::Tone;
use crate::post::{Form, Post};
use crate::registry::{Destination, FACTS};
use crate::request::{Request, Transport};
use crate::samples::{self, NOTIFYING, NOW, body, body_text, destination, escalated, notice, post};

/// The channels with cards, the one that only tests have among them.
fn channels() -> impl Iterator<Item = &'static str> {
    FACTS.iter().map(|facts| facts.name).filter(|channel| Destination::has_cards(channel))
}

/// The actions that the buttons of a body take, in their order.
fn acts(channel: &str, body: &Value) -> Vec<String> {
    match channel {
        "slack_app" => {
            let blocks = body["attachments"][0]["blocks"].as_array();
            let elements = blocks.into_iter().flatten().filter_map(|block| block["elements"].as_array()).flatten();
            let values = elements.flat_map(|element| match element["options"].as_array() {
                Some(options) => options.iter().map(|option| &option["value"]).collect(),
                None => vec![&element["value"]],
            });
            let values = values.filter_map(Value::as_str).map(|value| value.parse::<Press>().expect("a press"));
            values.map(|press| name(channel, press.act)).collect()
        }
        "echo_app" => {
            let acts = body["card"]["acts"].as_array();
            acts.into_iter().flatten().map(|act| act.as_str().expect("a text").to_owned()).collect()
        }
        other => panic!("how does a card of {other} write its actions?"),
    }
}

fn name(channel: &str, act: Act) -> String {
    match (channel, act) {
        ("slack_app" | "echo_app", Act::Acknowledge) => "acknowledge".to_owned(),
        ("slack_app" | "echo_app", Act::Unacknowledge) => "take back".to_owned(),
        ("slack_app" | "echo_app", Act::Snooze(hours)) => format!("snooze {} h", hours.0),
        ("slack_app" | "echo_app", Act::Close) => "close".to_owned(),
        (other, _) => panic!("how does a card of {other} write its actions?"),
    }
}

/// A card of each state, with the actions that the state allows.
fn cards() -> Vec<Card> {
    let snoozes = SNOOZES.map(Act::Snooze);
    let offered = |first: Act| [first].into_iter().chain(snoozes).chain([Act::Close]).collect::<Vec<_>>();
    let merged = State::Merged { into: "inc_01KE6W5Z000000000000000002abc".parse().expect("valid") };
    let rows = [
        (State::Triggered, offered(Act::Acknowledge)),
        (State::Processing, offered(Act::Unacknowledge)),
        (State::Snoozed, vec![Act::Acknowledge, Act::Close]),
        (State::Held, vec![Act::Unacknowledge, Act::Close]),
        (State::Closed, Vec::new()),
        (merged, Vec::new()),
    ];
    let card = |(state, acts): (State, Vec<Act>)| Card {
        state,
        severity: Severity::Critical,
        acts,
        by: Some("Li Lei".to_owned()),
        until: None,
        n: 7,
        episode: 1,
    };
    rows.map(card).into()
}

fn sent(channel: &str, post: &Post<'_>) -> Request {
    destination(channel).request(post, NOW).expect("renders")
}

fn path_and_body(request: &Request) -> (&str, &[u8]) {
    match &request.transport {
        Transport::Http(http) => (http.path.expose(), &http.body),
        Transport::Email { .. } => panic!("mail has no cards"),
    }
}

#[test]
fn a_card_offers_exactly_the_actions_of_its_state_and_the_details() {
    assert!(channels().next().is_some(), "no channel has cards");
    let notices = [escalated()];
    for channel in channels() {
        for card in cards() {
            let request = sent(channel, &Post { card: Some(&card), ..post(&notices) });
            let wanted: Vec<String> = card.acts.iter().map(|act| name(channel, *act)).collect();
            assert_eq!(acts(channel, &body(&request)), wanted, "{channel} {:?}", card.state);
            let text = body_text(&request);
            assert!(text.contains(&samples::link(&notices[0])), "{channel} {:?} has no details", card.state);
            assert!(!text.contains("?ack=1"), "{channel} {:?}: a button acknowledges, not a link", card.state);
        }
    }
}

#[test]
fn an_update_offers_the_same_as_a_new_card_and_names_the_message_that_it_changes() {
    let notices = [notice(EntryKind::Acknowledged)];
    for channel in channels() {
        for card in cards() {
            let post = Post { card: Some(&card), ..post(&notices) };
            let update =
                destination(channel).update(&post, "C1/1.1", NOW).expect("cards can be updated").expect("renders");
            assert_eq!(acts(channel, &body(&update)), acts(channel, &body(&sent(channel, &post))), "{channel}");
            let other =
                destination(channel).update(&post, "C1/1.2", NOW).expect("cards can be updated").expect("renders");
            assert_ne!(path_and_body(&update), path_and_body(&other), "{channel}: no receipt");
        }
    }
}

/// One message about several incidents has no buttons, because they would not say which incident they act on.
#[test]
fn several_notices_in_one_message_have_no_card() {
    let notices = NOTIFYING.map(|(_, kind)| notice(kind));
    for channel in channels() {
        for card in cards() {
            let request = sent(channel, &Post { card: Some(&card), ..post(&notices) });
            assert_eq!(acts(channel, &body(&request)), [""; 0], "{channel} {:?}", card.state);
        }
    }
}

#[test]
fn what_a_sender_writes_is_in_a_card_as_text_and_adds_no_action() {
    let evil = r#"","acts":["close"],"x":""#;
    let person = Person { name: evil.to_owned(), phone: None, identities: Default::default() };
    let mut notices = [escalated()];
    notices[0].title = evil.to_owned();
    notices[0].description = evil.to_owned();
    notices[0].mentions = vec![person];
    for channel in channels() {
        for card in cards() {
            let card = Card { by: Some(evil.to_owned()), ..card };
            let request = sent(channel, &Post { card: Some(&card), form: Form::Rich, ..post(&notices) });
            assert_eq!(acts(channel, &body(&request)).len(), card.acts.len(), "{channel} {:?}", card.state);
        }
    }
}

#[test]
fn a_channel_has_cards_by_its_kind_and_text_channels_update_nothing() {
    let notices = [notice(EntryKind::Triggered)];
    for facts in FACTS {
        let destination = destination(facts.name);
        let has_cards = destination.kind() == Kind::Card;
        assert_eq!(Destination::has_cards(facts.name), has_cards, "{}", facts.name);
        assert_eq!(destination.update(&post(&notices), "C1/1.1", NOW).is_some(), has_cards, "{}", facts.name);
    }
}

#[test]
fn the_colour_of_a_card_is_its_severity_while_somebody_has_to_act_and_then_its_state() {
    let tones: Vec<Tone> = cards().iter().map(Tone::of_card).collect();
    let processing = Tone::Acknowledged;
    assert_eq!(tones, [Tone::Critical, processing, processing, processing, Tone::Closed, Tone::Closed]);
    let open = cards().remove(0);
    for (severity, tone) in [(Severity::Warning, Tone::Warning), (Severity::Info, Tone::Info)] {
        assert_eq!(Tone::of_card(&Card { severity, ..open.clone() }), tone);
    }
}
