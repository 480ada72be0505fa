//! Tests with one row per sentence of the specification about filters (sections 3 and 4, and FILTER of the API) and one
//! per value form.

use serde_json::{Value, json};

use super::*;
use crate::rules::trace::Trace;

const LABELS: [(&str, &str); 4] = [("host", "db-1"), ("ip", "10.0.0.7"), ("usage", "93.5"), ("empty", "")];

/// Evaluates `filter` for one alert: "disk full on db-1", Critical, with [`LABELS`].
fn ask(filter: Value) -> Result<bool, String> {
    let filter: Filter = serde_json::from_value(filter).map_err(|error| error.to_string())?;
    let mut patterns = Patterns::checked();
    let matcher = Matcher::new(&filter, "filter", &mut patterns).map_err(|error| error.to_string())?;
    let labels = LABELS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let view = View {
        title: "disk full on db-1",
        description: "usage=93% 磁盘空间不足\nhost=db-1",
        content: "as received",
        severity: Severity::Critical,
        labels: &labels,
    };
    let mut run = patterns.run();
    run.refuel(1_000_000);
    let found = matcher.matches(&view, &mut run, &mut ()).expect("enough fuel");
    assert_eq!(matcher.matches(&view, &mut run, &mut Trace::default()), Ok(found), "someone looks: {filter:?}");
    Ok(found)
}

#[track_caller]
fn check(sentence: &str, filter: Value, expected: bool) {
    assert_eq!(ask(filter.clone()), Ok(expected), "{sentence}: {filter}");
}

fn condition(field: &str, op: &str, values: &[&str]) -> Value {
    json!({ "field": field, "op": op, "values": values })
}

fn one(field: &str, op: &str, values: &[&str]) -> Value {
    json!({ "any": [{ "all": [condition(field, op, values)] }] })
}

#[test]
fn groups_joined_by_or_conditions_in_a_group_joined_by_and() {
    let yes = || condition("title", "match", &["/full/"]);
    let no = || condition("title", "match", &["/empty/"]);
    for (groups, expected) in [
        (json!([{ "all": [yes()] }]), true),
        (json!([{ "all": [no()] }]), false),
        (json!([{ "all": [yes(), no()] }]), false),
        (json!([{ "all": [yes(), yes()] }]), true),
        (json!([{ "all": [no()] }, { "all": [yes()] }]), true),
        (json!([{ "all": [yes(), no()] }, { "all": [no(), yes()] }]), false),
    ] {
        check("groups joined by OR, conditions in a group joined by AND", json!({ "any": groups }), expected);
    }
    check("{} takes everything", json!({}), true);
}

#[test]
fn a_condition_is_field_match_or_not_match_one_or_more_values() {
    let several = ["/nothing/", "/full/"];
    check("several values: any of them", one("title", "match", &several), true);
    check("several values: any of them", one("title", "match", &["/nothing/", "/more/"]), false);
    check("not_match: none of them", one("title", "not_match", &several), false);
    check("not_match: none of them", one("title", "not_match", &["/nothing/", "/more/"]), true);
    check("not_match of a label that is not set holds", one("labels.rack", "not_match", &["r1"]), true);
    check("match of a label that is not set does not", one("labels.rack", "match", &["r1", "/.*/", "r*"]), false);
}

#[test]
fn exact_and_wildcard_compare_the_whole_value_a_regex_searches() {
    for (field, value, expected) in [
        ("title", "disk full on db-1", true),
        ("title", "disk full", false),
        ("title", "Disk full on db-1", false),
        ("title", "disk*", true),
        ("title", "*full*", true),
        ("title", "full*", false),
        ("title", "disk full on db-?", true),
        ("title", "disk full on db?", false),
        ("title", "/full/", true),
        ("title", "/FULL/", false),
        ("title", "/FULL/i", true),
        ("title", "/^full/", false),
        ("title", r"/db-\d$/", true),
        ("description", "/空间不足/", true),
        ("description", "*磁盘空间??*", true),
    ] {
        check("Exact and wildcard compare the whole value; a regex searches", one(field, "match", &[value]), expected);
    }
}

#[test]
fn cidr_takes_addresses_of_the_network_and_nothing_else() {
    for (field, value, expected) in [
        ("labels.ip", "cidr:10.0.0.0/24", true),
        ("labels.ip", "cidr:10.0.1.0/24", false),
        ("labels.ip", "cidr:10.0.0.7", true),
        ("labels.ip", "cidr:2001:db8::/32", false),
        ("labels.host", "cidr:0.0.0.0/0", false),
        ("labels.rack", "cidr:0.0.0.0/0", false),
    ] {
        check("cidr:10.0.0.0/24", one(field, "match", &[value]), expected);
    }
    check("cidr on what is no address never matches", one("labels.host", "not_match", &["cidr:0.0.0.0/0"]), true);
}

#[test]
fn num_compares_numbers_and_nothing_else() {
    for (field, value, expected) in [
        ("labels.usage", "num:gt:90", true),
        ("labels.usage", "num:gt:93.5", false),
        ("labels.usage", "num:ge:93.5", true),
        ("labels.usage", "num:lt:93.5", false),
        ("labels.usage", "num:le:93.5", true),
        ("labels.usage", "num:lt:-1", false),
        ("labels.host", "num:ge:-999999", false),
        ("labels.empty", "num:le:0", false),
    ] {
        check("num:gt:90 (gt, ge, lt, le)", one(field, "match", &[value]), expected);
    }
    check("num on what is no number never matches", one("labels.host", "not_match", &["num:ge:0"]), true);
}

#[test]
fn fields_title_description_severity_labels_and_for_messages_content() {
    check("title", one("title", "match", &["/full/"]), true);
    check("description", one("description", "match", &["/usage=/"]), true);
    check("severity", one("severity", "match", &["Critical"]), true);
    check("severity", one("severity", "match", &["Warning", "Info"]), false);
    check("labels.NAME", one("labels.host", "match", &["db-*"]), true);
    check("content", one("content", "match", &["as received"]), true);
}

#[test]
fn a_star_means_exists() {
    for (field, expected) in
        [("labels.host", true), ("labels.rack", false), ("labels.empty", false), ("title", true), ("severity", true)]
    {
        check("* means exists", one(field, "match", &["*"]), expected);
        check("* means exists", one(field, "not_match", &["*"]), !expected);
    }
}

#[test]
fn what_is_wrong_with_a_filter_is_named_by_field() {
    #[track_caller]
    fn refused(filter: Value, expected: &str) {
        let error = ask(filter).expect_err("refused");
        assert!(error.contains(expected), "{error}");
    }
    let at = "filter.any[0].all[0]";
    refused(one("titel", "match", &["x"]), &format!("{at}.field: a field is title, content"));
    refused(one("labels.", "match", &["x"]), &format!("{at}.field: "));
    refused(one("title", "match", &[]), &format!("{at}.values: at least one value"));
    refused(one("title", "match", &["x", "/host=(/"]), &format!("{at}.values[1]: unclosed group, at character 7: (/"));
    refused(one("title", "match", &["cidr:10.0.0.0/33"]), &format!("{at}.values[0]: not a network"));
    refused(one("title", "match", &["num:over:9"]), &format!("{at}.values[0]: not a comparison"));
    refused(one("title", "match", &["num:gt:NaN"]), &format!("{at}.values[0]: not a comparison"));
    refused(one("title", "matches", &["x"]), "unknown variant `matches`");
    refused(json!({ "all": [] }), "unknown field `all`");
    refused(json!({ "any": [{ "all": [], "or": [] }] }), "unknown field `or`");
    refused(json!({ "any": [] }), "at least one group is needed");
}
