//! Services that are down for a while, and deadlines that expire.

use super::*;

// Proves: fault 34
#[tokio::test]
async fn while_the_configuration_cannot_be_read_the_cached_part_is_used_and_the_rest_is_retried() {
    let (wire, world, ops, warm) = deployment().await;
    warm.says("known\nkey=a").await;
    world.feishu("ops").expects("known").await;
    let cold = world.feishu_alert().monitoring().into(&ops).await;
    let read = || dynamodb("").on("ConfigTable");
    // No sender has to wait for a table that does not answer.
    world.forget().await;
    let silent = wire.before(read(), Fault::Hang);
    let started = Instant::now();
    warm.says("known still\nkey=d").await;
    assert!(started.elapsed() < seconds(3), "{:?}", started.elapsed());
    assert!(silent.count() > 0, "it was asked");
    silent.remove();
    world.feishu("ops").expects("known still").await;
    world.rest().await;
    world.forget().await;
    let refusing = wire.before(read(), Fault::Refuse(Refusal::INTERNAL));
    warm.says("known too\nkey=b").await;
    world.feishu("ops").expects("known too").await;
    refusing.remove();
    world.rest().await;
    world.forget().await;
    wire.before(read(), Fault::Refuse(Refusal::INTERNAL));
    // This process never read this integration. Its message comes from the intake of another process.
    let received = cold.received(1, world.larkspur.clock.now(), "unknown yet\nkey=c");
    world.deliver([&received]).await;
    wire.wait_until_quiet().await;
    assert!(world.feishu("ops").unexpected().is_empty());
    wire.remove_faults();
    wire.redeliver(&world).await;
    world.feishu("ops").expects("unknown yet").await;
    world.finish().await;
}

// Proves: fault 39
#[tokio::test]
async fn while_secrets_manager_is_down_notices_wait_unless_the_process_has_the_key_in_memory() {
    let (wire, world, _, sender) = deployment().await;
    let rule = wire.before(secrets(), Fault::Refuse(Refusal::INTERNAL));
    sender.says("disk full\nkey=a").await;
    rule.reached().await;
    wire.wait_until_quiet().await;
    assert!(world.feishu("ops").messages().is_empty(), "nobody can open the group's address");
    assert_eq!(world.dead_letters().await.len(), 0, "nothing is dropped");
    wire.remove_faults();
    wire.redeliver(&world).await;
    world.feishu("ops").expects("disk full").await;
    let down = wire.before(secrets(), Fault::Refuse(Refusal::INTERNAL));
    world.advance(minutes(60)).await;
    sender.says("load high\nkey=b").await;
    world.feishu("ops").expects("load high").await;
    assert_eq!(down.count(), 0, "the key is kept");
    world.finish().await;
}

/// The slow message needs more than the 28 seconds that the function works: for its alert, two attempts that time out
/// and one that takes four seconds, and then three attempts for its incident.
// Proves: fault 42
#[tokio::test]
async fn two_seconds_before_its_deadline_the_function_reports_unfinished_records_as_failed() {
    let wire = Wire::start().await;
    let world = World::start_through(&wire).await;
    let ops = world.space("Ops").notify(feishu_bot("ops")).await;
    let sender = world.feishu_alert().set("title_from", json!("first_line")).into(&ops).await;
    let slow = || dynamodb("PutItem").on("AlertsTable").holding("slow one");
    wire.before(slow().first(2), Fault::Hang);
    wire.before(slow().first(1), Fault::Delay(Duration::from_millis(4500)));
    wire.before(slow(), Fault::Hang);
    let started = Instant::now();
    tokio::join!(sender.says("slow one"), sender.says("quick one"));
    while world.feishu("ops").messages().is_empty() {
        assert!(started.elapsed() < seconds(90), "the quick one waits for the slow one to come again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    world.feishu("ops").expects("quick one").await;
    wire.wait_until_quiet().await;
    // The batch window, 28 seconds of work, and a margin for a busy machine.
    assert!((seconds(27)..seconds(45)).contains(&started.elapsed()), "{:?}", started.elapsed());
    assert_eq!(sender.outcomes().await, ["triggered"]);
    wire.remove_faults();
    wire.redeliver(&world).await;
    world.feishu("ops").expects("slow one").await;
    assert_eq!(sender.outcomes().await, ["triggered", "triggered"]);
    world.finish().await;
}
