//! DynamoDB: `dynoxide` on a `SQLite` file (`tables.sqlite`), used by one thread only.
//!
//! Callers parse requests and write answers. The thread does the rest, so that a read from the disk blocks no task of
//! the runtime. More threads would not help, because the database has one lock.
//!
//! `dynoxide` has a server of its own, which listens on TCP and whose router is private. The operations that this
//! deployment needs are answered here as that server answers them; `infra/local/tests/aws/tables.rs` compares the two.
//! Signatures are not checked, because every caller is inside the process.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::Context as _;
use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::oneshot;

type Work = Box<dyn FnOnce(&Database) + Send>;

/// The tables. Clones share them; the file closes when all of them are dropped.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    work: Sender<Work>,
}

impl Tables {
    /// `folder`: where the file is; `None`: everything in memory.
    pub(super) fn open(folder: Option<&Path>) -> anyhow::Result<Self> {
        let database = match folder {
            Some(folder) => open_file(folder)?,
            None => Database::memory().context("cannot open tables in memory")?,
        };
        let (work, waiting) = channel();
        let thread = thread::Builder::new().name("tables".to_owned());
        thread.spawn(move || keep(&database, &waiting)).context("cannot start the tables' thread")?;
        Ok(Self { work })
    }

    /// Creates the table unless it exists. `definition`: the body of `CreateTable`; `expiry`: the attribute by which
    /// items expire.
    pub(super) async fn ensure(&self, definition: Value, expiry: Option<String>) -> anyhow::Result<()> {
        self.run(move |database| ensure(database, definition, expiry)).await.context("the tables' thread has ended")?
    }

    /// Returns status and body.
    pub(super) async fn answer(&self, operation: &str, body: &[u8]) -> (StatusCode, Vec<u8>) {
        let result = match operation {
            "GetItem" => self.call(body, Database::get_item).await,
            "PutItem" => self.call(body, Database::put_item).await,
            "UpdateItem" => self.call(body, Database::update_item).await,
            "DeleteItem" => self.call(body, Database::delete_item).await,
            "Query" => self.call(body, Database::query).await,
            "Scan" => self.call(body, Database::scan).await,
            "BatchGetItem" => self.call(body, Database::batch_get_item).await,
            "BatchWriteItem" => self.call(body, Database::batch_write_item).await,
            "TransactGetItems" => self.call(body, Database::transact_get_items).await,
            "TransactWriteItems" => self.call(body, Database::transact_write_items).await,
            "CreateTable" => self.call(body, Database::create_table).await,
            "DeleteTable" => self.call(body, Database::delete_table).await,
            "DescribeTable" => self.call(body, Database::describe_table).await,
            "ListTables" => self.call(body, Database::list_tables).await,
            "DescribeTimeToLive" => self.call(body, Database::describe_time_to_live).await,
            "UpdateTimeToLive" => self.call(body, Database::update_time_to_live).await,
            _ => {
                let unknown = json!({"__type": "com.amazon.coral.service#UnknownOperationException"});
                return (StatusCode::BAD_REQUEST, unknown.to_string().into_bytes());
            }
        };
        result.unwrap_or_else(|error| refusal(operation, error))
    }

    async fn call<Q, A>(
        &self,
        body: &[u8],
        operation: fn(&Database, Q) -> dynoxide::Result<A>,
    ) -> dynoxide::Result<(StatusCode, Vec<u8>)>
    where
        Q: DeserializeOwned + Send + 'static,
        A: Serialize + Send + 'static,
    {
        let request = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
        let gone = || DynoxideError::InternalServerError("the tables' thread has ended".to_owned());
        let answer = self.run(move |database| operation(database, request)).await.ok_or_else(gone)??;
        let body = serde_json::to_vec(&answer);
        Ok((StatusCode::OK, body.map_err(|error| DynoxideError::InternalServerError(error.to_string()))?))
    }

    /// Runs `work` on the thread; `None` if the thread has ended.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Database) -> T + Send + 'static) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        // A caller may have stopped waiting for the answer. The work is done nevertheless, as on AWS.
        let work = move |database: &Database| drop(answer.send(work(database)));
        self.work.send(Box::new(work)).ok()?;
        answered.await.ok()
    }
}

