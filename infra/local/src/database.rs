//! DynamoDB for an unmodified SDK: `dynoxide` on a `SQLite` file, at an address of its own on the loopback.

use std::path::Path;

use anyhow::Context as _;
use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

use crate::stack::Table;

/// Opens the tables' file, or keeps them in memory, and makes the tables that are not there yet.
pub(crate) fn open(data: Option<&Path>, tables: &[Table]) -> anyhow::Result<Database> {
    let database = match data {
        Some(directory) => {
            let path = directory.join("tables.sqlite");
            let path = path.to_str().context("the data directory's name is not UTF-8")?;
            let database = Database::new(path).with_context(|| format!("cannot open {path}"))?;
            // Sets `synchronous = NORMAL`, as for the queues (`aws/storage.rs`): what is answered survives the death of
            // the process, and no write waits for the disk. Loading is over, for none was begun.
            database.disable_bulk_loading()?;
            database
        }
        None => Database::memory().context("cannot open tables in memory")?,
    };
    for table in tables {
        ensure(&database, table).with_context(|| format!("table {}", table.name))?;
    }
    Ok(database)
}

fn ensure(database: &Database, table: &Table) -> anyhow::Result<()> {
    match database.create_table(typed(table.definition.clone())?) {
        Ok(_) | Err(DynoxideError::ResourceInUseException(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let Some(attribute) = &table.expiry else { return Ok(()) };
    let described = database.describe_time_to_live(typed(json!({"TableName": table.name}))?)?;
    let described = serde_json::to_value(described)?;
    if described["TimeToLiveDescription"]["AttributeName"] != *attribute {
        let specification = json!({"AttributeName": attribute, "Enabled": true});
        let request = json!({"TableName": table.name, "TimeToLiveSpecification": specification});
        database.update_time_to_live(typed(request)?)?;
    }
    Ok(())
}

fn typed<T: serde::de::DeserializeOwned>(request: Value) -> anyhow::Result<T> {
    Ok(serde_json::from_value(request)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_s_tables_are_made_once() {
        let place = crate::stack::Place {
            base_url: "http://127.0.0.1:9000".to_owned(),
            aws_endpoint: "http://127.0.0.1:1".to_owned(),
            provider_base: None,
            personal_ack_links: false,
            parameters: Vec::new(),
        };
        let tables = crate::stack::Stack::load(&place).expect("understood").tables;
        let directory = tempfile::tempdir().expect("a directory");
        for _ in 0..2 {
            let database = open(Some(directory.path()), &tables).expect("opened");
            assert_eq!(database.table_count().expect("counted"), tables.len());
        }
    }
}
