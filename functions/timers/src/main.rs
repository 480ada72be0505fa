//! Due work. Wires the handlers to AWS: the schedule's event sweeps, the queue's events act.

use aws_lambda_events::event::sqs::SqsEvent;
use dispatch::Dispatch;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::topic::Topic;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use store::{Store, Tables};
use timers::App;
use timers::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_kit::logging::init();
    let settings = Settings::from_env()?;
    let sdk = lambda_kit::aws::sdk_config()?;
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let tables = Tables { config: settings.config_table, alerts: settings.alerts_table };
    let app = App::new(Dispatch {
        store: Store::new(aws_sdk_dynamodb::Client::new(&sdk), tables),
        notices: Queue::new(sqs.clone(), settings.notices_queue_url),
        due: Queue::new(sqs, settings.due_queue_url),
        changes: Topic::new(aws_sdk_sns::Client::new(&sdk), settings.changes_topic_arn),
        clock: Clock::system(),
    });
    let app = &app;
    lambda_runtime::run(service_fn(|event: LambdaEvent<serde_json::Value>| async move {
        if event.payload.get("Records").is_none() {
            return timers::sweep(app).await.map(|()| serde_json::Value::Null).map_err(Error::from);
        }
        let deadline = lambda_kit::clock::deadline(&event.context);
        let batch: SqsEvent = serde_json::from_value(event.payload)?;
        Ok(serde_json::to_value(timers::handle_due(app, batch, deadline).await?)?)
    }))
    .await
}
