//! The environment variables of `timers`.

use lambda_kit::settings::{Env, MissingSettings};

#[derive(Debug)]
pub struct Settings {
    /// The queue of due work, written and read here. The delay of a record is the time until the work is due.
    pub due_queue_url: String,
    /// The FIFO queue of notices, for flushes of digests and the ends of snoozes.
    pub notices_queue_url: String,
    /// Topic for operators' own subscribers.
    pub changes_topic_arn: String,
    /// The table of spaces and integrations.
    pub config_table: String,
    /// The table of timers, alerts, incidents and the ledger.
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
