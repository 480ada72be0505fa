//! The message log.

use std::time::Duration;

use alerting::base::ids::{AlertId, IncidentId, IntegrationId, Stamp};
use alerting::base::limits;
use alerting::base::moment::Moment;
use alerting::rules::flag::Flag;
use alerting::rules::message::RawBody;
use alerting::rules::push_mode::KeyFrom;
use store::log::{JudgedBy, LogEntry, Logged, MessageOutcome, NoticeRef};

use crate::world::{NOW, World, destination, integration, space, stamp};

pub(crate) fn entry(integration: &IntegrationId, stamp: Stamp, outcome: MessageOutcome) -> LogEntry {
    LogEntry {
        stamp,
        integration: integration.clone(),
        title: "磁盘已满 db-1".to_owned(),
        content: "disk full on db-1".to_owned(),
        msg_type: Some("text".to_owned()),
        outcome,
        reason: None,
        alert_key: Some("db-1".to_owned()),
        key_from: Some(KeyFrom::Rule),
        rule: Some("push_mode.trigger[0]".to_owned()),
        alert: Some(AlertId::of(integration, stamp)),
        flags: vec![Flag::TextCut],
        cut_labels: Vec::new(),
        times: 1,
        notices: Vec::new(),
        body: RawBody::Text(r#"{"msg_type":"text","content":{"text":"disk full on db-1"}}"#.to_owned()),
        replay_of: None,
        judged_by: None,
    }
}

async fn log(world: &World, entry: &LogEntry) -> Logged {
    world.store.log_message(entry, NOW, limits::MESSAGE_LOG).await.expect("written")
}

#[tokio::test]
async fn an_entry_comes_back_with_its_body_and_notices() {
    let world = World::start().await;
    let a = integration("a");
    let notice = NoticeRef { incident: IncidentId::of(&space("dba"), stamp(0)), destination: destination("ops"), n: 1 };
    let full = LogEntry {
        notices: vec![notice],
        body: RawBody::Deflated("q80vyk4FAA==".to_owned()),
        replay_of: Some(stamp(-5)),
        judged_by: Some(JudgedBy { integration: 3, spaces: [(space("dba"), 7)].into() }),
        ..entry(&a, stamp(0), MessageOutcome::Triggered)
    };
    let empty = LogEntry {
        title: String::new(),
        msg_type: None,
        reason: Some("malformed".to_owned()),
        alert_key: None,
        key_from: None,
        rule: None,
        alert: None,
        ..entry(&a, stamp(1), MessageOutcome::Refused)
    };
    for logged in [full, empty] {
        assert_eq!(log(&world, &logged).await, Logged::New);
        assert_eq!(world.store.message(&a, logged.stamp).await.expect("read"), Some(logged));
    }
    assert_eq!(world.store.message(&a, stamp(2)).await.expect("read"), None);
}

#[tokio::test]
async fn a_redelivered_message_keeps_its_first_outcome() {
    let world = World::start().await;
    let a = integration("a");
    let first = entry(&a, stamp(0), MessageOutcome::Triggered);
    assert_eq!(log(&world, &first).await, Logged::New);
    let again = entry(&a, stamp(0), MessageOutcome::Superseded);
    assert_eq!(log(&world, &again).await, Logged::Existing(first.clone()));
    assert_eq!(world.store.message(&a, stamp(0)).await.expect("read"), Some(first));
}

#[tokio::test]
async fn the_largest_message_is_kept_whole_where_it_deflates_and_in_its_body_where_it_does_not() {
    let world = World::start().await;
    let a = integration("a");
    let text = "磁盘已满 ".repeat(limits::BODY_BYTES / 13);
    let plain =
        LogEntry { content: text.clone(), body: RawBody::Text(text), ..entry(&a, stamp(0), MessageOutcome::Triggered) };
    log(&world, &plain).await;
    assert_eq!(world.store.message(&a, stamp(0)).await.expect("read"), Some(plain));
    // Deflating takes a quarter off this, and finds no repetition within its window.
    let mut random = 1_u64;
    let mut letter = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b' ' + u8::try_from((random >> 33) % 94).expect("below 94") + 1)
    };
    let noise: String = (0..limits::BODY_BYTES).map(|_| letter()).collect();
    let noisy = LogEntry {
        content: noise.clone(),
        body: RawBody::Text(noise),
        ..entry(&a, stamp(1), MessageOutcome::Triggered)
    };
    log(&world, &noisy).await;
    let stored = world.store.message(&a, stamp(1)).await.expect("read").expect("there");
    assert_eq!(stored.body, noisy.body);
    assert!(stored.content.ends_with('…') && stored.content.len() <= limits::DESCRIPTION_BYTES);
}

