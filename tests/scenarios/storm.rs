//! A storm of alerts is folded into digests: every alert is shown, the group's limits are respected, and only messages
//! that were delivered count as delivered.

use std::collections::HashSet;
use std::time::Duration;

use alerting::base::rate::Rate;
use scenarios::World;
use scenarios::space::feishu_bot;
use serde_json::json;
use vendors::group::{AttemptResult, Rules};

const MESSAGES: usize = 300;

// Proves: limits
#[tokio::test]
async fn three_hundred_messages_in_three_seconds_are_all_shown_within_feishu_s_limits() {
    let world = World::start().await;
    let rates = vec![Rate { burst: 5, per: Duration::from_secs(1) }, Rate { burst: 100, per: Duration::from_secs(60) }];
    let space =
        world.space("Ops").notify(feishu_bot("ops").with(Rules { rates: Some(rates), ..Rules::default() })).await;
    let limits = json!({"per_second": 10_000, "per_minute": 100_000});
    let sender = world.feishu_alert().set("limits", limits).set("title_from", json!("first_line")).into(&space).await;

    let mut pace = tokio::time::interval(Duration::from_millis(10));
    for number in 0..MESSAGES {
        pace.tick().await;
        sender.says(&format!("alert number {number:03}.")).await;
    }
    world.settle().await;

    let group = world.feishu("ops");
    let shown: String = group.messages().iter().map(vendors::seen::Seen::everything).collect();
    let missing: Vec<usize> =
        (0..MESSAGES).filter(|number| !shown.contains(&format!("alert number {number:03}."))).collect();
    assert!(missing.is_empty(), "not shown: {missing:?}");
    let refused = group.attempts().iter().filter(|attempt| attempt.result != AttemptResult::Shown).count();
    assert_eq!(refused, 0, "the group's limits were exceeded");
    assert!(group.messages().len() <= 60, "{} messages are no folding", group.messages().len());

    let mut states = HashSet::new();
    for incident in world.api.list("/incidents").await {
        let id = incident["id"].as_str().expect("an id");
        let incident = world.api.get(&format!("/incidents/{id}")).await;
        states.insert(incident["deliveries"][0]["state"].as_str().expect("a state").to_owned());
    }
    assert!(states.is_subset(&HashSet::from(["delivered".to_owned(), "folded".to_owned()])), "{states:?}");
    group.accept_all();
    world.finish().await;
}
