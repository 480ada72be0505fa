//! Mapping tables, which map source labels to result labels. They are also used to find people (email → `zoom_jid`).
//!
//! A row applies if every source label is set and equal. The rows are looked up by a hash of their source values, so
//! the work per alert does not depend on the size of the table.

use std::collections::{BTreeMap, HashMap};

use crate::base::field_error::FieldError;
use crate::base::limits;
use crate::rules::integration::MappingTable;

/// The most rows of one table, which is always read as a whole.
pub const ROWS: usize = 10_000;
/// The most columns of one table.
pub const COLUMNS: usize = 20;

/// A table that is indexed for look-ups.
#[derive(Debug)]
pub struct Lookup {
    sources: Vec<String>,
    /// The result labels of each row, by the values of its source labels in their order.
    rows: HashMap<Vec<String>, BTreeMap<String, String>>,
}

impl Lookup {
    /// Indexes a table. If several rows have the same source values, the first one applies.
    pub fn new(table: &MappingTable) -> Self {
        let mut rows = HashMap::with_capacity(table.rows.len());
        for row in &table.rows {
            let Some(source) = values(&table.source_labels, row) else { continue };
            let results = table.result_labels.iter();
            let results = results.filter_map(|name| Some((name.clone(), row.get(name)?.clone())));
            rows.entry(source).or_insert_with(|| results.filter(|(_, value)| !value.is_empty()).collect());
        }
        Self { sources: table.source_labels.clone(), rows }
    }

    /// The result labels of the row whose source labels equal those of the alert.
    pub fn find(&self, labels: &BTreeMap<String, String>) -> Option<&BTreeMap<String, String>> {
        self.rows.get(&values(&self.sources, labels)?)
    }
}

fn values(names: &[String], row: &BTreeMap<String, String>) -> Option<Vec<String>> {
    names.iter().map(|name| row.get(name).cloned()).collect()
}

/// Checks a table before it is saved.
pub fn check(table: &MappingTable) -> Result<(), FieldError> {
    for (path, names) in [("source_labels", &table.source_labels), ("result_labels", &table.result_labels)] {
        if names.is_empty() {
            return Err(FieldError::new(path, "at least one label is needed"));
        }
        for (n, name) in names.iter().enumerate() {
            check_label_name(name, &format!("{path}[{n}]"))?;
        }
    }
    let mut columns: Vec<&String> = table.source_labels.iter().chain(&table.result_labels).collect();
    if columns.len() > COLUMNS {
        return Err(FieldError::new("result_labels", format!("more than {COLUMNS} columns")));
    }
    columns.sort_unstable();
    if let Some(twice) = columns.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(FieldError::new("result_labels", format!("the label {} is named twice", twice[0])));
    }
    check_rows(table, &columns)
}

fn check_rows(table: &MappingTable, columns: &[&String]) -> Result<(), FieldError> {
    if table.rows.len() > ROWS {
        return Err(FieldError::new("rows", format!("more than {ROWS} rows")));
    }
    let mut seen = HashMap::with_capacity(table.rows.len());
    for (n, row) in table.rows.iter().enumerate() {
        let path = format!("rows[{n}]");
        if let Some(unknown) = row.keys().find(|name| columns.binary_search(name).is_err()) {
            return Err(FieldError::new(path, format!("{unknown} is no column of this table")));
        }
        if let Some((name, _)) = row.iter().find(|(_, value)| value.chars().count() > limits::LABEL_VALUE_CHARS) {
            let message = format!("longer than {} characters", limits::LABEL_VALUE_CHARS);
            return Err(FieldError::new(format!("{path}.{name}"), message));
        }
        let Some(source) = values(&table.source_labels, row) else {
            return Err(FieldError::new(path, "a source label is missing"));
        };
        if let Some(first) = seen.insert(source, n) {
            return Err(FieldError::new(path, format!("the same source labels as rows[{first}]")));
        }
    }
    Ok(())
}

pub(crate) fn check_label_name(name: &str, path: &str) -> Result<(), FieldError> {
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(FieldError::new(path, "a label needs a name"));
    }
    if name.chars().count() > limits::LABEL_NAME_CHARS {
        return Err(FieldError::new(path, format!("longer than {} characters", limits::LABEL_NAME_CHARS)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(sources: &[&str], results: &[&str], rows: &[&[(&str, &str)]]) -> MappingTable {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        MappingTable {
            id: "map_1".parse().expect("valid"),
            name: "people".to_owned(),
            version: 1,
            source_labels: names(sources),
            result_labels: names(results),
            rows: rows.iter().map(|row| labels(row)).collect(),
            created_at: crate::base::moment::Moment::default(),
        }
    }

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[track_caller]
    fn check(table: &MappingTable, source: &[(&str, &str)], expected: Option<&[(&str, &str)]>) {
        assert_eq!(Lookup::new(table).find(&labels(source)), expected.map(labels).as_ref(), "{source:?}");
    }

    #[test]
    fn source_labels_to_result_labels_also_used_to_find_people() {
        let people = table(&["email"], &["zoom_jid"], &[&[("email", "ann@example.com"), ("zoom_jid", "u1")]]);
        check(&people, &[("email", "ann@example.com"), ("other", "x")], Some(&[("zoom_jid", "u1")]));
        check(&people, &[("email", "bob@example.com")], None);
        check(&people, &[("other", "ann@example.com")], None);
        let both = table(
            &["host", "disk"],
            &["team"],
            &[&[("host", "a"), ("disk", "b"), ("team", "1")], &[("host", "a"), ("disk", "b"), ("team", "2")]],
        );
        check(&both, &[("host", "a"), ("disk", "b")], Some(&[("team", "1")]));
        check(&both, &[("host", "a")], None);
    }

    #[test]
    fn what_is_wrong_with_a_table_is_named_by_field() {
        for (table, expected) in [
            (table(&[], &["b"], &[]), "source_labels: at least one label is needed"),
            (table(&["a"], &[""], &[]), "result_labels[0]: a label needs a name"),
            (table(&["a"], &["a"], &[]), "result_labels: the label a is named twice"),
            (table(&["a"], &["b"], &[&[("b", "x")]]), "rows[0]: a source label is missing"),
            (table(&["a"], &["b"], &[&[("a", "x"), ("c", "y")]]), "rows[0]: c is no column of this table"),
            (
                table(&["a"], &["b"], &[&[("a", "x")], &[("a", "y")], &[("a", "x")]]),
                "rows[2]: the same source labels as rows[0]",
            ),
        ] {
            assert_eq!(check_error(&table), expected);
        }
        assert_eq!(super::check(&table(&["a"], &["b"], &[&[("a", "x"), ("b", "y")]])), Ok(()));
    }

    fn check_error(table: &MappingTable) -> String {
        super::check(table).expect_err("refused").to_string()
    }
}
