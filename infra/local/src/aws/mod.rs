//! The AWS services that the functions use, embedded: SQS, SNS and Secrets Manager as an unmodified SDK speaks them.
//! (DynamoDB is `dynoxide`, at an address of its own.)
//!
//! - Everything is in one file, and what was answered with success survives the death of the process: see
//!   [`storage`], also for what a power failure may take.
//! - Visibility, delays, deduplication and long polls follow the [`Clock`] given, also when it is moved.
//! - A bounded set of operations, each as AWS does it or refused; held to `tests/oracles/aws_conformance.py`.

pub mod names;
mod secrets;
pub mod sns;
pub mod sqs;
pub mod storage;
mod wire;

use std::path::Path;

use alerting::secret::Secret;
use lambda_kit::clock::Clock;

use self::secrets::Secrets;
use self::sns::Sns;
use self::sqs::Sqs;
use self::storage::Storage;
use self::wire::Services;

/// The embedded services. The storage closes when this, its router and all its handles are gone.
#[derive(Debug)]
pub struct Aws {
    services: Services,
}

impl Aws {
    /// `data`: the folder for `queues.sqlite`; `None`: everything in memory. `secrets`: what `GetSecretValue` finds, by name.
    pub fn open(data: Option<&Path>, clock: Clock, secrets: Vec<(String, Secret)>) -> anyhow::Result<Self> {
        let storage = Storage::open(data, clock)?;
        let (sqs, sns) = (Sqs::new(storage.clone()), Sns::new(storage));
        Ok(Self { services: Services { sqs, sns, secrets: Secrets::new(secrets) } })
    }

    /// Speaks all three protocols at `POST /`.
    pub fn router(&self) -> axum::Router {
        wire::router(self.services.clone())
    }

    pub fn sqs(&self) -> &Sqs {
        &self.services.sqs
    }

    pub fn sns(&self) -> &Sns {
        &self.services.sns
    }
}
