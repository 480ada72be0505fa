//! Wires the function: logging, settings, clients, run.

use std::sync::Arc;

use ingest::App;
use ingest::gateway::{self, Event, Reply};
use ingest::outbox::sqs_client;
use ingest::settings::Settings;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::secrets::Sealer;
use lambda_kit::{aws, logging};
use lambda_runtime::{LambdaEvent, service_fn};
use store::{Store, Tables};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::init();
    let settings = Settings::from_env()?;
    let config = aws::sdk_config()?;
    let sealer = Sealer::new(aws_sdk_secretsmanager::Client::new(&config), settings.data_key_secret)
        .with_previous(settings.previous_data_key_secret);
    let tables = Tables { config: settings.config_table, alerts: settings.alerts_table };
    let app = App::new(
        Clock::system(),
        Store::new(aws_sdk_dynamodb::Client::new(&config), tables),
        Queue::new(sqs_client(&config), settings.messages_queue_url),
        Arc::new(sealer),
    );
    let app = &app;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| async move {
        let response = match event.payload.into_request() {
            Ok(request) => Box::pin(ingest::handle(app, request)).await,
            Err(answer) => gateway::response(answer),
        };
        Ok::<Reply, std::convert::Infallible>(response.into())
    }))
    .await
}
