//! Reads notices and sends messages. Wires the handler to AWS.

use aws_lambda_events::event::sqs::SqsEvent;
use channels::settings::PlainSmtpHosts;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::secrets::Sealer;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use notify::App;
use notify::settings::Settings;
use post::deliver::{Deliverer, Overrides};
use store::{Store, Tables};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_kit::logging::init();
    let settings = Settings::from_env()?;
    let sdk = lambda_kit::aws::sdk_config()?;
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let tables = Tables { config: settings.config_table, alerts: settings.alerts_table };
    let app = App::new(notify::Parts {
        store: Store::new(aws_sdk_dynamodb::Client::new(&sdk), tables),
        notices: Queue::new(sqs.clone(), settings.notices_queue_url),
        due: Queue::new(sqs, settings.due_queue_url),
        sealer: Sealer::new(aws_sdk_secretsmanager::Client::new(&sdk), settings.data_key_secret)
            .with_previous(settings.previous_data_key_secret),
        deliverer: Deliverer::new(Overrides {
            provider_base: settings.provider_base,
            plain_smtp_hosts: PlainSmtpHosts::list(&settings.plain_smtp_hosts.unwrap_or_default()),
            ..Overrides::default()
        })?,
        link_base: settings.base_url,
        personal_ack_links: settings.personal_ack_links,
        clock: Clock::system(),
    });
    let app = &app;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let deadline = lambda_kit::clock::deadline(&event.context);
        notify::handle(app, event.payload, deadline).await.map_err(Error::from)
    }))
    .await
}
