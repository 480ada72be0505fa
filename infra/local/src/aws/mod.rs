//! Embeds the AWS services that the functions use: DynamoDB, SQS, SNS and Secrets Manager, for an unmodified SDK.
//!
//! - Nothing listens: the SDK's clients reach the services by a connector (`connector`) inside the process, so no web
//!   page and no other user of the machine can. A test that needs a socket puts one before [`Aws::answer`] and guards
//!   it.
//! - Everything is in two files. What was answered with success survives a kill of the process; [`storage`] says what a
//!   power failure may lose.
//! - Visibility, delays, deduplication and long polls follow the given [`Clock`], also when it is moved.
//! - A bounded set of operations is implemented, each as on AWS, and others are refused.
//!   `tests/oracles/aws_conformance.py` checks them.

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

/// The embedded services. The files close when the value, its clones and all its handles are dropped.
#[derive(Debug, Clone)]
pub struct Aws {
    services: Services,
}

impl Aws {
    /// `data`: the folder for `queues.sqlite` and `tables.sqlite`; `None`: everything in memory. `secrets`: the secrets
    /// that `GetSecretValue` finds, by name.
    pub fn open(data: Option<&Path>, clock: Clock, secrets: Vec<(String, Secret)>) -> anyhow::Result<Self> {
        let storage = Storage::open(data, clock)?;
        let (sqs, sns) = (Sqs::new(storage.clone()), Sns::new(storage));
        let tables = Tables::open(data)?;
        Ok(Self { services: Services { sqs, sns, secrets: Secrets::new(secrets), tables } })
    }

    /// The configuration of an SDK whose calls are answered here, without a socket.
    pub fn sdk_config(&self) -> SdkConfig {
        connector::sdk_config(&self.services)
    }

    /// Answers a request as AWS does.
    pub async fn answer(&self, request: &Request<'_>) -> http::Response<Bytes> {
        wire::answer(&self.services, request).await
    }

    pub fn sqs(&self) -> &Sqs {
        &self.services.sqs
    }

    pub fn sns(&self) -> &Sns {
        &self.services.sns
    }

    /// Creates a table unless it exists.
    pub(crate) async fn ensure_table(&self, table: &Table) -> anyhow::Result<()> {
        self.services.tables.ensure(table.definition.clone(), table.expiry.clone()).await
    }
}
