//! A function that only sends a message of the usual size. `tests/speed` takes the difference to `ingest` as the cost
//! of the intake itself.

use ingest::outbox::sqs_client;
use ingest::settings::Settings;
use lambda_http::{Body, Error, Request, Response, service_fn};
use lambda_kit::queue::{Entry, Queue};
use lambda_kit::{aws, logging};

/// The size of a message as the intake queues it.
const BYTES: usize = 450;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::init();
    let settings = Settings::from_env()?;
    let queue = Queue::new(sqs_client(&aws::sdk_config()?), settings.messages_queue_url);
    let queue = &queue;
    let answer = move |_: Request| async move {
        queue.send(Entry { body: "x".repeat(BYTES), group: Some("int_speed".to_owned()), ..Entry::default() }).await?;
        Ok::<_, Error>(Response::new(Body::Empty))
    };
    lambda_http::run(service_fn(answer)).await
}
