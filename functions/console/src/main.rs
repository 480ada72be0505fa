//! The Lambda function: HTTP API events go to the router. Commands of an operator create the first API key and the link
//! of the first administrator.
//!
//! `aws lambda invoke --function-name … --payload '{"larkspur":"create_api_key"}'` answers `{"api_key":"…"}`, once;
//! `{"larkspur":"create_setup_link"}` answers `{"setup_url":"…"}` while no administrator can sign in.

// The future of a router in the layers of the runtime is nested deeper than the default limit of the compiler.
#![recursion_limit = "256"]

use std::sync::Arc;

use channels::settings::PlainSmtpHosts;
use console::dead_queues::DeadQueues;
use console::invocation::Handler;
use console::running_count::RunningCount;
use console::settings::Settings;
use console::{App, ProviderCache, Visits};
use dispatch::Dispatch;
use lambda_kit::clock::Clock;
use lambda_kit::queue::Queue;
use lambda_kit::random::StampSource;
use lambda_kit::secrets::Sealer;
use lambda_kit::topic::Topic;
use lambda_kit::{aws, logging};
use lambda_runtime::service_fn;
use post::deliver::{Deliverer, Overrides};
use store::{Store, Tables};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::init();
    let settings = Settings::from_env()?;
    let sdk = aws::sdk_config()?;
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let tables = Tables { config: settings.config_table, alerts: settings.alerts_table };
    let secrets = aws_sdk_secretsmanager::Client::new(&sdk);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&sdk), tables);
    let clock = Clock::system();
    let dispatch = Dispatch {
        store: store.clone(),
        notices: Queue::new(sqs.clone(), settings.notices_queue_url),
        due: Queue::new(sqs.clone(), settings.due_queue_url),
        changes: Topic::new(aws_sdk_sns::Client::new(&sdk), settings.changes_topic_arn),
        clock: clock.clone(),
    };
    let app = App {
        store,
        sealer: Arc::new(
            Sealer::new(secrets, settings.data_key_secret).with_previous(settings.previous_data_key_secret),
        ),
        messages: Queue::new(sqs.clone(), settings.messages_queue_url),
        dead: DeadQueues {
            messages: Queue::new(sqs.clone(), settings.messages_dead_queue_url),
            notices: Queue::new(sqs.clone(), settings.notices_dead_queue_url),
            due: Queue::new(sqs, settings.due_dead_queue_url),
        },
        dispatch,
        deliverer: Deliverer::new(Overrides {
            provider_base: settings.provider_base,
            plain_smtp_hosts: PlainSmtpHosts::list(&settings.plain_smtp_hosts.unwrap_or_default()),
            plain_web_hosts: settings.plain_oidc_hosts.unwrap_or_default().split(',').map(str::to_owned).collect(),
            demo: None,
        })?,
        clock,
        stamps: StampSource::new(),
        replayed: RunningCount::new(),
        base_url: settings.base_url,
        personal_ack_links: settings.personal_ack_links,
        oidc: ProviderCache::default(),
        visits: Visits::default(),
    };
    let handler = &Handler::new(app);
    lambda_runtime::run(service_fn(|event| handler.handle(event))).await
}
