//! What AWS limits and one machine does not: chains of calls, and calls at once.

use scenarios::escalation::members;
use scenarios::space::feishu_bot;
use scenarios::{World, seconds};

#[tokio::test]
async fn a_repetition_goes_on_after_more_calls_in_a_chain_than_aws_makes_by_itself() {
    let world = World::start().await;
    let li = world.member("li").chat(feishu_bot("li")).make().await;
    let payments = world.space("Payments").make().await;
    let sender = world.feishu_alert().close_when("RESOLVED").key(r"host=(\S+)").into(&payments).await;
    world.rule(&payments, "Always").levels([members(&[&li]).repeated(20, 30)]).await;
    sender.says("disk full host=db-1").await;
    world.feishu("li").expects("disk full").await;
    for time in 1..=20 {
        world.advance(seconds(31)).await;
        world.feishu("li").expects_all(&["Still open", "disk full"]).await;
        let newest = world.incident().await.details("repeated").await.pop().expect("an entry");
        assert_eq!(newest, format!("{time} of 20"));
    }
    world.finish().await;
}