#[tokio::test]
async fn messages_come_newest_first_and_whole_over_days_and_pages() {
    let world = World::start().await;
    let a = integration("a");
    let hours = |hours: u64| Duration::from_secs(3600 * hours);
    let mut expected = Vec::new();
    for index in 0..16 {
        // Every eight hours, with a gap of two days in the middle: empty partitions.
        let before = hours(8 * index) + if index > 6 { hours(48) } else { Duration::ZERO };
        let at = Stamp::from_parts(NOW - before, 7);
        log(&world, &entry(&a, at, MessageOutcome::Triggered)).await;
        expected.push(at);
    }
    log(&world, &entry(&integration("b"), stamp(1), MessageOutcome::Triggered)).await;
    for limit in [1, 3, 15, 16, 17] {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = world.store.messages(&a, after, limit, NOW).await.expect("listed");
            assert!(page.items.len() <= limit);
            found.extend(page.items.into_iter().map(|entry| entry.stamp));
            match page.next {
                Some(next) => after = Some(next.parse().expect("a stamp")),
                None => break,
            }
        }
        assert_eq!(found, expected, "limit {limit}");
    }
}

#[tokio::test]
async fn a_usual_message_with_its_body_fits_one_write_unit() {
    let world = World::start().await;
    let a = integration("4fJk2LmNpQ");
    let text = "[FIRING] disk usage on db-1 is 93 %\\nhost=db-1 mount=/var/lib/mysql\\nruns full in about 3 hours\\n";
    let body = format!(r#"{{"msg_type":"text","content":{{"text":"{}"}}}}"#, text.repeat(4));
    let notice = NoticeRef {
        incident: IncidentId::of(&space("4fJk2LmNpQ"), stamp(0)),
        destination: destination("4fJk2LmNpQ"),
        n: 1,
    };
    let logged = LogEntry {
        content: text.repeat(4),
        body: RawBody::Text(body),
        notices: vec![notice.clone(), notice],
        ..entry(&a, stamp(0), MessageOutcome::Triggered)
    };
    log(&world, &logged).await;
    let stored = world.client.scan().table_name("alerts").send().await.expect("read").items.expect("items");
    let billed: usize = stored[0].iter().map(|(name, value)| name.len() + bytes(value)).sum();
    assert!(billed <= 1024, "{billed} bytes");
}

fn bytes(value: &aws_sdk_dynamodb::types::AttributeValue) -> usize {
    use aws_sdk_dynamodb::types::AttributeValue::{B, N, S};
    match value {
        S(text) => text.len(),
        N(digits) => digits.len().div_ceil(2) + 1,
        B(blob) => blob.as_ref().len(),
        other => panic!("unexpected attribute {other:?}"),
    }
}

#[tokio::test]
async fn an_entry_expires_when_it_was_told_to() {
    let world = World::start().await;
    let logged = entry(&integration("a"), stamp(0), MessageOutcome::Triggered);
    world.store.log_message(&logged, NOW, Duration::from_secs(3600)).await.expect("written");
    let stored = world.client.scan().table_name("alerts").send().await.expect("read").items.expect("items");
    let expires: i64 = stored[0]["expires_at"].as_n().expect("a number").parse().expect("seconds");
    assert_eq!(Moment::from_secs(expires), NOW + Duration::from_secs(3600));
}
