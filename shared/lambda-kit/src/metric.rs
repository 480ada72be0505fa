//! The one metric of our own: something that should have been told was not. An alarm watches it.

use alerting::moment::Moment;

/// `CloudWatch`'s embedded metric format: a line of JSON becomes a metric, without a call.
#[expect(clippy::print_stdout, reason = "the embedded metric format is read from standard output")]
pub fn untold(now: Moment) {
    println!(
        "{}",
        serde_json::json!({
            "_aws": {
                "Timestamp": now.millis(),
                "CloudWatchMetrics": [
                    {"Namespace": "Larkspur", "Dimensions": [[]], "Metrics": [{"Name": "Untold", "Unit": "Count"}]}
                ]
            },
            "Untold": 1
        })
    );
}
