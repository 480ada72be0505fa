//! The environment variables of `evaluate`.

use lambda_kit::settings::{Env, MissingSettings};

#[derive(Debug)]
pub struct Settings {
    /// The queue that messages are read from. A message that has to wait gets a longer visibility timeout there.
    pub messages_queue_url: String,
    /// FIFO queue of notices, read by `notify`.
    pub notices_queue_url: String,
    /// The queue of due work. The delay of a record is the time until the work is due.
    pub due_queue_url: String,
    /// Topic for operators' own subscribers.
    pub changes_topic_arn: String,
    /// Spaces, destinations, integrations.
    pub config_table: String,
    /// Alerts, incidents, message log.
    pub alerts_table: String,
    /// How many days the message log is kept; 7 if not set.
    pub message_log_days: Option<u32>,
}

impl Settings {
    pub fn from_env() -> Result<Self, MissingSettings> {
        let mut env = Env::read();
        let settings = Self {
            messages_queue_url: env.required("MESSAGES_QUEUE_URL"),
            notices_queue_url: env.required("NOTICES_QUEUE_URL"),
            due_queue_url: env.required("DUE_QUEUE_URL"),
            changes_topic_arn: env.required("CHANGES_TOPIC_ARN"),
            config_table: env.required("CONFIG_TABLE"),
            alerts_table: env.required("ALERTS_TABLE"),
            message_log_days: env.optional("MESSAGE_LOG_DAYS").and_then(|days| days.parse().ok()),
        };
        env.finish()?;
        Ok(settings)
    }
}
