//! The AWS services that the functions use, embedded: DynamoDB, SQS, SNS and Secrets Manager as an unmodified SDK speaks
//! to them.
//!
//! - Nothing listens: the SDK's clients reach them by a connector (`connector`) inside the process, so that no web page
//!   and no other user of the machine can. A test that needs a socket puts one before [`Aws::answer`] and guards it.
//! - Everything is in two files, and what was answered with success survives the death of the process: see
//!   [`storage`], also for what a power failure may take.
//! - Visibility, delays, deduplication and long polls follow the [`Clock`] given, also when it is moved.
//! - A bounded set of operations, each as AWS does it or refused; held to `tests/oracles/aws_conformance.py`.

pub(crate) mod connector;
mod database;
pub mod names;
mod secrets;
pub mod sns;
pub mod sqs;
pub mod storage;
mod tables;
mod wire;

use std::path::Path;

use alerting::base::secret::Secret;
use aws_types::SdkConfig;
use bytes::Bytes;
use lambda_kit::clock::Clock;

use self::secrets::Secrets;
use self::sns::Sns;
use self::sqs::Sqs;
use self::storage::Storage;
use self::tables::Tables;
pub use self::wire::Request;
use self::wire::Services;
use crate::stack::Table;

/// The embedded services. The files close when this, its clones and all its handles are gone.
#[derive(Debug, Clone)]
pub struct Aws {
    services: Services,
}

impl Aws {
    /// `data`: the folder for `queues.sqlite` and `tables.sqlite`; `None`: everything in memory. `secrets`: what
    /// `GetSecretValue` finds, by name.
    pub fn open(data: Option<&Path>, clock: Clock, secrets: Vec<(String, Secret)>) -> anyhow::Result<Self> {
        let storage = Storage::open(data, clock)?;
        let (sqs, sns) = (Sqs::new(storage.clone()), Sns::new(storage));
        let tables = Tables::open(data)?;
        Ok(Self { services: Services { sqs, sns, secrets: Secrets::new(secrets), tables } })
    }

    /// An SDK whose calls are answered here, without a socket.
    pub fn sdk_config(&self) -> SdkConfig {
        connector::sdk_config(&self.services)
    }

    /// Answers as AWS does.
    pub async fn answer(&self, request: &Request<'_>) -> http::Response<Bytes> {
        wire::answer(&self.services, request).await
    }

    pub fn sqs(&self) -> &Sqs {
        &self.services.sqs
    }

    pub fn sns(&self) -> &Sns {
        &self.services.sns
    }

    /// Makes a table unless it is there.
    pub(crate) async fn ensure_table(&self, table: &Table) -> anyhow::Result<()> {
        self.services.tables.ensure(table.definition.clone(), table.expiry.clone()).await
    }
}
