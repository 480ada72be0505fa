//! A notice sent by a worker whose lease expired is checked again and recorded.

use std::time::Duration;

use alerting::base::ids::{DestinationId, IncidentId};
use scenarios::space::feishu_bot;
use scenarios::wire::{Fault, Wire, dynamodb};
use scenarios::{World, seconds};
use serde_json::json;
use store::deliveries::Claim;

const LEASE: Duration = seconds(45);

#[tokio::test]
async fn a_notice_that_lost_its_lease_before_it_was_recorded_is_sent_again_and_recorded() {
    let wire = Wire::start().await;
    let world = World::start_through(&wire).await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().into(&ops).await;
    let mark =
        wire.before(dynamodb("UpdateItem").holding("list_append").holding("told").nth(1), Fault::Delay(seconds(3)));
    sender.says("disk full").await;
    world.feishu("ops").expects("Feishu Alert").await;
    mark.reached().await;

    // The worker sleeps. Another worker takes the lease and dies.
    world.larkspur.advance(LEASE).await;
    let incident: IncidentId =
        world.api.list("/incidents").await[0]["id"].as_str().expect("an id").parse().expect("valid");
    let group: DestinationId = ops.destinations[0].parse().expect("valid");
    let now = world.larkspur.clock.now();
    let claim = world.store().claim(&incident, &group, 1, "another", now, LEASE).await.expect("written");
    assert!(matches!(claim, Claim::Claimed(_)), "{claim:?}");
    tokio::time::sleep(seconds(5)).await;
    world.larkspur.advance(LEASE).await;

    world.feishu("ops").expects("Feishu Alert").await;
    world.settle().await;
    let shown = world.api.get(&format!("/incidents/{incident}")).await;
    assert_eq!(shown["deliveries"][0]["state"], json!("delivered"), "{shown:#}");
    world.finish().await;
}
