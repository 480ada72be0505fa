//! The environment variables of `timers`.

use lambda_kit::settings::{Env, MissingSettings};

#[derive(Debug)]
pub struct Settings {
    /// Where due work goes, with the seconds until it is due as its delay, and comes from.
    pub due_queue_url: String,
    /// FIFO queue of notices: flushes of digests, and the ends of snoozes.
    pub notices_queue_url: String,
    /// Topic for operators' own subscribers.
    pub changes_topic_arn: String,
    /// Spaces and integrations.
    pub config_table: String,
    /// Timers, alerts, incidents, ledger.
    pub alerts_table: String,
}

impl Settings {
    pub fn from_env() -> Result<Self, MissingSettings> {
        let mut env = Env::read();
        let settings = Self {
            due_queue_url: env.required("DUE_QUEUE_URL"),
            notices_queue_url: env.required("NOTICES_QUEUE_URL"),
            changes_topic_arn: env.required("CHANGES_TOPIC_ARN"),
            config_table: env.required("CONFIG_TABLE"),
            alerts_table: env.required("ALERTS_TABLE"),
        };
        env.finish()?;
        Ok(settings)
    }
}
