//! A function that does nothing but send a message of the usual size: what `ingest` costs beyond it is its own
//! (`tests/speed`).

use ingest::outbox::sqs_client;
use ingest::settings::Settings;
use lambda_http::{Body, Error, Request, Response, service_fn};
use lambda_kit::queue::{Entry, Queue};
use lambda_kit::{aws, logging};

/// As long as a message that intake hands on.
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
