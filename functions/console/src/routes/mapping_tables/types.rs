//! Mapping tables, as JSON and as CSV: a header of all source and result labels, then a row per combination.

use std::collections::BTreeMap;

use alerting::base::ids::MappingTableId;
use alerting::rules::integration::MappingTable;
use alerting::rules::mapping;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dto::{Name, Time, field_error};
use crate::error::ApiError;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MappingTableBody {
    pub(crate) name: Name,
    #[schema(example = json!(["host"]))]
    source_labels: Vec<String>,
    #[schema(example = json!(["team", "service"]))]
    result_labels: Vec<String>,
    /// Each row has a value for every label. If `rows` is left out in a `PUT`, the rows are kept.
    #[serde(default)]
    #[schema(example = json!([{"host": "db-1", "team": "dba", "service": "orders"}]))]
    rows: Option<Vec<BTreeMap<String, String>>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappingTable)]
pub(crate) struct MappingTableView {
    id: MappingTableId,
    name: String,
    source_labels: Vec<String>,
    result_labels: Vec<String>,
    /// How many rows there are; the rows themselves are in one table's answer, not in lists.
    row_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<BTreeMap<String, String>>>,
    created_at: Time,
}

impl MappingTableView {
    pub(crate) fn whole(table: MappingTable) -> Self {
        let rows = table.rows.clone();
        Self { rows: Some(rows), ..Self::listed(table) }
    }

    pub(crate) fn listed(table: MappingTable) -> Self {
        let MappingTable { id, name, version: _, source_labels, result_labels, rows, created_at } = table;
        let created_at = Time(created_at);
        Self { id, name, source_labels, result_labels, row_count: rows.len(), rows: None, created_at }
    }
}

impl MappingTableBody {
    /// `before` with the changes of the request.
    pub(crate) fn apply(&self, before: MappingTable) -> Result<MappingTable, ApiError> {
        let name = self.name.to_string();
        let Self { source_labels, result_labels, rows, .. } = self.clone();
        let rows = rows.unwrap_or_else(|| before.rows.clone());
        let table = MappingTable { name, source_labels, result_labels, rows, ..before };
        mapping::check(&table).map_err(field_error)?;
        Ok(table)
    }
}

/// The rows as a CSV file, with the labels in the order of the table.
pub(crate) fn to_csv(table: &MappingTable) -> Result<Vec<u8>, csv::Error> {
    let labels: Vec<&String> = table.source_labels.iter().chain(&table.result_labels).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(labels.iter().map(|label| inert(label)))?;
    for row in &table.rows {
        writer.write_record(labels.iter().map(|label| inert(row.get(*label).map_or("", String::as_str))))?;
    }
    Ok(writer.into_inner().expect("writing to memory cannot fail"))
}

/// Characters that begin a formula in a spreadsheet.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A field that no spreadsheet evaluates: a value that looks like a formula gets an apostrophe in front, as OWASP's
/// page "CSV Injection" recommends.
fn inert(value: &str) -> String {
    let looks_like_one = value.trim_start_matches('\'').starts_with(FORMULA);
    if looks_like_one { format!("'{value}") } else { value.to_owned() }
}

/// The field before [`inert`] changed it.
fn as_written(value: &str) -> &str {
    let inner = value.strip_prefix('\'').filter(|inner| inner.trim_start_matches('\'').starts_with(FORMULA));
    inner.unwrap_or(value)
}

/// `table` with the rows of a CSV file whose header names its labels, in any order.
pub(crate) fn from_csv(text: &str, table: MappingTable) -> Result<MappingTable, ApiError> {
    // Spreadsheets put a byte order mark in front of UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| unreadable(&error))?.clone();
    let header: Vec<&str> = header.iter().map(as_written).collect();
    if let Some(twice) = header.iter().enumerate().find_map(|(n, name)| header[..n].contains(name).then_some(name)) {
        return Err(ApiError::invalid("rows.csv", format!("the first line names `{twice}` twice")));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| unreadable(&error))?;
        let row = header.iter().zip(&record).map(|(name, value)| ((*name).to_owned(), as_written(value).to_owned()));
        rows.push(row.collect());
    }
    let labels = table.source_labels.iter().chain(&table.result_labels);
    if let Some(missing) = labels.into_iter().find(|label| !header.contains(&label.as_str())) {
        return Err(ApiError::invalid("rows.csv", format!("the first line does not name the label `{missing}`")));
    }
    let table = MappingTable { rows, ..table };
    mapping::check(&table).map_err(field_error)?;
    Ok(table)
}

fn unreadable(error: &csv::Error) -> ApiError {
    let line = error.position().map_or(String::new(), |position| format!(" at line {}", position.line()));
    ApiError::invalid("rows.csv", format!("not a CSV file whose lines have the same number of fields{line}"))
}

#[cfg(test)]
mod tests {
    use alerting::base::moment::Moment;

    use super::*;

    fn table() -> MappingTable {
        MappingTable {
            id: "map_1".parse().expect("valid"),
            name: "hosts".to_owned(),
            version: 1,
            source_labels: vec!["host".to_owned()],
            result_labels: vec!["team".to_owned()],
            rows: Vec::new(),
            created_at: Moment::from_secs(0),
        }
    }

    #[test]
    fn a_csv_file_reads_back_as_it_was_uploaded() {
        let file = "host,team\ndb-1,\"dba, night\"\nweb-1,\n";
        let table = from_csv(file, table()).expect("valid");
        assert_eq!(table.rows[0]["team"], "dba, night");
        assert_eq!(String::from_utf8(to_csv(&table).expect("CSV")).expect("UTF-8"), file);
    }

    // Proves: finding C15
    #[test]
    fn exported_fields_are_no_formulas_and_every_value_comes_back_as_it_was() {
        let values = ["=1+1", "+8613800000000", "'=1", " spaced ", "-", "plain", "it's"];
        let row = |value: &str| {
            BTreeMap::from([("host".to_owned(), value.to_owned()), ("team".to_owned(), value.to_owned())])
        };
        let exported = MappingTable { rows: values.map(row).to_vec(), ..table() };
        let file = String::from_utf8(to_csv(&exported).expect("CSV")).expect("UTF-8");
        assert!(file.lines().all(|line| !line.starts_with(FORMULA)), "{file}");
        assert_eq!(from_csv(&file, table()).expect("valid").rows, exported.rows);
    }

    #[test]
    fn a_spreadsheets_byte_order_mark_and_column_order_do_not_matter() {
        let table = from_csv("\u{feff}team,host\r\ndba,db-1\r\n", table()).expect("valid");
        assert_eq!(table.rows[0]["host"], "db-1");
    }

    #[test]
    fn a_file_that_does_not_fit_the_table_is_refused_with_its_place() {
        let rows = [
            ("host\ndb-1\n", "rows.csv", "`team`"),
            ("host,team,x\na,b,c\n", "rows[0]", "x is no column"),
            ("host,team,host\na,b,c\n", "rows.csv", "`host` twice"),
            ("host,team\na\n", "rows.csv", "line 2"),
            ("host,team\na,b\na,c\n", "rows[1]", "rows[0]"),
            ("", "rows.csv", "`host`"),
        ];
        for (file, wanted, part) in rows {
            match from_csv(file, table()).expect_err("is refused") {
                ApiError::Invalid { field: Some(field), message } => {
                    assert_eq!(field, wanted, "{file}");
                    assert!(message.contains(part), "{message}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