/// The loop of the thread.
fn keep(database: &Database, waiting: &Receiver<Work>) {
    while let Ok(work) = waiting.recv() {
        work(database);
    }
}

fn open_file(folder: &Path) -> anyhow::Result<Database> {
    let path = folder.join("tables.sqlite");
    let path = path.to_str().context("the data directory's name is not UTF-8")?;
    crate::data::make_private(Path::new(path))?;
    let database = Database::new(path).with_context(|| format!("cannot open {path}"))?;
    // Sets `synchronous = NORMAL`, as for the queues (`storage.rs`): answered writes survive a kill of the process, and
    // no write waits for the disk. No bulk loading is under way here.
    database.disable_bulk_loading()?;
    Ok(database)
}

fn ensure(database: &Database, definition: Value, expiry: Option<String>) -> anyhow::Result<()> {
    let name = definition["TableName"].clone();
    match database.create_table(serde_json::from_value(definition)?) {
        Ok(_) | Err(DynoxideError::ResourceInUseException(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let Some(attribute) = expiry else { return Ok(()) };
    let described = database.describe_time_to_live(serde_json::from_value(json!({"TableName": name}))?)?;
    let described = serde_json::to_value(described)?;
    if described["TimeToLiveDescription"]["AttributeName"] != *attribute {
        let specification = json!({"AttributeName": attribute, "Enabled": true});
        let request = json!({"TableName": name, "TimeToLiveSpecification": specification});
        database.update_time_to_live(serde_json::from_value(request)?)?;
    }
    Ok(())
}

/// `dynoxide` marks in its messages the class that DynamoDB gives to unreadable input, and its server resolves the
/// marks.
fn unreadable(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    let without_place = text.rfind(" at line ").map_or(text.as_str(), |place| &text[..place]);
    if let Some(message) = without_place.strip_prefix("VALIDATION_REQUEST:") {
        DynoxideError::EnvelopedValidation(message.to_owned())
    } else if let Some(message) = without_place.strip_prefix("VALIDATION:") {
        DynoxideError::ValidationException(message.to_owned())
    } else if let Some(message) = without_place.strip_prefix("SERIALIZATION:") {
        DynoxideError::SerializationException(message.to_owned())
    } else if without_place.contains("empty AttributeValue") {
        let message = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
        DynoxideError::ValidationException(message.to_owned())
    } else if without_place.contains("Supplied AttributeValue") {
        DynoxideError::ValidationException(without_place.to_owned())
    } else if ["missing field", "unknown variant", "invalid type: null"].iter().any(|kind| text.contains(kind)) {
        DynoxideError::ValidationException(text)
    } else {
        // The text differs from DynamoDB's, which names the types. No SDK sends such a request.
        DynoxideError::SerializationException(without_place.to_owned())
    }
}

fn refusal(operation: &str, error: DynoxideError) -> (StatusCode, Vec<u8>) {
    let error = match error {
        // Writes of one item begin with the number of errors; other operations do not.
        DynoxideError::EnvelopedValidation(message) => DynoxideError::ValidationException(match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" => format!("1 validation error detected: {message}"),
            _ => message,
        }),
        error => error,
    };
    let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, error.to_json().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_template_s_tables_are_made_once() {
        let place = crate::stack::Place {
            base_url: "http://127.0.0.1:9000".to_owned(),
            aws_endpoint: "http://127.0.0.1:1".to_owned(),
            provider_base: None,
            personal_ack_links: false,
            parameters: Vec::new(),
        };
        let wanted = crate::stack::Stack::load(&place).expect("understood").tables;
        let directory = tempfile::tempdir().expect("a directory");
        for _ in 0..2 {
            let tables = Tables::open(Some(directory.path())).expect("opened");
            for table in &wanted {
                tables.ensure(table.definition.clone(), table.expiry.clone()).await.expect("made");
            }
            let count = tables.run(|database| database.table_count().expect("counted")).await;
            assert_eq!(count, Some(wanted.len()));
        }
    }
}
