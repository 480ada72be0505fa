//! `infra/*.yaml` against the promises that it keeps, and the key layout against the code that builds keys.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use crate::template::sqs_triggers;
use crate::tree;
use crate::yaml::{load, nested, resources, target};

const QUEUE: &str = "AWS::SQS::Queue";
const DAYS: u64 = 24 * 3600;
/// Two of them are not free; an idle deployment stays under a dollar a month.
const AFFORDABLE_ALARMS: usize = 12;

// Proves: fault 104
#[test]
fn every_queue_redrives_to_a_dead_queue_of_its_own() {
    let queues = load("infra/queues.yaml");
    let mut dead = BTreeSet::new();
    for (name, properties) in resources(&queues, QUEUE).filter(|(name, _)| !is_dead(name)) {
        let redrive = &properties["RedrivePolicy"];
        let target = target(&redrive["deadLetterTargetArn"]).unwrap_or_else(|| panic!("{name} has no dead queue"));
        let target = target.trim_end_matches(".Arn").to_owned();
        assert!(redrive["maxReceiveCount"].as_u64() >= Some(5), "{name}: a throttled batch is no poison");
        let body = &queues["Resources"][target.as_str()]["Properties"];
        assert_eq!(body["FifoQueue"], properties["FifoQueue"], "{name} and {target} are of one kind");
        assert_eq!(body["MessageRetentionPeriod"], 14 * DAYS, "{target} keeps as long as can be");
        assert!(
            properties["MessageRetentionPeriod"].as_u64() < Some(14 * DAYS),
            "{name}: the age counts on over there"
        );
        assert!(dead.insert(target), "{name} shares its dead queue");
    }
    assert_eq!(dead, resources(&queues, QUEUE).map(|(name, _)| name.to_owned()).filter(|name| is_dead(name)).collect());
}

