//! Wires the function: logging, settings, clients, run.

use callbacks::App;
use callbacks::settings::Settings;
use dispatch::Dispatch;
use lambda_http::service_fn;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::secrets::Sealer;
use lambda_kit::topic::Topic;
use lambda_kit::{aws, logging};
use store::{Store, Tables};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    logging::init();
    let settings = Settings::from_env()?;
    let sdk = aws::sdk_config()?;
    let sealer = Sealer::new(aws_sdk_secretsmanager::Client::new(&sdk), settings.data_key_secret)
        .with_previous(settings.previous_data_key_secret);
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let tables = Tables { config: settings.config_table, alerts: settings.alerts_table };
    let dispatch = Dispatch {
        store: Store::new(aws_sdk_dynamodb::Client::new(&sdk), tables),
        notices: Queue::new(sqs.clone(), settings.notices_queue_url),
        due: Queue::new(sqs, settings.due_queue_url),
        changes: Topic::new(aws_sdk_sns::Client::new(&sdk), settings.changes_topic_arn),
        clock: Clock::system(),
    };
    let app = App { dispatch, sealer, base_url: settings.base_url };
    let app = &app;
    lambda_http::run(service_fn(async |request| {
        Ok::<_, std::convert::Infallible>(callbacks::handle(app, request).await)
    }))
    .await
}
