//! An emulator with the two tables, and values to store.

use alerting::base::ids::{DestinationId, IntegrationId, SpaceId, Stamp};
use alerting::base::moment::Moment;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use lambda_kit::aws::local_config;
use store::{Store, Tables};
use tokio::net::TcpListener;

use crate::wire::Wire;

/// 2026-11-22T05:00:00Z.
pub(crate) const NOW: Moment = Moment::from_secs(1_795_323_600);

pub(crate) struct World {
    pub(crate) wire: Wire,
    pub(crate) client: Client,
    pub(crate) store: Store,
}

impl World {
    pub(crate) async fn start() -> Self {
        let database = dynoxide::Database::memory().expect("in memory");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server = listener.local_addr().expect("bound");
        tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
        let wire = Wire::default();
        let address = wire.lay(server).await;
        let client = Client::new(&local_config(&format!("http://{address}")));
        for table in ["config", "alerts"] {
            create(&client, table).await;
        }
        let world = Self { store: another_store(&client), wire, client };
        world.wire.take_requests();
        world
    }

    /// A store that shares no cache with the first: another process.
    pub(crate) fn another(&self) -> Store {
        another_store(&self.client)
    }
}

fn another_store(client: &Client) -> Store {
    Store::new(client.clone(), Tables { config: "config".to_owned(), alerts: "alerts".to_owned() })
}

async fn create(client: &Client, table: &str) {
    let mut request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    for (name, key_type) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let key = KeySchemaElement::builder().attribute_name(name).key_type(key_type);
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        request = request
            .key_schema(key.build().expect("complete"))
            .attribute_definitions(attribute.build().expect("complete"));
    }
    request.send().await.expect("the table is created");
}

/// The stamp of a message that came this many milliseconds after [`NOW`].
pub(crate) fn stamp(ms: i64) -> Stamp {
    Stamp::from_parts(Moment::from_millis(NOW.millis() + ms), 7)
}

pub(crate) fn integration(suffix: &str) -> IntegrationId {
    IntegrationId::from_suffix(suffix).expect("valid")
}

pub(crate) fn space(suffix: &str) -> SpaceId {
    SpaceId::from_suffix(suffix).expect("valid")
}

pub(crate) fn destination(suffix: &str) -> DestinationId {
    DestinationId::from_suffix(suffix).expect("valid")
}