// Proves: fault 104, finding A10
#[test]
fn visibility_is_six_times_the_timeout_of_the_function_that_reads_and_the_window_of_a_batch() {
    let template = load("template.yaml");
    let queues = load("infra/queues.yaml");
    let mut read = BTreeSet::new();
    for (function, queue, trigger) in sqs_triggers(&template) {
        let name = nested(queue, "Queues", &queues).unwrap_or_else(|| panic!("{function} reads {queue}"));
        let timeout = template["Resources"][function]["Properties"]["Timeout"].as_u64().expect("a timeout");
        let visibility = queues["Resources"][name]["Properties"]["VisibilityTimeout"].as_u64();
        let window = trigger["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or(0);
        let least = 6 * timeout + window;
        assert!(visibility >= Some(least), "{name}: {visibility:?} s for {function}, at least {least}");
        read.insert(name.to_owned());
    }
    let live = resources(&queues, QUEUE).map(|(name, _)| name.to_owned()).filter(|name| !is_dead(name));
    assert_eq!(read, live.collect(), "every queue is read");
}

#[test]
fn every_dead_queue_and_every_queue_that_a_person_waits_for_has_an_alarm() {
    let queues = load("infra/queues.yaml");
    let dead = resources(&queues, QUEUE).map(|(name, _)| name.to_owned()).filter(|name| is_dead(name));
    assert_eq!(queues_watched_by("ApproximateNumberOfMessagesVisible"), dead.collect());
    // The third one is covered by the errors of its reader: every minute puts something into it or fails.
    let waited_for = BTreeSet::from(["MessagesQueue".to_owned(), "NoticesQueue".to_owned()]);
    assert_eq!(queues_watched_by("ApproximateAgeOfOldestMessage"), waited_for);
}

// Proves: fault 103
#[test]
fn errors_throttles_and_the_ledger_have_alarms() {
    let alarms = load("infra/alarms.yaml");
    let metrics: Vec<(&str, &str)> = resources(&alarms, "AWS::CloudWatch::Alarm")
        .map(|(_, alarm)| (text(&alarm["Namespace"]), text(&alarm["MetricName"])))
        .collect();
    assert_eq!(metrics.iter().filter(|metric| **metric == ("AWS/Lambda", "Errors")).count(), 3);
    for metric in [("AWS/ApiGateway", "5xx"), ("AWS/Lambda", "Throttles"), ("Larkspur", "Untold")] {
        assert!(metrics.contains(&metric), "{metric:?}");
    }
    // That the metric is written under this name, and passes Lambda's log filter, is tested where it is written.
    let untold = resources(&alarms, "AWS::CloudWatch::Alarm").find(|(_, alarm)| alarm["MetricName"] == "Untold");
    assert!(untold.is_some_and(|(_, alarm)| alarm.get("Dimensions").is_none()), "the metric has no dimensions");
    for user in
        ["functions/timers/src/ledger_check.rs", "functions/notify/src/settle.rs", "shared/dispatch/src/alarm.rs"]
    {
        assert!(tree::read(user).contains("metric::count_missing_notification("), "{user} writes it");
    }
}

// Proves: finding A7
#[test]
fn every_alarm_notifies_the_topic_and_all_together_are_affordable() {
    let alarms = load("infra/alarms.yaml");
    for (name, alarm) in resources(&alarms, "AWS::CloudWatch::Alarm") {
        assert_eq!(target(&alarm["AlarmActions"][0]), Some("AlarmTopic"), "{name}");
        let watches_silence = alarm["MetricName"] == "Invocations";
        let missing = if watches_silence { "breaching" } else { "notBreaching" };
        assert_eq!(alarm["TreatMissingData"], missing, "{name}: an idle deployment has no data but its sweeps");
    }
    assert!(resources(&alarms, "AWS::CloudWatch::Alarm").count() <= AFFORDABLE_ALARMS);
}

// Proves: finding A7
#[test]
fn five_minutes_without_a_sweep_raise_an_alarm() {
    let alarms = load("infra/alarms.yaml");
    let (_, alarm) = resources(&alarms, "AWS::CloudWatch::Alarm")
        .find(|(_, alarm)| alarm["MetricName"] == "Invocations")
        .expect("an alarm of missing calls");
    assert_eq!(target(&alarm["Dimensions"][0]["Value"]), Some("TimersFunctionName"));
    let minutes = alarm["Period"].as_u64().zip(alarm["EvaluationPeriods"].as_u64()).map(|(each, all)| each * all / 60);
    assert_eq!((minutes, alarm["Threshold"].as_u64()), (Some(5), Some(1)));
    assert_eq!(alarm["ComparisonOperator"], "LessThanThreshold");
}

// Proves: finding A6
#[test]
fn what_is_kept_survives_the_stack_expires_and_can_be_restored() {
    let storage = load("infra/storage.yaml");
    let kept = storage["Resources"].as_object().expect("resources");
    assert_eq!(kept.len(), 3);
    for (name, body) in kept {
        assert_eq!(body["DeletionPolicy"], "RetainExceptOnCreate", "{name}: a failed first deployment leaves nothing");
        assert_eq!(body["UpdateReplacePolicy"], "Retain", "{name}");
        assert_eq!(body["Condition"], format!("Makes{name}"), "{name}: an existing one can be given");
        let given = &storage["Parameters"][format!("Existing{name}")];
        assert_eq!(given["Default"], "", "{name}");
    }
    for (name, table) in resources(&storage, "AWS::DynamoDB::Table") {
        assert_eq!(table["TimeToLiveSpecification"]["AttributeName"], "expires_at", "{name}");
        assert_eq!(table["TimeToLiveSpecification"]["Enabled"], true, "{name}");
        assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{name}");
        assert!(table.get("GlobalSecondaryIndexes").is_none(), "{name}: an index is a second write");
        assert!(table.get("StreamSpecification").is_none(), "{name}");
    }
}

// Proves: finding A10
#[test]
fn nothing_is_retained_that_a_failed_first_deployment_made() {
    for path in ["template.yaml", "infra/storage.yaml", "infra/queues.yaml", "infra/alarms.yaml"] {
        for (name, body) in load(path)["Resources"].as_object().expect("resources") {
            assert_ne!(body["DeletionPolicy"], "Retain", "{path}: {name}");
        }
    }
}

#[test]
fn the_nested_templates_are_plain_cloudformation() {
    for path in ["infra/storage.yaml", "infra/queues.yaml", "infra/alarms.yaml"] {
        assert!(load(path).get("Transform").is_none(), "{path}: an emulator loads the very file");
    }
}

#[test]
fn the_key_layout_names_every_key_that_the_code_builds() {
    let readme = tree::read("infra/README.md");
    let keys = tree::read("shared/store/src/keys.rs");
    let code = keys.split("#[cfg(test)]").next().expect("a first part");
    let prefixes = Regex::new(r#""([A-Z_]{3,})[#"]"#).expect("a valid pattern");
    let built: BTreeSet<&str> =
        prefixes.captures_iter(code).map(|found| found.get(1).expect("one group").as_str()).collect();
    assert!(built.len() >= 15, "the pattern finds the keys: {built:?}");
    for prefix in built {
        let named = readme.contains(&format!("`{prefix}#")) || readme.contains(&format!("`{prefix}`"));
        assert!(named, "infra/README.md does not name {prefix}");
    }
}

/// The queues with an alarm on this metric, through the parameters that the alarms' template is given.
fn queues_watched_by(metric: &str) -> BTreeSet<String> {
    let (template, queues, alarms) = (load("template.yaml"), load("infra/queues.yaml"), load("infra/alarms.yaml"));
    let given = &template["Resources"]["Alarms"]["Properties"]["Parameters"];
    resources(&alarms, "AWS::CloudWatch::Alarm")
        .filter(|(_, alarm)| alarm["MetricName"] == metric)
        .map(|(name, alarm)| {
            let parameter = target(&alarm["Dimensions"][0]["Value"]).unwrap_or_else(|| panic!("{name}"));
            let queue = target(&given[parameter]).and_then(|output| nested(output, "Queues", &queues));
            queue.unwrap_or_else(|| panic!("{name} watches {parameter}")).to_owned()
        })
        .collect()
}

fn is_dead(name: &str) -> bool {
    name.ends_with("DeadQueue")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
