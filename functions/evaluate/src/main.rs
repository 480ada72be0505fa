//! Messages in, alerts and notices out. Wires the handler to AWS.

use aws_lambda_events::event::sqs::SqsEvent;
use dispatch::Dispatch;
use evaluate::App;
use evaluate::settings::Settings;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::topic::Topic;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use store::{Store, Tables};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_kit::logging::init();
    let settings = Settings::from_env()?;
    let sdk = lambda_kit::aws::sdk_config()?;
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let tables = Tables { config: settings.config_table, alerts: settings.alerts_table };
    let dispatch = Dispatch {
        store: Store::new(aws_sdk_dynamodb::Client::new(&sdk), tables),
        notices: Queue::new(sqs.clone(), settings.notices_queue_url),
        due: Queue::new(sqs.clone(), settings.due_queue_url),
        changes: Topic::new(aws_sdk_sns::Client::new(&sdk), settings.changes_topic_arn),
        clock: Clock::system(),
    };
    let app = App::new(Queue::new(sqs, settings.messages_queue_url), dispatch, settings.message_log_days);
    let app = &app;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let deadline = lambda_kit::clock::deadline(&event.context);
        evaluate::handle(app, event.payload, deadline).await.map_err(Error::from)
    }))
    .await
}
