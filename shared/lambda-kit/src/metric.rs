//! The only metric: it counts notifications that should have been sent and were not. An alarm watches it.

use std::sync::atomic::{AtomicBool, Ordering};

use alerting::base::moment::Moment;
use serde_json::{Value, json};

/// Whether metrics are read from standard output. Lambda reads them. On one machine standard output is for other
/// programs.
static READ: AtomicBool = AtomicBool::new(false);

/// Called by the functions' `main` on Lambda.
pub(crate) fn is_read() {
    READ.store(true, Ordering::Relaxed);
}

/// Counts one missing notification. `CloudWatch`'s embedded metric format makes a metric of a line of JSON, without a call.
/// The metric is named `Untold`, which alarms of existing deployments watch.
#[expect(clippy::print_stdout, reason = "the embedded metric format is read from standard output")]
pub fn count_missing_notification(now: Moment) {
    if !READ.load(Ordering::Relaxed) {
        return;
    }
    println!("{}", line(now));
}

/// Lambda drops the line, and with it the metric, unless it carries a level that the function's `ApplicationLogLevel`
/// lets through and a timestamp in RFC 3339: without either it counts as INFO, and no rule exempts metrics (AWS Lambda
/// Developer Guide, "Log-level filtering", read 2026-11).
fn line(now: Moment) -> Value {
    json!({
        "level": "ERROR",
        "timestamp": now.rfc3339(),
        "_aws": {
            "Timestamp": now.millis(),
            "CloudWatchMetrics": [
                {"Namespace": "Larkspur", "Dimensions": [[]], "Metrics": [{"Name": "Untold", "Unit": "Count"}]}
            ]
        },
        "Untold": 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

    /// Whether Lambda passes a line on: one without a valid level, or without a valid timestamp, counts as INFO.
    fn passes(line: &Value, least: &str) -> bool {
        let at = line["timestamp"].as_str().and_then(Moment::parse_rfc3339);
        let level = line["level"].as_str().filter(|level| at.is_some() && LEVELS.contains(level)).unwrap_or("INFO");
        let rank = |name: &str| LEVELS.iter().position(|level| *level == name);
        rank(level) >= rank(least)
    }

    // Proves: finding A1
    #[test]
    fn the_metric_passes_the_log_filter_at_every_level_that_can_be_configured() {
        let now = Moment::parse_rfc3339("2026-11-30T04:05:06.007Z").expect("a moment");
        for level in ["DEBUG", "INFO", "WARN", "ERROR"] {
            assert!(passes(&line(now), level), "{level}");
        }
        let mut bare = line(now);
        bare.as_object_mut().expect("an object").remove("timestamp");
        assert!(!passes(&bare, "WARN"), "without a timestamp it counts as INFO");
    }

    // Proves: finding A1
    #[test]
    fn the_metric_has_the_name_and_dimensions_that_the_alarm_watches() {
        let line = line(Moment::from_millis(1_000));
        let metric = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metric["Namespace"], "Larkspur");
        assert_eq!(metric["Metrics"][0]["Name"], "Untold");
        assert_eq!(metric["Dimensions"], json!([[]]), "the alarm has no dimensions");
        assert_eq!((&line["Untold"], &line["_aws"]["Timestamp"]), (&json!(1), &json!(1_000)));
    }
}
