//! Topics, as publishers and subscribers see them.

use local::aws::names::queue_arn;
use local::aws::sns::topics::Publication;
use local::aws::sqs::message::MessageAttribute;

use crate::support::{NOW, attributes, bodies, in_memory};

fn publication(message: &str) -> Publication {
    Publication { message: message.to_owned(), ..Publication::default() }
}

#[tokio::test]
async fn a_publication_reaches_every_subscriber_that_wants_it_as_it_wants_it() {
    let (aws, _) = in_memory();
    let (sqs, sns) = (aws.sqs(), aws.sns());
    let topic = sns.create_topic("changes").await.expect("created");
    for (queue, attributes_given) in [
        ("raw", attributes(&[("RawMessageDelivery", "true")])),
        ("wrapped", attributes(&[])),
        ("critical", attributes(&[("RawMessageDelivery", "true"), ("FilterPolicy", r#"{"severity":["critical"]}"#)])),
    ] {
        sqs.create_queue(queue, attributes(&[])).await.expect("created");
        sns.subscribe(&topic, &queue_arn(queue), attributes_given).await.expect("subscribed");
    }
    let severity = MessageAttribute {
        data_type: "String".to_owned(),
        string_value: Some("critical".to_owned()),
        binary_value: None,
    };
    let critical = Publication { attributes: [("severity".to_owned(), severity)].into(), ..publication("two") };
    sns.publish_batch(&topic, vec![publication("one"), critical]).await.expect("published");

    let raw = sqs.receive("raw", 10, NOW).await.expect("received");
    assert_eq!(bodies(&raw), ["one", "two"]);
    assert!(raw[1].attributes.contains_key("severity"));
    assert_eq!(bodies(&sqs.receive("critical", 10, NOW).await.expect("received")), ["two"]);
    let wrapped = sqs.receive("wrapped", 1, NOW).await.expect("received");
    let envelope: serde_json::Value = serde_json::from_str(&wrapped[0].body).expect("JSON");
    assert_eq!((&envelope["Message"], &envelope["TopicArn"]), (&"one".into(), &topic.into()));
}

// Proves: finding A9
#[tokio::test]
async fn a_batch_is_refused_by_its_bytes_and_a_publication_carries_its_trace() {
    let (aws, _) = in_memory();
    let (sqs, sns) = (aws.sqs(), aws.sns());
    let topic = sns.create_topic("changes").await.expect("created");
    sqs.create_queue("all", attributes(&[])).await.expect("created");
    sns.subscribe(&topic, &queue_arn("all"), attributes(&[])).await.expect("subscribed");
    let half = "x".repeat(131_072);
    let refused = sns.publish_batch(&topic, vec![publication(&half), publication(&half), publication("x")]).await;
    assert_eq!(refused.expect_err("too many bytes").code().0, "BatchRequestTooLong");
    let traced = Publication { trace: Some("Lineage=Timers:3".to_owned()), ..publication("x") };
    sns.publish(&topic, traced).await.expect("published");
    let received = sqs.receive("all", 10, NOW).await.expect("received");
    assert_eq!(received.iter().map(|message| message.trace.as_deref()).collect::<Vec<_>>(), [Some("Lineage=Timers:3")]);
}

#[tokio::test]
async fn publishing_succeeds_although_the_queue_of_a_subscriber_was_deleted() {
    let (aws, _) = in_memory();
    let (sqs, sns) = (aws.sqs(), aws.sns());
    let topic = sns.create_topic("changes").await.expect("created");
    for queue in ["gone", "there"] {
        sqs.create_queue(queue, attributes(&[])).await.expect("created");
        sns.subscribe(&topic, &queue_arn(queue), attributes(&[("RawMessageDelivery", "true")]))
            .await
            .expect("subscribed");
    }
    sqs.delete_queue("gone").await.expect("deleted");
    sns.publish(&topic, publication("x")).await.expect("published");
    assert_eq!(bodies(&sqs.receive("there", 10, NOW).await.expect("received")), ["x"]);
}

#[tokio::test]
async fn what_sns_refuses_is_refused_with_its_code() {
    let (aws, _) = in_memory();
    let sns = aws.sns();
    let topic = sns.create_topic("changes").await.expect("created");
    let none = sns.publish("arn:aws:sns:us-east-1:000000000000:none", publication("x")).await;
    assert_eq!(none.expect_err("no such topic").code().0, "NotFound");
    let empty = sns.publish(&topic, publication("")).await;
    assert_eq!(empty.expect_err("no message").code().0, "InvalidParameter");
    let policy = attributes(&[("FilterPolicy", r#"{"a":[{"cidr":"10.0.0.0/8"}]}"#)]);
    let bad = sns.subscribe(&topic, &queue_arn("q"), policy).await;
    assert_eq!(bad.expect_err("an operator that is not understood").code().0, "InvalidParameter");
    let fifo = sns.subscribe(&topic, &queue_arn("q.fifo"), attributes(&[])).await;
    assert_eq!(fifo.expect_err("a FIFO queue").code().0, "InvalidParameter");
}

#[tokio::test]
async fn a_text_message_is_kept_to_be_looked_at() {
    let (aws, _) = in_memory();
    let id = aws.sns().send_text("+15555550100", "disk full").await.expect("kept");
    let texts = aws.sns().texts().await.expect("read");
    assert_eq!((texts[0].message_id.as_str(), texts[0].message.as_str()), (id.as_str(), "disk full"));
}
