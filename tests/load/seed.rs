//! Creates hundreds of thousands of alerts without sending a message for each. The embedded table writes the rows of a
//! real message again under other stamps while no Larkspur has the table open.
//!
//! A copy differs from a real alert: it does not count in the counter of open alerts, it has no text and no history of
//! its own, and it lacks the rows that the model's message did not write (deliveries, because the spaces notify nobody
//! while they are filled).

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use dynoxide::{Database, ImportOptions};
use serde_json::{Value, json};
use ulid::Ulid;

/// The number of rows that are written at once.
const ROWS: usize = 20_000;

/// The rows that one message wrote.
pub(crate) struct Model {
    stamp: Ulid,
    rows: Vec<Value>,
}

/// One model per integration: its newest alert with all rows of that alert.
pub(crate) fn models(data: &Path) -> anyhow::Result<Vec<Model>> {
    let database = open(data)?;
    let rows = scan(&database, &alerts_table(&database)?)?;
    let mut newest: HashMap<&str, &str> = HashMap::new();
    for row in &rows {
        if let (Some(pk), Some(sk)) = (row["pk"]["S"].as_str(), row["sk"]["S"].as_str())
            && pk.starts_with("ALERT#")
        {
            let stamp = newest.entry(pk).or_default();
            *stamp = sk.max(*stamp);
        }
    }
    let model = |stamp: &str| {
        let rows = rows.iter().filter(|row| row.to_string().contains(stamp)).cloned().collect();
        anyhow::Ok(Model { stamp: stamp.parse()?, rows })
    };
    newest.into_values().map(model).collect()
}

/// Adds `alerts` copies. The copy with number `n` is `n` milliseconds older than its model.
pub(crate) fn add(data: &Path, models: &[Model], alerts: usize) -> anyhow::Result<()> {
    let database = open(data)?;
    let table = alerts_table(&database)?;
    let before = count(&database, &table)?;
    database.enable_bulk_loading()?;
    let mut rows = Vec::with_capacity(ROWS);
    let mut written = 0;
    for number in 0..alerts {
        rows.extend(models[number % models.len()].copied(number as u64)?);
        if rows.len() >= ROWS || number + 1 == alerts {
            written += rows.len();
            let items = serde_json::from_value(Value::Array(std::mem::take(&mut rows)))?;
            database.import_items(&table, items, ImportOptions::default())?;
        }
    }
    database.disable_bulk_loading()?;
    let added = count(&database, &table)? - before;
    anyhow::ensure!(added == written as i64, "of {written} rows, {added} were new");
    Ok(())
}

impl Model {
    fn copied(&self, number: u64) -> anyhow::Result<Vec<Value>> {
        let stamp = Ulid::from_parts(self.stamp.timestamp_ms() - number, Ulid::generate().random());
        let (old, new) = (self.stamp.to_string(), stamp.to_string());
        let copy = |row: &Value| {
            let mut row: Value = serde_json::from_str(&row.to_string().replace(&old, &new))?;
            // The row of a key's state is identified by a hash of the key.
            if let Some((state, hash)) = row["pk"]["S"].as_str().and_then(|pk| pk.rsplit_once('#'))
                && state.starts_with("STATE#")
            {
                let other = format!("{:032x}", Ulid::generate().random());
                row["pk"] = json!({"S": format!("{state}#{}", &other[other.len() - hash.len()..])});
            }
            Ok(row)
        };
        self.rows.iter().map(copy).collect()
    }
}

fn open(data: &Path) -> anyhow::Result<Database> {
    let path = data.join("tables.sqlite");
    Ok(Database::new(path.to_str().context("a name in UTF-8")?)?)
}

fn alerts_table(database: &Database) -> anyhow::Result<String> {
    let names = database.table_stats()?.into_iter().map(|stats| stats.table_name);
    names.into_iter().find(|name| name.contains("Alerts")).context("a table of alerts")
}

fn count(database: &Database, table: &str) -> anyhow::Result<i64> {
    let stats = database.table_stats()?.into_iter().find(|stats| stats.table_name == table);
    Ok(stats.context("the table")?.item_count)
}

fn scan(database: &Database, table: &str) -> anyhow::Result<Vec<Value>> {
    let mut rows = Vec::new();
    let mut request = json!({"TableName": table});
    loop {
        let page = serde_json::to_value(database.scan(serde_json::from_value(request.clone())?)?)?;
        rows.extend(page["Items"].as_array().context("items")?.iter().cloned());
        match &page["LastEvaluatedKey"] {
            Value::Null => return Ok(rows),
            last => request["ExclusiveStartKey"] = last.clone(),
        }
    }
}
