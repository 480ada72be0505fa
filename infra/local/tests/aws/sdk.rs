//! The unmodified AWS SDK for Rust, as the functions use it.

use alerting::base::secret::Secret;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageAttributeValue,
    MessageSystemAttributeName, MessageSystemAttributeNameForSends, MessageSystemAttributeValue, QueueAttributeName,
    SendMessageBatchRequestEntry,
};
use lambda_kit::clock::Clock;
use local::aws::Aws;

/// Without retries, so that each send is one request.
pub(crate) fn sqs_client(aws: &Aws) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::config::Builder::from(&aws.sdk_config()).retry_config(RetryConfig::disabled());
    aws_sdk_sqs::Client::from_conf(config.build())
}

fn open() -> Aws {
    let secrets = vec![("data-key".to_owned(), Secret::new("0123456789abcdef"))];
    Aws::open(None, Clock::default(), secrets).expect("opens")
}

#[tokio::test]
async fn the_sdk_sends_receives_changes_and_deletes_in_batches_on_a_fifo_queue() {
    let sqs = sqs_client(&open());
    let created = sqs
        .create_queue()
        .queue_name("notices.fifo")
        .attributes(QueueAttributeName::FifoQueue, "true")
        .send()
        .await
        .expect("created");
    let url = created.queue_url().expect("has one");
    let trace =
        MessageSystemAttributeValue::builder().data_type("String").string_value("Root=1").build().expect("complete");
    let label = MessageAttributeValue::builder().data_type("String").string_value("v").build().expect("complete");
    let entry = |n: u32| {
        SendMessageBatchRequestEntry::builder()
            .id(n.to_string())
            .message_body(format!("告警 {n}"))
            .message_group_id("dst_1")
            .message_deduplication_id(n.to_string())
            .message_attributes("k", label.clone())
            .message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, trace.clone())
            .build()
            .expect("complete")
    };
    let sent = sqs.send_message_batch().queue_url(url).set_entries(Some((0..3).map(entry).collect())).send().await;
    assert_eq!(sent.expect("sent").successful().len(), 3);

    let receive = || {
        sqs.receive_message()
            .queue_url(url)
            .max_number_of_messages(10)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
    };
    let received = receive().send().await.expect("received");
    let bodies: Vec<_> = received.messages().iter().filter_map(|message| message.body()).collect();
    assert_eq!(bodies, ["告警 0", "告警 1", "告警 2"]);
    let first = &received.messages()[0];
    let system = first.attributes().expect("asked for");
    assert_eq!(system[&MessageSystemAttributeName::MessageGroupId], "dst_1");
    assert_eq!(system[&MessageSystemAttributeName::AwsTraceHeader], "Root=1");
    assert_eq!(first.message_attributes().expect("asked for")["k"].string_value(), Some("v"));

    let waits = received.messages().iter().enumerate().map(|(n, message)| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(n.to_string()).visibility_timeout(0);
        entry.set_receipt_handle(message.receipt_handle.clone()).build().expect("complete")
    });
    sqs.change_message_visibility_batch()
        .queue_url(url)
        .set_entries(Some(waits.collect()))
        .send()
        .await
        .expect("changed");
    let received = receive().send().await.expect("received");
    let deletes = received.messages().iter().enumerate().map(|(n, message)| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(n.to_string());
        entry.set_receipt_handle(message.receipt_handle.clone()).build().expect("complete")
    });
    let deleted = sqs.delete_message_batch().queue_url(url).set_entries(Some(deletes.collect())).send().await;
    assert_eq!(deleted.expect("deleted").successful().len(), 3);
    assert!(receive().send().await.expect("received").messages().is_empty());
}

#[tokio::test]
async fn the_sdk_recognises_the_errors() {
    let aws = open();
    let sqs = sqs_client(&aws);
    let missing = sqs.send_message().queue_url("http://aws.invalid/0/none").message_body("x").send().await;
    let error = missing.expect_err("no such queue").into_service_error();
    assert!(error.is_queue_does_not_exist(), "{error:?}");
    let sns = aws_sdk_sns::Client::new(&aws.sdk_config());
    let missing = sns.publish().topic_arn("arn:aws:sns:us-east-1:000000000000:none").message("x").send().await;
    assert!(missing.expect_err("no such topic").into_service_error().is_not_found_exception());
    let secrets = aws_sdk_secretsmanager::Client::new(&aws.sdk_config());
    let missing = secrets.get_secret_value().secret_id("none").send().await;
    assert!(missing.expect_err("no such secret").into_service_error().is_resource_not_found_exception());
    let unknown = sqs.list_queue_tags().queue_url("http://aws.invalid/0/none").send().await;
    assert_eq!(unknown.expect_err("not served").into_service_error().code(), Some("InvalidAction"));
}

#[tokio::test]
async fn the_sdk_reads_a_secret_by_its_name_and_by_its_arn() {
    let secrets = aws_sdk_secretsmanager::Client::new(&open().sdk_config());
    let by_name = secrets.get_secret_value().secret_id("data-key").send().await.expect("found");
    assert_eq!(by_name.secret_string(), Some("0123456789abcdef"));
    let by_arn = secrets.get_secret_value().secret_id(by_name.arn().expect("has one")).send().await.expect("found");
    assert_eq!(by_arn.name(), Some("data-key"));
}

#[tokio::test]
async fn the_sdk_publishes_a_batch_to_a_subscribed_queue() {
    let aws = open();
    let (sqs, sns) = (sqs_client(&aws), aws_sdk_sns::Client::new(&aws.sdk_config()));
    let url = sqs.create_queue().queue_name("subscriber").send().await.expect("created").queue_url.expect("has one");
    let topic = sns.create_topic().name("changes").send().await.expect("created").topic_arn.expect("has one");
    let subscribed = sns
        .subscribe()
        .topic_arn(&topic)
        .protocol("sqs")
        .endpoint("arn:aws:sqs:us-east-1:000000000000:subscriber")
        .attributes("RawMessageDelivery", "true")
        .send()
        .await;
    let subscription = subscribed.expect("subscribed").subscription_arn.expect("has one");
    let entry = |n: u32| {
        let entry = aws_sdk_sns::types::PublishBatchRequestEntry::builder();
        entry.id(n.to_string()).message(format!("a < b & \"{n}\"\r\n")).build().expect("complete")
    };
    let entries = Some((0..10).map(entry).collect());
    let published = sns.publish_batch().topic_arn(&topic).set_publish_batch_request_entries(entries).send().await;
    assert_eq!(published.expect("published").successful().len(), 10);
    let received = sqs.receive_message().queue_url(&url).max_number_of_messages(10).send().await.expect("received");
    assert_eq!(received.messages()[0].body(), Some("a < b & \"0\"\r\n"));
    let listed = sns.list_subscriptions_by_topic().topic_arn(&topic).send().await.expect("listed");
    assert_eq!(listed.subscriptions()[0].subscription_arn(), Some(subscription.as_str()));
    sns.unsubscribe().subscription_arn(&subscription).send().await.expect("unsubscribed");
    let listed = sns.list_subscriptions_by_topic().topic_arn(&topic).send().await.expect("listed");
    assert!(listed.subscriptions().is_empty());
}
